//! Where the workers of one host keep the records of refreshes: a fixed number of slots in the host's shared data, since a
//! host frees no entry. Each slot has room for a few records and is written as a whole, so no two leases of one session can
//! stand beside each other.

use super::protocol::{Holder, Key, Record, State};
use crate::cache::Cache;
use crate::seal::{Purpose, Sealer};
use crate::store::Lost;
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
/// The largest record, in bytes as sealed: no `session.budget` lets a larger session into cookies.
const LARGEST: usize = 64 * 1024;
/// What this worker keeps of what found no room, in bytes.
const ALONE: usize = 1024 * 1024;

/// A record, and its version.
pub type Found = (Option<Record>, Version);

/// Where the records are.
pub trait Table {
    /// The record under `key`, whatever its age, and what a writer needs to know that nobody wrote since.
    fn read(&self, host: &Rc<dyn Host>, key: Key) -> LocalFuture<Result<Found, Lost>>;

    /// The same as it was lately, for those who wait.
    fn look(&self, host: &Rc<dyn Host>, key: Key) -> LocalFuture<Result<Found, Lost>> {
        self.read(host, key)
    }

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
    alone: RefCell<Cache<u128, Record>>,
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

    pub(super) fn find(&self, host: &dyn Host, key: Key) -> Found {
        let own = self.alone.borrow_mut().get(&u128::from_le_bytes(key)).filter(|record| millis(host) < record.until);
        if own.is_some() {
            return (own, OWN);
        }
        let (slot, version) = slot(host, key);
        let found = slot.iter().find(|wire| wire.key == key);
        (found.and_then(|wire| self.open(wire)), version)
    }

    pub(super) fn write(&self, host: &dyn Host, key: Key, record: Record, version: Version) -> Result<(), NotWritten> {
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
        if wire.seal.len() <= LARGEST && make_room(&mut slot, millis(host)) {
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
        self.alone.borrow_mut().insert(u128::from_le_bytes(key), record, weight);
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
    fn read(&self, host: &Rc<dyn Host>, key: Key) -> LocalFuture<Result<Found, Lost>> {
        Box::pin(ready(Ok(self.find(&**host, key))))
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
    postcard::to_allocvec(&(b"refresh", bare)).ok()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::script::Script;

    fn key(number: u8) -> Key {
        // All in one slot.
        let mut key = [number; 16];
        key[..2].copy_from_slice(&[0, 0]);
        key
    }

    fn write(table: &Shared, script: &Script, key: Key, until: u64, state: State) {
        let (_, version) = table.find(script, key);
        let record = Record { attempt: 1, until: millis(script) + until, state };
        table.write(script, key, record, version).unwrap();
    }

    fn done(seen: bool) -> State {
        State::Done { content: vec![7; 100], seen }
    }

    fn there(table: &Shared, script: &Script, keys: impl IntoIterator<Item = u8>) -> Vec<u8> {
        keys.into_iter().filter(|number| table.find(script, key(*number)).0.is_some()).collect()
    }

    #[test]
    fn what_is_missed_least_makes_room() {
        let (script, table) = (Script::new(), Shared::new(&[Secret::new([1; 32])]));
        for (number, state) in
            [(1, done(false)), (2, State::Failed(Reason::RefreshRefused)), (3, done(true)), (4, State::Leased([0; 16]))]
        {
            write(&table, &script, key(number), 1_000 + u64::from(number), state);
        }
        let gone = [3, 2, 1, 5];
        for (at, number) in (5..9).enumerate() {
            write(&table, &script, key(number), 2_000 + u64::from(number), done(false));
            let left = there(&table, &script, 1..=number);
            assert_eq!(left.len(), 4);
            assert!(left.contains(&4) && !left.contains(&gone[at]), "{left:?}");
        }
        assert_eq!(script.counted(Metric::Refreshes(Refresh::Alone)), 0);
    }

    #[test]
    fn leases_that_hold_give_no_room_and_then_a_worker_goes_by_itself() {
        let (script, table) = (Script::new(), Shared::new(&[Secret::new([1; 32])]));
        let other = Shared::new(&[Secret::new([1; 32])]);
        for number in 1..=5 {
            write(&table, &script, key(number), 5_000, State::Leased([number; 16]));
        }
        assert_eq!(there(&other, &script, 1..=5), [1, 2, 3, 4]);
        assert_eq!(there(&table, &script, 1..=5), [1, 2, 3, 4, 5]);
        assert_eq!(script.counted(Metric::Refreshes(Refresh::Alone)), 1);
        // The twin: one of them has lapsed.
        script.advance(6);
        write(&other, &script, key(6), 5_000, State::Leased([6; 16]));
        assert_eq!(there(&table, &script, [6]), [6]);
    }

    #[test]
    fn sessions_without_end_take_so_much_and_no_more() {
        let (script, table) = (Script::new(), Shared::new(&[Secret::new([1; 32])]));
        for number in 0..20_000_u32 {
            let key: Key = std::array::from_fn(|at| number.wrapping_mul(2_654_435_761).to_le_bytes()[at % 4]);
            write(&table, &script, key, 5_000, State::Done { content: vec![0; 10], seen: false });
        }
        assert!(script.shared_keys().len() <= 4096);
        assert!(script.shared_bytes() <= 4096 * 4 * 128, "{}", script.shared_bytes());
    }

    #[test]
    fn who_wrote_in_between_wins() {
        let (script, table) = (Script::new(), Shared::new(&[Secret::new([1; 32])]));
        let (_, version) = table.find(&script, key(1));
        write(&table, &script, key(1), 5_000, State::Leased([1; 16]));
        let late = Record { attempt: 1, until: u64::MAX, state: State::Leased([2; 16]) };
        assert!(table.write(&script, key(1), late, version).is_err());
        assert_eq!(table.find(&script, key(1)).0.unwrap().state, State::Leased([1; 16]));
    }

    /// S02: under another secret it is nothing.
    #[test]
    fn others_read_nothing_of_it() {
        let (script, table) = (Script::new(), Shared::new(&[Secret::new([1; 32])]));
        write(&table, &script, key(1), 5_000, done(false));
        assert!(Shared::new(&[Secret::new([2; 32])]).find(&script, key(1)).0.is_none());
        assert!(Shared::new(&[Secret::new([1; 32])]).find(&script, key(1)).0.is_some());
    }
}
