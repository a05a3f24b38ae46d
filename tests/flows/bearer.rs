//! JWT access tokens, from request to service (RFC 9068, groups B, E).

use crate::support::*;
use oidc_proxy_wasm::world::Metric;

/// B08 (RFC 6750 §3): a bad token on a page load is refused, not sent to log in.
#[test]
fn a_bad_token_is_no_reason_to_log_in() {
    let shop = Shop::api(json!({ "methods": ["session", "bearer", "authorization_code"] }));
    let answer = shop.decide(&get("/").bearer("x"));
    assert_eq!((answer.reason(), answer.location()), (Some(Reason::AccessTokenMalformed), None));
    assert!(answer.all("set-cookie").is_empty());
    shop.decide(&get("/").bearer(&shop.idp.jwt(|_| {}))).assert_served_to("alice");
    assert_eq!(shop.decide(&get("/")).reason(), Some(Reason::LoginStarted));
}

/// B10 (CVE-2021-21378): where an identity is optional, a bad one is still refused.
#[test]
fn an_optional_identity_is_no_excuse_for_a_bad_one() {
    let shop = Shop::api(json!({ "allow": "optional" }));
    let now = shop.now().as_secs();
    for (token, reason) in [
        (shop.idp.jwt(|claims| claims["iss"] = json!("https://evil.example")), Reason::AccessTokenIssuer),
        (shop.idp.jwt(|claims| claims["exp"] = json!(now - 60)), Reason::AccessTokenExpired),
        ("broken".to_owned(), Reason::AccessTokenMalformed),
        (String::new(), Reason::CredentialMalformed),
    ] {
        assert_eq!(shop.decide(&background("/").bearer(&token)).reason(), Some(reason));
    }
    let stranger = shop.decide(&background("/").with("x-user", "admin"));
    assert_eq!((stranger.reason(), stranger.service("x-user").len()), (None, 0));
    shop.decide(&background("/").bearer(&shop.idp.jwt(|_| {}))).assert_served_to("alice");
}

/// A10: who is no consumer is refused where one is needed, whatever the token says of scope; strangers pass by.
#[test]
fn an_optional_identity_must_be_a_consumer_where_the_rule_says_so() {
    let shop = Shop::with(|config| {
        config["consumers"] = json!([{ "username": "acme" }]);
        let rule = json!({
            "allow": "optional", "methods": ["bearer"], "token": { "audience": ["api"] }, "consumer": { "by": ["client_id"] },
        });
        config["rules"][3].as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
    });
    let known = shop.idp.jwt(|claims| claims["client_id"] = json!("acme"));
    let answer = shop.decide(&background("/").bearer(&known));
    assert_eq!(answer.service("x-consumer-username"), ["acme"]);
    let unknown = shop.decide(&background("/").bearer(&shop.idp.jwt(|_| {})));
    assert_eq!(unknown.reason(), Some(Reason::ConsumerUnknown));
    let stranger = shop.decide(&background("/").with("x-consumer-username", "acme"));
    assert_eq!(stranger.service("x-consumer-username"), Vec::<String>::new());
    assert_eq!(stranger.service("x-anonymous-consumer"), ["true"]);
}

/// B15: an opaque token where JWTs alone are taken: refused, and nobody asked.
#[test]
fn an_opaque_token_on_a_rule_for_jwts_costs_no_call() {
    let shop = Shop::api(json!({}));
    let opaque = shop.idp.opaque(|_| {});
    for token in [opaque.as_str(), "a.b", "a.b.c", "a.b.c.d.e", "....", "{}"] {
        let reason = shop.decide(&background("/").bearer(token)).reason();
        let expected = if token == "{}" { Reason::CredentialMalformed } else { Reason::AccessTokenMalformed };
        assert_eq!(reason, Some(expected), "{token}");
    }
    assert_eq!(shop.script.calls(), Vec::<String>::new());
    shop.decide(&background("/").bearer(&shop.idp.jwt(|_| {}))).assert_served_to("alice");
}

/// B18: an upgrade is a request like any other.
#[test]
fn a_websocket_needs_its_token_too() {
    let shop = Shop::api(json!({}));
    let upgrade = || background("/chat").with("connection", "Upgrade").with("upgrade", "websocket");
    assert_eq!(shop.decide(&upgrade().bearer("x")).status(), 401);
    assert_eq!(shop.decide(&upgrade()).status(), 401);
    let answer = shop.decide(&upgrade().bearer(&shop.idp.jwt(|_| {})));
    answer.assert_served_to("alice");
    assert_eq!(answer.service("upgrade"), ["websocket"]);
}

/// B21, S12 (Fetch §3.2.2): a preflight passes where a rule says so, as nobody's; else it is a request like any other.
#[test]
fn a_preflight_tells_nothing_of_its_sender() {
    let shop = Shop::api(json!({}));
    let preflight = background("/").method("OPTIONS").with("origin", "https://evil.example");
    let token = shop.idp.jwt(|_| {});
    assert_eq!(shop.decide(&preflight).reason(), Some(Reason::AccessTokenRequired));
    let open = shop.reconfigured(|config| {
        let rule = json!({ "name": "preflight", "match": { "methods": ["OPTIONS"] }, "allow": "anonymous" });
        config["rules"].as_array_mut().unwrap().insert(0, rule);
    });
    for request in [preflight.clone(), preflight.clone().bearer(&token), preflight.bearer("x")] {
        let answer = open.decide(&request.with("x-user", "admin"));
        assert_eq!((answer.reason(), answer.service("x-user").len()), (None, 0));
    }
    open.decide(&background("/").bearer(&token)).assert_served_to("alice");
    assert_eq!(open.decide(&background("/")).reason(), Some(Reason::AccessTokenRequired));
}

/// J40 to J43 (RFC 8725 §3.12): what the same issuer signed for another purpose is no access token.
#[test]
fn other_tokens_of_the_issuer_are_no_access_tokens() {
    let shop = Shop::api(json!({}));
    let events = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let absent = |header: &mut Value| drop(header.as_object_mut().unwrap().remove("typ"));
    for (name, value) in [("nonce", json!("n")), ("at_hash", json!("h")), ("events", events), ("typ", json!("ID"))] {
        let token = shop.idp.jwt_with(absent, |claims| claims[name] = value.clone());
        let answer = shop.decide(&background("/").bearer(&token));
        assert_eq!(answer.reason(), Some(Reason::AccessTokenType), "{name}");
    }
    for typ in ["logout+jwt", "dpop+jwt", "token-introspection+jwt", "oauth-authz-req+jwt", "jwt+at"] {
        let token = shop.idp.jwt_with(|header| header["typ"] = json!(typ), |_| {});
        let answer = shop.decide(&background("/").bearer(&token));
        assert_eq!(answer.reason(), Some(Reason::AccessTokenType), "{typ}");
    }
    for typ in ["at+jwt", "application/AT+JWT", "JWT"] {
        let token = shop.idp.jwt_with(|header| header["typ"] = json!(typ), |_| {});
        shop.decide(&background("/").bearer(&token)).assert_served_to("alice");
    }
}

/// J42 (RFC 9068 §4): what one rule takes, another does not, also of a token that is remembered.
#[test]
fn each_rule_asks_for_its_own() {
    let shop = Shop::with(|config| {
        let rule = |name: &str, audience: &str, types: Value| {
            json!({
                "name": name, "match": { "host": "shop.example.com", "path_prefix": format!("/{name}") },
                "methods": ["bearer"], "token": { "audience": [audience], "types": types },
            })
        };
        config["rules"] = json!([
            rule("lax", "api", json!(["at+jwt", "JWT", "absent"])),
            rule("strict", "api", json!(["at+jwt"])),
            rule("other", "elsewhere", json!(["at+jwt", "JWT", "absent"])),
            config["rules"][3],
        ]);
    });
    let token = shop.idp.jwt_with(|header| header["typ"] = json!("JWT"), |_| {});
    let reason = |path: &str, token: &str| shop.decide(&background(path).bearer(token)).reason();
    for _ in 0..2 {
        assert_eq!(reason("/lax", &token), None);
        assert_eq!(reason("/strict", &token), Some(Reason::AccessTokenType));
        assert_eq!(reason("/other", &token), Some(Reason::AccessTokenAudience));
    }
    assert_eq!(shop.script.counted(Metric::TokensVerified), 1);
    assert_eq!(reason("/strict", &shop.idp.jwt(|_| {})), None);
}

/// I21, I16 (issue 4 §1): what others say of the token's bearer is about the same person, and of a token that is bound to
/// nothing.
#[test]
fn enrichment_is_about_the_same_subject() {
    let shop = |rule: Value| {
        let mut rule = rule;
        rule["upstream_headers"] = json!([
            { "claim": ["preferred_username"], "name": "x-user" }, { "claim": ["team"], "name": "x-team" },
        ]);
        Shop::api(rule)
    };
    for rule in [json!({ "enrich": ["userinfo"] }), json!({ "enrich": ["introspection"] }), introspected()] {
        let bent = |bend: fn(&mut Value)| {
            let shop = shop(rule.clone());
            shop.idp.userinfo(bend);
            shop.idp.introspection(bend);
            let answer = shop.decide(&background("/").bearer(&shop.idp.jwt(|_| {})));
            (answer.reason(), shop)
        };
        assert_eq!(bent(|said| said["sub"] = json!("u-2")).0, Some(Reason::AccessTokenClaims), "{rule}");
        assert_eq!(bent(|said| said["team"] = json!("core")).0, None, "{rule}");
    }
    for rule in [json!({ "enrich": ["introspection"] }), introspected()] {
        for (said, reason) in [
            (json!({ "cnf": { "jkt": "x" } }), Reason::BindingUnsupported),
            (json!({ "token_type": "DPoP" }), Reason::BindingUnsupported),
            (json!({ "token_type": "mac" }), Reason::AccessTokenType),
            (json!({ "active": false }), Reason::AccessTokenInactive),
        ] {
            let shop = shop(rule.clone());
            shop.idp
                .introspection(move |answer| answer.as_object_mut().unwrap().extend(said.as_object().unwrap().clone()));
            let answer = shop.decide(&background("/").bearer(&shop.idp.jwt(|_| {})));
            assert_eq!(answer.reason(), Some(reason), "{rule}");
        }
    }
}

fn introspected() -> Value {
    json!({ "token": { "audience": ["api"], "introspect_jwt": true } })
}

/// I18: what the token says stands; userinfo and introspection add to it.
#[test]
fn enrichment_adds_and_changes_nothing() {
    let shop = Shop::api(json!({
        "enrich": ["userinfo"],
        "upstream_headers": [
            { "claim": ["preferred_username"], "name": "x-user" },
            { "claim": ["team"], "name": "x-team" },
            { "claim": ["team"], "source": "access_token", "name": "x-signed-team" },
        ],
    }));
    shop.idp.userinfo(|said| {
        said["preferred_username"] = json!("mallory");
        said["team"] = json!("core");
    });
    let answer = shop.decide(&background("/").bearer(&shop.idp.jwt(|_| {})));
    answer.assert_served_to("alice");
    assert_eq!((answer.service("x-team"), answer.service("x-signed-team")), (vec!["core".to_owned()], vec![]));
}

/// E04, B13 (CVE-2025-64527): many requests wait on one key set that never comes; each is answered, and it is asked for once.
#[test]
fn all_who_wait_for_a_dead_key_set_are_answered() {
    let shop = Shop::api(json!({}));
    shop.idp.replies(Endpoint::Jwks, Reply::nothing());
    let requests: Vec<Req> = (0..500).map(|_| background("/").bearer(&shop.idp.jwt(|_| {}))).collect();
    let answers = shop.decide_together(&requests);
    assert!(answers.iter().all(|answer| answer.reason() == Some(Reason::JwksUnavailable)));
    assert_eq!(shop.calls(Endpoint::Jwks), 1);
    shop.idp.recovers();
    shop.script.advance(120);
    let answers = shop.decide_together(&requests);
    answers.iter().for_each(|answer| answer.assert_served_to("alice"));
    assert_eq!(shop.calls(Endpoint::Jwks), 2);
}

/// E03, E07, K09: strangers' tokens leave nothing behind: no call for each, no entry that the host keeps.
#[test]
fn strangers_tokens_leave_nothing_behind() {
    let shop = Shop::api(json!({ "methods": ["bearer", "introspection"] }));
    let good = shop.idp.jwt(|_| {});
    shop.decide(&background("/").bearer(&good)).assert_served_to("alice");
    let keys = shop.script.shared_keys().len();
    let jwks = shop.calls(Endpoint::Jwks);
    for at in 0..2_000 {
        let token = shop.idp.jwt_with(|header| header["kid"] = json!(format!("k-{at}")), |_| {});
        let reason = shop.decide(&background("/").bearer(&token)).reason();
        assert_eq!(reason, Some(Reason::AccessTokenKeyUnknown));
    }
    assert!(shop.calls(Endpoint::Jwks) <= jwks + 1);
    assert_eq!(shop.script.shared_keys().len(), keys);
    for at in 0..2_000 {
        let reason = shop.decide(&background("/").bearer(&format!("opaque-{at}"))).reason();
        assert_eq!(reason, Some(Reason::AccessTokenInactive));
    }
    assert!(shop.script.shared_keys().len() <= keys + 256, "as many slots as there are for bad answers");
    shop.decide(&background("/").bearer(&good)).assert_served_to("alice");
}

/// E08: fields in masses, as far as the host takes them, hide no credential and make no other verdict.
#[test]
fn a_flood_of_header_fields_changes_nothing() {
    let shop = Shop::api(json!({}));
    let flooded =
        |request: Req| (0..200).fold(request, |request, at| request.with(&format!("x-{at}"), "x".repeat(64 * 1024)));
    let good = shop.idp.jwt(|_| {});
    shop.decide(&flooded(background("/").bearer(&good))).assert_served_to("alice");
    assert_eq!(shop.decide(&flooded(background("/"))).reason(), Some(Reason::AccessTokenRequired));
    let twice = flooded(background("/").bearer(&good)).bearer(&good);
    assert_eq!(shop.decide(&twice).reason(), Some(Reason::CredentialRepeated));
}
