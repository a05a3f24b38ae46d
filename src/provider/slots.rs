//! A fixed number of entries in the host's shared data, in which workers leave each other what they found out. Hosts never
//! forget a key, so there are no more than these: each entry has its one slot, and takes it from whatever stood there.

use crate::seal::{Purpose, Sealer};
use crate::words::{Secret, UnixTime};
use crate::world::{Host, Version};
use serde::{Deserialize, Serialize};

/// The largest entry, in bytes as sealed.
const LARGEST: usize = 4096;

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
    /// `count` slots called `name`, readable to those that hold the same ring.
    pub fn new(name: &str, count: u16, ring: &[Secret]) -> Self {
        let sealer = (!ring.is_empty()).then(|| Sealer::new(ring, Purpose::Table));
        Self { name: name.to_owned(), count: count.max(1).into(), sealer }
    }

    /// What some worker left under `mark` and still holds.
    pub fn read(&self, host: &dyn Host, mark: u128) -> Option<Slot> {
        let sealer = self.sealer.as_ref()?;
        let key = self.key(mark);
        let (sealed, _) = host.shared(&key)?;
        let plain = sealer.open(key.as_bytes(), &sealed).ok()?;
        let wire: Wire<'_> = postcard::from_bytes(&plain).ok()?;
        let (from, until) = (UnixTime::from_secs(wire.from), UnixTime::from_secs(wire.until));
        let now = host.now();
        (wire.mark == mark && from <= now && now < until).then(|| Slot { from, until, bytes: wire.bytes.to_vec() })
    }

    /// Leaves an entry for the others. One that is too large, or that another worker is writing over, stays private.
    pub fn write(&self, host: &dyn Host, mark: u128, slot: &Slot) {
        let Some(sealer) = &self.sealer else { return };
        let wire = Wire { mark, from: slot.from.as_secs(), until: slot.until.as_secs(), bytes: &slot.bytes };
        let Ok(plain) = postcard::to_allocvec(&wire) else { return };
        let key = self.key(mark);
        let mut nonce = [0; 24];
        host.fill_random(&mut nonce);
        if let Some(sealed) = sealer.seal(nonce, key.as_bytes(), &plain).filter(|sealed| sealed.len() <= LARGEST) {
            let version = host.shared(&key).map_or(Version::NEW, |(_, version)| version);
            let _ = host.share(&key, &sealed, version);
        }
    }

    fn key(&self, mark: u128) -> String {
        format!("oidc-proxy-wasm/{}/{}", self.name, mark.checked_rem(self.count).unwrap_or_default())
    }
}
