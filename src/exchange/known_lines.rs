//! Which rules requests fell under lately: most requests of a service ask for what was asked for before, and what is the same
//! to the byte falls under the same rule.

use crate::words::Request;
use std::cell::RefCell;

/// How many lines are known at most: two to the power of this.
const SEATS: u32 = 7;
/// The longest line that is kept, in bytes.
const LONGEST: usize = 512;

/// The lines that a worker knows. They live as long as the configuration; each new one takes its seat from another.
///
/// A line is kept when it comes again with no other one for its seat in between: what is asked for once costs nothing.
pub struct KnownLines {
    /// None where a line does not say it all, since some rule looks at header fields.
    seats: RefCell<Vec<Seat>>,
}

#[derive(Default)]
struct Seat {
    /// The hash of the last line that came and was not known.
    passed: u64,
    known: Option<Known>,
}

struct Known {
    count: usize,
    fields: Box<[u8]>,
    /// The place of its rule.
    rule: u32,
}

/// What a request asks for, but for the header fields that are not pseudo header fields.
pub struct Line<'a> {
    /// As [`crate::words::Headers::line`] has them.
    count: usize,
    fields: &'a [u8],
    hash: u64,
}

impl<'a> Line<'a> {
    /// Of one request.
    pub fn of(request: &'a Request) -> Self {
        let (count, fields) = request.headers.line();
        let words = fields.as_chunks().0.iter().chain(fields.last_chunk());
        Self { count, fields, hash: words.fold(0, |hash, word| step(hash, u64::from_le_bytes(*word))) }
    }

    fn seat(&self) -> usize {
        // The highest bits: all others have a say in them.
        usize::try_from(self.hash >> (u64::BITS - SEATS)).unwrap_or_default()
    }

    /// As many fields in the same bytes are the same fields: what is known has no NUL but those behind its names and values.
    fn is(&self, known: &Known) -> bool {
        self.count == known.count && are_same(self.fields, &known.fields)
    }

    /// As it is kept, if it can be. No query is: it may hold a token (RFC 6750 §2.3), and tokens are not kept as they come.
    fn kept(&self, rule: u32) -> Option<Known> {
        let nuls = self.fields.iter().filter(|byte| **byte == 0).count();
        let is_plain = nuls == self.count.saturating_mul(2) && !self.fields.contains(&b'?');
        (is_plain && self.fields.len() <= LONGEST).then(|| Known {
            count: self.count,
            fields: Box::from(self.fields),
            rule,
        })
    }
}

/// Who makes lines meet on purpose makes them unknown, and no more than that.
fn step(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Whether these are the same, by eight bytes at a time, where the library has one; of less than eight nothing is known.
#[inline(never)]
fn are_same(one: &[u8], other: &[u8]) -> bool {
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let (Some(end), Some(other_end)) = (one.last_chunk(), other.last_chunk()) else { return false };
    let (words, other_words) = (one.as_chunks().0.iter(), other.as_chunks().0);
    one.len() == other.len() && word(end) == word(other_end) && words.map(word).eq(other_words.iter().map(word))
}

impl KnownLines {
    /// None yet. `looks_at_fields` says that some rule matches by header fields: then none ever.
    pub fn new(looks_at_fields: bool) -> Self {
        let seats = if looks_at_fields { 0 } else { 1 << SEATS };
        Self { seats: RefCell::new(std::iter::repeat_with(Seat::default).take(seats).collect()) }
    }

    /// The place of the rule that this line falls under, if it is known.
    pub fn find(&self, line: &Line<'_>) -> Option<u32> {
        let seats = self.seats.borrow();
        let known = seats.get(line.seat())?.known.as_ref()?;
        line.is(known).then_some(known.rule)
    }

    /// This line, which was not known, falls under the rule at this place. Says whether it is known from now on.
    pub fn passed(&self, line: &Line<'_>, rule: u32) -> bool {
        let mut seats = self.seats.borrow_mut();
        let Some(seat) = seats.get_mut(line.seat()) else { return false };
        if std::mem::replace(&mut seat.passed, line.hash) != line.hash {
            return false;
        }
        let Some(known) = line.kept(rule) else { return false };
        seat.known = Some(known);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Headers;

    fn request(fields: &[(&str, &str)]) -> Request {
        Request::new(Headers::from_pairs(fields.iter().copied()))
    }

    fn asks(host: &str, path: &str) -> Request {
        request(&[(":authority", host), (":path", path), (":method", "GET"), (":scheme", "https"), ("x", "y")])
    }

    /// Shows a line as often as it takes to be known.
    fn learn(lines: &KnownLines, request: &Request, rule: u32) -> bool {
        let line = Line::of(request);
        lines.passed(&line, rule);
        lines.passed(&line, rule)
    }

    fn rule(lines: &KnownLines, request: &Request) -> Option<u32> {
        lines.find(&Line::of(request))
    }

    #[test]
    fn a_line_is_known_when_it_comes_again() {
        let lines = KnownLines::new(false);
        let (known, other) = (asks("a.example", "/a"), asks("a.example", "/b"));
        assert!(!lines.passed(&Line::of(&known), 3));
        assert_eq!(rule(&lines, &known), None);
        assert!(lines.passed(&Line::of(&known), 3));
        assert_eq!((rule(&lines, &known), rule(&lines, &other)), (Some(3), None));
    }

    #[test]
    fn whatever_a_rule_may_look_at_makes_another_line() {
        let fields =
            [(":authority", "a.example"), (":path", "/a"), (":method", "GET"), (":scheme", "https"), ("x", "y")];
        let lines = KnownLines::new(false);
        assert!(learn(&lines, &request(&fields), 3));
        for at in 0..fields.len() {
            for other in ["", "/", "GETS", "http"] {
                let mut fields = fields;
                fields[at].1 = other;
                assert_eq!(rule(&lines, &request(&fields)), (at == 4).then_some(3), "{at} {other}");
            }
            let without: Vec<_> =
                fields.iter().enumerate().filter(|(place, _)| *place != at).map(|(_, it)| *it).collect();
            assert_eq!(rule(&lines, &request(&without)), (at == 4).then_some(3), "{at}");
            let doubled: Vec<_> = fields.iter().chain([&fields[at]]).copied().collect();
            assert_eq!(rule(&lines, &request(&doubled)), (at == 4).then_some(3), "{at}");
        }
    }

    /// The same bytes, read as other fields: no host lets a NUL through (RFC 9110 §5.5), and none is trusted to.
    #[test]
    fn the_same_bytes_may_be_other_fields() {
        let readings: [&[(&str, &str)]; 4] = [
            &[(":path", "/a"), (":method", "GET"), (":scheme", "https")],
            &[(":path", "/a\0:method\0GET"), (":scheme", "https")],
            &[(":path\0/a\0:method", "GET"), (":scheme", "https")],
            &[(":path", "/a"), (":method\0GET\0:scheme", "https")],
        ];
        for (at, known) in readings.iter().enumerate() {
            let lines = KnownLines::new(false);
            assert_eq!(learn(&lines, &request(known), 3), at == 0, "{at}");
            for (place, reading) in readings.iter().enumerate() {
                assert_eq!(rule(&lines, &request(reading)), (at == 0 && place == 0).then_some(3), "{at} {place}");
            }
        }
    }

    /// However many there are, as many are known as there are seats, and each by its own rule.
    #[test]
    fn they_take_each_other_s_seats() {
        let lines = KnownLines::new(false);
        let all: Vec<Request> = (0..5000).map(|at| asks("a.example", &format!("/orders/{at}"))).collect();
        for (at, request) in (0..).zip(&all) {
            assert!(learn(&lines, request, at), "{at}");
            assert_eq!(rule(&lines, request), Some(at));
        }
        let known: Vec<_> = (0..).zip(&all).filter_map(|(at, request)| Some((at, rule(&lines, request)?))).collect();
        assert!(known.iter().all(|(at, rule)| at == rule));
        assert_eq!(known.len(), 1 << SEATS);
    }

    #[test]
    fn what_is_asked_for_once_takes_no_seat() {
        let lines = KnownLines::new(false);
        let usual = asks("a.example", "/");
        assert!(learn(&lines, &usual, 3));
        for at in 0..5000 {
            assert!(!lines.passed(&Line::of(&asks("a.example", &format!("/orders/{at}"))), 4));
        }
        assert_eq!(rule(&lines, &usual), Some(3));
    }

    #[test]
    fn nothing_a_query_and_what_is_long_is_not_known() {
        let lines = KnownLines::new(false);
        for request in [
            request(&[]),
            request(&[("x", "y")]),
            request(&[(":", "")]),
            asks("a.example", &"/a".repeat(LONGEST / 2)),
            asks("a.example", "/a?access_token=b"),
        ] {
            learn(&lines, &request, 0);
            assert_eq!(rule(&lines, &request), None);
        }
        let lines = KnownLines::new(true);
        assert!(!learn(&lines, &asks("a.example", "/"), 0));
    }
}
