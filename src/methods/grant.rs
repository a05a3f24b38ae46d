//! A caller's credential, traded for tokens at the provider: what the three grants have in common.

use super::{Guard, Hiding, Proof, bearer};
use crate::config::Rule;
use crate::policy::{self, Guess, Guesser};
use crate::provider::{AccessTokens, Credential, Granted, Lineage, Provider, Trade};
use crate::words::{Identity, Method, Reason, Refusal, Request, Sources};
use crate::world::World;
use std::rc::Rc;

/// A credential, and how it is kept from the service.
pub struct Offer {
    /// What is traded.
    pub credential: Credential,
    /// Where it came.
    pub hiding: Hiding,
}

/// What one request has tried.
#[derive(Default)]
pub struct Attempt(Option<Guess>);

/// Whom the tokens speak for that the provider gives for a credential.
pub async fn identify(
    world: &World,
    guard: &Guard,
    request: &Request,
    method: Method,
    offer: &Offer,
    attempt: &mut Attempt,
) -> Result<Box<Proof>, Refusal> {
    let outcome = trade(world, guard, request, method, offer, attempt).await;
    let is_wrong = outcome.as_ref().is_err_and(|refusal| refusal.reason == Reason::CredentialRefused);
    if !is_wrong && let Some(guess) = attempt.0.take() {
        guard.guesses.forgive(&**world, guess);
    }
    let (identity, granted) = outcome?;
    let mut proof = Proof::hidden(identity, &offer.hiding, &guard.rule);
    if let (Some(name), Some(token)) = (&guard.rule.grants.return_refresh_token, &granted.refresh_token) {
        proof.facts.response.push((name.clone(), token.expose().to_vec()));
    }
    Ok(proof)
}

async fn trade(
    world: &World,
    guard: &Guard,
    request: &Request,
    method: Method,
    offer: &Offer,
    attempt: &mut Attempt,
) -> Result<(Identity, Rc<Granted>), Refusal> {
    let provider = guard.provider()?;
    let trade = Trade::new(&offer.credential, &guard.rule.grants);
    let mut leave = || {
        if let (None, Some(limit)) = (&attempt.0, &guard.rule.guess_limit) {
            let address = policy::address(&**world, &request.headers);
            let guesser = Guesser { realm: &provider.settings.name, user: offer.credential.name(), address: &address };
            attempt.0 = Some(guard.guesses.begin(&**world, limit, guesser)?);
        }
        Ok(())
    };
    let mut is_second = false;
    loop {
        let known = provider.known_grant(&**world, &trade);
        let was_known = known.is_some();
        let granted = match known {
            Some(known) => known?,
            None => Box::pin(provider.trade(world, &trade, &mut leave)).await?,
        };
        match identity(world, guard, provider, method, &granted, &offer.credential).await {
            // Tokens that were remembered and are not good any more: the provider is asked once whether it has better ones.
            Err(refusal) if was_known && !is_second && is_stale(refusal.reason) => {
                provider.forget_grant(&**world, &trade);
                is_second = true;
            }
            outcome => return outcome.map(|identity| (identity, granted)),
        }
    }
}

/// Whether a newer token may be better: keys were changed, or the old one has ended in some way.
const fn is_stale(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::AccessTokenKeyUnknown
            | Reason::AccessTokenSignature
            | Reason::AccessTokenExpired
            | Reason::AccessTokenInactive
            | Reason::AccessTokenRevoked
    )
}

async fn identity(
    world: &World,
    guard: &Guard,
    provider: &Provider,
    method: Method,
    granted: &Granted,
    credential: &Credential,
) -> Result<Identity, Refusal> {
    let text = granted.access_token.expose_text().unwrap_or_default();
    let mut identity = if AccessTokens::is_jwt(text) {
        let token = guard.tokens.verify_given(world, text, &guard.rule.providers).await?;
        bearer::of_token(world, guard, method, &token, text).await?
    } else {
        Box::pin(opaque(world, guard, provider, method, granted, credential)).await?
    };
    identity.subject = bearer::agreed(identity.subject, granted.subject.as_ref(), "the ID token")?;
    identity.sources.id_token.clone_from(&granted.id_claims);
    identity.id_token.clone_from(&granted.id_token);
    identity.access_token = Some(Rc::clone(&granted.access_token));
    Ok(identity)
}

/// An opaque access token is the provider's own word, which came over its own TLS. What a rule asks of an access token
/// besides, only introspection knows.
async fn opaque(
    world: &World,
    guard: &Guard,
    provider: &Provider,
    method: Method,
    granted: &Granted,
    credential: &Credential,
) -> Result<Identity, Refusal> {
    let Rule { token: rules, enrich, .. } = &*guard.rule;
    let text = granted.access_token.expose_text().unwrap_or_default();
    let client = match credential {
        Credential::RefreshToken(_) | Credential::Password { .. } => Some(provider.settings.client.client_id.as_str()),
        Credential::Client { .. } | Credential::Assertion { .. } => credential.name(),
    };
    let mut identity = Identity {
        method,
        issuer: provider.issuer().into(),
        subject: granted.subject.clone(),
        client: client.map(Rc::from),
        sources: Sources::default(),
        scope: Rc::clone(&granted.scope),
        id_token: None,
        consumer: None,
        access_token: None,
    };
    let mut lineage = Lineage::default();
    if rules.introspect_jwt || enrich.introspection {
        let answer = provider.introspect(world, text).await?;
        answer.judge(rules)?;
        identity.subject = bearer::agreed(identity.subject, answer.subject.as_ref(), "introspection")?;
        identity.client = answer.client.clone().or(identity.client);
        identity.scope = Rc::clone(&answer.scope);
        identity.sources.introspection = Some(Rc::clone(&answer.claims));
        lineage = answer.lineage.clone();
    } else if rules.audience.is_some() {
        let detail = "the access token is opaque, and without enrich: [introspection] nobody says whom it is for";
        return Err(Refusal::new(Reason::AccessTokenAudience, detail));
    }
    if enrich.userinfo {
        let answer = provider.ask_userinfo(world, text).await?;
        identity.subject = bearer::agreed(identity.subject, Some(&answer.subject), "userinfo")?;
        identity.sources.userinfo = Some(Rc::clone(&answer.claims));
    }
    let Identity { issuer, subject, client, .. } = &identity;
    guard.judge_revoked(world, issuer, subject.as_ref(), client.as_ref(), &lineage)?;
    Ok(identity)
}
