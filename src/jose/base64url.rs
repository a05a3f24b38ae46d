//! Base64url without padding (RFC 7515 §2), one spelling for each value.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Reads `text`; `None` for anything but the one right spelling: padding, other alphabets, white space, and bits
/// that are left over at the end and not zero (RFC 4648 §3.5).
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Writes `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    // J20
    #[test]
    fn there_is_one_spelling_only() {
        assert_eq!(decode("-_8"), Some(vec![0xfb, 0xff]));
        for other in ["-_9", "+/8", "-_8=", "-_8%3D", "-_8 ", " -_8", "-_\n8", "-", "-_8-_", "-_8\0", "-_8é"] {
            assert_eq!(decode(other), None, "{other:?}");
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
    }
}
