//! A session in cookies: where it is sealed, and where the seal is opened.
//!
//! The sealed bytes are written in base64url and cut into cookies `NAME`, `NAME.1`, `NAME.2`, … The first one begins
//! with the format's letter and the number of cookies, which the seal covers too: a part of another session, a missing
//! one or one too many leaves nothing that opens.

use crate::http::cookie;
use crate::seal::Sealer;
use crate::words::Headers;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::hash::{Hash, Hasher};

/// The letter of the cookie format.
const FORMAT: u8 = b'1';
/// Name and value of one cookie together; browsers take 4096 bytes (RFC 6265bis §5.6).
const LARGEST: usize = 4000;
/// How many cookies a session may have, one digit.
pub const MOST: usize = 15;
/// How many ways of putting copies of cookies together are tried.
const TRIES: usize = 8;

/// A sealed session, cut into cookie values.
pub struct Sealed {
    /// The values, the first cookie's first.
    pub values: Vec<String>,
}

/// Cookie values that together look like one sealed session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    values: Vec<&'a [u8]>,
}

/// The name of a session's cookie number `at`.
pub fn name(base: &str, at: usize) -> String {
    if at == 0 { base.to_owned() } else { format!("{base}.{at}") }
}

/// Seals `plain` beside `associated` and cuts it. `None` when it needs more cookies than there may be.
pub fn seal(sealer: &Sealer, base: &str, associated: &[u8], nonce: [u8; 24], plain: &[u8]) -> Option<Sealed> {
    let overhead = 4_usize.saturating_add(nonce.len()).saturating_add(16);
    let text = plain.len().checked_add(overhead)?.checked_mul(4)?.div_ceil(3);
    // Room for the longest name, `.NN` included, and the two characters in front.
    let room = LARGEST.checked_sub(base.len())?.checked_sub(5).filter(|room| *room > 0)?;
    let count = text.div_ceil(room).max(1);
    if count > MOST {
        return None;
    }
    let head = [FORMAT, u8::try_from(char::from_digit(u32::try_from(count).ok()?, 16)?).ok()?];
    let sealed = sealer.seal(nonce, &[associated, &head].concat(), plain)?;
    let text = URL_SAFE_NO_PAD.encode(sealed);
    let mut values: Vec<String> =
        text.as_bytes().chunks(room).map(|part| String::from_utf8_lossy(part).into_owned()).collect();
    if let Some(first) = values.first_mut() {
        first.insert_str(0, std::str::from_utf8(&head).ok()?);
    }
    Some(Sealed { values })
}

/// The sessions that a request's cookies called `base` may hold. Usually one; more only when a name came twice.
pub fn candidates<'a>(headers: &'a Headers, base: &str) -> Vec<Candidate<'a>> {
    let mut only = None;
    for (name, value) in cookie::all(headers) {
        let Some(at) = number(name, base) else { continue };
        if only.replace((at, value)).is_some() {
            return put_together(headers, base);
        }
    }
    match only {
        None => Vec::new(),
        // Nearly every session is in one cookie.
        Some((0, value @ [FORMAT, b'1', ..])) => vec![Candidate { values: vec![value] }],
        Some(_) => put_together(headers, base),
    }
}

/// The same of any number of cookies.
#[inline(never)]
fn put_together<'a>(headers: &'a Headers, base: &str) -> Vec<Candidate<'a>> {
    let mut copies: Vec<(usize, &[u8])> = Vec::new();
    for (name, value) in cookie::all(headers) {
        let Some(at) = number(name, base) else { continue };
        // The same value twice is one copy: browsers send a cookie again under another path or domain.
        let is_new = !copies.contains(&(at, value));
        if is_new && copies.iter().filter(|(known, _)| *known == at).count() < TRIES {
            copies.push((at, value));
        }
    }
    let mut found = Vec::new();
    for (at, first) in &copies {
        if *at == 0 {
            found.append(&mut with_first(first, &copies));
        }
    }
    found.truncate(TRIES);
    found
}

/// Every way of completing the first cookie's value with those after it.
fn with_first<'a>(first: &'a [u8], copies: &[(usize, &'a [u8])]) -> Vec<Candidate<'a>> {
    let Some([FORMAT, count]) = first.get(..2) else { return Vec::new() };
    let Some(count) = char::from(*count).to_digit(16).and_then(|count| usize::try_from(count).ok()) else {
        return Vec::new();
    };
    if count == 0 {
        return Vec::new();
    }
    let mut ways = vec![Candidate { values: vec![first] }];
    for number in 1..count {
        let mut longer = Vec::new();
        for way in &ways {
            for (_, part) in copies.iter().filter(|(at, _)| *at == number) {
                if longer.len() < TRIES {
                    longer.push(Candidate { values: [&*way.values, &[*part]].concat() });
                }
            }
        }
        ways = longer;
    }
    ways
}

/// Which of a session's cookies `name` is.
fn number(name: &[u8], base: &str) -> Option<usize> {
    let rest = name.strip_prefix(base.as_bytes())?;
    if rest.is_empty() { Some(0) } else { further(rest) }
}

/// Of a cookie after the first, by the end of its name.
#[inline(never)]
fn further(rest: &[u8]) -> Option<usize> {
    let digits = rest.strip_prefix(b".").filter(|digits| digits.len() <= 2 && !digits.starts_with(b"0"))?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|at| *at < MOST)
}

impl Candidate<'_> {
    /// What tells this sealed session from any other: where its nonce and its tag stand. `None` when it is too short to be
    /// one.
    pub fn mark(&self) -> Option<Mark> {
        let mut mark = [0; MARK];
        let (nonce, tag) = mark.split_first_chunk_mut::<40>()?;
        nonce.copy_from_slice(self.values.first()?.get(..40)?);
        let last = self.values.last()?;
        tag.copy_from_slice(last.get(last.len().checked_sub(tag.len())?..)?);
        Some(Mark(mark))
    }

    /// Whether its bytes are `bytes`.
    pub fn is(&self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        for value in &self.values {
            let Some((start, after)) = rest.split_at_checked(value.len()) else { return false };
            if !same(start, value) {
                return false;
            }
            rest = after;
        }
        rest.is_empty()
    }

    /// Its bytes.
    pub fn bytes(&self) -> Box<[u8]> {
        self.values.concat().into()
    }
}

/// The mark of the sealed session with these bytes, where it is in one cookie.
pub fn mark_of(bytes: &[u8]) -> Option<Mark> {
    Candidate { values: vec![bytes] }.mark()
}

/// What was sealed beside `associated`, from a candidate's bytes; every way to fail looks the same.
pub fn open(sealer: &Sealer, associated: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
    let (head, text) = bytes.split_at_checked(2)?;
    let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    sealer.open(&[associated, head].concat(), &sealed).ok()
}

/// Equality sixteen bytes at a time, as two numbers: in wasm the library's goes byte by byte, and this runs for each request.
fn same(one: &[u8], other: &[u8]) -> bool {
    let ((ones, one_end), (others, other_end)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let ((ones, one_odd), (others, other_odd)) = (ones.as_chunks::<2>(), others.as_chunks::<2>());
    let differ = |one: &[u8; 8], other: &[u8; 8]| u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
    for ([a, b], [c, d]) in ones.iter().zip(others) {
        if differ(a, c) | differ(b, d) != 0 {
            return false;
        }
    }
    one.len() == other.len() && one_odd == other_odd && one_end == other_end
}

const MARK: usize = 62;

/// Where a sealed session's nonce and tag stand, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark([u8; MARK]);

impl Hash for Mark {
    /// By the end of the tag alone, which spreads as well as any hash.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [.., a, b, c, d, e, f, g, h] = self.0;
        state.write_u64(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Purpose;
    use crate::words::Secret;

    const BASE: &str = "__Host-oidc-1a2b3c4d";

    fn sealer() -> Sealer {
        Sealer::new(&[Secret::new([1; 32])], Purpose::Session)
    }

    fn sealed(plain: &[u8], nonce: u8) -> Vec<(String, String)> {
        let sealed = seal(&sealer(), BASE, b"ours", [nonce; 24], plain).unwrap();
        sealed.values.into_iter().enumerate().map(|(at, value)| (name(BASE, at), value)).collect()
    }

    fn opened(cookies: &[(String, String)]) -> Vec<Vec<u8>> {
        let field = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let headers = Headers::from_pairs([("cookie", field)]);
        candidates(&headers, BASE).iter().filter_map(|found| open(&sealer(), b"ours", &found.bytes())).collect()
    }

    #[test]
    fn every_size_fits_its_cookies_and_comes_back() {
        for size in [0, 1, 2, 2_900, 2_990, 6_000, 9_000, 40_000] {
            let plain = vec![0xa5; size];
            let cookies = sealed(&plain, 1);
            assert!(cookies.iter().all(|(name, value)| name.len() + value.len() <= LARGEST), "{size}");
            assert_eq!(opened(&cookies), [plain], "{size}");
        }
        assert!(seal(&sealer(), BASE, b"ours", [0; 24], &vec![0; 60_000]).is_none());
    }

    #[test]
    fn the_order_of_cookies_does_not_matter_and_strangers_among_them_do_not_either() {
        let mut cookies = sealed(&[7; 9_000], 1);
        cookies.reverse();
        cookies.push((format!("{BASE}.9"), "stale".to_owned()));
        cookies.push((format!("{BASE}x"), "other".to_owned()));
        assert_eq!(opened(&cookies), [vec![7; 9_000]]);
    }

    // S07 (CVE-2024-24814): what the client says of numbers bounds nothing.
    #[test]
    fn gaps_wild_numbers_and_wrong_counts_open_nothing() {
        let whole = sealed(&[7; 9_000], 1);
        assert_eq!(whole.len(), 4);
        for missing in 0..whole.len() {
            let mut gap = whole.clone();
            gap.remove(missing);
            assert!(opened(&gap).is_empty(), "without {missing}");
        }
        for count in ["0", "1", "2", "5", "f", "g", "-"] {
            let mut bent = whole.clone();
            bent[0].1.replace_range(1..2, count);
            assert!(opened(&bent).is_empty(), "count {count}");
        }
        for wild in ["-99999999", "99999999", "00", "01", "15", "1.1", "", "+1", "é"] {
            let mut bent = whole.clone();
            bent[1].0 = format!("{BASE}.{wild}");
            assert!(opened(&bent).is_empty(), "name .{wild}");
        }
        assert_eq!(opened(&whole).len(), 1);
    }

    // S08: parts of two sessions do not mix.
    #[test]
    fn parts_of_two_sessions_do_not_open() {
        let (a, b) = (sealed(&[1; 9_000], 1), sealed(&[2; 9_000], 2));
        for at in 0..a.len() {
            let mut mixed = a.clone();
            mixed[at] = b[at].clone();
            assert!(opened(&mixed).is_empty(), "part {at}");
        }
    }

    // S06: a forged copy before or behind the good one.
    #[test]
    fn a_forged_copy_does_not_hide_the_good_one() {
        let good = sealed(&[1; 9_000], 1);
        let forged = [(good[0].0.clone(), "14forged".to_owned())];
        for cookies in [[&forged, &good[..]].concat(), [&good[..], &forged].concat()] {
            assert_eq!(opened(&cookies), [vec![1; 9_000]]);
        }
        let flood: Vec<_> = (0..200).map(|n| (BASE.to_owned(), format!("14{n}"))).collect();
        assert!(opened(&[&flood[..], &good[..]].concat()).len() <= 1);
    }

    // S01: each byte of every cookie.
    #[test]
    fn a_change_of_any_character_opens_nothing() {
        let good = sealed(b"plain", 1);
        for at in 0..good[0].1.len() {
            let mut bent = good.clone();
            let other = if bent[0].1.as_bytes()[at] == b'A' { "B" } else { "A" };
            bent[0].1.replace_range(at..=at, other);
            assert!(opened(&bent).is_empty(), "character {at}");
        }
        // S09: quoted, percent-encoded.
        for value in [format!("\"{}\"", good[0].1), good[0].1.replace('_', "%5f") + "%3d"] {
            assert!(opened(&[(BASE.to_owned(), value)]).is_empty());
        }
        assert_eq!(opened(&good).len(), 1);
    }

    #[test]
    fn a_mark_and_the_bytes_tell_sessions_apart() {
        let cookies = sealed(&[7; 9_000], 1);
        let values: Vec<&[u8]> = cookies.iter().map(|(_, value)| value.as_bytes()).collect();
        let candidate = Candidate { values };
        assert!(candidate.mark().is_some());
        assert!(candidate.is(&candidate.bytes()));
        let bytes = candidate.bytes();
        assert!(!candidate.is(&bytes[..bytes.len() - 1]));
        assert!(!candidate.is(&[&*bytes, b"z"].concat()));
        for at in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[at] ^= 1;
            assert!(!candidate.is(&bent), "byte {at}");
        }
    }
}
