//! What is where (RFC 8414).

use crate::exchange::answer;
use crate::gateway::{ALGORITHMS, GatewayTokens};
use crate::words::json;
use crate::words::{Algorithm, Reason, Refusal, Request, Stop};
use serde_json::Value;

/// How clients may show who they are.
const METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "private_key_jwt"];

/// The metadata, to anyone.
pub fn serve(gateway: &GatewayTokens, request: &Request) -> Result<Stop, Refusal> {
    let response = answer::published(request, "application/json", || document(gateway).to_string())?;
    Ok(Stop::answered(response, Reason::GatewayMetadata))
}

/// The metadata (RFC 8414 §2). Scopes are listed; clients are not.
fn document(gateway: &GatewayTokens) -> Value {
    let settings = &gateway.settings;
    let at = |path: &String| format!("{}{path}", settings.url.origin());
    let mut scopes: Vec<String> = settings.clients.iter().flat_map(|client| client.scope.iter().cloned()).collect();
    scopes.sort_unstable();
    scopes.dedup();
    let mut document = json::of(vec![
        ("issuer", settings.issuer.as_str().into()),
        ("token_endpoint", gateway.token_endpoint().into()),
        ("grant_types_supported", ["client_credentials"].into_iter().collect()),
        ("response_types_supported", Value::Array(Vec::new())),
        ("scopes_supported", scopes.into()),
    ]);
    let Some(members) = document.as_object_mut() else { return document };
    let endpoints = [("revocation", &settings.revocation_path), ("introspection", &settings.introspection_path)];
    for (name, path) in endpoints {
        if let Some(path) = path {
            members.insert(format!("{name}_endpoint"), Value::from(at(path)));
        }
    }
    for name in ["token", "revocation", "introspection"] {
        members.insert(format!("{name}_endpoint_auth_methods_supported"), METHODS.into_iter().collect());
        members.insert(
            format!("{name}_endpoint_auth_signing_alg_values_supported"),
            ALGORITHMS.into_iter().map(Algorithm::name).collect(),
        );
    }
    document
}
