//! What the workers of one host tell each other of revocations: a ring of segments in the host's shared data, and a head that
//! says how many entries were ever written. A host forgets no key, so there are so many segments and no more.

use super::Mark;
use crate::seal::{KeyedHash, Purpose, Sealer};
use crate::words::{Secret, UnixTime, hex};
use crate::world::{Host, NotWritten, Version};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Entries of a segment.
const SEGMENT: u64 = 128;
/// How often a writer tries again when another one was faster.
const TRIES: usize = 32;

/// Everything under one mark that is not younger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    mark: [u8; 16],
    up_to: u64,
    until: u64,
}

/// How many entries were ever written, and since when.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Head {
    /// How many.
    pub total: u64,
    since: u64,
}

/// The log under one secret.
pub struct Log {
    name: String,
    segments: u64,
    sealer: Sealer,
}

#[derive(Serialize, Deserialize)]
struct Segment {
    /// Which one it is of all that ever were; another one stands in its place later.
    number: u64,
    entries: Vec<Entry>,
}

impl Entry {
    /// Whatever has `mark` and began at `up_to` or before is revoked; at `until` nothing of it can be alive any more.
    pub fn new(mark: Mark, up_to: UnixTime, until: UnixTime) -> Self {
        Self { mark: mark.0, up_to: up_to.as_secs(), until: until.as_secs() }
    }

    /// What is revoked.
    pub fn mark(&self) -> Mark {
        Mark(self.mark)
    }

    /// Whatever began then or before is revoked; what began later stays.
    pub fn up_to(&self) -> UnixTime {
        UnixTime::from_secs(self.up_to)
    }

    /// When nothing of it can be alive any more.
    pub fn until(&self) -> UnixTime {
        UnixTime::from_secs(self.until)
    }

    /// What two entries of one mark say together.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self { mark: self.mark, up_to: self.up_to.max(other.up_to), until: self.until.max(other.until) }
    }
}

impl Head {
    /// When the log began.
    pub fn since(&self) -> UnixTime {
        UnixTime::from_secs(self.since)
    }
}

impl Log {
    /// The log of one kind under `secret`, with room for so many entries.
    pub fn new(kind: &str, entries: usize, secret: &Secret) -> Self {
        let ring = std::slice::from_ref(secret);
        let segments = u64::try_from(entries).unwrap_or(u64::MAX).div_ceil(SEGMENT).max(2);
        let hash = KeyedHash::new(ring, b"oidc-proxy-wasm revocation name").of(&[kind.as_bytes()]);
        let name = format!("oidc-proxy-wasm/revoked/{}/{segments}", hex(hash.get(..8).unwrap_or_default()));
        Self { name, segments, sealer: Sealer::new(ring, Purpose::Table) }
    }

    /// How far it is, if it began.
    pub fn head(&self, host: &dyn Host) -> Option<Head> {
        self.read(host, &self.head_key()).0
    }

    /// The same, and it begins now unless it has.
    pub fn begin(&self, host: &dyn Host) -> Option<Head> {
        let key = self.head_key();
        let (head, version) = self.read(host, &key);
        if head.is_none() {
            let _ = self.write(host, &key, &Head { total: 0, since: host.now().as_secs() }, version);
            return self.head(host);
        }
        head
    }

    /// The entries from the `from`th on, or as many of them as are still there.
    pub fn entries(&self, host: &dyn Host, from: u64, total: u64) -> Vec<Entry> {
        let last = segment_of(total);
        let oldest = last.saturating_sub(self.segments.saturating_sub(1));
        let wanted = segment_of(from).max(oldest)..=last;
        let mut entries = Vec::new();
        for number in wanted {
            let (segment, _): (Option<Segment>, _) = self.read(host, &self.segment_key(number));
            if let Some(segment) = segment.filter(|segment| segment.number == number) {
                entries.extend(segment.entries);
            }
        }
        entries
    }

    /// Writes an entry down. The segment comes first: what the head promises is there.
    pub fn append(&self, host: &dyn Host, entry: Entry) -> Result<(), NotWritten> {
        let mut number = segment_of(self.head(host).map_or(0, |head| head.total));
        for _ in 0..TRIES {
            let key = self.segment_key(number);
            let (found, version): (Option<Segment>, _) = self.read(host, &key);
            let found = found.filter(|segment| segment.number >= number);
            let mut segment = found.unwrap_or(Segment { number, entries: Vec::new() });
            let count = u64::try_from(segment.entries.len()).unwrap_or(u64::MAX);
            if segment.number > number || count >= SEGMENT {
                // Others filled it, or went once around, since the head was read.
                number = segment.number.max(number.saturating_add(1));
                continue;
            }
            segment.entries.push(entry);
            let total = number.saturating_mul(SEGMENT).saturating_add(count).saturating_add(1);
            if self.write(host, &key, &segment, version).is_ok() {
                return self.advance(host, total);
            }
            // Nobody wrote, and still it cannot be written: the host keeps nothing for anybody, and each worker is by itself.
            if host.shared(&key).is_none() {
                return Ok(());
            }
        }
        Err(NotWritten)
    }

    fn advance(&self, host: &dyn Host, total: u64) -> Result<(), NotWritten> {
        let key = self.head_key();
        for _ in 0..TRIES {
            let (head, version): (Option<Head>, _) = self.read(host, &key);
            if head.is_some_and(|head| head.total >= total) {
                return Ok(());
            }
            let since = head.map_or(host.now().as_secs(), |head| head.since);
            if self.write(host, &key, &Head { total, since }, version).is_ok() {
                return Ok(());
            }
        }
        Err(NotWritten)
    }

    /// What does not open counts as nothing.
    fn read<T: DeserializeOwned>(&self, host: &dyn Host, key: &str) -> (Option<T>, Version) {
        let (plain, version) = self.open(host, key);
        (plain.and_then(|plain| postcard::from_bytes(&plain).ok()), version)
    }

    fn open(&self, host: &dyn Host, key: &str) -> (Option<Vec<u8>>, Version) {
        let Some((sealed, version)) = host.shared(key) else { return (None, Version::NEW) };
        (self.sealer.open(key.as_bytes(), &sealed).ok(), version)
    }

    fn write<T: Serialize>(&self, host: &dyn Host, key: &str, value: &T, version: Version) -> Result<(), NotWritten> {
        self.seal(host, key, &postcard::to_allocvec(value).map_err(|_| NotWritten)?, version)
    }

    fn seal(&self, host: &dyn Host, key: &str, plain: &[u8], version: Version) -> Result<(), NotWritten> {
        let mut nonce = [0; 24];
        host.fill_random(&mut nonce);
        let sealed = self.sealer.seal(nonce, key.as_bytes(), plain).ok_or(NotWritten)?;
        host.share(key, &sealed, version)
    }

    fn head_key(&self) -> String {
        format!("{}/head", self.name)
    }

    fn segment_key(&self, number: u64) -> String {
        format!("{}/{}", self.name, number.checked_rem(self.segments).unwrap_or_default())
    }
}

fn segment_of(entry: u64) -> u64 {
    entry.checked_div(SEGMENT).unwrap_or_default()
}
