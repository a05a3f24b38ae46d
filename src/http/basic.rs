//! The scheme `Basic` (RFC 7617), as clients use it at token endpoints (RFC 6749 §2.3.1).

use super::form;
use crate::words::{Headers, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest credential that is read, in bytes.
const LONGEST: usize = 4096;

/// A name and a secret.
pub struct Basic {
    /// Everything before the first colon; never empty.
    pub user: String,
    /// Everything after it.
    pub secret: Secret,
}

/// A field that is no credential, or came twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// What `Authorization: Basic` says; `None` where there is no such field, or one of another scheme.
pub fn read(headers: &Headers) -> Result<Option<Basic>, Malformed> {
    let Some(value) = headers.one("authorization").map_err(|_| Malformed("Authorization came twice"))? else {
        return Ok(None);
    };
    let Some((scheme, rest)) = value.split_at_checked(5).filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"basic"))
    else {
        return Ok(None);
    };
    let _ = scheme;
    let Some(text) = rest.strip_prefix(b" ").map(<[u8]>::trim_ascii).filter(|text| text.len() <= LONGEST) else {
        return Err(Malformed("the credential is missing or too long"));
    };
    let decoded = STANDARD.decode(text).map_err(|_| Malformed("the credential is not base64"))?;
    let decoded = Secret::new(decoded);
    let text = decoded.expose_text().ok_or(Malformed("the credential is not UTF-8"))?;
    let (user, secret) = text.split_once(':').ok_or(Malformed("the credential has no colon"))?;
    if user.is_empty() || text.chars().any(char::is_control) {
        return Err(Malformed("the name is empty, or a control character stands in the credential"));
    }
    Ok(Some(Basic { user: user.to_owned(), secret: Secret::new(secret) }))
}

impl Basic {
    /// The same as a client's: both parts were form-encoded before they were put together (RFC 6749 §2.3.1).
    pub fn of_client(&self) -> Option<Self> {
        let secret = form::decode(self.secret.expose_text()?).ok()?;
        Some(Self { user: form::decode(&self.user).ok()?, secret: Secret::new(secret) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &[u8]) -> Result<Option<(String, String)>, &'static str> {
        let headers = Headers::from_pairs([("authorization", value)]);
        let text = |basic: Basic| (basic.user.clone(), basic.secret.expose_text().unwrap().to_owned());
        super::read(&headers).map(|basic| basic.map(text)).map_err(|malformed| malformed.0)
    }

    fn of(credential: &str) -> Result<Option<(String, String)>, &'static str> {
        read(format!("Basic {}", STANDARD.encode(credential)).as_bytes())
    }

    // G01
    #[test]
    fn the_first_colon_parts_name_and_secret() {
        let pair = |user: &str, secret: &str| Ok(Some((user.to_owned(), secret.to_owned())));
        assert_eq!(of("alice:pw"), pair("alice", "pw"));
        assert_eq!(of("alice:p:w:"), pair("alice", "p:w:"));
        assert_eq!(of("alice:"), pair("alice", ""));
        assert_eq!(of("é:ü"), pair("é", "ü"));
        assert_eq!(read(b"bAsIc YTpi"), pair("a", "b"));
    }

    // G01
    #[test]
    fn what_is_no_credential_is_told_from_what_is_another_scheme() {
        for other in [b"Bearer x".as_slice(), b"basi", b"", b"DPoP YTpi"] {
            assert_eq!(read(other), Ok(None));
        }
        for bad in ["alice", ":pw", ":", "a\0b:c", "a:b\n"] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
        for bad in [b"Basic".as_slice(), b"Basic !!!", b"Basic YTpi=", b"Basicx YTpi", b"Basic /zpi"] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
        assert!(of(&format!("a:{}", "x".repeat(64 * 1024))).is_err());
        let twice = Headers::from_pairs([("authorization", "Basic YTpi"), ("authorization", "Basic YTpi")]);
        assert!(super::read(&twice).is_err());
    }

    // G02 (RFC 6749 §2.3.1)
    #[test]
    fn a_clients_parts_are_decoded_to_the_originals() {
        let headers =
            Headers::from_pairs([("authorization", format!("Basic {}", STANDARD.encode("a%3Ab+c:p%25%2B%C3%A9%26")))]);
        let client = super::read(&headers).unwrap().unwrap().of_client().unwrap();
        assert_eq!((client.user.as_str(), client.secret.expose_text()), ("a:b c", Some("p%+é&")));
    }
}
