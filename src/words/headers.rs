//! A request's header fields as the host hands them over: bytes, in order, repeated names kept.

/// Header fields in one buffer. Names are compared without regard to case (RFC 9110 §5.1); values are bytes, since
/// a client may send any.
#[derive(Clone, Default)]
pub struct Headers {
    /// As proxy-wasm hosts write a map: a count, all lengths, then name, NUL, value, NUL for each field; numbers are 32
    /// bits, little endian. Nothing at all for no fields.
    wire: Box<[u8]>,
    looks: Looks,
    line: Line,
}

/// The fields up to the last pseudo header field (RFC 9113 §8.3), which comes before all others where it belongs.
#[derive(Clone, Copy, Default)]
struct Line {
    /// How many.
    count: usize,
    /// Where their names and values begin in the wire, and where they end.
    start: usize,
    end: usize,
}

/// What names look like from afar, a bit for each look: a name whose look none of them has need not be looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looks(u64);

impl Looks {
    /// Of one name: how it begins and how long it is, the same for all its spellings.
    pub fn of(name: &[u8]) -> Self {
        let first = name.first().map_or(0, |first| usize::from(folded(*first)));
        Self(1 << (first.wrapping_mul(5).wrapping_add(name.len()) % 64))
    }

    /// These and those.
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether some look is in both.
    pub fn meet(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }
}

/// A character of a name as every server reads it: without regard to case, and some take `_` for `-`.
pub fn folded(byte: u8) -> u8 {
    if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() }
}

/// A field that may stand once stood more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated;

/// A walk over fields, as far as their lengths fit the buffer.
struct Fields<'a> {
    /// Of each field that is left, how long its name and its value are.
    lengths: &'a [[u8; 8]],
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Of a map; `None` where it is shorter than its count says.
    fn of(wire: &'a [u8]) -> Option<Self> {
        let (count, after) = wire.split_first_chunk()?;
        let (lengths, _) = after.as_chunks();
        let count = length(u32::from_le_bytes(*count));
        Some(Self { lengths: lengths.get(..count)?, rest: after.get(count.checked_mul(8)?..)? })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let ([lengths, lengths_left @ ..], rest) = (self.lengths, self.rest) else { return None };
        // Both in one: the name's is the lower half.
        let lengths = u64::from_le_bytes(*lengths);
        let (name, rest) = rest.split_at_checked(length(lengths as u32))?;
        let (value, rest) = rest.get(1..)?.split_at_checked(length((lengths >> 32) as u32))?;
        self.rest = rest.get(1..)?;
        self.lengths = lengths_left;
        Some((name, value))
    }
}

/// The values of the fields of one name.
struct Named<'a, 'n> {
    /// None where it is known that there are none.
    fields: Option<Fields<'a>>,
    name: &'n str,
}

impl<'a> Iterator for Named<'a, '_> {
    type Item = &'a [u8];

    /// One copy for all that look: each would be a cold one.
    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let is_so_called =
            |known: &[u8]| known.len() == self.name.len() && known.eq_ignore_ascii_case(self.name.as_bytes());
        self.fields.as_mut()?.find(|(known, _)| is_so_called(known)).map(|(_, value)| value)
    }
}

fn length(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Headers {
    /// Collects fields from pairs.
    pub fn from_pairs<N: AsRef<[u8]>, V: AsRef<[u8]>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let pairs: Vec<_> = pairs.into_iter().collect();
        let wire = Self::to_wire(pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())));
        Self::from_wire(wire.into_boxed_slice()).unwrap_or_default()
    }

    /// Takes over a map as proxy-wasm hosts write it. `None` when the lengths do not fit the buffer.
    pub fn from_wire(wire: Box<[u8]>) -> Option<Self> {
        let (mut looks, mut line) = (Looks::default(), Line::default());
        if !wire.is_empty() {
            let mut fields = Fields::of(&wire)?;
            let at = |fields: &Fields<'_>| wire.len().wrapping_sub(fields.rest.len());
            let (start, mut count) = (at(&fields), 0_usize);
            while let Some((name, _)) = fields.next() {
                count = count.wrapping_add(1);
                looks = looks.and(Looks::of(name));
                if name.first() == Some(&b':') {
                    line = Line { count, start, end: at(&fields) };
                }
            }
            if !fields.lengths.is_empty() {
                return None;
            }
        }
        Some(Self { wire, looks, line })
    }

    /// Writes pairs as [`Self::from_wire`] reads them.
    pub fn to_wire<'a>(pairs: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone) -> Vec<u8> {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        let mut wire = number(pairs.clone().count()).to_vec();
        for (name, value) in pairs.clone() {
            wire.extend(number(name.len()));
            wire.extend(number(value.len()));
        }
        for part in pairs.flat_map(|(name, value)| [name, value]) {
            wire.extend_from_slice(part);
            wire.push(0);
        }
        wire
    }

    /// The text of a pseudo header field: `None` where there is none or an empty one, where it stands twice, and for what is
    /// not UTF-8.
    pub(super) fn pseudo(&self, name: &[u8]) -> Option<&str> {
        let mut values = self.iter().take(self.line.count).filter(|(known, _)| *known == name).map(|(_, value)| value);
        let value = values.next().filter(|value| !value.is_empty())?;
        match values.next() {
            Some(_) => None,
            None => std::str::from_utf8(value).ok(),
        }
    }

    /// All that pseudo header fields say: how many fields there are up to the last of them, and these in one piece, with a NUL
    /// behind each name and each value.
    pub fn line(&self) -> (usize, &[u8]) {
        let Line { count, start, end } = self.line;
        (count, self.wire.get(start..end).unwrap_or_default())
    }

    /// All fields in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        Fields::of(&self.wire).into_iter().flatten()
    }

    /// The values of every field called `name`, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.all_named(name)
    }

    /// As [`Self::all`], for a name that does not live as long.
    pub fn all_named<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        // This is asked for several names of each request, of which it has few.
        Named { fields: if self.may_have(name) { Fields::of(&self.wire) } else { None }, name }
    }

    /// Whether a field of this name is not ruled out by what the names look like.
    pub fn may_have(&self, name: &str) -> bool {
        self.looks.meet(Looks::of(name.as_bytes()))
    }

    /// What the names look like.
    pub fn looks(&self) -> Looks {
        self.looks
    }

    /// The value of the one field called `name`; an error when there are several.
    pub fn one<'a>(&'a self, name: &'a str) -> Result<Option<&'a [u8]>, Repeated> {
        let mut values = self.all(name);
        let first = values.next();
        match values.next() {
            Some(_) => Err(Repeated),
            None => Ok(first),
        }
    }

    /// The first value of `name` as text; `None` when absent or not UTF-8.
    pub fn text<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next().and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The client's address as the host tells it in header fields: Envoy lets no client from outside say
    /// `x-envoy-external-address`, and the last entry of `x-forwarded-for` is whom the host itself saw.
    pub fn client_address(&self) -> &[u8] {
        let seen = || {
            let field = self.all("x-forwarded-for").last()?;
            field.rsplit(|byte| *byte == b',').next().map(<[u8]>::trim_ascii)
        };
        self.all("x-envoy-external-address").next().or_else(seen).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wire(pairs: &[(&[u8], &[u8])]) -> Box<[u8]> {
        Headers::to_wire(pairs.iter().copied()).into()
    }

    #[test]
    fn the_host_s_map_is_read_with_repeats_and_any_byte() {
        let headers = Headers::from_wire(wire(&[(b"cookie", b"a=1"), (b"x", b"\xff\0y"), (b"cookie", b"")])).unwrap();
        assert_eq!(headers.all("Cookie").collect::<Vec<_>>(), [b"a=1".as_slice(), b""]);
        assert_eq!(headers.one("x"), Ok(Some(b"\xff\0y".as_slice())));
        assert_eq!(headers.one("cookie"), Err(Repeated));
        assert_eq!(headers.text("x"), None);
        assert_eq!(headers.one("y"), Ok(None));
    }

    /// Names share looks, and are told apart all the same.
    #[test]
    fn names_of_any_length_are_found_and_no_others() {
        for length in 1..200 {
            let (name, other) = ("x".repeat(length), "y".repeat(length));
            for headers in [
                Headers::from_wire(wire(&[(b"", b"a"), (name.as_bytes(), b"v")])).unwrap(),
                Headers::from_pairs([("", "a"), (&name, "v")]),
            ] {
                assert_eq!(headers.one(&name), Ok(Some(b"v".as_slice())), "{length}");
                assert_eq!(headers.one(&name.to_uppercase()), Ok(Some(b"v".as_slice())), "{length}");
                assert_eq!(headers.one(&other), Ok(None), "{length}");
                assert_eq!(headers.one(&"x".repeat(length + 1)), Ok(None), "{length}");
                assert_eq!(headers.one(""), Ok(Some(b"a".as_slice())));
            }
        }
    }

    #[test]
    fn a_map_cut_at_any_byte_is_refused() {
        let whole = wire(&[(b"cookie", b"a=1"), (b"host", b"example.com")]);
        for end in 1..whole.len() {
            assert!(Headers::from_wire(whole[..end].into()).is_none(), "cut at {end}");
        }
        assert!(Headers::from_wire(whole).is_some());
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let mut lie = wire(&[(b"a", b"b")]);
        lie[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(Headers::from_wire(lie).is_none());
        assert!(Headers::from_wire(u32::MAX.to_le_bytes().into()).is_none());
    }

    fn some_pairs() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
        prop::collection::vec((":?[a-z]{0,6}", prop::collection::vec(any::<u8>(), 0..12)), 0..12)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(pairs in some_pairs()) {
            let headers = Headers::from_pairs(pairs.clone());
            let read: Vec<_> = headers.iter().collect();
            let written: Vec<_> = pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_slice())).collect();
            prop_assert_eq!(read, written);
        }

        #[test]
        fn a_line_goes_as_far_as_the_last_pseudo_header_field(pairs in some_pairs()) {
            let headers = Headers::from_pairs(pairs.clone());
            let count = pairs.iter().rposition(|(name, _)| name.starts_with(':')).map_or(0, |at| at + 1);
            let parts = pairs[..count].iter().flat_map(|(name, value)| [name.as_bytes(), value.as_slice()]);
            let fields: Vec<u8> = parts.flat_map(|part| [part, b"\0"].concat()).collect();
            prop_assert_eq!(headers.line(), (count, fields.as_slice()));
        }

        #[test]
        fn no_bytes_make_it_panic(count in 0..4_u32, rest in prop::collection::vec(0..4_u8, 0..64)) {
            let wire = [count.to_le_bytes().as_slice(), &rest].concat();
            if let Some(headers) = Headers::from_wire(wire.into()) {
                prop_assert_eq!(headers.iter().count(), usize::try_from(count).unwrap());
            }
        }
    }
}
