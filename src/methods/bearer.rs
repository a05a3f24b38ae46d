//! A JWT access token, judged by its signature (RFC 6750, RFC 9068).

use super::credential::Presented;
use super::{Guard, Proof};
use crate::config::Rule;
use crate::provider::{AccessToken, AccessTokens};
use crate::words::{Identity, Method, Reason, Refusal, Sources};
use crate::world::World;
use std::rc::Rc;

/// The bearer of a JWT; `None` when the token is none, and another method takes such.
pub async fn identify(world: &World, guard: &Guard, presented: &Presented<'_>) -> Result<Option<Proof>, Refusal> {
    let rule = &guard.rule;
    let token = match guard.tokens.known(world, &presented.token, &rule.providers) {
        Some(token) => token,
        None if AccessTokens::is_jwt(&presented.token) => {
            Box::pin(guard.tokens.verify(world, &presented.token, &rule.providers)).await?
        }
        None if rule.methods.iter().any(|method| matches!(method, Method::Introspection | Method::Userinfo)) => {
            return Ok(None);
        }
        None => return Err(Refusal::new(Reason::AccessTokenMalformed, "the token is no signed JWT")),
    };
    let client = token.judge(&rule.token)?;
    let mut sources = Sources { access_token: Some(Rc::clone(&token.claims)), ..Sources::default() };
    if rule.token.introspect_jwt || rule.enrich.introspection || rule.enrich.userinfo {
        Box::pin(ask(world, guard, presented, &token, &mut sources)).await?;
    }
    let identity = Identity {
        method: Method::Bearer,
        issuer: Rc::clone(&token.issuer),
        subject: token.subject.clone(),
        client,
        sources,
        scope: Rc::clone(&token.scope),
        id_token: None,
        consumer: None,
        access_token: presented.sent_on(rule),
    };
    Ok(Some(Proof::of(identity, presented, rule)))
}

/// Asks the issuer further questions about its token; what it says must be about the same subject.
async fn ask(
    world: &World,
    guard: &Guard,
    presented: &Presented<'_>,
    token: &AccessToken,
    sources: &mut Sources,
) -> Result<(), Refusal> {
    let Rule { token: rules, enrich, .. } = &guard.rule;
    let provider = guard.provider_at(token.provider)?;
    if rules.introspect_jwt || enrich.introspection {
        let answer = provider.introspect(world, &presented.token).await?;
        // Whatever it was asked for, an answer that binds the token to a key is not passed over.
        if rules.introspect_jwt {
            answer.judge(rules)?
        } else {
            answer.judge_kind()?
        }
        same_subject(token, answer.subject.as_deref().or(token.subject.as_deref()), "introspection")?;
        sources.introspection = Some(Rc::clone(&answer.claims));
    }
    if enrich.userinfo {
        let answer = provider.ask_userinfo(world, &presented.token).await?;
        same_subject(token, Some(&answer.subject), "userinfo")?;
        sources.userinfo = Some(Rc::clone(&answer.claims));
    }
    Ok(())
}

fn same_subject(token: &AccessToken, said: Option<&str>, by: &str) -> Result<(), Refusal> {
    if token.subject.as_deref() == said {
        return Ok(());
    }
    Err(Refusal::new(Reason::AccessTokenClaims, format!("{by} speaks of another subject than the token")))
}
