//! Real access tokens of Keycloak at the gate of an API. Keycloak takes its time to start, so one test holds them all.

use std::time::{Duration, Instant};

use integration_tests::api::{self, AUDIENCE, passed, refused, verdict};
use integration_tests::envoy::Envoy;
use integration_tests::idp::{self, Idp};
use integration_tests::keycloak_admin::KeycloakAdmin;
use integration_tests::setup::Setup;
use integration_tests::shop::values;
use integration_tests::tokens::{access_token, claims, grant, header, log_in};
use integration_tests::upstream::Upstream;
use serde_json::{Value, json};

/// The client whose tokens say everything.
const APP: &str = "orders-app";
/// The client whose tokens say next to nothing ("lightweight").
const LIGHT: &str = "orders-light";

struct Gate {
    idp: Idp,
    discovery: Value,
    upstream: Upstream,
    envoy: Envoy,
}

impl Gate {
    async fn token_of(&self, client: &str, user: &str) -> String {
        let fields = [("grant_type", "password"), ("username", user), ("password", user), ("scope", "openid email")];
        access_token(&grant(&self.discovery, client, &fields).await)
    }

    async fn verdict(&self, path: &str, token: &str) -> (u16, Option<String>) {
        verdict(self.envoy.port, path, token).await
    }
}

fn filter(issuer: &str) -> Value {
    let mut filter = api::filter(issuer);
    let rule = |name: &str, claim: &[&str], wanted: &str| {
        json!({ "name": name, "match": { "path": format!("/jwt/{name}") }, "methods": ["bearer"],
            "require": { "roles": { "claim": claim, "any_of": [wanted] } },
            "upstream_headers": [{ "claim": claim, "name": "x-roles" }] })
    };
    let mut rules = vec![
        rule("staff", &["realm_access", "roles"], "staff"),
        rule("admins", &["realm_access", "roles"], "admin"),
        rule("editors", &["resource_access", "demo", "roles"], "editor"),
        json!({ "name": "grouped", "match": { "path": "/jwt/grouped" }, "methods": ["bearer"],
            "require": { "groups": { "claim": ["groups"], "any_of": [["staff", "editors"]] } } }),
        json!({ "name": "enriched", "match": { "path": "/jwt/enriched" }, "methods": ["bearer"],
            "enrich": ["introspection"],
            "require": { "roles": { "claim": ["realm_access", "roles"], "source": "introspection", "any_of": ["staff"] } },
            "upstream_headers": [{ "claim": ["groups"], "name": "x-groups" }] }),
        json!({ "name": "asked", "match": { "path": "/opaque/staff" }, "methods": ["introspection"],
            "require": { "roles": { "claim": ["realm_access", "roles"], "any_of": ["staff"] } } }),
    ];
    rules.append(filter["rules"].as_array_mut().unwrap());
    filter["rules"] = json!(rules);
    filter
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_keycloak() {
    let upstream = Upstream::start().await;
    let redirect_uri = format!("http://localhost:{}/oauth/callback", upstream.port);
    let idp = idp::keycloak(std::slice::from_ref(&redirect_uri)).await;
    let setup = Setup::new().upstream(upstream.port).cluster("idp", idp.port);
    let envoy = Envoy::start(setup.filter(filter(&idp.issuer))).await;
    let discovery = idp.discovery().await;
    let gate = Gate { idp, discovery, upstream, envoy };

    roles_and_groups_decide(&gate).await;
    only_tokens_for_this_api_pass(&gate, &redirect_uri).await;
    light_tokens_are_asked_about(&gate).await;
    keys_turn_while_requests_run(&gate).await;
}

async fn roles_and_groups_decide(gate: &Gate) {
    let (demo, guest) = (gate.token_of(APP, "demo").await, gate.token_of(APP, "guest").await);
    for (path, guests) in [("staff", "role_missing"), ("editors", "role_missing"), ("grouped", "group_missing")] {
        let path = format!("/jwt/{path}");
        assert_eq!(gate.verdict(&path, &demo).await, passed(), "{path} {}", claims(&demo));
        assert_eq!(gate.verdict(&path, &guest).await, refused(403, guests), "{path}");
    }
    // A01, A02
    assert_eq!(gate.verdict("/jwt/admins", &demo).await, refused(403, "role_missing"));
    assert_eq!(gate.verdict("/jwt", &guest).await, passed());
    gate.verdict("/jwt/editors", &demo).await;
    assert_eq!(values(&gate.upstream.seen().pop().unwrap(), "x-roles"), ["editor"]);
}

async fn only_tokens_for_this_api_pass(gate: &Gate, redirect_uri: &str) {
    let answer = log_in(&gate.idp, redirect_uri, &[("scope", "openid")]).await;
    // The client `demo` has an audience mapper of its own, for itself.
    let elsewhere = access_token(&answer);
    assert!(!claims(&elsewhere)["aud"].to_string().contains(AUDIENCE));
    assert_eq!(gate.verdict("/jwt", &elsewhere).await, refused(401, "access_token_audience"));
    // J40: Keycloak says `typ: ID` among the claims.
    let id_token = answer["id_token"].as_str().unwrap();
    assert_eq!(gate.verdict("/jwt", id_token).await, refused(401, "access_token_type"));
    // Its refresh tokens are JWTs too, signed with a secret of its own.
    let refresh_token = answer["refresh_token"].as_str().unwrap();
    assert_eq!(gate.verdict("/jwt", refresh_token).await, refused(401, "access_token_algorithm"));
}

async fn light_tokens_are_asked_about(gate: &Gate) {
    let (demo, guest) = (gate.token_of(LIGHT, "demo").await, gate.token_of(LIGHT, "guest").await);
    assert_eq!(claims(&demo).get("realm_access"), None, "no light token: {}", claims(&demo));
    assert_eq!(gate.verdict("/jwt/staff", &demo).await, refused(403, "role_missing"));
    for path in ["/jwt/enriched", "/opaque/staff"] {
        // Twice: asked, and remembered.
        for _ in 0..2 {
            assert_eq!(gate.verdict(path, &demo).await, passed(), "{path} {}", claims(&demo));
        }
        assert_eq!(gate.verdict(path, &guest).await, refused(403, "role_missing"), "{path}");
    }
    gate.verdict("/jwt/enriched", &demo).await;
    let seen = gate.upstream.seen().pop().unwrap();
    let mut groups: Vec<_> = values(&seen, "x-groups")[0].split(',').collect();
    groups.sort_unstable();
    assert_eq!(groups, ["editors", "staff"]);
}

/// Clients come with the newest token that they have while an operator makes a new key and then takes the old one away.
/// K10.
async fn keys_turn_while_requests_run(gate: &Gate) {
    let old = gate.token_of(APP, "demo").await;
    assert_eq!(gate.verdict("/jwt", &old).await, passed());
    let admin = KeycloakAdmin::of(&gate.idp);
    let before = keys(&admin).await;
    let turned = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        add_key(&admin).await;
    };
    let requests = async {
        let (began, mut kids, mut since) = (Instant::now(), Vec::new(), 0);
        // Until enough of them have come with the new key.
        while since < 20 {
            assert!(began.elapsed() < Duration::from_secs(120), "the new key is not used");
            let token = gate.token_of(APP, "demo").await;
            let kid = header(&token)["kid"].to_string();
            for token in [&token, &old] {
                assert_eq!(gate.verdict("/jwt", token).await, passed(), "kid {kid} of {kids:?}");
            }
            if !kids.contains(&kid) {
                kids.push(kid);
            }
            since += usize::from(kids.len() > 1);
        }
    };
    tokio::join!(turned, requests);

    // The old key goes: that is nothing to tokens of the new one.
    for key in before {
        remove_key(&admin, &key).await;
    }
    let new = gate.token_of(APP, "demo").await;
    for _ in 0..10 {
        assert_eq!(gate.verdict("/jwt", &new).await, passed());
    }
}

/// The components that make RSA keys for signatures.
async fn keys(admin: &KeycloakAdmin) -> Vec<String> {
    let found = admin.get("/components?type=org.keycloak.keys.KeyProvider").await;
    let found = found.as_array().expect("a list").iter().filter(|key| key["providerId"] == "rsa-generated");
    found.map(|key| key["id"].as_str().expect("an id").to_owned()).collect()
}

/// A new key that is used from now on.
async fn add_key(admin: &KeycloakAdmin) {
    let key = json!({
        "name": "newer", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
        "config": { "priority": ["1000"], "enabled": ["true"], "active": ["true"], "algorithm": ["RS256"] },
    });
    let ask = admin.ask("POST", "/components").await.header("content-type", "application/json");
    let answer = ask.body(key.to_string()).send().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

async fn remove_key(admin: &KeycloakAdmin, id: &str) {
    let answer = admin.ask("DELETE", &format!("/components/{id}")).await.send().await;
    assert_eq!(answer.status, 204, "{}", answer.text());
}
