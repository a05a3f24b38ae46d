//! What a refused client is told to bring (RFC 9110 §11.6.1, RFC 6750 §3, RFC 7617 §2, RFC 9470 §3, RFC 9728 §5.1).

use super::resource_metadata;
use crate::http::text;
use crate::methods::Guard;
use crate::words::{Method, Reason};

/// The challenges for a refusal, the better one first; none where none belongs.
pub fn of(guard: Option<&Guard>, reason: Reason) -> impl Iterator<Item = String> {
    // Whoever has only a name and a secret is told of Basic alone.
    let basic = (reason.status() == 401).then(|| basic(guard)).flatten();
    let bearer = if basic.is_some() && !takes_tokens(guard) { None } else { bearer(guard, reason) };
    bearer.into_iter().chain(basic)
}

/// Names and secrets are taken here (RFC 7617 §2). Where people log in nothing is said of it: their browsers would ask them
/// for a password whenever a background request comes without a session.
fn basic(guard: Option<&Guard>) -> Option<String> {
    let rule = &guard?.rule;
    let is_told = rule.takes_basic() && !rule.methods.contains(&Method::AuthorizationCode);
    is_told.then(|| format!("Basic realm={}, charset=\"UTF-8\"", text::quoted(realm(guard))))
}

fn takes_tokens(guard: Option<&Guard>) -> bool {
    guard.is_some_and(Guard::takes_access_tokens)
}

fn bearer(guard: Option<&Guard>, reason: Reason) -> Option<String> {
    let mut challenge = format!("Bearer realm={}", text::quoted(realm(guard)));
    let mut tell = |name: &str, value: &str| challenge.push_str(&format!(", {name}={}", text::quoted(value)));
    match (reason, reason.status()) {
        // No credential was shown: no `error` (RFC 6750 §3.1).
        (Reason::LoginRequired | Reason::AccessTokenRequired | Reason::CredentialRequired, _) => {
            tell_scope(guard, &mut tell);
        }
        // Nor an access token that was bad.
        (Reason::BasicMalformed | Reason::CredentialRefused, _) => tell_scope(guard, &mut tell),
        (Reason::CredentialMalformed | Reason::CredentialRepeated, _) => tell("error", "invalid_request"),
        (Reason::ScopeMissing, _) if takes_tokens(guard) => {
            tell("error", "insufficient_scope");
            tell_scope(guard, &mut tell);
        }
        (Reason::AuthenticationWeak | Reason::AuthenticationOld, _) => {
            tell("error", "insufficient_user_authentication");
            tell("error_description", &words(reason));
            let rules = guard.map(|guard| &guard.rule.token);
            if let Some(values) = rules.map(|rules| rules.acr_values.join(" ")).filter(|values| !values.is_empty()) {
                tell("acr_values", &values);
            }
            if let Some(age) = rules.and_then(|rules| rules.max_age) {
                tell("max_age", &age.as_secs().to_string());
            }
        }
        (_, 401) => {
            tell("error", "invalid_token");
            tell("error_description", &words(reason));
        }
        _ => return None,
    }
    if let Some(resource) = guard.and_then(|guard| guard.rule.token.resource.as_ref()) {
        tell("resource_metadata", &resource_metadata::url(&resource.url));
    }
    Some(challenge)
}

/// The first scope that would do.
fn tell_scope(guard: Option<&Guard>, tell: &mut impl FnMut(&str, &str)) {
    let Some(guard) = guard.filter(|guard| guard.takes_access_tokens()) else { return };
    let mut values: Vec<&str> = Vec::new();
    for value in guard.rule.require.scope.iter().filter_map(|alternatives| alternatives.first()).flatten() {
        if !values.contains(&value.as_str()) {
            values.push(value);
        }
    }
    if !values.is_empty() {
        tell("scope", &values.join(" "));
    }
}

/// What was configured, else where the rule is at home.
fn realm(guard: Option<&Guard>) -> &str {
    let rule = guard.map(|guard| &guard.rule);
    let configured = rule.and_then(|rule| rule.errors.realm.as_deref());
    let party = guard.and_then(|guard| guard.party.as_ref()).map(|party| party.redirect_uri.host());
    let resource = rule.and_then(|rule| rule.token.resource.as_ref()).map(|resource| resource.url.host());
    configured.or(party).or(resource).unwrap_or("oidc")
}

/// The code in words: fixed, and nothing of what was sent.
fn words(reason: Reason) -> String {
    reason.code().replace('_', " ")
}
