//! Drives the core on any host: futures are polled when the host calls back, and what they ask is carried out.

mod abi;
mod calls;
mod executor;
mod metrics;
mod stream;
mod timers;

pub use abi::{Abi, Fields};
pub use stream::{Answer, LARGEST_BODY, Phase, Stream};

use crate::config::Problem;
use crate::exchange::{self, Begun, Gate};
use crate::words::{Forward, HeaderEdits, Request, Secret, UnixTime, Verdict};
use crate::world::{
    Body, BodyError, CallError, Hash, Host, HostCheck, LocalFuture, Metric, NotWritten, ProviderRequest,
    ProviderResponse, Version, World,
};
use calls::Calls;
use executor::{Executor, Owner, Work};
use log::LevelFilter;
use metrics::Metrics;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;
use timers::Timers;

/// Whether the host lets a message through that it shows us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It goes on.
    Continue,
    /// It waits for us, or is answered.
    Pause,
}

/// Whether the host shows us a piece of the stream's message in the callback that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Message,
    Nothing,
}

fn flow(stream: &Stream) -> Flow {
    match stream.phase.get() {
        Phase::Forwarded => Flow::Continue,
        Phase::Undecided | Phase::Answered => Flow::Pause,
    }
}

/// One root context's futures, calls and streams.
pub struct Runtime {
    abi: Rc<dyn Abi>,
    gate: RefCell<Option<Rc<Gate>>>,
    executor: Executor,
    calls: Calls,
    timers: Timers,
    metrics: Metrics,
    /// The tick that the host was asked for; zero for none.
    ticking: Cell<Duration>,
    /// When the host was last told of what was counted, by the monotonic clock.
    told: Cell<Duration>,
    this: Weak<Self>,
}

impl Runtime {
    /// A runtime over this host, with nothing configured: it answers everything with 503.
    pub fn new(abi: Rc<dyn Abi>) -> Rc<Self> {
        Rc::new_cyclic(|this| Self {
            abi,
            gate: RefCell::default(),
            executor: Executor::default(),
            calls: Calls::default(),
            timers: Timers::default(),
            metrics: Metrics::default(),
            ticking: Cell::default(),
            told: Cell::default(),
            this: this.clone(),
        })
    }

    /// Takes a configuration and says what it wants logged; or says everything that is wrong with it, and keeps the one
    /// before.
    pub fn configure(&self, text: &[u8], env: &dyn Fn(&str) -> Option<String>) -> Result<LevelFilter, Vec<Problem>> {
        let gate = Gate::load(text, env)?;
        let level = gate.observability().log;
        gate.notes().iter().for_each(|note| self.abi.log(log::Level::Warn, note));
        self.tell();
        *self.gate.borrow_mut() = Some(Rc::new(gate));
        // The providers are asked from the first tick on: calls made while a configuration loads fail on some hosts.
        self.tick(timers::STEP);
        Ok(level)
    }

    /// A request's header fields have come. `end` says that nothing follows them.
    pub fn request(&self, stream: &Rc<Stream>, end: bool) -> Flow {
        let Some(gate) = self.gate.borrow().clone() else {
            self.apply(stream, exchange::unconfigured());
            return Flow::Pause;
        };
        if gate.reads_bodies() {
            if end { stream.body_ends(Vec::new()) } else { stream.expect_body() }
        }
        let world = World::new(Rc::clone(&stream.runtime) as _, Rc::clone(stream) as _);
        let request = Request::new(self.abi.fields(Fields::Request));
        let mut begun = Begun::default();
        match exchange::at_once(&gate, &world, &request, &mut begun) {
            Some(verdict) => self.apply(stream, verdict),
            None => self.begin(stream, gate, world, request, begun),
        }
        self.settle(Owner::Stream(stream.id), Shown::Message);
        flow(stream)
    }

    /// Begins a decision that may have to wait.
    #[inline(never)]
    fn begin(&self, stream: &Rc<Stream>, gate: Rc<Gate>, world: World, request: Request, begun: Begun) {
        let decision = Box::pin(async move { exchange::decide(&gate, &world, &request, begun).await });
        if let Some(verdict) = self.executor.begin(Work::Decide(Rc::clone(stream), decision)) {
            self.apply(stream, verdict);
        }
    }

    /// More of a request's body has come: `size` bytes are buffered.
    ///
    /// Until the verdict is to forward, nothing may pass: a callback that lets a piece through sends the request on.
    pub fn request_body(&self, stream: &Rc<Stream>, size: usize, end: bool) -> Flow {
        if stream.phase.get() == Phase::Forwarded {
            return Flow::Continue;
        }
        let reads = self.gate.borrow().as_ref().is_some_and(|gate| gate.reads_bodies());
        if reads && size > LARGEST_BODY {
            stream.body_overflows();
        } else if reads && end {
            stream.body_ends(self.abi.body(size));
        }
        self.settle(Owner::Stream(stream.id), Shown::Message);
        flow(stream)
    }

    /// A request's trailers have come, with which its body ends. The header names that we assert are taken out of them as
    /// well.
    pub fn request_trailers(&self, stream: &Rc<Stream>) -> Flow {
        if let Some(gate) = self.gate.borrow().as_ref() {
            let remove = gate.forged(&self.abi.fields(Fields::RequestTrailers)).unwrap_or_default();
            self.abi.edit(Fields::RequestTrailers, &HeaderEdits { remove, ..HeaderEdits::default() });
        }
        // The last piece of such a body did not say that it was the last (RFC 9113 §8.1).
        if stream.is_body_arriving() {
            stream.body_ends(self.abi.body(LARGEST_BODY));
            self.settle(Owner::Stream(stream.id), Shown::Message);
        }
        flow(stream)
    }

    /// The service's answer has come, or one that somebody gave in its place.
    pub fn response(&self, stream: &Stream) {
        if stream.phase.get() != Phase::Forwarded {
            return;
        }
        if let Some(gate) = self.gate.borrow().as_ref().filter(|gate| gate.has_sessions())
            && self.abi.has(Fields::Response, "set-cookie")
        {
            self.abi.edit(Fields::Response, &gate.cleanse_cookies(&self.abi.fields(Fields::Response)));
        }
        let mut late = None;
        if let Some(answer) = stream.answer.borrow_mut().as_mut() {
            self.abi.edit(Fields::Response, &answer.edits);
            late = answer.late.take();
        }
        if let Some(late) = late {
            self.abi.edit(Fields::Response, &late.edits());
        }
    }

    /// The client has gone, or has all of its answer.
    pub fn gone(&self, stream: &Stream) {
        // What is late holds the world, and that the stream: one of them lets go.
        drop(stream.answer.take());
        if stream.phase.get() == Phase::Undecided {
            self.executor.forget(stream.id);
        }
    }

    /// The answer to a call has come, in the callback of whoever made it.
    pub fn call_answered(&self, owner: Option<u32>, token: u32, fields: usize, size: usize) {
        let answered = self.calls.answered(token, |limit| match fields {
            // No header fields at all: the host says that there is no answer.
            0 => Err(CallError::NoAnswer),
            _ => self.abi.answer(size, limit),
        });
        if let Some((endpoint, sent)) = answered {
            let took = self.abi.monotonic().saturating_sub(sent).as_millis();
            let histogram = format!("oidc.call_milliseconds.{}", endpoint.name());
            self.abi.record(&histogram, u64::try_from(took).unwrap_or(u64::MAX));
        }
        self.settle(owner.map_or(Owner::Root, Owner::Stream), Shown::Nothing);
    }

    /// The root was woken, by its queue or by the tick.
    pub fn root_woken(&self) {
        self.settle(Owner::Root, Shown::Nothing);
    }

    /// The host ticks.
    pub fn ticked(&self) {
        if let (Some(gate), Some(host)) = (self.gate.borrow().clone(), self.this.upgrade()) {
            gate.first_tick(&World::new(host, Rc::new(NoBody)));
        }
        let now = self.abi.monotonic();
        self.timers.ring(now);
        self.settle(Owner::Root, Shown::Nothing);
        if now.saturating_sub(self.told.get()) >= metrics::PERIOD || self.timers.is_empty() {
            self.tell();
        }
        if self.timers.is_empty() {
            self.ticking.set(Duration::ZERO);
            self.abi.tick(Duration::ZERO);
        }
    }

    /// The root goes, and with it every answer that somebody waits for: the streams that are left get one of ours.
    pub fn close(&self) {
        let waiting = self.executor.clear();
        self.tell();
        for stream in waiting {
            if self.abi.enter(stream.id) {
                self.apply(&stream, exchange::closing());
            }
        }
    }

    /// Runs what has become ready. A stream's callback runs that stream's work alone; the root's runs everything.
    fn settle(&self, here: Owner, shown: Shown) {
        let may_run = |owner| match (here, owner) {
            (Owner::Root, Owner::Stream(stream)) => self.abi.enter(stream),
            (Owner::Root, Owner::Root) => true,
            (Owner::Stream(_), _) => owner == here,
        };
        let left = self.executor.run(may_run, |stream, verdict| {
            self.apply(stream, verdict);
            // What the callback itself holds goes on by its result.
            if stream.phase.get() == Phase::Forwarded && shown == Shown::Nothing {
                self.abi.resume();
            }
        });
        if left && here != Owner::Root && !self.abi.wake_root() {
            self.tick(timers::STEP);
        }
    }

    fn apply(&self, stream: &Stream, verdict: Verdict) {
        match verdict {
            Verdict::Forward(changes) => {
                if let Some(changes) = changes {
                    self.change(stream, *changes);
                }
                stream.phase.set(Phase::Forwarded);
            }
            Verdict::Respond { response, .. } => {
                stream.phase.set(Phase::Answered);
                self.abi.respond(&response);
            }
        }
    }

    fn change(&self, stream: &Stream, changes: Forward) {
        // What the service has got is not kept for as long as the stream lives.
        let Forward { request, response: edits, late, properties, body } = changes;
        properties.iter().for_each(|(name, value)| self.abi.set_property(name, value));
        self.abi.edit(Fields::Request, &request);
        if let Some(body) = body {
            self.abi.replace_body(body.as_bytes());
        }
        if !edits.is_empty() || late.is_some() {
            *stream.answer.borrow_mut() = Some(Box::new(Answer { edits, late }));
        }
    }

    /// Lets the host tick at least so often, until nothing is left to do.
    fn tick(&self, every: Duration) {
        let ticking = self.ticking.get();
        if ticking.is_zero() || every < ticking {
            self.ticking.set(every);
            self.abi.tick(every);
        }
    }

    /// Tells the host what was counted.
    fn tell(&self) {
        self.told.set(self.abi.monotonic());
        let gate = self.gate.borrow().clone();
        let rule = |at: u32| {
            let guard = gate.as_ref()?.rule(at)?;
            Some(guard.rule.name.clone())
        };
        self.metrics.tell(rule, |counter, by| self.abi.add(counter, by));
    }
}

impl Host for Runtime {
    fn now(&self) -> UnixTime {
        self.abi.now()
    }

    fn now_millis(&self) -> u64 {
        self.abi.now_millis()
    }

    fn monotonic(&self) -> Duration {
        self.abi.monotonic()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.abi.random(bytes);
    }

    fn call(&self, request: ProviderRequest) -> LocalFuture<Result<ProviderResponse, CallError>> {
        self.count(Metric::Calls(request.endpoint));
        if self.calls.are_too_many(&request.cluster) {
            return Box::pin(std::future::ready(Err(CallError::Busy)));
        }
        match self.abi.dispatch(&request) {
            Ok(token) => self.calls.expect(token, request, self.abi.monotonic()),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn sleep(&self, span: Duration) -> LocalFuture<()> {
        let waiting = self.timers.wait(self.abi.monotonic().saturating_add(span));
        self.tick(timers::STEP);
        waiting
    }

    fn spawn(&self, work: LocalFuture<()>) {
        self.executor.queue(Work::Serve(work));
    }

    fn verify_signature(&self, hash: Hash, spki: &[u8], message: &[u8], signature: &[u8]) -> HostCheck {
        self.abi.verify_signature(hash, spki, message, signature)
    }

    fn sign(&self, hash: Hash, pkcs8: &Secret, message: &[u8]) -> Option<Vec<u8>> {
        self.abi.sign(hash, pkcs8, message)
    }

    fn shared(&self, key: &str) -> Option<(Vec<u8>, Version)> {
        self.abi.shared(key)
    }

    fn share(&self, key: &str, value: &[u8], version: Version) -> Result<(), NotWritten> {
        self.abi.share(key, value, version)
    }

    fn source_address(&self) -> Option<String> {
        String::from_utf8(self.abi.property(&["source", "address"])?).ok().filter(|address| !address.is_empty())
    }

    fn count(&self, metric: Metric) {
        if self.metrics.count(metric) {
            self.tick(metrics::PERIOD);
        }
    }

    fn log(&self, level: log::Level, line: &str) {
        self.abi.log(level, line);
    }
}

/// The body of work that serves no single request.
struct NoBody;

impl Body for NoBody {
    fn read(self: Rc<Self>, _: usize) -> LocalFuture<Result<Vec<u8>, BodyError>> {
        Box::pin(std::future::ready(Err(BodyError::Unreadable)))
    }
}
