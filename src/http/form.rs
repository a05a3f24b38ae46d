//! `application/x-www-form-urlencoded`, in queries and bodies (WHATWG URL §5, RFC 6749 appendix B).

use crate::words::Request;

/// Why a text is no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormError {
    /// A `%` without two hexadecimal digits.
    Malformed,
    /// More fields than any request of ours has.
    TooMany,
}

/// How many fields a form may have.
const MAX_FIELDS: usize = 64;

/// Whether a request's body is a form by its content type, which came once.
pub fn is_form(request: &Request) -> bool {
    let kind = request.headers.one("content-type").ok().flatten().unwrap_or_default();
    let essence = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// The fields of a form, in order, repeated names kept. Values may hold any character: whoever reads one judges it. Bytes
/// that are no UTF-8 become U+FFFD, which nothing that we read may hold.
pub fn parse(text: &str) -> Result<Vec<(String, String)>, FormError> {
    let mut fields = Vec::new();
    for field in text.split('&').filter(|field| !field.is_empty()) {
        if fields.len() == MAX_FIELDS {
            return Err(FormError::TooMany);
        }
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        fields.push((decode(name)?, decode(value)?));
    }
    Ok(fields)
}

/// Writes fields as a form.
pub fn write<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    fields.into_iter().for_each(|(name, value)| append(&mut text, name, value));
    text
}

fn append(text: &mut String, name: &str, value: &str) {
    if !text.is_empty() {
        text.push('&');
    }
    encode_into(text, name);
    text.push('=');
    encode_into(text, value);
}

/// One name or value as it stands in a form: a space as `+`, all but `*-._` and alphanumerics as `%XX`.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    encode_into(&mut encoded, text);
    encoded
}

fn encode_into(out: &mut String, text: &str) {
    for &byte in text.as_bytes() {
        match byte {
            b' ' => out.push('+'),
            b'*' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => {
                out.push('%');
                out.push(hex(byte >> 4));
                out.push(hex(byte & 15));
            }
        }
    }
}

fn hex(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase()
}

/// Reads one name or value of a form; bytes that are no text are marked.
pub fn decode(text: &str) -> Result<String, FormError> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => escaped(bytes.next(), bytes.next())?,
            _ => byte,
        });
    }
    Ok(String::from_utf8_lossy(&decoded).into_owned())
}

fn escaped(high: Option<u8>, low: Option<u8>) -> Result<u8, FormError> {
    let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16)).ok_or(FormError::Malformed);
    let value = digit(high)?.wrapping_shl(4) | digit(low)?;
    u8::try_from(value).map_err(|_| FormError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let fields = [("a b", "ü&=+%"), ("", "x"), ("e", ""), ("*-._~", "/:?#[]@")];
        let read = parse(&write(fields)).unwrap();
        assert_eq!(read.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect::<Vec<_>>(), fields);
    }

    // RFC 6749 appendix B's own example.
    #[test]
    fn the_example_of_the_rfc_is_encoded_as_there() {
        assert_eq!(encode(" %&+£€"), "+%25%26%2B%C2%A3%E2%82%AC");
    }

    // C13: broken escapes.
    #[test]
    fn what_is_no_form_is_refused() {
        for text in ["a=%", "a=%2", "a=%zz", "a=%+1"] {
            assert_eq!(parse(text), Err(FormError::Malformed), "{text}");
        }
        assert!(parse("a=%25").is_ok());
    }

    #[test]
    fn bytes_that_are_no_text_are_marked() {
        assert_eq!(parse("a=x%ffy%0a").unwrap(), [("a".to_owned(), "x\u{fffd}y\n".to_owned())]);
    }

    #[test]
    fn the_number_of_fields_is_bounded() {
        assert!(parse(&"a&".repeat(64)).is_ok());
        assert_eq!(parse(&"a&".repeat(65)), Err(FormError::TooMany));
    }
}
