//! Sealed browser state: sessions and logins in progress, in cookies.

mod bond;
pub mod content;
mod cookie;
mod facts;
mod life;
pub mod login;
pub mod logout;
mod origin;
mod party;
pub mod refresh;
mod stored;

pub use content::Content;
pub use facts::Facts;
pub use life::Life;
pub use origin::Origin;
pub use party::RelyingParty;
use stored::Stranger;

use crate::cache::Cache;
use crate::config;
use crate::http::cookie::{Attributes, Keep, Secure};
use crate::http::{Scheme, Url};
use crate::seal::{KeyedHash, Purpose, Sealer};
use crate::store::{self, Store};
use crate::words::{ClaimPath, Claims, Headers, Reason, Refusal, Secret, UnixTime, hex, json};
use crate::world::{Metric, World};
use cookie::{Candidate, Mark};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What opened sessions may weigh together on one worker, in bytes.
const OPENED: usize = 16 * 1024 * 1024;

/// Keeps the sessions of one registration on one host.
pub struct Sessions {
    /// How they are kept.
    pub settings: Rc<config::Session>,
    names: Names,
    attributes: Attributes,
    /// What every seal is bound to: two deployments that share a secret do not share sessions.
    bound_to: Vec<u8>,
    sessions: Sealer,
    logins: Sealer,
    opened: OpenedSessions,
    /// Where they are kept; none keeps them in their cookies.
    store: Option<Rc<Store>>,
    /// Claims that are kept.
    kept_claims: Kept,
}

/// The sessions that a worker has opened lately, of whomever they are, within one bound.
#[derive(Clone)]
pub struct OpenedSessions(Rc<RefCell<Cache<OpenedKey, Rc<Opened>>>>);

/// The name of the session's cookie, and its mark.
type OpenedKey = (Rc<str>, Mark);

impl OpenedSessions {
    /// The content weighs about what its sealed form does, and maps of claims weigh more.
    fn insert(&self, key: OpenedKey, opened: &Rc<Opened>, size: usize) {
        self.0.borrow_mut().insert(key, Rc::clone(opened), size.saturating_mul(4).max(512));
    }
}

impl Default for OpenedSessions {
    fn default() -> Self {
        Self(Rc::new(RefCell::new(Cache::new(OPENED))))
    }
}

/// The names of our cookies.
struct Names {
    /// Of the session, with a hash of what it belongs to: two providers on one host do not overwrite each other.
    session: Rc<str>,
    /// Of the session of someone who asked to be remembered, where that can be asked for.
    remembered: Option<Rc<str>>,
    /// Of logins in progress; each adds its own id.
    login: String,
}

/// Which claims of a login stay in the session.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Whether none may be left out, since a rule tells all of them.
    pub all: bool,
    /// Those that a rule reads: without them, rules could not be judged.
    pub needed: Vec<ClaimPath>,
    /// Those that were asked for besides; they go first when the budget is short.
    pub wished: Vec<ClaimPath>,
}

/// Whose sessions they are.
pub struct Owner<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// Our name there.
    pub client_id: &'a str,
    /// Where logins come back to; its host is where the cookies live.
    pub redirect_uri: &'a Url,
    /// What sets them apart from other sessions of the same owner.
    pub partition: &'a str,
}

/// A session that was opened, with the cookie bytes that it was opened from.
pub struct Opened {
    /// What it holds.
    pub content: Rc<Content>,
    /// From when on its tokens are to be renewed.
    pub due: UnixTime,
    /// Whether it was not yet noted that the browser has it.
    news: Cell<bool>,
    /// Whether it has served a request.
    used: Cell<bool>,
    bytes: Box<[u8]>,
    bond: Vec<u8>,
    /// Where it is in the store; none where it is whole in its cookies.
    key: Option<store::Key>,
}

/// What a look at a request's cookies has found.
#[derive(Default)]
pub struct Looked {
    /// The one session that they hold, as far as this worker knows.
    pub found: Option<Rc<Opened>>,
    strangers: Vec<Stranger>,
}

impl Looked {
    /// Whether there are handles that this worker does not know.
    pub fn has_strangers(&self) -> bool {
        !self.strangers.is_empty()
    }
}

impl Sessions {
    /// The sessions of `owner`.
    pub fn new(settings: &Rc<config::Session>, owner: &Owner<'_>, kept_claims: Kept, opened: &OpenedSessions) -> Self {
        let bound_to = lengths_and_parts(&[owner.issuer, owner.client_id, owner.redirect_uri.host(), owner.partition]);
        let hash = hex(Sha256::digest(&bound_to).get(..4).unwrap_or_default());
        let base = &settings.cookie.name;
        let secure = if owner.redirect_uri.scheme() == Scheme::Https { Secure::Yes } else { Secure::OnLoopback };
        Self {
            settings: Rc::clone(settings),
            names: Names {
                session: format!("{base}-{hash}").into(),
                remembered: settings.remember.as_ref().map(|remember| format!("{}-{hash}", remember.cookie).into()),
                login: format!("{base}-{hash}-login"),
            },
            attributes: Attributes {
                path: settings.cookie.path.clone(),
                domain: settings.cookie.domain.clone(),
                secure,
                same_site: settings.cookie.same_site,
            },
            bound_to,
            sessions: Sealer::new(&settings.secrets, Purpose::Session),
            logins: Sealer::new(&settings.secrets, Purpose::Login),
            opened: opened.clone(),
            store: None,
            kept_claims,
        }
    }

    /// The session in a request's cookies, whatever its age, as far as this worker knows. Cookies that do not open are no
    /// session; two copies that open to different sessions are none either, since nobody can tell whose they are
    /// (RFC 6265bis §8.6).
    pub fn open(&self, world: &World, headers: &Headers) -> Option<Rc<Opened>> {
        self.look(world, headers).found
    }

    /// The same, and the handles that this worker does not know.
    pub fn look(&self, world: &World, headers: &Headers) -> Looked {
        let Looked { mut found, mut strangers } = Looked::default();
        let bond = bond::of(&self.settings.bind, headers);
        for name in self.names.of_sessions() {
            for candidate in cookie::candidates(headers, name) {
                let opened = self.open_one(world, name, &candidate, &bond, &mut strangers);
                let Some(opened) = opened else { continue };
                if found.as_ref().is_some_and(|other| other.content.sid != opened.content.sid) {
                    return Looked { found: None, strangers };
                }
                // Of two states of one session the later one counts.
                if found.as_ref().is_none_or(|other| newer(&opened.content, &other.content)) {
                    found = Some(opened);
                }
            }
        }
        Looked { found, strangers }
    }

    fn open_one(
        &self,
        world: &World,
        name: &Rc<str>,
        candidate: &Candidate<'_>,
        bond: &[u8],
        strangers: &mut Vec<Stranger>,
    ) -> Option<Rc<Opened>> {
        let mark = (Rc::clone(name), candidate.mark()?);
        let known = self.opened.0.borrow_mut().get(&mark);
        if let Some(known) = known.filter(|known| candidate.is(&known.bytes) && known.bond == bond) {
            return Some(known);
        }
        let bytes = candidate.bytes();
        let plain = cookie::open(&self.sessions, &self.bound_to(bond), &bytes)?;
        if let Some(key) = self.key_of(&plain) {
            strangers.push(Stranger { mark, bytes, bond: bond.to_vec(), key });
            return None;
        }
        let (content, key) = (Rc::new(Content::read(&plain)?), None);
        world.count(Metric::SessionsOpened);
        let (due, news) = (content.refresh_due(&self.settings.refresh), Cell::new(content.generation > 0));
        let opened = Rc::new(Opened { content, due, news, used: Cell::default(), bytes, bond: bond.to_vec(), key });
        self.opened.insert(mark, &opened, opened.bytes.len());
        Some(opened)
    }

    /// The `set-cookie` values that give the browser this session, in place of whatever it had. What does not fit the
    /// budget is left out in its order: the ID token, then claims that no rule reads.
    pub fn set(&self, world: &World, content: &Content, request: &Headers) -> Result<Vec<String>, Refusal> {
        let mut content = content.clone();
        let steps: [fn(&Self, &mut Content); 3] = [
            |_, _| {},
            |_, content| content.id_token = None,
            |this, content| content.claims = this.keep(&content.claims, &[&this.kept_claims.needed]),
        ];
        for (at, step) in steps.iter().enumerate() {
            step(self, &mut content);
            if let Some(values) = self.sealed_within_budget(world, &content, request) {
                if at > 0 {
                    world.count(Metric::SessionsCut);
                }
                return Ok(self.cookies(&content, values, request));
            }
        }
        let detail = format!("a session needs more than session.budget, {} bytes", self.settings.budget);
        Err(Refusal::new(Reason::SessionTooLarge, detail))
    }

    fn sealed_within_budget(&self, world: &World, content: &Content, request: &Headers) -> Option<Vec<String>> {
        let (plain, name) = (content.write()?, self.names.of_session(content));
        let bound_to = self.bound_to(&bond::of(&self.settings.bind, request));
        let sealed = cookie::seal(&self.sessions, name, &bound_to, world.random(), &plain)?;
        let size: usize = sealed.values.iter().map(|value| value.len().saturating_add(name.len())).sum();
        (size <= self.settings.budget).then_some(sealed.values)
    }

    fn cookies(&self, content: &Content, values: Vec<String>, request: &Headers) -> Vec<String> {
        let keep = self.keep_for(content);
        let base = self.names.of_session(content);
        let (mut set, mut names): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for (at, value) in values.into_iter().enumerate() {
            let name = cookie::name(base, at);
            set.push(self.attributes.set(&name, &value, keep));
            names.push(name);
        }
        // A longer session's last cookies, or another one's, would otherwise stay with the browser.
        set.extend(self.end(request).into_iter().filter(|line| !names.iter().any(|name| is_of(line, name))));
        set
    }

    /// How long the browser keeps its cookies.
    fn keep_for(&self, content: &Content) -> Keep {
        match self.settings.remember {
            Some(_) if !content.remembered => Keep::Session,
            _ => Keep::Seconds(content.ends(&self.settings).since(content.touched).as_secs()),
        }
    }

    /// The `set-cookie` values that end the session in this browser: one for each cookie of it that came.
    pub fn end(&self, request: &Headers) -> Vec<String> {
        let mut ends = Vec::new();
        for base in self.names.of_sessions() {
            for name in (0..cookie::MOST).map(|at| cookie::name(base, at)) {
                if carries(request, &name) {
                    ends.push(self.attributes.delete(&name));
                }
            }
        }
        ends
    }

    fn bound_to(&self, bond: &[u8]) -> Cow<'_, [u8]> {
        match bond {
            [] => Cow::Borrowed(&self.bound_to),
            bond => Cow::Owned([self.bound_to.as_slice(), bond].concat()),
        }
    }

    /// The name of one generation of a session in the table of refreshes. The session's id is the key of the hash: whoever
    /// does not know the one does not find the other.
    pub fn refresh_key(&self, sid: &[u8; 16], generation: u32) -> [u8; 16] {
        let hash = KeyedHash::new(&[Secret::new(*sid)], b"oidc-proxy-wasm refresh v1");
        hash.of(&[&self.bound_to, &generation.to_le_bytes()]).first_chunk().copied().unwrap_or_default()
    }

    /// Whether the cookies reach `host` too: they are for a whole domain that it belongs to.
    pub fn spans(&self, host: &str) -> bool {
        self.attributes.domain.as_deref().is_some_and(|domain| {
            let rest = host.strip_suffix(domain.trim_start_matches('.'));
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }

    /// The claims of a login that stay: nothing that nobody reads.
    pub fn claims_to_keep(&self, claims: &Claims) -> Claims {
        self.keep(claims, &[&self.kept_claims.needed, &self.kept_claims.wished])
    }

    fn keep(&self, claims: &Claims, kept: &[&Vec<ClaimPath>]) -> Claims {
        if self.kept_claims.all {
            return Rc::clone(claims);
        }
        let is_kept = |name: &str| kept.iter().any(|paths| paths.iter().any(|path| path.root() == name));
        Rc::new(json::filtered(claims, &|name, _| is_kept(name)))
    }
}

impl Names {
    /// Of all sessions, of whoever asked for what.
    fn of_sessions(&self) -> impl Iterator<Item = &Rc<str>> {
        std::iter::once(&self.session).chain(&self.remembered)
    }

    /// Of this session.
    fn of_session(&self, content: &Content) -> &Rc<str> {
        self.remembered.as_ref().filter(|_| content.remembered).unwrap_or(&self.session)
    }
}

/// Whether a `set-cookie` value is about the cookie of this name.
fn is_of(line: &str, name: &str) -> bool {
    line.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
}

fn carries(request: &Headers, name: &str) -> bool {
    !crate::http::cookie::named(request, name).is_empty()
}

fn newer(one: &Content, other: &Content) -> bool {
    let age = |content: &Content| (content.generation, content.touched);
    age(one) > age(other)
}

/// Parts with their lengths, so that no two lists of parts are written alike (CVE-2023-35941).
fn lengths_and_parts(parts: &[&str]) -> Vec<u8> {
    let mut joined = Vec::new();
    for part in parts {
        joined.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        joined.extend_from_slice(part.as_bytes());
    }
    joined
}

impl Opened {
    /// Whether [`Self::is_news`] would say so.
    pub fn has_news(&self) -> bool {
        self.news.get()
    }

    /// It serves a request, and is counted if it did before.
    pub fn count(&self, world: &World) {
        if self.used.replace(true) {
            world.count(Metric::SessionsCached);
        }
    }

    /// Whether this is the first that this worker sees of a session since it was refreshed; asked once.
    pub fn is_news(&self) -> bool {
        self.news.replace(false)
    }
}

#[cfg(test)]
mod tests;
