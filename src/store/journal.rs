//! What all hosts are to know, told to them: two lists, the newest entry first. Each host reads what is new in them before it
//! decides.

use super::webdis::Answer;
use super::{Key, Kind, Lost, Read, STRANGE, Store};
use crate::config::OnLoss;
use crate::words::Refusal;
use crate::world::{Host, LocalFuture};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// How far behind a worker may be when it decides, in milliseconds.
const BEHIND: u64 = 500;
/// From when on it looks for what is new while it goes on, in milliseconds.
const AHEAD: u64 = 250;
/// How many entries are read at once, when there are more than one.
const PAGE: usize = 1024;

/// Who wants to know.
pub trait Sink {
    /// Takes in what is new in a list, the oldest first. Some of it may come again.
    fn take_in(&self, host: &dyn Host, list: usize, news: Vec<Vec<u8>>);
}

/// The journal, as one worker reads it.
pub struct Journal {
    store: Rc<Store>,
    lists: [Tail; 2],
    life: Duration,
    /// Up to when all is known here, in milliseconds since the epoch; none before it was read.
    known: Cell<Option<u64>>,
}

struct Tail {
    key: Key,
    /// How many entries at most.
    entries: usize,
    /// The newest entry that is known, as it is written: no two are written alike.
    newest: RefCell<Option<String>>,
}

impl Journal {
    /// The journal in this store, of lists with so many entries, which matter for `life`.
    pub fn new(store: &Rc<Store>, entries: [usize; 2], life: Duration) -> Self {
        let mut number = 0;
        let lists = entries.map(|entries| {
            number = 1_u8.saturating_add(number);
            // One name for all who share a store, whatever secret of theirs is the first.
            Tail { key: store.named(Kind::Journal, &[number; 32]), entries, newest: RefCell::default() }
        });
        Self { store: Rc::clone(store), lists, life, known: Cell::default() }
    }

    /// Tells all. An error means that it may not be known everywhere.
    pub async fn append(&self, host: &dyn Host, list: usize, plain: &[u8]) -> Result<(), Lost> {
        let Some(Tail { key, entries, .. }) = self.lists.get(list) else { return Ok(()) };
        let store = &self.store;
        let sealed = store.seal(host, key, plain)?;
        let count = store.number(host, &["LPUSH", &key.0, &sealed]).await?;
        if store.keep(host, key, self.life).await? != 1 {
            return Err(Lost("what was written is gone"));
        }
        if usize::try_from(count).is_ok_and(|count| count > *entries) {
            let last = entries.saturating_sub(1).to_string();
            store.webdis.ask(host, &["LTRIM", &key.0, "0", &last]).await?;
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
            drop(self.look(host, sink));
        }
        true
    }

    /// Reads what is new. An error where nobody may be let in without it.
    pub async fn catch_up(self: &Rc<Self>, host: &Rc<dyn Host>, sink: &Rc<dyn Sink>) -> Result<(), Refusal> {
        match (self.look(host, sink).await, self.store.on_loss()) {
            (Err(lost), OnLoss::Deny) => Err(lost.into()),
            (Ok(_), _) | (Err(_), OnLoss::Local) => Ok(()),
        }
    }

    fn look(self: &Rc<Self>, host: &Rc<dyn Host>, sink: &Rc<dyn Sink>) -> LocalFuture<Read> {
        let [first, _] = &self.lists;
        let work = Rc::clone(self).read(Rc::clone(host), Rc::clone(sink));
        self.store.together(host, &first.key, Box::pin(work))
    }

    async fn read(self: Rc<Self>, host: Rc<dyn Host>, sink: Rc<dyn Sink>) -> Read {
        let began = host.now_millis();
        for (at, list) in self.lists.iter().enumerate() {
            let news = self.news(&*host, list).await?;
            let opened = news.iter().rev().filter_map(|text| self.store.open(&list.key, text)).collect();
            sink.take_in(&*host, at, opened);
            if let Some(newest) = news.into_iter().next() {
                list.newest.replace(Some(newest));
            }
        }
        self.known.set(Some(began));
        Ok(Vec::new())
    }

    /// From the newest back to the one that is known. Entries that are added meanwhile push the others back: some are read
    /// twice, none is missed.
    async fn news(&self, host: &dyn Host, list: &Tail) -> Result<Vec<String>, Lost> {
        let known = list.newest.borrow().clone();
        let mut news = Vec::new();
        let (mut from, mut size) = (0_usize, 1_usize);
        while from < list.entries {
            let last = from.saturating_add(size).saturating_sub(1).to_string();
            let words = ["LRANGE", &*list.key.0, &from.to_string(), &last];
            let Answer::List(page) = self.store.webdis.ask(host, &words).await? else { return Err(STRANGE) };
            let count = page.len();
            for text in page {
                if text.is_none() || text == known {
                    return Ok(news);
                }
                news.extend(text);
            }
            if count < size {
                break;
            }
            from = from.saturating_add(size);
            size = PAGE;
        }
        Ok(news)
    }
}
