//! A request's header fields as the host hands them over: bytes, in order, repeated names kept.

/// Header fields in one buffer. Names are compared without regard to case (RFC 9110 §5.1); values are bytes, since
/// a client may send any.
#[derive(Clone, Default)]
pub struct Headers {
    buffer: Vec<u8>,
    fields: Vec<Field>,
    looks: Looks,
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

#[derive(Clone, Copy)]
struct Field {
    name: (usize, usize),
    value: (usize, usize),
}

/// Where the pseudo header fields of a request stand, in the order of [`PSEUDO`].
pub(super) type Pseudo = [Said; 4];

/// The pseudo header fields of a request (RFC 9113 §8.3.1).
const PSEUDO: [&[u8]; 4] = [b":method", b":path", b":authority", b":scheme"];

/// Whether a field that may stand once does, and where its value is.
#[derive(Clone, Copy, Default)]
pub(super) enum Said {
    #[default]
    Nothing,
    Once((usize, usize)),
    Badly,
}

impl Headers {
    /// Collects fields from pairs.
    pub fn from_pairs<N: AsRef<[u8]>, V: AsRef<[u8]>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut headers = Self::default();
        for (name, value) in pairs {
            let (name, value) = (name.as_ref(), value.as_ref());
            let start = headers.buffer.len();
            let middle = start.saturating_add(name.len());
            headers.buffer.extend_from_slice(name);
            headers.buffer.extend_from_slice(value);
            headers.fields.push(Field { name: (start, middle), value: (middle, headers.buffer.len()) });
            headers.looks = headers.looks.and(Looks::of(name));
        }
        headers
    }

    /// Takes over a map as proxy-wasm hosts write it: a count, all lengths, then name, NUL, value, NUL for each
    /// field; numbers are 32 bits, little endian. `None` when the lengths do not fit the buffer.
    pub fn from_wire(buffer: Vec<u8>) -> Option<Self> {
        let number = |at: usize| -> Option<usize> {
            let bytes = buffer.get(at..at.checked_add(4)?)?;
            usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
        };
        if buffer.is_empty() {
            return Some(Self::default());
        }
        let count = number(0)?;
        let mut lengths = 4_usize;
        let mut start = lengths.checked_add(count.checked_mul(8)?)?;
        let mut fields = Vec::with_capacity(count.min(buffer.len() / 8));
        let mut looks = Looks::default();
        for _ in 0..count {
            let name_end = start.checked_add(number(lengths)?)?;
            let value_start = name_end.checked_add(1)?;
            let value_end = value_start.checked_add(number(lengths.checked_add(4)?)?)?;
            if value_end >= buffer.len() {
                return None;
            }
            fields.push(Field { name: (start, name_end), value: (value_start, value_end) });
            looks = looks.and(Looks::of(buffer.get(start..name_end)?));
            lengths = lengths.checked_add(8)?;
            start = value_end.checked_add(1)?;
        }
        Some(Self { buffer, fields, looks })
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

    /// The pseudo header fields that a request has, found in one walk.
    pub(super) fn pseudo(&self) -> Pseudo {
        let mut pseudo = Pseudo::default();
        for field in &self.fields {
            let name = self.slice(field.name);
            if name.first() != Some(&b':') {
                continue;
            }
            for (known, said) in PSEUDO.iter().zip(&mut pseudo) {
                if name == *known {
                    // One that stands twice says nothing; neither does one that is empty.
                    let is_first = matches!(said, Said::Nothing) && !self.slice(field.value).is_empty();
                    *said = if is_first { Said::Once(field.value) } else { Said::Badly };
                }
            }
        }
        pseudo
    }

    /// The text of a pseudo header field that was found in these fields, if it is text.
    pub(super) fn said(&self, said: Said) -> Option<&str> {
        match said {
            Said::Once(at) => std::str::from_utf8(self.slice(at)).ok(),
            Said::Nothing | Said::Badly => None,
        }
    }

    /// All fields in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|field| (self.slice(field.name), self.slice(field.value)))
    }

    /// The values of every field called `name`, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.all_named(name)
    }

    /// As [`Self::all`], for a name that does not live as long.
    pub fn all_named<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        // This is asked for several names of each request, of which it has few.
        let fields = if self.may_have(name) { self.fields.as_slice() } else { &[] };
        let is_so_called = move |field: &&Field| {
            let (start, end) = field.name;
            end.wrapping_sub(start) == name.len() && self.slice(field.name).eq_ignore_ascii_case(name.as_bytes())
        };
        fields.iter().filter(is_so_called).map(|field| self.slice(field.value))
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

    fn slice(&self, (start, end): (usize, usize)) -> &[u8] {
        self.buffer.get(start..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
        Headers::to_wire(pairs.iter().copied())
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
            assert!(Headers::from_wire(whole[..end].to_vec()).is_none(), "cut at {end}");
        }
        assert!(Headers::from_wire(whole).is_some());
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let mut lie = wire(&[(b"a", b"b")]);
        lie[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(Headers::from_wire(lie).is_none());
        assert!(Headers::from_wire(u32::MAX.to_le_bytes().to_vec()).is_none());
    }
}
