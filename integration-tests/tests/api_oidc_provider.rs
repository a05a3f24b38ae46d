//! Real access tokens of oidc-provider at the gate of an API: JWTs in every algorithm, and opaque ones.

use std::time::{Duration, Instant};

use integration_tests::api::{self, API_CLIENT, AUDIENCE, passed, refused, verdict, with_token};
use integration_tests::envoy::Envoy;
use integration_tests::idp::{self, Idp};
use integration_tests::setup::Setup;
use integration_tests::shop::values;
use integration_tests::tokens::{access_token, grant, header, log_in, post};
use integration_tests::upstream::Upstream;
use serde_json::{Value, json};

/// The client that gets tokens for itself.
const APP: &str = "orders-app";

struct Gate {
    idp: Idp,
    discovery: Value,
    upstream: Upstream,
    envoy: Envoy,
}

impl Gate {
    async fn open(change: impl FnOnce(&mut Value)) -> Gate {
        Gate::open_at(Upstream::start().await, &[], change).await
    }

    async fn open_at(upstream: Upstream, settings: &[(&str, &str)], change: impl FnOnce(&mut Value)) -> Gate {
        let idp = idp::oidc_provider(&[redirect_uri(&upstream)], settings).await;
        let setup = Setup::new().upstream(upstream.port).cluster("idp", idp.port);
        let mut filter = api::filter(&idp.issuer);
        change(&mut filter);
        let envoy = Envoy::start(setup.filter(filter)).await;
        let discovery = idp.discovery().await;
        Gate { idp, discovery, upstream, envoy }
    }

    /// A token of the application for the API, in a form that a path of the resource says.
    async fn token(&self, resource: &str) -> String {
        let fields = [("grant_type", "client_credentials"), ("resource", resource), ("scope", "api:read")];
        access_token(&grant(&self.discovery, APP, &fields).await)
    }

    async fn verdict(&self, path: &str, token: &str) -> (u16, Option<String>) {
        verdict(self.envoy.port, path, token).await
    }
}

fn redirect_uri(upstream: &Upstream) -> String {
    format!("http://localhost:{}/oauth/callback", upstream.port)
}

fn form(name: &str) -> String {
    format!("{AUDIENCE}/{name}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_passes_in_every_algorithm() {
    let gate = Gate::open(|filter| filter["providers"]["main"]["signing_algs"] = json!(ALL)).await;
    for alg in ALL {
        let token = gate.token(&form(alg)).await;
        assert_eq!(header(&token)["alg"], alg);
        // Twice: fresh, and as it is remembered.
        for _ in 0..2 {
            assert_eq!(gate.verdict("/jwt", &token).await, passed(), "{alg}");
        }
        let seen = gate.upstream.seen().pop().unwrap();
        assert_eq!((values(&seen, "x-client"), values(&seen, "authorization")), (vec![APP], vec![]), "{alg}");
        // J14: one character of the signature.
        let (rest, signature) = token.rsplit_once('.').unwrap();
        let turned = if signature.starts_with('A') { "B" } else { "A" };
        let forged = format!("{rest}.{turned}{}", &signature[1..]);
        assert_eq!(gate.verdict("/jwt", &forged).await, refused(401, "access_token_signature"), "{alg}");
    }
    // J03: the provider really signs with the secret that the API shares with it, and still nobody asked for that.
    let symmetric = gate.token(&form("HS256")).await;
    assert_eq!(gate.verdict("/jwt", &symmetric).await, refused(401, "access_token_algorithm"));
}

/// What oidc-provider signs with, but for secrets.
const ALL: [&str; 11] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];

#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_is_only_for_whom_it_was_made() {
    let gate = Gate::open(|filter| {
        // As an ID token has it: its audience is the client.
        let own = json!({ "name": "own", "match": { "path_prefix": "/own" }, "methods": ["bearer"],
            "token": { "audience": [idp::CLIENT_ID, AUDIENCE] } });
        filter["rules"].as_array_mut().unwrap().insert(0, own);
        api::change_rule(filter, "jwt", |rule| rule["require"] = json!({ "scope": ["api:read"] }));
    })
    .await;
    let good = gate.token(AUDIENCE).await;
    assert_eq!(gate.verdict("/jwt", &good).await, passed());
    // I04 for JWTs: the same in all but `aud`.
    let others = gate.token("https://other.example.com").await;
    assert_eq!(gate.verdict("/jwt", &others).await, refused(401, "access_token_audience"));
    // J40, by a real login (RFC 9068 §5, RFC 8725 §3.12).
    let answer = log_in(&gate.idp, &redirect_uri(&gate.upstream), &[("scope", "openid")]).await;
    let id_token = answer["id_token"].as_str().unwrap();
    assert_eq!(gate.verdict("/own", id_token).await, refused(401, "access_token_type"));
    assert_eq!(gate.verdict("/own", &good).await, passed());
    // B15: an opaque token is not asked about where JWTs alone are taken.
    assert_eq!(gate.verdict("/jwt", &access_token(&answer)).await, refused(401, "access_token_malformed"));
    assert_eq!(gate.envoy.counted("calls.introspection").await, 0);
    // B09
    let fields = [("grant_type", "client_credentials"), ("resource", AUDIENCE), ("scope", "api:write")];
    let writing = access_token(&grant(&gate.discovery, APP, &fields).await);
    let answer = with_token(gate.envoy.port, "/jwt", &writing).send().await;
    assert_eq!(api::told(&answer), refused(403, "scope_missing"));
    assert_eq!(
        answer.header("www-authenticate"),
        Some(r#"Bearer realm="oidc", error="insufficient_scope", scope="api:read""#)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn opaque_tokens_are_asked_about() {
    let gate = Gate::open(|filter| filter["cache"] = json!({ "introspection": { "max_age": "2s" } })).await;
    for path in ["/opaque", "/both"] {
        let token = gate.token(&form("opaque")).await;
        assert!(!token.contains('.'), "an opaque token");
        assert_eq!(gate.verdict(path, &token).await, passed());
        assert_eq!(values(&gate.upstream.seen().pop().unwrap(), "x-client"), [APP]);
        let others = gate.token("https://other.example.com/opaque").await;
        assert_eq!(gate.verdict(path, &others).await, refused(401, "access_token_audience"));
        let never = "never-issued";
        assert_eq!(gate.verdict(path, never).await, refused(401, "access_token_inactive"));
    }
    // B14: a JWT where introspection alone decides: oidc-provider knows its opaque tokens only.
    let jwt = gate.token(AUDIENCE).await;
    assert_eq!(gate.verdict("/opaque", &jwt).await, refused(401, "access_token_inactive"));
    assert_eq!(gate.verdict("/both", &jwt).await, passed());

    // I10
    let token = gate.token(&form("opaque")).await;
    for _ in 0..4 {
        assert_eq!(gate.verdict("/opaque", &token).await, passed());
    }
    let revoked = post(&gate.discovery, "revocation_endpoint", APP, &[("token", &token)]).await;
    assert_eq!(revoked.status, 200);
    let since = Instant::now();
    while gate.verdict("/opaque", &token).await == passed() {
        assert!(since.elapsed() < Duration::from_secs(4), "a revoked token goes on working");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(gate.verdict("/opaque", &token).await, refused(401, "access_token_inactive"));
}

// RFC 9701, I13, I14
#[tokio::test(flavor = "multi_thread")]
async fn answers_about_tokens_may_be_signed() {
    let signed = |alg: &'static str| {
        move |filter: &mut Value| {
            let main = &mut filter["providers"]["main"];
            main["introspection_accept"] = json!("jwt");
            main["client"]["introspection_signed_response_alg"] = json!(alg);
        }
    };
    let gate = Gate::open_at(Upstream::start().await, &[("ID_TOKEN_ALG", "ES256")], signed("ES256")).await;
    let token = gate.token(&form("opaque")).await;
    assert_eq!(gate.verdict("/opaque", &token).await, passed());
    assert_eq!(gate.verdict("/opaque", "never-issued").await, refused(401, "access_token_inactive"));

    // The same provider, of whom another algorithm is expected.
    let mut filter = api::filter(&gate.idp.issuer);
    signed("PS256")(&mut filter);
    let setup = Setup::new().upstream(gate.upstream.port).cluster("idp", gate.idp.port);
    let envoy = Envoy::start(setup.filter(filter)).await;
    assert_eq!(verdict(envoy.port, "/opaque", &token).await, refused(503, "introspection_invalid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn userinfo_speaks_for_people() {
    let gate = Gate::open(|filter| {
        filter["cache"] = json!({ "userinfo": { "max_age": "2s" } });
        api::change_rule(filter, "person", |rule| {
            rule["upstream_headers"] = json!([{ "claim": ["email"], "name": "x-email" }]);
            rule["require"] = json!({ "email_domains": ["example.com"] });
        });
    })
    .await;
    let redirect_uri = redirect_uri(&gate.upstream);
    let answer = log_in(&gate.idp, &redirect_uri, &[("scope", "openid email")]).await;
    let token = access_token(&answer);
    for _ in 0..2 {
        assert_eq!(gate.verdict("/person", &token).await, passed());
    }
    assert_eq!(values(&gate.upstream.seen().pop().unwrap(), "x-email"), ["demo@example.com"]);
    // One that is for another resource, and none at all.
    let elsewhere = gate.token(&form("opaque")).await;
    assert_eq!(gate.verdict("/person", &elsewhere).await, refused(401, "access_token_inactive"));
    assert_eq!(gate.verdict("/person", "never-issued").await, refused(401, "access_token_inactive"));
    // Without the scope, the claim is not told.
    let silent = access_token(&log_in(&gate.idp, &redirect_uri, &[("scope", "openid")]).await);
    assert_eq!(gate.verdict("/person", &silent).await, refused(403, "email_refused"));
    // A JWT is a token like any other, and userinfo does not take it.
    let jwt = gate.token(AUDIENCE).await;
    assert_eq!(gate.verdict("/person", &jwt).await, refused(401, "access_token_inactive"));
}

/// The provider knows the API under its name, and the API's secret is what opens introspection.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_with_a_wrong_secret_is_told_so_and_its_callers_are_not() {
    let gate = Gate::open(|filter| filter["providers"]["main"]["client"]["client_secret"] = json!("of-another")).await;
    let token = gate.token(&form("opaque")).await;
    let answer = with_token(gate.envoy.port, "/opaque", &token).send().await;
    // I07, W10
    assert_eq!(api::told(&answer), refused(503, "introspection_refused"));
    assert_eq!((answer.header("retry-after"), answer.header("www-authenticate")), (Some("5"), None));
    assert!(gate.envoy.log().contains("introspection_refused"), "{API_CLIENT} has to hear of it");
}
