//! The text as a whole, and the shape of every key.

use super::*;
use oidc_proxy_wasm::config::{Bodies, keys};
use proptest::prelude::*;

fn of_text(text: &[u8]) -> String {
    let problems = config::load(text, &env).expect_err("loads");
    assert_eq!(problems.len(), 1, "{problems:#?}");
    problems[0].to_string()
}

#[test]
fn the_shop_loads() {
    let config = loaded(&shop());
    assert_eq!(config.bodies, Bodies::Unreadable);
    assert_eq!(config.providers.len(), 1);
    assert_eq!(config.rules.len(), 2);
    assert_eq!(config.observability.log, log::LevelFilter::Info);
}

/// Z07.
#[test]
fn a_text_that_is_no_configuration_has_one_problem() {
    assert!(of_text(b"").contains("is empty"));
    assert!(of_text(b"null").contains("not a JSON object"));
    assert!(of_text(b"[]").contains("not a JSON object"));
    assert!(of_text(b"{\"providers\": {},\n \"rules\" [}").contains("line 2, column 10"));
    assert!(of_text(b"{} {}").contains("not JSON"));
    assert!(of_text(b"\xef\xbb\xbf{}").contains("not JSON"));
    assert!(of_text(b"{\"a\": \"\xff\"}").contains("not UTF-8 at byte 7"));
    assert!(of_text(b"{\"rules\": [], \"rules\": []}").contains("a key twice"));
    assert!(of_text("[".repeat(10_000_000).as_bytes()).contains("10000000 bytes, needs 1048576"));
    assert!(of_text("[".repeat(1_000_000).as_bytes()).contains("not JSON"));
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(40), "]".repeat(40));
    assert!(of_text(deep.as_bytes()).contains("nests too deep"));
}

/// Z01: at each level, with the nearest name.
#[test]
fn an_unknown_key_is_refused_at_every_level() {
    let slips = [
        ("/provider", "provider: unknown key; nearest is \"providers\""),
        ("/providers/main/isuer", "providers.main.isuer: unknown key; nearest is \"issuer\""),
        (
            "/providers/main/client/client_secrt",
            "providers.main.client.client_secrt: unknown key; nearest is \"client_secret\"",
        ),
        ("/rules/1/metods", "rules[1].metods: unknown key; nearest is \"methods\""),
        ("/rules/1/match/path-prefix", "rules[1].match.path-prefix: unknown key; nearest is \"path_prefix\""),
        ("/rules/1/login/redirect_url", "rules[1].login.redirect_url: unknown key; nearest is \"redirect_uri\""),
        ("/rules/1/errors/page", "rules[1].errors.page: unknown key; known here: unauthorized_redirect_uri"),
        ("/rules/1/gateway", "rules[1].gateway: unknown key; "),
        ("/rules/1/rate_limits", "rules[1].rate_limits: unknown key; nearest is \"rate_limit\""),
        ("/session/idel", "session.idel: unknown key; nearest is \"idle\""),
        ("/session/store", "session.store: unknown key; "),
        ("/session/cookie/samesite", "session.cookie.samesite: unknown key; nearest is \"same_site\""),
        ("/observability/level", "observability.level: unknown key; known here: reason_header, log"),
        ("/defaults/match", "defaults.match: unknown key; "),
        ("/consumer", "consumer: unknown key; nearest is \"consumers\""),
        ("/providers/main/profile", "providers.main.profile: unknown key; "),
        ("/not a word", "[\"not a word\"]: unknown key; "),
    ];
    for (pointer, sentence) in slips {
        let found = problem(&with(shop(), pointer, json!("x")));
        assert!(found.starts_with(sentence), "found  {found}\nneeded {sentence}");
    }
    loaded(&shop());
}

#[test]
fn all_problems_are_told_at_once() {
    let wrong = with(shop(), "/providers/main/timeout", json!("5"));
    let wrong = with(wrong, "/rules/1/login/redirect_uri", json!("/oauth/callback"));
    let wrong = with(wrong, "/session/secrets", json!(["short"]));
    let wrong = with(wrong, "/nonsense", json!(1));
    let problems = load(&wrong).unwrap_err();
    let paths: Vec<&str> = problems.iter().filter_map(|problem| problem.split(": ").next()).collect();
    for path in ["nonsense", "providers.main.timeout", "rules[1].login.redirect_uri", "session.secrets[0]"] {
        assert!(paths.contains(&path), "{path} in {problems:#?}");
    }
    assert_eq!(problems.len(), 4, "{problems:#?}");
}

#[test]
fn null_is_the_same_as_leaving_a_key_out_but_not_in_conditions() {
    let unset = with(shop(), "/session/cookie", json!({ "domain": null, "name": null }));
    loaded(&with(unset, "/observability", json!({ "reason_header": null })));
    twins("/rules/1/match/path_prefix", json!(null), "rules[1].match.path_prefix: is null", json!("/"));
    let require = |value| json!({ "groups": { "claim": ["groups"], "any_of": value } });
    twins("/rules/1/require", require(json!(null)), "any_of: is null", require(json!(["a"])));
    twins("/rules/1/require", json!({ "scope": null }), "require.scope: is null", json!({ "scope": ["a"] }));
}

/// A value of a wrong type at every key of every table: none is swallowed.
#[test]
fn every_key_refuses_a_value_of_another_kind() {
    let places: [(&keys::Table, &str, &str); 12] = [
        (&keys::TOP, "", ""),
        (&keys::OBSERVABILITY, "/observability", "observability."),
        (&keys::PROVIDER, "/providers/main", "providers.main."),
        (&keys::CLIENT, "/providers/main/client", "providers.main.client."),
        (&keys::DEFAULTS, "/defaults", "defaults."),
        (&keys::RULE, "/rules/1", "rules[1]."),
        (&keys::MATCH, "/rules/1/match", "rules[1].match."),
        (&keys::LOGIN, "/rules/1/login", "rules[1].login."),
        (&keys::REQUIRE, "/rules/1/require", "rules[1].require."),
        (&keys::ERRORS, "/rules/1/errors", "rules[1].errors."),
        (&keys::SESSION, "/session", "session."),
        (&keys::COOKIE, "/session/cookie", "session.cookie."),
    ];
    for (table, pointer, path) in places {
        for key in table.keys {
            let wrong = with(shop(), &format!("{pointer}/{}", key.name), json!(-1.5));
            let problems = load(&wrong).expect_err(key.name);
            let path = format!("{path}{}: ", key.name);
            assert!(problems.iter().any(|problem| problem.starts_with(&path)), "{path}: {problems:#?}");
        }
    }
}

#[test]
fn a_key_that_must_be_there_is_missed() {
    for pointer in [
        "/providers/main/issuer",
        "/providers/main/client",
        "/providers/main/client/client_id",
        "/providers/main/client/client_secret",
        "/providers/main/cluster",
        "/rules/1/login/redirect_uri",
        "/session/secrets",
        "/session",
        "/providers",
    ] {
        let problems = load(&without(shop(), pointer)).expect_err(pointer);
        let name = pointer.rsplit('/').next().unwrap();
        let told = problems.iter().any(|problem| problem.contains(&format!("{name}: is missing")));
        assert!(told, "{pointer}: {problems:#?}");
    }
}

#[test]
fn numbers_may_come_as_doubles() {
    twins("/session/budget", json!(8192.5), "session.budget: found a number", json!(8192.0));
    assert_eq!(loaded(&with(shop(), "/session/budget", json!(8192.0))).session.unwrap().budget, 8192);
    twins("/session/budget", json!(1e30), "session.budget: found a number", json!(65536));
    twins("/session/budget", json!(-4096), "session.budget: found a number", json!(4096));
    twins("/session/budget", json!(4095), "found 4095, needs 4096 to 65536", json!(4096));
    twins("/session/budget", json!("8192"), "found text", json!(8192));
}

#[test]
fn truth_values_are_only_themselves() {
    for wrong in [json!("true"), json!("yes"), json!(1), json!([])] {
        twins("/providers/main/allow_http", wrong, "needs true or false, without quotes", json!(true));
    }
    // YAML 1.1 makes a truth value of `on`: text that became one is told so.
    twins("/session/partition", json!(true), "found a truth value, needs text: put it in quotes", json!("on"));
}

/// The member that a few steps lead to, each the number of a member.
fn descend<'v>(value: &'v mut Value, steps: &[usize]) -> &'v mut Value {
    let size = value.as_object().map_or_else(|| value.as_array().map_or(0, Vec::len), |members| members.len());
    let Some((step, rest)) = steps.split_first().filter(|_| size > 0) else {
        return value;
    };
    let inner = match value {
        Value::Object(members) => members.values_mut().nth(step % size),
        other => other.get_mut(step % size),
    };
    descend(inner.unwrap(), rest)
}

proptest! {
    /// Z07: any text, and the shop with anything anywhere.
    #[test]
    fn nothing_makes_the_loader_panic(
        text in prop::collection::vec(any::<u8>(), 0..200),
        place in prop::collection::vec(0..14_usize, 1..4),
        value in 0..14_usize,
    ) {
        prop_assert!(config::load(&text, &env).is_err());
        let mut config = shop();
        let values = [
            json!(null), json!(true), json!(0), json!(-1), json!(1e300), json!(""), json!("x"), json!("\u{0}ä"), json!([]),
            json!([null]), json!([[]]), json!({}), json!({ "env": null }), json!({ "": { "": [] } }),
        ];
        *descend(&mut config, &place) = values[value].clone();
        if let Err(problems) = load(&config) {
            prop_assert!(!problems.is_empty() && problems.iter().all(|problem| problem.len() < 1000));
        }
    }
}

/// Z09.
#[test]
fn durations_have_units_and_bounds() {
    let wrong =
        [json!("5"), json!("-5s"), json!("0s"), json!("1e30"), json!("4000d"), json!(5), json!(1e30), json!("")];
    for value in wrong {
        let found = problem(&with(shop(), "/session/idle", value.clone()));
        assert!(found.starts_with("session.idle: "), "{value}: {found}");
    }
    loaded(&with(shop(), "/session/idle", json!("5m")));
    twins("/providers/main/clock_skew", json!("301s"), "found 301s, needs 0s to 5m", json!("0s"));
    twins("/providers/main/timeout", json!("0s"), "needs 1ms to 5m", json!("200ms"));
}

#[test]
fn one_slip_does_not_hide_another() {
    let slips = with(shop(), "/rules/1/methods", json!(["sesion", "autorization_code"]));
    let slips = with(slips, "/rules/1/allow", json!("everyone"));
    let slips = with(slips, "/rules/1/login/redirect_uri", json!("https://other.example.com/cb"));
    let problems = load(&slips).unwrap_err().concat();
    for path in ["methods[0]: ", "methods[1]: ", "allow: ", "login.redirect_uri: "] {
        assert!(problems.contains(&format!("rules[1].{path}")), "{path}{problems}");
    }
}
