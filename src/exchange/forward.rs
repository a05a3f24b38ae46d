//! What the service sees of a request that passes, and what the client gets with the answer.

use super::{Gate, Guest, tell};
use crate::config::{HeaderSource, Rule, TokenForm};
use crate::http::cookie::{self, Rest};
use crate::methods::Guard;
use crate::words::{HeaderEdits, Identity, Request, Verdict};
use crate::world::{Metric, World};

/// Lets a request through: without forged headers and our cookies, with what the rule tells of the identity.
pub fn upstream(gate: &Gate, world: &World, guard: &Guard, request: &Request, guest: Guest) -> Verdict {
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
    // Nor of whom we speak of.
    response.remove.extend(guard.rule.response_headers.iter().map(|header| header.name.clone()));
    world.count(Metric::Forwarded { known: matches!(guest, Guest::Known(_)) });
    match guest {
        Guest::Anonymous => {
            withhold_token(&guard.rule, &mut edits);
            edits.set.extend(tell::stranger(&guard.rule));
        }
        Guest::Known(proof) => {
            let (rule, identity) = (&guard.rule, &proof.identity);
            edits.set.extend(tell::fields(world, rule, &rule.upstream_headers, identity));
            edits.set.extend(tell::consumer(world, rule, identity));
            tell_token(rule, identity, &mut edits);
            response.set.extend(tell::fields(world, rule, &rule.response_headers, identity));
            if !proof.cookies.is_empty() || gives_token(rule) {
                response.set.push(("cache-control".to_owned(), b"no-store".to_vec()));
            }
            response.add.extend(proof.cookies.into_iter().map(|line| ("set-cookie".to_owned(), line.into_bytes())));
        }
    }
    Verdict::Forward { request: edits, response }
}

/// Whether the client is given a token, which no cache may keep (RFC 6749 §5.1).
fn gives_token(rule: &Rule) -> bool {
    let is_token = |source: &HeaderSource| matches!(source, HeaderSource::AccessToken | HeaderSource::IdToken);
    rule.response_headers.iter().any(|header| is_token(&header.source))
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
