//! A loaded configuration, ready to decide: rules with what they work with, and the endpoints that are ours.

use super::endpoints::{Endpoint, Serves};
use super::index::Index;
use super::rules::Asked;
use crate::config::{self, Bodies, Config, HostMatch, Observability, Problem, ResponseMode, Rule};
use crate::http::Url;
use crate::http::well_known::resource_path;
use crate::methods::Guard;
use crate::policy::{Limiter, Revocations};
use crate::provider::{AccessTokens, KeptClaims, Memories, Provider};
use crate::session::login::Return;
use crate::session::{Kept, OpenedSessions, Owner, RelyingParty, Sessions};
use crate::store::{Journal, Store};
use crate::words::{HeaderEdits, Headers, Method, Source};
use crate::world::World;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What decides requests.
pub struct Gate {
    bodies: Bodies,
    observability: Observability,
    providers: Rc<[Rc<Provider>]>,
    guards: Vec<Guard>,
    index: Index,
    /// By path.
    endpoints: BTreeMap<String, Vec<Endpoint>>,
    limiter: Limiter,
    asserted_headers: Asserted,
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
        let secrets = config.session.as_ref().map(|session| session.secrets.as_slice()).unwrap_or_default();
        let store = config.store.as_ref().map(|settings| Rc::new(Store::new(settings, secrets)));
        let memories = Memories::new(&config.cache, store.as_ref());
        let kept: Vec<KeptClaims> = (0..config.providers.len()).map(|at| KeptClaims::of(&config.rules, at)).collect();
        let (providers, problems) = partition(config.providers.iter().zip(&kept).map(|(provider, kept)| {
            Provider::new(provider.clone(), &ring(provider), &memories, kept.clone()).map(Rc::new)
        }));
        if !problems.is_empty() {
            return Err(problems);
        }
        let ring_of_all = config.providers.first().map(ring).unwrap_or_default();
        let limiter = Limiter::new(&ring_of_all);
        let journal = store
            .as_ref()
            .map(|store| Rc::new(Journal::new(store, config.revocation.entries, config.revocation.max_age)));
        let revocations = Rc::new(Revocations::new(&config.revocation, &ring_of_all).told_in(journal));
        let session = config.session.clone().map(Rc::new);
        let parties = parties(&config.rules, &providers, session.as_ref(), &revocations, store.as_ref());
        let tokens = Rc::new(AccessTokens::new(&providers, &config.cache, kept));
        let providers: Rc<[Rc<Provider>]> = providers.into();
        let (guards, problems) = partition(config.rules.iter().enumerate().map(|(at, rule)| {
            let party = party_of(at, rule, &parties)?;
            let (providers, tokens) = (Rc::clone(&providers), Rc::clone(&tokens));
            let revocations = Rc::clone(&revocations);
            let place = u32::try_from(at).unwrap_or(u32::MAX);
            Ok(Guard { place, rule: rule.clone(), party, providers, tokens, revocations })
        }));
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            bodies: config.bodies,
            observability: config.observability,
            providers,
            endpoints: endpoints(&guards),
            index: Index::new(guards.iter().map(|guard| &guard.rule.matches)),
            guards,
            limiter,
            asserted_headers: Asserted::new(config.asserted_headers),
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

    /// Finds rules by what they match.
    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// A provider by its place.
    pub(super) fn provider(&self, at: usize) -> Option<&Provider> {
        self.providers.get(at).map(Rc::as_ref)
    }

    /// What counts requests.
    pub(super) fn limiter(&self) -> &Limiter {
        &self.limiter
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
        let here = |endpoint: &&Endpoint| endpoint.host.as_ref().is_none_or(|host| *host == asked.host);
        self.endpoints.get(path)?.iter().find(here)
    }

    /// Takes away what the filter alone may say: every spelling of every header name that it asserts (CVE-2025-64484).
    pub fn cleanse(&self, headers: &Headers) -> HeaderEdits {
        let forged = headers.iter().filter(|(name, _)| self.asserted_headers.has(name));
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

/// Header names that the filter asserts, by their lengths: a look at each field of each request must cost little.
struct Asserted(Vec<Vec<String>>);

impl Asserted {
    fn new(names: Vec<String>) -> Self {
        let mut by_length: Vec<Vec<String>> = Vec::new();
        for name in names {
            if by_length.len() <= name.len() {
                by_length.resize(name.len().saturating_add(1), Vec::new());
            }
            if let Some(same) = by_length.get_mut(name.len()) {
                same.push(name);
            }
        }
        Self(by_length)
    }

    fn has(&self, name: &[u8]) -> bool {
        self.0.get(name.len()).is_some_and(|known| known.iter().any(|known| is_spelling(name, known)))
    }
}

/// Whether `name` would be read as `known` by some server: without regard to case, and `_` for `-`.
fn is_spelling(name: &[u8], known: &str) -> bool {
    let folded = name.iter().map(|byte| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() });
    folded.eq(known.bytes())
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

fn parties(
    rules: &[Rule],
    providers: &[Rc<Provider>],
    session: Option<&Rc<config::Session>>,
    revocations: &Rc<Revocations>,
    store: Option<&Rc<Store>>,
) -> Vec<Party> {
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
            sessions: Sessions::new(session, &owner, kept_claims(rules, at, session), &opened).kept_in(store),
            issuer: provider.issuer().into(),
            provider: Rc::clone(provider),
            revocations: Rc::clone(revocations),
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
    Kept {
        all: mine.clone().any(|rule| rule.tells_all(Source::IdToken)),
        needed: mine.flat_map(Rule::claims_read).collect(),
        wished: session.keep_claims.clone(),
    }
}

fn party_of(at: usize, rule: &Rule, parties: &[Party]) -> Result<Option<Rc<RelyingParty>>, Problem> {
    let of_provider = || parties.iter().filter(|party| rule.providers.first() == Some(&party.provider));
    let party = match &rule.login {
        Some(login) => of_provider().find(|party| party.redirect_uri == login.redirect_uri),
        None => of_provider().next(),
    };
    if party.is_none() && rule.methods.contains(&Method::Session) && !rule.providers.is_empty() {
        let message = "sessions come of a login: this rule or another one of its provider needs login.redirect_uri";
        return Err(Problem::new(format!("rules[{at}].methods"), message));
    }
    Ok(party.map(|party| Rc::clone(&party.party)))
}

/// Every path of ours, with the rules that it serves.
fn endpoints(guards: &[Guard]) -> BTreeMap<String, Vec<Endpoint>> {
    let mut endpoints: BTreeMap<String, Vec<Endpoint>> = BTreeMap::new();
    let mut add = |path: &str, host: Option<&str>, serves: Serves, at: usize| {
        let here = endpoints.entry(path.to_owned()).or_default();
        match here.iter_mut().find(|known| known.host.as_deref() == host) {
            Some(known) => known.guards.push(at),
            None => here.push(Endpoint { host: host.map(str::to_owned), serves, guards: vec![at] }),
        }
    };
    for (at, guard) in guards.iter().enumerate() {
        if let Some((login, party)) = guard.login() {
            let host = Some(party.redirect_uri.host());
            add(party.redirect_uri.path(), host, Serves::Callback, at);
            if let Some(path) = &login.initiate_path {
                add(path, host, Serves::Initiate, at);
            }
        }
        if let Some(resource) = &guard.rule.token.resource {
            // Where the rule is for any host, its resource's name says nothing of the one that a client reaches us by.
            let host = match &guard.rule.matches.host {
                HostMatch::Any => None,
                HostMatch::Exact { .. } | HostMatch::Suffix(_) => Some(resource.url.host()),
            };
            add(&resource_path(&resource.url), host, Serves::ResourceMetadata, at);
        }
    }
    endpoints
}
