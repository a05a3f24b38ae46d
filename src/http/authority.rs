//! Hosts and ports as they stand in URLs and in `:authority` (RFC 3986 §3.2.2, §3.2.3; RFC 9110 §7.2).

use super::bytes::Bytes;
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
    if authority.starts_with('[') {
        return ipv6(authority);
    }
    // One walk tells all of a name, since every request has one.
    let (mut end, mut last, mut has_capitals) = (0_usize, 0_usize, false);
    for byte in authority.bytes() {
        if byte == b'.' {
            if !is_label(end.wrapping_sub(last)) {
                return None;
            }
            last = end.wrapping_add(1);
        } else if !LABEL.has(byte) {
            if byte == b':' {
                break;
            }
            return None;
        }
        has_capitals |= byte.is_ascii_uppercase();
        end = end.wrapping_add(1);
    }
    let label = end.wrapping_sub(last);
    if label > MAX_LABEL {
        return None;
    }
    let (mut host, port) = authority.split_at_checked(end)?;
    if label == 0 {
        (host, last) = without_dot(host)?;
    }
    if host.len() > MAX_NAME || may_be_number(host.get(last..)?) && !is_name_or_ipv4(host, last) {
        return None;
    }
    let host = if has_capitals { Cow::Owned(host.to_ascii_lowercase()) } else { Cow::Borrowed(host) };
    Some((host, if port.is_empty() { None } else { Some(port_of(port)?) }))
}

/// Characters of a label; `_` is in names that hosts have (RFC 2782).
static LABEL: Bytes = Bytes::letters_digits_and(b"-_");

fn is_label(length: usize) -> bool {
    (1..=MAX_LABEL).contains(&length)
}

/// A port with its colon, which without digits is none (RFC 3986 §3.2.3 would allow it; nothing needs it).
fn port_of(port: &str) -> Option<u16> {
    let mut number = 0_u16;
    for byte in port.bytes().skip(1) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(digit.into())?;
    }
    (number != 0).then_some(number)
}

/// An address in brackets, in the one form of RFC 5952, and its port.
#[inline(never)]
fn ipv6(authority: &str) -> Option<(Cow<'_, str>, Option<u16>)> {
    let (inner, port) = authority.strip_prefix('[')?.split_once(']')?;
    let address: Ipv6Addr = inner.parse().ok()?;
    let port = match port.chars().next() {
        None => None,
        Some(':') => Some(port_of(port)?),
        Some(_) => return None,
    };
    Some((Cow::Owned(format!("[{address}]")), port))
}

/// A host without its trailing dot, and where its last label begins.
#[inline(never)]
fn without_dot(host: &str) -> Option<(&str, usize)> {
    let host = host.strip_suffix('.')?;
    Some((host, host.rfind('.').map_or(0, |dot| dot.wrapping_add(1))))
}

fn may_be_number(label: &str) -> bool {
    label.as_bytes().first().is_some_and(u8::is_ascii_digit)
}

/// A name whose last label, which begins there, is a number is read as an address by some clients (`127.1`, `0x7f.1`): it
/// must be an IPv4 address of four decimal numbers.
#[inline(never)]
fn is_name_or_ipv4(host: &str, last: usize) -> bool {
    let last = host.get(last..).unwrap_or_default();
    let is_hexadecimal = || last.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || is_hexadecimal();
    !is_number || host.parse::<Ipv4Addr>().is_ok()
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
