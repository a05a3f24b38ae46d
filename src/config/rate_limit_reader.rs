//! Reads how much of a rule a caller may use.

use super::section::Section;
use super::{Counted, OnFailure, Period, Rate, RateLimit, RateLimitService, addresses};
use crate::http::host;
use crate::words::{ClaimPath, Source};

/// Reads `rate_limit`; `None` where there is none, or where something was wrong with it, which is then reported.
pub(super) fn read(rule: &Section) -> Option<RateLimit> {
    rule.value("rate_limit")?.as_object()?;
    let limit = rule.section("rate_limit");
    let by = if limit.has("by") { limit.claim_path("by") } else { ClaimPath::new(vec!["sub".to_owned()]) };
    let (rate, counted) = match limit.has("service") {
        true => (read_rate(&limit, Needed::ForClaimsAlone), Some(read_service(&limit))),
        false => (read_rate(&limit, Needed::Always), None),
    };
    let counted = match counted {
        Some(service) => Counted::ByService { service: service?, rate },
        None => Counted::Here { rate: rate?, burst: read_number(&limit, "burst") },
    };
    Some(RateLimit { by: by?, source: read_source(&limit)?, headers: limit.flag("headers"), counted })
}

/// Whether the rule itself has to know its limit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    Always,
    ForClaimsAlone,
}

fn read_rate(limit: &Section, needed: Needed) -> Option<Rate> {
    let keys = ["default", "per"];
    if needed == Needed::ForClaimsAlone && !limit.has("limit_claim") && keys.iter().all(|key| !limit.has(key)) {
        return None;
    }
    for key in keys.into_iter().filter(|key| !limit.has(key)) {
        limit.problem(key, "is missing: a limit is a number of requests (default) in a time (per)");
    }
    let per = Period::of(limit.text("per")?);
    Some(Rate { claim: limit.claim_path("limit_claim"), default: read_number(limit, "default")?, per })
}

fn read_number(limit: &Section, key: &str) -> Option<u32> {
    u32::try_from(limit.number(key)?).ok()
}

fn read_source(limit: &Section) -> Option<Source> {
    let name = limit.text("source")?;
    Some(Source::ALL.into_iter().find(|source| source.name() == name).unwrap_or_default())
}

fn read_service(limit: &Section) -> Option<RateLimitService> {
    if limit.has("burst") {
        limit.problem("burst", "contradicts service, which counts in its own way");
    }
    let service = limit.section("service");
    let authority = service.text("authority");
    if authority.is_some_and(|authority| host(authority).is_none()) {
        service.problem("authority", "is no host, with a port or without");
    }
    let field = |key| service.owned(key);
    for key in ["domain", "key"] {
        if field(key).is_some_and(|text| !addresses::is_field_value(text.as_bytes())) {
            service.problem(key, "has visible ASCII characters alone");
        }
    }
    let (cluster, domain) = (field("cluster"), field("domain"));
    Some(RateLimitService {
        cluster: cluster?,
        authority: authority?.to_owned(),
        domain: domain?,
        key: field("key")?,
        timeout: service.duration("timeout")?,
        on_failure: match service.text("on_failure") {
            Some("allow") => OnFailure::Allow,
            _ => OnFailure::Deny,
        },
    })
}
