//! A proxy-wasm host: it records what it is told, stream by stream, and answers what it was given.

use oidc_proxy_wasm::runtime::{Abi, Fields};
use oidc_proxy_wasm::words::{HeaderEdits, Headers, Response, UnixTime};
use oidc_proxy_wasm::world::{CallError, Hash, HostCheck, NotWritten, ProviderRequest, ProviderResponse, Version};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// What was done to a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Header fields of this message lost these names.
    Edited(&'static str, Vec<String>),
    /// A paused request was let on.
    Resumed,
    /// It got an answer with this status, for this reason as its body has it.
    Answered(u16, String),
}

/// The host. By default it has queues and shared data.
#[derive(Default)]
pub struct Fake {
    pub clock: Cell<Duration>,
    without_queues: bool,
    without_shared_data: bool,
    pub refuses_calls: Cell<Option<CallError>>,
    pub buffered: RefCell<Vec<u8>>,
    /// The header fields of the message whose callback runs.
    pub fields: RefCell<Headers>,
    /// The newest answer of ours.
    pub answered: RefCell<Response>,
    chance: Cell<u8>,
    /// The stream that calls act on; `None` for the root.
    here: Cell<Option<u32>>,
    streams: RefCell<HashSet<u32>>,
    calls: RefCell<Vec<(u32, ProviderRequest)>>,
    given: RefCell<Option<ProviderResponse>>,
    seen: RefCell<HashMap<u32, Vec<Seen>>>,
    /// Every change to header fields, whole.
    pub edits: RefCell<Vec<HeaderEdits>>,
    woken: Cell<bool>,
    ticks: RefCell<Vec<Duration>>,
    shared: RefCell<HashMap<String, (Vec<u8>, u32)>>,
    lines: RefCell<Vec<String>>,
    /// What was told about streams.
    pub properties: RefCell<Vec<(String, Vec<u8>)>>,
    /// What was told of each counter, in sum.
    pub counted: RefCell<HashMap<String, u64>>,
    /// What was told to histograms.
    pub recorded: RefCell<Vec<(String, u64)>>,
}

impl Fake {
    /// A host that has no queues.
    pub fn without_queues() -> Self {
        Self { without_queues: true, ..Self::default() }
    }

    /// A host that keeps nothing for several workers.
    pub fn without_shared_data() -> Self {
        Self { without_shared_data: true, ..Self::default() }
    }

    /// A stream begins, and its callback runs.
    pub fn open(&self, id: u32) {
        self.streams.borrow_mut().insert(id);
        self.here.set(Some(id));
    }

    /// A stream's callback runs.
    pub fn act_on(&self, id: u32) {
        self.here.set(Some(id));
    }

    /// A callback of the root's runs.
    pub fn act_on_root(&self) {
        self.here.set(None);
    }

    /// A stream ends.
    pub fn close(&self, id: u32) {
        self.streams.borrow_mut().remove(&id);
    }

    /// The answer that the next callback is about.
    pub fn gives(&self, response: Option<ProviderResponse>) {
        *self.given.borrow_mut() = response;
    }

    /// Whether the root's queue was asked to wake it, since this was asked last.
    pub fn take_wake(&self) -> bool {
        self.woken.replace(false)
    }

    /// Calls that were sent, by path.
    pub fn calls(&self) -> Vec<String> {
        self.calls.borrow().iter().map(|(_, call)| call.path.clone()).collect()
    }

    /// The token of the newest call.
    pub fn last_token(&self) -> u32 {
        self.calls.borrow().last().unwrap().0
    }

    pub fn seen(&self, id: u32) -> Vec<Seen> {
        self.seen.borrow().get(&id).cloned().unwrap_or_default()
    }

    /// The tick that was asked for last; zero for none.
    pub fn tick(&self) -> Duration {
        self.ticks.borrow().last().copied().unwrap_or_default()
    }

    pub fn pass(&self, span: Duration) {
        self.clock.set(self.clock.get() + span);
    }

    fn note(&self, what: Seen) {
        let here = self.here.get().expect("the root has no message");
        assert!(self.streams.borrow().contains(&here), "stream {here} is gone");
        self.seen.borrow_mut().entry(here).or_default().push(what);
    }
}

impl Abi for Fake {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(1_800_000_000 + self.clock.get().as_secs())
    }

    fn now_millis(&self) -> u64 {
        1_800_000_000_000 + u64::try_from(self.clock.get().as_millis()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.clock.get()
    }

    fn random(&self, bytes: &mut [u8]) {
        for byte in bytes {
            self.chance.set(self.chance.get().wrapping_mul(5).wrapping_add(7));
            *byte = self.chance.get();
        }
    }

    fn dispatch(&self, request: &ProviderRequest) -> Result<u32, CallError> {
        if let Some(error) = self.refuses_calls.get() {
            return Err(error);
        }
        let token = u32::try_from(self.calls.borrow().len()).unwrap() + 100;
        self.calls.borrow_mut().push((token, request.clone()));
        Ok(token)
    }

    fn answer(&self, size: usize, limit: usize) -> Result<ProviderResponse, CallError> {
        if size > limit {
            return Err(CallError::TooLarge);
        }
        self.given.borrow_mut().take().ok_or(CallError::NoAnswer)
    }

    fn enter(&self, stream: u32) -> bool {
        let known = self.streams.borrow().contains(&stream);
        if known {
            self.here.set(Some(stream));
        }
        known
    }

    fn has(&self, _: Fields, name: &str) -> bool {
        self.fields.borrow().all(name).next().is_some()
    }

    fn fields(&self, _: Fields) -> Headers {
        self.fields.borrow().clone()
    }

    fn edit(&self, fields: Fields, edits: &HeaderEdits) {
        let message = match fields {
            Fields::Request => "request",
            Fields::RequestTrailers => "trailers",
            Fields::Response => "response",
        };
        self.edits.borrow_mut().push(edits.clone());
        self.note(Seen::Edited(message, edits.remove.clone()));
    }

    fn body(&self, most: usize) -> Vec<u8> {
        let body = self.buffered.borrow();
        body[..most.min(body.len())].to_vec()
    }

    fn set_property(&self, name: &str, value: &[u8]) {
        self.properties.borrow_mut().push((name.to_owned(), value.to_vec()));
    }

    fn replace_body(&self, body: &[u8]) {
        *self.buffered.borrow_mut() = body.to_vec();
    }

    fn resume(&self) {
        self.note(Seen::Resumed);
    }

    fn respond(&self, response: &Response) {
        self.answered.borrow_mut().clone_from(response);
        let reason = serde_json::from_str::<serde_json::Value>(&response.body).ok();
        let page = response.body.split("<code>").nth(1).and_then(|rest| rest.split('<').next());
        let reason = reason.and_then(|body| body["error"].as_str().map(str::to_owned));
        self.note(Seen::Answered(response.status, reason.or(page.map(str::to_owned)).unwrap_or_default()));
    }

    fn tick(&self, every: Duration) {
        self.ticks.borrow_mut().push(every);
    }

    fn wake_root(&self) -> bool {
        self.woken.set(!self.without_queues);
        !self.without_queues
    }

    fn verify_signature(&self, _: Hash, _: &[u8], _: &[u8], _: &[u8]) -> HostCheck {
        HostCheck::Unable
    }

    fn shared(&self, key: &str) -> Option<(Vec<u8>, Version)> {
        let shared = self.shared.borrow();
        shared.get(key).map(|(value, version)| (value.clone(), Version(*version)))
    }

    fn share(&self, key: &str, value: &[u8], version: Version) -> Result<(), NotWritten> {
        if self.without_shared_data {
            return Err(NotWritten);
        }
        let mut shared = self.shared.borrow_mut();
        let next = match shared.get(key) {
            None if version == Version::NEW => 1,
            Some((_, now)) if version == Version(*now) => now + 1,
            _ => return Err(NotWritten),
        };
        shared.insert(key.to_owned(), (value.to_vec(), next));
        Ok(())
    }

    fn add(&self, counter: &str, by: u64) {
        *self.counted.borrow_mut().entry(counter.to_owned()).or_default() += by;
    }

    fn record(&self, histogram: &str, value: u64) {
        self.recorded.borrow_mut().push((histogram.to_owned(), value));
    }

    fn log(&self, _: log::Level, line: &str) {
        self.lines.borrow_mut().push(line.to_owned());
    }
}
