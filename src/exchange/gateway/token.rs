//! A token is issued (RFC 6749 §4.4).

use super::{Fault, Form};
use crate::gateway::{Client, GatewayTokens};
use crate::words::{Reason, json};
use crate::world::World;
use serde_json::Value;

/// The answer with a new token.
pub fn issued(gateway: &GatewayTokens, world: &World, client: &Client, form: &Form) -> Result<Value, Fault> {
    match form.one("grant_type")? {
        Some("client_credentials") => {}
        Some(_) => {
            let detail = "client_credentials is the only grant here";
            return Err(Fault::Said {
                reason: Reason::GatewayGrantUnsupported,
                error: "unsupported_grant_type",
                detail,
            });
        }
        None => return Err(Fault::malformed("grant_type is missing")),
    }
    let Some(scope) = client.granted(form.one("scope")?) else {
        let detail = "the client may not have that scope";
        return Err(Fault::Said { reason: Reason::GatewayScopeRefused, error: "invalid_scope", detail });
    };
    let token = gateway.issue(world, client, &scope)?;
    let mut answer = json::of(vec![
        ("access_token", token.expose_text().unwrap_or_default().into()),
        ("token_type", "Bearer".into()),
        ("expires_in", gateway.settings.lifetime.as_secs().into()),
    ]);
    if let (false, Some(members)) = (scope.is_empty(), answer.as_object_mut()) {
        members.insert("scope".to_owned(), Value::from(scope));
    }
    Ok(answer)
}
