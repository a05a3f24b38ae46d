//! A provider that lies, stalls and breaks: each time the login ends with the reason meant, and the next one is good.

use std::sync::Arc;
use std::time::{Duration, Instant};

use integration_tests::hostile::{Edit, Endpoint, Hostile, Trick};
use integration_tests::person::Person;
use integration_tests::shop::{Shop, reason};
use integration_tests::signer::Signer;
use integration_tests::upstream::Upstream;
use serde_json::{Value, json};

fn edit(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Trick {
    let change: Edit = Arc::new(change);
    Trick::Edit(change)
}

fn json_answer(status: u16, body: &str) -> Trick {
    Trick::Answer(status, "application/json", body.into())
}

/// What a connection can do, whatever the endpoint. None of it is the provider's word.
fn broken() -> Vec<(&'static str, Trick)> {
    vec![
        ("says nothing", Trick::Stall),
        ("stops midway", Trick::StallMidway),
        ("is cut off", Trick::CutOff),
        ("is reset", Trick::Reset),
        ("is 20 MB", Trick::Flood(20_000_000)),
        ("fails", Trick::Answer(500, "text/html", "<h1>Oops</h1>".into())),
    ]
}

async fn assert_refused(shop: &Shop, what: &str, status: u16, code: &str) {
    let before = shop.upstream.seen().len();
    let mut person = Person::new();
    let answer = person.open(&shop.url("/")).await.answer;
    assert_eq!((answer.status, reason(&answer)), (status, Some(code)), "{what}: {}", shop.envoy.log());
    assert_eq!(answer.header("retry-after"), (status == 503).then_some("5"), "{what}");
    assert!(person.cookies("localhost").iter().all(|cookie| cookie.name.contains("login")), "{what}: no session");
    assert_eq!(shop.upstream.seen().len(), before, "{what}");
}

// V01 to V06, S23, G08, G09, C26
#[tokio::test(flavor = "multi_thread")]
async fn at_the_token_endpoint() {
    let elsewhere = Upstream::start().await;
    let shop = Shop::open().await;
    shop.customer().await;
    let mut cases: Vec<_> = broken().into_iter().map(|(what, trick)| (what, trick, 503, "token_unavailable")).collect();
    cases.extend([
        ("redirects", Trick::Redirect(format!("http://127.0.0.1:{}/", elsewhere.port)), 400, "token_invalid"),
        ("is HTML", Trick::Answer(200, "text/html", "<p>Welcome</p>".into()), 400, "token_invalid"),
        ("is empty", json_answer(200, ""), 400, "token_invalid"),
        ("is null", json_answer(200, "null"), 400, "token_invalid"),
        ("is a list", json_answer(200, "[]"), 400, "token_invalid"),
        ("has a BOM", json_answer(200, "\u{feff}{}"), 400, "token_invalid"),
        ("is nothing new", Trick::Answer(304, "text/plain", String::new()), 400, "token_invalid"),
        ("refuses the code", json_answer(400, r#"{"error":"invalid_grant"}"#), 400, "token_refused"),
        ("refuses us", json_answer(401, r#"{"error":"invalid_client"}"#), 503, "client_refused"),
        ("says error 5", json_answer(400, r#"{"error":5}"#), 400, "token_refused"),
        (
            "has no ID token",
            edit(|tokens| drop(tokens.as_object_mut().unwrap().remove("id_token"))),
            400,
            "id_token_missing",
        ),
        ("is another type", edit(|tokens| tokens["token_type"] = json!("mac")), 400, "token_invalid"),
        ("has an empty token", edit(|tokens| tokens["access_token"] = json!("")), 400, "token_invalid"),
        ("has a long token", edit(|tokens| tokens["access_token"] = json!("a".repeat(40_000))), 400, "token_invalid"),
        ("breaks a header", edit(|tokens| tokens["access_token"] = json!("a\r\nx-user: boss")), 400, "token_invalid"),
    ]);
    for (what, trick, status, code) in cases {
        shop.idp.play(Endpoint::Token, trick);
        assert_refused(&shop, what, status, code).await;
        shop.idp.repent();
        shop.customer().await;
    }
    assert!(elsewhere.seen().is_empty(), "D04: redirects are not followed");
}

// J01, J05, J10, J26, J30, J33, J34, J37, J39, J42, C22 as far as the host matters; all of them run natively too.
#[tokio::test(flavor = "multi_thread")]
async fn in_the_id_token() {
    type Lie = fn(&mut Value, &mut Value);
    let cases: [(&str, Lie, &str); 17] = [
        ("alg none", |header, _| header["alg"] = json!("none"), "id_token_algorithm"),
        ("alg HS256", |header, _| header["alg"] = json!("HS256"), "id_token_algorithm"),
        ("alg RS256", |header, _| header["alg"] = json!("RS256"), "id_token_key_unknown"),
        ("crit", |header, _| header["crit"] = json!(["x"]), "id_token_malformed"),
        ("typ", |header, _| header["typ"] = json!("at+jwt"), "id_token_type"),
        ("iss", |_, claims| claims["iss"] = json!("https://evil.example"), "id_token_issuer"),
        ("no iss", |_, claims| drop(claims.as_object_mut().unwrap().remove("iss")), "id_token_claims"),
        ("aud", |_, claims| claims["aud"] = json!("another"), "id_token_audience"),
        ("audiences", |_, claims| claims["aud"] = json!(["demo", "another"]), "id_token_audience"),
        ("azp", |_, claims| claims["azp"] = json!("another"), "id_token_audience"),
        ("nonce", |_, claims| claims["nonce"] = json!("another"), "nonce_mismatch"),
        ("no nonce", |_, claims| drop(claims.as_object_mut().unwrap().remove("nonce")), "nonce_mismatch"),
        ("exp", |_, claims| claims["exp"] = json!(1_000_000_000), "id_token_expired"),
        ("no exp", |_, claims| drop(claims.as_object_mut().unwrap().remove("exp")), "id_token_claims"),
        ("iat", |_, claims| claims["iat"] = json!(9_000_000_000_u64), "id_token_not_yet_valid"),
        ("sub", |_, claims| claims["sub"] = json!(""), "id_token_claims"),
        ("at_hash", |_, claims| claims["at_hash"] = json!("AAAAAAAAAAAAAAAAAAAAAA"), "access_token_hash"),
    ];
    let shop = Shop::open().await;
    for (what, lie, code) in cases {
        shop.idp.lie(lie);
        assert_refused(&shop, what, 400, code).await;
        shop.idp.repent();
        shop.customer().await;
    }
}

/// J14: by another key under the same name, at the host's own signature check and at ours.
#[tokio::test(flavor = "multi_thread")]
async fn in_the_signature() {
    for signer in [Signer::es256, Signer::rs256] {
        let shop = Shop::open_at(Hostile::start_with(signer("first")).await, |_| {}, |setup| setup).await;
        shop.customer().await;
        shop.idp.sign_with(signer("first"));
        assert_refused(&shop, "another key", 400, "id_token_signature").await;
        assert_refused(&shop, "another key again", 400, "id_token_signature").await;
        assert!(shop.idp.count(Endpoint::Jwks) <= 2, "a bad signature causes one fetch at most");
    }
}

// I06, I08, I20
#[tokio::test(flavor = "multi_thread")]
async fn at_the_userinfo_endpoint() {
    let shop = Shop::open_with(|filter| filter["defaults"]["login"]["userinfo"] = json!(true), |setup| setup).await;
    let mut cases: Vec<_> =
        broken().into_iter().map(|(what, trick)| (what, trick, 503, "userinfo_unavailable")).collect();
    cases.extend([
        ("refuses", json_answer(401, r#"{"error":"invalid_token"}"#), 400, "userinfo_refused"),
        ("is HTML", Trick::Answer(200, "text/html", "<p>You</p>".into()), 400, "userinfo_invalid"),
        ("is a list", json_answer(200, "[]"), 400, "userinfo_invalid"),
        ("is somebody else", edit(|claims| claims["sub"] = json!("person-2")), 400, "userinfo_subject_mismatch"),
    ]);
    for (what, trick, status, code) in cases {
        shop.idp.play(Endpoint::Userinfo, trick);
        assert_refused(&shop, what, status, code).await;
        shop.idp.repent();
        shop.customer().await;
    }
}

// D01, D02, D04, D10
#[tokio::test(flavor = "multi_thread")]
async fn in_the_discovery_document() {
    let elsewhere = Upstream::start().await;
    let mut cases: Vec<_> = broken().into_iter().map(|(what, trick)| (what, trick, "discovery_unavailable")).collect();
    cases.extend([
        ("redirects", Trick::Redirect(format!("http://127.0.0.1:{}/", elsewhere.port)), "discovery_unavailable"),
        ("is HTML", Trick::Answer(200, "text/html", "<p>Hello</p>".into()), "discovery_invalid"),
        ("is null", json_answer(200, "null"), "discovery_invalid"),
        (
            "is another's",
            edit(|document| document["issuer"] = json!("https://evil.example")),
            "discovery_issuer_mismatch",
        ),
        (
            "points inside",
            edit(|document| document["token_endpoint"] = json!("http://169.254.169.254/")),
            "discovery_invalid",
        ),
        (
            "runs scripts",
            edit(|document| document["authorization_endpoint"] = json!("javascript:alert(1)")),
            "discovery_invalid",
        ),
    ]);
    from_the_start(Endpoint::Discovery, cases).await;
    assert!(elsewhere.seen().is_empty());
}

// K07, K08, K13
#[tokio::test(flavor = "multi_thread")]
async fn in_the_keys() {
    let mut cases: Vec<_> = broken().into_iter().map(|(what, trick)| (what, trick, "jwks_unavailable")).collect();
    cases.extend([
        ("is HTML", Trick::Answer(200, "text/html", "<p>Keys</p>".into()), "jwks_invalid"),
        ("has no keys", json_answer(200, r#"{"keys":[]}"#), "jwks_invalid"),
        ("is a list", json_answer(200, "[]"), "jwks_invalid"),
    ]);
    from_the_start(Endpoint::Jwks, cases).await;
}

/// Documents that are fetched once: an Envoy each, which has seen nothing better, some at a time.
async fn from_the_start(endpoint: Endpoint, mut cases: Vec<(&'static str, Trick, &'static str)>) {
    while !cases.is_empty() {
        let some: Vec<_> = cases.drain(..cases.len().min(3)).map(|case| tokio::spawn(heals(endpoint, case))).collect();
        for case in some {
            case.await.unwrap();
        }
    }
}

async fn heals(endpoint: Endpoint, (what, trick, code): (&str, Trick, &str)) {
    let idp = Hostile::start_with(Signer::es256("first")).await;
    idp.play(endpoint, trick);
    let shop = Shop::open_at(idp, |filter| filter["providers"]["main"]["timeout"] = json!("1s"), |setup| setup).await;
    assert_refused(&shop, what, 503, code).await;
    shop.idp.repent();
    let back = Instant::now();
    while shop.stranger().await.status != 200 {
        assert!(back.elapsed() < Duration::from_secs(5), "{what}: not found again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

// D05: a document that is right but for a token endpoint on a host that the operator never wrote down.
#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_on_a_host_that_nobody_wrote_down_is_not_called() {
    let idp = Hostile::start_with(Signer::es256("first")).await;
    idp.edit(Endpoint::Discovery, |document| document["token_endpoint"] = json!("https://evil.example/token"));
    let shop = Shop::open_at(idp, |_| {}, |setup| setup).await;
    assert_refused(&shop, "evil.example", 503, "endpoint_without_cluster").await;
    assert_eq!(shop.idp.count(Endpoint::Token), 0);
}
