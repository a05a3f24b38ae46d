//! Protocol Buffers on the wire: fields with numbers, in and out (protobuf.dev, "Encoding").

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire<'a> {
    /// A number, a truth value, a member of an enumeration.
    Varint(u64),
    /// Eight bytes, little endian.
    Fixed64(u64),
    /// Four bytes, little endian.
    Fixed32(u32),
    /// Text, bytes, or a message.
    Bytes(&'a [u8]),
}

/// The fields of a message, with their numbers; `None` where it is broken, and nothing after that.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Wire<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Wire<'a>)> {
        let tag = self.varint()?;
        let wire = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.take()?)),
            2 => {
                let size = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(size)?;
                self.0 = rest;
                Wire::Bytes(bytes)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(self.take()?)),
            _ => return None,
        };
        Some((tag >> 3, wire))
    }

    fn take<const SIZE: usize>(&mut self) -> Option<[u8; SIZE]> {
        let (bytes, rest) = self.0.split_first_chunk::<SIZE>()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64_u32).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

/// A message that is being written.
#[derive(Default)]
pub struct Message(Vec<u8>);

impl Message {
    /// The same with a number more.
    pub fn number(mut self, field: u32, value: u64) -> Self {
        self.varint(u64::from(field) << 3);
        self.varint(value);
        self
    }

    /// The same with text, bytes, or a message more.
    pub fn bytes(mut self, field: u32, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.varint(u64::from(field) << 3 | 2);
        self.varint(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.0.extend_from_slice(bytes);
        self
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.0.extend((value & 0x7f | 0x80).to_le_bytes().first());
            value >>= 7;
        }
        self.0.extend(value.to_le_bytes().first());
    }
}

impl AsRef<[u8]> for Message {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let inner = Message::default().number(1, 300).number(16, u64::MAX);
        let message = Message::default().bytes(2, &inner).bytes(3, "x".repeat(200)).number(4, 0);
        let fields: Vec<_> = Fields(message.as_ref()).collect();
        let text = "x".repeat(200);
        let expected = [(2, Wire::Bytes(inner.as_ref())), (3, Wire::Bytes(text.as_bytes())), (4, Wire::Varint(0))];
        assert_eq!(fields, expected.map(Some));
        assert_eq!(
            Fields(inner.as_ref()).collect::<Vec<_>>(),
            [Some((1, Wire::Varint(300))), Some((16, Wire::Varint(u64::MAX)))]
        );
    }

    /// The example of the encoding guide: field 1 is 150, field 2 is "testing".
    #[test]
    fn the_guide_s_examples() {
        assert_eq!(Message::default().number(1, 150).as_ref(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().bytes(2, "testing").as_ref(), b"\x12\x07testing");
    }

    #[test]
    fn fixed_sizes_are_read_and_what_ends_too_soon_or_has_a_dead_type_is_none() {
        assert_eq!(Fields(&[0x0d, 1, 0, 0, 0]).next(), Some(Some((1, Wire::Fixed32(1)))));
        assert_eq!(Fields(&[0x09, 1, 0, 0, 0, 0, 0, 0, 0]).next(), Some(Some((1, Wire::Fixed64(1)))));
        let broken: [&[u8]; 6] =
            [&[0x0d, 1, 0, 0], &[0x09, 1], &[0x0a, 5, 1], &[0x08], &[0x0b], &[0x08, 0xff, 0xff, 0xff]];
        for bytes in broken {
            assert_eq!(Fields(bytes).collect::<Vec<_>>(), [None], "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Fields(&bytes).count() <= bytes.len());
        }
    }
}
