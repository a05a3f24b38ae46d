//! A host that a test plays: its clock stands until it is moved, its provider answers from a script.

use super::{
    Body, BodyError, CallError, Hash, Host, HostCheck, LocalFuture, Metric, NotWritten, ProviderRequest,
    ProviderResponse, Version, World,
};
use crate::words::UnixTime;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::future::{Future, poll_fn, ready};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What answers a call.
pub type Provider = Box<dyn FnMut(&ProviderRequest) -> Result<ProviderResponse, CallError>>;

/// A host for native tests. Clones are the same host.
#[derive(Clone, Default)]
pub struct Script(Rc<State>);

#[derive(Default)]
struct State {
    clock: Cell<Duration>,
    chance: Cell<u64>,
    provider: RefCell<Option<Provider>>,
    asked: RefCell<Vec<ProviderRequest>>,
    tasks: RefCell<VecDeque<LocalFuture<()>>>,
    shared: RefCell<HashMap<String, (Vec<u8>, u32)>>,
    shares: Cell<bool>,
    rivals: Cell<u32>,
    counts: RefCell<HashMap<Metric, u64>>,
    lines: RefCell<Vec<(log::Level, String)>>,
    credulous: Cell<bool>,
    source: RefCell<Option<String>>,
}

impl Script {
    /// A host at two in the morning of some day, whose provider answers nothing.
    pub fn new() -> Self {
        let script = Self::default();
        script.0.clock.set(Duration::from_secs(1_800_000_000));
        script.0.shares.set(true);
        script
    }

    /// Lets `provider` answer calls from now on.
    pub fn answer(&self, provider: impl FnMut(&ProviderRequest) -> Result<ProviderResponse, CallError> + 'static) {
        *self.0.provider.borrow_mut() = Some(Box::new(provider));
    }

    /// Another worker of the same host: same clock and shared data, memory of its own is the caller's affair.
    pub fn without_shared_data(self) -> Self {
        self.0.shares.set(false);
        self
    }

    /// Lets another writer of shared data be first, so many times from now on.
    pub fn outrun(&self, times: u32) {
        self.0.rivals.set(times);
    }

    /// From now on its crypto takes every signature that it is asked about, which spares tests of many tokens the time.
    pub fn believe_signatures(&self) {
        self.0.credulous.set(true);
    }

    /// Requests come from this address from now on.
    pub fn comes_from(&self, address: &str) {
        *self.0.source.borrow_mut() = Some(address.to_owned());
    }

    /// Moves the clock.
    pub fn advance(&self, seconds: u64) {
        self.0.clock.set(self.0.clock.get().saturating_add(Duration::from_secs(seconds)));
    }

    /// Sets the clock back.
    pub fn turn_back(&self, seconds: u64) {
        self.0.clock.set(self.0.clock.get().saturating_sub(Duration::from_secs(seconds)));
    }

    /// The world of a request without a body.
    pub fn world(&self) -> World {
        World::new(Rc::new(self.clone()), Rc::new(Text(None)))
    }

    /// The world of a request with this body.
    pub fn world_with(&self, body: &str) -> World {
        World::new(Rc::new(self.clone()), Rc::new(Text(Some(body.as_bytes().to_vec()))))
    }

    /// Runs a flow to its end, moving the clock whenever everything waits.
    ///
    /// `None` when it waits for something that will never come.
    pub fn run<T>(&self, flow: impl Future<Output = T>) -> Option<T> {
        let mut flow = pin!(flow);
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..100_000 {
            if let Poll::Ready(result) = flow.as_mut().poll(&mut context) {
                return Some(result);
            }
            self.run_tasks(&mut context);
            self.0.clock.set(self.0.clock.get().saturating_add(Duration::from_millis(1)));
        }
        None
    }

    /// What a flow would come to now: no counter, no line and no chance is left of it.
    pub fn would_be<T>(&self, flow: impl Future<Output = T>) -> Option<T> {
        let State { chance, counts, lines, .. } = &*self.0;
        let before = (chance.get(), counts.borrow().clone(), lines.borrow().len());
        let result = self.run(flow);
        chance.set(before.0);
        counts.replace(before.1);
        lines.borrow_mut().truncate(before.2);
        result
    }

    /// Runs what was spawned until it waits or is done.
    pub fn settle(&self) {
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..100 {
            self.run_tasks(&mut context);
        }
    }

    /// Runs what was spawned up to where it waits next.
    pub fn step(&self) {
        self.run_tasks(&mut Context::from_waker(Waker::noop()));
    }

    /// Loses what was spawned and has not ended, as a worker does that crashes.
    pub fn lose_tasks(&self) {
        let lost = std::mem::take(&mut *self.0.tasks.borrow_mut());
        drop(lost);
    }

    fn run_tasks(&self, context: &mut Context<'_>) {
        // Taken out first: a task may spawn another one.
        let tasks = std::mem::take(&mut *self.0.tasks.borrow_mut());
        for mut task in tasks {
            if task.as_mut().poll(context).is_pending() {
                self.0.tasks.borrow_mut().push_back(task);
            }
        }
    }

    /// Every call so far.
    pub fn asked(&self) -> Vec<ProviderRequest> {
        self.0.asked.borrow().clone()
    }

    /// Every call so far, as `POST /token`.
    pub fn calls(&self) -> Vec<String> {
        self.0.asked.borrow().iter().map(|call| format!("{} {}", call.method, call.path)).collect()
    }

    /// How many bytes the workers keep for each other, keys aside.
    pub fn shared_bytes(&self) -> usize {
        self.0.shared.borrow().values().map(|(value, _)| value.len()).sum()
    }

    /// Under which keys the workers keep something for each other.
    pub fn shared_keys(&self) -> Vec<String> {
        self.0.shared.borrow().keys().cloned().collect()
    }

    /// How often `metric` was counted.
    pub fn counted(&self, metric: Metric) -> u64 {
        self.0.counts.borrow().get(&metric).copied().unwrap_or_default()
    }

    /// Every log line so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.lines.borrow().iter().map(|(_, line)| line.clone()).collect()
    }
}

impl Host for Script {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.0.clock.get().as_secs())
    }

    fn now_millis(&self) -> u64 {
        u64::try_from(self.0.clock.get().as_millis()).unwrap_or(u64::MAX)
    }

    /// Different each time, and the same in each run.
    fn fill_random(&self, bytes: &mut [u8]) {
        for byte in bytes {
            // SplitMix64's finaliser over a counter.
            let mut mixed = self.0.chance.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
            self.0.chance.set(mixed);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let [first, ..] = (mixed ^ (mixed >> 31)).to_le_bytes();
            *byte = first;
        }
    }

    fn call(&self, request: ProviderRequest) -> LocalFuture<Result<ProviderResponse, CallError>> {
        self.0.asked.borrow_mut().push(request.clone());
        let answer = match self.0.provider.borrow_mut().as_mut() {
            Some(provider) => provider(&request),
            None => Err(CallError::NoAnswer),
        };
        let answer =
            answer.and_then(
                |response| {
                    if response.body.len() > request.limit { Err(CallError::TooLarge) } else { Ok(response) }
                },
            );
        // Not at once, so that what happens while it is under way can happen.
        let mut waited = false;
        let mut answer = Some(answer);
        Box::pin(poll_fn(move |context| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(answer.take().unwrap_or(Err(CallError::NoAnswer)));
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }))
    }

    fn sleep(&self, span: Duration) -> LocalFuture<()> {
        let (state, until) = (Rc::clone(&self.0), self.0.clock.get().saturating_add(span));
        Box::pin(poll_fn(move |_| if state.clock.get() >= until { Poll::Ready(()) } else { Poll::Pending }))
    }

    fn spawn(&self, work: LocalFuture<()>) {
        self.0.tasks.borrow_mut().push_back(work);
    }

    fn verify_signature(&self, _: Hash, _: &[u8], _: &[u8], _: &[u8]) -> HostCheck {
        if self.0.credulous.get() { HostCheck::Valid } else { HostCheck::Unable }
    }

    fn shared(&self, key: &str) -> Option<(Vec<u8>, Version)> {
        let shared = self.0.shared.borrow();
        shared.get(key).filter(|_| self.0.shares.get()).map(|(value, version)| (value.clone(), Version(*version)))
    }

    fn share(&self, key: &str, value: &[u8], version: Version) -> Result<(), NotWritten> {
        if !self.0.shares.get() {
            return Err(NotWritten);
        }
        let mut shared = self.0.shared.borrow_mut();
        if let Some(rivals) = self.0.rivals.get().checked_sub(1) {
            self.0.rivals.set(rivals);
            let (_, version) = shared.entry(key.to_owned()).or_default();
            *version = version.wrapping_add(1);
            return Err(NotWritten);
        }
        let next = match shared.get(key) {
            None if version == Version::NEW => 1,
            Some((_, now)) if version == Version(*now) => now.wrapping_add(1),
            _ => return Err(NotWritten),
        };
        shared.insert(key.to_owned(), (value.to_vec(), next));
        Ok(())
    }

    fn source_address(&self) -> Option<String> {
        self.0.source.borrow().clone()
    }

    fn count(&self, metric: Metric) {
        let mut counts = self.0.counts.borrow_mut();
        let count = counts.entry(metric).or_default();
        *count = count.saturating_add(1);
    }

    fn log(&self, level: log::Level, line: &str) {
        self.0.lines.borrow_mut().push((level, line.to_owned()));
    }
}

struct Text(Option<Vec<u8>>);

impl Body for Text {
    fn read(self: Rc<Self>, limit: usize) -> LocalFuture<Result<Vec<u8>, BodyError>> {
        let body = self.0.clone().ok_or(BodyError::Unreadable);
        Box::pin(ready(body.and_then(|body| if body.len() > limit { Err(BodyError::TooLarge) } else { Ok(body) })))
    }
}
