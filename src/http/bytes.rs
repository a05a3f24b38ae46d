//! Sets of bytes, for what is asked of every byte of every path and token.

/// A set of bytes, a place for each: one step to tell whether a byte is in it.
pub struct Bytes([bool; 256]);

impl Bytes {
    /// ASCII letters and digits, and `further`.
    pub const fn letters_digits_and(further: &[u8]) -> Self {
        let mut places = [false; 256];
        let mut rest = places.as_mut_slice();
        let mut byte = 0_u8;
        while let Some((place, others)) = rest.split_first_mut() {
            *place = byte.is_ascii_alphanumeric() || is_one_of(byte, further);
            byte = byte.wrapping_add(1);
            rest = others;
        }
        Self(places)
    }

    /// Whether it has this byte.
    pub fn has(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).is_some_and(|has| *has)
    }

    /// Whether it has each of these.
    pub fn hold(&self, bytes: &[u8]) -> bool {
        for byte in bytes {
            if !self.has(*byte) {
                return false;
            }
        }
        true
    }
}

const fn is_one_of(byte: u8, mut bytes: &[u8]) -> bool {
    while let Some((first, rest)) = bytes.split_first() {
        if *first == byte {
            return true;
        }
        bytes = rest;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_what_it_was_made_of_and_nothing_else() {
        let set = Bytes::letters_digits_and(b"-\xff");
        for byte in 0..=u8::MAX {
            assert_eq!(set.has(byte), byte.is_ascii_alphanumeric() || matches!(byte, b'-' | 0xff), "{byte}");
        }
        assert!(set.hold(b"aZ09-") && set.hold(b"") && !set.hold(b"aZ09-."));
    }
}
