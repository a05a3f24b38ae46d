//! Who asks: a client that shows its secret, or signs (RFC 6749 §2.3, RFC 7523 §2.2).

use super::{Fault, Form};
use crate::exchange::Gate;
use crate::gateway::{Client, GatewayTokens, NotProven};
use crate::http::basic;
use crate::policy::{self, Guesser};
use crate::provider::JWT_BEARER;
use crate::words::{Reason, Request, Secret};
use crate::world::World;

/// What it shows.
enum Shown {
    Secret { client_id: String, secret: Secret },
    Assertion(String),
}

/// The client. One way of showing who it is counts, and no more than one (RFC 6749 §2.3).
pub fn shown<'a>(
    gate: &Gate,
    gateway: &'a GatewayTokens,
    world: &World,
    request: &Request,
    form: &Form,
) -> Result<&'a Client, Fault> {
    let named = form.one("client_id")?;
    let shown = read(request, form)?;
    let user = match &shown {
        Shown::Secret { client_id, .. } => Some(client_id.as_str()),
        Shown::Assertion(_) => named,
    };
    let address = policy::address(&**world, &request.headers);
    let guesser = Guesser { realm: &gateway.settings.issuer, user, address: &address };
    let guess = gate.guesses().begin(&**world, &gateway.settings.guess_limit, guesser)?;
    let proven = match &shown {
        Shown::Secret { client_id, secret } => {
            gateway.by_secret(world, client_id, secret.expose_text().unwrap_or_default())
        }
        Shown::Assertion(assertion) => gateway.by_assertion(world, assertion),
    };
    // Another name beside what was shown is somebody else's.
    let proven = proven.and_then(|client| match named {
        Some(named) if named != client.settings.client_id => Err(NotProven("client_id is another's")),
        _ => Ok(client),
    });
    match proven {
        Ok(client) => {
            gate.guesses().forgive(&**world, guess);
            Ok(client)
        }
        Err(NotProven(why)) => {
            world.log(log::Level::Info, &format!("{}: {why}", Reason::GatewayClientRefused));
            let detail = "the client did not show that it is it";
            Err(Fault::Said { reason: Reason::GatewayClientRefused, error: "invalid_client", detail })
        }
    }
}

fn read(request: &Request, form: &Form) -> Result<Shown, Fault> {
    let basic = basic::read(&request.headers).map_err(|basic::Malformed(what)| Fault::malformed(what))?;
    let (id, secret) = (form.one("client_id")?, form.one("client_secret")?);
    let (kind, assertion) = (form.one("client_assertion_type")?, form.one("client_assertion")?);
    match (basic, secret, assertion) {
        (Some(basic), None, None) => {
            let client = basic.of_client().ok_or_else(|| Fault::malformed("the credential is not form-encoded"))?;
            Ok(Shown::Secret { client_id: client.name, secret: client.secret })
        }
        (None, Some(secret), None) => {
            let id = id.ok_or_else(|| Fault::malformed("client_secret came without client_id"))?;
            Ok(Shown::Secret { client_id: id.to_owned(), secret: Secret::new(secret) })
        }
        (None, None, Some(assertion)) if kind == Some(JWT_BEARER) => Ok(Shown::Assertion(assertion.to_owned())),
        (None, None, Some(_)) => Err(Fault::malformed("client_assertion_type is not jwt-bearer")),
        (None, None, None) => {
            let detail = "the client did not show who it is";
            Err(Fault::Said { reason: Reason::GatewayClientRefused, error: "invalid_client", detail })
        }
        _ => Err(Fault::malformed("the client showed who it is in two ways")),
    }
}
