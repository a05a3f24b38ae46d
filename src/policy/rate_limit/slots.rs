//! Where the workers of one host keep the buckets together: a fixed number of slots in the host's shared data.
//!
//! A host frees no entry of its shared data, so there is none per caller: the hash of a caller chooses a slot, and a slot
//! has room for a few. The slots are written as they are, since sealing each of them anew would cost more than the rest of
//! a request: who reads them learns keyed hashes and counts, and who can write there is a module that the operator loaded
//! under the same `vm_id`, which could refill buckets or empty them, and nothing else.

use super::bucket::{Allowance, Bucket, Taken};
use crate::world::{Host, Version};

/// How many slots there are.
const SLOTS: u16 = 4096;
/// How many buckets a slot holds. With all slots full, 65,536 callers are counted in about 2.4 MB.
const BUCKETS: usize = 16;
/// How many bytes a bucket takes: the caller's hash, what was spent, the limit, when.
const BUCKET: usize = 36;
/// How often a write is tried that others were faster with.
const TRIES: usize = 8;

/// A caller of a rule, as a keyed hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Caller([u8; 16]);

impl Caller {
    /// The caller with this hash.
    pub fn new(hash: [u8; 32]) -> Self {
        let mut caller = [0; 16];
        caller.iter_mut().zip(hash).for_each(|(byte, from)| *byte = from);
        Self(caller)
    }

    fn slot(&self) -> String {
        let [first, second, ..] = self.0;
        format!("oidc-proxy-wasm/limit/{}", u16::from_le_bytes([first, second]) % SLOTS)
    }
}

/// Takes one request out of the caller's bucket. `None` where the host shares nothing, or where others wrote first every
/// time: nothing was counted then.
pub fn take(host: &dyn Host, caller: Caller, allowance: Allowance, now: u64) -> Option<Taken> {
    let slot = caller.slot();
    let mut seen = None;
    for _ in 0..TRIES {
        let (bytes, version) = host.shared(&slot).unwrap_or((Vec::new(), Version::NEW));
        if seen == Some(version) {
            // Nobody wrote, and yet it could not be written: the host keeps nothing.
            return None;
        }
        seen = Some(version);
        let mut buckets = read(&bytes);
        let found = buckets.iter().find(|(known, _)| *known == caller).map_or(Bucket::FULL, |(_, bucket)| *bucket);
        let (after, taken) = found.take(allowance, now);
        let Some(after) = after else { return Some(taken) };
        buckets.retain(|(known, bucket)| *known != caller && bucket.full_in(now) > 0);
        make_room(&mut buckets, now);
        buckets.push((caller, after));
        if host.share(&slot, &write(&buckets), version).is_ok() {
            return Some(taken);
        }
    }
    None
}

/// Forgets the bucket that is full soonest where there is no room for one more, of several the one that was written first:
/// its caller gains the least by it.
fn make_room(buckets: &mut Vec<(Caller, Bucket)>, now: u64) {
    while buckets.len() >= BUCKETS {
        let soonest = buckets.iter().enumerate().min_by_key(|(_, (_, bucket))| bucket.full_in(now));
        let Some((place, _)) = soonest else { return };
        buckets.remove(place);
    }
}

/// The buckets in a slot; none where its bytes are not ours.
fn read(bytes: &[u8]) -> Vec<(Caller, Bucket)> {
    if bytes.len() > BUCKETS.saturating_mul(BUCKET) {
        return Vec::new();
    }
    let (entries, rest) = bytes.as_chunks::<BUCKET>();
    if !rest.is_empty() {
        return Vec::new();
    }
    entries.iter().filter_map(|entry| read_one(entry)).collect()
}

fn read_one(entry: &[u8]) -> Option<(Caller, Bucket)> {
    let (hash, entry) = entry.split_first_chunk()?;
    let (spent, entry) = entry.split_first_chunk()?;
    let (limit, entry) = entry.split_first_chunk()?;
    let (at, _) = entry.split_first_chunk()?;
    let bucket =
        Bucket { spent: u64::from_le_bytes(*spent), limit: u32::from_le_bytes(*limit), at: u64::from_le_bytes(*at) };
    Some((Caller(*hash), bucket))
}

fn write(buckets: &[(Caller, Bucket)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(buckets.len().saturating_mul(BUCKET));
    for (caller, bucket) in buckets {
        bytes.extend(caller.0);
        bytes.extend(bucket.spent.to_le_bytes());
        bytes.extend(bucket.limit.to_le_bytes());
        bytes.extend(bucket.at.to_le_bytes());
    }
    bytes
}
