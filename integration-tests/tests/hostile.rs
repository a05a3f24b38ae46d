//! The hostile provider does what it is told: otherwise tests that fear it prove nothing.

use std::time::{Duration, Instant};

use integration_tests::client::{ask, get};
use integration_tests::hostile::{Endpoint, Hostile, Trick};
use integration_tests::person::Person;
use integration_tests::signer::Signer;
use integration_tests::upstream::Upstream;
use serde_json::{Value, json};

/// The pair of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const DISCOVERY: &str = "/.well-known/openid-configuration";

async fn code_for(idp: &Hostile, callback: &str) -> String {
    let url = format!(
        "{}/authorize?client_id=shop&response_type=code&state=s&nonce=n&code_challenge={CHALLENGE}&redirect_uri={callback}",
        idp.issuer()
    );
    let arrived = Person::new().open(&url).await.url;
    arrived.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned()
}

async fn redeem(idp: &Hostile, code: &str, callback: &str, verifier: &str) -> (u16, Value) {
    let fields = [("code", code), ("redirect_uri", callback), ("code_verifier", verifier)];
    let answer = ask("POST", idp.port, "/token").form(&fields).send().await;
    (answer.status, answer.json())
}

fn part(jwt: &str, number: usize) -> Value {
    use base64::Engine;
    let text = jwt.split('.').nth(number).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_honest() {
    let (idp, upstream) = (Hostile::start_with(Signer::es256("k1")).await, Upstream::start().await);
    let callback = format!("http://localhost:{}/oauth/callback", upstream.port);
    let code = code_for(&idp, &callback).await;
    let (status, answer) = redeem(&idp, &code, &callback, VERIFIER).await;
    assert_eq!(status, 200);
    let token = answer["id_token"].as_str().unwrap();
    assert_eq!(part(token, 0), json!({ "alg": "ES256", "kid": "k1", "typ": "JWT" }));
    let claims = part(token, 1);
    assert_eq!((&claims["nonce"], &claims["aud"]), (&json!("n"), &json!("shop")));
    let (status, _) = redeem(&idp, &code, &callback, VERIFIER).await;
    assert_eq!(status, 400, "a code is good for once");
    assert_eq!((idp.count(Endpoint::Authorize), idp.count(Endpoint::Token)), (1, 2));
    assert_eq!(idp.calls()[1].form("code_verifier").as_deref(), Some(VERIFIER));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_minds_the_code_verifier() {
    let (idp, upstream) = (Hostile::start_with(Signer::es256("k1")).await, Upstream::start().await);
    let callback = format!("http://localhost:{}/oauth/callback", upstream.port);
    let code = code_for(&idp, &callback).await;
    assert_eq!(redeem(&idp, &code, &callback, "another").await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_lies_in_tokens_that_are_signed_well() {
    let (idp, upstream) = (Hostile::start().await, Upstream::start().await);
    let callback = format!("http://localhost:{}/oauth/callback", upstream.port);
    idp.lie(|header, claims| {
        header["kid"] = json!("other");
        claims["aud"] = json!("somebody-else");
    });
    let code = code_for(&idp, &callback).await;
    let (_, answer) = redeem(&idp, &code, &callback, VERIFIER).await;
    let token = answer["id_token"].as_str().unwrap();
    assert_eq!((&part(token, 0)["kid"], &part(token, 1)["aud"]), (&json!("other"), &json!("somebody-else")));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_what_a_test_says() {
    let idp = Hostile::start_with(Signer::es256("k1")).await;
    idp.play(Endpoint::Jwks, Trick::Answer(500, "text/html", "<p>broken</p>".into()));
    let answer = get(idp.port, "/jwks").send().await;
    assert_eq!((answer.status, answer.header("content-type")), (500, Some("text/html")));
    idp.edit(Endpoint::Discovery, |document| document["issuer"] = json!("https://evil.example"));
    assert_eq!(get(idp.port, DISCOVERY).send().await.json()["issuer"], "https://evil.example");
    idp.play(Endpoint::Discovery, Trick::Redirect("http://127.0.0.1:1/".into()));
    assert_eq!(get(idp.port, DISCOVERY).send().await.header("location"), Some("http://127.0.0.1:1/"));
    idp.play(Endpoint::Discovery, Trick::Flood(20_000_000));
    assert_eq!(get(idp.port, DISCOVERY).send().await.body.len(), 20_000_000);
    idp.repent();
    assert_eq!(get(idp.port, DISCOVERY).send().await.json()["issuer"], idp.issuer());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_breaks_connections_and_keeps_people_waiting() {
    let idp = Hostile::start_with(Signer::es256("k1")).await;
    for trick in [Trick::CutOff, Trick::Reset] {
        idp.play(Endpoint::Jwks, trick);
        assert!(get(idp.port, "/jwks").try_send().await.is_err());
    }
    idp.play(Endpoint::Jwks, Trick::Late(Duration::from_millis(300)));
    let asked = Instant::now();
    assert_eq!(get(idp.port, "/jwks").send().await.status, 200);
    assert!(asked.elapsed() >= Duration::from_millis(300));
    for trick in [Trick::Stall, Trick::StallMidway] {
        idp.play(Endpoint::Jwks, trick);
        assert!(tokio::time::timeout(Duration::from_millis(300), get(idp.port, "/jwks").try_send()).await.is_err());
    }
}
