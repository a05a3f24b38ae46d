//! How often a caller may come.

mod service;

use super::buckets::{Allowance, Buckets, Caller, Taken};
use crate::config::{Counted, MOST_PER_PERIOD, OnFailure, Rate, RateLimit, RateLimitService, Rule};
use crate::words::json::whole;
use crate::words::{Identity, Reason, Refusal, Secret};
use crate::world::{Metric, World};
use serde_json::Value;
use std::borrow::Cow;

/// A header field for a client.
pub type Field = (&'static str, String);

/// Counts the requests of all rules.
pub struct Limiter(Buckets);

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
        Self(Buckets::new(ring, b"oidc-proxy-wasm limit v1"))
    }

    /// Counts one request under `rule` and its `limit`, and gives the header fields for its answer; a refusal when the caller
    /// has spent what the rule grants.
    pub async fn take(
        &self,
        world: &World,
        rule: &Rule,
        limit: &RateLimit,
        identity: Option<&Identity>,
    ) -> Result<Vec<Field>, Refusal> {
        let claim = identity.and_then(|identity| claimed(limit, identity));
        let asked = Asked { rule, limit, identity, counts: Counts::of(identity, claim.as_deref()) };
        match &limit.counted {
            Counted::Here { rate, burst } => self.here(world, &asked, rate, *burst),
            Counted::ByService { service, rate } => elsewhere(world, &asked, service, rate.as_ref()).await,
        }
    }

    fn here(&self, world: &World, asked: &Asked<'_>, rate: &Rate, burst: Option<u32>) -> Result<Vec<Field>, Refusal> {
        let limit = asked.granted(rate);
        let window = rate.per.as_secs();
        let period = u64::from(window).saturating_mul(1000);
        let allowance = Allowance { limit, period, burst: burst.unwrap_or(limit) };
        let quota = |remaining, reset| Some(Quota { limit, window: Some(window), remaining, reset });
        match self.0.take(&**world, self.caller(asked, period), allowance) {
            Taken::Granted { remaining, full_in } => Ok(asked.told(quota(remaining, full_in.div_ceil(1000)))),
            Taken::Refused { wait } => {
                let wait = wait.div_ceil(1000).max(1);
                Err(asked.refused(world, wait, quota(0, wait)))
            }
        }
    }

    /// Whose bucket it is: that of one caller of one issuer under one rule. Another period is another bucket.
    fn caller(&self, asked: &Asked<'_>, period: u64) -> Caller {
        let issuer = asked.identity.map_or("", |identity| &identity.issuer);
        let (kind, issuer, name) = match asked.counts {
            Counts::Named(name) => (0, issuer, name),
            Counts::Client(name) => (1, issuer, name),
            Counts::Unnamed => (2, "", ""),
            Counts::Stranger => (3, "", ""),
        };
        let rule = asked.rule.name.as_bytes();
        self.0.caller(&[rule, &period.to_le_bytes(), &[kind], issuer.as_bytes(), name.as_bytes()])
    }
}

/// Asks the service that counts for several hosts.
async fn elsewhere(
    world: &World,
    asked: &Asked<'_>,
    service: &RateLimitService,
    rate: Option<&Rate>,
) -> Result<Vec<Field>, Refusal> {
    let rate = rate.map(|rate| (asked.granted(rate), rate.per));
    let lost = match service::ask(world, service, &asked.rule.name, asked.counts.as_text(), rate).await {
        Ok(service::Said::Granted(quota)) => return Ok(asked.told(quota)),
        Ok(service::Said::Refused { wait, quota }) => return Err(asked.refused(world, wait, quota)),
        Err(lost) => format!("rate limit service: {lost}"),
    };
    world.count(Metric::LimitFailed);
    if service.on_failure == OnFailure::Deny {
        return Err(Refusal::new(Reason::RateLimitUnavailable, lost));
    }
    world.log(log::Level::Warn, &format!("passes uncounted rule={}: {lost}", asked.rule.name));
    Ok(Vec::new())
}

/// A request that is counted.
struct Asked<'a> {
    rule: &'a Rule,
    limit: &'a RateLimit,
    identity: Option<&'a Identity>,
    counts: Counts<'a>,
}

impl Asked<'_> {
    /// How many requests the identity may make: what its claim says, where that is a limit at all (attack A08).
    fn granted(&self, rate: &Rate) -> u32 {
        let claim = rate.claim.as_ref().and_then(|claim| self.identity?.sources.find(self.limit.source, claim));
        claim.and_then(usable).unwrap_or(rate.default)
    }

    fn refused(&self, world: &World, wait: u64, quota: Option<Quota>) -> Refusal {
        world.count(Metric::Limited);
        let refusal = Refusal::new(Reason::RateLimited, format!("may come again in {wait} s"));
        let told = self.told(quota).into_iter();
        told.fold(refusal, |refusal, (name, value)| refusal.with_header(name, value))
            .with_header("retry-after", wait.to_string())
    }

    /// What the client learns (draft-ietf-httpapi-ratelimit-headers-10 §3, §4). A rule's name is safe within quotes.
    fn told(&self, quota: Option<Quota>) -> Vec<Field> {
        let Some(quota) = quota.filter(|_| self.limit.headers) else { return Vec::new() };
        let name = &self.rule.name;
        let window = quota.window.map_or(String::new(), |seconds| format!(";w={seconds}"));
        vec![
            ("ratelimit-policy", format!("\"{name}\";q={}{window}", quota.limit)),
            ("ratelimit", format!("\"{name}\";r={};t={}", quota.remaining, quota.reset)),
        ]
    }
}

impl<'a> Counts<'a> {
    fn of(identity: Option<&'a Identity>, claim: Option<&'a str>) -> Self {
        let Some(identity) = identity else { return Self::Stranger };
        let client = identity.client.as_deref().filter(|client| !client.is_empty());
        claim.map(Self::Named).or(client.map(Self::Client)).unwrap_or(Self::Unnamed)
    }

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

/// A whole number from 1 to the most there is, written with a fraction of zero or without.
fn usable(claim: &Value) -> Option<u32> {
    u32::try_from(whole(claim)?).ok().filter(|whole| (1..=MOST_PER_PERIOD).contains(whole))
}

#[cfg(test)]
mod tests;
