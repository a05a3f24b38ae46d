//! A fixed number of entries in the host's shared data, in which workers leave each other what they found out. Hosts never
//! forget a key, so there are no more than these: each entry has its one slot, and takes it from whatever stood there.

use crate::seal::{Purpose, Sealer};
use crate::words::{Secret, UnixTime};
use crate::world::{Host, NotWritten, Version};
use serde::{Deserialize, Serialize};

/// The largest entry of most tables, in bytes as sealed.
pub const LARGEST: usize = 4096;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Since when it holds.
    pub from: UnixTime,
    /// Until when it holds.
    pub until: UnixTime,
    /// What was found out.
    pub bytes: Vec<u8>,
}

/// Slots of one name.
pub struct Slots {
    name: String,
    count: u128,
    largest: usize,
    /// None without a secret: then nothing is shared.
    sealer: Option<Sealer>,
}

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    mark: u128,
    from: u64,
    until: u64,
    #[serde(borrow)]
    bytes: &'a [u8],
}

impl Slots {
    /// `count` slots called `name`, of `largest` bytes at most as sealed, readable to those that hold the same ring.
    pub fn new(name: &str, count: u16, largest: usize, ring: &[Secret]) -> Self {
        let sealer = (!ring.is_empty()).then(|| Sealer::new(ring, Purpose::Table));
        Self { name: name.to_owned(), count: count.max(1).into(), largest, sealer }
    }

    /// What some worker left under `mark` and still holds.
    pub fn read(&self, host: &dyn Host, mark: u128) -> Option<Slot> {
        let key = self.key(mark);
        let (owner, slot) = self.open(host, &key, &host.shared(&key)?.0)?;
        (owner == mark).then_some(slot)
    }

    /// Leaves an entry for the others. One that is too large, or that another worker is writing over, stays private.
    pub fn write(&self, host: &dyn Host, mark: u128, slot: &Slot) {
        let key = self.key(mark);
        let version = host.shared(&key).map_or(Version::NEW, |(_, version)| version);
        let _ = self.put(host, &key, mark, slot, version);
    }

    /// Takes the slot for `mark` until then. `false` while another worker has taken it for the same; where there is nobody
    /// to wait for, because the slot stands for another mark or nothing is shared, whoever asks goes on untaken.
    pub fn claim(&self, host: &dyn Host, mark: u128, until: UnixTime) -> bool {
        let key = self.key(mark);
        let (held, version) = match host.shared(&key) {
            Some((sealed, version)) => (self.open(host, &key, &sealed), version),
            None => (None, Version::NEW),
        };
        if let Some((owner, _)) = held {
            return owner != mark;
        }
        let taken = self.put(host, &key, mark, &Slot { from: host.now(), until, bytes: Vec::new() }, version);
        // Nobody wrote, and yet it could not be written: the host keeps nothing.
        taken.is_ok() || host.shared(&key).map_or(Version::NEW, |(_, version)| version) == version
    }

    /// Empties the slot, if what stands there is of `mark` and holds no longer than `until`.
    pub fn clear(&self, host: &dyn Host, mark: u128, until: UnixTime) {
        let key = self.key(mark);
        let Some((sealed, version)) = host.shared(&key) else { return };
        if self.open(host, &key, &sealed).is_some_and(|(owner, slot)| owner == mark && slot.until <= until) {
            let _ = host.share(&key, &[], version);
        }
    }

    /// Whose entry stands there, and what, if it holds now.
    fn open(&self, host: &dyn Host, key: &str, sealed: &[u8]) -> Option<(u128, Slot)> {
        let plain = self.sealer.as_ref()?.open(key.as_bytes(), sealed).ok()?;
        let wire: Wire<'_> = postcard::from_bytes(&plain).ok()?;
        let (from, until) = (UnixTime::from_secs(wire.from), UnixTime::from_secs(wire.until));
        let now = host.now();
        (from <= now && now < until).then(|| (wire.mark, Slot { from, until, bytes: wire.bytes.to_vec() }))
    }

    fn put(&self, host: &dyn Host, key: &str, mark: u128, slot: &Slot, version: Version) -> Result<(), NotWritten> {
        let sealer = self.sealer.as_ref().ok_or(NotWritten)?;
        let wire = Wire { mark, from: slot.from.as_secs(), until: slot.until.as_secs(), bytes: &slot.bytes };
        let plain = postcard::to_allocvec(&wire).map_err(|_| NotWritten)?;
        let mut nonce = [0; 24];
        host.fill_random(&mut nonce);
        let sealed = sealer.seal(nonce, key.as_bytes(), &plain).filter(|sealed| sealed.len() <= self.largest);
        host.share(key, &sealed.ok_or(NotWritten)?, version)
    }

    fn key(&self, mark: u128) -> String {
        format!("oidc-proxy-wasm/{}/{}", self.name, mark.checked_rem(self.count).unwrap_or_default())
    }
}
