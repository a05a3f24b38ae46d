//! One entry in the host's shared data, sealed, since other modules may read and write there.

use crate::seal::{Purpose, Sealer};
use crate::words::{Secret, UnixTime};
use crate::world::{Host, Version};
use serde::{Deserialize, Serialize};

/// What the workers of one host tell each other about a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// When a worker last asked the provider for it.
    pub asked: UnixTime,
    /// Until when a worker is asking.
    pub leased: UnixTime,
    /// When `bytes` came.
    pub fetched: UnixTime,
    /// When they should be asked for again.
    pub stale: UnixTime,
    /// The document; empty for none yet.
    pub bytes: Vec<u8>,
}

impl Entry {
    /// Whether some worker is asking right now.
    pub fn is_leased(&self, now: UnixTime) -> bool {
        now < self.leased
    }
}

/// Where one document's entry stands.
pub struct Table {
    key: String,
    sealer: Sealer,
}

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    times: [u64; 4],
    #[serde(borrow)]
    bytes: &'a [u8],
}

impl Table {
    /// The entry called `name`, readable to those that hold the same ring.
    ///
    /// Without a secret nothing is shared: each worker fetches for itself.
    pub fn new(name: &str, ring: &[Secret]) -> Self {
        Self { key: format!("oidc-proxy-wasm/{name}"), sealer: Sealer::new(ring, Purpose::Table) }
    }

    /// The entry, and what a writer must show. What does not open counts as nothing.
    pub fn read(&self, host: &dyn Host) -> (Entry, Version) {
        let Some((sealed, version)) = host.shared(&self.key) else { return (Entry::default(), Version::NEW) };
        let entry = self.sealer.open(self.key.as_bytes(), &sealed).ok().and_then(|plain| {
            let wire: Wire<'_> = postcard::from_bytes(&plain).ok()?;
            let [asked, leased, fetched, stale] = wire.times.map(UnixTime::from_secs);
            Some(Entry { asked, leased, fetched, stale, bytes: wire.bytes.to_vec() })
        });
        (entry.unwrap_or_default(), version)
    }

    /// Writes the entry unless somebody wrote since `version`. `false` only then: where nothing can be shared at all, each
    /// worker goes by itself.
    pub fn write(&self, host: &dyn Host, entry: &Entry, version: Version) -> bool {
        let times = [entry.asked, entry.leased, entry.fetched, entry.stale].map(UnixTime::as_secs);
        let Ok(plain) = postcard::to_allocvec(&Wire { times, bytes: &entry.bytes }) else { return true };
        let mut nonce = [0; 24];
        host.fill_random(&mut nonce);
        let Some(sealed) = self.sealer.seal(nonce, self.key.as_bytes(), &plain) else { return true };
        if host.share(&self.key, &sealed, version).is_ok() {
            return true;
        }
        // Lost to another writer, or a host that keeps nothing?
        host.shared(&self.key).is_none_or(|(_, now)| now == version)
    }
}
