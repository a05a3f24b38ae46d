//! A loaded configuration, ready to decide: rules with what they work with, and the endpoints that are ours.

use super::endpoints::{Endpoint, Serves};
use super::rules::Asked;
use crate::config::{self, Bodies, Config, Observability, Problem, ResponseMode, Rule};
use crate::http::Url;
use crate::methods::{Guard, RelyingParty};
use crate::provider::{KeptClaims, Memories, Provider};
use crate::session::login::Return;
use crate::session::{Kept, OpenedSessions, Owner, Sessions};
use crate::words::{HeaderEdits, Headers, Method};
use crate::world::World;
use std::cell::Cell;
use std::rc::Rc;

/// What decides requests.
pub struct Gate {
    bodies: Bodies,
    observability: Observability,
    providers: Vec<Rc<Provider>>,
    guards: Vec<Guard>,
    endpoints: Vec<Endpoint>,
    asserted_headers: Vec<String>,
    /// What names of our cookies begin with.
    cookie: Option<String>,
    ticked: Cell<bool>,
}

impl Gate {
    /// Loads a configuration, or says everything that is wrong with it.
    pub fn load(text: &[u8], env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<Problem>> {
        Self::build(config::load(text, env)?)
    }

    fn build(config: Config) -> Result<Self, Vec<Problem>> {
        let ring = |provider: &config::Provider| match &config.session {
            Some(session) => session.secrets.clone(),
            None => provider.client.client_secret.iter().cloned().collect(),
        };
        let memories = Memories::new(&config.cache);
        let (providers, problems) = partition(config.providers.iter().enumerate().map(|(at, provider)| {
            let kept = KeptClaims::of(&config.rules, at);
            Provider::new(provider.clone(), &ring(provider), &memories, kept).map(Rc::new)
        }));
        if !problems.is_empty() {
            return Err(problems);
        }
        let session = config.session.map(Rc::new);
        let parties = parties(&config.rules, &providers, session.as_ref());
        let (guards, problems) = partition(config.rules.iter().enumerate().map(|(at, rule)| guard(at, rule, &parties)));
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            bodies: config.bodies,
            observability: config.observability,
            providers,
            endpoints: endpoints(&guards),
            guards,
            asserted_headers: config.asserted_headers,
            cookie: session.map(|session| format!("{}-", session.cookie.name)),
            ticked: Cell::new(false),
        })
    }

    /// Whether the host lets this instance read bodies.
    pub fn reads_bodies(&self) -> bool {
        self.bodies == Bodies::Readable
    }

    /// Whether there are cookies of ours at all.
    pub fn has_sessions(&self) -> bool {
        self.cookie.is_some()
    }

    /// The rules, in their order.
    pub fn rules(&self) -> &[Guard] {
        &self.guards
    }

    /// What operators see.
    pub fn observability(&self) -> &Observability {
        &self.observability
    }

    /// Asks the providers for what will be needed, once.
    pub fn first_tick(&self, world: &World) {
        if !self.ticked.replace(true) {
            self.providers.iter().for_each(|provider| provider.prepare(&world.host()));
        }
    }

    /// The endpoint of ours that a request is for, if any: by host and exact path.
    pub(super) fn endpoint(&self, asked: &Asked<'_>) -> Option<&Endpoint> {
        let path = asked.path.as_deref().ok()?;
        self.endpoints.iter().find(|endpoint| endpoint.path == path && endpoint.host == asked.host)
    }

    /// Takes away what the filter alone may say: every spelling of every header name that it asserts (CVE-2025-64484).
    pub fn cleanse(&self, headers: &Headers) -> HeaderEdits {
        let forged =
            headers.iter().filter(|(name, _)| self.asserted_headers.iter().any(|known| is_spelling(name, known)));
        let mut remove: Vec<String> = forged.map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect();
        remove.dedup();
        HeaderEdits { remove, ..HeaderEdits::default() }
    }

    /// Takes away the cookies of our names that a service sets: sessions begin and end here.
    pub fn cleanse_cookies(&self, response: &Headers) -> HeaderEdits {
        let name_of =
            |line: &[u8]| line.split(|byte| matches!(byte, b'=' | b';')).next().map(|name| name.trim_ascii().to_vec());
        let (ours, theirs): (Vec<&[u8]>, Vec<&[u8]>) =
            response.all("set-cookie").partition(|line| name_of(line).is_some_and(|name| self.owns_cookie(&name)));
        if ours.is_empty() {
            return HeaderEdits::default();
        }
        let add = theirs.into_iter().map(|line| ("set-cookie".to_owned(), line.to_vec())).collect();
        HeaderEdits { remove: vec!["set-cookie".to_owned()], add, ..HeaderEdits::default() }
    }

    /// Whether a cookie is one of ours.
    pub(super) fn owns_cookie(&self, name: &[u8]) -> bool {
        self.cookie.as_ref().is_some_and(|prefix| name.starts_with(prefix.as_bytes()))
    }
}

/// Whether `name` would be read as `known` by some server: without regard to case, and `_` for `-`.
fn is_spelling(name: &[u8], known: &str) -> bool {
    let folded = name.iter().map(|byte| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() });
    name.len() == known.len() && folded.eq(known.bytes())
}

fn partition<T>(results: impl Iterator<Item = Result<T, Problem>>) -> (Vec<T>, Vec<Problem>) {
    let (mut good, mut problems) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => good.push(value),
            Err(problem) => problems.push(problem),
        }
    }
    (good, problems)
}

/// A relying party, by what makes it one.
struct Party {
    provider: usize,
    redirect_uri: Url,
    party: Rc<RelyingParty>,
}

fn parties(rules: &[Rule], providers: &[Rc<Provider>], session: Option<&Rc<config::Session>>) -> Vec<Party> {
    let mut parties: Vec<Party> = Vec::new();
    let opened = OpenedSessions::default();
    let Some(session) = session else { return parties };
    for rule in rules {
        let (Some(login), Some(at)) = (&rule.login, rule.providers.first().copied()) else { continue };
        let Some(provider) = providers.get(at) else { continue };
        if parties.iter().any(|party| party.provider == at && party.redirect_uri == login.redirect_uri) {
            continue;
        }
        let owner = Owner {
            issuer: provider.issuer(),
            client_id: &provider.settings.client.client_id,
            redirect_uri: &login.redirect_uri,
        };
        let party = Rc::new(RelyingParty {
            sessions: Sessions::new(session, &owner, kept_claims(rules, at, session), &opened),
            issuer: provider.issuer().into(),
            provider: Rc::clone(provider),
            redirect_uri: login.redirect_uri.clone(),
            by: match provider.settings.response_mode {
                ResponseMode::Query => Return::Navigation,
                ResponseMode::FormPost => Return::ForeignPost,
            },
        });
        parties.push(Party { provider: at, redirect_uri: login.redirect_uri.clone(), party });
    }
    parties
}

/// What some rule of this provider reads, and what is kept besides.
fn kept_claims(rules: &[Rule], provider: usize, session: &config::Session) -> Kept {
    let mine = rules.iter().filter(|rule| rule.providers.contains(&provider));
    Kept { needed: mine.flat_map(Rule::claims_read).collect(), wished: session.keep_claims.clone() }
}

fn guard(at: usize, rule: &Rule, parties: &[Party]) -> Result<Guard, Problem> {
    let of_provider = || parties.iter().filter(|party| rule.providers.first() == Some(&party.provider));
    let party = match &rule.login {
        Some(login) => of_provider().find(|party| party.redirect_uri == login.redirect_uri),
        None => of_provider().next(),
    };
    if party.is_none() && rule.methods.contains(&Method::Session) && !rule.providers.is_empty() {
        let message = "sessions come of a login: this rule or another one of its provider needs login.redirect_uri";
        return Err(Problem::new(format!("rules[{at}].methods"), message));
    }
    Ok(Guard { rule: rule.clone(), party: party.map(|party| Rc::clone(&party.party)) })
}

/// Every path of ours, with the rules that it serves.
fn endpoints(guards: &[Guard]) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for (at, guard) in guards.iter().enumerate() {
        let Some((login, party)) = guard.login() else { continue };
        let host = party.redirect_uri.host();
        let mut add = |path: &str, serves: Serves| match endpoints
            .iter_mut()
            .find(|known| known.path == path && known.host == host)
        {
            Some(known) => known.guards.push(at),
            None => {
                endpoints.push(Endpoint { host: host.to_owned(), path: path.to_owned(), serves, guards: vec![at] });
            }
        };
        add(party.redirect_uri.path(), Serves::Callback);
        if let Some(path) = &login.initiate_path {
            add(path, Serves::Initiate);
        }
    }
    endpoints
}
