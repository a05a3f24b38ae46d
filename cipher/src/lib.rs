//! XChaCha20-Poly1305 (RFC 8439, with the longer nonce of draft-irtf-cfrg-xchacha), the one cipher of the filter, and the hash by
//! which it knows again what it has seen.
//!
//! A crate of its own for the compiler's sake: generic code is compiled with the settings of the crate that uses it, the filter
//! is compiled for size, and a cipher compiled for size takes three times as long. Nothing here is generic.

mod mark;

pub use mark::Marks;

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};

/// Bytes of a nonce: long enough to be random for every seal.
pub const NONCE: usize = 24;
/// Bytes that tell whether what was sealed is whole.
pub const TAG: usize = 16;

/// A key, ready for use; gone from memory when dropped.
pub struct Cipher(XChaCha20Poly1305);

impl Cipher {
    /// With this key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// Seals `text` in its place, bound to `associated`, and gives its tag. `nonce` must be fresh and random. `None` for a text
    /// of more than 256 GiB.
    pub fn seal(&self, nonce: &[u8; NONCE], associated: &[u8], text: &mut [u8]) -> Option<[u8; TAG]> {
        let text = InOutBuf::from(text);
        self.0.encrypt_inout_detached(&XNonce::from(*nonce), associated, text).ok().map(Into::into)
    }

    /// Opens `text` in its place, if it was sealed with this key, nonce and tag, bound to `associated`; says whether it was. If
    /// not, it is left as it came.
    #[must_use]
    pub fn open(&self, nonce: &[u8; NONCE], associated: &[u8], text: &mut [u8], tag: &[u8; TAG]) -> bool {
        let (text, tag) = (InOutBuf::from(text), Tag::from(*tag));
        self.0.decrypt_inout_detached(&XNonce::from(*nonce), associated, text, &tag).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    #[test]
    fn the_drafts_example_comes_out() {
        let key: [u8; 32] = std::array::from_fn(|at| 0x80 + u8::try_from(at).unwrap());
        let nonce: [u8; 24] = std::array::from_fn(|at| 0x40 + u8::try_from(at).unwrap());
        let associated = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
        let plain =
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen \
                      would be it.";
        let (cipher, mut text) = (Cipher::new(&key), plain.to_vec());
        let tag = cipher.seal(&nonce, &associated, &mut text).unwrap();
        assert_eq!(text.first_chunk(), Some(&[0xbd, 0x6d, 0x17, 0x9d, 0x3e, 0x83, 0xd4, 0x3b]));
        assert_eq!(
            tag,
            [0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7, 0x98, 0x79, 0x47, 0xde, 0xaf, 0xd8, 0x78, 0x0a, 0xcf, 0x49]
        );
        assert!(cipher.open(&nonce, &associated, &mut text, &tag));
        assert_eq!(text, plain);
    }

    #[test]
    fn what_does_not_open_is_left_as_it_came() {
        let (cipher, mut text) = (Cipher::new(&[1; 32]), b"plain".to_vec());
        let tag = cipher.seal(&[2; 24], b"ours", &mut text).unwrap();
        let sealed = text.clone();
        assert!(!cipher.open(&[2; 24], b"theirs", &mut text, &tag));
        assert!(!cipher.open(&[3; 24], b"ours", &mut text, &tag));
        assert!(!Cipher::new(&[4; 32]).open(&[2; 24], b"ours", &mut text, &tag));
        assert_eq!(text, sealed);
        assert!(cipher.open(&[2; 24], b"ours", &mut text, &tag));
        assert_eq!(text, b"plain");
    }
}
