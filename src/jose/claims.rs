//! Registered claims, read by their type (RFC 7519 §4.1): a wrong type is an error, never an absence.

use super::error::JwtError;
use crate::words::json::Object;
use serde_json::Value;

/// The last second of the year 9999; a later date is a mistake or an attack.
const LAST_DATE: f64 = 253_402_300_799.0;

/// A claim that is a string.
pub fn text<'a>(claims: &'a Object, name: &'static str) -> Result<Option<&'a str>, JwtError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JwtError::ClaimType(name)),
    }
}

/// A claim that is a string and must be there.
pub fn required_text<'a>(claims: &'a Object, name: &'static str) -> Result<&'a str, JwtError> {
    text(claims, name)?.ok_or(JwtError::ClaimMissing(name))
}

/// A claim that is a `NumericDate` (RFC 7519 §2): seconds, a fraction allowed, from 1970 to 9999.
pub fn date(claims: &Object, name: &'static str) -> Result<Option<f64>, JwtError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    match value.as_f64() {
        Some(seconds) if (0.0..=LAST_DATE).contains(&seconds) => Ok(Some(seconds)),
        _ => Err(JwtError::ClaimType(name)),
    }
}

/// A date that must be there.
pub fn required_date(claims: &Object, name: &'static str) -> Result<f64, JwtError> {
    date(claims, name)?.ok_or(JwtError::ClaimMissing(name))
}

/// The audiences in `aud`: a string, or an array of strings (RFC 7519 §4.1.3).
pub fn audiences(claims: &Object) -> Result<Vec<&str>, JwtError> {
    const WRONG: JwtError = JwtError::ClaimType("aud");
    match claims.get("aud").ok_or(JwtError::ClaimMissing("aud"))? {
        Value::String(audience) => Ok(vec![audience]),
        Value::Array(audiences) => audiences.iter().map(|audience| audience.as_str().ok_or(WRONG)).collect(),
        _ => Err(WRONG),
    }
}
