//! Sessions, as configured.

pub use crate::http::cookie::SameSite;
use crate::words::{ClaimPath, Secret};
use std::time::Duration;

/// How sessions are kept.
#[derive(Clone, Debug)]
pub struct Session {
    /// The key ring: the first seals, all open. At least 32 bytes each.
    pub secrets: Vec<Secret>,
    /// The cookie.
    pub cookie: CookieSettings,
    /// How long sessions live.
    pub lives: Lives,
    /// Longer lives for those who ask for them.
    pub remember: Option<Remember>,
    /// How often use is written down; at most half of `idle`.
    pub touch: Duration,
    /// Rules with the same provider, client and partition share a session; what a login's own partition is unless it says
    /// otherwise.
    pub partition: String,
    /// What a session's cookies are bound to besides.
    pub bind: Vec<Bond>,
    /// What is told of sessions in headers.
    pub headers: SessionHeaders,
    /// All cookies together, in bytes.
    pub budget: usize,
    /// Claims to keep besides those that a rule reads.
    pub keep_claims: Vec<ClaimPath>,
    /// How its tokens are renewed.
    pub refresh: Refresh,
    /// Whether a session is taken that is older than the deny list, which may once have named it.
    pub accept_older_sessions: bool,
}

/// How a session's tokens are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// Whether they are.
    pub is_on: bool,
    /// How long before the access token ends; zero for when it has ended.
    pub before: Duration,
    /// How much earlier still, at most; each session has its own share of it.
    pub jitter: Duration,
    /// How long the old cookie works after the new one was seen.
    pub grace: Duration,
    /// The life of an access token that says none.
    pub assumed_lifetime: Duration,
    /// How long a try that failed is not repeated.
    pub backoff: Duration,
}

/// The session cookie.
#[derive(Clone, Debug)]
pub struct CookieSettings {
    /// The name's first part, prefix (`__Host-`, `__Secure-`) included. Where a `redirect_uri` is `http`, which is on
    /// loopback alone, it has no prefix, and the cookie cannot be `Secure`.
    pub name: String,
    /// Sent along from other sites' pages?
    pub same_site: SameSite,
    /// For a whole domain; never with `__Host-`.
    pub domain: Option<String>,
    /// For which paths.
    pub path: String,
}

/// How long a session lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lives {
    /// Unused for so long, it is over.
    pub idle: Duration,
    /// Older than this, it is over.
    pub absolute: Duration,
}

/// Sessions of those who asked to be remembered: in a cookie of their own, which outlives the browser.
#[derive(Clone, Debug)]
pub struct Remember {
    /// The query parameter by which the request that begins a login asks for it.
    pub parameter: String,
    /// The first part of the cookie's name, which begins as that of all session cookies does.
    pub cookie: String,
    /// How long they live.
    pub lives: Lives,
}

/// What a session's cookies may be bound to: where it differs, they open nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bond {
    /// The request's scheme.
    Scheme,
    /// The `user-agent` field.
    UserAgent,
    /// The client's address, as the host tells it.
    Address,
}

/// What is told of sessions, to the service and to the client.
#[derive(Clone, Debug, Default)]
pub struct SessionHeaders {
    /// To the service.
    pub request: Vec<SessionFact>,
    /// To the client.
    pub response: Vec<SessionFact>,
}

/// Something to tell of a session. The names are those of the reference suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionFact {
    /// `session-id`: the same for the life of a session, and of no use as a credential.
    Id,
    /// `session-subject`: whose it is.
    Subject,
    /// `session-timeout`: in how many seconds it ends unless it is used.
    Timeout,
    /// `session-idling-timeout`: in how many seconds it ends for want of use.
    Idle,
    /// `session-absolute-timeout`: in how many seconds it ends, used or not.
    Absolute,
}

impl Session {
    /// The lives of a session, of someone who asked to be remembered or not.
    pub fn lives_of(&self, remembered: bool) -> Lives {
        self.remember.as_ref().filter(|_| remembered).map_or(self.lives, |remember| remember.lives)
    }

    /// After how long every session is over.
    pub fn longest(&self) -> Duration {
        self.remember.as_ref().map_or(self.lives.absolute, |remember| remember.lives.absolute.max(self.lives.absolute))
    }
}

impl SessionFact {
    /// Everything that can be told.
    pub const ALL: [Self; 5] = [Self::Id, Self::Subject, Self::Timeout, Self::Idle, Self::Absolute];

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Subject => "subject",
            Self::Timeout => "timeout",
            Self::Idle => "idle",
            Self::Absolute => "absolute",
        }
    }

    /// The header field that tells it.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Id => "session-id",
            Self::Subject => "session-subject",
            Self::Timeout => "session-timeout",
            Self::Idle => "session-idling-timeout",
            Self::Absolute => "session-absolute-timeout",
        }
    }
}
