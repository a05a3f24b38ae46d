//! The calls that the runtime makes of its host, typed. The shell makes them for real, a test plays them.

use crate::words::{HeaderEdits, Headers, Response, Secret, UnixTime};
use crate::world::{CallError, Hash, HostCheck, NotWritten, ProviderRequest, ProviderResponse, Version};
use std::time::Duration;

/// Which message's header fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields {
    /// The client's request.
    Request,
    /// What follows its body.
    RequestTrailers,
    /// The service's answer.
    Response,
}

/// A proxy-wasm host. Calls act on the stream that was entered last, or on the one whose callback runs.
pub trait Abi {
    /// Now, by the wall clock.
    fn now(&self) -> UnixTime;
    /// The same in milliseconds since the epoch.
    fn now_millis(&self) -> u64;
    /// Time that never goes back, from a start that all VMs of the host share.
    fn monotonic(&self) -> Duration;
    /// Fills `bytes` with random ones; never returns without having done so.
    fn random(&self, bytes: &mut [u8]);
    /// Sends a request off; the answer comes with this token.
    fn dispatch(&self, request: &ProviderRequest) -> Result<u32, CallError>;
    /// The answer whose callback runs, if it is one and its `size` is within `limit`.
    fn answer(&self, size: usize, limit: usize) -> Result<ProviderResponse, CallError>;
    /// Lets the calls that follow act on this stream; `false` when it is gone.
    fn enter(&self, stream: u32) -> bool;
    /// Whether there is a field of this name.
    fn has(&self, fields: Fields, name: &str) -> bool;
    /// All header fields.
    fn fields(&self, fields: Fields) -> Headers;
    /// Changes header fields.
    fn edit(&self, fields: Fields, edits: &HeaderEdits);
    /// The request body as far as it is buffered, at most `most` bytes.
    fn body(&self, most: usize) -> Vec<u8>;
    /// Tells other parts of the host something about this stream.
    fn set_property(&self, name: &str, value: &[u8]);
    /// What the host says of this stream under a path of names.
    fn property(&self, _path: &[&str]) -> Option<Vec<u8>> {
        None
    }
    /// Puts another body in the place of the one that is buffered. Its length was told by the header fields.
    fn replace_body(&self, body: &[u8]);
    /// Lets a paused request go on.
    fn resume(&self);
    /// Answers a request.
    fn respond(&self, response: &Response);
    /// Asks for a tick every so often; zero for none.
    fn tick(&self, every: Duration);
    /// Asks for the root's own callback soon; `false` where the host has no queues.
    fn wake_root(&self) -> bool;
    /// The host's crypto, as `world::Host` describes it.
    fn verify_signature(&self, hash: Hash, spki: &[u8], message: &[u8], signature: &[u8]) -> HostCheck;
    /// The host's crypto again.
    fn sign(&self, _hash: Hash, _pkcs8: &Secret, _message: &[u8]) -> Option<Vec<u8>> {
        None
    }
    /// Reads shared data.
    fn shared(&self, key: &str) -> Option<(Vec<u8>, Version)>;
    /// Writes shared data.
    fn share(&self, key: &str, value: &[u8], version: Version) -> Result<(), NotWritten>;
    /// Makes the counter of this name grow.
    fn add(&self, counter: &str, by: u64);
    /// Notes a value for the histogram of this name.
    fn record(&self, histogram: &str, value: u64);
    /// Writes a log line.
    fn log(&self, level: log::Level, line: &str);
}
