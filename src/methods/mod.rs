//! The credentials, one file each, tried in one fixed order; the first one found decides.

pub mod authorization_code;
mod basic;
mod bearer;
mod client_credentials;
mod credential;
pub mod gateway_token;
mod grant;
mod introspection;
mod password;
mod refresh_token;
mod session;
mod token_exchange;
mod userinfo;

pub use credential::Hiding;
pub use token_exchange::exchanged;

use crate::config::{Allow, Login, Mode, Rule};
use crate::gateway::GatewayTokens;
use crate::policy::{Guesses, Name, Revocations};
use crate::provider::{AccessTokens, Lineage, Provider, UnknownToken};
use crate::session::{Facts, Looked, RelyingParty};
use crate::words::{Identity, Late, Method, Reason, Refusal, Request, Stop};
use crate::world::World;
use credential::Presented;
use grant::Attempt;
use session::Shown;
use std::rc::Rc;

/// A rule, with what its methods work with.
pub struct Guard {
    /// The rule's place in the configuration.
    pub place: u32,
    /// The rule.
    pub rule: Rc<Rule>,
    /// Where it has sessions or logins.
    pub party: Option<Rc<RelyingParty>>,
    /// Every provider of the configuration, in its order.
    pub providers: Rc<[Rc<Provider>]>,
    /// JWT access tokens that were verified.
    pub tokens: Rc<AccessTokens>,
    /// What was revoked.
    pub revocations: Rc<Revocations>,
    /// What the gateway itself issues, where it does.
    pub gateway: Option<Rc<GatewayTokens>>,
    /// How often secrets were guessed at.
    pub guesses: Rc<Guesses>,
}

impl Guard {
    /// The login and what it works with, where people may log in.
    pub fn login(&self) -> Option<(&Login, &Rc<RelyingParty>)> {
        Some((self.rule.login.as_ref()?, self.party.as_ref()?))
    }

    /// The rule's one provider.
    pub fn provider(&self) -> Result<&Provider, Refusal> {
        self.rule.providers.first().map_or_else(|| Err(Reason::Unconfigured.into()), |at| self.provider_at(*at))
    }

    /// A provider by its place.
    pub fn provider_at(&self, at: usize) -> Result<&Provider, Refusal> {
        self.providers.get(at).map(Rc::as_ref).ok_or_else(|| Reason::Unconfigured.into())
    }

    /// Refuses an access token that was revoked, where that is looked at (`revocation.tokens`).
    fn judge_revoked(
        &self,
        world: &World,
        issuer: &str,
        subject: Option<&Rc<str>>,
        client: Option<&Rc<str>>,
        lineage: &Lineage,
    ) -> Result<(), Refusal> {
        if !self.revocations.settings.tokens {
            return Ok(());
        }
        let names = [
            lineage.id.as_deref().map(|id| Name::Token { issuer, id }),
            lineage.sid.as_deref().map(|sid| Name::ProviderSession { issuer, sid }),
            subject.map(|subject| Name::Subject { issuer, subject }),
            client.map(|client_id| Name::Client { issuer, client_id }),
        ];
        if self.revocations.denies(world, &names, lineage.issued) {
            return Err(Reason::AccessTokenRevoked.into());
        }
        Ok(())
    }

    /// Whether the provider is asked about tokens that nobody here can read.
    fn asks_about_tokens(&self) -> bool {
        self.rule.methods.iter().any(|method| matches!(method, Method::Introspection | Method::Userinfo))
    }

    /// Whether it takes access tokens that callers bring.
    pub fn takes_access_tokens(&self) -> bool {
        self.rule.methods.iter().any(|method| method.takes_access_tokens())
    }

    /// What is said to a caller that shows nothing.
    pub fn nothing_shown(&self) -> Reason {
        let has = |is: fn(&Method) -> bool| self.rule.methods.iter().any(is);
        if self.takes_access_tokens() {
            Reason::AccessTokenRequired
        } else if has(|method| method.is_grant()) && !has(|method| *method == Method::AuthorizationCode) {
            Reason::CredentialRequired
        } else {
            Reason::LoginRequired
        }
    }
}

/// An identity, and what follows of how it was shown. It is handed on in a box, since it goes through many hands.
pub struct Proof {
    /// Who it is.
    pub identity: Identity,
    /// `set-cookie` values for the client.
    pub cookies: Vec<String>,
    /// Further ones that may be known when the service answers.
    pub late: Option<Late>,
    /// How the credential is kept from the service.
    pub hiding: Option<Hiding>,
    /// Whether the URL held the credential, so that nobody else may get what is answered to it (RFC 6750 §2.3).
    pub in_url: bool,
    /// What is told of its session.
    pub facts: Facts,
}

impl From<Identity> for Proof {
    /// Nothing follows but who it is.
    fn from(identity: Identity) -> Self {
        Self { identity, cookies: Vec::new(), late: None, hiding: None, in_url: false, facts: Facts::default() }
    }
}

impl Proof {
    /// The bearer of an access token.
    fn of(identity: Identity, presented: &Presented<'_>, rule: &Rule) -> Box<Self> {
        Self::hidden(identity, &presented.hiding, rule)
    }

    /// One whose credential came there.
    fn hidden(identity: Identity, hiding: &Hiding, rule: &Rule) -> Box<Self> {
        let mut proof = Box::new(Self::from(identity));
        proof.in_url = matches!(hiding, Hiding::Target(_));
        proof.hiding = rule.credentials.hide.then(|| hiding.clone());
        proof
    }
}

/// Why there is no proof at once.
pub enum Unproven {
    /// Somebody may have to be asked, or told.
    Waits,
    /// The credential is none, whoever would be asked.
    Refused(Refusal),
}

impl From<Refusal> for Unproven {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// How far a search came that has to wait: what it knows is not looked for, nor counted, again.
#[derive(Default)]
pub struct Begun {
    /// How many of the rule's methods found nothing.
    passed: usize,
    /// What the next one found.
    found: Found,
}

/// What a method found before it had to wait.
#[derive(Default)]
enum Found {
    #[default]
    Nothing,
    Session(Looked),
    UnknownToken(UnknownToken),
    Person(Box<Proof>),
}

impl Begun {
    /// Who it is was found, and something remains to be done about it.
    pub fn with(proof: Box<Proof>) -> Self {
        Self { passed: 0, found: Found::Person(proof) }
    }
}

/// As [`identify`], where this worker can say it by itself. Where it has to wait, it leaves what it knows in `begun`.
pub fn known(
    world: &World,
    guard: &Guard,
    request: &Request,
    begun: &mut Begun,
) -> Result<Option<Box<Proof>>, Unproven> {
    if guard.revocations.are_shared() {
        return Err(Unproven::Waits);
    }
    let mut token = None;
    for (passed, method) in guard.rule.methods.iter().enumerate() {
        begun.passed = passed;
        if method.takes_access_tokens() && token.is_none() {
            token = Some(credential::presented_at_once(&guard.rule, request)?);
        }
        let presented = token.as_ref().and_then(Option::as_ref);
        let proof = match (method, presented) {
            (Method::Session, _) => session::known(world, guard, request, &mut begun.found)?,
            (Method::Bearer, Some(presented)) => bearer::known(world, guard, presented, &mut begun.found)?,
            (Method::GatewayToken, Some(presented)) => {
                presented.check()?;
                gateway_token::identify(world, guard, presented)?
            }
            (Method::Bearer | Method::GatewayToken | Method::Introspection | Method::Userinfo, None) => None,
            _ => return Err(Unproven::Waits),
        };
        if proof.is_some() {
            return Ok(proof);
        }
    }
    Ok(None)
}

/// Looks for the rule's credentials in their order; the first one found decides. `None` when there are none, and none can be
/// asked for. It goes on from where [`known`] left it.
pub async fn identify(
    world: &World,
    guard: &Guard,
    request: &Request,
    begun: Begun,
) -> Result<Option<Box<Proof>>, Stop> {
    if let Found::Person(proof) = begun.found {
        return Ok(Some(proof));
    }
    if guard.revocations.are_shared() {
        Box::pin(guard.revocations.catch_up(world)).await?;
    }
    // What became of a session goes with whatever is answered.
    let mut over = None;
    match search(world, guard, request, begun, &mut over).await {
        Ok(Some(mut proof)) => {
            if let Some(over) = over {
                proof.cookies.extend_from_slice(over.cookies());
            }
            Ok(Some(proof))
        }
        Ok(None) => match over {
            Some(refusal) if guard.rule.allow != Allow::Optional => Err(Stop::Refused(refusal)),
            _ => Ok(None),
        },
        Err(stop) => Err(session::because(over, stop)),
    }
}

async fn search(
    world: &World,
    guard: &Guard,
    request: &Request,
    begun: Begun,
    over: &mut Option<Refusal>,
) -> Result<Option<Box<Proof>>, Stop> {
    let Begun { passed, mut found } = begun;
    let mut token = None;
    let mut attempt = Attempt::default();
    for method in guard.rule.methods.iter().skip(passed) {
        let found = std::mem::take(&mut found);
        if method.takes_access_tokens() && token.is_none() {
            token = Some(credential::presented(world, &guard.rule, request).await?);
        }
        let presented = token.as_ref().and_then(Option::as_ref);
        let proof = match (method, presented) {
            (Method::Session, _) => match session::identify(world, guard, request, found).await? {
                Shown::Nothing => None,
                Shown::Person(proof) => Some(proof),
                Shown::Over(refusal) => {
                    *over = Some(refusal);
                    None
                }
            },
            (Method::Bearer, Some(presented)) => bearer::identify(world, guard, presented, found).await?,
            (Method::Introspection, Some(presented)) => {
                Some(Box::pin(introspection::identify(world, guard, presented)).await?)
            }
            (Method::Userinfo, Some(presented)) => Some(Box::pin(userinfo::identify(world, guard, presented)).await?),
            (Method::GatewayToken, Some(presented)) => gateway_token::identify(world, guard, presented)?,
            (Method::Bearer | Method::GatewayToken | Method::Introspection | Method::Userinfo, None) => None,
            (Method::RefreshToken, _) => Box::pin(refresh_token::identify(world, guard, request, &mut attempt)).await?,
            (Method::Password, _) => Box::pin(password::identify(world, guard, request, &mut attempt)).await?,
            (Method::ClientCredentials, _) => {
                Box::pin(client_credentials::identify(world, guard, request, &mut attempt)).await?
            }
            // Neither an optional identity nor one on trial is ever asked for.
            (Method::AuthorizationCode, _) if guard.rule.allow == Allow::Optional => None,
            (Method::AuthorizationCode, _) if guard.rule.mode == Mode::Report => None,
            (Method::AuthorizationCode, _) => {
                Box::pin(authorization_code::begin(world, guard, request)).await.map(|()| None)?
            }
        };
        if proof.is_some() {
            return Ok(proof);
        }
    }
    Ok(None)
}
