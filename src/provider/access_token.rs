//! JWT access tokens of several providers, verified once and remembered (RFC 9068 §4, RFC 8725 §3).

use super::id_token::THROTTLE;
use super::kept_claims::{self, KeptClaims};
use super::mark::Marker;
use super::proof::NoProof;
use super::{Lineage, Provider, issuers};
use crate::cache::Cache;
use crate::config;
use crate::jose::{self, ExpectedAccessToken, Jwks, JwtError, PublicKey, Untrusted, VerifiedJwt, claims};
use crate::words::json::Object;
use crate::words::{Claims, Reason, Refusal, UnixTime};
use crate::world::{Metric, World};
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

/// What one entry of a cache weighs at least, in bytes; `entries` of the configuration are such ones.
pub(super) const UNIT: usize = 2048;

/// Verified JWT access tokens of several providers, remembered by this worker.
///
/// The tokens themselves are not kept, only keyed hashes of them.
pub struct AccessTokens {
    providers: Vec<Rc<Provider>>,
    kept: Vec<KeptClaims>,
    max_age: Duration,
    marker: Marker,
    known: RefCell<Cache<u128, Rc<Known>>>,
}

/// What a token says, once its signature was verified.
#[derive(Debug)]
pub struct AccessToken {
    /// The place of its provider in the configuration.
    pub provider: usize,
    /// Its `iss`.
    pub issuer: Rc<str>,
    /// Its `sub`.
    pub subject: Option<Rc<str>>,
    /// The `typ` of its header, in lower case and without `application/`.
    pub typ: Option<String>,
    /// The values of its `aud`.
    pub audience: Vec<String>,
    /// What was granted, from `scope` or `scp`, values separated by spaces.
    pub scope: Rc<str>,
    /// Those of its claims that a rule reads.
    pub claims: Claims,
    /// Its `exp`, in whole seconds.
    pub expires: UnixTime,
    /// Where it comes from.
    pub lineage: Lineage,
    /// Claims that name the client under some rule; one that is no text is `None`.
    clients: Vec<(String, Option<Rc<str>>)>,
    /// Whether it has a `cnf` (RFC 7800 §3.1).
    is_bound: bool,
}

/// A token that is not known, by its mark.
#[derive(Clone, Copy)]
pub struct UnknownToken(u128);

/// A token that was verified, with what its verdict rests on.
struct Known {
    token: Rc<AccessToken>,
    /// The key that made its signature.
    key: Rc<PublicKey>,
    /// The last key set that was seen to hold the key. Weak, so that old sets do not outlive their use.
    keys: RefCell<Weak<Jwks>>,
    from: UnixTime,
    until: UnixTime,
}

impl AccessTokens {
    /// None yet. `kept` says, provider by provider, which claims stay.
    pub fn new(providers: &[Rc<Provider>], settings: &config::Cache, kept: Vec<KeptClaims>) -> Self {
        Self {
            providers: providers.to_vec(),
            kept,
            max_age: settings.tokens.max_age,
            marker: Marker::default(),
            known: RefCell::new(Cache::new(settings.tokens.entries.saturating_mul(UNIT))),
        }
    }

    /// Whether a credential has the form of a signed JWT: three base64url parts, a JSON object with `alg` first. All else
    /// is opaque, encrypted tokens of five parts too.
    pub fn is_jwt(token: &str) -> bool {
        jose::has_form(token)
    }

    /// Verifies a token that its provider has just given, for which no stranger can make us look for new keys.
    pub async fn verify_given(&self, world: &World, token: &str, among: &[usize]) -> Result<Rc<AccessToken>, Refusal> {
        match self.known(world, token, among) {
            Ok(known) => Ok(known),
            Err(unknown) => Box::pin(self.verify_anew(world, token, unknown, among, Some(THROTTLE))).await,
        }
    }

    /// A token that was verified before, and is still good: nothing is asked and nothing allocated.
    pub fn known(&self, world: &World, token: &str, among: &[usize]) -> Result<Rc<AccessToken>, UnknownToken> {
        let mark = self.marker.mark(&**world, token.as_bytes());
        let known = self.known.borrow_mut().get(&mark).filter(|known| among.contains(&known.token.provider));
        let Some(known) = known else { return Err(UnknownToken(mark)) };
        let now = world.now();
        let keys = self.providers.get(known.token.provider).and_then(|provider| provider.keys.held());
        if now < known.from || now >= known.until || !keys.is_some_and(|keys| known.is_by_one_of(&keys)) {
            self.known.borrow_mut().remove(&mark);
            return Err(UnknownToken(mark));
        }
        world.count(Metric::TokensCached);
        Ok(Rc::clone(&known.token))
    }

    /// Verifies a token that [`Self::known`] does not know, of one of the providers at the places `among`. What no rule has a say
    /// in is judged here; [`AccessToken::judge`] does the rest.
    pub async fn verify_unknown(
        &self,
        world: &World,
        token: &str,
        unknown: UnknownToken,
        among: &[usize],
    ) -> Result<Rc<AccessToken>, Refusal> {
        self.verify_anew(world, token, unknown, among, None).await
    }

    async fn verify_anew(
        &self,
        world: &World,
        token: &str,
        unknown: UnknownToken,
        among: &[usize],
        throttle: Option<Duration>,
    ) -> Result<Rc<AccessToken>, Refusal> {
        let untrusted = Untrusted::parse(token).map_err(|error| refusal("", error))?;
        let (at, provider) = self.provider_of(untrusted.unverified_claims(), among)?;
        let settings = &provider.settings;
        let (now, refused) = (world.now(), |error| refusal(&settings.name, error));
        let expected = ExpectedAccessToken { algorithms: &settings.signing_algs, now, skew: settings.clock_skew };
        let unproven = jose::judge_access_token(untrusted, &expected).map_err(refused)?;
        // Strangers can make wrong signatures under known names for nothing; a name that is new, or a signature without
        // any, may be a new key's.
        let may_help = |error: &JwtError| match error {
            JwtError::KeyUnknown => true,
            JwtError::Signature => !unproven.names_key(),
            _ => false,
        };
        let check = |keys: &Jwks| unproven.prove(&**world, keys);
        let throttle = throttle.unwrap_or(provider.refetch);
        let proven = provider.keys.prove(&world.host(), throttle, may_help, check).await;
        let ((verified, key), keys) = proven.map_err(|lack| match lack {
            NoProof::Token(error) => refused(error),
            // The right key may be out already, and only we cannot get at it: that is not the caller's fault.
            NoProof::Perhaps(_, refusal) => refusal,
            NoProof::Keys(refusal) => refusal,
        })?;
        world.count(Metric::TokensVerified);
        let kept = self.kept.get(at).cloned().unwrap_or_default();
        let believed = AccessToken::read(at, &verified, unproven.typ(), &kept).map(Rc::new).map_err(refused)?;
        self.remember(world, unknown, Rc::clone(&believed), key, &keys);
        Ok(believed)
    }

    /// Whose token it is, if it speaks the truth: the provider whose own issuer it names, else one that accepts it.
    fn provider_of(&self, claims: &Object, among: &[usize]) -> Result<(usize, &Rc<Provider>), Refusal> {
        let issuer = claims::required_text(claims, "iss").map_err(|error| refusal("", error))?;
        let providers = || among.iter().filter_map(|at| Some((*at, self.providers.get(*at)?)));
        providers()
            .find(|(_, provider)| provider.issuer() == issuer)
            .or_else(|| providers().find(|(_, provider)| issuers::accepts(&provider.settings, issuer, claims)))
            .ok_or_else(|| Refusal::new(Reason::AccessTokenIssuer, "`iss` is of no provider that the rule takes"))
    }

    fn remember(
        &self,
        world: &World,
        UnknownToken(mark): UnknownToken,
        token: Rc<AccessToken>,
        key: Rc<PublicKey>,
        keys: &Rc<Jwks>,
    ) {
        let from = world.now();
        let until = from.plus(self.max_age).min(token.expires);
        if until <= from {
            return;
        }
        let weight = token.weight().max(UNIT);
        let known = Known { token, key, keys: RefCell::new(Rc::downgrade(keys)), from, until };
        self.known.borrow_mut().insert(mark, Rc::new(known), weight);
    }
}

impl Known {
    /// Whether its key is still one of the provider's.
    fn is_by_one_of(&self, keys: &Rc<Jwks>) -> bool {
        if std::ptr::eq(self.keys.borrow().as_ptr(), Rc::as_ptr(keys)) {
            return true;
        }
        let holds = keys.holds(&self.key);
        if holds {
            self.keys.replace(Rc::downgrade(keys));
        }
        holds
    }
}

impl AccessToken {
    fn read(provider: usize, verified: &VerifiedJwt, typ: Option<String>, kept: &KeptClaims) -> Result<Self, JwtError> {
        let claims = verified.claims();
        let client = |name: &String| Some((name.clone(), claims.get(name)?.as_str().map(Rc::from)));
        Ok(Self {
            provider,
            issuer: verified.issuer().into(),
            subject: jose::subject(claims)?.map(Rc::from),
            typ,
            audience: audience(claims)?,
            scope: jose::scope(claims)?.into(),
            claims: kept.filter(claims),
            expires: verified.expires().ok_or(JwtError::ClaimMissing("exp"))?,
            clients: kept.clients().iter().filter_map(client).collect(),
            lineage: Lineage::of(claims),
            is_bound: claims.contains_key("cnf"),
        })
    }

    /// What one rule asks of it: its type, that it is bound to no key, its audience. Says which client it was issued to.
    pub fn judge(&self, rules: &config::TokenRules) -> Result<Option<Rc<str>>, Refusal> {
        if !rules.types.contains(&self.typ) {
            return Err(Refusal::new(Reason::AccessTokenType, "`typ` is none of token.types"));
        }
        if self.is_bound {
            return Err(Reason::BindingUnsupported.into());
        }
        judge_audience(rules, &self.audience)?;
        let named = |name: &String| self.clients.iter().find(|(claim, _)| claim == name);
        match rules.client_id_claims.iter().find_map(named) {
            None => Ok(None),
            Some((_, Some(client))) => Ok(Some(Rc::clone(client))),
            Some((name, None)) => Err(Refusal::new(Reason::AccessTokenClaims, format!("`{name}` is no text"))),
        }
    }

    fn weight(&self) -> usize {
        let texts = [self.issuer.len(), self.scope.len(), self.subject.as_ref().map_or(0, |subject| subject.len())];
        let audience = self.audience.iter().map(|audience| audience.len().saturating_add(48));
        let clients = self.clients.iter().map(|(name, _)| name.len().saturating_add(256));
        let held: usize = texts.into_iter().chain(audience).chain(clients).sum();
        let held = held.saturating_add(self.lineage.weight());
        held.saturating_add(kept_claims::weight(&self.claims)).saturating_add(size_of::<(Self, Known)>())
    }
}

/// The values of `aud`; none where there is none.
pub(super) fn audience(claims: &Object) -> Result<Vec<String>, JwtError> {
    if !claims.contains_key("aud") {
        return Ok(Vec::new());
    }
    Ok(claims::audiences(claims)?.into_iter().map(str::to_owned).collect())
}

/// One of the rule's audiences must be among those of the token, unless it takes any (RFC 9068 §4).
pub fn judge_audience(rules: &config::TokenRules, audience: &[String]) -> Result<(), Refusal> {
    match &rules.audience {
        Some(ours) if !ours.iter().any(|ours| audience.contains(ours)) => {
            Err(Refusal::new(Reason::AccessTokenAudience, "`aud` has none of token.audience"))
        }
        _ => Ok(()),
    }
}

fn refusal(provider: &str, error: JwtError) -> Refusal {
    let whose = if provider.is_empty() { String::new() } else { format!("provider={provider}: ") };
    Refusal::new(reason(&error), format!("{whose}{error}"))
}

const fn reason(error: &JwtError) -> Reason {
    match error {
        JwtError::Malformed | JwtError::TooLarge | JwtError::Critical => Reason::AccessTokenMalformed,
        JwtError::AlgorithmNotAllowed | JwtError::SecretTooShort => Reason::AccessTokenAlgorithm,
        JwtError::Type => Reason::AccessTokenType,
        JwtError::KeyUnknown => Reason::AccessTokenKeyUnknown,
        JwtError::Signature => Reason::AccessTokenSignature,
        JwtError::Issuer => Reason::AccessTokenIssuer,
        JwtError::Audience | JwtError::AuthorizedParty => Reason::AccessTokenAudience,
        JwtError::Expired => Reason::AccessTokenExpired,
        JwtError::NotYetValid => Reason::AccessTokenNotYetValid,
        JwtError::ClaimMissing(_)
        | JwtError::ClaimType(_)
        | JwtError::Nonce
        | JwtError::AuthenticationTooOld
        | JwtError::AccessTokenHash => Reason::AccessTokenClaims,
    }
}

#[cfg(test)]
mod tests;
