//! What refused callers of an API are told: every row of conformance section 9 but those of DPoP.

use crate::support::*;

/// Status, challenge, and when to come again.
fn told(answer: &Answer) -> (u16, Vec<String>, Option<String>) {
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    (answer.status(), answer.all("www-authenticate"), answer.header("retry-after"))
}

fn challenge(rest: &str) -> Vec<String> {
    vec![format!(r#"Bearer realm="shop.example.com"{rest}"#)]
}

fn api() -> Shop {
    Shop::api(json!({ "require": { "scope": ["read audit:all"] } }))
}

/// W1 (RFC 6750 §3.1), B07, B16, W11: who shows nothing that is looked for has made no error.
#[test]
fn w1_and_w11_no_credential() {
    let shop = api();
    let good = shop.idp.jwt(|claims| claims["scope"] = json!("read audit:all"));
    let expected = (401, challenge(r#", scope="read audit:all""#), None);
    for request in [
        background("/"),
        get("/"),
        background("/").with("authorization", "Basic YWxpY2U6c2VjcmV0"),
        background("/").with("authorization", "Negotiate abc"),
        background("/").with("authorization", "Bearerx"),
        background("/").with("authorization", "Bearer:x"),
        background("/").with("authorization", format!("DPoP {good}")),
    ] {
        let answer = shop.decide(&request);
        assert_eq!((answer.reason(), told(&answer)), (Some(Reason::AccessTokenRequired), expected.clone()));
    }
    shop.decide(&background("/").bearer(&good)).assert_served_to("alice");
}

/// W2 (RFC 6750 §2, §3.1, RFC 9110 §11.6.2), B02 (CVE-2026-26308), B12.
#[test]
fn w2_no_single_token() {
    let shop = Shop::api(json!({}));
    let good = shop.idp.jwt(|_| {});
    let line = |value: String| background("/").with("authorization", value);
    let twice = |first: &str, second: &str| background("/").bearer(first).bearer(second);
    for (request, reason) in [
        (twice(&good, "bad"), Reason::CredentialRepeated),
        (twice("bad", &good), Reason::CredentialRepeated),
        (twice(&good, &good), Reason::CredentialRepeated),
        (background("/").bearer(&good).with("authorization", "Basic YQ=="), Reason::CredentialRepeated),
        (line(format!("Bearer {good}, Bearer {good}")), Reason::CredentialMalformed),
        (line("Bearer".to_owned()), Reason::CredentialMalformed),
        (line("Bearer ".to_owned()), Reason::CredentialMalformed),
        (line(format!("Bearer \"{good}\"")), Reason::CredentialMalformed),
        (line(format!("Bearer {good}%20")), Reason::CredentialMalformed),
        (line(format!("Bearer {good}é")), Reason::CredentialMalformed),
        (line(format!("Bearer {good}\0")), Reason::CredentialMalformed),
    ] {
        let answer = shop.decide(&request);
        assert_eq!(answer.reason(), Some(reason), "{:?}", request.headers);
        assert_eq!(told(&answer), (400, challenge(r#", error="invalid_request""#), None));
    }
    // B03: the scheme has no case, and more than one space may follow it.
    for scheme in ["Bearer ", "bearer ", "BEARER ", "Bearer    "] {
        shop.decide(&line(format!("{scheme}{good}"))).assert_served_to("alice");
    }
}

/// B02: what is no text is no token.
#[test]
fn w2_bytes_beyond_ascii() {
    let shop = Shop::api(json!({}));
    let answer = shop.decide(&background("/").with("authorization", b"Bearer \xff\xfe"));
    assert_eq!(answer.reason(), Some(Reason::CredentialMalformed));
    assert_eq!(told(&answer).0, 400);
}

/// W3 (RFC 6750 §3.1): one code for all that is wrong with a token, described in fixed words.
#[test]
fn w3_a_bad_token() {
    let shop = Shop::api(json!({}));
    let now = shop.now().as_secs();
    for (token, reason, words) in [
        (shop.idp.jwt(|claims| claims["exp"] = json!(now - 60)), Reason::AccessTokenExpired, "expired"),
        (shop.idp.jwt(|claims| claims["aud"] = json!("other")), Reason::AccessTokenAudience, "audience"),
        (shop.idp.jwt(|claims| claims["iss"] = json!("https://x.example")), Reason::AccessTokenIssuer, "issuer"),
        (shop.idp.jwt_with(|header| header["typ"] = json!("logout+jwt"), |_| {}), Reason::AccessTokenType, "type"),
        ("opaque".to_owned(), Reason::AccessTokenMalformed, "malformed"),
    ] {
        let answer = shop.decide(&background("/").bearer(&token));
        assert_eq!(answer.reason(), Some(reason));
        let rest = format!(r#", error="invalid_token", error_description="access token {words}""#);
        assert_eq!(told(&answer), (401, challenge(&rest), None));
    }
    let bound = shop.idp.jwt(|claims| claims["cnf"] = json!({ "jkt": "x" }));
    let answer = shop.decide(&background("/").bearer(&bound));
    let rest = r#", error="invalid_token", error_description="binding unsupported""#;
    assert_eq!(told(&answer), (401, challenge(rest), None));
    shop.decide(&background("/").bearer(&shop.idp.jwt(|_| {}))).assert_served_to("alice");
}

/// W4 (RFC 6750 §3.1), B09: a good token that grants too little is forbidden, not unauthorized.
#[test]
fn w4_too_little_scope() {
    let shop = api();
    for scope in ["read", "audit:all", "readaudit:all", "READ audit:all", ""] {
        let token = shop.idp.jwt(|claims| claims["scope"] = json!(scope));
        let answer = shop.decide(&background("/").bearer(&token));
        assert_eq!(answer.reason(), Some(Reason::ScopeMissing));
        let rest = r#", error="insufficient_scope", scope="read audit:all""#;
        assert_eq!(told(&answer), (403, challenge(rest), None));
    }
    let token = shop.idp.jwt(|claims| claims["scope"] = json!("other audit:all read"));
    shop.decide(&background("/").bearer(&token)).assert_served_to("alice");
}

/// W5, A10: what no other token of the caller's would mend has no challenge.
#[test]
fn w5_a_claim_that_is_refused() {
    let shop = Shop::api(json!({ "require": { "claims": [{ "claim": ["tier"], "equals": "gold" }] } }));
    let answer = shop.decide(&background("/").bearer(&shop.idp.jwt(|claims| claims["tier"] = json!("iron"))));
    assert_eq!((answer.reason(), told(&answer)), (Some(Reason::ClaimRefused), (403, vec![], None)));
    let token = shop.idp.jwt(|claims| claims["tier"] = json!("gold"));
    shop.decide(&background("/").bearer(&token)).assert_served_to("alice");
}

/// W8 (RFC 9470 §3), B19.
#[test]
fn w8_too_weak_or_too_old() {
    let shop =
        Shop::api(json!({ "token": { "audience": ["api"], "acr_values": ["gold", "silver"], "max_age": "10m" } }));
    let now = shop.now().as_secs();
    let token = |acr: &str, ago: u64| {
        shop.idp.jwt(|claims| {
            claims["acr"] = json!(acr);
            claims["auth_time"] = json!(now - ago);
        })
    };
    for (token, reason, words) in [
        (token("iron", 0), Reason::AuthenticationWeak, "authentication weak"),
        (token("gold", 631), Reason::AuthenticationOld, "authentication old"),
    ] {
        let answer = shop.decide(&get("/").bearer(&token));
        assert_eq!(answer.reason(), Some(reason));
        let rest = format!(
            r#", error="insufficient_user_authentication", error_description="{words}", acr_values="gold silver", max_age="600""#
        );
        assert_eq!(told(&answer), (401, challenge(&rest), None));
    }
    shop.decide(&get("/").bearer(&token("silver", 600))).assert_served_to("alice");
}

/// W9 (RFC 6585 §4).
#[test]
fn w9_too_often() {
    let shop = Shop::api(json!({ "rate_limit": { "default": 1, "per": "second" } }));
    let request = background("/").bearer(&shop.idp.jwt(|_| {}));
    shop.decide(&request).assert_served_to("alice");
    let answer = shop.decide(&request);
    assert_eq!((answer.reason(), told(&answer)), (Some(Reason::RateLimited), (429, vec![], Some("1".to_owned()))));
}

/// W10: a provider that is away logs nobody out, and lets nobody in.
#[test]
fn w10_nobody_to_ask() {
    let down = |methods: Value, endpoint| {
        let shop = Shop::api(json!({ "methods": methods }));
        shop.idp.replies(endpoint, Reply::nothing());
        shop
    };
    for (methods, endpoint, reason) in [
        (json!(["bearer"]), Endpoint::Jwks, Reason::JwksUnavailable),
        (json!(["bearer"]), Endpoint::Discovery, Reason::DiscoveryUnavailable),
        (json!(["introspection"]), Endpoint::Introspection, Reason::IntrospectionUnavailable),
        (json!(["userinfo"]), Endpoint::Userinfo, Reason::UserinfoUnavailable),
    ] {
        let shop = down(methods, endpoint);
        let request = background("/").bearer(&shop.idp.jwt(|_| {}));
        for _ in 0..2 {
            let answer = shop.decide(&request);
            assert_eq!((answer.reason(), told(&answer)), (Some(reason), (503, vec![], Some("5".to_owned()))));
        }
        shop.idp.recovers();
        shop.script.advance(120);
        shop.decide(&background("/").bearer(&shop.idp.jwt(|_| {}))).assert_served_to("alice");
    }
}

/// S10 (RFC 9728 §5.1): every challenge says where the resource's metadata are.
#[test]
fn challenges_say_where_the_metadata_are() {
    let resource = json!({ "audience": ["api"], "resource": "https://api.example.com/v1" });
    let shop = Shop::api(json!({ "token": resource, "require": { "scope": ["admin"] } }));
    let ends = r#", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/v1""#;
    for (request, rest) in [
        (background("/"), r#", scope="admin""#),
        (background("/").bearer("a").bearer("b"), r#", error="invalid_request""#),
        (background("/").bearer("x"), r#", error="invalid_token", error_description="access token malformed""#),
        (background("/").bearer(&shop.idp.jwt(|_| {})), r#", error="insufficient_scope", scope="admin""#),
    ] {
        assert_eq!(shop.decide(&request).all("www-authenticate"), challenge(&format!("{rest}{ends}")));
    }
}
