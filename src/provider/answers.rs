//! What a provider says of access tokens: asked once however many wait, remembered for a while, good or bad, and shared
//! between the workers of one host.

use super::access_token::UNIT;
use super::mark::Marker;
use super::outage::Outage;
use super::request;
use super::slots::{self, Slot, Slots};
use crate::cache::Cache;
use crate::config;
use crate::seal;
use crate::store::{Key, Kind, Place, Store};
use crate::words::json::{self, Object};
use crate::words::{Reason, Refusal, Secret, UnixTime};
use crate::world::{CallError, Flights, Host, LocalFuture, Metric, ProviderRequest, ProviderResponse};
use sha2::{Digest, Sha256};
use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

/// How long a failure is remembered that only one token makes: the provider is spared, other tokens are not touched.
const ODD: Duration = Duration::from_secs(1);
/// Slots in shared data for bad answers, which strangers can make in any number; and for leases.
const SLOTS: u16 = 256;
/// How much longer than a call a lease lasts.
const MARGIN: Duration = Duration::from_secs(2);
/// How often it is looked whether another worker has its answer.
const LOOK: Duration = Duration::from_millis(25);

/// A question about a token.
pub trait Question {
    /// Counted where the answer was known.
    fn known(&self) -> Metric;

    /// Slots in shared data for good answers, and the bytes of the largest of them, as sealed.
    fn shared(&self) -> (u16, usize) {
        (1024, slots::LARGEST)
    }

    /// How long a call may take of which there is to be one for all workers of the host; `None` where each worker may make
    /// its own.
    fn once_within(&self) -> Option<Duration> {
        None
    }

    /// Asks the provider. The work belongs to nobody's request.
    fn ask(self: Rc<Self>, host: Rc<dyn Host>, token: Secret) -> LocalFuture<Result<Object, Failure>>;

    /// Judges an answer, fresh from the provider or left by another worker.
    fn read(&self, members: &Object, now: UnixTime) -> Result<Rc<dyn Answer>, Failure>;

    /// Whether a member of the answer is needed to read it again.
    fn keeps(&self, member: &str) -> bool;
}

/// What is known when a question was answered.
pub trait Answer: Any {
    /// When it ends by its own word.
    fn ends(&self) -> Option<UnixTime>;

    /// About how much memory it takes, in bytes.
    fn weight(&self) -> usize;
}

/// Why there is no good answer.
pub enum Failure {
    /// The token is not good. That is an answer too.
    Dead(Refusal),
    /// The answer about this token is none.
    Odd(Refusal),
    /// The provider does not answer, or not us.
    Outage(Refusal),
}

/// Sends a question. `unavailable` is the reason when there is no answer at all.
pub async fn send(
    host: &dyn Host,
    settings: &config::Provider,
    request: Box<ProviderRequest>,
    unavailable: Reason,
) -> Result<ProviderResponse, Failure> {
    let outcome = request::try_send(host, settings, request, unavailable).await;
    outcome.map_err(|(error, refusal)| match error {
        // Of one token there may be too much to say.
        CallError::TooLarge => Failure::Odd(refusal),
        CallError::UnknownCluster | CallError::Busy | CallError::NoAnswer => Failure::Outage(refusal),
    })
}

/// How long answers are good.
#[derive(Clone, Copy)]
pub struct Lives {
    /// For good ones.
    pub max_age: Duration,
    /// For bad ones.
    pub negative: Duration,
}

/// Answers to one question about many tokens.
pub struct Answers<A> {
    asker: Rc<Asker>,
    kind: PhantomData<A>,
}

/// Asks one question, whatever kind its answers are of.
struct Asker {
    question: Rc<dyn Question>,
    lives: Lives,
    marker: Marker,
    /// Tells this provider's marks from others' in one memory.
    salt: u128,
    memory: Rc<Memory>,
    shared_good: Slots,
    shared_bad: Slots,
    /// Who is asking, for all workers.
    leases: Slots,
    /// Where good answers are for other hosts.
    store: Option<Rc<Store>>,
    name: String,
    outage: RefCell<Outage>,
    flights: Flights<Said>,
}

/// What is said of a token.
type Said = Result<Rc<dyn Answer>, Refusal>;

/// The answers of all providers to one question, within one bound.
pub struct Memory {
    good: Remembered<Rc<dyn Answer>>,
    /// Apart, so that strangers' tokens push no good ones out.
    bad: Remembered<Refusal>,
}

impl Memory {
    /// For so many good answers of [`UNIT`] bytes, and as many bad ones.
    pub fn new(entries: usize) -> Self {
        let good = RefCell::new(Cache::new(entries.saturating_mul(UNIT)));
        Self { good, bad: RefCell::new(Cache::new(entries)) }
    }

    /// How many answers are remembered, good and bad.
    #[cfg(test)]
    pub fn len(&self) -> (usize, usize) {
        (self.good.borrow().len(), self.bad.borrow().len())
    }
}

/// What is known of tokens, by their marks.
type Remembered<T> = RefCell<Cache<u128, Rc<Timed<T>>>>;

struct Timed<T> {
    value: T,
    from: UnixTime,
    until: UnixTime,
}

impl<T> Timed<T> {
    fn holds(&self, now: UnixTime) -> bool {
        self.from <= now && now < self.until
    }
}

impl<A: Answer> Answers<A> {
    /// None yet, of a question whose answers are all of kind `A`. `name` tells apart who may read each other's; `ring` seals
    /// them, an empty one shares nothing.
    pub fn new(
        question: impl Question + 'static,
        name: &str,
        lives: Lives,
        ring: &[Secret],
        memory: &Rc<Memory>,
        store: Option<&Rc<Store>>,
    ) -> Self {
        let digest = Sha256::digest(name);
        let (entries, largest) = question.shared();
        let asker = Asker {
            question: Rc::new(question),
            lives,
            marker: Marker::new(seal::hash_key(ring)),
            salt: digest.first_chunk().map_or(0, |salt| u128::from_le_bytes(*salt)),
            memory: Rc::clone(memory),
            shared_good: Slots::new(&format!("{name}/good"), entries, largest, ring),
            shared_bad: Slots::new(&format!("{name}/bad"), SLOTS, slots::LARGEST, ring),
            leases: Slots::new(&format!("{name}/lease"), SLOTS, slots::LARGEST, ring),
            store: store.map(Rc::clone),
            name: name.to_owned(),
            outage: RefCell::default(),
            flights: Flights::default(),
        };
        Self { asker: Rc::new(asker), kind: PhantomData }
    }

    /// The answer about `token`: remembered, or asked for. A good one that is remembered costs no call and no wait.
    pub async fn get(&self, host: &Rc<dyn Host>, token: &str) -> Result<Rc<A>, Refusal> {
        let mark = self.mark(&**host, token.as_bytes());
        match self.known(&**host, mark) {
            Some(known) => known,
            None => self.ask(host, mark, Secret::new(token), &mut || Ok(())).await,
        }
    }

    /// By what a token is remembered, or what stands for one.
    pub fn mark(&self, host: &dyn Host, token: &[u8]) -> u128 {
        self.asker.marker.mark(host, token) ^ self.asker.salt
    }

    /// The answer about the token of that mark, good or bad, if it is remembered.
    pub fn known(&self, host: &dyn Host, mark: u128) -> Option<Result<Rc<A>, Refusal>> {
        let known = self.asker.known(host, mark)?;
        host.count(self.asker.question.known());
        Some(known.and_then(of_kind))
    }

    /// Asks, after `known` knew nothing. Before a call of its own it needs leave.
    pub async fn ask(
        &self,
        host: &Rc<dyn Host>,
        mark: u128,
        token: Secret,
        leave: &mut dyn FnMut() -> Result<(), Refusal>,
    ) -> Result<Rc<A>, Refusal> {
        Asker::join(&self.asker, host, mark, token, leave)?.await.and_then(of_kind)
    }

    /// Remembers by itself that a token is not good.
    pub fn remember_bad(&self, host: &dyn Host, mark: u128, refusal: Refusal, span: Duration) {
        let from = host.now();
        self.asker.keep_bad(mark, Timed { value: refusal, from, until: from.plus(span) });
    }

    /// Forgets an answer that turned out not to hold, a good one also where others would find it; a newer one stays.
    pub fn forget(&self, host: &dyn Host, mark: u128) {
        self.asker.forget(host, mark);
    }
}

/// The answer as what it is. That none is of another kind, [`Answers::new`] says.
fn of_kind<A: Answer>(answer: Rc<dyn Answer>) -> Result<Rc<A>, Refusal> {
    Rc::<dyn Any>::downcast(answer).map_err(|_| Reason::FlightLost.into())
}

impl Asker {
    /// Asks, or waits with those who do.
    fn join(
        this: &Rc<Self>,
        host: &Rc<dyn Host>,
        mark: u128,
        token: Secret,
        leave: &mut dyn FnMut() -> Result<(), Refusal>,
    ) -> Result<LocalFuture<Said>, Refusal> {
        let name = mark.to_le_bytes();
        this.may_ask(host.now())?;
        if this.flights.under_way(&name).is_none() {
            leave()?;
        }
        let (asker, root) = (Rc::clone(this), Rc::clone(host));
        let work = async move { asker.ask(&root, mark, token).await };
        let watch = this.flights.start(&**host, &name, work);
        Ok(Box::pin(async move { watch.land().await.unwrap_or_else(|_| Err(Reason::FlightLost.into())) }))
    }

    fn forget(&self, host: &dyn Host, mark: u128) {
        let mut good = self.memory.good.borrow_mut();
        let until = good.get(&mark).map(|good| good.until);
        good.remove(&mark);
        self.memory.bad.borrow_mut().remove(&mark);
        self.shared_good.clear(host, mark, until.unwrap_or(host.now()));
    }

    /// What this worker or another one knows.
    fn known(&self, host: &dyn Host, mark: u128) -> Option<Said> {
        let now = host.now();
        if let Some(good) = self.memory.good.borrow_mut().get(&mark).filter(|good| good.holds(now)) {
            return Some(Ok(Rc::clone(&good.value)));
        }
        if let Some(bad) = self.memory.bad.borrow_mut().get(&mark).filter(|bad| bad.holds(now)) {
            return Some(Err(bad.value.clone()));
        }
        self.adopt(host, mark, now)
    }

    fn adopt(&self, host: &dyn Host, mark: u128, now: UnixTime) -> Option<Said> {
        if let Some(slot) = self.shared_good.read(host, mark) {
            let answer = self.question.read(&json::object(&slot.bytes).ok()?, now).ok()?;
            return Some(Ok(self.keep_good(mark, Timed { value: answer, from: now, until: slot.until })));
        }
        let slot = self.shared_bad.read(host, mark)?;
        let reason = *Reason::ALL.iter().find(|reason| reason.code().as_bytes() == slot.bytes)?;
        let refusal = Refusal::new(reason, "as another worker was told");
        self.keep_bad(mark, Timed { value: refusal.clone(), from: now, until: slot.until });
        Some(Err(refusal))
    }

    /// Not while the provider is left alone after a failure.
    fn may_ask(&self, now: UnixTime) -> Result<(), Refusal> {
        let outage = self.outage.borrow();
        match outage.cause() {
            Some(cause) if !outage.may_try(now) => Err(cause),
            _ => Ok(()),
        }
    }

    async fn ask(&self, host: &Rc<dyn Host>, mark: u128, token: Secret) -> Said {
        let Some(call) = self.question.once_within() else { return self.ask_alone(host, mark, token).await };
        // A lease lasts longer than its call, so it lapses only with its worker. Whoever has waited for one goes on without.
        let span = call.saturating_add(MARGIN);
        let patience = host.monotonic().saturating_add(span);
        while !self.leases.claim(&**host, mark, host.now().plus(span)) && host.monotonic() < patience {
            host.sleep(LOOK).await;
        }
        if let Some(known) = self.adopt(&**host, mark, host.now()) {
            self.leases.clear(&**host, mark, UnixTime::from_secs(u64::MAX));
            return known;
        }
        let answer = self.ask_alone(host, mark, token).await;
        self.leases.clear(&**host, mark, UnixTime::from_secs(u64::MAX));
        answer
    }

    async fn ask_alone(&self, host: &Rc<dyn Host>, mark: u128, token: Secret) -> Said {
        if let Some(known) = self.stored(&**host, mark).await {
            return Ok(known);
        }
        let said = Rc::clone(&self.question).ask(Rc::clone(host), token).await;
        let now = host.now();
        let judged = said.and_then(|members| Ok((self.question.read(&members, now)?, members)));
        if !matches!(judged, Err(Failure::Outage(_))) {
            self.outage.replace(Outage::default());
        }
        let bad = |refusal: &Refusal, span| Timed { value: refusal.clone(), from: now, until: now.plus(span) };
        match judged {
            Ok((answer, members)) => {
                let until = now.plus(self.lives.max_age);
                let until = answer.ends().map_or(until, |ends| ends.min(until));
                self.share_good(host, mark, members, now, until);
                Ok(self.keep_good(mark, Timed { value: answer, from: now, until }))
            }
            Err(Failure::Dead(refusal)) => {
                let bad = bad(&refusal, self.lives.negative);
                let slot = Slot { from: now, until: bad.until, bytes: refusal.reason.code().as_bytes().to_vec() };
                if bad.holds(now) {
                    self.shared_bad.write(&**host, mark, &slot);
                }
                self.keep_bad(mark, bad);
                Err(refusal)
            }
            Err(Failure::Odd(refusal)) => {
                self.keep_bad(mark, bad(&refusal, ODD));
                Err(refusal)
            }
            Err(Failure::Outage(refusal)) => {
                self.failed(&**host, &refusal);
                Err(refusal)
            }
        }
    }

    /// What another host was told and left in the store. One that is lost costs no more than the question to the provider.
    async fn stored(&self, host: &dyn Host, mark: u128) -> Option<Rc<dyn Answer>> {
        let store = self.store.as_ref()?;
        let key = self.key(store, mark);
        let plain = store.get_all(host, std::slice::from_ref(&key)).await.ok()?.pop()??;
        let (until, bytes): (u64, &[u8]) = postcard::from_bytes(&plain).ok()?;
        let now = host.now();
        let until = UnixTime::from_secs(until).min(now.plus(self.lives.max_age));
        let answer = self.question.read(&json::object(bytes).ok()?, now).ok()?;
        host.count(self.question.known());
        (now < until).then(|| {
            self.shared_good.write(host, mark, &Slot { from: now, until, bytes: bytes.to_vec() });
            self.keep_good(mark, Timed { value: answer, from: now, until })
        })
    }

    fn store(&self, host: &Rc<dyn Host>, mark: u128, until: UnixTime, bytes: &[u8]) {
        let Some(store) = self.store.as_ref().map(Rc::clone) else { return };
        let Ok(plain) = postcard::to_allocvec(&(until.as_secs(), bytes)) else { return };
        let (key, life, host) = (self.key(&store, mark), until.since(host.now()), Rc::clone(host));
        Rc::clone(&host).spawn(Box::pin(async move {
            let _ = store.set(&*host, &key, &plain, life, Place::Any).await;
        }));
    }

    fn key(&self, store: &Store, mark: u128) -> Key {
        store.key(Kind::Answer, &[self.name.as_bytes(), &mark.to_le_bytes()])
    }

    fn share_good(&self, host: &Rc<dyn Host>, mark: u128, members: Object, from: UnixTime, until: UnixTime) {
        let mut kept = Object::new();
        for (name, value) in members.into_iter().filter(|(name, _)| self.question.keeps(name)) {
            kept.insert(name, value);
        }
        if from < until
            && let Ok(bytes) = serde_json::to_vec(&kept)
        {
            self.store(host, mark, until, &bytes);
            self.shared_good.write(&**host, mark, &Slot { from, until, bytes });
        }
    }

    fn keep_good(&self, mark: u128, answer: Timed<Rc<dyn Answer>>) -> Rc<dyn Answer> {
        let value = Rc::clone(&answer.value);
        if answer.from < answer.until {
            self.memory.good.borrow_mut().insert(mark, Rc::new(answer), value.weight().max(UNIT));
        }
        value
    }

    fn keep_bad(&self, mark: u128, answer: Timed<Refusal>) {
        if answer.from < answer.until {
            self.memory.bad.borrow_mut().insert(mark, Rc::new(answer), 1);
        }
    }

    fn failed(&self, host: &dyn Host, refusal: &Refusal) {
        // That so much is under way here says nothing of the provider.
        if refusal.reason == Reason::ProviderBusy {
            return;
        }
        host.log(log::Level::Warn, &refusal.to_string());
        let mut chance = [0; 8];
        host.fill_random(&mut chance);
        self.outage.borrow_mut().failed(host.now(), u64::from_le_bytes(chance), refusal.clone());
    }
}
