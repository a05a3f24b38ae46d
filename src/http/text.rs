//! Text that goes into places with rules of their own: HTML, quoted strings, header values, log lines.

/// Escapes text for HTML content and quoted attribute values.
pub fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A quoted-string (RFC 9110 §5.6.4): `"` and `\` escaped, control characters left out.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars().filter(|character| !character.is_control()) {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// Whether a text may stand in a header field as it is: no control characters, none at its ends but visible ones
/// (RFC 9110 §5.5). Other characters travel as UTF-8.
pub fn is_field_value(text: &str) -> bool {
    // Bytes tell it for nearly every value, in a fraction of the time.
    for byte in text.bytes() {
        if !matches!(byte, b' '..=b'~') {
            return is_wide_field_value(text);
        }
    }
    !text.starts_with(' ') && !text.ends_with(' ')
}

#[inline(never)]
fn is_wide_field_value(text: &str) -> bool {
    !text.chars().any(char::is_control) && text.trim() == text
}

/// Outside text for a log line or a page: cut after `most` characters, nothing in it that moves a cursor, ends a line or
/// turns the direction of writing (attack C11).
pub fn printable(text: &str, most: usize) -> String {
    let mut shown: String =
        text.chars().map(|character| if is_plain(character) { character } else { '\u{fffd}' }).take(most).collect();
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    // C10 (CVE-2019-1010247).
    #[test]
    fn html_cannot_be_left() {
        assert_eq!(html("<script>\"'&"), "&lt;script&gt;&quot;&#39;&amp;");
    }

    // B07: a realm with a quote in it.
    #[test]
    fn a_quoted_string_cannot_be_left() {
        assert_eq!(quoted("a\"b\\c\r\nd"), r#""a\"b\\cd""#);
    }

    // H04 (CVE-2026-31908).
    #[test]
    fn control_characters_are_no_field_value() {
        assert!(is_field_value("Zoë, a \"b\""));
        for text in ["a\rb", "a\nb", "a\0b", "a\u{7f}b", "a\u{85}b", " a", "a\t"] {
            assert!(!is_field_value(text), "{text:?}");
        }
    }

    // C11.
    #[test]
    fn what_is_shown_is_cut_and_tame() {
        assert_eq!(printable("a\r\nb\u{202e}c", 10), "a\u{fffd}\u{fffd}b\u{fffd}c");
        assert_eq!(printable("aaaa", 3), "aaa…");
        assert_eq!(printable("aaa", 3), "aaa");
    }
}
