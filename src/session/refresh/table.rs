//! Where the workers of one host keep the records of refreshes: a fixed number of slots in the host's shared data, since a
//! host frees no entry. Each slot has room for a few records and is written as a whole, so no two leases of one session can
//! stand beside each other.

use super::protocol::{Holder, Key, Record, State};
use crate::cache::Cache;
use crate::seal::{Purpose, Sealer};
use crate::words::{Reason, Secret};
use crate::world::{Host, LocalFuture, Metric, NotWritten, Refresh, Version};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::future::ready;
use std::rc::Rc;

/// How many slots there are.
const SLOTS: u16 = 4096;
/// How many records a slot has room for.
const ROOM: usize = 4;
/// What this worker keeps of what found no room, in bytes.
const ALONE: usize = 1024 * 1024;

/// Where the records are.
pub trait Table {
    /// The record under `key`, whatever its age, and what a writer needs to know that nobody wrote since.
    fn read(&self, host: &Rc<dyn Host>, key: Key) -> LocalFuture<(Option<Record>, Version)>;

    /// Writes a record in the place of what was read.
    fn swap(
        &self,
        host: &Rc<dyn Host>,
        key: Key,
        record: Record,
        version: Version,
    ) -> LocalFuture<Result<(), NotWritten>>;
}

/// The table in the host's shared data. What finds no room there, this worker keeps by itself: where a host shares nothing,
/// that is everything.
pub struct Shared {
    sealer: Sealer,
    alone: RefCell<Cache<Key, Record>>,
}

/// The version of what this worker keeps by itself.
const OWN: Version = Version(0);

/// A record as it is written. All of it is under the seal of its content, or of nothing where it has none.
#[derive(Clone, Serialize, Deserialize)]
struct Wire {
    key: Key,
    attempt: u8,
    until: u64,
    state: WireState,
    seal: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum WireState {
    Leased(Holder),
    Done { seen: bool },
    Failed,
}

impl Shared {
    /// The table that those see who hold the same ring.
    pub fn new(ring: &[Secret]) -> Self {
        Self { sealer: Sealer::new(ring, Purpose::Table), alone: RefCell::new(Cache::new(ALONE)) }
    }

    fn find(&self, host: &dyn Host, key: Key) -> (Option<Record>, Version) {
        let own = self.alone.borrow_mut().get(&key);
        if own.is_some() {
            return (own, OWN);
        }
        let (slot, version) = slot(host, key);
        let found = slot.iter().find(|wire| wire.key == key);
        (found.and_then(|wire| self.open(wire)), version)
    }

    fn write(&self, host: &dyn Host, key: Key, record: Record, version: Version) -> Result<(), NotWritten> {
        if version == OWN {
            return self.keep(key, record);
        }
        let (mut slot, now) = slot(host, key);
        if now != version {
            return Err(NotWritten);
        }
        let mut nonce = [0; 24];
        host.fill_random(&mut nonce);
        let wire = self.seal(key, &record, nonce).ok_or(NotWritten)?;
        slot.retain(|known| known.key != key);
        if make_room(&mut slot, millis(host)) {
            slot.push(wire);
            let bytes = postcard::to_allocvec(&slot).map_err(|_| NotWritten)?;
            if host.share(&name(key), &bytes, version).is_ok() {
                return Ok(());
            }
            if self::slot(host, key).1 != version {
                return Err(NotWritten);
            }
            // Nobody wrote, and yet it could not be written: the host keeps nothing.
        }
        host.count(Metric::Refreshes(Refresh::Alone));
        self.keep(key, record)
    }

    fn keep(&self, key: Key, record: Record) -> Result<(), NotWritten> {
        let weight = match &record.state {
            State::Done { content, .. } => content.len().saturating_add(64),
            State::Leased(_) | State::Failed(_) => 64,
        };
        self.alone.borrow_mut().insert(key, record, weight);
        Ok(())
    }

    fn seal(&self, key: Key, record: &Record, nonce: [u8; 24]) -> Option<Wire> {
        let (state, content) = match &record.state {
            State::Leased(holder) => (WireState::Leased(*holder), &[][..]),
            State::Done { content, seen } => (WireState::Done { seen: *seen }, content.as_slice()),
            State::Failed(reason) => (WireState::Failed, reason.code().as_bytes()),
        };
        let wire = Wire { key, attempt: record.attempt, until: record.until, state, seal: Vec::new() };
        Some(Wire { seal: self.sealer.seal(nonce, &bound_to(&wire)?, content)?, ..wire })
    }

    fn open(&self, wire: &Wire) -> Option<Record> {
        let bare = Wire { seal: Vec::new(), ..wire.clone() };
        let content = self.sealer.open(&bound_to(&bare)?, &wire.seal).ok()?;
        let state = match wire.state {
            WireState::Leased(holder) => State::Leased(holder),
            WireState::Done { seen } => State::Done { content, seen },
            WireState::Failed => State::Failed(*Reason::ALL.iter().find(|reason| reason.code().as_bytes() == content)?),
        };
        Some(Record { attempt: wire.attempt, until: wire.until, state })
    }
}

impl Table for Shared {
    fn read(&self, host: &Rc<dyn Host>, key: Key) -> LocalFuture<(Option<Record>, Version)> {
        Box::pin(ready(self.find(&**host, key)))
    }

    fn swap(
        &self,
        host: &Rc<dyn Host>,
        key: Key,
        record: Record,
        version: Version,
    ) -> LocalFuture<Result<(), NotWritten>> {
        Box::pin(ready(self.write(&**host, key, record, version)))
    }
}

/// What a record's seal is bound to: all that stands beside it, so that nobody moves or changes it.
fn bound_to(bare: &Wire) -> Option<Vec<u8>> {
    postcard::to_extend(bare, b"refresh".to_vec()).ok()
}

fn name(key: Key) -> String {
    let [first, second, ..] = key;
    format!("oidc-proxy-wasm/r/{}", u16::from_le_bytes([first, second]) % SLOTS)
}

/// The slot of `key`; empty where its bytes are not ours.
fn slot(host: &dyn Host, key: Key) -> (Vec<Wire>, Version) {
    let Some((bytes, version)) = host.shared(&name(key)) else { return (Vec::new(), Version::NEW) };
    let slot: Vec<Wire> = postcard::from_bytes(&bytes).unwrap_or_default();
    (slot.into_iter().take(ROOM).collect(), version)
}

/// Takes out what no longer holds, and while there is no room, what is missed least: what the browser has shown to have, then
/// failures, then what was done longest ago. A lease that holds stays; `false` where there are only such.
fn make_room(slot: &mut Vec<Wire>, now: u64) -> bool {
    slot.retain(|wire| now < wire.until || matches!(wire.state, WireState::Leased(_)));
    while slot.len() >= ROOM {
        let worth = |wire: &Wire| match wire.state {
            WireState::Leased(_) if now < wire.until => None,
            WireState::Done { seen: true } => Some((0, wire.until)),
            WireState::Failed => Some((1, wire.until)),
            WireState::Leased(_) => Some((2, wire.until)),
            WireState::Done { seen: false } => Some((3, wire.until)),
        };
        let least = slot.iter().enumerate().filter_map(|(at, wire)| Some((worth(wire)?, at))).min();
        let Some((_, at)) = least else { return false };
        slot.remove(at);
    }
    true
}

/// Now, as records have it.
pub fn millis(host: &dyn Host) -> u64 {
    u64::try_from(host.monotonic().as_millis()).unwrap_or(u64::MAX)
}
