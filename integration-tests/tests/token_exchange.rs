//! The caller's token is exchanged at a real Keycloak for the one that the service gets (RFC 8693).

use std::time::Duration;

use integration_tests::api::{self, API_CLIENT, refused, verdict};
use integration_tests::envoy::Envoy;
use integration_tests::idp;
use integration_tests::keycloak_admin::KeycloakAdmin;
use integration_tests::relay::Relay;
use integration_tests::setup::Setup;
use integration_tests::shop::values;
use integration_tests::tokens::{access_token, claims, grant};
use integration_tests::upstream::Upstream;
use serde_json::json;

/// The client that users log in at.
const APP: &str = "orders-app";

#[tokio::test(flavor = "multi_thread")]
async fn the_service_gets_a_token_of_our_client() {
    let upstream = Upstream::start().await;
    let idp = idp::keycloak(&[]).await;
    let admin = KeycloakAdmin::of(&idp);
    let id_of = async |client: &str| {
        let found = admin.get(&format!("/clients?clientId={client}")).await;
        found[0]["id"].as_str().unwrap_or_else(|| panic!("no client {client}")).to_owned()
    };
    // Our client may exchange, and the caller's tokens are for it too.
    let ours = format!("/clients/{}", id_of(API_CLIENT).await);
    let mut settings = admin.get(&ours).await;
    settings["attributes"]["standard.token.exchange.enabled"] = json!("true");
    admin.send("PUT", &ours, &settings).await;
    let mapper = json!({
        "name": "for-us", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
        "config": { "included.client.audience": API_CLIENT, "access.token.claim": "true" },
    });
    admin.send("POST", &format!("/clients/{}/protocol-mappers/models", id_of(APP).await), &mapper).await;

    let mut filter = api::filter(&idp.issuer);
    api::change_rule(&mut filter, "jwt", |rule| {
        rule["token"] = json!({ "exchange": { "scope": "email" } });
    });
    let way = Relay::to(idp.port, Duration::ZERO).await;
    let setup = Setup::new().upstream(upstream.port).cluster("idp", way.port).workers(2);
    let envoy = Envoy::start(setup.filter(filter)).await;
    let discovery = idp.discovery().await;
    let log_in = async || {
        let fields =
            [("grant_type", "password"), ("username", "demo"), ("password", "demo"), ("scope", "openid email")];
        access_token(&grant(&discovery, APP, &fields).await)
    };
    let (token, other) = (log_in().await, log_in().await);
    assert_eq!(claims(&token)["azp"], json!(APP));
    for _ in 0..20 {
        assert_eq!(verdict(envoy.port, "/jwt", &token).await, api::passed(), "{}", envoy.log());
    }
    let seen = upstream.seen().pop().unwrap();
    let sent = values(&seen, "authorization")[0].strip_prefix("Bearer ").unwrap().to_owned();
    assert_ne!(sent, token);
    assert_eq!(claims(&sent)["azp"], json!(API_CLIENT), "{}", claims(&sent));
    assert_eq!(claims(&sent)["sub"], claims(&token)["sub"]);
    assert_eq!(
        values(&seen, "x-subject"),
        [claims(&token)["sub"].as_str().unwrap()],
        "the identity is the caller's own"
    );
    assert_eq!(envoy.counted("calls.token").await, 1, "one call for both workers");
    let bent = format!("{}AAAA", &token[..token.len() - 4]);
    assert_eq!(verdict(envoy.port, "/jwt", &bent).await, refused(401, "access_token_signature"));
    assert_eq!(envoy.counted("calls.token").await, 1, "nothing bad is exchanged");

    // Keycloak forbids it, and then it is gone: what is known goes on.
    settings["attributes"]["standard.token.exchange.enabled"] = json!("false");
    admin.send("PUT", &ours, &settings).await;
    let (status, reason) = verdict(envoy.port, "/jwt", &other).await;
    assert!(matches!(reason.as_deref(), Some("exchange_refused" | "grant_refused")), "{status} {reason:?}");
    way.cut().await;
    assert_eq!(verdict(envoy.port, "/jwt", &token).await, api::passed());
}
