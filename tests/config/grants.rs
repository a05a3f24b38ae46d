//! Credentials that callers bring and that are traded for tokens.

use super::*;
use oidc_proxy_wasm::config::{Period, Place, SecretPlace};
use oidc_proxy_wasm::words::Method;
use std::time::Duration;

/// The shop, whose second rule takes these credentials.
fn taking(methods: Value) -> Value {
    let token = json!({ "audience": ["api"] });
    with(with(shop(), "/rules/1/methods", methods), "/rules/1/token", token)
}

fn all() -> Value {
    taking(json!(["session", "refresh_token", "password", "client_credentials", "authorization_code"]))
}

/// `wrong` at this place of a rule that takes everything is refused, `right` is not.
fn refused(pointer: &str, wrong: Value, sentence: &str, right: Value) {
    let problem = problem(&with(all(), pointer, wrong.clone()));
    assert!(problem.contains(sentence), "{wrong}: {problem}");
    loaded(&with(all(), pointer, right));
}

/// §1: `password` is off unless it is named, as everything is.
#[test]
fn nothing_is_traded_that_is_not_named() {
    let rule = &loaded(&shop()).rules[1];
    assert_eq!(rule.methods, [Method::Session, Method::AuthorizationCode]);
    assert_eq!(rule.guess_limit, None);
}

#[test]
fn the_defaults_are_those_of_the_reference() {
    let config = loaded(&all());
    let rule = &config.rules[1];
    let expected =
        [Method::Session, Method::RefreshToken, Method::Password, Method::ClientCredentials, Method::AuthorizationCode];
    assert_eq!(rule.methods, expected);
    assert_eq!(rule.credentials.refresh_token, [Place::Header("refresh-token".to_owned())]);
    assert_eq!(rule.credentials.password, [SecretPlace::Basic]);
    assert_eq!(rule.credentials.client_credentials, [SecretPlace::Basic]);
    assert_eq!((rule.grants.scope.as_deref(), rule.grants.params.len()), (None, 0));
    let limit = rule.guess_limit.unwrap();
    assert_eq!((limit.per_user, limit.per_address, limit.per), (10, 100, Period::Minute));
    let cache = config.cache.grants;
    assert_eq!(
        (cache.entries, cache.margin, cache.negative),
        (2_000, Duration::from_secs(10), Duration::from_secs(10))
    );
}

#[test]
fn places_keep_their_order() {
    let places = json!(["form", { "cookie": "rt" }, "query", { "header": "X-Refresh" }]);
    let config = loaded(&with(all(), "/rules/1/credentials", json!({ "refresh_token": places })));
    let expected = [Place::Form, Place::Cookie("rt".to_owned()), Place::Query, Place::Header("x-refresh".to_owned())];
    assert_eq!(config.rules[1].credentials.refresh_token, expected);
    for (wrong, sentence) in [
        (json!(["header"]), "is not one of query, form"),
        (json!([]), "is an empty list"),
        (json!(["query", "query"]), "names a place twice"),
        (json!([{ "header": "Authorization" }]), "is a field with a scheme"),
    ] {
        refused(
            "/rules/1/credentials",
            json!({ "refresh_token": wrong }),
            sentence,
            json!({ "refresh_token": ["query"] }),
        );
    }
    let wrong = json!({ "password": ["header"] });
    refused("/rules/1/credentials", wrong, "is not one of basic, form", json!({ "password": ["form"] }));
}

#[test]
fn what_the_grant_sets_itself_is_not_set_twice() {
    for name in
        ["grant_type", "username", "password", "refresh_token", "client_id", "client_secret", "client_assertion"]
    {
        let wrong = json!({ "params": { name: "x" } });
        refused("/rules/1/grants", wrong, "is set by the grant itself", json!({ "params": { "audience": "x" } }));
    }
    let wrong = json!({ "params": { "scope": "x" } });
    refused("/rules/1/grants", wrong, "use grants.scope", json!({ "scope": "x y" }));
    for scope in ["a  b", " a", "a\"b"] {
        refused("/rules/1/grants", json!({ "scope": scope }), "is not a scope", json!({ "scope": "a b" }));
    }
    let fixed = with(all(), "/providers/main/token_params", json!({ "audience": "x" }));
    let twice = with(fixed.clone(), "/rules/1/grants", json!({ "params": { "audience": "y" } }));
    assert!(problem(&twice).contains("is among the provider's token_params too"));
    loaded(&fixed);
}

#[test]
fn what_goes_together_is_there_together() {
    for key in ["grants", "guess_limit"] {
        let right = if key == "grants" { json!({ "scope": "x" }) } else { json!({ "per_user": 3 }) };
        let pointer = format!("/rules/1/{key}");
        let without = with(shop(), &pointer, right.clone());
        assert!(problem(&without).contains("is for credentials that are traded"), "{key}");
        loaded(&with(all(), &pointer, right));
    }
    let returning = json!({ "return_refresh_token": "x-new" });
    let by_password = with(taking(json!(["password"])), "/rules/1/grants", returning.clone());
    assert!(problem(&by_password).contains("without refresh_token among the methods"));
    loaded(&with(all(), "/rules/1/grants", returning));
    let wrong = json!({ "return_refresh_token": "set-cookie" });
    refused("/rules/1/grants", wrong, "return_refresh_token", json!({ "return_refresh_token": "x-new" }));
    // A client of the provider's is not yet one of ours: whom its token is for must be said.
    let mut silent = taking(json!(["client_credentials"]));
    silent["rules"][1].as_object_mut().unwrap().remove("token");
    assert!(problem(&silent).contains("client_credentials take tokens"));
    // Our own client trades refresh tokens and passwords; its own one, a client.
    for (method, needed) in [("refresh_token", true), ("password", true), ("client_credentials", false)] {
        let mut config = taking(json!([method]));
        config["providers"]["main"].as_object_mut().unwrap().remove("client");
        config["rules"][1].as_object_mut().unwrap().remove("login");
        if needed {
            assert!(problem(&config).contains("trades credentials there"), "{method}");
        } else {
            loaded(&config);
        }
    }
}

/// A credential goes to one provider and no other.
#[test]
fn two_providers_are_one_too_many() {
    let mut config = taking(json!(["bearer"]));
    config["rules"][1].as_object_mut().unwrap().remove("login");
    config["providers"]["other"] = json!({
        "issuer": "https://other.example.com", "cluster": "other",
        "client": { "client_id": "shop", "client_secret": { "env": "SHOP_CLIENT_SECRET" } },
    });
    config["rules"][1]["provider"] = json!(["main", "other"]);
    loaded(&config);
    for method in ["refresh_token", "password", "client_credentials"] {
        let two = with(config.clone(), "/rules/1/methods", json!(["bearer", method]));
        assert!(problem(&two).contains("a credential goes to one provider and no other"), "{method}");
    }
}

#[test]
fn a_guess_limit_is_a_limit() {
    for key in ["per_user", "per_address"] {
        refused("/rules/1/guess_limit", json!({ key: 0 }), "needs 1 to", json!({ key: 1 }));
    }
    refused("/rules/1/guess_limit", json!({ "per": "week" }), "is not one of", json!({ "per": "hour" }));
}

/// What is allowed, and what its author should know.
#[test]
fn a_lost_refresh_token_and_a_forbidden_grant_are_told() {
    let notes = loaded(&all()).notes;
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("rules[1].grants") && notes[0].contains("is lost"));
    assert!(notes[1].contains("RFC 9700 §2.4"));
    assert_eq!(loaded(&shop()).notes, Vec::<String>::new());
    let returned =
        with(taking(json!(["refresh_token"])), "/rules/1/grants", json!({ "return_refresh_token": "x-new" }));
    assert_eq!(loaded(&returned).notes, Vec::<String>::new());
}

#[test]
fn a_login_gives_tokens_only_where_it_is_told_to() {
    use oidc_proxy_wasm::config::{LoginAction, TokenName};
    let tokens = json!(["refresh_token"]);
    let alone = with(shop(), "/rules/1/login/tokens", tokens.clone());
    assert!(problem(&alone).contains("is for action: tokens alone"));
    let login = |config: &Value| loaded(config).rules[1].login.clone().unwrap();
    let given = login(&with(alone, "/rules/1/login/action", json!("tokens")));
    assert_eq!((given.action, given.tokens), (LoginAction::Tokens, vec![TokenName::RefreshToken]));
    let given = login(&with(shop(), "/rules/1/login/action", json!("tokens")));
    assert_eq!(given.tokens, [TokenName::IdToken]);
}
