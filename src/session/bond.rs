//! What a session's cookies are bound to besides its owner (`session.bind`): where it differs, they open nothing.

use crate::config::Bond;
use crate::words::Headers;

/// What `bonds` come to for a request: a part of the seal's associated data. Empty without bonds.
pub fn of(bonds: &[Bond], headers: &Headers) -> Vec<u8> {
    let mut joined = Vec::new();
    for bond in bonds {
        let value = match bond {
            Bond::Scheme => headers.all(":scheme").next().unwrap_or_default(),
            Bond::UserAgent => headers.all("user-agent").next().unwrap_or_default(),
            Bond::Address => headers.client_address(),
        };
        joined.extend(u64::try_from(value.len()).unwrap_or(u64::MAX).to_le_bytes());
        joined.extend_from_slice(value);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bond_counts_and_nothing_else_does() {
        let request = [
            (":scheme", "https"),
            ("user-agent", "a browser"),
            ("x-forwarded-for", "203.0.113.9, 192.0.2.7"),
            ("accept", "*/*"),
        ];
        let with = |name: &str, value: &'static str| {
            Headers::from_pairs(request.map(|(known, old)| (known, if known == name { value } else { old })))
        };
        let same = Headers::from_pairs(request);
        for (bond, name, other) in [
            (Bond::Scheme, ":scheme", "http"),
            (Bond::UserAgent, "user-agent", "another"),
            (Bond::Address, "x-forwarded-for", "203.0.113.9, 192.0.2.8"),
        ] {
            assert_ne!(of(&[bond], &with(name, other)), of(&[bond], &same), "{name}");
            assert_eq!(of(&[bond], &with("accept", "text/html")), of(&[bond], &same), "{name}");
            assert_eq!(of(&[], &with(name, other)), Vec::<u8>::new());
        }
        // W04: a session that is bound to an address is nobody's whose address is not known.
        let unknown = Headers::from_pairs([(":scheme", "https"), ("user-agent", "a browser")]);
        assert_ne!(of(&[Bond::Address], &unknown), of(&[Bond::Address], &same));
        let spoofed = with("x-forwarded-for", "198.51.100.1, 192.0.2.7");
        assert_eq!(of(&[Bond::Address], &spoofed), of(&[Bond::Address], &same), "the client's own entry");
    }
}
