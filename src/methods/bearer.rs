//! A JWT access token, judged by its signature (RFC 6750, RFC 9068).

use super::credential::Presented;
use super::{Found, Guard, Proof, Unproven};
use crate::config::Rule;
use crate::provider::{AccessToken, AccessTokens};
use crate::words::{Identity, Method, Reason, Refusal, Sources};
use crate::world::World;
use std::rc::Rc;

/// The bearer of a JWT; `None` when the token is none, and another method takes such. `found` is what a look has already.
pub async fn identify(
    world: &World,
    guard: &Guard,
    presented: &Presented<'_>,
    found: Found,
) -> Result<Option<Box<Proof>>, Refusal> {
    let rule = &guard.rule;
    let known = match found {
        Found::UnknownToken(unknown) => Err(unknown),
        _ => guard.tokens.known(world, &presented.token, &rule.providers),
    };
    let token = match known {
        Ok(token) => token,
        Err(unknown) if AccessTokens::is_jwt(&presented.token) => {
            Box::pin(guard.tokens.verify_unknown(world, &presented.token, unknown, &rule.providers)).await?
        }
        Err(_) if guard.asks_about_tokens() || rule.methods.contains(&Method::GatewayToken) => return Ok(None),
        Err(_) => return Err(Refusal::new(Reason::AccessTokenMalformed, "the token is no signed JWT")),
    };
    let mut identity = of_token(world, guard, Method::Bearer, &token, &presented.token).await?;
    identity.access_token = presented.sent_on(rule);
    Ok(Some(Proof::of(identity, presented, rule)))
}

/// The same where the token was verified before, and nobody is asked about it; what it finds else goes into `found`.
pub fn known(
    world: &World,
    guard: &Guard,
    presented: &Presented<'_>,
    found: &mut Found,
) -> Result<Option<Box<Proof>>, Unproven> {
    let rule = &guard.rule;
    if asks_further(rule) {
        return Err(Unproven::Waits);
    }
    let token = match guard.tokens.known(world, &presented.token, &rule.providers) {
        Ok(token) => token,
        Err(unknown) => {
            *found = Found::UnknownToken(unknown);
            return Err(Unproven::Waits);
        }
    };
    let mut identity = identity_of(guard, Method::Bearer, &token)?;
    judge_revoked(world, guard, &token, &identity)?;
    identity.access_token = presented.sent_on(rule);
    Ok(Some(Proof::of(identity, presented, rule)))
}

/// Whether the issuer is asked about tokens that were verified.
fn asks_further(rule: &Rule) -> bool {
    rule.token.introspect_jwt || rule.enrich.introspection || rule.enrich.userinfo
}

/// Whom a verified token speaks for, if the rule takes it; `text` is the token.
pub async fn of_token(
    world: &World,
    guard: &Guard,
    method: Method,
    token: &AccessToken,
    text: &str,
) -> Result<Identity, Refusal> {
    let mut identity = identity_of(guard, method, token)?;
    if asks_further(&guard.rule) {
        identity.subject = Box::pin(ask(world, guard, text, token, &mut identity.sources)).await?;
    }
    judge_revoked(world, guard, token, &identity)?;
    Ok(identity)
}

/// Whom a verified token speaks for by what it says itself.
fn identity_of(guard: &Guard, method: Method, token: &AccessToken) -> Result<Identity, Refusal> {
    Ok(Identity {
        method,
        issuer: Rc::clone(&token.issuer),
        subject: token.subject.clone(),
        client: token.judge(&guard.rule.token)?,
        sources: Sources { access_token: Some(Rc::clone(&token.claims)), ..Sources::default() },
        scope: Rc::clone(&token.scope),
        id_token: None,
        consumer: None,
        access_token: None,
    })
}

fn judge_revoked(world: &World, guard: &Guard, token: &AccessToken, identity: &Identity) -> Result<(), Refusal> {
    let (subject, client) = (identity.subject.as_ref(), identity.client.as_ref());
    guard.judge_revoked(world, &token.issuer, subject, client, &token.lineage)
}

/// Asks the issuer further questions about its token, and gives back whom it is about; that must be one in all that is said.
async fn ask(
    world: &World,
    guard: &Guard,
    text: &str,
    token: &AccessToken,
    sources: &mut Sources,
) -> Result<Option<Rc<str>>, Refusal> {
    let Rule { token: rules, enrich, .. } = &*guard.rule;
    let provider = guard.provider_at(token.provider)?;
    let mut subject = token.subject.clone();
    if rules.introspect_jwt || enrich.introspection {
        let answer = provider.introspect(world, text).await?;
        // Whatever it was asked for, an answer that binds the token to a key is not passed over.
        if rules.introspect_jwt {
            answer.judge(rules)?
        } else {
            answer.judge_kind()?
        }
        subject = agreed(subject, answer.subject.as_ref(), "introspection")?;
        sources.introspection = Some(Rc::clone(&answer.claims));
    }
    if enrich.userinfo {
        let answer = provider.ask_userinfo(world, text).await?;
        subject = agreed(subject, Some(&answer.subject), "userinfo")?;
        sources.userinfo = Some(Rc::clone(&answer.claims));
    }
    Ok(subject)
}

/// A token that keeps its subject to itself, as Keycloak's lightweight ones do, has the one that its issuer names.
pub fn agreed(known: Option<Rc<str>>, said: Option<&Rc<str>>, by: &str) -> Result<Option<Rc<str>>, Refusal> {
    match (known, said) {
        (Some(known), Some(said)) if known != *said => {
            Err(Refusal::new(Reason::AccessTokenClaims, format!("{by} speaks of another subject than the token")))
        }
        (known, said) => Ok(known.or_else(|| said.cloned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_said_is_about_one_subject() {
        let agreed = |known: Option<&str>, said: Option<&str>| {
            let subject = agreed(known.map(Rc::from), said.map(Rc::from).as_ref(), "userinfo");
            subject.map(|subject| subject.map(|subject| subject.to_string())).map_err(|refusal| refusal.reason)
        };
        let alice = || Ok(Some("alice".to_owned()));
        assert_eq!(agreed(Some("alice"), Some("alice")), alice());
        assert_eq!(agreed(Some("alice"), None), alice());
        assert_eq!(agreed(None, Some("alice")), alice());
        assert_eq!(agreed(None, None), Ok(None));
        assert_eq!(agreed(Some("alice"), Some("Alice")), Err(Reason::AccessTokenClaims));
    }
}
