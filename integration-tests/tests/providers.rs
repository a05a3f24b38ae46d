//! The identity providers themselves, so that a login that fails later is not their fault.

use integration_tests::browser::Browser;
use integration_tests::idp::{self, CLIENT_ID, CLIENT_SECRET, Idp};
use integration_tests::person::Person;
use integration_tests::upstream::Upstream;
use integration_tests::{client, ports};
use serde_json::Value;
use url::Url;

/// The pair of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The authorization request of a client that does all it should.
fn authorization(discovery: &Value, redirect_uri: &str, scope: &str) -> Url {
    let mut url = Url::parse(discovery["authorization_endpoint"].as_str().unwrap()).unwrap();
    url.query_pairs_mut().extend_pairs([
        ("client_id", CLIENT_ID),
        ("response_type", "code"),
        ("scope", scope),
        ("redirect_uri", redirect_uri),
        ("state", "some-state"),
        ("nonce", "some-nonce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    url
}

fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// Asks the token endpoint as the client `demo`.
async fn tokens(discovery: &Value, fields: &[(&str, &str)]) -> client::Answer {
    let url = Url::parse(discovery["token_endpoint"].as_str().unwrap()).unwrap();
    let basic =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{CLIENT_ID}:{CLIENT_SECRET}"));
    let port = url.port().unwrap();
    let ask = client::ask("POST", port, url.path()).host(format!("127.0.0.1:{port}"));
    ask.header("authorization", format!("Basic {basic}")).form(fields).send().await
}

fn claims(jwt: &str) -> Value {
    let payload = jwt.split('.').nth(1).unwrap();
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// Logs in through the provider's own form and redeems the code.
async fn log_in(idp: &Idp, redirect_uri: &str, scope: &str) -> (Value, Value) {
    let discovery = idp.discovery().await;
    let mut person = Person::new();
    let page = person.log_in(authorization(&discovery, redirect_uri, scope).as_str(), "demo", "demo").await;
    assert!(page.url.as_str().starts_with(redirect_uri), "{} {}", page.url, page.answer.text());
    assert_eq!(query(&page.url, "state").as_deref(), Some("some-state"));
    // RFC 9207
    assert_eq!(query(&page.url, "iss"), Some(idp.issuer.clone()));
    let code = query(&page.url, "code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    let answer = tokens(&discovery, &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    (discovery, answer.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_logs_in_at_oidc_provider() {
    let upstream = Upstream::start().await;
    let redirect_uri = format!("http://localhost:{}/oauth/callback", upstream.port);
    let idp = idp::oidc_provider(std::slice::from_ref(&redirect_uri), &[("ID_TOKEN_ALG", "ES256")]).await;
    let (discovery, answer) = log_in(&idp, &redirect_uri, "openid profile email").await;
    let claims = claims(answer["id_token"].as_str().unwrap());
    assert_eq!((&claims["preferred_username"], &claims["nonce"]), (&"demo".into(), &"some-nonce".into()));
    assert_eq!(claims["groups"], serde_json::json!(["staff", "editors"]));
    for endpoint in ["introspection_endpoint", "revocation_endpoint", "end_session_endpoint"] {
        assert!(discovery[endpoint].is_string(), "{endpoint}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_provider_rotates_refresh_tokens() {
    let upstream = Upstream::start().await;
    let redirect_uri = format!("http://localhost:{}/oauth/callback", upstream.port);
    let idp = idp::oidc_provider(std::slice::from_ref(&redirect_uri), &[]).await;
    let (discovery, first) = log_in(&idp, &redirect_uri, "openid").await;
    let used = first["refresh_token"].as_str().expect("a refresh token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", used)];
    let second = tokens(&discovery, &fields).await;
    assert_eq!(second.status, 200);
    assert_ne!(second.json()["refresh_token"], used);
    let again = tokens(&discovery, &fields).await;
    assert_eq!((again.status, again.json()["error"].as_str().map(str::to_owned)), (400, Some("invalid_grant".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_provider_refuses_a_wrong_password() {
    let redirect_uri = format!("http://localhost:{}/oauth/callback", ports::free());
    let idp = idp::oidc_provider(std::slice::from_ref(&redirect_uri), &[]).await;
    let start = authorization(&idp.discovery().await, &redirect_uri, "openid");
    let page = Person::new().log_in(start.as_str(), "demo", "wrong").await;
    assert_eq!(page.answer.status, 401);
    assert!(page.answer.text().contains("User name or password is wrong."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_logs_in_at_keycloak() {
    let upstream = Upstream::start().await;
    let redirect_uri = format!("http://localhost:{}/oauth/callback", upstream.port);
    let idp = idp::keycloak(std::slice::from_ref(&redirect_uri)).await;
    let (_, answer) = log_in(&idp, &redirect_uri, "openid profile email").await;
    let claims = claims(answer["id_token"].as_str().unwrap());
    assert_eq!((&claims["preferred_username"], &claims["nonce"]), (&"demo".into(), &"some-nonce".into()));
    let mut groups: Vec<_> = claims["groups"].as_array().unwrap().iter().map(|group| group.as_str().unwrap()).collect();
    groups.sort_unstable();
    assert_eq!(groups, ["editors", "staff"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_logs_in_at_oidc_provider() {
    let upstream = Upstream::start().await;
    let redirect_uri = format!("http://localhost:{}/oauth/callback", upstream.port);
    let idp = idp::oidc_provider(std::slice::from_ref(&redirect_uri), &[]).await;
    let browser = Browser::start().await;
    browser.open(authorization(&idp.discovery().await, &redirect_uri, "openid").as_str()).await;
    browser.find("input[name=username]").await.fill("demo").await;
    browser.find("input[name=password]").await.fill("demo").await;
    browser.screenshot("login-oidc-provider").await;
    browser.find("button[type=submit]").await.click().await;
    browser.arrive(&redirect_uri).await;
    assert!(query(&Url::parse(&browser.url().await).unwrap(), "code").is_some());
}
