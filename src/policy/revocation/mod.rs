//! What was revoked before its end: sessions and access tokens, by what they are known by.

mod list;
mod log;

use crate::config;
use crate::seal::KeyedHash;
use crate::store::{Journal, Sink, Store};
use crate::words::{Reason, Refusal, Secret, UnixTime};
use crate::world::{Host, Metric, World};
use list::List;
use log::Entry;
use oidc_proxy_wasm_cipher::Marks;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// How often a worker looks what the others revoked, in milliseconds.
const LOOK: u64 = 250;

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
    /// All sessions and tokens of one client.
    Client { issuer: &'a str, client_id: &'a str },
}

/// A name as it is kept: a keyed hash, from which nobody learns the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Mark([u8; 16]);

/// Who wants something revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Somebody who has shown that he may.
    Proven,
    /// Anybody who knows a name (Front-Channel Logout §2). These have a list of their own, since strangers must not push
    /// out of it what others revoked.
    Anyones,
}

/// What was revoked, as far as this worker knows.
pub struct Revocations {
    /// How it is kept.
    pub settings: config::Revocation,
    /// One for each secret of the ring: what was revoked under the one before is still known after a rotation.
    hashers: Vec<Marks>,
    proven: RefCell<List>,
    anyones: RefCell<List>,
    /// Where all hosts tell each other.
    journal: Option<Rc<Journal>>,
    /// When this worker last looked what the others revoked, in milliseconds.
    looked: Cell<u64>,
    /// When the list began.
    since: Cell<Option<UnixTime>>,
    forgotten: Cell<u64>,
}

/// What an operator may know of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// How many names are revoked, as far as this worker knows.
    pub known: usize,
    /// How many were pushed out before their time.
    pub forgotten: u64,
    /// When the list began.
    pub since: UnixTime,
}

impl Revocations {
    /// Nothing yet. `ring` keys the hashes and seals what workers share; all that have it understand one another, and without
    /// any secret each worker is alone.
    pub fn new(settings: &config::Revocation, ring: &[Secret], store: Option<&Rc<Store>>) -> Self {
        let keys = ring.chunks(1).chain(ring.is_empty().then_some(ring));
        let list = |kind: &str, entries| RefCell::new(List::new(kind, entries, ring));
        let entries = [settings.entries, settings.entries / 8];
        Self {
            settings: settings.clone(),
            hashers: keys.map(hasher).collect(),
            proven: list("proven", entries[0]),
            anyones: list("anyones", entries[1]),
            journal: store.map(|store| Rc::new(Journal::new(store, entries, settings.max_age))),
            looked: Cell::default(),
            since: Cell::default(),
            forgotten: Cell::default(),
        }
    }

    /// Whether other hosts have a say.
    pub fn are_shared(&self) -> bool {
        self.journal.is_some()
    }

    /// Learns what other hosts revoked, where that is not known well enough here to decide. An error where nobody may be let
    /// in without it.
    pub async fn catch_up(self: &Rc<Self>, world: &World) -> Result<(), Refusal> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let (host, sink): (_, Rc<dyn Sink>) = (world.host(), Rc::clone(self) as _);
        if journal.is_fresh(&host, &sink) {
            return Ok(());
        }
        journal.catch_up(&host, &sink).await
    }

    /// The mark under which a name is revoked.
    fn mark(&self, name: Name<'_>) -> Mark {
        self.marks(name).next().unwrap_or(Mark([0; 16]))
    }

    /// Every mark under which a name may have been revoked: one for each secret of the ring.
    fn marks<'a>(&'a self, name: Name<'a>) -> impl Iterator<Item = Mark> + use<'a> {
        let session: &[u8];
        let (kind, one, other): (u8, &[u8], &[u8]) = match name {
            Name::Session(id) => {
                session = id;
                (0, session, &[])
            }
            Name::ProviderSession { issuer, sid } => (1, issuer.as_bytes(), sid.as_bytes()),
            Name::Subject { issuer, subject } => (2, issuer.as_bytes(), subject.as_bytes()),
            Name::Token { issuer, id } => (3, issuer.as_bytes(), id.as_bytes()),
            Name::Client { issuer, client_id } => (4, issuer.as_bytes(), client_id.as_bytes()),
        };
        self.hashers.iter().map(move |hasher| {
            let length = |part: &[u8]| u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes();
            Mark(hasher.of(&[&[kind], &length(one), one, &length(other), other]).to_le_bytes())
        })
    }

    /// Whether something that began at `born` and has one of these names, as far as it has them, was revoked. While nothing
    /// is, no mark is made.
    pub fn denies(&self, world: &World, names: &[Option<Name<'_>>], born: UnixTime) -> bool {
        self.look(world);
        let (proven, anyones) = (self.proven.borrow(), self.anyones.borrow());
        if proven.is_empty() && anyones.is_empty() {
            return false;
        }
        let now = world.now();
        let mut marks = names.iter().flatten().flat_map(|name| self.marks(*name));
        marks.any(|mark| proven.denies(mark, born, now) || anyones.denies(mark, born, now))
    }

    /// Revokes everything of this name that began at `up_to` or before. An error means that it may not be known everywhere:
    /// whoever asked must be told to ask again.
    pub async fn revoke(&self, world: &World, name: Name<'_>, up_to: UnixTime) -> Result<(), Refusal> {
        self.revoke_for(world, Word::Proven, name, up_to, self.settings.max_age).await
    }

    /// The same upon anybody's word, or for a while of its own.
    pub async fn revoke_for(
        &self,
        world: &World,
        word: Word,
        name: Name<'_>,
        up_to: UnixTime,
        life: Duration,
    ) -> Result<(), Refusal> {
        let entry = Entry::new(self.mark(name), up_to, world.now().plus(life));
        let list = self.list(word);
        let pushed_out = list.borrow_mut().take_in(world.now(), &[entry]);
        self.forget(&**world, pushed_out);
        world.count(Metric::Revoked);
        let told = list.borrow().tell(&**world, entry);
        match (&self.journal, told) {
            (Some(journal), _) => {
                let plain = postcard::to_allocvec(&entry).unwrap_or_default();
                Ok(Box::pin(journal.append(&**world, word as usize, &plain)).await?)
            }
            (None, Ok(())) => Ok(()),
            (None, Err(_)) => {
                let detail = "other workers kept writing the list of what was revoked; it must be asked for again";
                Err(Refusal::new(Reason::RevocationUnrecorded, detail))
            }
        }
    }

    /// Whether something is older than the list, which may once have named it.
    pub fn precedes(&self, world: &World, born: UnixTime) -> bool {
        born < self.since(world)
    }

    /// What an operator may know.
    pub fn counts(&self, world: &World) -> Counts {
        let since = self.since(world);
        let known = self.proven.borrow().len().saturating_add(self.anyones.borrow().len());
        Counts { known, forgotten: self.forgotten.get(), since }
    }

    fn since(&self, world: &World) -> UnixTime {
        self.look(world);
        self.since.get().unwrap_or_else(|| world.now())
    }

    fn list(&self, word: Word) -> &RefCell<List> {
        match word {
            Word::Proven => &self.proven,
            Word::Anyones => &self.anyones,
        }
    }

    /// Learns what other workers revoked, once in a while.
    fn look(&self, world: &World) {
        let now = world.now_millis();
        if now.abs_diff(self.looked.get()) < LOOK {
            return;
        }
        self.looked.set(now);
        let (since, pushed_out) = self.proven.borrow_mut().learn(&**world);
        let (_, of_anyones) = self.anyones.borrow_mut().learn(&**world);
        let first = self.since.get().map_or(since, |known| known.min(since));
        self.since.set(Some(first));
        self.forget(&**world, pushed_out.saturating_add(of_anyones));
    }

    fn forget(&self, host: &dyn Host, pushed_out: u64) {
        self.forgotten.set(self.forgotten.get().saturating_add(pushed_out));
        (0..pushed_out).for_each(|_| host.count(Metric::RevocationForgotten));
    }
}

impl Sink for Revocations {
    fn take_in(&self, host: &dyn Host, list: usize, news: Vec<Vec<u8>>) {
        let entries: Vec<Entry> = news.iter().filter_map(|plain| postcard::from_bytes(plain).ok()).collect();
        let list = if list == Word::Proven as usize { &self.proven } else { &self.anyones };
        let pushed_out = list.borrow_mut().take_in(host.now(), &entries);
        self.forget(host, pushed_out);
    }
}

/// SipHash is a keyed hash of 128 bits that costs next to nothing, so that marks need not be kept with what has the name.
fn hasher(secret: &[Secret]) -> Marks {
    let key = KeyedHash::new(secret, b"oidc-proxy-wasm revocation v1").of(&[]);
    Marks::new(&key.first_chunk().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests;
