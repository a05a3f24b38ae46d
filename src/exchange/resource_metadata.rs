//! Who issues tokens for a resource, as clients may ask (RFC 9728).

use super::{Gate, answer};
use crate::config::{Place, Resource};
use crate::http::Url;
use crate::http::well_known::resource_path;
use crate::methods::Guard;
use crate::words::json;
use crate::words::{Reason, Refusal, Request, Stop};
use serde_json::Value;

/// Where a resource's metadata stand, for challenges (RFC 9728 §5.1).
pub fn url(resource: &Url) -> String {
    format!("{}{}", resource.origin(), resource_path(resource))
}

/// The metadata, to anyone: browsers' scripts too.
pub fn serve(gate: &Gate, guard: &Guard, request: &Request) -> Result<Stop, Refusal> {
    let resource = guard.rule.token.resource.as_ref().ok_or(Reason::NoRule)?;
    let response = answer::published(request, "application/json", || document(gate, guard, resource).to_string())?;
    let response = response.with("access-control-allow-origin", "*");
    Ok(Stop::answered(response, Reason::ResourceMetadata))
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
    let mut document = json::of(vec![
        ("resource", resource.name.as_str().into()),
        ("authorization_servers", issuers.collect()),
        ("bearer_methods_supported", methods.collect()),
    ]);
    let scopes = rule.require.every_scope();
    if let (false, Some(members)) = (scopes.is_empty(), document.as_object_mut()) {
        members.insert("scopes_supported".to_owned(), scopes.into());
    }
    document
}
