//! The endpoints of `gateway_tokens`: clients get tokens of ours, ask what they are, and give them back.

mod client;
mod inspect;
mod metadata;
mod token;

use super::{Gate, answer};
use crate::gateway::GatewayTokens;
use crate::http::form;
use crate::words::json;
use crate::words::{Reason, Refusal, Request, Response, Stop, Verdict};
use crate::world::World;
use serde_json::Value;

/// The largest request that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// Which endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Tokens are issued (RFC 6749 §3.2).
    Token,
    /// Tokens are given back (RFC 7009).
    Revocation,
    /// What a token is (RFC 7662).
    Introspection,
    /// What is where (RFC 8414).
    Metadata,
}

/// Serves one request.
pub async fn serve(gate: &Gate, world: &World, asked: Asked, request: &Request) -> Verdict {
    let Some(gateway) = gate.gateway() else {
        return answer::refused(gate, world, None, request, Reason::NoRule.into());
    };
    if asked == Asked::Metadata {
        return answer::stopped(
            gate,
            world,
            None,
            request,
            metadata::serve(gateway, request).unwrap_or_else(Stop::from),
        );
    }
    let stop = match Box::pin(answered(gate, gateway, world, asked, request)).await {
        Ok((reason, document)) => Stop::answered(written(200, &document), reason),
        Err(Fault::Said { reason, error, detail }) => {
            let response = written(
                reason.status(),
                &json::of(vec![("error", error.into()), ("error_description", detail.into())]),
            );
            // RFC 6749 §5.2: the schemes that would do.
            let response = match reason.status() {
                401 => response.with("www-authenticate", "Basic realm=\"gateway_tokens\", charset=\"UTF-8\""),
                _ => response,
            };
            Stop::answered(response, reason)
        }
        Err(Fault::Refused(refusal)) => Stop::Refused(refusal),
    };
    answer::stopped(gate, world, None, request, stop)
}

async fn answered(
    gate: &Gate,
    gateway: &GatewayTokens,
    world: &World,
    asked: Asked,
    request: &Request,
) -> Result<(Reason, Value), Fault> {
    if request.method() != Some("POST") {
        return Err(Refusal::wrong_method("POST").into());
    }
    let form = Form::read(world, request).await?;
    let client = client::shown(gate, gateway, world, request, &form)?;
    match asked {
        Asked::Token => Ok((Reason::GatewayTokenIssued, token::issued(gateway, world, client, &form)?)),
        Asked::Introspection => Ok((Reason::GatewayServed, inspect::told(gate, gateway, world, client, &form)?)),
        Asked::Revocation => Ok((Reason::GatewayServed, inspect::revoked(gate, gateway, world, client, &form).await?)),
        Asked::Metadata => Err(Reason::NoRule.into()),
    }
}

/// RFC 6749 §5.1, §5.2: JSON that nobody keeps.
fn written(status: u16, document: &Value) -> Response {
    Response { body: format!("{document}\n"), ..Response::new(status) }
        .with("content-type", "application/json")
        .with("cache-control", "no-store")
        .with("pragma", "no-cache")
        .with("x-content-type-options", "nosniff")
}

/// Why a request gets no token.
enum Fault {
    /// In the words of RFC 6749 §5.2. The details are ours: nothing of the request is in them.
    Said { reason: Reason, error: &'static str, detail: &'static str },
    /// As any request is refused.
    Refused(Refusal),
}

impl Fault {
    fn malformed(detail: &'static str) -> Self {
        Self::Said { reason: Reason::GatewayRequestMalformed, error: "invalid_request", detail }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason.into())
    }
}

/// The parameters of a request.
struct Form(Vec<(String, String)>);

impl Form {
    async fn read(world: &World, request: &Request) -> Result<Self, Fault> {
        if !form::is_form(request) {
            return Err(Fault::malformed("the request is no form"));
        }
        let body = world.body(LARGEST).await.map_err(|error| error.refusal("the endpoints of gateway_tokens"))?;
        let fields = String::from_utf8(body).ok().and_then(|text| form::parse(&text).ok());
        fields.map(Self).ok_or_else(|| Fault::malformed("the request is no form"))
    }

    /// A parameter; one without a value counts as left out, and none may come twice (RFC 6749 §3.2).
    fn one(&self, name: &str) -> Result<Option<&str>, Fault> {
        let mut found = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(Fault::malformed("a parameter came twice")),
            (found, None) => Ok(found.filter(|value| !value.is_empty())),
        }
    }
}
