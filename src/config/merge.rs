//! What `defaults` and a rule say together.

use crate::words::json::{self, Object};
use serde_json::Value;

/// The members of `rule` over those of `defaults`: maps merge, lists and values replace, `null` unsets.
pub(super) fn over(defaults: &Object, rule: &Object) -> Object {
    let mut merged = json::filtered(defaults, &|name, _| rule.get(name).is_none_or(|value| !value.is_null()));
    for (name, value) in rule {
        match (merged.get_mut(name), value) {
            (_, Value::Null) => {}
            (Some(Value::Object(below)), Value::Object(above)) => *below = over(below, above),
            _ => {
                merged.insert(name.clone(), value.clone());
            }
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Object {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn maps_merge_lists_and_values_replace_and_null_unsets() {
        let defaults =
            object(json!({"login": {"scope": "a", "params": {"x": "1", "y": "2"}}, "methods": ["s"], "p": 1}));
        let rule = object(json!({"login": {"params": {"y": null, "z": "3"}}, "methods": ["t"], "p": null, "q": null}));
        let merged = json!({"login": {"scope": "a", "params": {"x": "1", "z": "3"}}, "methods": ["t"]});
        assert_eq!(Value::Object(over(&defaults, &rule)), merged);
    }

    #[test]
    fn a_value_replaces_a_map_and_a_map_a_value() {
        let map = object(json!({"a": {"b": 1}}));
        let value = object(json!({"a": 2}));
        assert_eq!(over(&map, &value), value);
        assert_eq!(over(&value, &map), map);
    }
}
