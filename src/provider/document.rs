//! A document of the provider's that we keep: fetched once however many ask, refreshed before it is stale, shared
//! between the workers of one host, and good until a better one comes.

use super::outage::Outage;
use super::table::{Entry, Table};
use crate::words::{Reason, Refusal, UnixTime};
use crate::world::{Flights, Host, Version};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

/// What makes a document of `T` out of an answer.
pub trait Recipe: 'static {
    /// The document.
    type Document: 'static;

    /// Asks the provider. The work belongs to nobody's request.
    fn fetch(self: Rc<Self>, host: Rc<dyn Host>) -> Pin<Box<dyn Future<Output = Result<Fetched, Refusal>>>>;

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
    recipe: Rc<R>,
    state: Rc<RefCell<State<R::Document>>>,
    flights: Flights<(), Result<Rc<R::Document>, Refusal>>,
    table: Rc<Table>,
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

struct State<D> {
    held: Option<Held<D>>,
    outage: Outage,
    /// When something was last missing in it and it was asked for, well or not.
    asked: Option<UnixTime>,
}

struct Held<D> {
    document: Rc<D>,
    fetched: UnixTime,
    stale: UnixTime,
    /// Of its bytes: tells two fetches within one second apart.
    digest: [u8; 32],
}

impl<R: Recipe> Kept<R> {
    /// Nothing yet, to be kept in `table`.
    pub fn new(recipe: R, table: Table) -> Self {
        let state = State { held: None, outage: Outage::default(), asked: None };
        Self {
            recipe: Rc::new(recipe),
            state: Rc::new(RefCell::new(state)),
            flights: Flights::default(),
            table: Rc::new(table),
        }
    }

    /// The document: the last good one, while a newer one is fetched behind it when it is stale.
    pub async fn get(&self, host: &Rc<dyn Host>) -> Result<Rc<R::Document>, Refusal> {
        let now = host.now();
        let due = {
            let state = self.state.borrow();
            state.held.as_ref().is_none_or(|held| now >= held.stale) && state.outage.may_try(now)
        };
        if let Some(document) = self.held() {
            if due {
                self.flights.start(&**host, (), self.flight(host, Wanted::Fresher));
            }
            return Ok(document);
        }
        if !due {
            // In our pause another worker may have fared better.
            let (entry, _) = self.table.read(&**host);
            return self.errand(host, Wanted::Any).adopt(&entry).ok_or_else(|| self.lack());
        }
        self.flights
            .join(&**host, (), self.flight(host, Wanted::Any))
            .await
            .unwrap_or_else(|_| Err(Reason::FlightLost.into()))
    }

    /// A newer document than the one at hand, because something in it is missing or wrong; `None` while it is too early to
    /// ask again. Such fetches, which nobody's schedule asked for, are `throttle` apart, over all workers of the host.
    pub async fn renew(&self, host: &Rc<dyn Host>, throttle: Duration) -> Result<Option<Rc<R::Document>>, Refusal> {
        let now = host.now();
        let early = {
            let state = self.state.borrow();
            let asked_lately = state.asked.is_some_and(|asked| now < asked.plus(throttle) && now >= asked);
            asked_lately || !state.outage.may_try(now)
        };
        if early {
            // What another worker fetched meanwhile costs no question.
            let (entry, _) = self.table.read(&**host);
            return Ok(self.errand(host, Wanted::Fuller(throttle)).adopt(&entry));
        }
        let before = self.held();
        let renewed = self
            .flights
            .join(&**host, (), self.flight(host, Wanted::Fuller(throttle)))
            .await
            .unwrap_or_else(|_| Err(Reason::FlightLost.into()))?;
        Ok(before.is_none_or(|before| !Rc::ptr_eq(&before, &renewed)).then_some(renewed))
    }

    /// Sees to it that the document is there before anyone needs it.
    pub fn prepare(&self, host: &Rc<dyn Host>) {
        if self.held().is_none() {
            drop(self.flights.start(&**host, (), self.flight(host, Wanted::Any)));
        }
    }

    /// What is at hand, if anything.
    pub fn held(&self) -> Option<Rc<R::Document>> {
        self.state.borrow().held.as_ref().map(|held| Rc::clone(&held.document))
    }

    /// Why the last fetch failed; `None` when it did not.
    pub fn trouble(&self) -> Option<Refusal> {
        self.state.borrow().outage.cause()
    }

    /// What an operator may know of it.
    pub fn state(&self, now: UnixTime) -> Condition {
        let state = self.state.borrow();
        let held = state.held.as_ref();
        Condition {
            fetched: held.map(|held| held.fetched),
            stale: held.is_some_and(|held| now >= held.stale),
            trouble: state.outage.cause().map(|refusal| refusal.reason),
        }
    }

    fn lack(&self) -> Refusal {
        self.trouble().unwrap_or_else(|| self.recipe.unavailable().into())
    }

    fn flight(
        &self,
        host: &Rc<dyn Host>,
        wanted: Wanted,
    ) -> impl Future<Output = Result<Rc<R::Document>, Refusal>> + use<R> {
        let errand = self.errand(host, wanted);
        async move { errand.fly().await }
    }

    fn errand(&self, host: &Rc<dyn Host>, wanted: Wanted) -> Flight<R> {
        Flight {
            host: Rc::clone(host),
            recipe: Rc::clone(&self.recipe),
            state: Rc::clone(&self.state),
            table: Rc::clone(&self.table),
            wanted,
        }
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

struct Flight<R: Recipe> {
    host: Rc<dyn Host>,
    recipe: Rc<R>,
    state: Rc<RefCell<State<R::Document>>>,
    table: Rc<Table>,
    wanted: Wanted,
}

impl<R: Recipe> Flight<R> {
    /// Takes what another worker fetched, or waits for what it is fetching, or asks the provider.
    async fn fly(self) -> Result<Rc<R::Document>, Refusal> {
        let patience = self.host.now().plus(self.recipe.timeout()).plus(GRACE);
        let mut lost_races = 0_u8;
        loop {
            let now = self.host.now();
            let (entry, version) = self.table.read(&*self.host);
            if let Some(document) = self.adopt(&entry) {
                return Ok(document);
            }
            if entry.is_leased(now) && now < patience {
                self.host.sleep(Duration::from_millis(25)).await;
                continue;
            }
            if let Wanted::Fuller(throttle) = self.wanted
                && now < entry.asked.plus(throttle)
                && now >= entry.asked
            {
                // Another worker asked a moment ago, and what it got is what we have.
                return self.at_hand();
            }
            if self.lease(&entry, version, now) || lost_races == 8 {
                return self.fetch(entry).await;
            }
            lost_races = lost_races.saturating_add(1);
        }
    }

    fn lease(&self, entry: &Entry, version: Version, now: UnixTime) -> bool {
        let leased = now.plus(self.recipe.timeout()).plus(GRACE);
        self.table.write(&*self.host, &Entry { asked: self.asked(entry), leased, ..entry.clone() }, version)
    }

    fn asked(&self, before: &Entry) -> UnixTime {
        if matches!(self.wanted, Wanted::Fuller(_)) { self.host.now() } else { before.asked }
    }

    async fn fetch(&self, before: Entry) -> Result<Rc<R::Document>, Refusal> {
        let asked = self.asked(&before);
        self.state.borrow_mut().asked = Some(asked);
        let outcome = match Rc::clone(&self.recipe).fetch(Rc::clone(&self.host)).await {
            Ok(fetched) => self.recipe.read(&fetched.bytes).map(|document| (document, fetched)),
            Err(refusal) => Err(refusal),
        };
        let now = self.host.now();
        match outcome {
            Ok((document, fetched)) => {
                let stale = now.plus(fetched.fresh_for);
                let digest = digest(&fetched.bytes);
                self.leave(Entry { asked, leased: UnixTime::default(), fetched: now, stale, bytes: fetched.bytes });
                Ok(self.hold(Held { document: Rc::new(document), fetched: now, stale, digest }))
            }
            Err(refusal) => {
                self.leave(Entry { asked, leased: UnixTime::default(), ..before });
                self.host.log(log::Level::Warn, &refusal.to_string());
                let chance = u64::from_le_bytes(random(&*self.host));
                self.state.borrow_mut().outage.failed(now, chance, refusal.clone());
                Err(refusal)
            }
        }
    }

    /// Writes the outcome down for the other workers; whoever wrote in between knows no better.
    fn leave(&self, entry: Entry) {
        let (_, version) = self.table.read(&*self.host);
        self.table.write(&*self.host, &entry, version);
    }

    /// What another worker fetched, if it is newer than what is at hand.
    fn adopt(&self, entry: &Entry) -> Option<Rc<R::Document>> {
        let is_newer = |held: &Held<_>| {
            entry.fetched > held.fetched || (entry.fetched == held.fetched && digest(&entry.bytes) != held.digest)
        };
        if entry.bytes.is_empty() || !self.state.borrow().held.as_ref().is_none_or(is_newer) {
            return None;
        }
        let document = self.recipe.read(&entry.bytes).ok()?;
        self.state.borrow_mut().asked = Some(entry.asked);
        let (document, digest) = (Rc::new(document), digest(&entry.bytes));
        Some(self.hold(Held { document, fetched: entry.fetched, stale: entry.stale, digest }))
    }

    fn hold(&self, held: Held<R::Document>) -> Rc<R::Document> {
        let document = Rc::clone(&held.document);
        let mut state = self.state.borrow_mut();
        state.held = Some(held);
        state.outage = Outage::default();
        document
    }

    fn at_hand(&self) -> Result<Rc<R::Document>, Refusal> {
        let state = self.state.borrow();
        match &state.held {
            Some(held) => Ok(Rc::clone(&held.document)),
            None => Err(Refusal::new(self.recipe.unavailable(), "another worker asked in vain")),
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

        fn fetch(self: Rc<Self>, _: Rc<dyn Host>) -> Pin<Box<dyn Future<Output = Result<Fetched, Refusal>>>> {
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
