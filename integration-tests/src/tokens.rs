//! Tokens of the real providers: what their clients ask for, and what people bring from a login outside the gate.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use url::Url;

use crate::client::{self, Answer};
use crate::idp::{CLIENT_ID, CLIENT_SECRET, Idp};
use crate::person::Person;

/// The pair of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The authorization request of the client `demo`, which does all that it should, with further parameters.
pub fn authorization(discovery: &Value, redirect_uri: &str, further: &[(&str, &str)]) -> Url {
    let mut url = Url::parse(discovery["authorization_endpoint"].as_str().expect("an endpoint")).expect("a URL");
    url.query_pairs_mut()
        .extend_pairs([
            ("client_id", CLIENT_ID),
            ("response_type", "code"),
            ("redirect_uri", redirect_uri),
            ("state", "some-state"),
            ("nonce", "some-nonce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ])
        .extend_pairs(further);
    url
}

/// A field of a URL's query.
pub fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// Posts a form to an endpoint as a client. All clients of ours have the same secret.
pub async fn post(discovery: &Value, endpoint: &str, client: &str, fields: &[(&str, &str)]) -> Answer {
    let url = Url::parse(discovery[endpoint].as_str().expect("an endpoint")).expect("a URL");
    let port = url.port().expect("a port");
    let basic = STANDARD.encode(format!("{client}:{CLIENT_SECRET}"));
    let ask = client::ask("POST", port, url.path()).host(format!("127.0.0.1:{port}"));
    ask.header("authorization", format!("Basic {basic}")).form(fields).send().await
}

/// What the token endpoint grants to a client.
///
/// # Panics
/// When it refuses.
pub async fn grant(discovery: &Value, client: &str, fields: &[(&str, &str)]) -> Value {
    let answer = post(discovery, "token_endpoint", client, fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Logs the user `demo` in through the provider's own form and redeems the code, with further parameters for both steps.
/// Something has to listen at the redirect URI.
pub async fn log_in(idp: &Idp, redirect_uri: &str, further: &[(&str, &str)]) -> Value {
    let discovery = idp.discovery().await;
    let page = Person::new().log_in(authorization(&discovery, redirect_uri, further).as_str(), "demo", "demo").await;
    assert!(page.url.as_str().starts_with(redirect_uri), "{} {}", page.url, page.answer.text());
    assert_eq!(query(&page.url, "state").as_deref(), Some("some-state"));
    // RFC 9207
    assert_eq!(query(&page.url, "iss"), Some(idp.issuer.clone()));
    let code = query(&page.url, "code").expect("a code");
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    fields.extend(further.iter().filter(|(name, _)| *name == "resource"));
    grant(&discovery, CLIENT_ID, &fields).await
}

/// The access token in a token answer.
///
/// # Panics
/// When there is none.
pub fn access_token(answer: &Value) -> String {
    answer["access_token"].as_str().expect("an access token").to_owned()
}

/// The header of a JWT, of which nothing is proven.
pub fn header(jwt: &str) -> Value {
    part(jwt, 0)
}

/// The claims of a JWT, of which nothing is proven.
pub fn claims(jwt: &str) -> Value {
    part(jwt, 1)
}

fn part(jwt: &str, number: usize) -> Value {
    let text = jwt.split('.').nth(number).expect("a part");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).expect("base64url")).expect("JSON")
}
