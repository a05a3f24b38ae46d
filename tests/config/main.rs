//! Each way in which a configuration can be wrong, beside the one where that defect is mended.

mod caches;
mod clients;
mod files;
mod gateway_tokens;
mod grants;
mod identity;
mod logout;
mod providers;
mod rate_limit;
mod rules;
mod sessions;
mod store;
mod together;

use oidc_proxy_wasm::config::{self, Config};
use serde_json::{Value, json};

/// A variable that is set, one that is empty; all others are not.
fn env(name: &str) -> Option<String> {
    match name {
        "SHOP_CLIENT_SECRET" => Some("cR6yW3zH5jP0sDaE9fK2mQ7xT4vB8nL1".into()),
        "SESSION_KEY_1" => Some("9fK2mQ7xT4vB8nL1cR6yW3zH5jP0sDaE".into()),
        "SESSION_KEY_2" => Some("vB8nL1cR6yW3zH5jP0sDaE9fK2mQ7xT4".into()),
        "EMPTY" => Some(String::new()),
        "WITH_LINE_BREAK" => Some("9fK2mQ7xT4vB8nL1cR6yW3zH5jP0sDaE\n".into()),
        _ => None,
    }
}

/// One provider, a public and a private rule, a session.
fn shop() -> Value {
    json!({
        "providers": {
            "main": {
                "issuer": "https://idp.example.com/realms/main",
                "cluster": "idp",
                "client": { "client_id": "shop", "client_secret": { "env": "SHOP_CLIENT_SECRET" } },
            },
        },
        "rules": [
            { "name": "public", "match": { "path_prefix": "/public" }, "allow": "anonymous" },
            {
                "name": "shop",
                "match": { "host": "shop.example.com" },
                "login": { "redirect_uri": "https://shop.example.com/oauth/callback" },
            },
        ],
        "session": { "secrets": [{ "env": "SESSION_KEY_2" }, { "env": "SESSION_KEY_1" }] },
    })
}

/// `config` with the value at a JSON pointer (RFC 6901) put in; members on the way are made.
fn with(mut config: Value, pointer: &str, value: Value) -> Value {
    let mut place = &mut config;
    for name in pointer.split('/').skip(1) {
        let name = name.replace("~1", "/");
        place = match place {
            Value::Array(items) => {
                let index: usize = name.parse().unwrap();
                if index == items.len() {
                    items.push(Value::Null);
                }
                &mut items[index]
            }
            other => &mut other[name],
        };
    }
    *place = value;
    config
}

/// `config` with the member at a pointer taken out.
fn without(mut config: Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let removed = config.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
    assert!(removed.is_some(), "{pointer} is not there");
    config
}

fn load(config: &Value) -> Result<Config, Vec<String>> {
    let problems = |problems: Vec<config::Problem>| problems.iter().map(ToString::to_string).collect();
    config::load(config.to_string().as_bytes(), &env).map_err(problems)
}

fn loaded(config: &Value) -> Config {
    load(config).unwrap_or_else(|problems| panic!("{problems:#?}\n{config:#}"))
}

/// The one problem of a configuration.
fn problem(config: &Value) -> String {
    let problems = load(config).expect_err(&format!("loads: {config:#}"));
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems.concat()
}

/// `wrong` at `pointer` in the shop refuses the load with one sentence that contains `sentence`; `right` loads.
#[track_caller]
fn twins(pointer: &str, wrong: Value, sentence: &str, right: Value) {
    twins_in(shop(), pointer, wrong, sentence, right);
}

#[track_caller]
fn twins_in(config: Value, pointer: &str, wrong: Value, sentence: &str, right: Value) {
    let found = problem(&with(config.clone(), pointer, wrong));
    assert!(found.contains(sentence), "found  {found}\nneeded {sentence}");
    loaded(&with(config, pointer, right));
}
