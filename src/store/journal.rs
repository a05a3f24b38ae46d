//! What was revoked, told to all hosts: a list, the newest first. Each host reads what is new in it before it decides.

use super::webdis::Answer;
use super::{Key, Kind, Lost, STRANGE, Store};
use crate::config::OnLoss;
use crate::words::{Refusal, UnixTime};
use crate::world::{Flights, Host};
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// How far behind a worker may be when it decides, in milliseconds.
const BEHIND: u64 = 500;
/// From when on it looks for what is new while it goes on, in milliseconds.
const AHEAD: u64 = 250;
/// How many entries are read at once, when there are more than one.
const PAGE: usize = 1024;

/// One thing that was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is known by.
    pub mark: [u8; 16],
    /// What began then or before is revoked.
    pub up_to: UnixTime,
    /// When nothing of it can be alive any more.
    pub until: UnixTime,
}

/// Who wants to know.
pub trait Sink {
    /// Takes one in. It may come again.
    fn take_in(&self, host: &dyn Host, entry: Entry);
}

/// The journal, as one worker reads it.
pub struct Journal {
    store: Rc<Store>,
    key: Key,
    /// How many entries at most.
    entries: usize,
    life: Duration,
    /// Up to when all is known here, in milliseconds since the epoch; none before it was read.
    known: Cell<Option<u64>>,
    /// The newest entry that is known, as it is written: no two are written alike.
    newest: RefCell<Option<String>>,
    flights: Flights<(), Result<(), Lost>>,
}

#[derive(Serialize, Deserialize)]
struct Wire([u8; 16], u64, u64);

impl Journal {
    /// The journal in this store, of so many entries, which matter for `life`.
    pub fn new(store: &Rc<Store>, entries: usize, life: Duration) -> Self {
        Self {
            // One name for all who share a store, whatever secret of theirs is the first.
            key: store.named(Kind::Journal, &[0; 32]),
            store: Rc::clone(store),
            entries,
            life,
            known: Cell::default(),
            newest: RefCell::default(),
            flights: Flights::default(),
        }
    }

    /// Tells all. An error means that it may not be known everywhere.
    pub async fn append(&self, host: &dyn Host, entry: Entry) -> Result<(), Lost> {
        let wire = Wire(entry.mark, entry.up_to.as_secs(), entry.until.as_secs());
        let plain = postcard::to_allocvec(&wire).map_err(|_| STRANGE)?;
        let (store, key) = (&self.store, &*self.key.0);
        let sealed = store.seal(host, &self.key, &plain)?;
        let Answer::Number(count) = store.webdis.ask(host, &["LPUSH", key, &sealed]).await? else {
            return Err(STRANGE);
        };
        if !store.keep(host, &self.key, self.life).await? {
            return Err(Lost("what was written is gone"));
        }
        if usize::try_from(count).unwrap_or(usize::MAX) > self.entries {
            let last = self.entries.saturating_sub(1).to_string();
            store.webdis.ask(host, &["LTRIM", key, "0", &last]).await?;
        }
        Ok(())
    }

    /// Whether enough is known here to decide. What is new is looked for in the background in time, so that as long as
    /// requests come none of them waits.
    pub fn is_fresh(self: &Rc<Self>, host: &Rc<dyn Host>, sink: &Rc<dyn Sink>) -> bool {
        // After a clock went back nobody knows.
        let behind = self.known.get().and_then(|known| host.now_millis().checked_sub(known));
        let Some(behind) = behind.filter(|behind| *behind < BEHIND) else { return false };
        if behind >= AHEAD {
            self.flights.start(&**host, (), Rc::clone(self).read(Rc::clone(host), Rc::clone(sink)));
        }
        true
    }

    /// Reads what is new. An error where nobody may be let in without it.
    pub async fn catch_up(self: &Rc<Self>, host: &Rc<dyn Host>, sink: &Rc<dyn Sink>) -> Result<(), Refusal> {
        let work = Rc::clone(self).read(Rc::clone(host), Rc::clone(sink));
        let read = self.flights.join(&**host, (), work).await.unwrap_or(Err(Lost("the question got lost")));
        match (read, self.store.on_loss()) {
            (Err(lost), OnLoss::Deny) => Err(lost.into()),
            (Ok(()), _) | (Err(_), OnLoss::Local) => Ok(()),
        }
    }

    /// From the newest back to the one that is known. Entries that are added meanwhile push the others back: some are read
    /// twice, none is missed.
    async fn read(self: Rc<Self>, host: Rc<dyn Host>, sink: Rc<dyn Sink>) -> Result<(), Lost> {
        let began = host.now_millis();
        let known = self.newest.borrow().clone();
        let mut newest = None;
        let (mut from, mut size) = (0_usize, 1_usize);
        'pages: while from < self.entries {
            let page = self.page(&*host, from, size).await?;
            let count = page.len();
            for text in page {
                if known.as_ref() == Some(&text) {
                    break 'pages;
                }
                if let Some(entry) = self.open(&text) {
                    sink.take_in(&*host, entry);
                }
                newest.get_or_insert(text);
            }
            if count < size {
                break;
            }
            from = from.saturating_add(size);
            size = PAGE;
        }
        if newest.is_some() {
            *self.newest.borrow_mut() = newest;
        }
        self.known.set(Some(began));
        Ok(())
    }

    async fn page(&self, host: &dyn Host, from: usize, size: usize) -> Result<Vec<String>, Lost> {
        let last = from.saturating_add(size).saturating_sub(1).to_string();
        match self.store.webdis.ask(host, &["LRANGE", &self.key.0, &from.to_string(), &last]).await? {
            Answer::List(texts) => texts.into_iter().collect::<Option<_>>().ok_or(STRANGE),
            _ => Err(STRANGE),
        }
    }

    fn open(&self, text: &str) -> Option<Entry> {
        let plain = self.store.open(&self.key, text)?;
        let Wire(mark, up_to, until) = postcard::from_bytes(&plain).ok()?;
        Some(Entry { mark, up_to: UnixTime::from_secs(up_to), until: UnixTime::from_secs(until) })
    }
}
