//! The scheme `Basic` (RFC 7617), as clients use it at token endpoints (RFC 6749 §2.3.1).

use super::form;
use crate::words::{Headers, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The scheme's name, in lower case.
const SCHEME: &[u8] = b"basic";
/// The longest name and secret together, in bytes.
pub const LONGEST: usize = 4096;

/// A name and a secret. Nobody has judged them.
pub struct Basic {
    /// Everything before the first colon: a secret may have more of them, a name none (RFC 7617 §2).
    pub name: String,
    /// Everything after it.
    pub secret: Secret,
}

/// A field that says Basic and is none, or came twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// What `Authorization: Basic` says; `None` where nothing says Basic. Every other way to spell it is refused.
pub fn read(headers: &Headers) -> Result<Option<Basic>, Malformed> {
    let mut values = headers.all("authorization").filter(|value| is_basic(value));
    let (Some(value), second) = (values.next(), values.next()) else { return Ok(None) };
    if second.is_some() || headers.one("authorization").is_err() {
        return Err(Malformed("Authorization came twice"));
    }
    let encoded = value.get(SCHEME.len()..).unwrap_or_default().trim_ascii();
    if encoded.len() > LONGEST.saturating_mul(2) {
        return Err(Malformed("it is longer than any name and secret"));
    }
    let decoded = Secret::new(STANDARD.decode(encoded).map_err(|_| Malformed("it is not base64"))?);
    // We say `charset="UTF-8"` (RFC 7617 §2.1).
    let text = decoded.expose_text().ok_or(Malformed("it is not UTF-8"))?;
    let (name, secret) = text.split_once(':').ok_or(Malformed("it has no colon"))?;
    judge(name, secret).map_err(Malformed)?;
    Ok(Some(Basic { name: name.to_owned(), secret: Secret::new(secret) }))
}

fn is_basic(value: &[u8]) -> bool {
    let (scheme, rest) = value.split_at_checked(SCHEME.len()).unwrap_or((value, b""));
    scheme.eq_ignore_ascii_case(SCHEME) && rest.first().is_none_or(|byte| *byte == b' ')
}

/// What nobody should come to judge: some take an empty password for an anonymous login that succeeds (RFC 4513 §5.1.2).
pub fn judge(name: &str, secret: &str) -> Result<(), &'static str> {
    if name.is_empty() || secret.is_empty() {
        return Err("the name or the secret is empty");
    }
    if name.len().saturating_add(secret.len()) > LONGEST {
        return Err("it is longer than any name and secret");
    }
    // RFC 7617 §2.
    if name.chars().chain(secret.chars()).any(char::is_control) {
        return Err("it has control characters");
    }
    Ok(())
}

impl Basic {
    /// The same as a client's: both parts were form-encoded before they were put together (RFC 6749 §2.3.1).
    pub fn of_client(&self) -> Option<Self> {
        let secret = form::decode(self.secret.expose_text()?).ok()?;
        Some(Self { name: form::decode(&self.name).ok()?, secret: Secret::new(secret) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&[u8]]) -> Result<Option<(String, String)>, ()> {
        let headers = Headers::from_pairs(values.iter().map(|value| ("authorization", value)));
        let pair = super::read(&headers).map_err(|_| ())?;
        Ok(pair.map(|pair| (pair.name, pair.secret.expose_text().unwrap().to_owned())))
    }

    fn encoded(pair: &[u8]) -> Vec<u8> {
        format!("Basic {}", STANDARD.encode(pair)).into_bytes()
    }

    // G01 (RFC 7617 §2)
    #[test]
    fn the_first_colon_splits_and_nothing_odd_is_read() {
        let pair = |name: &str, secret: &str| Ok(Some((name.to_owned(), secret.to_owned())));
        assert_eq!(read(&[&encoded(b"alice:wonder")]), pair("alice", "wonder"));
        assert_eq!(read(&[&encoded(b"alice:a:b:")]), pair("alice", "a:b:"));
        assert_eq!(read(&[&encoded("zoë:pässwörd".as_bytes())]), pair("zoë", "pässwörd"));
        assert_eq!(read(&[b"bAsIc   YTpi  "]), pair("a", "b"));
        for odd in
            [&b""[..], b":", b"alice", b"alice:", b":wonder", b"a\xff:b", b"a:\xff", b"a\0:b", b"a:b\n", b"a\x7f:b"]
        {
            assert_eq!(read(&[&encoded(odd)]), Err(()), "{odd:?}");
        }
        for odd in
            [&b"Basic"[..], b"Basic ", b"Basic ?", b"Basic YTpi=", b"Basic YTp", b"Basic YTpi YTpi", b"basic YTpi,YTpi"]
        {
            assert_eq!(read(&[odd]), Err(()), "{odd:?}");
        }
        assert_eq!(read(&[&encoded(&[b"a:".as_slice(), &[b'x'; 65_536]].concat())]), Err(()));
        assert_eq!(
            read(&[&encoded(&[b"a:".as_slice(), &[b'x'; LONGEST - 1]].concat())]).unwrap().unwrap().1.len(),
            4095
        );
        assert_eq!(read(&[&encoded(b"a:b"), &encoded(b"a:b")]), Err(()));
        assert_eq!(read(&[&encoded(b"a:b"), b"Bearer t"]), Err(()));
        for other in [&b"Bearer YTpi"[..], b"BasicYTpi", b"Basics YTpi", b"YTpi", b""] {
            assert_eq!(read(&[other]), Ok(None), "{other:?}");
        }
        assert_eq!(read(&[]), Ok(None));
    }

    // G02 (RFC 6749 §2.3.1)
    #[test]
    fn a_clients_parts_are_decoded_to_the_originals() {
        let headers = Headers::from_pairs([("authorization", encoded(b"a%3Ab+c:p%25%2B%C3%A9%26"))]);
        let client = super::read(&headers).unwrap().unwrap().of_client().unwrap();
        assert_eq!((client.name.as_str(), client.secret.expose_text()), ("a:b c", Some("p%+é&")));
    }
}
