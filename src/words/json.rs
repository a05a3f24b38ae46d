//! JSON from outside, parsed strictly: one value, no duplicate member, bounded depth (RFC 8259 §4, RFC 7519 §4).

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// A JSON object's members.
pub type Object = Map<String, Value>;

/// How deep arrays and objects may nest; nothing that OAuth defines needs a tenth of it.
const MAX_DEPTH: usize = 32;

/// Why a text is not the JSON that we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// Not one JSON value: bad UTF-8, a byte order mark, trailing bytes, too deep, or a duplicate member.
    Malformed,
    /// A JSON value, but not an object.
    NotAnObject,
}

/// A whole number that is not negative. Some writers, control planes among them, turn every number into a double: 10.0 is 10.
pub fn whole(value: &Value) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = value.as_number()?;
    let double = || number.as_f64().filter(|double| (0.0..=EXACT).contains(double) && double.fract() == 0.0);
    number.as_u64().or_else(|| double().map(|double| double as u64))
}

/// Parses `text` as one JSON object.
///
/// Duplicate member names are refused at every level, since readers differ on which of them counts.
pub fn object(text: &[u8]) -> Result<Object, JsonError> {
    match value(text)? {
        Value::Object(members) => Ok(members),
        _ => Err(JsonError::NotAnObject),
    }
}

/// Parses `text` as one JSON value of any kind, as strictly as [`object`].
pub fn value(text: &[u8]) -> Result<Value, JsonError> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict { depth: MAX_DEPTH }.deserialize(&mut reader).map_err(|_| JsonError::Malformed)?;
    reader.end().map_err(|_| JsonError::Malformed)?;
    Ok(value)
}

/// An object of these members. Smaller than what `serde_json::json!` makes of values: that serializes each into another.
pub fn of(members: Vec<(&str, Value)>) -> Value {
    let mut object = Object::new();
    for (name, value) in members {
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
}

/// The members that `stays` says yes to.
pub fn filtered(members: &Object, stays: &dyn Fn(&str, &Value) -> bool) -> Object {
    let mut kept = Object::new();
    for (name, value) in members {
        if stays(name, value) {
            kept.insert(name.clone(), value.clone());
        }
    }
    kept
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth }),
            None => Err(E::custom("nested too deep")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Object::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(de::Error::custom("duplicate member"));
            }
            object.insert(name, members.next_value_seed(inner)?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_member_is_refused_at_every_level() {
        assert!(object(br#"{"sub":"a","iss":"b"}"#).is_ok());
        assert_eq!(object(br#"{"sub":"a","sub":"b"}"#), Err(JsonError::Malformed));
        assert_eq!(object(br#"{"cnf":[{"jkt":1,"jkt":1}]}"#), Err(JsonError::Malformed));
        // The escape spells the same name.
        assert_eq!(object(br#"{"sub":"a","\u0073ub":"b"}"#), Err(JsonError::Malformed));
    }

    #[test]
    fn only_one_whole_object_counts() {
        for text in ["", "null", "[]", "\"x\"", "1", "{} x", "{}{}", "\u{feff}{}", "{'a':1}", "{\"a\":NaN}"] {
            assert!(object(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(object(b"{\"a\":\"\xff\"}").is_err());
        assert!(object(b" {} \n").is_ok());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |n: usize| format!("{{\"a\":{}1{}}}", "[".repeat(n), "]".repeat(n));
        assert!(object(nested(MAX_DEPTH - 1).as_bytes()).is_ok());
        assert_eq!(object(nested(MAX_DEPTH).as_bytes()), Err(JsonError::Malformed));
        assert_eq!(object(nested(100_000).as_bytes()), Err(JsonError::Malformed));
    }

    #[test]
    fn numbers_keep_their_value() {
        let members = object(br#"{"a":1700000000.5,"b":1e300,"c":-1,"d":18446744073709551615}"#).unwrap();
        assert_eq!(members["a"].as_f64(), Some(1_700_000_000.5));
        assert_eq!(members["b"].as_f64(), Some(1e300));
        assert_eq!(members["c"].as_i64(), Some(-1));
        assert_eq!(members["d"].as_u64(), Some(u64::MAX));
    }
}
