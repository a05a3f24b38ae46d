//! How much of a rule a caller may use.

use crate::words::{ClaimPath, Source};
use std::time::Duration;

/// How often each caller may come.
#[derive(Clone, Debug)]
pub struct RateLimit {
    /// The claim that tells callers apart; each of its values has a bucket.
    pub by: ClaimPath,
    /// Who says that claim, and the one that has the limit.
    pub source: Source,
    /// Whether clients see what is left to them.
    pub headers: bool,
    /// Who counts.
    pub counted: Counted,
}

impl RateLimit {
    /// Adds the claims that it reads.
    pub fn add_claims_read(&self, claims: &mut Vec<ClaimPath>) {
        claims.push(self.by.clone());
        claims.extend(self.rate().and_then(|rate| rate.claim.clone()));
    }

    /// The limit that the rule itself knows.
    pub fn rate(&self) -> Option<&Rate> {
        match &self.counted {
            Counted::Here { rate, .. } => Some(rate),
            Counted::ByService { rate, .. } => rate.as_ref(),
        }
    }
}

/// Who counts the requests.
#[derive(Clone, Debug)]
pub enum Counted {
    /// The workers of this host.
    Here {
        /// How many.
        rate: Rate,
        /// How many at once; `None` for as many as the limit.
        burst: Option<u32>,
    },
    /// A service that several hosts share.
    ByService {
        /// Which.
        service: RateLimitService,
        /// How many; `None` where the service itself knows.
        rate: Option<Rate>,
    },
}

/// So many requests in so long.
#[derive(Clone, Debug)]
pub struct Rate {
    /// A claim that has the limit.
    pub claim: Option<ClaimPath>,
    /// The limit where no claim says a usable one.
    pub default: u32,
    /// In how long.
    pub per: Period,
}

/// The largest limit there is.
pub const MOST: u32 = 10_000_000;

/// The time that a limit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
}

impl Period {
    /// The one of this name; a day where there is none.
    pub fn of(name: &str) -> Self {
        match name {
            "second" => Self::Second,
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            _ => Self::Day,
        }
    }

    /// Its length in seconds.
    pub const fn as_secs(self) -> u32 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => 86_400,
        }
    }
}

/// A service that speaks Envoy's rate limit protocol.
#[derive(Clone, Debug)]
pub struct RateLimitService {
    /// The host's name for where it is reached, over HTTP/2.
    pub cluster: String,
    /// What it is addressed as.
    pub authority: String,
    /// The domain of its configuration.
    pub domain: String,
    /// The descriptor's key for the caller.
    pub key: String,
    /// How long it may take.
    pub timeout: Duration,
    /// What becomes of a request when it does not answer.
    pub on_failure: OnFailure,
}

/// What becomes of a request that nobody could count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// It passes uncounted.
    Allow,
    /// 503.
    Deny,
}
