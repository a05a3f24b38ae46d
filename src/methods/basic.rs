//! Names and secrets as requests carry them: HTTP Basic (RFC 7617), or the parameters of a form.

use super::credential::{self, Hiding};
use crate::words::{Reason, Refusal, Request, Secret};
use crate::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest name and secret together, in bytes.
const LONGEST: usize = 4096;

/// A name and its secret. Nobody has judged them.
pub struct Pair {
    /// Who it says it is.
    pub name: String,
    /// What shall prove it.
    pub secret: Secret,
    /// How it is kept from the service.
    pub hiding: Hiding,
}

/// The pair in `Authorization: Basic`; `None` where there is no Basic. Every other way to spell it is refused.
pub fn in_header(request: &Request) -> Result<Option<Pair>, Refusal> {
    let mut values = request.headers.all("authorization").filter(|value| is_basic(value));
    let (Some(value), second) = (values.next(), values.next()) else { return Ok(None) };
    if second.is_some() || request.headers.one("authorization").is_err() {
        return Err(malformed("Authorization came twice"));
    }
    let encoded = value.get(SCHEME.len()..).unwrap_or_default().trim_ascii();
    if encoded.len() > LONGEST.saturating_mul(2) {
        return Err(malformed("it is longer than any name and secret"));
    }
    let decoded = STANDARD.decode(encoded).map_err(|_| malformed("it is not base64"))?;
    // We say `charset="UTF-8"` (§2.1).
    let text = String::from_utf8(decoded).map_err(|_| malformed("it is not UTF-8"))?;
    // The first colon: a secret may have more of them, a name none (§2).
    let (name, secret) = text.split_once(':').ok_or_else(|| malformed("it has no colon"))?;
    judge(name, secret).map_err(malformed)?;
    Ok(Some(Pair {
        name: name.to_owned(),
        secret: Secret::new(secret),
        hiding: Hiding::Header("authorization".to_owned()),
    }))
}

/// The pair in a form's parameters of these names; `None` where one of them is not there.
pub async fn in_form(world: &World, request: &Request, names: [&str; 2]) -> Result<Option<Pair>, Refusal> {
    let Some((mut values, rest)) = credential::in_form(world, request, &names).await? else { return Ok(None) };
    let (Some(Some(secret)), Some(Some(name))) = (values.pop(), values.pop()) else { return Ok(None) };
    judge(&name, &secret).map_err(|what| Refusal::new(Reason::CredentialMalformed, what))?;
    Ok(Some(Pair { name, secret: Secret::new(secret), hiding: Hiding::Body(rest) }))
}

const SCHEME: &[u8] = b"basic";

fn is_basic(value: &[u8]) -> bool {
    let (scheme, rest) = value.split_at_checked(SCHEME.len()).unwrap_or((value, b""));
    scheme.eq_ignore_ascii_case(SCHEME) && rest.first().is_none_or(|byte| *byte == b' ')
}

/// What no provider should come to see: some take an empty password for an anonymous login that succeeds (RFC 4513 §5.1.2).
fn judge(name: &str, secret: &str) -> Result<(), &'static str> {
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

fn malformed(what: &str) -> Refusal {
    Refusal::new(Reason::BasicMalformed, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Headers;

    fn read(values: &[&[u8]]) -> Result<Option<(String, String)>, Reason> {
        let headers = Headers::from_pairs(values.iter().map(|value| ("authorization", value)));
        let pair = in_header(&Request::new(headers)).map_err(|refusal| refusal.reason)?;
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
            assert_eq!(read(&[&encoded(odd)]), Err(Reason::BasicMalformed), "{odd:?}");
        }
        for odd in
            [&b"Basic"[..], b"Basic ", b"Basic ?", b"Basic YTpi=", b"Basic YTp", b"Basic YTpi YTpi", b"basic YTpi,YTpi"]
        {
            assert_eq!(read(&[odd]), Err(Reason::BasicMalformed), "{odd:?}");
        }
        assert_eq!(read(&[&encoded(&[b"a:".as_slice(), &[b'x'; 65_536]].concat())]), Err(Reason::BasicMalformed));
        assert_eq!(
            read(&[&encoded(&[b"a:".as_slice(), &[b'x'; LONGEST - 1]].concat())]).unwrap().unwrap().1.len(),
            4095
        );
        assert_eq!(read(&[&encoded(b"a:b"), &encoded(b"a:b")]), Err(Reason::BasicMalformed));
        assert_eq!(read(&[&encoded(b"a:b"), b"Bearer t"]), Err(Reason::BasicMalformed));
        for other in [&b"Bearer YTpi"[..], b"BasicYTpi", b"Basics YTpi", b"YTpi", b""] {
            assert_eq!(read(&[other]), Ok(None), "{other:?}");
        }
        assert_eq!(read(&[]), Ok(None));
    }
}
