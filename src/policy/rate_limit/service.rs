//! A service that counts for several hosts: Envoy's rate limit protocol
//! (`envoy/service/ratelimit/v3/rls.proto`), over gRPC (gRPC over HTTP/2, "Requests", "Responses").

use super::Quota;
use crate::config::{Period, RateLimitService};
use crate::http::protobuf::{Fields, Message, Wire};
use crate::words::Secret;
use crate::world::{CallError, Endpoint, Metric, ProviderRequest, ProviderResponse, World};

/// How large an answer may be, in bytes; such answers have a few dozen.
const LARGEST: usize = 16 * 1024;
/// Bytes before each gRPC message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// What the service said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The request may pass; without a quota where no limit is for it.
    Granted(Option<Quota>),
    /// It may not, for so many seconds.
    Refused { wait: u64, quota: Option<Quota> },
}

/// Asks whether one more request of `caller` under `rule` may pass. A `rate` that the rule knows wins over the service's
/// own. The error says for the log what went wrong.
pub(super) async fn ask(
    world: &World,
    service: &RateLimitService,
    rule: &str,
    caller: &str,
    rate: Option<(u32, Period)>,
) -> Result<Said, &'static str> {
    let outcome = world.call(request(service, rule, caller, rate)).await;
    let said = match &outcome {
        Ok(response) => read(response),
        Err(CallError::UnknownCluster) => Err("the host has no such cluster"),
        Err(CallError::Busy) => Err("too many calls are under way"),
        Err(CallError::NoAnswer) => Err("no answer in time"),
        Err(CallError::TooLarge) => Err("the answer is larger than any such answer has to be"),
    };
    if said.is_err() {
        world.count(Metric::CallsFailed(Endpoint::RateLimit));
    }
    said
}

fn request(service: &RateLimitService, rule: &str, caller: &str, rate: Option<(u32, Period)>) -> ProviderRequest {
    let entry = |key: &str, value: &str| Message::default().bytes(1, key).bytes(2, value);
    let mut descriptor = Message::default().bytes(1, entry("rule", rule)).bytes(1, entry(&service.key, caller));
    if let Some((requests, per)) = rate {
        descriptor = descriptor.bytes(2, Message::default().number(1, u64::from(requests)).number(2, unit(per)));
    }
    let message = Message::default().bytes(1, &service.domain).bytes(2, descriptor).number(3, 1);
    let length = u32::try_from(message.as_ref().len()).unwrap_or(u32::MAX).to_be_bytes();
    let header = |name: &str, value| (name.to_owned(), Secret::new(value));
    ProviderRequest {
        endpoint: Endpoint::RateLimit,
        cluster: service.cluster.clone(),
        method: "POST",
        scheme: "http",
        authority: service.authority.clone(),
        path: "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit".to_owned(),
        headers: vec![
            header("content-type", "application/grpc"),
            header("te", "trailers"),
            header("user-agent", "oidc-proxy-wasm"),
        ],
        body: Secret::new([&[0][..], &length, message.as_ref()].concat()),
        timeout: service.timeout,
        limit: LARGEST,
    }
}

const fn unit(per: Period) -> u64 {
    match per {
        Period::Second => 1,
        Period::Minute => 2,
        Period::Hour => 3,
        Period::Day => 4,
    }
}

/// The seconds of a unit; `None` for those without a fixed length.
const fn seconds(unit: u64) -> Option<u32> {
    match unit {
        1 => Some(1),
        2 => Some(60),
        3 => Some(3600),
        4 => Some(86_400),
        7 => Some(604_800),
        _ => None,
    }
}

fn read(response: &ProviderResponse) -> Result<Said, &'static str> {
    if response.status != 200 || !(response.is("application/grpc") || response.is("application/grpc+proto")) {
        return Err("the answer is not gRPC's");
    }
    if response.grpc_status.as_deref().is_some_and(|status| status != "0") {
        return Err("the service failed");
    }
    let message = match response.body.split_at_checked(PREFIX) {
        Some(([0, length @ ..], message)) if usize::try_from(big_endian(length)) == Ok(message.len()) => message,
        _ => return Err("the answer is not one whole message"),
    };
    said(message).ok_or("the answer is not a rate limit response")
}

fn big_endian(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// `RateLimitResponse`: what is unknown in it is skipped, as protobuf demands.
fn said(message: &[u8]) -> Option<Said> {
    let (mut code, mut status) = (0, None);
    for field in Fields(message) {
        match field? {
            (1, Wire::Varint(number)) => code = number,
            // One descriptor was asked about.
            (2, Wire::Bytes(_)) if status.is_some() => return None,
            (2, Wire::Bytes(inner)) => status = Some(Status::read(inner)?),
            (1 | 2, _) => return None,
            _ => {}
        }
    }
    let quota = status.as_ref().and_then(Status::quota);
    match code {
        1 => Some(Said::Granted(quota)),
        2 => {
            let window = || quota.and_then(|quota| quota.window).map(u64::from);
            let wait = status.and_then(|status| status.reset).or_else(window).unwrap_or(1).max(1);
            Some(Said::Refused { wait, quota: quota.map(|quota| Quota { remaining: 0, reset: wait, ..quota }) })
        }
        _ => None,
    }
}

/// `RateLimitResponse.DescriptorStatus`.
#[derive(Default)]
struct Status {
    /// Requests and their unit.
    limit: Option<(u32, u64)>,
    remaining: u32,
    /// Seconds.
    reset: Option<u64>,
}

impl Status {
    fn read(message: &[u8]) -> Option<Self> {
        let mut status = Self::default();
        for field in Fields(message) {
            match field? {
                (2, Wire::Bytes(inner)) => status.limit = Some(pair(inner)?),
                (3, Wire::Varint(number)) => status.remaining = u32::try_from(number).ok()?,
                (4, Wire::Bytes(inner)) => status.reset = Some(rounded_up(inner)?),
                (2..=4, _) => return None,
                _ => {}
            }
        }
        Some(status)
    }

    fn quota(&self) -> Option<Quota> {
        let (limit, unit) = self.limit?;
        let window = seconds(unit);
        let reset = self.reset.or(window.map(u64::from))?;
        Some(Quota { limit, window, remaining: self.remaining, reset })
    }
}

/// `RateLimit`: requests per unit, and the unit.
fn pair(message: &[u8]) -> Option<(u32, u64)> {
    let (first, second) = two_numbers(message)?;
    Some((u32::try_from(first).ok()?, second))
}

/// `google.protobuf.Duration` in whole seconds, begun ones too. One that is negative or longer than a year is none.
fn rounded_up(message: &[u8]) -> Option<u64> {
    const YEAR: u64 = 366 * 86_400;
    let (seconds, nanos) = two_numbers(message)?;
    Some(seconds.saturating_add(u64::from(nanos > 0))).filter(|seconds| *seconds <= YEAR)
}

fn two_numbers(message: &[u8]) -> Option<(u64, u64)> {
    let (mut first, mut second) = (0, 0);
    for field in Fields(message) {
        match field? {
            (1, Wire::Varint(number)) => first = number,
            (2, Wire::Varint(number)) => second = number,
            (1 | 2, _) => return None,
            _ => {}
        }
    }
    Some((first, second))
}

#[cfg(test)]
mod tests;
