//! Who issues tokens for a resource, as clients may ask (RFC 9728).

use super::Gate;
use crate::config::{Place, Resource};
use crate::http::Url;
use crate::http::well_known::resource_path;
use crate::methods::Guard;
use crate::words::{Reason, Refusal, Request, Response, Stop};
use serde_json::{Value, json};

/// Where a resource's metadata stand, for challenges (RFC 9728 §5.1).
pub fn url(resource: &Url) -> String {
    format!("{}{}", resource.origin(), resource_path(resource))
}

/// The metadata, to anyone: browsers' scripts too.
pub fn serve(gate: &Gate, guard: &Guard, request: &Request) -> Stop {
    let Some(resource) = guard.rule.token.resource.as_ref() else { return Reason::NoRule.into() };
    let body = match request.method() {
        Some("GET") => document(gate, guard, resource).to_string(),
        Some("HEAD") => String::new(),
        _ => return Refusal::wrong_method("GET, HEAD").into(),
    };
    let response = Response { body, ..Response::new(200) }
        .with("content-type", "application/json")
        .with("cache-control", "public, max-age=300")
        .with("access-control-allow-origin", "*")
        .with("x-content-type-options", "nosniff");
    Stop::Answered { response, reason: Reason::ResourceMetadata }
}

/// RFC 9728 §2. Whatever the request says of itself, the resource has its configured name.
fn document(gate: &Gate, guard: &Guard, resource: &Resource) -> Value {
    let rule = &guard.rule;
    let issuers = rule.providers.iter().filter_map(|at| gate.provider(*at)).map(|provider| provider.issuer());
    let methods = rule.credentials.bearer.iter().filter_map(|place| match place {
        Place::Authorization => Some("header"),
        Place::Form => Some("body"),
        Place::Query => Some("query"),
        Place::Header(_) | Place::Cookie(_) => None,
    });
    let mut document = json!({
        "resource": resource.name,
        "authorization_servers": issuers.collect::<Vec<_>>(),
        "bearer_methods_supported": methods.collect::<Vec<_>>(),
    });
    let scopes = rule.require.every_scope();
    if let (false, Some(members)) = (scopes.is_empty(), document.as_object_mut()) {
        members.insert("scopes_supported".to_owned(), json!(scopes));
    }
    document
}
