//! Names and secrets as requests carry them: HTTP Basic (RFC 7617), or the parameters of a form.

use super::credential::{self, Hiding};
use crate::http::basic::{self, Basic};
use crate::words::{Reason, Refusal, Request, Secret};
use crate::world::World;

/// A name and its secret. Nobody has judged them.
pub struct Pair {
    /// Who it says it is.
    pub name: String,
    /// What shall prove it.
    pub secret: Secret,
    /// How it is kept from the service.
    pub hiding: Hiding,
}

/// The pair in `Authorization: Basic`; `None` where there is no Basic.
pub fn in_header(request: &Request) -> Result<Option<Pair>, Refusal> {
    let read = basic::read(&request.headers).map_err(|basic::Malformed(what)| malformed(what))?;
    let hiding = || Hiding::Header("authorization".to_owned());
    Ok(read.map(|Basic { name, secret }| Pair { name, secret, hiding: hiding() }))
}

/// The pair in a form's parameters of these names; `None` where one of them is not there.
pub async fn in_form(world: &World, request: &Request, names: [&str; 2]) -> Result<Option<Pair>, Refusal> {
    let Some((mut values, rest)) = credential::in_form(world, request, &names).await? else { return Ok(None) };
    let (Some(Some(secret)), Some(Some(name))) = (values.pop(), values.pop()) else { return Ok(None) };
    basic::judge(&name, &secret).map_err(|what| Refusal::new(Reason::CredentialMalformed, what))?;
    Ok(Some(Pair { name, secret: Secret::new(secret), hiding: Hiding::Body(rest) }))
}

fn malformed(what: &str) -> Refusal {
    Refusal::new(Reason::BasicMalformed, what)
}
