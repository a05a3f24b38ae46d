//! The identity providers themselves, so that a login that fails later is not their fault.

use integration_tests::browser::Browser;
use integration_tests::idp::{self, CLIENT_ID};
use integration_tests::person::Person;
use integration_tests::ports;
use integration_tests::tokens::{self, authorization, claims, log_in, query};
use integration_tests::upstream::Upstream;
use url::Url;

const EVERYTHING: [(&str, &str); 1] = [("scope", "openid profile email")];
const LITTLE: [(&str, &str); 1] = [("scope", "openid")];

#[tokio::test(flavor = "multi_thread")]
async fn a_person_logs_in_at_oidc_provider() {
    let upstream = Upstream::start().await;
    let redirect_uri = format!("http://localhost:{}/oauth/callback", upstream.port);
    let idp = idp::oidc_provider(std::slice::from_ref(&redirect_uri), &[("ID_TOKEN_ALG", "ES256")]).await;
    let answer = log_in(&idp, &redirect_uri, &EVERYTHING).await;
    let claims = claims(answer["id_token"].as_str().unwrap());
    assert_eq!((&claims["preferred_username"], &claims["nonce"]), (&"demo".into(), &"some-nonce".into()));
    assert_eq!(claims["groups"], serde_json::json!(["staff", "editors"]));
    let discovery = idp.discovery().await;
    for endpoint in ["introspection_endpoint", "revocation_endpoint", "end_session_endpoint"] {
        assert!(discovery[endpoint].is_string(), "{endpoint}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_provider_rotates_refresh_tokens() {
    let upstream = Upstream::start().await;
    let redirect_uri = format!("http://localhost:{}/oauth/callback", upstream.port);
    let idp = idp::oidc_provider(std::slice::from_ref(&redirect_uri), &[]).await;
    let first = log_in(&idp, &redirect_uri, &LITTLE).await;
    let discovery = idp.discovery().await;
    let used = first["refresh_token"].as_str().expect("a refresh token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", used)];
    let second = tokens::post(&discovery, "token_endpoint", CLIENT_ID, &fields).await;
    assert_eq!(second.status, 200);
    assert_ne!(second.json()["refresh_token"], used);
    let again = tokens::post(&discovery, "token_endpoint", CLIENT_ID, &fields).await;
    assert_eq!((again.status, again.json()["error"].as_str().map(str::to_owned)), (400, Some("invalid_grant".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_provider_refuses_a_wrong_password() {
    let redirect_uri = format!("http://localhost:{}/oauth/callback", ports::free());
    let idp = idp::oidc_provider(std::slice::from_ref(&redirect_uri), &[]).await;
    let start = authorization(&idp.discovery().await, &redirect_uri, &LITTLE);
    let page = Person::new().log_in(start.as_str(), "demo", "wrong").await;
    assert_eq!(page.answer.status, 401);
    assert!(page.answer.text().contains("User name or password is wrong."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_logs_in_at_keycloak() {
    let upstream = Upstream::start().await;
    let redirect_uri = format!("http://localhost:{}/oauth/callback", upstream.port);
    let idp = idp::keycloak(std::slice::from_ref(&redirect_uri)).await;
    let answer = log_in(&idp, &redirect_uri, &EVERYTHING).await;
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
    browser.open(authorization(&idp.discovery().await, &redirect_uri, &LITTLE).as_str()).await;
    browser.find("input[name=username]").await.fill("demo").await;
    browser.find("input[name=password]").await.fill("demo").await;
    browser.screenshot("login-oidc-provider").await;
    browser.find("button[type=submit]").await.click().await;
    browser.arrive(&redirect_uri).await;
    assert!(query(&Url::parse(&browser.url().await).unwrap(), "code").is_some());
}
