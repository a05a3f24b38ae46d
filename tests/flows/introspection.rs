//! Opaque access tokens, from request to service (RFC 7662, group I). What answers may be is proven beside their reader, in
//! `provider/introspection`.

use crate::support::*;
use oidc_proxy_wasm::world::Metric;

fn shop() -> Shop {
    Shop::api(json!({ "methods": ["introspection"] }))
}

fn judged(shop: &Shop, token: &str) -> Option<Reason> {
    shop.decide(&background("/").bearer(token)).reason()
}

#[test]
fn an_active_token_passes_and_is_remembered() {
    let shop = shop();
    let token = shop.idp.opaque(|_| {});
    for _ in 0..3 {
        let answer = shop.decide(&background("/").bearer(&token));
        answer.assert_served_to("alice");
        assert!(answer.service("authorization").is_empty());
    }
    assert_eq!(shop.calls(Endpoint::Introspection), 1);
    assert_eq!(shop.script.counted(Metric::IntrospectionCached), 2);
    // No key is needed for what the provider itself says.
    assert_eq!(shop.calls(Endpoint::Jwks), 0);
}

/// B14: where the provider is to be asked about all tokens, a JWT's own claims say nothing.
#[test]
fn a_jwt_is_as_opaque_as_any() {
    let shop = shop();
    let token = shop.idp.jwt(|claims| claims["preferred_username"] = json!("admin"));
    shop.idp.introspection(|said| said["preferred_username"] = json!("alice"));
    shop.decide(&background("/").bearer(&token)).assert_served_to("alice");
    let forged = Signer::p256("one", 7);
    let now = shop.now().as_secs();
    let claims = json!({ "iss": ISSUER, "sub": "u-1", "aud": "api", "iat": now, "exp": now + 60 });
    assert_eq!(judged(&shop, &forged.sign(&forged.header(), &claims)), Some(Reason::AccessTokenInactive));
}

/// I03, I04, I21, each with its twin: the same answer without the one member.
#[test]
fn an_active_token_is_still_judged() {
    let now = shop().now().as_secs();
    for (member, value, reason) in [
        ("exp", json!(now - 60), Reason::AccessTokenExpired),
        ("nbf", json!(now + 60), Reason::AccessTokenNotYetValid),
        ("iat", json!(now + 60), Reason::AccessTokenNotYetValid),
        ("aud", json!("other"), Reason::AccessTokenAudience),
        ("aud", json!(["apis", "ap"]), Reason::AccessTokenAudience),
        ("iss", json!("https://evil.example"), Reason::AccessTokenIssuer),
        ("cnf", json!({ "x5t#S256": "x" }), Reason::BindingUnsupported),
        ("token_type", json!("refresh_token"), Reason::AccessTokenType),
        ("scope", json!(7), Reason::IntrospectionInvalid),
    ] {
        let shop = shop();
        shop.idp.introspection(move |said| said[member] = value.clone());
        assert_eq!(judged(&shop, &shop.idp.opaque(|_| {})), Some(reason), "{member}");
        shop.idp.introspection(|_| {});
        assert_eq!(judged(&shop, &shop.idp.opaque(|_| {})), None, "{member}");
    }
}

/// I11 (Kong 3.9): one answer, and each rule's own verdict on it.
#[test]
fn each_rule_judges_the_answer_for_itself() {
    let shop = Shop::with(|config| {
        let rule = |name: &str, audience: &str, scope: &str| {
            json!({
                "name": name, "match": { "host": "shop.example.com", "path_prefix": format!("/{name}") },
                "methods": ["introspection"], "token": { "audience": [audience] }, "require": { "scope": [scope] },
            })
        };
        config["rules"] = json!([
            rule("a", "api", "read"),
            rule("b", "elsewhere", "read"),
            rule("c", "api", "admin"),
            config["rules"][3],
        ]);
    });
    let token = shop.idp.opaque(|_| {});
    for _ in 0..2 {
        let reason = |path: &str| shop.decide(&background(path).bearer(&token)).reason();
        assert_eq!(reason("/b"), Some(Reason::AccessTokenAudience));
        assert_eq!(reason("/c"), Some(Reason::ScopeMissing));
        assert_eq!(reason("/a"), None);
    }
    assert_eq!(shop.calls(Endpoint::Introspection), 1);
}

/// I10: what was revoked passes no longer than an answer is remembered.
#[test]
fn a_revoked_token_ends_with_its_answer() {
    let shop = Shop::with(|config| {
        config["cache"] = json!({ "introspection": { "max_age": "10s" } });
        let rule = json!({ "methods": ["introspection"], "token": { "audience": ["api"] } });
        config["rules"][3].as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
    });
    let (token, other) = (shop.idp.opaque(|_| {}), shop.idp.opaque(|_| {}));
    assert_eq!((judged(&shop, &token), judged(&shop, &other)), (None, None));
    shop.idp.revokes(&token);
    shop.script.advance(8);
    assert_eq!(judged(&shop, &token), None);
    shop.script.advance(3);
    assert_eq!((judged(&shop, &token), judged(&shop, &other)), (Some(Reason::AccessTokenInactive), None));
}

/// I12: many requests with one new token ask once.
#[test]
fn one_question_for_all_who_wait() {
    let shop = shop();
    let token = shop.idp.opaque(|_| {});
    let requests: Vec<Req> = (0..50).map(|_| background("/").bearer(&token)).collect();
    shop.decide_together(&requests).iter().for_each(|answer| answer.assert_served_to("alice"));
    assert_eq!(shop.calls(Endpoint::Introspection), 1);
}

/// I07, W10: that the endpoint refuses us is our fault; tokens that are known go on working.
#[test]
fn an_outage_touches_no_token_that_is_known() {
    let shop = shop();
    let known = shop.idp.opaque(|_| {});
    for (reply, reason) in [
        (Reply::json(401, &json!({ "error": "invalid_client" })), Reason::IntrospectionRefused),
        (Reply::json(403, &json!({})), Reason::IntrospectionRefused),
        (Reply::json(503, &json!({})), Reason::IntrospectionUnavailable),
        (Reply::nothing(), Reason::IntrospectionUnavailable),
    ] {
        assert_eq!(judged(&shop, &known), None);
        shop.idp.replies(Endpoint::Introspection, reply);
        let token = shop.idp.opaque(|_| {});
        assert_eq!((judged(&shop, &token), judged(&shop, &known)), (Some(reason), None));
        shop.idp.recovers();
        shop.script.advance(60);
        assert_eq!(judged(&shop, &token), None, "nothing of it is held against the token");
    }
}
