//! Tokens that the gateway itself issues, in the real Envoy: two workers, two instances, no provider.

use std::time::Duration;

use integration_tests::api::{passed, refused, verdict};
use integration_tests::client::{Answer, ask, get};
use integration_tests::envoy::Envoy;
use integration_tests::random_hex;
use integration_tests::setup::Setup;
use integration_tests::shop::{REASON, reason, values};
use integration_tests::upstream::Upstream;
use serde_json::{Value, json};

struct Gate {
    upstream: Upstream,
    envoy: Envoy,
    secret: String,
}

impl Gate {
    async fn open() -> Gate {
        let (upstream, secret) = (Upstream::start().await, random_hex::<32>());
        let filter = json!({
            "rules": [{
                "name": "jobs",
                "match": { "path_prefix": "/" },
                "methods": ["gateway_token"],
                "require": { "scope": ["read"] },
                "consumer": { "by": ["consumer"] },
            }],
            "consumers": [{ "username": "acme" }],
            "gateway_tokens": {
                "issuer": "http://localhost:10000",
                "path": "/oauth/token",
                "revocation_path": "/oauth/revoke",
                "introspection_path": "/oauth/introspect",
                "secrets": [random_hex::<32>()],
                "guess_limit": { "per_user": 5, "per": "hour" },
                "clients": [
                    { "client_id": "nightly", "client_secret": secret, "scope": "read write", "consumer": "acme" },
                    { "client_id": "guessed", "client_secret": random_hex::<32>() },
                ],
            },
            "observability": { "reason_header": REASON },
        });
        let setup = Setup::new().upstream(upstream.port).workers(2).filter(filter);
        let paths = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"];
        let setup = paths.into_iter().fold(setup, Setup::bodies_at);
        Gate { upstream, envoy: Envoy::start(setup).await, secret }
    }

    async fn post(&self, path: &str, client: &str, secret: &str, fields: &[(&str, &str)]) -> Answer {
        let client = [("client_id", client), ("client_secret", secret)];
        let fields: Vec<_> = fields.iter().copied().chain(client).collect();
        ask("POST", self.envoy.port, path).host("localhost:10000").form(&fields).send().await
    }

    async fn granted(&self, scope: &str) -> Value {
        let fields = [("grant_type", "client_credentials"), ("scope", scope)];
        let answer = self.post("/oauth/token", "nightly", &self.secret, &fields).await;
        assert_eq!((answer.status, reason(&answer)), (200, Some("gateway_token_issued")), "{}", self.envoy.log());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        answer.json()
    }

    async fn token(&self, scope: &str) -> String {
        self.granted(scope).await["access_token"].as_str().unwrap().to_owned()
    }

    async fn verdict(&self, token: &str) -> (u16, Option<String>) {
        verdict(self.envoy.port, "/orders", token).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_gets_a_token_uses_it_and_gives_it_back() {
    let gate = Gate::open().await;
    let answer = get(gate.envoy.port, "/.well-known/oauth-authorization-server").host("localhost:10000").send().await;
    assert_eq!(answer.json()["token_endpoint"], json!("http://localhost:10000/oauth/token"));

    let answer = gate.granted("read").await;
    assert_eq!((&answer["token_type"], &answer["scope"]), (&json!("Bearer"), &json!("read")));
    let token = answer["access_token"].as_str().unwrap();
    // Whichever worker and instance issued it, every worker opens it.
    for _ in 0..20 {
        assert_eq!(gate.verdict(token).await, passed());
    }
    let seen = gate.upstream.seen().pop().unwrap();
    assert_eq!(values(&seen, "x-consumer-username"), ["acme"]);
    assert!(values(&seen, "authorization").is_empty(), "the token stays here");
    assert_eq!(gate.verdict(&gate.token("write").await).await, refused(403, "scope_missing"));
    let mut bent = token.to_owned();
    let last = if bent.pop() == Some('A') { 'B' } else { 'A' };
    bent.push(last);
    assert_eq!(gate.verdict(&bent).await, refused(401, "gateway_token_unreadable"));

    let said = gate.post("/oauth/introspect", "nightly", &gate.secret, &[("token", token)]).await.json();
    assert_eq!((&said["active"], &said["client_id"]), (&json!(true), &json!("nightly")));
    let answer = gate.post("/oauth/revoke", "nightly", &gate.secret, &[("token", token)]).await;
    assert_eq!((answer.status, reason(&answer)), (200, Some("gateway_served")));
    // The other worker knows it within 250 ms.
    tokio::time::sleep(Duration::from_millis(600)).await;
    for _ in 0..20 {
        assert_eq!(gate.verdict(token).await, refused(401, "access_token_revoked"));
    }
    let said = gate.post("/oauth/introspect", "nightly", &gate.secret, &[("token", token)]).await.json();
    assert_eq!(said, json!({ "active": false }));
    assert_eq!(gate.verdict(&gate.token("read").await).await, passed());
    gate.envoy.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_guessed_at_a_few_times_over_both_workers() {
    let gate = Gate::open().await;
    let fields = [("grant_type", "client_credentials")];
    let mut told = Vec::new();
    for _ in 0..20 {
        let answer = gate.post("/oauth/token", "guessed", "wrong", &fields).await;
        told.push(answer.status);
    }
    assert_eq!(told.iter().filter(|status| **status == 401).count(), 5, "{told:?}");
    assert_eq!(told.iter().filter(|status| **status == 429).count(), 15, "{told:?}");
    // Another client is nobody's victim.
    assert_eq!(gate.verdict(&gate.token("read").await).await, passed());
}
