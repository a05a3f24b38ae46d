//! What a token is (RFC 7662), and that it is no more (RFC 7009).

use super::{Fault, Form};
use crate::exchange::Gate;
use crate::gateway::{Client, GatewayToken, GatewayTokens};
use crate::methods::gateway_token;
use crate::policy::Name;
use crate::words::json::Object;
use crate::world::World;
use serde_json::{Value, json};
use std::rc::Rc;

/// What a client may know of a token (RFC 7662 §2.2): of one that is not its own as little as of one that is none.
pub fn told(gate: &Gate, gateway: &GatewayTokens, world: &World, client: &Client, form: &Form) -> Result<Value, Fault> {
    let token = token(gateway, world, form)?;
    let token = token.filter(|token| client.settings.introspects || *token.client_id == *client.settings.client_id);
    let lives = |token: &Rc<GatewayToken>| !gateway_token::is_revoked(world, gate.revocations(), gateway, token);
    let Some(token) = token.filter(lives) else { return Ok(json!({ "active": false })) };
    let mut members: Object = (*token.claims).clone();
    members.insert("active".to_owned(), Value::Bool(true));
    members.insert("token_type".to_owned(), Value::from("Bearer"));
    Ok(Value::Object(members))
}

/// The token is no more, if it is the client's own. Whatever else was given has the same answer (RFC 7009 §2.2).
pub async fn revoked(
    gate: &Gate,
    gateway: &GatewayTokens,
    world: &World,
    client: &Client,
    form: &Form,
) -> Result<Value, Fault> {
    let token = token(gateway, world, form)?.filter(|token| *token.client_id == *client.settings.client_id);
    if let Some(token) = token {
        let name = Name::Token { issuer: &gateway.settings.issuer, id: &token.id };
        gate.revocations().revoke(world, name, token.issued).await?;
    }
    Ok(json!({}))
}

/// The token of the request, if it is one of ours that lives.
fn token(gateway: &GatewayTokens, world: &World, form: &Form) -> Result<Option<Rc<GatewayToken>>, Fault> {
    let token = form.one("token")?.ok_or_else(|| Fault::malformed("token is missing"))?;
    Ok(gateway.open(world, token).ok())
}
