//! What was revoked before its end: sessions and access tokens, by what they are known by.

use crate::cache::Cache;
use crate::config;
use crate::seal::KeyedHash;
use crate::store::{Entry, Journal, Sink};
use crate::words::{Refusal, Secret, UnixTime};
use crate::world::{Host, World};
use std::cell::RefCell;
use std::rc::Rc;

/// By what a session or a token can be revoked. Each but the first is a name that its issuer gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// A session of ours, by its id.
    Session(&'a [u8; 16]),
    /// All sessions and tokens that come of one session at the provider (`sid`).
    ProviderSession { issuer: &'a str, sid: &'a str },
    /// All sessions and tokens of one subject (`sub`).
    Subject { issuer: &'a str, subject: &'a str },
    /// One token (`jti`).
    Token { issuer: &'a str, id: &'a str },
    /// All tokens of one client.
    Client { issuer: &'a str, client_id: &'a str },
}

/// A name as it is kept: a keyed hash, from which nobody learns the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark([u8; 16]);

/// What was revoked, as far as this worker knows.
pub struct Revocations {
    settings: config::Revocation,
    hash: KeyedHash,
    known: RefCell<Cache<Mark, Revoked>>,
    /// Where all hosts tell each other.
    journal: Option<Rc<Journal>>,
}

/// Everything of one mark that is not younger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Revoked {
    /// Whatever began then or before is revoked; what began later stays.
    up_to: UnixTime,
    /// When nothing of it can be alive any more.
    until: UnixTime,
}

impl Revocations {
    /// Nothing yet. `ring` keys the hashes; all that share it understand one another.
    pub fn new(settings: &config::Revocation, ring: &[Secret]) -> Self {
        let known = RefCell::new(Cache::new(settings.entries));
        Self {
            settings: settings.clone(),
            hash: KeyedHash::new(ring, b"oidc-proxy-wasm revocation v1"),
            known,
            journal: None,
        }
    }

    /// The same, told to all hosts that read this journal.
    pub fn told_in(mut self, journal: Option<Rc<Journal>>) -> Self {
        self.journal = journal;
        self
    }

    /// Learns what other hosts revoked, where that is not known yet. An error where nobody may be let in without it.
    pub async fn catch_up(self: &Rc<Self>, world: &World) -> Result<(), Refusal> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let (host, sink): (_, Rc<dyn Sink>) = (world.host(), Rc::clone(self) as _);
        if journal.is_fresh(&host, &sink) {
            return Ok(());
        }
        Box::pin(journal.catch_up(&host, &sink)).await
    }

    /// The mark of a name. To be made once, and kept with what has the name.
    pub fn mark(&self, name: Name<'_>) -> Mark {
        let hash = match name {
            Name::Session(id) => self.hash.of(&[b"session", id]),
            Name::ProviderSession { issuer, sid } => self.hash.of(&[b"sid", issuer.as_bytes(), sid.as_bytes()]),
            Name::Subject { issuer, subject } => self.hash.of(&[b"sub", issuer.as_bytes(), subject.as_bytes()]),
            Name::Token { issuer, id } => self.hash.of(&[b"jti", issuer.as_bytes(), id.as_bytes()]),
            Name::Client { issuer, client_id } => self.hash.of(&[b"client", issuer.as_bytes(), client_id.as_bytes()]),
        };
        Mark(hash.first_chunk().copied().unwrap_or_default())
    }

    /// Whether something that began at `born` and has one of these marks was revoked.
    pub fn denies(&self, world: &World, marks: impl IntoIterator<Item = Mark>, born: UnixTime) -> bool {
        let mut known = self.known.borrow_mut();
        let now = world.now();
        !known.is_empty()
            && marks
                .into_iter()
                .any(|mark| known.get(&mark).is_some_and(|revoked| now < revoked.until && born <= revoked.up_to))
    }

    /// Revokes everything under `mark` that began at `up_to` or before. An error means that it may not be known everywhere:
    /// whoever asked must be told to ask again.
    pub async fn revoke(&self, world: &World, mark: Mark, up_to: UnixTime) -> Result<(), Refusal> {
        let until = world.now().plus(self.settings.max_age);
        let entry = Entry { mark: mark.0, up_to, until };
        self.take_in(&**world, entry);
        match &self.journal {
            Some(journal) => Ok(journal.append(&**world, entry).await?),
            None => Ok(()),
        }
    }
}

impl Sink for Revocations {
    fn take_in(&self, _: &dyn Host, Entry { mark, up_to, until }: Entry) {
        self.known.borrow_mut().insert(Mark(mark), Revoked { up_to, until }, 1);
    }
}
