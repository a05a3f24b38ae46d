//! What the service sees of a request that passes, and what the client gets with the answer.

use super::{Gate, Guest};
use crate::config::{HeaderSource, Rule, TokenForm, UpstreamHeader};
use crate::http::cookie::{self, Rest};
use crate::http::text;
use crate::methods::Guard;
use crate::policy;
use crate::words::{HeaderEdits, Identity, Request, Verdict};
use crate::world::{Metric, World};
use serde_json::Value;

/// The longest value that a claim may give a header, in bytes.
const LONGEST: usize = 8 * 1024;

/// Lets a request through: without forged headers and our cookies, with what the rule tells of the identity. `fields` take
/// the place of the service's own in its answer.
pub fn upstream(
    gate: &Gate,
    world: &World,
    guard: &Guard,
    request: &Request,
    guest: Guest,
    fields: policy::Fields,
) -> Verdict {
    let mut edits = gate.cleanse(&request.headers);
    match cookie::without(&request.headers, |name| gate.owns_cookie(name)) {
        Rest::Untouched => {}
        Rest::Nothing => edits.remove.push("cookie".to_owned()),
        Rest::Cookies(rest) => edits.set.push(("cookie".to_owned(), rest)),
    }
    let mut response = HeaderEdits::default();
    if let Some(name) = &gate.observability().reason_header {
        // The service does not speak in our name.
        response.remove.push(name.clone());
    }
    response.set.extend(fields.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())));
    world.count(Metric::Forwarded { known: matches!(guest, Guest::Known(_)) });
    match guest {
        Guest::Anonymous => withhold_token(&guard.rule, &mut edits),
        Guest::Known(proof) => {
            let claims = guard.rule.upstream_headers.iter();
            edits.set.extend(claims.filter_map(|header| told(world, guard, header, &proof.identity)));
            tell_token(&guard.rule, &proof.identity, &mut edits);
            if !proof.cookies.is_empty() {
                response.set.push(("cache-control".to_owned(), b"no-store".to_vec()));
            }
            response.add.extend(proof.cookies.into_iter().map(|line| ("set-cookie".to_owned(), line.into_bytes())));
        }
    }
    Verdict::Forward { request: edits, response }
}

/// Where the rule speaks through `Authorization`, a stranger's own must not pass for the rule's.
fn withhold_token(rule: &Rule, edits: &mut HeaderEdits) {
    if !rule.methods.is_empty()
        && rule.access_token == TokenForm::Bearer
        && rule.allow != crate::config::Allow::Anonymous
    {
        edits.remove.push("authorization".to_owned());
    }
}

fn tell_token(rule: &Rule, identity: &Identity, edits: &mut HeaderEdits) {
    let token = identity.access_token.as_ref().map(|token| token.expose());
    match (&rule.access_token, token) {
        (TokenForm::None, _) | (TokenForm::Header(_), None) => {}
        (TokenForm::Bearer, None) => withhold_token(rule, edits),
        (TokenForm::Bearer, Some(token)) => {
            edits.set.push(("authorization".to_owned(), [b"Bearer ".as_slice(), token].concat()));
        }
        (TokenForm::Header(name), Some(token)) => edits.set.push((name.clone(), token.to_vec())),
    }
}

/// The field for one claim: absent where the claim is, or where its value does not fit a header field.
fn told(world: &World, guard: &Guard, header: &UpstreamHeader, identity: &Identity) -> Option<(String, Vec<u8>)> {
    let HeaderSource::Claim { claim, source } = &header.source;
    let value = shown(identity.sources.find(*source, claim)?)?;
    if value.len() > LONGEST || !text::is_field_value(&value) {
        let line =
            format!("left out header {} rule={}: the claim does not fit a header field", header.name, guard.rule.name);
        world.log(log::Level::Warn, &line);
        return None;
    }
    Some((header.name.clone(), value.into_bytes()))
}

/// A claim as text: text as it is, numbers and booleans as JSON has them, arrays of these joined by commas, objects as
/// JSON.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => Some(items.iter().filter_map(shown).collect::<Vec<_>>().join(",")),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => Some(value.to_string()),
    }
}
