//! Counters and histograms of the host. There are as many as there are kinds of events, never one per user or path: hosts
//! free none.

use super::imports;
use crate::words::ByName;

/// Those that were used so far, by name. A host without metrics has none.
#[derive(Default)]
pub struct Metrics {
    ids: ByName<Option<u32>>,
}

impl Metrics {
    /// Makes a counter grow.
    pub fn add(&mut self, counter: &str, by: u64) {
        if let Some(id) = self.id(counter, imports::counter) {
            let _ = imports::increment(id, i64::try_from(by).unwrap_or(i64::MAX));
        }
    }

    /// Notes a value for a histogram.
    pub fn record(&mut self, histogram: &str, value: u64) {
        if let Some(id) = self.id(histogram, imports::histogram) {
            let _ = imports::record(id, value);
        }
    }

    fn id(&mut self, name: &str, define: fn(&str) -> Result<u32, imports::Status>) -> Option<u32> {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = define(name).ok();
        self.ids.insert(name, id);
        id
    }
}
