//! Credentials that callers bring, traded at real providers: refresh tokens, passwords, client credentials.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use integration_tests::api::{AUDIENCE, passed, refused, told};
use integration_tests::client::{Ask, get};
use integration_tests::envoy::Envoy;
use integration_tests::idp::{self, CLIENT_ID, CLIENT_SECRET, Idp};
use integration_tests::setup::Setup;
use integration_tests::shop::{REASON, values};
use integration_tests::tokens::{claims, grant, log_in};
use integration_tests::upstream::Upstream;
use serde_json::{Value, json};

/// The client that both providers give tokens to for itself, and Keycloak for its users.
const APP: &str = "orders-app";

/// A gate with a rule for each grant, and one for both that Basic may be; `client` is ours.
fn filter(issuer: &str, client: &str, grants: &Value, token: &Value) -> Value {
    let rule = |name: &str, methods: &[&str]| json!({ "name": name, "match": { "path_prefix": format!("/{name}") }, "methods": methods });
    let mut client_rule = rule("client", &["client_credentials"]);
    client_rule["grants"] = grants.clone();
    json!({
        "providers": { "main": {
            "issuer": issuer, "cluster": "idp", "allow_http": true, "timeout": "3s",
            "client": { "client_id": client, "client_secret": CLIENT_SECRET },
        } },
        "defaults": {
            "token": token,
            "upstream_headers": [
                { "claim": ["sub"], "name": "x-subject" },
                { "claim": ["preferred_username"], "name": "x-user" },
            ],
        },
        "rules": [
            rule("refresh", &["refresh_token"]),
            rule("password", &["password"]),
            client_rule,
            rule("either", &["password", "client_credentials"]),
        ],
        "observability": { "reason_header": REASON },
    })
}

struct Gate {
    idp: Idp,
    upstream: Upstream,
    envoy: Envoy,
}

impl Gate {
    async fn open(idp: Idp, upstream: Upstream, filter: Value) -> Gate {
        let setup = Setup::new().upstream(upstream.port).cluster("idp", idp.port);
        let envoy = Envoy::start(setup.filter(filter)).await;
        Gate { idp, upstream, envoy }
    }

    fn basic(&self, path: &str, name: &str, secret: &str) -> Ask {
        let pair = STANDARD.encode(format!("{name}:{secret}"));
        get(self.envoy.port, path).header("authorization", format!("Basic {pair}"))
    }

    async fn by_basic(&self, path: &str, name: &str, secret: &str) -> (u16, Option<String>) {
        told(&self.basic(path, name, secret).send().await)
    }

    async fn by_refresh_token(&self, token: &str) -> (u16, Option<String>) {
        told(&get(self.envoy.port, "/refresh").header("refresh-token", token).send().await)
    }

    /// What the service saw of the last request: a bearer token, and no credential that was used.
    fn seen(&self, name: &str) -> Vec<String> {
        let seen = self.upstream.seen().pop().expect("a request");
        assert!(values(&seen, "refresh-token").is_empty());
        let token = values(&seen, "authorization").concat();
        assert!(token.starts_with("Bearer "), "{token}");
        values(&seen, name).into_iter().map(str::to_owned).collect()
    }
}

fn redirect_uri(upstream: &Upstream) -> String {
    format!("http://localhost:{}/oauth/callback", upstream.port)
}

#[tokio::test(flavor = "multi_thread")]
async fn at_keycloak() {
    let upstream = Upstream::start().await;
    let idp = idp::keycloak(&[redirect_uri(&upstream)]).await;
    let filter = filter(&idp.issuer, APP, &json!({}), &json!({ "audience": [AUDIENCE] }));
    let gate = Gate::open(idp, upstream, filter).await;

    // Twice each: asked, and remembered.
    for _ in 0..2 {
        assert_eq!(gate.by_basic("/password", "demo", "demo").await, passed());
        assert_eq!(gate.seen("x-user"), ["demo"]);
        assert_eq!(gate.by_basic("/password", "demo", "wrong").await, refused(401, "credential_refused"));
        assert_eq!(gate.by_basic("/client", APP, CLIENT_SECRET).await, passed());
        assert_eq!(gate.seen("x-user"), ["service-account-orders-app"]);
        assert_eq!(gate.by_basic("/client", APP, "wrong").await, refused(401, "credential_refused"));
        assert_eq!(gate.by_basic("/client", "nobody", "wrong").await, refused(401, "credential_refused"));
        // A client of the provider's without a right to this grant.
        assert_eq!(gate.by_basic("/client", CLIENT_ID, CLIENT_SECRET).await, refused(401, "credential_refused"));
        for (name, secret) in [("demo", "demo"), (APP, CLIENT_SECRET)] {
            assert_eq!(gate.by_basic("/either", name, secret).await, passed(), "{name}");
        }
    }

    let discovery = gate.idp.discovery().await;
    let fields = [("grant_type", "password"), ("username", "demo"), ("password", "demo"), ("scope", "openid")];
    let tokens = grant(&discovery, APP, &fields).await;
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    for _ in 0..2 {
        assert_eq!(gate.by_refresh_token(refresh_token).await, passed());
        assert_eq!(gate.seen("x-user"), ["demo"]);
        assert_eq!(gate.by_refresh_token("no.such.token").await, refused(401, "credential_refused"));
    }
    // An access token is no refresh token.
    let access_token = tokens["access_token"].as_str().unwrap();
    assert_eq!(gate.by_refresh_token(access_token).await, refused(401, "credential_refused"));
    assert_eq!(claims(access_token)["azp"], APP);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_oidc_provider() {
    let upstream = Upstream::start().await;
    let uri = redirect_uri(&upstream);
    let idp = idp::oidc_provider(std::slice::from_ref(&uri), &[]).await;
    let grants = json!({ "params": { "resource": AUDIENCE }, "scope": "api:read" });
    let mut filter = filter(&idp.issuer, CLIENT_ID, &grants, &json!({ "audience": "any" }));
    filter["rules"][2]["token"] = json!({ "audience": [AUDIENCE] });
    let gate = Gate::open(idp, upstream, filter).await;
    for _ in 0..2 {
        assert_eq!(gate.by_basic("/client", APP, CLIENT_SECRET).await, passed());
        assert_eq!(gate.by_basic("/client", APP, "wrong").await, refused(401, "credential_refused"));
        // It calls a client without a right to this grant an invalid request, as it does a parameter that it does not take.
        assert_eq!(gate.by_basic("/client", CLIENT_ID, CLIENT_SECRET).await, refused(503, "grant_refused"));
    }
    // Where nothing is asked for, it gives opaque tokens; and it knows no passwords at all.
    assert_eq!(gate.by_basic("/either", APP, CLIENT_SECRET).await, refused(503, "grant_refused"));
    assert_eq!(gate.by_basic("/password", "demo", "demo").await, refused(503, "grant_refused"));

    let tokens = log_in(&gate.idp, &uri, &[("scope", "openid")]).await;
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    for _ in 0..2 {
        assert_eq!(gate.by_refresh_token(refresh_token).await, passed());
        gate.seen("x-user");
        assert_eq!(gate.by_refresh_token("no-such-token").await, refused(401, "credential_refused"));
    }
}

// Issue 6 §5: a burst makes one call for both workers, and what is known outlives the provider.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_and_then_the_provider_is_gone() {
    let upstream = Upstream::start().await;
    let idp = idp::oidc_provider(&[redirect_uri(&upstream)], &[]).await;
    let grants = json!({ "params": { "resource": AUDIENCE }, "scope": "api:read" });
    let filter = filter(&idp.issuer, CLIENT_ID, &grants, &json!({ "audience": [AUDIENCE] }));
    let mut gate = Gate::open(idp, upstream, filter).await;
    let burst: Vec<_> = (0..200)
        .map(|_| {
            let ask = gate.basic("/client", APP, CLIENT_SECRET);
            tokio::spawn(async move { told(&ask.send().await) })
        })
        .collect();
    for one in burst {
        assert_eq!(one.await.unwrap(), passed());
    }
    assert_eq!(gate.envoy.counted("calls.token").await, 1);

    gate.idp.stop();
    let started = std::time::Instant::now();
    for at in 0..12 {
        let wrong = gate.by_basic("/client", APP, &format!("another {at}")).await;
        assert_eq!(wrong, refused(503, "token_unavailable"));
        assert_eq!(gate.by_basic("/client", APP, CLIENT_SECRET).await, passed());
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(30), "the provider is left alone while it is down");
}

// G04 over both workers, with the address that Envoy sees.
#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_counted_over_both_workers() {
    let upstream = Upstream::start().await;
    let idp = idp::oidc_provider(&[redirect_uri(&upstream)], &[]).await;
    let grants = json!({ "params": { "resource": AUDIENCE }, "scope": "api:read" });
    let mut filter = filter(&idp.issuer, CLIENT_ID, &grants, &json!({ "audience": [AUDIENCE] }));
    filter["rules"][2]["guess_limit"] = json!({ "per_user": 4, "per": "hour" });
    let gate = Gate::open(idp, upstream, filter).await;
    let mut outcomes = Vec::new();
    for at in 0..20 {
        outcomes.push(gate.by_basic("/client", APP, &format!("guess {at}")).await);
    }
    let (tried, refused_too_often) = outcomes.split_at(4);
    assert!(tried.iter().all(|outcome| *outcome == refused(401, "credential_refused")), "{tried:?}");
    assert!(refused_too_often.iter().all(|outcome| *outcome == refused(429, "guessed_too_often")));
    assert_eq!(gate.envoy.counted("calls.token").await, 4);
    assert_eq!(gate.envoy.counted("guesses.refused").await, 16);
    // Another name is none's.
    assert_eq!(gate.by_basic("/client", "other", "x").await, refused(401, "credential_refused"));
}
