//! Cookies, both ways (RFC 6265bis §4, §5).

use crate::words::Headers;

/// The cookies of a request: every `name=value` of every `cookie` field, in order, as bytes.
///
/// What has no `=` counts as a nameless cookie, as browsers have it (§5.6, 3).
pub fn all(headers: &Headers) -> impl Iterator<Item = (&[u8], &[u8])> {
    pairs(headers).map(split)
}

/// The values of the cookies of this name, in order.
pub fn named<'a>(headers: &'a Headers, name: &str) -> Vec<&'a [u8]> {
    let mut values = Vec::new();
    for (known, value) in all(headers) {
        if known == name.as_bytes() {
            values.push(value);
        }
    }
    values
}

/// The `cookie` field that the service gets: all cookies but those that `is_ours` names, byte for byte and in order.
pub fn without(headers: &Headers, is_ours: impl Fn(&[u8]) -> bool) -> Rest {
    // Programs that show no session have no cookies: no walk is begun for them.
    if !headers.may_have("cookie") {
        return Rest::Untouched;
    }
    let is_ours = |pair: &[u8]| is_ours(split(pair).0);
    let mut walk = pairs(headers);
    let Some(before) = walk.position(is_ours) else { return Rest::Untouched };
    let mut rest = Vec::new();
    for pair in pairs(headers).take(before).chain(walk.filter(|pair| !is_ours(pair))) {
        if pair.is_empty() {
            continue;
        }
        if !rest.is_empty() {
            rest.extend_from_slice(b"; ");
        }
        rest.extend_from_slice(pair);
    }
    if rest.is_empty() { Rest::Nothing } else { Rest::Cookies(rest) }
}

/// What is left of the `cookie` field.
#[derive(Debug, PartialEq, Eq)]
pub enum Rest {
    /// There was nothing of ours in it.
    Untouched,
    /// There was nothing else in it.
    Nothing,
    /// This.
    Cookies(Vec<u8>),
}

/// The pairs of every `cookie` field.
struct Pairs<'a, F> {
    fields: F,
    /// What is left of the field that is read.
    rest: Option<&'a [u8]>,
}

fn pairs(headers: &Headers) -> Pairs<'_, impl Iterator<Item = &[u8]>> {
    Pairs { fields: headers.all("cookie"), rest: None }
}

impl<'a, F: Iterator<Item = &'a [u8]>> Iterator for Pairs<'a, F> {
    type Item = &'a [u8];

    /// Cookies are kilobytes, and several walks go over them for each request: all by the same code, which looks for the
    /// end of a pair in several bytes at a time.
    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let field = match self.rest {
            Some(rest) => rest,
            None => self.fields.next()?,
        };
        let (pair, after) = match semicolon(field).and_then(|at| field.split_at_checked(at)) {
            Some((pair, after)) => (pair, after.get(1..)),
            None => (field, None),
        };
        self.rest = after;
        Some(pair.trim_ascii())
    }
}

/// Where the first `;` is: sixteen bytes at a time, as two numbers; the library's search takes four in wasm.
#[inline(never)]
fn semicolon(field: &[u8]) -> Option<usize> {
    let mut passed = 0_usize;
    for [one, other] in field.as_chunks::<8>().0.as_chunks::<2>().0 {
        if has_semicolon(*one) || has_semicolon(*other) {
            break;
        }
        passed = passed.wrapping_add(16);
    }
    let at = field.get(passed..)?.iter().position(|byte| *byte == b';')?;
    Some(passed.wrapping_add(at))
}

/// Whether one of these bytes, each of them with the bits of `;` turned over, is zero: only such a one, and perhaps some above
/// it, has its top bit in the difference and not in itself.
#[inline(always)]
fn has_semicolon(bytes: [u8; 8]) -> bool {
    let turned = u64::from_le_bytes(bytes) ^ u64::from_le_bytes([b';'; 8]);
    turned.wrapping_sub(u64::from_le_bytes([1; 8])) & !turned & u64::from_le_bytes([0x80; 8]) != 0
}

fn split(pair: &[u8]) -> (&[u8], &[u8]) {
    // Names are short.
    match pair.iter().position(|byte| *byte == b'=').and_then(|at| pair.split_at_checked(at)) {
        Some((name, value)) => (name.trim_ascii_end(), value.get(1..).unwrap_or_default().trim_ascii_start()),
        None => (b"", pair),
    }
}

/// The attributes of a cookie of ours; the same for setting and deleting it, or browsers keep it (CVE-2025-55162).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Which paths it is sent to.
    pub path: String,
    /// Which domain, when not this host alone.
    pub domain: Option<String>,
    /// Only over TLS?
    pub secure: Secure,
    /// Sent along from other sites' pages?
    pub same_site: SameSite,
}

/// The `SameSite` attribute (RFC 6265bis §5.6.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// On navigations from other sites.
    #[default]
    Lax,
    /// Never from other sites.
    Strict,
    /// Always; needs `Secure`.
    None,
}

/// The `Secure` attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secure {
    /// Over TLS only; everywhere but on loopback.
    Yes,
    /// Also over plain HTTP: demos on loopback.
    OnLoopback,
}

/// How long a browser keeps a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Until the browser closes.
    Session,
    /// So many seconds.
    Seconds(u64),
    /// Not at all: this deletes it.
    No,
}

impl Attributes {
    /// A `set-cookie` value. `name` and `value` must be cookie-octets already, as base64url is.
    pub fn set(&self, name: &str, value: &str, keep: Keep) -> String {
        let mut line = format!("{name}={value}; Path={}", self.path);
        if let Some(domain) = &self.domain {
            line.push_str("; Domain=");
            line.push_str(domain);
        }
        match keep {
            Keep::Session => {}
            Keep::Seconds(seconds) => line.push_str(&format!("; Max-Age={seconds}")),
            Keep::No => line.push_str("; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
        }
        line.push_str("; HttpOnly");
        if self.secure == Secure::Yes {
            line.push_str("; Secure");
        }
        line.push_str(match self.same_site {
            SameSite::Lax => "; SameSite=Lax",
            SameSite::Strict => "; SameSite=Strict",
            SameSite::None => "; SameSite=None",
        });
        line
    }

    /// The `set-cookie` value that deletes `name`.
    pub fn delete(&self, name: &str) -> String {
        self.set(name, "", Keep::No)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn headers(fields: &[&[u8]]) -> Headers {
        Headers::from_pairs(fields.iter().map(|field| ("cookie", field)))
    }

    fn names(fields: &[&[u8]]) -> Vec<String> {
        all(&headers(fields)).map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect()
    }

    // S05 (CVE-2023-28625): whatever stands there, it is read without harm.
    #[test]
    fn odd_fields_are_read_without_harm() {
        assert_eq!(names(&[b"a=1; b=2", b"c=3"]), ["a", "b", "c"]);
        assert_eq!(names(&[b";;"]), ["", "", ""]);
        assert_eq!(names(&[b"=", b"a", b" ; =x", b""]), ["", "", "", "", ""]);
        assert_eq!(names(&[b"\xff\x00=1; a=b=c"]), ["\u{fffd}\0", "a"]);
        assert_eq!(all(&headers(&[b"a=b=c"])).next(), Some((b"a".as_slice(), b"b=c".as_slice())));
    }

    // S13: a cookie whose value holds our name is not ours; the others keep their bytes and order.
    #[test]
    fn only_our_cookies_are_taken_away() {
        let ours = |name: &[u8]| name.starts_with(b"oidc");
        assert_eq!(without(&headers(&[b"a=oidc; b=\xff"]), ours), Rest::Untouched);
        assert_eq!(without(&headers(&[b"oidc-1=x"]), ours), Rest::Nothing);
        assert_eq!(
            without(&headers(&[b"a=oidc; oidc=x;b=\"q\" ", b"oidc.1=y; c=\xff"]), ours),
            Rest::Cookies(b"a=oidc; b=\"q\"; c=\xff".to_vec())
        );
    }

    proptest! {
        /// Wherever a `;` stands, among bytes that differ from it in one bit or are one off, it is the end of a pair.
        #[test]
        fn pairs_end_where_they_end(field in prop::collection::vec(
            prop::sample::select(&b"abbbbbbbbbbbbbbb;:<+\xbb\xba\0\x01"[..]), 0..80)) {
            let found: Vec<Vec<u8>> = pairs(&headers(&[&field])).map(<[u8]>::to_vec).collect();
            let reckoned: Vec<Vec<u8>> = field.split(|byte| *byte == b';').map(<[u8]>::to_vec).collect();
            prop_assert_eq!(found, reckoned);
        }
    }

    // S12 (CVE-2025-55162): a deletion repeats every attribute of the cookie that it deletes.
    #[test]
    fn deleting_repeats_the_attributes() {
        let attributes = Attributes {
            path: "/".to_owned(),
            domain: Some("example.com".to_owned()),
            secure: Secure::Yes,
            same_site: SameSite::None,
        };
        let tail = "; HttpOnly; Secure; SameSite=None";
        let set = attributes.set("n", "v", Keep::Seconds(60));
        assert_eq!(set, format!("n=v; Path=/; Domain=example.com; Max-Age=60{tail}"));
        let gone = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
        assert_eq!(attributes.delete("n"), format!("n=; Path=/; Domain=example.com; {gone}{tail}"));
    }
}
