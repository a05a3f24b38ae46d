//! Configurations of the filter as a resource server.

use integration_tests::random_hex;
use integration_tests::signer::Signer;
use oidc_proxy_wasm::config;
use oidc_proxy_wasm::gateway::GatewayTokens;
use oidc_proxy_wasm::world::script::Script;
use serde_json::{Value, json};

use crate::tokens::{AUDIENCE, CLIENT_ID, Provider};

/// An audience of which no token is.
const OTHER_AUDIENCE: &str = "https://stock.example.com";
/// How many tokens the forgetful filter remembers at most.
pub const FEW: usize = 64;
/// How many rules and providers are many.
const MANY: (usize, usize) = (1000, 50);

/// Paths of the rules.
pub mod path {
    /// JWTs.
    pub const ORDERS: &str = "/orders";
    /// JWTs for another audience.
    pub const STOCK: &str = "/stock";
    /// Opaque tokens.
    pub const OPAQUE: &str = "/opaque";
    /// Opaque tokens for another audience.
    pub const OPAQUE_STOCK: &str = "/opaque-stock";
    /// Clients by id and secret.
    pub const CLIENT: &str = "/client";
    /// Tokens of the gateway's own.
    pub const JOB: &str = "/job";
}

/// Rules with the requirement and the headers that a session has too.
pub fn usual(provider: &Provider) -> Value {
    let rule = |name: &str, path: &str, method: &str, audience: &str| {
        json!({
            "name": name,
            "match": { "path_prefix": path },
            "methods": [method],
            "token": { "audience": [audience] },
            "require": { "groups": { "claim": ["groups"], "any_of": ["staff"] } },
            "upstream_headers": told(),
        })
    };
    json!({
        "providers": { "main": main(provider) },
        "rules": [
            rule("orders", path::ORDERS, "bearer", AUDIENCE),
            rule("stock", path::STOCK, "bearer", OTHER_AUDIENCE),
            rule("opaque", path::OPAQUE, "introspection", AUDIENCE),
            rule("opaque-stock", path::OPAQUE_STOCK, "introspection", OTHER_AUDIENCE),
            rule("client", path::CLIENT, "client_credentials", AUDIENCE),
            {
                "name": "job",
                "match": { "path_prefix": path::JOB },
                "methods": ["gateway_token"],
                "require": { "scope": ["read"] },
                "upstream_headers": [
                    { "claim": ["sub"], "name": "x-user" },
                    { "claim": ["scope"], "name": "x-scope" },
                    { "claim": ["jti"], "name": "x-token" },
                ],
            },
        ],
        "gateway_tokens": {
            "issuer": "https://jobs.example.com",
            "path": "/oauth/token",
            "secrets": ["vB8nL1cR6yW3zH5jP0sDaE9fK2mQ7xT4"],
            "lifetime": "24h",
            "clients": [{ "client_id": "nightly", "client_secret": "sDaE9fK2mQ7xT4vB8nL1cR6yW3zH5jP0", "scope": "read" }],
        },
        // What was seen stays known to the end of the run.
        "cache": { "tokens": { "max_age": "24h" }, "introspection": { "max_age": "24h" } },
    })
}

/// A token of the gateway's own, as the filter with that configuration would have issued it.
pub fn issued(provider: &Provider) -> String {
    let loaded = config::load(usual(provider).to_string().as_bytes(), &|_| None);
    let loaded = loaded.unwrap_or_else(|problems| panic!("the filter's configuration: {problems:?}"));
    let Ok(gateway) = GatewayTokens::new(loaded.gateway_tokens.expect("tokens")) else {
        panic!("a client has bad keys")
    };
    let client = gateway.client("nightly").expect("a client");
    let token = gateway.issue(&Script::new().world(), client, "read").expect("a secret that seals");
    token.expose_text().expect("text").to_owned()
}

/// The same, but it remembers few tokens.
pub fn forgetful(provider: &Provider) -> Value {
    let mut configuration = usual(provider);
    configuration["cache"]["tokens"]["entries"] = json!(FEW);
    configuration
}

/// One provider, and one rule that lets strangers in as well as those with a token.
pub fn one(provider: &Provider) -> Value {
    json!({ "providers": { "main": main(provider) }, "rules": [last(&["main".to_owned()])] })
}

/// The same rule, of 50 providers, after 999 others: half of them for other hosts, half for other paths.
pub fn many(provider: &Provider) -> Value {
    let (rules, providers) = MANY;
    let name = |at: usize| if at == 0 { "main".to_owned() } else { format!("idp-{at}") };
    let others = (1..providers).map(|at| (name(at), other(at)));
    let providers: serde_json::Map<_, _> = others.chain([(name(0), main(provider))]).collect();
    let mut all: Vec<Value> = (1..rules)
        .map(|at| {
            let wanted = match at % 4 {
                0 => json!({ "host": format!("service-{at}.example.com") }),
                1 => json!({ "host": format!("*.tenant-{at}.example.com"), "path_prefix": "/api" }),
                2 => json!({ "path_prefix": format!("/team-{}/service-{at}", at % 30) }),
                _ => json!({ "path": format!("/page-{at}") }),
            };
            json!({
                "name": format!("rule-{at}"),
                "match": wanted,
                "provider": name(at % MANY.1),
                "methods": ["bearer"],
                "token": { "audience": [AUDIENCE] },
                "upstream_headers": told(),
            })
        })
        .collect();
    all.push(last(&providers.keys().cloned().collect::<Vec<_>>()));
    json!({ "providers": providers, "rules": all })
}

fn last(providers: &[String]) -> Value {
    json!({
        "name": "last",
        "match": { "path_prefix": "/" },
        "allow": "optional",
        "provider": providers,
        "methods": ["bearer"],
        "token": { "audience": [AUDIENCE] },
        "upstream_headers": told(),
    })
}

fn told() -> Value {
    json!([
        { "claim": ["preferred_username"], "name": "x-user" },
        { "claim": ["email"], "name": "x-email" },
        { "claim": ["groups"], "name": "x-groups" },
    ])
}

/// Its clock is ours: what has ended has ended.
fn main(provider: &Provider) -> Value {
    json!({
        "issuer": provider.idp.issuer(),
        "cluster": "idp",
        "allow_http": true,
        "clock_skew": "0s",
        "client": { "client_id": CLIENT_ID, "client_secret": random_hex::<32>() },
    })
}

/// A provider that nobody comes from; all that there is to know of it is written down.
fn other(at: usize) -> Value {
    let issuer = format!("https://idp-{at}.example.com");
    json!({
        "issuer": issuer,
        "cluster": "idp",
        "metadata": {
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
        },
        "jwks": { "keys": [Signer::es256(&format!("key-{at}")).jwk()] },
        "client": { "client_id": CLIENT_ID, "client_secret": random_hex::<32>() },
    })
}
