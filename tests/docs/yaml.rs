//! Prints a configuration as the YAML that stands in the files of Envoy and Istio, keys in the order of the tables.

use oidc_proxy_wasm::config::keys::{Kind, Table};
use serde_json::{Map, Value};

/// How wide a value may be before it gets lines of its own.
const WIDTH: usize = 100;

/// The members of an object, a line or block each.
pub fn object(value: &Value, table: &'static Table) -> String {
    let mut text = String::new();
    block(value, Some(&Kind::Section(table)), 0, &mut text);
    text
}

fn block(value: &Value, kind: Option<&Kind>, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(members) => {
            for (name, value, kind) in ordered(members, kind) {
                text.push_str(&format!("{indent}{name}:"));
                entry(value, kind, depth, text);
            }
        }
        Value::Array(items) => {
            for item in items {
                let mut inner = String::new();
                block(item, kind.and_then(inside), depth + 1, &mut inner);
                text.push_str(&format!("{indent}- {}", inner.trim_start()));
            }
        }
        scalar => text.push_str(&format!("{indent}{}\n", flow(scalar, kind))),
    }
}

fn entry(value: &Value, kind: Option<&Kind>, depth: usize, text: &mut String) {
    let line = flow(value, kind);
    let is_rules = value.as_array().is_some_and(|items| items.iter().any(|item| item.get("match").is_some()));
    if !is_rules && line.len() <= WIDTH - depth * 2 {
        return text.push_str(&format!(" {line}\n"));
    }
    text.push('\n');
    block(value, kind, depth + 1, text);
}

/// A value on one line.
fn flow(value: &Value, kind: Option<&Kind>) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "{}".into(),
        Value::Object(members) => {
            let members = ordered(members, kind).into_iter();
            let shown: Vec<String> =
                members.map(|(name, value, kind)| format!("{name}: {}", flow(value, kind))).collect();
            format!("{{ {} }}", shown.join(", "))
        }
        Value::Array(items) => {
            let shown: Vec<String> = items.iter().map(|item| flow(item, kind.and_then(inside))).collect();
            format!("[{}]", shown.join(", "))
        }
        Value::String(text) if is_plain(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Text that YAML reads as text without quotes, in any of its versions.
fn is_plain(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:".contains(&byte);
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || b"_/".contains(&byte));
    let boolean = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(&text.to_lowercase().as_str());
    let duration =
        text.bytes().next().is_some_and(|byte| byte.is_ascii_digit()) && text.ends_with(['s', 'm', 'h', 'd']);
    (first || duration) && !boolean && !text.ends_with(':') && text.bytes().all(word)
}

fn ordered<'v>(members: &'v Map<String, Value>, kind: Option<&'v Kind>) -> Vec<(&'v str, &'v Value, Option<&'v Kind>)> {
    match kind {
        Some(Kind::Section(table)) => {
            let keys = table.keys.iter();
            keys.filter_map(|key| Some((key.name, members.get(key.name)?, Some(&key.kind)))).collect()
        }
        Some(Kind::Map(of)) => members.iter().map(|(name, value)| (name.as_str(), value, Some(*of))).collect(),
        _ => members.iter().map(|(name, value)| (name.as_str(), value, None)).collect(),
    }
}

fn inside(kind: &Kind) -> Option<&Kind> {
    match kind {
        Kind::List(of) | Kind::Some(of) => Some(of),
        _ => None,
    }
}
