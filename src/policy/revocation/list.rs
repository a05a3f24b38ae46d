//! What one worker knows to be revoked, within a bound: the newest entries.

use super::Mark;
use super::log::{Entry, Log};
use crate::words::{Secret, UnixTime};
use crate::world::{Host, NotWritten};
use std::collections::{HashMap, VecDeque};

/// The entries of one kind.
pub struct List {
    /// What the workers tell each other, under each secret of the ring; the first is written to.
    logs: Vec<Heard>,
    known: HashMap<Mark, Entry>,
    /// The same in the order in which they came.
    order: VecDeque<Entry>,
    most: usize,
}

struct Heard {
    log: Log,
    /// How many entries were written to it when it was last read.
    total: u64,
}

impl List {
    /// Nothing yet, and never more than `most` entries.
    pub fn new(kind: &str, most: usize, ring: &[Secret]) -> Self {
        let heard = |secret| Heard { log: Log::new(kind, most, secret), total: 0 };
        let logs = ring.iter().map(heard).collect();
        Self { logs, known: HashMap::new(), order: VecDeque::new(), most }
    }

    /// Whether what began at `born` is revoked under this mark.
    pub fn denies(&self, mark: Mark, born: UnixTime, now: UnixTime) -> bool {
        self.known.get(&mark).is_some_and(|entry| now < entry.until() && born <= entry.up_to())
    }

    /// Whether nothing is revoked.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// How many names are revoked.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Takes entries in. Says how many others were pushed out before their time.
    pub fn take_in(&mut self, now: UnixTime, entries: &[Entry]) -> u64 {
        for entry in entries.iter().filter(|entry| now < entry.until()) {
            let known = self.known.get(&entry.mark());
            let news = known.map_or(*entry, |known| known.and(entry));
            if known != Some(&news) {
                self.known.insert(news.mark(), news);
                self.order.push_back(news);
            }
        }
        self.trim(now)
    }

    /// Reads what other workers wrote since it was last read. Says when the oldest log began, and how many entries were pushed
    /// out before their time.
    pub fn learn(&mut self, host: &dyn Host) -> (UnixTime, u64) {
        let now = host.now();
        let (mut since, mut news) = (now, Vec::new());
        for (at, heard) in self.logs.iter_mut().enumerate() {
            let Some(head) = (if at == 0 { heard.log.begin(host) } else { heard.log.head(host) }) else { continue };
            since = since.min(head.since());
            if head.total != heard.total {
                // Less than before: somebody wrote nonsense there, and it was begun anew.
                let from = if head.total < heard.total { 0 } else { heard.total };
                news.extend(heard.log.entries(host, from, head.total));
                heard.total = head.total;
            }
        }
        let pushed_out = self.take_in(now, &news);
        (since, pushed_out)
    }

    /// Tells the other workers of an entry.
    pub fn tell(&self, host: &dyn Host, entry: Entry) -> Result<(), NotWritten> {
        self.logs.first().map_or(Ok(()), |heard| heard.log.append(host, entry))
    }

    fn trim(&mut self, now: UnixTime) -> u64 {
        let mut pushed_out = 0_u64;
        while let Some(oldest) = self.order.front().copied() {
            let is_over = oldest.until() <= now;
            if !is_over && self.order.len() <= self.most {
                break;
            }
            self.order.pop_front();
            // One that came again stands further back as well.
            if self.known.get(&oldest.mark()) == Some(&oldest) {
                self.known.remove(&oldest.mark());
                pushed_out = pushed_out.saturating_add(u64::from(!is_over));
            }
        }
        pushed_out
    }
}
