use super::*;
use crate::jose::testing::{ec_jwk, header, token};
use crate::provider::testing::*;
use crate::words::Algorithm::{self, EdDsa, Es256, Hs256};
use crate::world::script::Script;
use crate::world::{CallError, Host};
use serde_json::{Value, json};

/// What `main` publishes; `None` while it is down.
type Published = Rc<RefCell<Option<String>>>;

fn serving() -> (Script, Published) {
    let (script, published) = (Script::new(), Rc::new(RefCell::new(Some(jwks(&[main_key()])))));
    let keys = Rc::clone(&published);
    script.answer(move |_| keys.borrow().clone().map(json_answer).ok_or(CallError::NoAnswer));
    (script, published)
}

fn shop() -> (Script, Published, Worker) {
    let (script, published) = serving();
    let worker = Worker::new(&script, &config(|_| {}));
    (script, published, worker)
}

fn with_header(script: &Script, header: &str) -> String {
    token(EdDsa, header, &claims(script, &json!({})).to_string())
}

#[test]
fn a_token_is_verified_once_and_known_from_then_on() {
    let (script, _, worker) = shop();
    let good = access_token(&script, &json!({ "plan": "gold", "salary": 7, "scp": ["a", "b"], "azp": "app" }));
    for _ in 0..5 {
        let token = worker.verify(&good).unwrap();
        assert_eq!((&*token.issuer, token.subject.as_deref(), &*token.scope), (ISSUER, Some("alice"), "a b"));
        assert_eq!(token.judge(&for_api()).unwrap().as_deref(), Some("app"));
        assert_eq!(token.claims.get("plan"), Some(&json!("gold")));
        assert_eq!(token.claims.get("salary"), None, "what no rule reads is not kept");
    }
    assert_eq!(script.calls(), ["GET /jwks"]);
    assert_eq!((script.counted(Metric::TokensVerified), script.counted(Metric::TokensCached)), (1, 4));
}

// J58 (CVE-2026-35039)
#[test]
fn a_verdict_is_never_shared_with_a_token_that_begins_alike() {
    let (script, _, worker) = shop();
    let (good, other) = (access_token(&script, &json!({})), access_token(&script, &json!({ "sub": "bob" })));
    let (message, _) = good.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    assert_eq!(worker.refuses(&good), None);
    assert_eq!(worker.refuses(&format!("{message}.{signature}")), Some(Reason::AccessTokenSignature));
    assert_eq!(worker.refuses(&good), None);
}

// J59
#[test]
fn a_known_token_is_known_until_its_end_and_no_longer_than_configured() {
    let (script, _, worker) = shop();
    let good = access_token(&script, &json!({}));
    assert_eq!(worker.refuses(&good), None);
    script.advance(299);
    assert_eq!(worker.refuses(&good), None);
    assert_eq!(script.counted(Metric::TokensVerified), 1);
    script.advance(1);
    assert_eq!(worker.refuses(&good), None);
    assert_eq!(script.counted(Metric::TokensVerified), 2, "older than cache.tokens.max_age");
    script.advance(300);
    assert_eq!(worker.refuses(&good), None, "within the skew");
    script.advance(1);
    assert_eq!(worker.refuses(&good), None, "within the skew");
    assert_eq!(script.counted(Metric::TokensVerified), 4, "past its end nothing is served from memory");
    script.advance(30);
    assert_eq!(worker.refuses(&good), Some(Reason::AccessTokenExpired));
}

// W09: the host's time goes back.
#[test]
fn a_known_token_is_judged_anew_when_time_goes_back() {
    let (script, _, worker) = shop();
    let good = access_token(&script, &json!({}));
    assert_eq!(worker.refuses(&good), None);
    script.turn_back(3600);
    assert_eq!(worker.refuses(&good), Some(Reason::AccessTokenNotYetValid));
}

// K10: what a withdrawn key signed is not believed any more; what a key signed that stays is not verified again.
#[test]
fn a_known_token_goes_with_its_key() {
    for (keys, expected) in [
        (vec![main_key(), ec_jwk(Es256, r#","kid":"next""#)], None),
        (vec![ec_jwk(Es256, r#","kid":"next""#)], Some(Reason::AccessTokenKeyUnknown)),
    ] {
        let (script, published, worker) = shop();
        let good = access_token(&script, &json!({}));
        assert_eq!(worker.refuses(&good), None);
        *published.borrow_mut() = Some(jwks(&keys));
        let next = token(Es256, r#"{"alg":"ES256","kid":"next"}"#, &claims(&script, &json!({})).to_string());
        assert_eq!(worker.refuses(&next), None, "an unknown name brings the new set");
        assert_eq!(worker.refuses(&good), expected);
        assert_eq!(worker.refuses(&good), expected);
        assert_eq!(script.counted(Metric::TokensVerified), 2);
        assert_eq!(script.calls(), ["GET /jwks", "GET /jwks"]);
    }
}

// J09, K3: strangers make unknown names for nothing.
#[test]
fn unknown_keys_are_looked_for_once_in_a_while() {
    let (script, _, worker) = shop();
    let unknown = |name: &str| with_header(&script, &format!(r#"{{"alg":"EdDSA","kid":{}}}"#, json!(name)));
    for name in ["../../dev/null", "' OR 1=1", "\0", "🔑", &"k".repeat(8000), "a", "b", "c"] {
        assert_eq!(worker.refuses(&unknown(name)), Some(Reason::AccessTokenKeyUnknown), "{name:?}");
    }
    assert_eq!(script.calls().len(), 2, "the first fetch, and one more");
    script.advance(30);
    for name in ["d", "e"] {
        assert_eq!(worker.refuses(&unknown(name)), Some(Reason::AccessTokenKeyUnknown));
    }
    assert_eq!(script.calls().len(), 3);
    assert_eq!(worker.refuses(&access_token(&script, &json!({}))), None);
}

// J09: other types than text, and a header beyond all measure.
#[test]
fn a_name_that_is_no_text_is_refused_before_any_call() {
    let (script, _, worker) = shop();
    for kid in ["7", "null", "{}", &json!("k".repeat(65_536)).to_string()] {
        let token = with_header(&script, &format!(r#"{{"alg":"EdDSA","kid":{kid}}}"#));
        assert_eq!(worker.refuses(&token), Some(Reason::AccessTokenMalformed));
    }
    assert_eq!(script.calls().len(), 0);
}

#[test]
fn a_wrong_signature_under_a_known_name_makes_no_call() {
    let (script, _, worker) = shop();
    let good = access_token(&script, &json!({}));
    assert_eq!(worker.refuses(&good), None);
    let (_, signature) = good.rsplit_once('.').unwrap();
    for jti in 0..20 {
        let other = access_token(&script, &json!({ "jti": jti }));
        let (message, _) = other.rsplit_once('.').unwrap();
        assert_eq!(worker.refuses(&format!("{message}.{signature}")), Some(Reason::AccessTokenSignature));
    }
    assert_eq!(script.calls(), ["GET /jwks"]);
}

// J06, J07, J08 (CVE-2018-0114, RFC 8725 §3.10)
#[test]
fn a_token_brings_no_key_of_its_own() {
    let (script, _, worker) = shop();
    let jwk = ec_jwk(Es256, "");
    for member in [
        format!(r#""jwk":{jwk}"#),
        r#""jku":"https://evil.example/jwks""#.to_owned(),
        r#""x5u":"https://evil.example/x5u""#.to_owned(),
        r#""x5c":["MIIB"]"#.to_owned(),
    ] {
        let header = format!(r#"{{"alg":"ES256","kid":"mine",{member}}}"#);
        let forged = token(Es256, &header, &claims(&script, &json!({})).to_string());
        assert_eq!(worker.refuses(&forged), Some(Reason::AccessTokenKeyUnknown), "{member}");
    }
    assert!(script.calls().iter().all(|call| call == "GET /jwks"));
    // The same members beside the name of the provider's own key do no harm.
    let header = format!(r#"{{"alg":"EdDSA","kid":"ed","jwk":{jwk}}}"#);
    assert_eq!(worker.refuses(&with_header(&script, &header)), None);
}

// J33, J44
#[test]
fn each_provider_s_keys_verify_its_own_issuer_alone() {
    let (script, _, worker) = shop();
    let of_other = |algorithm: Algorithm| {
        token(algorithm, &header(algorithm), &claims(&script, &json!({ "iss": OTHER })).to_string())
    };
    assert_eq!(worker.verify(&of_other(Es256)).unwrap().provider, 1);
    // A rule of the first provider alone, also when the token is known already.
    assert_eq!(worker.verify_among(&of_other(Es256), &[0]).err(), Some(Reason::AccessTokenIssuer));
    // The other's name under the first one's key.
    assert_eq!(worker.refuses(&of_other(EdDsa)), Some(Reason::AccessTokenKeyUnknown));
    for iss in [json!("https://idp.example/"), json!("https://IDP.example"), json!("https://idp.exampl"), json!("")] {
        let token = access_token(&script, &json!({ "iss": iss }));
        assert_eq!(worker.refuses(&token), Some(Reason::AccessTokenIssuer), "{iss}");
    }
    for iss in [json!([ISSUER]), json!(7), Value::Null] {
        let token = access_token(&script, &json!({ "iss": iss }));
        assert_eq!(worker.refuses(&token), Some(Reason::AccessTokenClaims), "{iss}");
    }
    assert_eq!(script.calls().len(), 0, "no key was asked for");
    assert_eq!(worker.refuses(&access_token(&script, &json!({}))), None);
}

// K14: one name for two keys, of two providers.
#[test]
fn a_key_s_name_is_its_provider_s_own() {
    let (script, _) = serving();
    let same_name: Value = serde_json::from_str(&jwks(&[ec_jwk(Es256, r#","kid":"ed""#)])).unwrap();
    let worker = Worker::new(&script, &config(|config| config["providers"]["other"]["jwks"] = same_name));
    let by = |algorithm: &str, key: Algorithm, issuer: &str| {
        let header = format!(r#"{{"alg":"{algorithm}","kid":"ed"}}"#);
        token(key, &header, &claims(&script, &json!({ "iss": issuer })).to_string())
    };
    // Either one first, and known from then on: no verdict and no key passes from one to the other.
    for _ in 0..2 {
        assert_eq!(worker.refuses(&by("EdDSA", EdDsa, ISSUER)), None);
        assert_eq!(worker.refuses(&by("ES256", Es256, OTHER)), None);
        assert_eq!(worker.refuses(&by("EdDSA", EdDsa, OTHER)), Some(Reason::AccessTokenKeyUnknown));
        assert_eq!(worker.refuses(&by("ES256", Es256, ISSUER)), Some(Reason::AccessTokenKeyUnknown));
    }
}

// J01, J26, J29, J30, J40, J41: a stranger's junk makes nobody fetch keys.
#[test]
fn what_costs_nothing_is_judged_before_any_call() {
    let (script, _, worker) = shop();
    let now = script.now().as_secs();
    for (change, expected) in [
        (json!({ "exp": now - 31 }), Reason::AccessTokenExpired),
        (json!({ "exp": null }), Reason::AccessTokenClaims),
        (json!({ "exp": "9999999999" }), Reason::AccessTokenClaims),
        (json!({ "nbf": now + 31 }), Reason::AccessTokenNotYetValid),
        (json!({ "iat": now + 61 }), Reason::AccessTokenNotYetValid),
        (json!({ "nonce": "n-0S6_WzA2Mj" }), Reason::AccessTokenType),
        (json!({ "typ": "Refresh" }), Reason::AccessTokenType),
        (json!({ "events": {} }), Reason::AccessTokenType),
    ] {
        assert_eq!(worker.refuses(&access_token(&script, &change)), Some(expected), "{change}");
    }
    let hmac = token(Hs256, &header(Hs256), &claims(&script, &json!({})).to_string());
    assert_eq!(worker.refuses(&hmac), Some(Reason::AccessTokenAlgorithm));
    for name in ["none", "None", "nOnE", ""] {
        let none = with_header(&script, &format!(r#"{{"alg":"{name}","kid":"ed"}}"#));
        assert_eq!(worker.refuses(&none), Some(Reason::AccessTokenAlgorithm), "{name}");
        let (message, _) = none.rsplit_once('.').unwrap();
        assert!(matches!(
            worker.refuses(&format!("{message}.")),
            Some(Reason::AccessTokenAlgorithm | Reason::AccessTokenMalformed)
        ));
    }
    assert_eq!(script.calls().len(), 0);
    assert_eq!(worker.refuses(&access_token(&script, &json!({}))), None);
}

// J34, J39: claims of a wrong type are never absent.
#[test]
fn claims_of_a_wrong_type_are_refused() {
    let (script, _, worker) = shop();
    for change in [
        json!({ "aud": 7 }),
        json!({ "aud": ["api", 7] }),
        json!({ "aud": [["api"]] }),
        json!({ "aud": {} }),
        json!({ "sub": 7 }),
        json!({ "sub": "" }),
        json!({ "sub": "a\nb" }),
        json!({ "scope": 7 }),
    ] {
        assert_eq!(worker.refuses(&access_token(&script, &change)), Some(Reason::AccessTokenClaims), "{change}");
    }
    assert_eq!(worker.refuses(&access_token(&script, &json!({ "sub": null, "aud": null }))), None);
}

// B13 (CVE-2025-64527), E04
#[test]
fn while_keys_cannot_be_fetched_all_wait_for_one_call() {
    let (script, published, worker) = shop();
    let down = published.borrow_mut().take();
    let tokens: Vec<String> = (0..5).map(|at| access_token(&script, &json!({ "jti": at }))).collect();
    let world = script.world();
    let verified = together(
        &script,
        tokens.iter().map(|token| Box::pin(worker.tokens.verify(&world, token, &[0])) as _).collect(),
    );
    for outcome in verified {
        assert_eq!(why(outcome), Some(Reason::JwksUnavailable));
    }
    assert_eq!(script.calls(), ["GET /jwks"]);
    assert_eq!(worker.refuses(&tokens[0]), Some(Reason::JwksUnavailable), "in the pause nobody asks");
    assert_eq!(script.calls().len(), 1);
    *published.borrow_mut() = down;
    script.advance(2);
    assert_eq!(worker.refuses(&tokens[0]), None);
}

// W10: the key may be out already, and only we cannot get at it.
#[test]
fn an_unknown_key_is_nobody_s_fault_while_the_provider_is_down() {
    let (script, published, worker) = shop();
    let (good, new) = (access_token(&script, &json!({})), with_header(&script, r#"{"alg":"EdDSA","kid":"new"}"#));
    assert_eq!(worker.refuses(&good), None);
    published.borrow_mut().take();
    for _ in 0..3 {
        assert_eq!(worker.refuses(&new), Some(Reason::JwksUnavailable));
        assert_eq!(worker.refuses(&good), None, "known tokens go on");
    }
    assert_eq!(worker.refuses(&access_token(&script, &json!({ "jti": 1 }))), None, "keys at hand go on");
    assert_eq!(script.calls().len(), 2);
}

// The demand of idps.md: ADFS, Entra v1 tokens, many tenants.
#[test]
fn further_issuers_are_taken_as_configured_and_a_tenant_must_be_its_own() {
    const TENANTS: &str = "https://login.example/{tenantid}/v2.0";
    let (script, _) = serving();
    let config = config(|config| {
        config["providers"]["main"]["accepted_issuers"] = json!(["idp.example", TENANTS]);
    });
    let worker = Worker::new(&script, &config);
    let judged = |iss: &str, tid: &Value| worker.verify(&access_token(&script, &json!({ "iss": iss, "tid": tid })));
    let token = judged("idp.example", &Value::Null).unwrap();
    assert_eq!((&*token.issuer, token.provider), ("idp.example", 0));
    let own = "https://login.example/0a-1B/v2.0";
    assert_eq!(&*judged(own, &json!("0a-1B")).unwrap().issuer, own);
    for (iss, tid) in [
        (own, json!("0b")),
        (own, json!(["0a-1B"])),
        (own, Value::Null),
        ("https://login.example//v2.0", json!("")),
        ("https://login.example/a/b/v2.0", json!("a/b")),
        ("https://login.example/{tenantid}/v2.0", json!("{tenantid}")),
        ("https://login.example/0a-1B/v2.0/", json!("0a-1B")),
        ("https://login.example/v2.0", json!("")),
    ] {
        assert_eq!(judged(iss, &tid).err(), Some(Reason::AccessTokenIssuer), "{iss} {tid}");
    }
}

// J34, J35, J36, J42, I21 (RFC 9068 §4)
#[test]
fn a_rule_has_its_say_each_time() {
    let (script, _, worker) = shop();
    let judged = |header: &str, change: &Value, rules: &config::TokenRules| {
        let token = token(EdDsa, header, &claims(&script, change).to_string());
        why(worker.verify(&token).unwrap().judge(rules))
    };
    let plain = header(EdDsa);
    for (aud, expected) in [
        (json!("api"), None),
        (json!(["x", "y", "api"]), None),
        (Value::Null, Some(Reason::AccessTokenAudience)),
        (json!(""), Some(Reason::AccessTokenAudience)),
        (json!([]), Some(Reason::AccessTokenAudience)),
        (json!("api/v2"), Some(Reason::AccessTokenAudience)),
        (json!("ap"), Some(Reason::AccessTokenAudience)),
    ] {
        assert_eq!(judged(&plain, &json!({ "aud": aud }), &for_api()), expected, "{aud}");
    }
    let any = config::TokenRules { audience: None, ..for_api() };
    assert_eq!(judged(&plain, &json!({ "aud": null }), &any), None);
    let bound = json!({ "cnf": { "jkt": "x" } });
    assert_eq!(judged(&plain, &bound, &for_api()), Some(Reason::BindingUnsupported));

    let strict = config::TokenRules { types: vec![Some("at+jwt".to_owned())], ..for_api() };
    let typed = |typ: &str| judged(&format!(r#"{{"alg":"EdDSA","kid":"ed","typ":"{typ}"}}"#), &json!({}), &strict);
    for typ in ["at+jwt", "AT+jwt", "application/at+jwt"] {
        assert_eq!(typed(typ), None, "{typ}");
    }
    for typ in ["JWT", "jwt+at", ""] {
        assert_eq!(typed(typ), Some(Reason::AccessTokenType), "{typ}");
    }
    assert_eq!(judged(&plain, &json!({}), &strict), Some(Reason::AccessTokenType));
}

#[test]
fn the_first_claim_that_is_there_names_the_client() {
    let (script, _, worker) = shop();
    let client = |change: &Value| worker.verify(&access_token(&script, change)).unwrap().judge(&for_api());
    let named = |change: &Value| client(change).unwrap().as_deref().map(str::to_owned);
    assert_eq!(named(&json!({ "appid": "d", "azp": "b" })).as_deref(), Some("b"));
    assert_eq!(named(&json!({ "client_id": "a", "azp": "b" })).as_deref(), Some("a"));
    assert_eq!(named(&json!({ "cid": "c" })).as_deref(), Some("c"));
    assert_eq!(named(&json!({})), None);
    assert_eq!(why(client(&json!({ "client_id": 7, "azp": "b" }))), Some(Reason::AccessTokenClaims));
}

// E03
#[test]
fn a_hundred_thousand_tokens_stay_within_the_bound() {
    let (script, _) = serving();
    script.believe_signatures();
    let worker = Worker::new(&script, &config(|config| config["cache"] = json!({ "tokens": { "entries": 100 } })));
    let good = token(Es256, &header(Es256), &claims(&script, &json!({ "iss": OTHER })).to_string());
    let (_, signature) = good.rsplit_once('.').unwrap();
    let world = script.world();
    for jti in 0..100_000_u32 {
        let claims = claims(&script, &json!({ "iss": OTHER, "jti": jti }));
        let message = token_message(&header(Es256), &claims.to_string());
        let verified = script.run(worker.tokens.verify(&world, &format!("{message}.{signature}"), &[1])).unwrap();
        assert!(verified.is_ok());
        assert!(worker.tokens.known.borrow().len() <= 100);
    }
    assert_eq!(script.counted(Metric::TokensVerified), 100_000);
}

fn token_message(header: &str, claims: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

// A token with claims far larger than an entry counts as several.
#[test]
fn large_claims_weigh_what_they_are() {
    let (script, _) = serving();
    let worker = Worker::new(&script, &config(|config| config["cache"] = json!({ "tokens": { "entries": 20 } })));
    for jti in 0..20 {
        let large = access_token(&script, &json!({ "plan": "x".repeat(8000), "jti": jti }));
        assert_eq!(worker.refuses(&large), None);
    }
    assert!(worker.tokens.known.borrow().len() <= 5, "{}", worker.tokens.known.borrow().len());
}

#[test]
fn no_cache_where_none_is_configured() {
    let (script, _) = serving();
    let none = json!({ "tokens": { "max_age": "0s" } });
    let worker = Worker::new(&script, &config(|config| config["cache"] = none));
    let good = access_token(&script, &json!({}));
    for _ in 0..3 {
        assert_eq!(worker.refuses(&good), None);
    }
    assert_eq!((script.counted(Metric::TokensVerified), script.counted(Metric::TokensCached)), (3, 0));
}

// J21, J22, J45
#[test]
fn the_form_of_a_jwt_is_three_parts_and_a_header_with_alg() {
    let script = Script::new();
    let good = access_token(&script, &json!({}));
    assert!(AccessTokens::is_jwt(&good));
    let (message, _) = good.rsplit_once('.').unwrap();
    assert!(AccessTokens::is_jwt(&format!("{message}.")), "unsigned, and refused as such");
    let (_, payload) = message.split_once('.').unwrap();
    for opaque in [
        "",
        "opaque",
        "a.b",
        "a.b.c",
        "..",
        message,
        &format!("{good}.x"),
        &format!("{good}.x.y"),
        &format!("{good} "),
        &format!("{good}="),
        &format!("e30.{payload}.x"),
        &format!("W10.{payload}.x"),
        r#"{"payload":"x"}"#,
    ] {
        assert!(!AccessTokens::is_jwt(opaque), "{opaque}");
    }
}
