//! Whether a configuration has the shape that the tables of keys say: known keys, values of the right kind.

use super::duration;
use super::keys::{Blanks, Kind, Table};
use super::nearest::nearest;
use super::problem::{Problems, member, quoted};
use crate::words::json::{Object, whole};
use serde_json::Value;
use std::time::Duration;

/// Reports every key of `members` that is unknown or has a value of the wrong kind, at all levels below `path`.
pub(super) fn check(table: &Table, members: &Object, path: &str, problems: &Problems) {
    for (name, value) in members {
        let path = member(path, name);
        match table.key(name) {
            None => problems.add(path, unknown(table, name)),
            Some(_) if value.is_null() && table.blanks == Blanks::Unset => {}
            Some(_) if value.is_null() => problems.add(path, "is null, which asks for nothing: leave the key out"),
            Some(key) => check_key(&key.kind, table.blanks, value, &path, problems),
        }
    }
}

fn check_key(kind: &Kind, blanks: Blanks, value: &Value, path: &str, problems: &Problems) {
    let members = value.as_object().filter(|_| matches!(kind, Kind::Map(_)) && blanks == Blanks::Refused);
    for (name, _) in members.into_iter().flatten().filter(|(_, value)| value.is_null()) {
        problems.add(member(path, name), "is null, which asks for nothing: leave it out");
    }
    check_value(kind, value, path, problems);
}

fn unknown(table: &Table, name: &str) -> String {
    let known = || table.keys.iter().map(|key| key.name);
    match nearest(name, known()) {
        Some(near) => format!("unknown key; nearest is {}", quoted(near)),
        None => format!("unknown key; known here: {}", known().collect::<Vec<_>>().join(", ")),
    }
}

fn check_value(kind: &Kind, value: &Value, path: &str, problems: &Problems) {
    match kind {
        Kind::Text => tell(text(value), path, problems),
        Kind::Secret => tell(secret(value), path, problems),
        Kind::Flag => tell(flag(value), path, problems),
        Kind::Duration { least, most } => tell(length(value, *least, *most), path, problems),
        Kind::Number { least, most } => tell(number(value, *least, *most), path, problems),
        Kind::Amount if value.is_number() => {}
        Kind::Amount => problems.add(path, needs("a number", value)),
        Kind::Choice(words) => tell(choice(value, words), path, problems),
        Kind::Scalar => tell(scalar(value), path, problems),
        Kind::ClaimPath => check_claim_path(value, path, problems),
        Kind::Names if value.is_array() => check_list(&Kind::Text, value, path, problems),
        Kind::Names => tell(text(value), path, problems),
        Kind::Either(first, _) if is_first(first, value) => check_value(first, value, path, problems),
        Kind::Either(_, other) => check_value(other, value, path, problems),
        Kind::Object if value.is_object() => {}
        Kind::Object => problems.add(path, needs("an object", value)),
        Kind::List(_) if value.as_array().is_some_and(Vec::is_empty) => {}
        Kind::List(of) | Kind::Some(of) => check_list(of, value, path, problems),
        Kind::Map(of) => check_map(of, value, path, problems),
        Kind::Section(table) => check_section(table, value, path, problems),
    }
}

/// Whether the first of two kinds is meant.
fn is_first(first: &Kind, value: &Value) -> bool {
    match first {
        Kind::ClaimPath => value.is_array(),
        _ => value.is_string(),
    }
}

fn tell(found: Result<(), String>, path: &str, problems: &Problems) {
    if let Err(message) = found {
        problems.add(path, message);
    }
}

/// `found a list, needs text`: never the value, which may be a secret in a wrong place.
fn needs(needed: &str, found: &Value) -> String {
    let found = match found {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    format!("found {found}, needs {needed}")
}

fn text(value: &Value) -> Result<(), String> {
    let Some(text) = value.as_str() else {
        let hint = if value.is_array() || value.is_object() { "text" } else { "text: put it in quotes" };
        return Err(needs(hint, value));
    };
    if text.is_empty() {
        return Err("is empty: leave the key out, or say what is meant".into());
    }
    if !is_text(text) {
        return Err("has a control character, such as a line break".into());
    }
    Ok(())
}

/// Text of at least one character, none of them a control character.
pub(super) fn is_text(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

fn secret(value: &Value) -> Result<(), String> {
    match value {
        Value::String(_) => Ok(()),
        Value::Object(members) => match (members.len(), members.get("env").and_then(Value::as_str)) {
            (1, Some(name)) if !name.is_empty() => Ok(()),
            _ => Err("needs { env: NAME } with the name of one variable".into()),
        },
        _ => Err(needs("text or { env: NAME }", value)),
    }
}

fn flag(value: &Value) -> Result<(), String> {
    match value {
        Value::Bool(_) => Ok(()),
        _ => Err(needs("true or false, without quotes", value)),
    }
}

fn length(value: &Value, least: Duration, most: Duration) -> Result<(), String> {
    const FORM: &str = "a number and a unit: 200ms, 30s, 15m, 8h, 7d";
    let Some(text) = value.as_str() else {
        return Err(needs(FORM, value));
    };
    let Some(length) = duration::parse(text) else {
        return Err(format!("found {}, needs {FORM}", quoted(text)));
    };
    if length < least || length > most {
        return Err(format!("found {text}, needs {} to {}", duration::show(least), duration::show(most)));
    }
    Ok(())
}

fn number(value: &Value, least: u64, most: u64) -> Result<(), String> {
    match whole(value) {
        Some(number) if (least..=most).contains(&number) => Ok(()),
        Some(number) => Err(format!("found {number}, needs {least} to {most}")),
        None => Err(needs(&format!("a whole number from {least} to {most}"), value)),
    }
}

fn choice(value: &Value, words: &[&str]) -> Result<(), String> {
    let Some(word) = value.as_str() else {
        return Err(needs(&format!("one of {}", words.join(", ")), value));
    };
    if words.contains(&word) {
        return Ok(());
    }
    match nearest(word, words.iter().copied()) {
        Some(near) => Err(format!("{} is not one of {}; nearest is {}", quoted(word), words.join(", "), quoted(near))),
        None => Err(format!("{} is not one of {}", quoted(word), words.join(", "))),
    }
}

fn scalar(value: &Value) -> Result<(), String> {
    match value {
        Value::Bool(_) | Value::Number(_) => Ok(()),
        Value::String(text) if !text.is_empty() => Ok(()),
        Value::String(_) => Err("is empty".into()),
        _ => Err(needs("text, a number, or true or false", value)),
    }
}

fn check_claim_path(value: &Value, path: &str, problems: &Problems) {
    if let Some(name) = value.as_str() {
        return problems.add(path, format!("is a list of names, from the outside in: write [{}]", quoted(name)));
    }
    check_list(&Kind::Text, value, path, problems);
}

fn check_list(of: &Kind, value: &Value, path: &str, problems: &Problems) {
    let Some(items) = value.as_array() else {
        return problems.add(path, needs("a list", value));
    };
    if items.is_empty() {
        return problems.add(path, "is an empty list: leave the key out, or name at least one");
    }
    for (place, item) in items.iter().enumerate() {
        check_value(of, item, &format!("{path}[{place}]"), problems);
    }
}

fn check_map(of: &Kind, value: &Value, path: &str, problems: &Problems) {
    let Some(members) = value.as_object() else {
        return problems.add(path, needs("an object", value));
    };
    if members.contains_key("") {
        problems.add(path, "has an empty name");
    }
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        check_value(of, value, &member(path, name), problems);
    }
}

fn check_section(table: &Table, value: &Value, path: &str, problems: &Problems) {
    match value.as_object() {
        None => problems.add(path, needs("an object", value)),
        Some(members) if members.is_empty() && table.blanks == Blanks::Refused => {
            problems.add(path, "is empty and asks for nothing: leave the key out");
        }
        Some(members) => check(table, members, path, problems),
    }
}
