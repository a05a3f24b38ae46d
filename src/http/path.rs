//! Request paths that mean one thing to every server, in one spelling (RFC 3986 §6.2.2).

use super::bytes::Bytes;
use std::borrow::Cow;
use std::fmt;

/// Why a path means different things to different servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguous {
    /// Empty, `*`, or anything else that does not begin with `/`.
    NotAbsolute,
    /// A segment `.` or `..`, also with parameters (`..;x`), or a segment of parameters alone.
    DotSegment,
    /// A segment without a character that is not the last: `//`.
    EmptySegment,
    /// A `\`, which some servers take for `/`.
    Backslash,
    /// An escaped `.`, `/`, `\` or control character, or one that is escaped twice.
    HiddenDelimiter,
    /// A `%` without two hexadecimal digits, or escapes that are no UTF-8, as overlong ones are.
    BrokenEscape,
    /// A raw space, control character, `#`, or byte beyond ASCII.
    Character,
}

impl fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAbsolute => "does not begin with /",
            Self::DotSegment => "has a segment . or ..",
            Self::EmptySegment => "has an empty segment (//)",
            Self::Backslash => "has a backslash",
            Self::HiddenDelimiter => "has an escaped dot, slash, backslash or control character",
            Self::BrokenEscape => "has an escape that is not one",
            Self::Character => "has a character that paths have only escaped",
        })
    }
}

/// The path of a request target in its one spelling: without its query, every character that may stand in a path
/// unescaped, and all others escaped with capital hexadecimal digits.
///
/// RFC 3986 §6.2.2.2 unescapes letters, digits, `-`, `.`, `_` and `~` alone; servers decode the others as well, so
/// that `/%40me` and `/@me` must get the same verdict. Nothing is allocated where the path is in that spelling
/// already. The path goes to the service as it came: the spelling is for matching.
pub fn canonical(target: &str) -> Result<Cow<'_, str>, Ambiguous> {
    // One walk tells that nearly every path is as it should be, with no segment that needs a second look.
    let (mut before, mut end) = (0, 0_usize);
    for byte in target.bytes() {
        if byte == b'?' {
            break;
        }
        if !RAW.has(byte) || (before == b'/' && matches!(byte, b'.' | b'/' | b';')) {
            return looked_at(target);
        }
        before = byte;
        end = end.wrapping_add(1);
    }
    match target.get(..end) {
        Some(path) if path.starts_with('/') => Ok(Cow::Borrowed(path)),
        _ => Err(Ambiguous::NotAbsolute),
    }
}

/// The same for any path.
#[inline(never)]
fn looked_at(target: &str) -> Result<Cow<'_, str>, Ambiguous> {
    let path = target.split('?').next().unwrap_or_default();
    if !path.starts_with('/') {
        return Err(Ambiguous::NotAbsolute);
    }
    let spelled = if RAW.hold(path.as_bytes()) { Cow::Borrowed(path) } else { Cow::Owned(respell(path)?) };
    check_segments(&spelled)?;
    Ok(spelled)
}

/// Whether `prefix`, a path without its trailing slash, covers `path` by whole segments: `/a` covers `/a` and `/a/b`,
/// not `/ab`.
pub fn covers(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Characters of a path that need no escape (`pchar` and `/`, RFC 3986 §3.3).
static RAW: Bytes = Bytes::letters_digits_and(b"/-._~!$&'()*+,;=:@");

fn respell(path: &str) -> Result<String, Ambiguous> {
    let mut spelled = Vec::with_capacity(path.len());
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let meant = match byte {
            b'%' => {
                let escaped = escaped_byte(bytes.next(), bytes.next()).ok_or(Ambiguous::BrokenEscape)?;
                if matches!(escaped, b'.' | b'/' | b'\\') || escaped.is_ascii_control() {
                    return Err(Ambiguous::HiddenDelimiter);
                }
                escaped
            }
            b'\\' => return Err(Ambiguous::Backslash),
            b'#' => return Err(Ambiguous::Character),
            _ if byte.is_ascii_graphic() => byte,
            _ => return Err(Ambiguous::Character),
        };
        decoded.push(meant);
        if RAW.has(meant) { spelled.push(meant) } else { spelled.extend(escape(meant)) }
    }
    let decoded = String::from_utf8(decoded).map_err(|_| Ambiguous::BrokenEscape)?;
    if is_escaped_twice(&decoded) {
        return Err(Ambiguous::HiddenDelimiter);
    }
    String::from_utf8(spelled).map_err(|_| Ambiguous::BrokenEscape)
}

fn escaped_byte(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digit(high)?.checked_mul(16)?.checked_add(digit(low)?)
}

fn escape(byte: u8) -> [u8; 3] {
    let digit =
        |value: u8| char::from_digit(u32::from(value), 16).map_or(b'0', |digit| digit.to_ascii_uppercase() as u8);
    [b'%', digit(byte >> 4), digit(byte & 15)]
}

/// Whether decoding once more would bring out a delimiter: `%252e`.
fn is_escaped_twice(decoded: &str) -> bool {
    decoded
        .split('%')
        .skip(1)
        .filter_map(|rest| rest.get(..2))
        .any(|digits| ["2e", "2f", "5c", "00"].iter().any(|hidden| hidden.eq_ignore_ascii_case(digits)))
}

fn check_segments(path: &str) -> Result<(), Ambiguous> {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        if segment.is_empty() && segments.peek().is_some() {
            return Err(Ambiguous::EmptySegment);
        }
        // Servlet containers cut `;` and what follows before they look at dots.
        let name = segment.split(';').next().unwrap_or_default();
        if name == "." || name == ".." || (name.is_empty() && !segment.is_empty()) {
            return Err(Ambiguous::DotSegment);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// P01 to P03, P06, P07: each with its twin, the same path with its one defect mended.
    #[test]
    fn an_ambiguous_path_is_refused_and_its_twin_is_not() {
        use Ambiguous::*;
        let pairs = [
            ("/private#/public", Character, "/private/public"),
            ("/public/../private", DotSegment, "/public/private"),
            ("/public/..", DotSegment, "/public/..."),
            ("/public/%2e%2e/private", HiddenDelimiter, "/public/%2d%2d/private"),
            ("/public/.%2E/private", HiddenDelimiter, "/public/.x/private"),
            ("/public/..;/private", DotSegment, "/public/..x;/private"),
            ("/public/..%3bx/private", DotSegment, "/public/a%3bx/private"),
            ("/public/.;x=1", DotSegment, "/public/a;x=1"),
            ("/;x/private", DotSegment, "/a;x/private"),
            ("//private", EmptySegment, "/private"),
            ("/public//private", EmptySegment, "/public/"),
            ("//", EmptySegment, "/"),
            ("/./private", DotSegment, "/.well-known/private"),
            ("/private/.", DotSegment, "/private/.x"),
            ("/private%2fx", HiddenDelimiter, "/private%20x"),
            ("/private%2Fx", HiddenDelimiter, "/private/x"),
            ("/private%5cx", HiddenDelimiter, "/private%5bx"),
            ("/private\\x", Backslash, "/private|x"),
            ("", NotAbsolute, "/"),
            ("*", NotAbsolute, "/*"),
            ("private", NotAbsolute, "/private"),
            ("?/private", NotAbsolute, "/?/private"),
            ("http://a/private", NotAbsolute, "/http:/a/private"),
            ("/%", BrokenEscape, "/%25"),
            ("/%2", BrokenEscape, "/%20"),
            ("/%zz", BrokenEscape, "/zz"),
            ("/%+1", BrokenEscape, "/%31"),
            ("/%00", HiddenDelimiter, "/%30"),
            ("/a%0d%0ab", HiddenDelimiter, "/a%20b"),
            ("/a%7f", HiddenDelimiter, "/a%7e"),
            ("/%c0%af", BrokenEscape, "/%c3%a4"),
            ("/%e0%80%ae", BrokenEscape, "/%e2%82%ac"),
            ("/%252e%252E/x", HiddenDelimiter, "/%2520/x"),
            ("/a b", Character, "/a%20b"),
            ("/a\tb", Character, "/a%20b"),
            ("/ä", Character, "/%C3%A4"),
        ];
        for (wrong, reason, twin) in pairs {
            assert_eq!(canonical(wrong), Err(reason), "{wrong:?}");
            assert!(canonical(twin).is_ok(), "{twin:?}: {:?}", canonical(twin));
        }
    }

    #[test]
    fn spellings_of_one_path_become_one() {
        let spellings = [
            ("/%70rivate", "/private"),
            ("/private?x=/public", "/private"),
            ("/private?x=/../%2e%", "/private"),
            ("/%7euser/%2D", "/~user/-"),
            ("/%40me/a%3ab", "/@me/a:b"),
            ("/%c3%a4%20", "/%C3%A4%20"),
            ("/{id}", "/%7Bid%7D"),
            ("/%7bid%7d", "/%7Bid%7D"),
            ("/PRIVATE", "/PRIVATE"),
        ];
        for (target, path) in spellings {
            assert_eq!(canonical(target).as_deref(), Ok(path), "{target:?}");
        }
    }

    #[test]
    fn a_canonical_path_is_borrowed() {
        for target in ["/", "/orders/7;v=1?x=%2e", "/a/", "/~u/@x:y,!$&'()*+="] {
            assert!(matches!(canonical(target), Ok(Cow::Borrowed(_))), "{target:?}");
        }
    }

    /// P04.
    #[test]
    fn a_prefix_ends_with_a_segment() {
        for path in ["/public", "/public/", "/public/x"] {
            assert!(covers("/public", path), "{path}");
        }
        for path in ["/publicity", "/public-admin", "/publi", "/", "/x/public", "/Public"] {
            assert!(!covers("/public", path), "{path}");
        }
        assert!(covers("", "/") && covers("", "/x"));
    }

    proptest! {
        #[test]
        fn canonical_paths_stay_as_they_are(target in "/[a-z%./;0-9A-F\\\\~{?#]{0,24}") {
            if let Ok(once) = canonical(&target) {
                prop_assert_eq!(canonical(&once), Ok(once.clone()));
            }
        }

        #[test]
        fn no_text_makes_it_panic(target in "\\PC{0,40}") {
            let _ = canonical(&target);
        }
    }
}
