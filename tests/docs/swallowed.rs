//! No key is swallowed: another value at any key of the example loads as something else, or not at all.

use crate::example;
use oidc_proxy_wasm::config::keys::{Kind, TOP, Table};
use oidc_proxy_wasm::config::load;
use serde_json::{Value, json};

#[test]
fn another_value_at_any_key_changes_what_is_loaded() {
    let original = example::configuration();
    let mut changes = Vec::new();
    collect(&TOP, &original, "", &mut changes);
    assert!(changes.len() > 80, "{} keys", changes.len());
    let before = shown(&original).unwrap();
    for (pointer, value) in changes {
        let mut changed = original.clone();
        *changed.pointer_mut(&pointer).unwrap() = value;
        assert_ne!(shown(&changed).as_ref(), Ok(&before), "{pointer}");
    }
}

/// What is loaded, or the problems.
fn shown(config: &Value) -> Result<String, String> {
    let env = |name: &str| Some(format!("{name}-cR6yW3zH5jP0sDaE9fK2mQ7xT4vB8nL1"));
    let loaded = load(config.to_string().as_bytes(), &env);
    loaded.map(|config| format!("{config:?}")).map_err(|problems| format!("{problems:?}"))
}

/// For each key below `pointer` another value of its kind.
fn collect(table: &'static Table, value: &Value, pointer: &str, changes: &mut Vec<(String, Value)>) {
    for key in table.keys {
        if let Some(value) = value.get(key.name) {
            collect_kind(&key.kind, value, &format!("{pointer}/{}", key.name), changes);
        }
    }
}

fn collect_kind(kind: &'static Kind, value: &Value, pointer: &str, changes: &mut Vec<(String, Value)>) {
    match kind {
        Kind::Section(table) => collect(table, value, pointer, changes),
        Kind::Either(first @ Kind::ClaimPath, _) if value.is_array() => collect_kind(first, value, pointer, changes),
        Kind::Either(_, other) if !value.is_string() => collect_kind(other, value, pointer, changes),
        Kind::List(of) | Kind::Some(of) if example::table_in(of).is_some() => {
            for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                collect_kind(of, item, &format!("{pointer}/{place}"), changes);
            }
        }
        Kind::Map(of) if example::table_in(of).is_some() => {
            for (name, value) in value.as_object().into_iter().flatten() {
                collect_kind(of, value, &format!("{pointer}/{name}"), changes);
            }
        }
        plain => changes.push((pointer.to_owned(), another(plain, value))),
    }
}

/// A value of the same kind that is not `value`.
fn another(kind: &'static Kind, value: &Value) -> Value {
    match kind {
        Kind::Text => json!(format!("{}x", value.as_str().unwrap())),
        Kind::Secret => json!({ "env": "ANOTHER_VARIABLE_OF_ANOTHER_LENGTH" }),
        Kind::Flag => json!(!value.as_bool().unwrap()),
        Kind::Duration { .. } => json!("7s"),
        Kind::Number { least, .. } => json!(least),
        Kind::Amount => json!(value.as_f64().unwrap() + 1.5),
        Kind::Choice(words) => json!(words.iter().find(|word| value != **word).unwrap_or(&"none other")),
        Kind::Scalar => json!("another"),
        Kind::ClaimPath => json!(["another"]),
        Kind::Names => json!("another"),
        Kind::Either(text, _) if value.is_string() => another(text, value),
        Kind::Either(_, other) => another(other, value),
        Kind::Object => json!({ "another_endpoint": "https://another.example" }),
        Kind::List(of) | Kind::Some(of) => json!([another(of, &value[0])]),
        Kind::Map(of) => json!({ "another.example": another(of, value.as_object().unwrap().values().next().unwrap()) }),
        Kind::Section(_) => unreachable!("its keys are changed one by one"),
    }
}
