//! The JSON Schema of the configuration (draft 2020-12).

use crate::example::each_table;
use oidc_proxy_wasm::config::keys::{Blanks, Key, Kind, LOGIN, Preset, TOP, Table};
use serde_json::{Map, Value, json};

/// The file.
pub fn page() -> String {
    let mut definitions = Map::new();
    each_table(&TOP, &mut |table| {
        definitions.insert(table.place.to_owned(), object(table));
    });
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of oidc_proxy_wasm",
        "$ref": reference(&TOP),
        "$defs": definitions,
    });
    format!("{schema:#}\n")
}

fn object(table: &'static Table) -> Value {
    let properties: Map<String, Value> =
        table.keys.iter().map(|key| (key.name.to_owned(), property(table, key))).collect();
    let mut schema = json!({
        "type": "object",
        "description": table.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    // What `defaults` may give is not required of each rule.
    let required: Vec<&str> =
        table.keys.iter().filter(|key| key.preset == Preset::Required).map(|key| key.name).collect();
    if !required.is_empty() && table.place != LOGIN.place {
        schema["required"] = json!(required);
    }
    if table.blanks == Blanks::Refused {
        schema["minProperties"] = json!(1);
    }
    schema
}

fn property(table: &Table, key: &'static Key) -> Value {
    let nullable = table.blanks == Blanks::Unset && key.preset != Preset::Required;
    // In a map, `null` unsets one entry.
    let mut inner = of(&key.kind);
    if let (true, Kind::Map(of_entry)) = (nullable, &key.kind) {
        inner["additionalProperties"] = json!({ "anyOf": [of(of_entry), { "type": "null" }] });
    }
    let mut schema = if nullable { json!({ "anyOf": [inner, { "type": "null" }] }) } else { inner };
    schema["description"] = json!(key.doc);
    match &key.preset {
        Preset::Text(text) => schema["default"] = json!(text),
        Preset::Words(words) => schema["default"] = json!(words),
        Preset::Number(number) => schema["default"] = json!(number),
        Preset::Flag(flag) => schema["default"] = json!(flag),
        Preset::Required | Preset::Said(_) => {}
    }
    schema
}

fn of(kind: &'static Kind) -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    match kind {
        Kind::Text => text,
        Kind::Secret => json!({ "anyOf": [text, {
            "type": "object",
            "properties": { "env": text },
            "required": ["env"],
            "additionalProperties": false,
        }] }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Duration { .. } => json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$" }),
        Kind::Number { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Amount => json!({ "type": "number" }),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Scalar => json!({ "type": ["string", "number", "boolean"] }),
        Kind::ClaimPath => json!({ "type": "array", "items": text, "minItems": 1 }),
        Kind::Either(text, other) => json!({ "anyOf": [of(text), of(other)] }),
        Kind::Names => json!({ "anyOf": [text, { "type": "array", "items": text, "minItems": 1 }] }),
        Kind::Object => json!({ "type": "object" }),
        Kind::List(inner) => json!({ "type": "array", "items": of(inner) }),
        Kind::Some(inner) => json!({ "type": "array", "items": of(inner), "minItems": 1 }),
        Kind::Map(inner) => json!({ "type": "object", "additionalProperties": of(inner) }),
        Kind::Section(table) => json!({ "$ref": reference(table) }),
    }
}

/// A JSON pointer in a URI fragment (RFC 6901 §6).
fn reference(table: &Table) -> String {
    let place: String = table.place.bytes().map(escaped).collect();
    format!("#/$defs/{place}")
}

fn escaped(byte: u8) -> String {
    match byte {
        b'~' => "~0".into(),
        b'/' => "~1".into(),
        _ if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}
