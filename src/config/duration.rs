//! Lengths of time as they are written: a whole number and its unit.

use std::time::Duration;

/// The units and their milliseconds; longer names first, so that `ms` is not read as `m`.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Parses `200ms`, `30s`, `15m`, `8h`, `7d`; `None` for everything else, signs, fractions and blanks included.
pub fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = UNITS.into_iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    number.checked_mul(unit).map(Duration::from_millis)
}

/// Writes a duration in the largest unit that holds it whole.
pub fn show(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let whole = |(_, unit): &&(&str, u64)| millis.checked_rem(*unit) == Some(0);
    match UNITS.iter().rev().find(whole) {
        Some((name, unit)) if millis > 0 => format!("{}{name}", millis.checked_div(*unit).unwrap_or_default()),
        _ => "0s".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        let right = [("200ms", 200), ("30s", 30_000), ("15m", 900_000), ("8h", 28_800_000), ("7d", 604_800_000)];
        for (text, millis) in right {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
            assert_eq!(show(Duration::from_millis(millis)), if text == "7d" { "7d" } else { text });
        }
        assert_eq!((parse("0s"), show(Duration::ZERO)), (Some(Duration::ZERO), "0s".into()));
        assert_eq!(show(Duration::from_secs(90)), "90s");
    }

    /// Z09.
    #[test]
    fn anything_else_is_none() {
        for text in ["", "5", "s", "-5s", "+5s", "5 s", " 5s", "5s ", "1.5s", "1e30", "1e30s", "5S", "5w", "٣s", "5ss"]
        {
            assert_eq!(parse(text), None, "{text:?}");
        }
        assert_eq!(parse("99999999999999999999s"), None);
        assert_eq!(parse("9999999999999999999d"), None);
    }
}
