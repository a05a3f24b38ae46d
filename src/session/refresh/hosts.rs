//! Where the workers of several hosts keep the records of refreshes: in their store, by its own clock, since theirs may differ.
//!
//! A record has four parts, which are read at once. A lease that lives is there; it lapses by going away. That there was one
//! stays, so that the next one knows which try it is. What came of it stands in a part of its own, and a success counts
//! whatever else is said: so a failure that is written late ends no session.

use super::protocol::{Holder, Key, Record, State};
use super::table::{Found, Shared, Table, millis};
use crate::config::OnLoss;
use crate::store::{self, Kind, Lost, Place, Store};
use crate::words::{Reason, Secret};
use crate::world::{Host, LocalFuture, NotWritten, Version};
use std::rc::Rc;
use std::time::Duration;

/// How long it is known that a lease was taken.
const TAKEN: Duration = Duration::from_secs(3600);
/// Nobody holds a lease.
const FREE: Version = Version(u32::MAX - 1);
/// Somebody does.
const HELD: Version = Version(u32::MAX - 2);

/// The table in a store.
pub struct Hosts(Rc<Inner>);

struct Inner {
    store: Rc<Store>,
    /// What holds while the store does not answer, if anything does.
    here: Shared,
}

impl Hosts {
    /// The table of those who share this store.
    pub fn new(store: &Rc<Store>, ring: &[Secret]) -> Self {
        Self(Rc::new(Inner { store: Rc::clone(store), here: Shared::new(ring) }))
    }
}

impl Table for Hosts {
    fn read(&self, host: &Rc<dyn Host>, key: Key) -> LocalFuture<Result<Found, Lost>> {
        let (this, host) = (Rc::clone(&self.0), Rc::clone(host));
        Box::pin(async move {
            let found = this.store.get_all(&*host, &this.parts(key)).await;
            this.found(&*host, key, found)
        })
    }

    /// Requests that wait ask together.
    fn look(&self, host: &Rc<dyn Host>, key: Key) -> LocalFuture<Result<Found, Lost>> {
        let (this, host, keys) = (Rc::clone(&self.0), Rc::clone(host), self.0.parts(key));
        Box::pin(async move {
            let (store, asks, name) = (Rc::clone(&this.store), Rc::clone(&host), keys[0].clone());
            let work = Box::pin(async move { store.get_all(&*asks, &keys).await });
            let found = this.store.together(&host, &name, work).await;
            this.found(&*host, key, found)
        })
    }

    fn swap(
        &self,
        host: &Rc<dyn Host>,
        key: Key,
        record: Record,
        version: Version,
    ) -> LocalFuture<Result<(), NotWritten>> {
        let (this, host) = (Rc::clone(&self.0), Rc::clone(host));
        Box::pin(async move {
            if ![FREE, HELD].contains(&version) {
                return this.here.write(&*host, key, record, version);
            }
            let parts = this.parts(key);
            let life = Duration::from_millis(record.until.saturating_sub(millis(&*host)));
            let is_lease = matches!(record.state, State::Leased(_));
            match this.write(&*host, &parts, &record, version, life).await {
                Ok(written) => written,
                // What the provider said is kept here at least.
                Err(Lost(_)) if this.store.on_loss() == OnLoss::Local && !is_lease => {
                    let (_, version) = this.here.find(&*host, key);
                    this.here.write(&*host, key, record, version)
                }
                Err(Lost(_)) => Err(NotWritten),
            }
        })
    }
}

impl Inner {
    /// Where the parts of a record are: done, failed, begun, leased. Their name is a secret, which only the session's own gives:
    /// no key of the ring is needed, and none can change it.
    fn parts(&self, key: Key) -> [store::Key; 4] {
        let name = self.store.secret_key(Kind::Lease, &Secret::new(key), &[]);
        ["d", "f", "b", "l"].map(|part| name.part(part))
    }

    fn found(&self, host: &dyn Host, key: Key, found: store::Read) -> Result<Found, Lost> {
        match found {
            Ok(found) => Ok(record(found)),
            Err(_) if self.store.on_loss() == OnLoss::Local => Ok(self.here.find(host, key)),
            Err(lost) => Err(lost),
        }
    }

    async fn write(
        &self,
        host: &dyn Host,
        keys: &[store::Key; 4],
        record: &Record,
        version: Version,
        life: Duration,
    ) -> Result<Result<(), NotWritten>, Lost> {
        let [done, failed, begun, lease] = keys;
        let store = &self.store;
        let is_written = match &record.state {
            State::Leased(_) if version == HELD => store.keep(host, lease, life).await? == 1,
            State::Leased(holder) => {
                let plain = [&holder[..], &[record.attempt]].concat();
                // Of those who found no lease one gets it; and then nothing may have happened since it looked.
                if !store.set(host, lease, &plain, life, Place::Free).await? {
                    return Ok(Err(NotWritten));
                }
                let found = store.get_all(host, keys.get(..3).unwrap_or_default()).await?;
                let known = found.get(2).and_then(Option::as_ref).and_then(|begun| begun.last().copied());
                if found.iter().take(2).any(Option::is_some) || known.unwrap_or(0) >= record.attempt {
                    store.delete(host, std::slice::from_ref(lease)).await?;
                    return Ok(Err(NotWritten));
                }
                store.set(host, begun, &plain, TAKEN, Place::Any).await?
            }
            State::Done { seen: true, .. } => store.keep(host, done, life).await? == 1,
            State::Done { content, .. } => store.set(host, done, content, life, Place::Free).await?,
            State::Failed(reason) => store.set(host, failed, reason.code().as_bytes(), life, Place::Any).await?,
        };
        if is_written && !matches!(record.state, State::Leased(_)) {
            // What was written holds without that, too.
            let _ = store.delete(host, keys.get(2..).unwrap_or_default()).await;
        }
        Ok(if is_written { Ok(()) } else { Err(NotWritten) })
    }
}

/// What the parts say together.
fn record(found: Vec<Option<Vec<u8>>>) -> Found {
    let Ok([done, failed, begun, lease]) = <[Option<Vec<u8>>; 4]>::try_from(found) else { return (None, FREE) };
    let version = if lease.is_some() { HELD } else { FREE };
    let failed = failed.and_then(|code| Reason::ALL.iter().find(|reason| reason.code().as_bytes() == code));
    let (state, attempt, until) = match (done, failed) {
        (Some(content), _) => (State::Done { content, seen: false }, 1, u64::MAX),
        (None, Some(reason)) => (State::Failed(*reason), 1, u64::MAX),
        (None, None) => {
            let until = if lease.is_some() { u64::MAX } else { 0 };
            let Some((holder, attempt)) = lease.or(begun).as_deref().and_then(taken) else { return (None, version) };
            (State::Leased(holder), attempt, until)
        }
    };
    (Some(Record { attempt, until, state }), version)
}

fn taken(plain: &[u8]) -> Option<(Holder, u8)> {
    let (holder, attempt) = plain.split_first_chunk()?;
    Some((*holder, *attempt.first()?))
}
