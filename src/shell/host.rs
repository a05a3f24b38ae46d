//! The host, as the runtime sees it, over proxy-wasm.

use super::imports::{self, Buffer, Map, Status};
use super::metrics::Metrics;
use crate::runtime::{Abi, Fields};
use crate::words::{HeaderEdits, Headers, Response, Secret, UnixTime, hex};
use crate::world::{CallError, Hash, HostCheck, NotWritten, ProviderRequest, ProviderResponse, Version};
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// One root context's host.
pub struct ProxyWasm {
    metrics: RefCell<Metrics>,
    /// The queue by which a stream's callback wakes the root.
    queue: Cell<Option<u32>>,
    level: Cell<log::LevelFilter>,
}

impl ProxyWasm {
    /// The host of a root context that was just made.
    pub fn new() -> Self {
        Self { metrics: RefCell::default(), queue: Cell::new(None), level: Cell::new(log::LevelFilter::Info) }
    }

    /// Makes the root's own queue. Its name is random: of several VMs that register one name only the last is woken.
    pub fn open_queue(&self) {
        if self.queue.get().is_none() {
            let mut name = [0; 16];
            self.random(&mut name);
            self.queue.set(imports::queue(&format!("oidc-proxy-wasm/{}", hex(&name))).ok());
        }
    }

    /// Empties the root's own queue.
    pub fn drain_queue(&self) {
        if let Some(queue) = self.queue.get() {
            while imports::dequeue(queue).is_ok() {}
        }
    }

    /// Which log lines are written from now on.
    pub fn set_level(&self, level: log::LevelFilter) {
        self.level.set(level);
    }
}

impl Abi for ProxyWasm {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(since_epoch() / 1_000_000_000)
    }

    fn now_millis(&self) -> u64 {
        since_epoch() / 1_000_000
    }

    fn monotonic(&self) -> Duration {
        // A host without it has no VMs to share it with, and the other clock will do.
        Duration::from_nanos(imports::monotonic().unwrap_or_else(|_| since_epoch()))
    }

    fn random(&self, bytes: &mut [u8]) {
        if imports::random(bytes).is_err() {
            // Nonces and states that repeat are worse than no answer: without chance nothing here is safe.
            std::process::abort();
        }
    }

    fn dispatch(&self, request: &ProviderRequest) -> Result<u32, CallError> {
        let pseudo = [
            (":method", request.method.as_bytes()),
            (":scheme", request.scheme.as_bytes()),
            (":authority", request.authority.as_bytes()),
            (":path", request.path.as_bytes()),
        ];
        let further = request.headers.iter().map(|(name, value)| (name.as_str(), value.expose()));
        let fields = pseudo.into_iter().chain(further).map(|(name, value)| (name.as_bytes(), value));
        let milliseconds = u32::try_from(request.timeout.as_millis()).unwrap_or(u32::MAX);
        imports::call(&request.cluster, &Headers::to_wire(fields), request.body.expose(), milliseconds)
            .map_err(|_| CallError::UnknownCluster)
    }

    fn answer(&self, size: usize, limit: usize) -> Result<ProviderResponse, CallError> {
        let headers = imports::fields(Map::Call).ok().and_then(Headers::from_wire).ok_or(CallError::NoAnswer)?;
        let status = headers.text(":status").and_then(|status| status.parse().ok()).ok_or(CallError::NoAnswer)?;
        // Judged before it is copied: memory that a VM has once taken it keeps.
        if size > limit {
            return Err(CallError::TooLarge);
        }
        let body = match size {
            0 => Vec::new(),
            _ => imports::buffer(Buffer::Call, size).map_err(|_| CallError::NoAnswer)?,
        };
        let text = |name| headers.text(name).map(str::to_owned);
        let content_type = text("content-type");
        let grpc_status = content_type.as_ref().filter(|sent| sent.starts_with("application/grpc")).and_then(|_| {
            let trailer = || String::from_utf8(imports::field(Map::CallTrailers, "grpc-status").ok()?).ok();
            text("grpc-status").or_else(trailer)
        });
        Ok(ProviderResponse { status, content_type, cache_control: text("cache-control"), grpc_status, body })
    }

    fn enter(&self, stream: u32) -> bool {
        imports::enter(stream).is_ok()
    }

    fn has(&self, fields: Fields, name: &str) -> bool {
        imports::has_field(map(fields), name)
    }

    fn fields(&self, fields: Fields) -> Headers {
        // A map that cannot be read is an empty one: no method, no host, refused.
        imports::fields(map(fields)).ok().and_then(Headers::from_wire).unwrap_or_default()
    }

    fn edit(&self, fields: Fields, edits: &HeaderEdits) {
        if edits.is_empty() {
            return;
        }
        let map = map(fields);
        let mut done = true;
        for name in &edits.remove {
            done &= imports::remove_field(map, name).is_ok();
        }
        for (name, value) in &edits.add {
            done &= imports::add_field(map, name, value).is_ok();
        }
        for (name, value) in &edits.set {
            done &= imports::set_field(map, name, value).is_ok();
        }
        if !done {
            imports::log(4, "oidc: the host refused a change of header fields");
        }
    }

    fn body(&self, most: usize) -> Vec<u8> {
        imports::buffer(Buffer::RequestBody, most).unwrap_or_default()
    }

    fn set_property(&self, name: &str, value: &[u8]) {
        if imports::set_property(name, value).is_err() {
            imports::log(3, "oidc: the host takes no properties");
        }
    }

    fn property(&self, path: &[&str]) -> Option<Vec<u8>> {
        imports::property(path).ok()
    }

    fn replace_body(&self, body: &[u8]) {
        if imports::set_buffer(Buffer::RequestBody, body).is_err() {
            imports::log(4, "oidc: the host refused another body");
        }
    }

    fn resume(&self) {
        let _ = imports::resume_request();
    }

    fn respond(&self, response: &Response) {
        let headers = response.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let wire = Headers::to_wire(headers);
        let _ = imports::respond(u32::from(response.status), &wire, response.body.as_bytes());
    }

    fn tick(&self, every: Duration) {
        let _ = imports::tick(u32::try_from(every.as_millis()).unwrap_or(u32::MAX));
    }

    fn wake_root(&self) -> bool {
        self.queue.get().is_some_and(|queue| imports::enqueue(queue, b"1").is_ok())
    }

    fn verify_signature(&self, hash: Hash, spki: &[u8], message: &[u8], signature: &[u8]) -> HostCheck {
        super::verify::verify(hash, spki, message, signature)
    }

    fn sign(&self, hash: Hash, pkcs8: &Secret, message: &[u8]) -> Option<Vec<u8>> {
        super::sign::sign(hash, pkcs8, message)
    }

    fn shared(&self, key: &str) -> Option<(Vec<u8>, Version)> {
        imports::shared(key).ok().map(|(value, cas)| (value, Version(cas)))
    }

    fn share(&self, key: &str, value: &[u8], version: Version) -> Result<(), NotWritten> {
        imports::share(key, value, version.0).map_err(|_: Status| NotWritten)
    }

    fn add(&self, counter: &str, by: u64) {
        self.metrics.borrow_mut().add(counter, by);
    }

    fn record(&self, histogram: &str, value: u64) {
        self.metrics.borrow_mut().record(histogram, value);
    }

    fn log(&self, level: log::Level, line: &str) {
        if level <= self.level.get() {
            let number = match level {
                log::Level::Trace => 0,
                log::Level::Debug => 1,
                log::Level::Info => 2,
                log::Level::Warn => 3,
                log::Level::Error => 4,
            };
            imports::log(number, &format!("oidc: {line}"));
        }
    }
}

/// In nanoseconds. Without a clock it is later than anything lasts: no token and no session is good.
fn since_epoch() -> u64 {
    imports::since_epoch().unwrap_or(u64::MAX)
}

const fn map(fields: Fields) -> Map {
    match fields {
        Fields::Request => Map::Request,
        Fields::RequestTrailers => Map::RequestTrailers,
        Fields::Response => Map::Response,
    }
}
