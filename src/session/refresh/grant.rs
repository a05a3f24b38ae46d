//! What a provider answers to a refresh, held to what the session came of: OIDC Core §12.2.

use super::leader::Errand;
use crate::provider::token::{self, NotRefreshed, Tokens};
use crate::provider::{LoginEvidence, Metadata, userinfo};
use crate::session::{Content, Origin, RelyingParty};
use crate::words::json::Object;
use crate::words::{Reason, Refusal, Secret};
use crate::world::World;
use std::rc::Rc;

/// Claims of the login that a later ID token may leave out: they go on holding.
const GO_ON: [&str; 5] = ["acr", "amr", "auth_time", "azp", "nonce"];

/// One session's refresh at its provider.
pub struct Grant {
    pub world: World,
    pub party: Rc<RelyingParty>,
    pub metadata: Rc<Metadata>,
    pub refresh_token: Secret,
    pub content: Rc<Content>,
}

impl Errand for Grant {
    type Tokens = Tokens;

    async fn ask(&self) -> Result<Tokens, NotRefreshed> {
        let provider = &self.party.provider;
        let answer = token::refresh(&*self.world, provider, &self.metadata.token_endpoint, &self.refresh_token).await;
        #[cfg(feature = "panic-after-refresh")]
        panic_if_told(&self.world, &answer);
        answer
    }

    async fn judge(&self, tokens: Tokens) -> Result<Rc<Content>, Refusal> {
        let next = self.next(tokens).await;
        // Where that cannot be known now, what is known here counts: the refresh token is spent.
        let _ = self.party.revocations.catch_up(&self.world).await;
        next
    }

    fn is_revoked(&self, content: &Content) -> bool {
        let is_revoked = self.party.is_revoked(&self.world, content);
        if is_revoked {
            let (host, provider) = (self.world.host(), Rc::clone(&self.party.provider));
            let (refresh_token, access_token) = (content.refresh_token.clone(), content.access_token.clone());
            self.world.spawn(Box::pin(async move { provider.revoke(&host, refresh_token, access_token).await }));
        }
        is_revoked
    }
}

impl Grant {
    async fn next(&self, tokens: Tokens) -> Result<Rc<Content>, Refusal> {
        let (before, sessions, now) = (&*self.content, &self.party.sessions, self.world.now());
        let mut next = Content { generation: before.generation.saturating_add(1), ..before.clone() };
        let mut claims = None;
        if let Some(id_token) = tokens.id_token {
            let (origin, said) = self.same_login(&id_token, &tokens.access_token).await?;
            next.origin = origin;
            next.id_token = Some(Rc::new(id_token));
            claims = Some(said);
        }
        if self.party.asks_userinfo
            && let Some(said) = self.userinfo(&tokens.access_token).await?
        {
            match &mut claims {
                Some(claims) => userinfo::add(claims, said),
                // Without a new ID token the newer word counts, but for what only an ID token says.
                None => claims = Some(newer(&before.claims, said)),
            }
        } else if let Some(claims) = &mut claims
            && self.party.asks_userinfo
        {
            // Userinfo could not be asked: what it said before goes on, where the new ID token does not say otherwise.
            userinfo::add(claims, (*before.claims).clone());
        }
        if let Some(claims) = claims {
            next.claims = sessions.claims_to_keep(&Rc::new(claims));
        }
        next.access_token = Some(Rc::new(tokens.access_token));
        next.access_born = now;
        next.access_expires = now.plus(tokens.expires_in.unwrap_or(sessions.settings.refresh.assumed_lifetime));
        if let Some(refresh_token) = tokens.refresh_token {
            next.refresh_token = Some(refresh_token);
        }
        if let Some(scope) = tokens.scope {
            next.scope = scope.as_str().into();
        }
        Ok(Rc::new(next))
    }

    /// The claims of a new ID token, which must be of the same login (§12.2).
    async fn same_login(&self, id_token: &Secret, access_token: &Secret) -> Result<(Origin, Object), Refusal> {
        let invalid = |detail: String| Refusal::new(Reason::RefreshInvalid, detail);
        let provider = &self.party.provider;
        let evidence = LoginEvidence { nonce: None, access_token };
        let verified = match provider.verify_id_token(&self.world, id_token, &evidence).await {
            Ok(verified) => verified,
            // Nothing is wrong with an answer that cannot be judged now.
            Err(refusal) if refusal.reason.status() == 503 => return Err(refusal),
            Err(refusal) => return Err(invalid(refusal.to_string())),
        };
        let before = &*self.content;
        let mut origin = Origin::of(verified.claims());
        if verified.subject() != &*before.subject {
            return Err(invalid("its ID token is about another subject".to_owned()));
        }
        if let Some(what) = before.origin.contradiction(&origin) {
            return Err(invalid(format!("its ID token has another {what} than the login's")));
        }
        origin.go_on_from(&before.origin);
        let mut claims = (**verified.claims()).clone();
        for name in GO_ON {
            if let Some(value) = before.claims.get(name) {
                claims.entry(name).or_insert_with(|| value.clone());
            }
        }
        Ok((origin, claims))
    }

    /// What userinfo says with the new token; `None` while it cannot be asked.
    async fn userinfo(&self, access_token: &Secret) -> Result<Option<Object>, Refusal> {
        let (settings, subject) = (&self.party.provider.settings, &self.content.subject);
        match userinfo::fetch(&self.world, settings, &self.metadata, access_token, subject).await {
            Ok(said) => Ok(Some(said)),
            Err(refusal) if matches!(refusal.reason, Reason::UserinfoSubjectMismatch | Reason::UserinfoRefused) => {
                Err(Refusal::new(Reason::RefreshInvalid, refusal.to_string()))
            }
            Err(refusal) => {
                // The refresh token is spent: new tokens with older claims are better than none.
                self.world.log(log::Level::Warn, &refusal.to_string());
                Ok(None)
            }
        }
    }
}

fn newer(before: &Object, said: Object) -> Object {
    let mut newer = before.clone();
    for (name, value) in said {
        if !userinfo::OF_THE_LOGIN.contains(&name.as_str()) {
            newer.insert(name, value);
        }
    }
    newer
}

/// A worker that is lost while it holds a lease: at a token answer whose scope says so.
#[cfg(feature = "panic-after-refresh")]
#[allow(clippy::panic)]
fn panic_if_told(world: &World, answer: &Result<Tokens, NotRefreshed>) {
    if let Ok(Tokens { scope: Some(scope), .. }) = answer
        && scope.split(' ').any(|word| word == "panic")
    {
        // A panic may have no words of its own; these also tell this build from the product.
        world.log(log::Level::Error, "panics, as the token answer said");
        panic!();
    }
}
