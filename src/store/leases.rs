//! Records that are changed by one writer at a time, such as those of refreshes under way.
//!
//! Redis compares nothing over HTTP before it writes. So each version of a record has a name of its own, which is written
//! only where nothing is (`SET … NX`): of two that change the same version one wins. All of a record's versions are read
//! at once.

use super::{Answer, Key, Kind, Lost, STRANGE, Store, URL_SAFE_NO_PAD};
use crate::world::{Host, NotWritten, Version};
use base64::Engine;
use std::rc::Rc;
use std::time::Duration;

/// How many versions a record may have. A refresh that goes well has three: leased, done, seen.
const MOST: u32 = 12;

/// Records in a store.
pub struct Leases {
    store: Rc<Store>,
}

impl Leases {
    /// Those in this store.
    pub fn new(store: &Rc<Store>) -> Self {
        Self { store: Rc::clone(store) }
    }

    /// The record called `name`, and what a writer needs to show.
    pub async fn read(&self, host: &dyn Host, name: &[u8]) -> Result<(Option<Vec<u8>>, Version), Lost> {
        let keys: Vec<Key> = (1..=MOST).map(|version| self.key(name, version)).collect();
        let words: Vec<&str> = ["MGET"].into_iter().chain(keys.iter().map(|key| &*key.0)).collect();
        let Answer::List(texts) = self.store.webdis.ask(host, &words).await? else { return Err(STRANGE) };
        if texts.len() != keys.len() {
            return Err(STRANGE);
        }
        let versions = (1..=MOST).zip(&keys).zip(texts);
        let latest = versions.filter_map(|((version, key), text)| Some((version, key, text?))).last();
        // One that does not open is there all the same: what it says is lost.
        Ok(latest.map_or((None, Version::NEW), |(version, key, text)| (self.store.open(key, &text), Version(version))))
    }

    /// Writes the next version for `life`, which must be the same for all versions: an earlier one must end before a later
    /// one does. `NotWritten` where somebody else did, or where it has changed too often.
    pub async fn swap(
        &self,
        host: &dyn Host,
        name: &[u8],
        record: &[u8],
        version: Version,
        life: Duration,
    ) -> Result<Result<(), NotWritten>, Lost> {
        let next = if version == Version::NEW { 1 } else { version.0.saturating_add(1) };
        if next > MOST {
            return Ok(Err(NotWritten));
        }
        let written = self.store.set_new(host, &self.key(name, next), record, life).await?;
        Ok(if written { Ok(()) } else { Err(NotWritten) })
    }

    /// Names of one record differ in their end alone.
    fn key(&self, name: &[u8], version: u32) -> Key {
        let hash = self.store.hash.of(&[name]);
        let prefix = &self.store.webdis.settings().prefix;
        Key(format!("{prefix}{}:{}:{version}", Kind::Lease.letter(), URL_SAFE_NO_PAD.encode(hash)).into())
    }
}
