//! Buckets of whoever is counted, shared by the workers of one host as far as it has shared data.

mod bucket;
mod slots;

pub use bucket::{Allowance, Taken};
pub use slots::Caller;

use crate::cache::Cache;
use crate::seal::KeyedHash;
use crate::words::Secret;
use crate::world::Host;
use bucket::Bucket;
use std::cell::RefCell;

/// How many a worker counts by itself; what is beyond is forgotten, oldest use first.
const OWN: usize = 8192;

/// Buckets, each under a keyed hash of its owner's name.
///
/// The workers of a host count in its shared data (`slots.rs`). What a worker counts there it counts by itself as well, and
/// goes by that where nothing is shared, or where others wrote first all the time: so no more than the limit times the
/// number of workers ever passes, and on a host with shared data as good as always the limit itself.
pub struct Buckets {
    hash: KeyedHash,
    own: RefCell<Cache<u128, Bucket>>,
}

impl Buckets {
    /// Buckets whose owners nobody recognizes that does not hold the ring. Without a secret the hashes are under a key
    /// that everybody knows. Other purposes have other buckets.
    pub fn new(ring: &[Secret], purpose: &[u8]) -> Self {
        Self { hash: KeyedHash::new(ring, purpose), own: RefCell::new(Cache::new(OWN)) }
    }

    /// Whose bucket it is that has these names.
    pub fn caller(&self, names: &[&[u8]]) -> Caller {
        Caller::new(self.hash.of(names))
    }

    /// Takes one out.
    pub fn take(&self, host: &dyn Host, caller: Caller, allowance: Allowance) -> Taken {
        let now = host.now_millis();
        let own = {
            let mut own = self.own.borrow_mut();
            let (after, taken) = own.get(&caller.mark()).unwrap_or(Bucket::FULL).take(allowance, now);
            if let Some(after) = after {
                own.insert(caller.mark(), after, 1);
            }
            taken
        };
        slots::change(host, caller, now, &|bucket| bucket.take(allowance, now)).unwrap_or(own)
    }

    /// Puts back one that was taken.
    pub fn give(&self, host: &dyn Host, caller: Caller, allowance: Allowance) {
        let now = host.now_millis();
        let known = self.own.borrow_mut().get(&caller.mark());
        if let Some(bucket) = known {
            self.own.borrow_mut().insert(caller.mark(), bucket.give(allowance, now), 1);
        }
        let given = Taken::Granted { remaining: 0, full_in: 0 };
        slots::change(host, caller, now, &|bucket| (Some(bucket.give(allowance, now)), given));
    }

    /// Whether what this worker counts by itself keeps to its bound.
    #[cfg(test)]
    pub fn own_are_bounded(&self) -> bool {
        self.own.borrow().len() <= OWN
    }
}
