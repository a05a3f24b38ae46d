//! A loaded configuration, ready to decide: rules with what they work with, and the endpoints that are ours.

use super::endpoints::{self, Endpoint};
use super::index::Index;
use super::known_lines::KnownLines;
use super::rules::Asked;
use crate::config::{self, Bodies, Config, Login, Observability, Problem, ResponseMode, Rule};
use crate::gateway::GatewayTokens;
use crate::http::Url;
use crate::methods::Guard;
use crate::policy::{Guesses, Limiter, Revocations};
use crate::provider::{AccessTokens, KeptClaims, Memories, Provider};
use crate::session::login::Return;
use crate::session::refresh::{self, Refreshes};
use crate::session::{Kept, OpenedSessions, Owner, RelyingParty, Sessions};
use crate::store::Store;
use crate::words::{ByName, HeaderEdits, Headers, Looks, Method, Source, folded};
use crate::world::World;
use std::cell::Cell;
use std::rc::Rc;

/// What decides requests.
pub struct Gate {
    bodies: Bodies,
    observability: Observability,
    notes: Vec<String>,
    providers: Rc<[Rc<Provider>]>,
    guards: Vec<Guard>,
    index: Index,
    known_lines: KnownLines,
    /// By path.
    endpoints: ByName<Vec<Endpoint>>,
    limiter: Limiter,
    revocations: Rc<Revocations>,
    /// Who may operate, if anybody.
    operator: Option<Guard>,
    /// What the gateway itself issues.
    gateway: Option<Rc<GatewayTokens>>,
    guesses: Rc<Guesses>,
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
            None => provider.client.own_secret().into_iter().cloned().collect(),
        };
        let secrets = config.session.as_ref().map(|session| session.secrets.as_slice()).unwrap_or_default();
        let store = config.store.as_ref().map(|settings| Rc::new(Store::new(settings, secrets)));
        let memories = Memories::new(&config.cache, store.as_ref());
        let judging: Vec<Rc<Rule>> =
            config.rules.iter().chain(config.operator.iter().map(|it| &it.rule)).map(Rc::clone).collect();
        let kept: Vec<KeptClaims> = (0..config.providers.len()).map(|at| KeptClaims::of(&judging, at)).collect();
        let (providers, problems) = partition(config.providers.iter().zip(&kept).map(|(provider, kept)| {
            Provider::new(Rc::clone(provider), &ring(provider), &memories, kept.clone()).map(Rc::new)
        }));
        if !problems.is_empty() {
            return Err(problems);
        }
        let gateway_ring = || config.gateway_tokens.as_ref().map(|gateway| gateway.secrets.clone());
        let ring_of_all = config.providers.first().map(|provider| ring(provider)).filter(|ring| !ring.is_empty());
        let ring_of_all = ring_of_all.or_else(gateway_ring).unwrap_or_default();
        let limiter = Limiter::new(&ring_of_all);
        let guesses = Rc::new(Guesses::new(&ring_of_all));
        let revocations = Rc::new(Revocations::new(&config.revocation, &ring_of_all, store.as_ref()));
        let session = config.session.as_ref();
        let parties = parties(&config.rules, &providers, session, &revocations, store.as_ref());
        let tokens = Rc::new(AccessTokens::new(&providers, &config.cache, kept));
        let providers: Rc<[Rc<Provider>]> = providers.into();
        let gateway = config.gateway_tokens.clone().map(GatewayTokens::new).transpose()?.map(Rc::new);
        let operator = config.operator.as_ref().map(|operator| Guard {
            place: u32::MAX,
            rule: Rc::clone(&operator.rule),
            party: None,
            providers: Rc::clone(&providers),
            tokens: Rc::clone(&tokens),
            revocations: Rc::clone(&revocations),
            gateway: None,
            guesses: Rc::clone(&guesses),
        });
        let (guards, problems) = partition(config.rules.iter().enumerate().map(|(at, rule)| {
            let party = party_of(at, rule, &parties)?;
            let (providers, tokens) = (Rc::clone(&providers), Rc::clone(&tokens));
            let (revocations, gateway) = (Rc::clone(&revocations), gateway.clone());
            let (place, guesses) = (u32::try_from(at).unwrap_or(u32::MAX), Rc::clone(&guesses));
            let rule = Rc::clone(rule);
            Ok(Guard { place, rule, party, providers, tokens, revocations, guesses, gateway })
        }));
        if !problems.is_empty() {
            return Err(problems);
        }
        let endpoints = endpoints::of(&guards, &config);
        Ok(Self {
            bodies: config.bodies,
            observability: config.observability,
            notes: config.notes,
            providers,
            endpoints,
            known_lines: KnownLines::new(guards.iter().any(|guard| !guard.rule.matches.headers.is_empty())),
            index: Index::new(guards.iter().map(|guard| &guard.rule.matches)),
            guards,
            limiter,
            revocations,
            operator,
            gateway,
            guesses,
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

    /// The rule at this place.
    pub fn rule(&self, place: u32) -> Option<&Guard> {
        self.guards.get(usize::try_from(place).ok()?)
    }

    /// Finds rules by what they match.
    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// What rules requests fell under lately.
    pub(super) fn known_lines(&self) -> &KnownLines {
        &self.known_lines
    }

    /// A provider by its place.
    pub(super) fn provider(&self, at: usize) -> Option<&Provider> {
        self.providers.get(at).map(Rc::as_ref)
    }

    /// Every provider.
    pub(super) fn providers(&self) -> impl Iterator<Item = &Provider> {
        self.providers.iter().map(Rc::as_ref)
    }

    /// What was revoked.
    pub(super) fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// Who may operate.
    pub(super) fn operator(&self) -> Option<&Guard> {
        self.operator.as_ref()
    }

    /// What the gateway itself issues.
    pub(super) fn gateway(&self) -> Option<&GatewayTokens> {
        self.gateway.as_deref()
    }

    /// How often secrets were guessed at.
    pub(super) fn guesses(&self) -> &Guesses {
        &self.guesses
    }

    /// What counts requests.
    pub(super) fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    /// What the author of the configuration should know, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
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

    /// The fields, if any, that say what the filter alone may say: every spelling of every header name that it asserts
    /// (CVE-2025-64484).
    pub fn forged(&self, headers: &Headers) -> Option<Vec<String>> {
        if !headers.looks().meet(self.asserted_headers.looks) {
            return None;
        }
        let names = headers.iter().map(|(name, _)| name).filter(|name| self.asserted_headers.has(name));
        let mut forged: Vec<String> = names.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        forged.dedup();
        (!forged.is_empty()).then_some(forged)
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
struct Asserted {
    by_length: Vec<Vec<String>>,
    looks: Looks,
}

impl Asserted {
    fn new(names: Vec<String>) -> Self {
        let looks = names.iter().map(|name| Looks::of(name.as_bytes())).fold(Looks::default(), Looks::and);
        let mut by_length: Vec<Vec<String>> = Vec::new();
        for name in names {
            if by_length.len() <= name.len() {
                by_length.resize(name.len().saturating_add(1), Vec::new());
            }
            if let Some(same) = by_length.get_mut(name.len()) {
                same.push(name);
            }
        }
        Self { by_length, looks }
    }

    fn has(&self, name: &[u8]) -> bool {
        self.looks.meet(Looks::of(name))
            && self.by_length.get(name.len()).is_some_and(|known| known.iter().any(|known| is_spelling(name, known)))
    }
}

/// Whether `name` would be read as `known` by some server.
fn is_spelling(name: &[u8], known: &str) -> bool {
    name.iter().map(|byte| folded(*byte)).eq(known.bytes())
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
    partition: Option<String>,
    party: Rc<RelyingParty>,
}

impl Party {
    fn is_of(&self, provider: usize, login: &Login) -> bool {
        (self.provider, &self.redirect_uri, &self.partition) == (provider, &login.redirect_uri, &login.partition)
    }
}

fn parties(
    rules: &[Rc<Rule>],
    providers: &[Rc<Provider>],
    session: Option<&Rc<config::Session>>,
    revocations: &Rc<Revocations>,
    store: Option<&Rc<Store>>,
) -> Vec<Party> {
    let mut parties: Vec<Party> = Vec::new();
    let opened = OpenedSessions::default();
    let Some(session) = session else { return parties };
    let refreshes = Rc::new(Refreshes::new(match store {
        Some(store) => Rc::new(refresh::Hosts::new(store, &session.secrets)),
        None => Rc::new(refresh::Shared::new(&session.secrets)),
    }));
    for rule in rules {
        let (Some(login), Some(at)) = (&rule.login, rule.providers.first().copied()) else { continue };
        let Some(provider) = providers.get(at) else { continue };
        if parties.iter().any(|party| party.is_of(at, login)) {
            continue;
        }
        let owner = Owner {
            issuer: provider.issuer(),
            client_id: &provider.settings.client.client_id,
            redirect_uri: &login.redirect_uri,
            partition: login.partition.as_ref().unwrap_or(&session.partition),
        };
        let party = Rc::new(RelyingParty {
            sessions: Sessions::new(session, &owner, kept_claims(rules, at, session), &opened).kept_in(store),
            issuer: provider.issuer().into(),
            provider: Rc::clone(provider),
            revocations: Rc::clone(revocations),
            refreshes: Rc::clone(&refreshes),
            asks_userinfo: asks_userinfo(rules, at, &login.redirect_uri),
            redirect_uri: login.redirect_uri.clone(),
            by: match provider.settings.response_mode {
                ResponseMode::Query => Return::Navigation,
                ResponseMode::FormPost => Return::ForeignPost,
            },
        });
        let (redirect_uri, partition) = (login.redirect_uri.clone(), login.partition.clone());
        parties.push(Party { provider: at, redirect_uri, partition, party });
    }
    parties
}

/// Whether some login to this provider that comes back here asks userinfo.
fn asks_userinfo(rules: &[Rc<Rule>], provider: usize, redirect_uri: &Url) -> bool {
    let logins = rules.iter().filter(|rule| rule.providers.first() == Some(&provider));
    logins.filter_map(|rule| rule.login.as_ref()).any(|login| login.userinfo && login.redirect_uri == *redirect_uri)
}

/// What some rule of this provider reads, and what is kept besides.
fn kept_claims(rules: &[Rc<Rule>], provider: usize, session: &config::Session) -> Kept {
    let mine = rules.iter().filter(|rule| rule.providers.contains(&provider));
    Kept {
        all: mine.clone().any(|rule| rule.tells_all(Source::IdToken)),
        needed: mine.flat_map(|rule| rule.claims_read()).collect(),
        wished: session.keep_claims.clone(),
    }
}

fn party_of(at: usize, rule: &Rule, parties: &[Party]) -> Result<Option<Rc<RelyingParty>>, Problem> {
    let of_provider = || parties.iter().filter(|party| rule.providers.first() == Some(&party.provider));
    let party = match &rule.login {
        Some(login) => of_provider().find(|party| party.is_of(party.provider, login)),
        None => of_provider().next(),
    };
    if party.is_none() && rule.methods.contains(&Method::Session) && !rule.providers.is_empty() {
        let message = "sessions come of a login: this rule or another one of its provider needs login.redirect_uri";
        return Err(Problem::new(format!("rules[{at}].methods"), message));
    }
    Ok(party.map(|party| Rc::clone(&party.party)))
}
