//! How often a caller may come.

mod bucket;
mod service;
mod slots;

use crate::cache::Cache;
use crate::config::{Counted, MOST_PER_PERIOD, OnFailure, Rate, RateLimit, Rule};
use crate::seal::KeyedHash;
use crate::words::{Identity, Reason, Refusal, Secret};
use crate::world::{Metric, World};
use bucket::{Allowance, Bucket, Taken};
use serde_json::Value;
use slots::Caller;
use std::borrow::Cow;
use std::cell::RefCell;

/// How many callers a worker counts by itself; what is beyond is forgotten, oldest use first.
const OWN: usize = 8192;

/// Header fields for a client.
pub type Fields = Vec<(&'static str, String)>;

/// Counts the requests of all rules.
///
/// The workers of a host count in its shared data ([`slots`]). What a worker counts there it counts by itself as well, and
/// goes by that where nothing is shared, or where others wrote first all the time: so no more than the limit times the
/// number of workers ever passes, and on a host with shared data as good as always the limit itself.
pub struct Limiter {
    hash: KeyedHash,
    own: RefCell<Cache<Caller, Bucket>>,
}

/// Who is counted.
#[derive(Clone, Copy)]
enum Counts<'a> {
    /// An identity with the claim.
    Named(&'a str),
    /// The client of one without.
    Client(&'a str),
    /// All of one rule with neither.
    Unnamed,
    /// All of one rule without identity.
    Stranger,
}

/// What a client may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Quota {
    limit: u32,
    /// Seconds that the limit is for; `None` where only the service knows.
    window: Option<u32>,
    remaining: u32,
    /// Seconds until it is better.
    reset: u64,
}

impl Limiter {
    /// A limiter whose callers nobody recognizes that does not hold the ring. Without a secret the hashes are under a
    /// key that everybody knows.
    pub fn new(ring: &[Secret]) -> Self {
        Self { hash: KeyedHash::new(ring, b"oidc-proxy-wasm limit v1"), own: RefCell::new(Cache::new(OWN)) }
    }

    /// Counts one request under `rule`, and gives the header fields for its answer; a refusal when the caller has spent
    /// what the rule grants.
    pub async fn take(&self, world: &World, rule: &Rule, identity: Option<&Identity>) -> Result<Fields, Refusal> {
        let Some(limit) = &rule.rate_limit else { return Ok(Fields::new()) };
        let claim = identity.and_then(|identity| claimed(limit, identity));
        let counts = match (identity, &claim) {
            (None, _) => Counts::Stranger,
            (Some(_), Some(name)) => Counts::Named(name),
            (Some(identity), None) => {
                let client = identity.client.as_deref().filter(|client| !client.is_empty());
                client.map_or(Counts::Unnamed, Counts::Client)
            }
        };
        let rate = limit.rate().map(|rate| (granted(rate, limit, identity), rate.per));
        match &limit.counted {
            Counted::Here { rate: Rate { per, default, .. }, burst } => {
                let requests = rate.map_or(*default, |(requests, _)| requests);
                let period = u64::from(per.as_secs()).saturating_mul(1000);
                let allowance = Allowance { limit: requests, period, burst: burst.unwrap_or(requests) };
                let taken = self.count(world, self.caller(rule, counts, period, identity), allowance);
                let quota = |remaining, reset| Quota { limit: requests, window: Some(per.as_secs()), remaining, reset };
                match taken {
                    Taken::Granted { remaining, full_in } => {
                        Ok(told(rule, limit, Some(quota(remaining, full_in.div_ceil(1000)))))
                    }
                    Taken::Refused { wait } => {
                        let wait = wait.div_ceil(1000).max(1);
                        Err(refused(world, rule, limit, wait, Some(quota(0, wait))))
                    }
                }
            }
            Counted::ByService { service, .. } => {
                // Boxed, as all that waits: the future of a request that just passes stays small.
                match Box::pin(service::ask(world, service, &rule.name, counts.as_text(), rate)).await {
                    Ok(service::Said::Granted(quota)) => Ok(told(rule, limit, quota)),
                    Ok(service::Said::Refused { wait, quota }) => Err(refused(world, rule, limit, wait, quota)),
                    Err(lost) => {
                        world.count(Metric::LimitFailed);
                        let detail = format!("rate limit service: {lost}");
                        if service.on_failure == OnFailure::Deny {
                            return Err(Refusal::new(Reason::RateLimitUnavailable, detail));
                        }
                        world.log(log::Level::Warn, &format!("passes uncounted rule={}: {detail}", rule.name));
                        Ok(Fields::new())
                    }
                }
            }
        }
    }

    fn count(&self, world: &World, caller: Caller, allowance: Allowance) -> Taken {
        let now = world.now_millis();
        let own = {
            let mut own = self.own.borrow_mut();
            let (after, taken) = own.get(&caller).unwrap_or(Bucket::FULL).take(allowance, now);
            if let Some(after) = after {
                own.insert(caller, after, 1);
            }
            taken
        };
        slots::take(&**world, caller, allowance, now).unwrap_or(own)
    }

    /// Whose bucket it is: that of one caller of one issuer under one rule. Another period is another bucket.
    fn caller(&self, rule: &Rule, counts: Counts<'_>, period: u64, identity: Option<&Identity>) -> Caller {
        let issuer = identity.map_or(&[][..], |identity| identity.issuer.as_bytes());
        let (kind, name): (u8, &str) = match counts {
            Counts::Named(name) => (0, name),
            Counts::Client(name) => (1, name),
            Counts::Unnamed => (2, ""),
            Counts::Stranger => (3, ""),
        };
        let issuer = if kind < 2 { issuer } else { &[] };
        Caller::new(self.hash.of(&[rule.name.as_bytes(), &period.to_le_bytes(), &[kind], issuer, name.as_bytes()]))
    }
}

impl<'a> Counts<'a> {
    /// As a rate limit service is told.
    const fn as_text(self) -> &'a str {
        match self {
            Self::Named(name) | Self::Client(name) => name,
            Self::Unnamed => "unnamed",
            Self::Stranger => "stranger",
        }
    }
}

/// The claim that tells callers apart. What is no text, number or truth value tells nobody apart, and empty text neither.
fn claimed<'a>(limit: &RateLimit, identity: &'a Identity) -> Option<Cow<'a, str>> {
    let Some(claim) = identity.sources.find(limit.source, &limit.by) else {
        // A session from before the rule had a limit knows its subject, if not as a claim.
        return identity.subject.as_deref().filter(|_| limit.by.is("sub")).map(Cow::Borrowed);
    };
    match claim {
        Value::String(text) => Some(Cow::Borrowed(text.as_str())).filter(|text| !text.is_empty()),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(Cow::Owned(value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// How many requests the identity may make: what its claim says, where that is a limit at all (attack A08).
fn granted(rate: &Rate, limit: &RateLimit, identity: Option<&Identity>) -> u32 {
    let claim = rate.claim.as_ref().and_then(|claim| identity?.sources.find(limit.source, claim));
    claim.and_then(usable).unwrap_or(rate.default)
}

/// A whole number from 1 to the most there is, written with a fraction of zero or without.
fn usable(claim: &Value) -> Option<u32> {
    let number = claim.as_number()?;
    let double = || number.as_f64().filter(|double| double.fract() == 0.0 && (0.0..=4e9).contains(double));
    let whole = number.as_u64().or_else(|| double().map(|double| double as u64))?;
    u32::try_from(whole).ok().filter(|whole| (1..=MOST_PER_PERIOD).contains(whole))
}

fn refused(world: &World, rule: &Rule, limit: &RateLimit, wait: u64, quota: Option<Quota>) -> Refusal {
    world.count(Metric::Limited);
    let mut headers = told(rule, limit, quota);
    headers.push(("retry-after", wait.to_string()));
    Refusal { headers, ..Refusal::new(Reason::RateLimited, format!("may come again in {wait} s")) }
}

/// What the client learns (draft-ietf-httpapi-ratelimit-headers-10 §3, §4). A rule's name is safe within quotes.
fn told(rule: &Rule, limit: &RateLimit, quota: Option<Quota>) -> Fields {
    let Some(quota) = quota.filter(|_| limit.headers) else { return Fields::new() };
    let window = quota.window.map_or(String::new(), |seconds| format!(";w={seconds}"));
    vec![
        ("ratelimit-policy", format!("\"{}\";q={}{window}", rule.name, quota.limit)),
        ("ratelimit", format!("\"{}\";r={};t={}", rule.name, quota.remaining, quota.reset)),
    ]
}

#[cfg(test)]
mod tests;
