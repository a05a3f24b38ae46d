//! A document of the provider's that we keep: fetched once however many ask, refreshed before it is stale, shared
//! between the workers of one host, and good until a better one comes.

use super::outage::Outage;
use super::table::{Entry, Table};
use crate::words::{Reason, Refusal, UnixTime};
use crate::world::{Flights, Host, LocalFuture, Watch};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// What makes a document of `T` out of an answer.
pub trait Recipe: 'static {
    /// The document.
    type Document: 'static;

    /// Asks the provider. The work belongs to nobody's request.
    fn fetch(self: Rc<Self>, host: Rc<dyn Host>) -> LocalFuture<Result<Fetched, Refusal>>;

    /// Judges the bytes.
    fn read(&self, bytes: &[u8]) -> Result<Self::Document, Refusal>;

    /// What it is to have no document and no answer.
    fn unavailable(&self) -> Reason;

    /// How long a fetch takes at most.
    fn timeout(&self) -> Duration;
}

/// A fetched document, not yet judged.
pub struct Fetched {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// For how long it need not be asked for again.
    pub fresh_for: Duration,
}

/// One document of one provider, with its whole life.
pub struct Kept<R: Recipe> {
    shelf: Rc<Shelf<R>>,
    keeper: Keeper,
}

/// Where the last good document is.
struct Shelf<R: Recipe> {
    recipe: Rc<R>,
    document: RefCell<Option<Rc<R::Document>>>,
}

/// A shelf, to those to whom all documents are alike.
trait Place {
    /// Asks the provider. The work belongs to nobody's request.
    fn fetch(&self, host: Rc<dyn Host>) -> LocalFuture<Result<Fetched, Refusal>>;

    /// Judges the bytes, and puts a good document in the place of the one before.
    fn put(&self, bytes: &[u8]) -> Result<(), Refusal>;
}

impl<R: Recipe> Place for Shelf<R> {
    fn fetch(&self, host: Rc<dyn Host>) -> LocalFuture<Result<Fetched, Refusal>> {
        Rc::clone(&self.recipe).fetch(host)
    }

    fn put(&self, bytes: &[u8]) -> Result<(), Refusal> {
        let document = self.recipe.read(bytes)?;
        self.document.replace(Some(Rc::new(document)));
        Ok(())
    }
}

/// What an operator may know of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// When the one at hand was fetched.
    pub fetched: Option<UnixTime>,
    /// Whether it should have been asked for again.
    pub stale: bool,
    /// Why the last fetch failed.
    pub trouble: Option<Reason>,
}

impl<R: Recipe> Kept<R> {
    /// Nothing yet, to be kept in `table`.
    pub fn new(recipe: R, table: Table) -> Self {
        let (unavailable, timeout) = (recipe.unavailable(), recipe.timeout());
        let shelf = Rc::new(Shelf { recipe: Rc::new(recipe), document: RefCell::default() });
        let work = Work { place: Rc::clone(&shelf) as _, unavailable, timeout, table, state: RefCell::default() };
        Self { shelf, keeper: Keeper { work: Rc::new(work), flights: Flights::default() } }
    }

    /// The document: the last good one, while a newer one is fetched behind it when it is stale.
    pub async fn get(&self, host: &Rc<dyn Host>) -> Result<Rc<R::Document>, Refusal> {
        self.keeper.get(host).await?;
        self.held().ok_or_else(|| self.keeper.lack())
    }

    /// A newer document than the one at hand, because something in it is missing or wrong; `None` while it is too early to
    /// ask again. Such fetches, which nobody's schedule asked for, are `throttle` apart, over all workers of the host.
    pub async fn renew(&self, host: &Rc<dyn Host>, throttle: Duration) -> Result<Option<Rc<R::Document>>, Refusal> {
        let before = self.held();
        self.keeper.renew(host, throttle).await?;
        let is_newer = |held: &Rc<_>| before.is_none_or(|before| !Rc::ptr_eq(&before, held));
        Ok(self.held().filter(is_newer))
    }

    /// Sees to it that the document is there before anyone needs it.
    pub fn prepare(&self, host: &Rc<dyn Host>) {
        if self.held().is_none() {
            self.keeper.start(host, Wanted::Any);
        }
    }

    /// What is at hand, if anything.
    pub fn held(&self) -> Option<Rc<R::Document>> {
        self.shelf.document.borrow().as_ref().map(Rc::clone)
    }

    /// Why the last fetch failed; `None` when it did not.
    pub fn trouble(&self) -> Option<Refusal> {
        self.keeper.work.state.borrow().outage.cause()
    }

    /// What an operator may know of it.
    pub fn state(&self, now: UnixTime) -> Condition {
        let state = self.keeper.work.state.borrow();
        let held = state.held.as_ref();
        Condition {
            fetched: held.map(|held| held.fetched),
            stale: held.is_some_and(|held| now >= held.stale),
            trouble: state.outage.cause().map(|refusal| refusal.reason),
        }
    }
}

/// Keeps a document, whatever kind it is of.
struct Keeper {
    work: Rc<Work>,
    flights: Flights<Result<(), Refusal>>,
}

impl Keeper {
    /// Sees to it that there is a document, while a newer one is fetched behind it when it is stale.
    async fn get(&self, host: &Rc<dyn Host>) -> Result<(), Refusal> {
        let now = host.now();
        let (is_held, due) = {
            let state = self.work.state.borrow();
            let is_stale = state.held.as_ref().is_none_or(|held| now >= held.stale);
            (state.held.is_some(), is_stale && state.outage.may_try(now))
        };
        match (is_held, due) {
            (true, false) => Ok(()),
            (true, true) => {
                self.start(host, Wanted::Fresher);
                Ok(())
            }
            (false, true) => self.fly(host, Wanted::Any).await,
            (false, false) => {
                // In our pause another worker may have fared better.
                let (entry, _) = self.work.table.read(&**host);
                if self.work.adopt(&entry) { Ok(()) } else { Err(self.lack()) }
            }
        }
    }

    /// Asks for a newer document, unless it is too early.
    async fn renew(&self, host: &Rc<dyn Host>, throttle: Duration) -> Result<(), Refusal> {
        let now = host.now();
        let early = {
            let state = self.work.state.borrow();
            let asked_lately = state.asked.is_some_and(|asked| now < asked.plus(throttle) && now >= asked);
            asked_lately || !state.outage.may_try(now)
        };
        if early {
            // What another worker fetched meanwhile costs no question.
            let (entry, _) = self.work.table.read(&**host);
            self.work.adopt(&entry);
            return Ok(());
        }
        self.fly(host, Wanted::Fuller(throttle)).await
    }

    fn start(&self, host: &Rc<dyn Host>, wanted: Wanted) -> Watch<Result<(), Refusal>> {
        // There is but one question.
        self.flights.start(&**host, b"", Rc::clone(&self.work).fly(Rc::clone(host), wanted))
    }

    async fn fly(&self, host: &Rc<dyn Host>, wanted: Wanted) -> Result<(), Refusal> {
        self.start(host, wanted).land().await.unwrap_or_else(|_| Err(Reason::FlightLost.into()))
    }

    fn lack(&self) -> Refusal {
        let cause = self.work.state.borrow().outage.cause();
        cause.unwrap_or_else(|| self.work.unavailable.into())
    }
}

/// How much longer than its call a lease lasts.
const GRACE: Duration = Duration::from_secs(2);

/// What a flight is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Any document will do.
    Any,
    /// The one at hand is stale.
    Fresher,
    /// Something is missing in the one at hand: an unscheduled fetch, so long at least after the one before.
    Fuller(Duration),
}

/// What a flight needs.
struct Work {
    place: Rc<dyn Place>,
    unavailable: Reason,
    timeout: Duration,
    table: Table,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    outage: Outage,
    /// When something was last missing in it and it was asked for, well or not.
    asked: Option<UnixTime>,
}

/// What is known of the document at hand.
struct Held {
    fetched: UnixTime,
    stale: UnixTime,
    /// Of its bytes: tells two fetches within one second apart.
    digest: [u8; 32],
}

impl Work {
    /// Takes what another worker fetched, or waits for what it is fetching, or asks the provider.
    async fn fly(self: Rc<Self>, host: Rc<dyn Host>, wanted: Wanted) -> Result<(), Refusal> {
        let patience = host.now().plus(self.timeout).plus(GRACE);
        let mut lost_races = 0_u8;
        loop {
            let now = host.now();
            let (entry, version) = self.table.read(&*host);
            if self.adopt(&entry) {
                return Ok(());
            }
            if entry.is_leased(now) && now < patience {
                host.sleep(Duration::from_millis(25)).await;
                continue;
            }
            if let Wanted::Fuller(throttle) = wanted
                && now < entry.asked.plus(throttle)
                && now >= entry.asked
            {
                // Another worker asked a moment ago, and what it got is what we have.
                return self.at_hand();
            }
            // An unscheduled fetch is written down before it is made.
            let asked = if matches!(wanted, Wanted::Fuller(_)) { now } else { entry.asked };
            let leased = now.plus(self.timeout).plus(GRACE);
            let lease = Entry { asked, leased, ..entry.clone() };
            if self.table.write(&*host, &lease, version) || lost_races == 8 {
                return self.fetch(&host, Entry { asked, ..entry }).await;
            }
            lost_races = lost_races.saturating_add(1);
        }
    }

    async fn fetch(&self, host: &Rc<dyn Host>, before: Entry) -> Result<(), Refusal> {
        let asked = before.asked;
        self.state.borrow_mut().asked = Some(asked);
        let fetched = self.place.fetch(Rc::clone(host)).await;
        let judged = fetched.and_then(|fetched| self.place.put(&fetched.bytes).map(|()| fetched));
        let now = host.now();
        match judged {
            Ok(Fetched { bytes, fresh_for }) => {
                let stale = now.plus(fresh_for);
                self.hold(Held { fetched: now, stale, digest: digest(&bytes) });
                self.leave(&**host, Entry { asked, leased: UnixTime::default(), fetched: now, stale, bytes });
                Ok(())
            }
            Err(refusal) => {
                self.leave(&**host, Entry { leased: UnixTime::default(), ..before });
                host.log(log::Level::Warn, &refusal.to_string());
                let chance = u64::from_le_bytes(random(&**host));
                self.state.borrow_mut().outage.failed(now, chance, refusal.clone());
                Err(refusal)
            }
        }
    }

    /// Writes the outcome down for the other workers; whoever wrote in between knows no better.
    fn leave(&self, host: &dyn Host, entry: Entry) {
        let (_, version) = self.table.read(host);
        self.table.write(host, &entry, version);
    }

    /// Takes what another worker fetched, if it is newer than what is at hand.
    fn adopt(&self, entry: &Entry) -> bool {
        let is_newer = |held: &Held| {
            entry.fetched > held.fetched || (entry.fetched == held.fetched && digest(&entry.bytes) != held.digest)
        };
        if entry.bytes.is_empty()
            || !self.state.borrow().held.as_ref().is_none_or(is_newer)
            || self.place.put(&entry.bytes).is_err()
        {
            return false;
        }
        self.state.borrow_mut().asked = Some(entry.asked);
        self.hold(Held { fetched: entry.fetched, stale: entry.stale, digest: digest(&entry.bytes) });
        true
    }

    fn hold(&self, held: Held) {
        let mut state = self.state.borrow_mut();
        state.held = Some(held);
        state.outage = Outage::default();
    }

    fn at_hand(&self) -> Result<(), Refusal> {
        match &self.state.borrow().held {
            Some(_) => Ok(()),
            None => Err(Refusal::new(self.unavailable, "another worker asked in vain")),
        }
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn random(host: &dyn Host) -> [u8; 8] {
    let mut bytes = [0; 8];
    host.fill_random(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Secret;
    use crate::world::script::Script;
    use std::cell::Cell;

    /// A document that is another one at each fetch, from a provider that may be away.
    #[derive(Clone, Default)]
    struct Number {
        fetches: Rc<Cell<u8>>,
        away: Rc<Cell<bool>>,
    }

    impl Number {
        fn worker(&self) -> Kept<Number> {
            Kept::new(self.clone(), Table::new("number", &[Secret::new([7; 32])]))
        }
    }

    impl Recipe for Number {
        type Document = u8;

        fn fetch(self: Rc<Self>, _: Rc<dyn Host>) -> LocalFuture<Result<Fetched, Refusal>> {
            self.fetches.set(self.fetches.get() + 1);
            let (bytes, fresh_for) = (vec![self.fetches.get()], Duration::from_secs(3600));
            let answer =
                if self.away.get() { Err(self.unavailable().into()) } else { Ok(Fetched { bytes, fresh_for }) };
            Box::pin(std::future::ready(answer))
        }

        fn read(&self, bytes: &[u8]) -> Result<u8, Refusal> {
            bytes.first().copied().ok_or_else(|| Reason::JwksInvalid.into())
        }

        fn unavailable(&self) -> Reason {
            Reason::JwksUnavailable
        }

        fn timeout(&self) -> Duration {
            Duration::from_secs(5)
        }
    }

    // K10: a provider that changes its keys in the second in which they were first fetched.
    #[test]
    fn what_another_worker_fetched_within_the_same_second_is_newer_all_the_same() {
        const THROTTLE: Duration = Duration::from_secs(30);
        let (script, number) = (Script::new(), Number::default());
        let host: Rc<dyn Host> = Rc::new(script.clone());
        let (one, two) = (number.worker(), number.worker());
        for worker in [&one, &two] {
            assert_eq!(script.run(worker.get(&host)).unwrap().ok().as_deref(), Some(&1));
        }
        for worker in [&one, &two] {
            let renewed = script.run(worker.renew(&host, THROTTLE)).unwrap();
            assert_eq!(renewed.ok().flatten().as_deref(), Some(&2));
        }
        assert_eq!(number.fetches.get(), 2);
        // Nothing newer came of it: neither worker asks again within the throttle.
        let again = script.run(two.renew(&host, THROTTLE)).unwrap();
        assert!(again.is_ok_and(|number| number.is_none()));
    }

    // D12: a login that began at one worker ends at the other, which still leaves the provider alone.
    #[test]
    fn a_worker_in_its_pause_takes_what_another_one_fetched() {
        let (script, number) = (Script::new(), Number::default());
        let host: Rc<dyn Host> = Rc::new(script.clone());
        let (one, two) = (number.worker(), number.worker());
        number.away.set(true);
        for _ in 0..3 {
            assert!(script.run(two.get(&host)).unwrap().is_err());
            script.advance(2);
        }
        let fetches = number.fetches.get();
        assert!(script.run(two.get(&host)).unwrap().is_err());
        assert_eq!(number.fetches.get(), fetches, "it is in its pause");
        number.away.set(false);
        assert!(script.run(one.get(&host)).unwrap().is_ok());
        assert!(script.run(two.get(&host)).unwrap().is_ok());
        assert_eq!(number.fetches.get(), fetches + 1);
    }
}
