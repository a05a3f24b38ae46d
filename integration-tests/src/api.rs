//! An API with a gate: a configuration for access tokens, and requests that carry them.

use serde_json::{Value, json};

use crate::client::{self, Answer, Ask};
use crate::envoy::Envoy;
use crate::hostile::Hostile;
use crate::idp::CLIENT_SECRET;
use crate::setup::Setup;
use crate::shop::{REASON, Shop, reason};
use crate::upstream::Upstream;

/// What tokens for this API name in `aud`.
pub const AUDIENCE: &str = "https://api.example.com";
/// The API's own name at the providers, by which it asks about tokens; its secret is that of the demo client.
pub const API_CLIENT: &str = "orders-api";

/// A filter for access tokens of `issuer`, reached by the cluster `idp`: JWTs at `/jwt`, any token by introspection at
/// `/opaque`, whichever it is at `/both`, by userinfo at `/person`, and everybody at `/public`.
pub fn filter(issuer: &str) -> Value {
    let rule = |name: &str, methods: &[&str]| json!({ "name": name, "match": { "path_prefix": format!("/{name}") }, "methods": methods });
    json!({
        "providers": { "main": {
            "issuer": issuer,
            "cluster": "idp",
            "allow_http": true,
            "timeout": "2s",
            "client": { "client_id": API_CLIENT, "client_secret": CLIENT_SECRET },
        }},
        "defaults": {
            "token": { "audience": [AUDIENCE] },
            "upstream_headers": [
                { "claim": ["sub"], "name": "x-subject" },
                { "claim": ["client_id"], "name": "x-client" },
            ],
        },
        "rules": [
            { "name": "public", "match": { "path_prefix": "/public" }, "allow": "anonymous" },
            rule("jwt", &["bearer"]),
            rule("opaque", &["introspection"]),
            rule("both", &["bearer", "introspection"]),
            { "name": "person", "match": { "path_prefix": "/person" }, "methods": ["userinfo"], "token": null },
        ],
        "observability": { "reason_header": REASON },
    })
}

/// Changes one of the rules.
///
/// # Panics
/// When there is none of this name.
pub fn change_rule(filter: &mut Value, name: &str, change: impl FnOnce(&mut Value)) {
    let rules = filter["rules"].as_array_mut().expect("a list of rules");
    change(rules.iter_mut().find(|rule| rule["name"] == name).unwrap_or_else(|| panic!("no rule {name}")));
}

/// Opens an API at a provider that does what a test says.
pub async fn open(idp: Hostile, change: impl FnOnce(&mut Value), refine: impl FnOnce(Setup) -> Setup) -> Shop {
    let upstream = Upstream::start().await;
    let setup = refine(Setup::new().upstream(upstream.port).cluster("idp", idp.port));
    let mut configuration = filter(&idp.issuer());
    change(&mut configuration);
    let envoy = Envoy::start(setup.filter(configuration)).await;
    Shop { idp, upstream, envoy }
}

/// A request with a token where most have it.
pub fn with_token(port: u16, path: &str, token: &str) -> Ask {
    client::get(port, path).header("authorization", format!("Bearer {token}"))
}

/// Sends a token and gives back the status and the filter's reason, if the answer is the filter's.
pub async fn verdict(port: u16, path: &str, token: &str) -> (u16, Option<String>) {
    told(&with_token(port, path, token).send().await)
}

/// The status of an answer and the filter's reason, if the answer is the filter's.
pub fn told(answer: &Answer) -> (u16, Option<String>) {
    (answer.status, reason(answer).map(str::to_owned))
}

/// What [`verdict`] gives for a request that passed.
pub fn passed() -> (u16, Option<String>) {
    (200, None)
}

/// What [`verdict`] gives for a refusal.
pub fn refused(status: u16, reason: &str) -> (u16, Option<String>) {
    (status, Some(reason.to_owned()))
}
