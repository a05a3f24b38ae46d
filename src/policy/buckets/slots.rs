//! Where the workers of one host keep the buckets together: a fixed number of slots in the host's shared data.
//!
//! A host frees no entry of its shared data, so there is none per caller: the hash of a caller chooses a slot, and a slot
//! has room for a few. The slots are written as they are, since sealing each of them anew would cost more than the rest of
//! a request: who reads them learns keyed hashes and counts, and who can write there is a module that the operator loaded
//! under the same `vm_id`, which could refill buckets or empty them, and nothing else.

use super::bucket::{Bucket, Taken};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller([u8; 16]);

impl Caller {
    /// The caller with this hash.
    pub fn new(hash: [u8; 32]) -> Self {
        let mut caller = [0; 16];
        caller.iter_mut().zip(hash).for_each(|(byte, from)| *byte = from);
        Self(caller)
    }

    /// The same as a number.
    pub fn mark(&self) -> u128 {
        u128::from_le_bytes(self.0)
    }

    fn slot(&self) -> String {
        let [first, second, ..] = self.0;
        format!("oidc-proxy-wasm/limit/{}", u16::from_le_bytes([first, second]) % SLOTS)
    }
}

/// Changes the caller's bucket: `change` gives it as it is afterwards, unless it stays. `None` where the host shares
/// nothing, or where others wrote first every time: nothing was changed then.
pub fn change(
    host: &dyn Host,
    caller: Caller,
    now: u64,
    change: &dyn Fn(Bucket) -> (Option<Bucket>, Taken),
) -> Option<Taken> {
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
        let (after, outcome) = change(found);
        let Some(after) = after else { return Some(outcome) };
        buckets.retain(|(known, bucket)| *known != caller && bucket.full_in(now) > 0);
        make_room(&mut buckets, now);
        buckets.push((caller, after));
        if host.share(&slot, &write(&buckets), version).is_ok() {
            return Some(outcome);
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

#[cfg(test)]
mod tests {
    use super::super::Allowance;
    use super::*;
    use crate::world::script::Script;

    /// Sixteen to a slot; who has most of its bucket left goes first, and is never the one that came.
    #[test]
    fn a_slot_forgets_who_has_spent_the_least() {
        let script = Script::new();
        let host: &dyn Host = &script;
        let caller = |number: u8| Caller::new([&[1, 2, number][..], &[0; 29]].concat().try_into().unwrap());
        let allowance = Allowance { limit: 100, period: 60_000, burst: 100 };
        let now = host.now_millis();
        let take = |number| change(host, caller(number), now, &|bucket| bucket.take(allowance, now)).unwrap();
        // The first is at its limit, the others have come twice, the second once.
        let spent = (0..100).map(|_| take(0)).filter(|taken| matches!(taken, Taken::Granted { .. }));
        assert_eq!(spent.count(), 100);
        take(1);
        let twice = (2..16).chain(2..16).map(take);
        assert_eq!(twice.filter(|taken| matches!(taken, Taken::Granted { remaining: 98, .. })).count(), 14);
        assert_eq!((script.shared_keys().len(), script.shared_bytes()), (1, 16 * 36));
        take(16);
        assert_eq!(script.shared_bytes(), 16 * 36);
        assert!(matches!(take(0), Taken::Refused { .. }), "who has spent all is not forgotten");
        assert!(matches!(take(16), Taken::Granted { remaining: 98, .. }), "who came is not forgotten");
        assert!(matches!(take(1), Taken::Granted { remaining: 99, .. }), "who had spent the least is");
    }
}
