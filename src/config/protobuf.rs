//! A configuration that the host hands over as a serialized `google.protobuf.Struct`, which is how Envoy passes on what
//! stands as YAML in its own configuration (protobuf's `struct.proto`).

use crate::http::protobuf::{Fields, Wire};
use crate::words::json::Object;
use serde_json::{Number, Value};

/// How deep values may nest.
const MAX_DEPTH: u8 = 32;

/// The object that `bytes` serialize; `None` when they are no `Struct`, or hold a key twice.
pub fn object(bytes: &[u8]) -> Option<Object> {
    fields_of(bytes, MAX_DEPTH)
}

fn fields_of(message: &[u8], depth: u8) -> Option<Object> {
    let depth = depth.checked_sub(1)?;
    let mut object = Object::new();
    for field in Fields(message) {
        let (1, Wire::Bytes(entry)) = field? else { return None };
        let (mut key, mut value) = (String::new(), Value::Null);
        for field in Fields(entry) {
            match field? {
                (1, Wire::Bytes(text)) => key = std::str::from_utf8(text).ok()?.to_owned(),
                (2, Wire::Bytes(inner)) => value = value_of(inner, depth)?,
                _ => return None,
            }
        }
        if object.insert(key, value).is_some() {
            return None;
        }
    }
    Some(object)
}

fn value_of(message: &[u8], depth: u8) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let mut value = Value::Null;
    for field in Fields(message) {
        value = match field? {
            (1, Wire::Varint(_)) => Value::Null,
            (2, Wire::Fixed64(bits)) => number(f64::from_bits(bits))?,
            (3, Wire::Bytes(text)) => Value::String(std::str::from_utf8(text).ok()?.to_owned()),
            (4, Wire::Varint(truth)) => Value::Bool(truth != 0),
            (5, Wire::Bytes(inner)) => Value::Object(fields_of(inner, depth)?),
            (6, Wire::Bytes(inner)) => Value::Array(list_of(inner, depth)?),
            _ => return None,
        };
    }
    Some(value)
}

fn list_of(message: &[u8], depth: u8) -> Option<Vec<Value>> {
    Fields(message)
        .map(|field| match field? {
            (1, Wire::Bytes(item)) => value_of(item, depth),
            _ => None,
        })
        .collect()
}

/// Every number is a double there; one without a fraction is meant as an integer.
fn number(double: f64) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if double.fract() == 0.0 && double.abs() <= EXACT {
        return Some(Value::from(double as i64));
    }
    Number::from_f64(double).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes_field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | 2];
        let mut size = bytes.len();
        while size > 0x7f {
            field.push((size & 0x7f) as u8 | 0x80);
            size >>= 7;
        }
        field.push(size as u8);
        [field.as_slice(), bytes].concat()
    }

    fn write(value: &Value) -> Vec<u8> {
        match value {
            Value::Null => vec![0x08, 0],
            Value::Bool(truth) => vec![0x20, u8::from(*truth)],
            Value::Number(number) => [&[0x11][..], &number.as_f64().unwrap().to_le_bytes()].concat(),
            Value::String(text) => bytes_field(3, text.as_bytes()),
            Value::Array(items) => {
                bytes_field(6, &items.iter().flat_map(|item| bytes_field(1, &write(item))).collect::<Vec<_>>())
            }
            Value::Object(members) => bytes_field(5, &write_object(members)),
        }
    }

    fn write_object(members: &Object) -> Vec<u8> {
        let entry = |(key, value): (&String, &Value)| {
            bytes_field(1, &[bytes_field(1, key.as_bytes()), bytes_field(2, &write(value))].concat())
        };
        members.iter().flat_map(entry).collect()
    }

    fn sample() -> Object {
        let text = br#"{"a":{"b":[1,2.5,"x",true,null,{}]},"c":-30,"long":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#;
        crate::words::json::object(&text.iter().copied().filter(|byte| *byte != b'\n').collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn what_is_written_as_a_struct_is_read_as_an_object() {
        assert_eq!(object(&write_object(&sample())), Some(sample()));
    }

    #[test]
    fn a_struct_cut_anywhere_within_its_last_entry_is_none() {
        let whole = write_object(&sample());
        let mut cuts = (1..whole.len()).filter(|end| object(&whole[..*end]).is_some());
        // Only between entries is there a shorter struct.
        assert!(cuts.all(|end| object(&whole[..end]).unwrap().len() < sample().len()));
    }

    #[test]
    fn a_key_twice_and_endless_nesting_are_refused() {
        let entry = write_object(&crate::words::json::object(br#"{"a":1}"#).unwrap());
        assert!(object(&entry).is_some());
        assert_eq!(object(&entry.repeat(2)), None);
        let mut value = vec![0x20, 1];
        for _ in 0..100 {
            value = bytes_field(6, &bytes_field(1, &value));
        }
        assert_eq!(object(&bytes_field(1, &[bytes_field(1, b"a"), bytes_field(2, &value)].concat())), None);
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = object(&bytes);
        }
    }
}
