//! What an operator asks for: something is revoked, or fetched anew.

use crate::exchange::Gate;
use crate::http::form;
use crate::policy::Name;
use crate::provider::Provider;
use crate::words::json::{self, Object};
use crate::words::{Reason, Refusal, Request};
use crate::world::World;
use serde_json::Value;

/// The largest request that is read, in bytes.
const LARGEST: usize = 16 * 1024;
/// The longest name, in bytes.
const LONGEST: usize = 1024;
/// By what is revoked: exactly one of these.
const NAMES: [&str; 4] = ["sid", "sub", "jti", "client"];

/// Does what the request asks for, and says what that was.
pub async fn done(gate: &Gate, world: &World, request: &Request) -> Result<Value, Refusal> {
    let asked = Asked::read(world, request).await?;
    match asked.text("action")? {
        Some("revoke") => revoke(gate, world, &asked).await,
        Some("refresh") => {
            let providers = asked.providers(gate)?;
            for provider in &providers {
                provider.refresh(&world.host()).await;
            }
            Ok(json::of(vec![("refreshed", providers.iter().map(|it| it.settings.name.as_str()).collect())]))
        }
        _ => Err(malformed("action is none of revoke and refresh")),
    }
}

async fn revoke(gate: &Gate, world: &World, asked: &Asked) -> Result<Value, Refusal> {
    let issuer = match asked.text("issuer")? {
        Some(issuer) => issuer,
        None => match asked.providers(gate)?.as_slice() {
            [provider] => provider.issuer(),
            _ => return Err(malformed("neither provider nor issuer says whose name it is")),
        },
    };
    let mut named = Vec::new();
    for name in NAMES {
        named.extend(asked.text(name)?.map(|value| (name, value)));
    }
    let [(kind, value)] = named.as_slice() else { return Err(malformed("not exactly one of sid, sub, jti, client")) };
    let name = match *kind {
        "sid" => Name::ProviderSession { issuer, sid: value },
        "sub" => Name::Subject { issuer, subject: value },
        "jti" => Name::Token { issuer, id: value },
        _ => Name::Client { issuer, client_id: value },
    };
    gate.revocations().revoke(world, name, world.now()).await?;
    Ok(json::of(vec![("revoked", (*kind).into()), ("issuer", issuer.into()), ("up_to", world.now().as_secs().into())]))
}

/// The members of a request: of a JSON object, a form, or the query, where no body can be read.
struct Asked(Object);

impl Asked {
    async fn read(world: &World, request: &Request) -> Result<Self, Refusal> {
        if let Some(query) = request.query() {
            return Self::of_form(query);
        }
        let body = world.body(LARGEST).await.map_err(|error| error.refusal("the operator's endpoint"))?;
        if !form::is_form(request) {
            return json::object(&body).map(Self).map_err(|_| malformed("neither a form nor one JSON object"));
        }
        Self::of_form(&String::from_utf8(body).map_err(|_| malformed("the form is not UTF-8"))?)
    }

    fn of_form(text: &str) -> Result<Self, Refusal> {
        let mut members = Object::new();
        for (name, value) in form::parse(text).map_err(|_| malformed("the parameters are no form"))? {
            if members.insert(name, Value::String(value)).is_some() {
                return Err(malformed("a parameter stands there twice"));
            }
        }
        Ok(Self(members))
    }

    fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if (1..=LONGEST).contains(&text.len()) => Ok(Some(text)),
            Some(_) => Err(malformed(&format!("{name} is empty, too long, or no text"))),
        }
    }

    /// The provider that is named, else all.
    fn providers<'a>(&self, gate: &'a Gate) -> Result<Vec<&'a Provider>, Refusal> {
        let Some(name) = self.text("provider")? else { return Ok(gate.providers().collect()) };
        let named: Vec<&Provider> = gate.providers().filter(|provider| provider.settings.name == name).collect();
        if named.is_empty() { Err(malformed("provider is none that is configured")) } else { Ok(named) }
    }
}

fn malformed(what: &str) -> Refusal {
    Refusal::new(Reason::OperatorMalformed, what)
}
