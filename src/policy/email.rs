//! Email addresses, by their domain.

use crate::words::{Identity, Source};
use serde_json::Value;

/// Whether the caller's address is verified and of one of `domains`, which are in lower case (A03, CVE-2026-40574).
///
/// Address and verification are of one source: the first that has an address. Whether it is verified is `true`, or the
/// text `true`, as Apple and Cognito send it.
pub fn is_of(domains: &[String], identity: &Identity) -> bool {
    let sources = Source::ALL.into_iter().filter_map(|source| identity.sources.of(source));
    let mut addressed =
        sources.filter_map(|claims| Some((claims, claims.get("email").filter(|email| !email.is_null())?)));
    let Some((claims, email)) = addressed.next() else { return false };
    let verified = matches!(claims.get("email_verified"), Some(Value::Bool(true)))
        || claims.get("email_verified").and_then(Value::as_str) == Some("true");
    let domain = email.as_str().and_then(domain);
    verified && domain.is_some_and(|domain| domains.iter().any(|known| domain.eq_ignore_ascii_case(known)))
}

/// The domain of an address that has one reading: one `@`, nothing quoted, no comment, no list (RFC 5322 §3.4.1).
fn domain(address: &str) -> Option<&str> {
    let (local, domain) = address.split_once('@')?;
    let ambiguous =
        |character: char| character.is_whitespace() || character.is_control() || "\"\\()<>[],;:".contains(character);
    (!local.is_empty() && !domain.contains('@') && !address.contains(ambiguous)).then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_with_one_reading_has_a_domain() {
        for address in ["a@good.com", "a.b+c@good.com", "žofie@good.com", "a'b@good.com"] {
            assert_eq!(domain(address), Some("good.com"), "{address}");
        }
        for address in [
            "",
            "a",
            "@good.com",
            "a@evil@good.com",
            "\"a@evil.com\"@good.com",
            "\"a\"@good.com",
            "<a@good.com",
            "a(x)@good.com",
            "a,b@good.com",
            "a b@good.com",
            "a\n@good.com",
            "a\\@good.com",
            "a:b@good.com",
        ] {
            assert_eq!(domain(address), None, "{address}");
        }
        assert_ne!(domain("a@good.com "), Some("good.com"));
    }
}
