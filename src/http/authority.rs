//! Hosts and ports as they stand in URLs and in `:authority` (RFC 3986 §3.2.2, §3.2.3; RFC 9110 §7.2).

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest host name (RFC 1035 §2.3.4) and the longest of its labels.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// Host and port of an authority, as `host`, `host:port` or `[v6]:port`.
///
/// The host comes in lower case and without its trailing dot; nothing is allocated where it stands so already.
/// `None` for user information, escapes, an empty host, numbers that only look like an address, or a bad port.
pub fn host(authority: &str) -> Option<(Cow<'_, str>, Option<u16>)> {
    let (host, port) = split_port(authority)?;
    if host.starts_with('[') {
        return Some((Cow::Owned(ipv6(host)?), port));
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    if !is_name_or_ipv4(host) {
        return None;
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some((Cow::Owned(host.to_ascii_lowercase()), port));
    }
    Some((Cow::Borrowed(host), port))
}

/// Splits a port off. A colon without digits is no port (RFC 3986 §3.2.3 would allow it; nothing needs it).
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let name_end = memchr::memchr(b']', authority.as_bytes()).unwrap_or(0);
    let Some(colon) = memchr::memchr(b':', authority.as_bytes().get(name_end..)?) else {
        return Some((authority, None));
    };
    let (host, port) = authority.split_at_checked(name_end.checked_add(colon)?)?;
    let digits = port.strip_prefix(':')?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(port) if plain && port != 0 => Some((host, Some(port))),
        _ => None,
    }
}

/// An address in brackets, in the one form of RFC 5952.
#[cold]
fn ipv6(host: &str) -> Option<String> {
    let inner = host.strip_prefix('[')?.strip_suffix(']')?;
    let address: Ipv6Addr = inner.parse().ok()?;
    Some(format!("[{address}]"))
}

/// A registered name of letters, digits, `-` and `_`, or an IPv4 address of four decimal numbers.
///
/// A name whose last label is a number is read as an address by some clients (`127.1`, `0x7f.1`): it must be one.
fn is_name_or_ipv4(host: &str) -> bool {
    if host.len() > MAX_NAME || !has_labels(host.as_bytes()) {
        return false;
    }
    let last = memchr::memrchr(b'.', host.as_bytes()).and_then(|at| host.get(at.checked_add(1)?..)).unwrap_or(host);
    let number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.get(..2).is_some_and(is_hex_prefix);
    !number || host.parse::<Ipv4Addr>().is_ok()
}

/// Labels with dots between them, none of them empty.
fn has_labels(host: &[u8]) -> bool {
    let mut length = 0_usize;
    for byte in host {
        length = match byte {
            b'.' if length == 0 => return false,
            b'.' => 0,
            b'-' | b'_' => length.saturating_add(1),
            _ if byte.is_ascii_alphanumeric() => length.saturating_add(1),
            _ => return false,
        };
        if length > MAX_LABEL {
            return false;
        }
    }
    length > 0
}

fn is_hex_prefix(start: &str) -> bool {
    start.eq_ignore_ascii_case("0x")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(authority: &str) -> Option<(String, Option<u16>)> {
        host(authority).map(|(host, port)| (host.into_owned(), port))
    }

    /// P09: one host, many spellings.
    #[test]
    fn case_and_trailing_dot_do_not_make_another_host() {
        for spelling in ["a.example", "A.EXAMPLE", "a.example."] {
            assert_eq!(parts(spelling), Some(("a.example".into(), None)), "{spelling}");
        }
        assert_eq!(parts("A.example:443"), Some(("a.example".into(), Some(443))));
        assert_eq!(parts("[::0:1]:8080"), Some(("[::1]".into(), Some(8080))));
        assert_eq!(parts("127.0.0.1:80"), Some(("127.0.0.1".into(), Some(80))));
        assert!(matches!(host("a.example"), Some((Cow::Borrowed("a.example"), None))));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let wrong = [
            "",
            ".",
            ":80",
            "a..b",
            ".a",
            "a..",
            "a:",
            "a:0",
            "a:65536",
            "a:+80",
            "a:8 0",
            "a:80:80",
            "user@a",
            "a/b",
            "a b",
            "a%2eb",
            "ä.example",
            "[::1",
            "::1",
            "[::1]x",
            "[::1%25eth0]",
            "[]",
            "127.1",
            "0x7f.1",
            "2130706433",
            "1.2.3.256",
            "01.2.3.4",
            "a\\b",
            "a?b",
            "a#b",
            "a\0",
        ];
        for authority in wrong {
            assert_eq!(host(authority), None, "{authority:?}");
        }
        for right in ["a", "a_b.c", "xn--4ca.example", "1.2.3.4", "7.example", "[::1]", "0x7f.example"] {
            assert!(host(right).is_some(), "{right:?}");
        }
        assert_eq!(host(&"a".repeat(64)), None);
        assert!(host(&"a".repeat(63)).is_some());
    }
}
