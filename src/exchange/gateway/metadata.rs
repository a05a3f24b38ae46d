//! What is where (RFC 8414).

use crate::gateway::GatewayTokens;
use crate::http::Url;
use crate::words::{Reason, Refusal, Request, Response, Stop};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How clients may show who they are.
const METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
/// What may sign their assertions.
const ALGORITHMS: [&str; 10] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

/// Where the metadata stand on the issuer's host: inserted between host and path (RFC 8414 §3.1).
pub fn path(issuer: &Url) -> String {
    let path = issuer.path();
    format!("/.well-known/oauth-authorization-server{}", path.strip_suffix('/').unwrap_or(path))
}

/// The metadata, to anyone.
pub fn serve(gateway: &GatewayTokens, request: &Request) -> Stop {
    let body = match request.method() {
        Some("GET") => document(gateway).to_string(),
        Some("HEAD") => String::new(),
        _ => return Refusal::wrong_method("GET, HEAD").into(),
    };
    let response = Response { body, ..Response::new(200) }
        .with("content-type", "application/json")
        .with("cache-control", "public, max-age=300")
        .with("x-content-type-options", "nosniff");
    Stop::Answered { response, reason: Reason::GatewayMetadata }
}

/// The metadata (RFC 8414 §2). Scopes are listed; clients are not.
fn document(gateway: &GatewayTokens) -> Value {
    let settings = &gateway.settings;
    let at = |path: &String| format!("{}{path}", settings.url.origin());
    let scopes: BTreeSet<&String> = settings.clients.iter().flat_map(|client| &client.scope).collect();
    let mut document = json!({
        "issuer": settings.issuer,
        "token_endpoint": gateway.token_endpoint(),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "scopes_supported": scopes,
    });
    let Some(members) = document.as_object_mut() else { return document };
    let endpoints = [("revocation", &settings.revocation_path), ("introspection", &settings.introspection_path)];
    for (name, path) in endpoints {
        if let Some(path) = path {
            members.insert(format!("{name}_endpoint"), Value::from(at(path)));
        }
    }
    for name in ["token", "revocation", "introspection"] {
        members.insert(format!("{name}_endpoint_auth_methods_supported"), json!(METHODS));
        members.insert(format!("{name}_endpoint_auth_signing_alg_values_supported"), json!(ALGORITHMS));
    }
    document
}
