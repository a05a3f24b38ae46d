//! What a flow may ask: the time, chance, the provider, the host's crypto, the tables that workers share.

mod call;
mod flights;
#[cfg(not(target_arch = "wasm32"))]
pub mod script;

pub use call::{CallError, Endpoint, ProviderRequest, ProviderResponse};
pub use flights::{FlightLost, Flights, Watch};

use crate::words::{Method, Reason, Refusal, Secret, UnixTime};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

/// A future that stays on its worker; nothing here crosses threads.
pub type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// Hash functions of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// What the host's own crypto says of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostCheck {
    /// It fits.
    Valid,
    /// It does not.
    Invalid,
    /// The host has no say: the function is missing, or it refused the key.
    Unable,
}

/// What a message's body turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// This instance cannot read bodies (`bodies: unreadable`).
    Unreadable,
    /// It is larger than the bound.
    TooLarge,
}

impl BodyError {
    /// The refusal of a request whose body is needed; `what` should be routed elsewhere where none can be read.
    pub fn refusal(self, what: &str) -> Refusal {
        match self {
            Self::Unreadable => {
                let way = "to an instance with `bodies: readable`, whose host setting lets it read bodies";
                Refusal::new(Reason::BodyUnreadable, format!("route {what} {way}"))
            }
            Self::TooLarge => Reason::BodyTooLarge.into(),
        }
    }
}

/// The next writer's proof that nobody wrote in between; `NEW` where there was nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub u32);

impl Version {
    /// Creates a key that must not exist yet.
    pub const NEW: Self = Self(u32::MAX);
}

/// Somebody else wrote first, or the host has no shared data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotWritten;

/// What numbers the operator sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Requests decided, in all and by rule (its place), where one matched.
    Decided { rule: Option<u32>, outcome: Outcome },
    /// Calls made, by endpoint.
    Calls(Endpoint),
    /// Calls that failed (no answer, or a status of 500 and above), by endpoint.
    CallsFailed(Endpoint),
    /// Request lines whose rule a worker keeps in mind from then on.
    LinesKept,
    /// Sessions opened from their seal.
    SessionsOpened,
    /// Sessions found in this worker's cache.
    SessionsCached,
    /// Session contents left out to stay within the budget.
    SessionsCut,
    /// Sessions whose tokens were to be renewed, by what became of it.
    Refreshes(Refresh),
    /// Sessions that came and were revoked.
    SessionsRevoked,
    /// Names that this worker revoked.
    Revoked,
    /// Revoked names that were pushed out before their time (`revocation.entries`).
    RevocationForgotten,
    /// Signatures of access tokens that were verified.
    TokensVerified,
    /// Access tokens that were known as verified.
    TokensCached,
    /// Introspection answers that were known.
    IntrospectionCached,
    /// Userinfo answers to access tokens that were known.
    UserinfoCached,
    /// Requests beyond what a rule grants.
    Limited,
    /// Requests that a rate limit service did not count.
    LimitFailed,
    /// Tokens for callers' credentials that were known.
    GrantsCached,
    /// Credentials that were not tried, since too many from there had been wrong.
    GuessesRefused,
}

/// What became of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refresh {
    /// The provider gave new tokens.
    Done,
    /// The session ended with it.
    Ended,
    /// It failed, and the session stays.
    Failed,
    /// A session came that had been refreshed before, which its cookie did not know yet.
    Followed,
    /// Another worker had begun it, and was lost.
    TakenOver,
    /// There was no room to tell the other workers of it.
    Alone,
}

impl Refresh {
    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Ended => "ended",
            Self::Failed => "failed",
            Self::Followed => "followed",
            Self::TakenOver => "taken_over",
            Self::Alone => "alone",
        }
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It went to the service, its sender known by this credential or not at all.
    Forwarded(Option<Method>),
    /// It got an answer of ours.
    Answered(Reason),
    /// It went to the service although its rule, which is on trial, would have stopped it.
    Reported(Reason),
}

/// The host, as a flow sees it. The runtime implements it over proxy-wasm, a test over a script.
pub trait Host {
    /// Now, by the wall clock.
    fn now(&self) -> UnixTime;

    /// The same in milliseconds since the epoch, as exactly as the host knows it.
    fn now_millis(&self) -> u64 {
        self.now().as_secs().saturating_mul(1000)
    }

    /// Time that never goes back, from a start that all workers of this host share.
    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.now_millis())
    }

    /// Fills `bytes` from the system's generator of random numbers.
    fn fill_random(&self, bytes: &mut [u8]);

    /// Sends one request, bounded in time and size; an error is a transport's, never the provider's word.
    fn call(&self, request: ProviderRequest) -> LocalFuture<Result<ProviderResponse, CallError>>;

    /// Waits; about 25 ms is the finest step.
    fn sleep(&self, span: Duration) -> LocalFuture<()>;

    /// Runs `work` to its end whatever becomes of the request that asked for it.
    fn spawn(&self, work: LocalFuture<()>);

    /// Asks the host's crypto: RSASSA-PKCS1-v1_5, or ECDSA with a DER signature, under a DER `SubjectPublicKeyInfo`.
    fn verify_signature(&self, hash: Hash, spki: &[u8], message: &[u8], signature: &[u8]) -> HostCheck;

    /// Asks the host's crypto for a signature by RSASSA-PKCS1-v1_5 under a PKCS#8 key; `None` where it makes none.
    fn sign(&self, _hash: Hash, _pkcs8: &Secret, _message: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// Reads what some worker of this host wrote under `key`.
    fn shared(&self, key: &str) -> Option<(Vec<u8>, Version)>;

    /// Writes for all workers of this host, if nobody wrote since `version` was read.
    fn share(&self, key: &str, value: &[u8], version: Version) -> Result<(), NotWritten>;

    /// The address of the client whose request is decided, with its port, if the host says it.
    fn source_address(&self) -> Option<String> {
        None
    }

    /// Counts one.
    fn count(&self, metric: Metric);

    /// Writes a line to the host's log.
    fn log(&self, level: log::Level, line: &str);
}

/// A message body that may be waited for.
pub trait Body {
    /// The whole body, at most `limit` bytes of it.
    fn read(self: Rc<Self>, limit: usize) -> LocalFuture<Result<Vec<u8>, BodyError>>;
}

/// What one request's flow may ask.
#[derive(Clone)]
pub struct World {
    host: Rc<dyn Host>,
    body: Rc<dyn Body>,
}

impl World {
    /// The world of one request, or of work that serves several when `body` reads none.
    pub fn new(host: Rc<dyn Host>, body: Rc<dyn Body>) -> Self {
        Self { host, body }
    }

    /// Fresh random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.host.fill_random(&mut bytes);
        bytes
    }

    /// The request's body.
    pub async fn body(&self, limit: usize) -> Result<Vec<u8>, BodyError> {
        Rc::clone(&self.body).read(limit).await
    }

    /// The host alone, for work that outlives the request.
    pub fn host(&self) -> Rc<dyn Host> {
        Rc::clone(&self.host)
    }
}

impl std::ops::Deref for World {
    type Target = dyn Host;

    fn deref(&self) -> &Self::Target {
        &*self.host
    }
}
