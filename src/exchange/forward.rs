//! What the service sees of a request that passes, and what the client gets with the answer.

use super::{Gate, Guest, answer, tell};
use crate::config::{Allow, HeaderSource, Rule, TokenForm};
use crate::http::cookie::{self, Rest};
use crate::methods::{Guard, Hiding};
use crate::policy;
use crate::words::{Forward, HeaderEdits, Identity, Method, Request, Stop, Verdict};
use crate::world::{Metric, Outcome, World};

/// Lets a request through: without forged headers, our cookies and the credential that was used, with what the rule tells
/// of the identity. `fields` take the place of the service's own in its answer.
pub fn upstream(
    gate: &Gate,
    world: &World,
    guard: &Guard,
    request: &Request,
    mut guest: Guest,
    fields: &[policy::Field],
) -> Verdict {
    let hiding = match &mut guest {
        Guest::Known(proof) => proof.hiding.take(),
        Guest::Anonymous => None,
    };
    let mut changes = common(gate, request, hiding.as_ref());
    // The service does not speak of whom we speak of.
    for header in &guard.rule.response_headers {
        changes.get_or_insert_default().response.remove.push(header.name.clone());
    }
    if let Some(name) = &guard.rule.grants.return_refresh_token {
        changes.get_or_insert_default().response.remove.push(name.clone());
    }
    if !fields.is_empty() {
        count_down(fields, &mut changes.get_or_insert_default().response);
    }
    let method = guest.identity().map(|identity| identity.method);
    world.count(Metric::Decided { rule: Some(guard.place), outcome: Outcome::Forwarded(method) });
    // Every spelling of the names that are added was taken away, or is.
    match guest {
        Guest::Anonymous => {
            if guard.rule.allow != Allow::Anonymous && brings_token(request) && withholds_token(&guard.rule) {
                withhold_token(&mut changes.get_or_insert_default().request);
            }
            if let Some(field) = tell::stranger(&guard.rule) {
                changes.get_or_insert_default().request.add.push(field);
            }
        }
        Guest::Known(proof) => {
            let (rule, identity) = (&guard.rule, &proof.identity);
            let Forward { request: edits, response, late, properties, body } = &mut **changes.get_or_insert_default();
            *body = hiding.and_then(|hiding| hide(hiding, edits));
            tell::fields(world, rule, &rule.upstream_headers, identity, &mut edits.add);
            if let Some(looks) = &rule.consumer {
                edits.add.extend(tell::consumer(world, rule, looks, identity));
            }
            tell_token(rule, request, identity, edits);
            tell::fields(world, rule, &rule.properties, identity, properties);
            tell::fields(world, rule, &rule.response_headers, identity, &mut response.set);
            edits.set.extend(proof.facts.request);
            response.set.extend(proof.facts.response);
            if !proof.cookies.is_empty() || gives_token(rule) {
                response.set.push(("cache-control".to_owned(), b"no-store".to_vec()));
            } else if proof.in_url {
                response.set.push(("cache-control".to_owned(), b"private".to_vec()));
            }
            *late = proof.late;
            for line in proof.cookies {
                response.add.push(("set-cookie".to_owned(), line.into_bytes()));
            }
        }
    }
    Verdict::Forward(changes)
}

/// Lets a request through that its rule, being on trial, would have stopped: as it came, but for what no client may say.
pub fn on_trial(gate: &Gate, world: &World, guard: &Guard, request: &Request, stop: Stop) -> Verdict {
    let refusal = match stop {
        Stop::Refused(refusal) => refusal,
        Stop::Answered { reason, .. } => reason.into(),
    };
    world.count(Metric::Decided { rule: Some(guard.place), outcome: Outcome::Reported(refusal.reason) });
    let (id, status) = (answer::request_id(world, request), refusal.reason.status());
    let detail = format!("let through, mode: report; {}", refusal.detail());
    let refusal = refusal.told(detail);
    answer::log(world, Some(guard), &refusal, &id, status);
    Verdict::Forward(common(gate, request, None))
}

/// Tells the client what is left of its rate limit.
#[inline(never)]
fn count_down(fields: &[policy::Field], response: &mut HeaderEdits) {
    response.set.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes())));
}

/// What holds for every request: forged headers and our cookies stay behind, and the service does not speak in our name.
fn common(gate: &Gate, request: &Request, hiding: Option<&Hiding>) -> Option<Box<Forward>> {
    let mut changes: Option<Box<Forward>> = None;
    if let Some(forged) = gate.forged(&request.headers) {
        changes.get_or_insert_default().request.remove = forged;
    }
    let hidden = match hiding {
        Some(Hiding::Cookie(name)) => Some(name.as_bytes()),
        _ => None,
    };
    match cookie::without(&request.headers, |name| gate.owns_cookie(name) || Some(name) == hidden) {
        Rest::Untouched => {}
        Rest::Nothing => changes.get_or_insert_default().request.remove.push("cookie".to_owned()),
        Rest::Cookies(rest) => changes.get_or_insert_default().request.set.push(("cookie".to_owned(), rest)),
    }
    if let Some(name) = &gate.observability().reason_header {
        changes.get_or_insert_default().response.remove.push(name.clone());
    }
    changes
}

/// Keeps the credential that was used from the service; gives back the body that it gets instead.
#[inline(never)]
fn hide(hiding: Hiding, edits: &mut HeaderEdits) -> Option<String> {
    match hiding {
        Hiding::Header(name) => edits.remove.push(name),
        // Left out with our own.
        Hiding::Cookie(_) => {}
        Hiding::Target(target) => edits.set.push((":path".to_owned(), target.into_bytes())),
        Hiding::Body(body) => {
            edits.set.push(("content-length".to_owned(), body.len().to_string().into_bytes()));
            return Some(body);
        }
    }
    None
}

/// Whether the client is given a token, which no cache may keep (RFC 6749 §5.1).
fn gives_token(rule: &Rule) -> bool {
    let is_token = |source: &HeaderSource| matches!(source, HeaderSource::AccessToken | HeaderSource::IdToken);
    rule.response_headers.iter().any(|header| is_token(&header.source)) || rule.grants.return_refresh_token.is_some()
}

/// Where the rule speaks through `Authorization`, a stranger's own must not pass for the rule's.
fn withholds_token(rule: &Rule) -> bool {
    let speaks = match &rule.access_token {
        None => rule.methods.iter().any(|method| *method == Method::Session || method.is_grant()),
        Some(form) => *form == TokenForm::Bearer,
    };
    speaks && !rule.methods.is_empty()
}

fn brings_token(request: &Request) -> bool {
    request.headers.all("authorization").next().is_some()
}

fn withhold_token(edits: &mut HeaderEdits) {
    // Taken away already where it was the credential that was used.
    if !edits.remove.iter().any(|name| name == "authorization") {
        edits.remove.push("authorization".to_owned());
    }
}

/// The token goes on in the way that the rule says: a session's as bearer, unless it says another, one that was exchanged
/// likewise, and one that the caller brought in no new way.
fn tell_token(rule: &Rule, request: &Request, identity: &Identity, edits: &mut HeaderEdits) {
    let brought = identity.method.takes_access_tokens() && rule.token.exchange.is_none();
    let form = rule.access_token.as_ref().unwrap_or(if brought { &TokenForm::None } else { &TokenForm::Bearer });
    let token = identity.access_token.as_ref().map(|token| token.expose());
    if *form == TokenForm::Bearer && brings_token(request) && (token.is_some() || withholds_token(rule)) {
        withhold_token(edits);
    }
    match (form, token) {
        (TokenForm::None, _) | (_, None) => {}
        (TokenForm::Bearer, Some(token)) => {
            edits.add.push(("authorization".to_owned(), [b"Bearer ".as_slice(), token].concat()));
        }
        (TokenForm::Header(name), Some(token)) => edits.add.push((name.clone(), token.to_vec())),
    }
}
