//! Which rule a request falls under.

use super::index::Index;
use crate::config::{AmbiguousPaths, HostMatch, Match, PathMatch};
use crate::http::host;
use crate::http::path::{Ambiguous, canonical};
use crate::methods::Guard;
use crate::words::{Reason, Request};
use std::borrow::Cow;

/// What a request asks for, as rules see it.
pub struct Asked<'a> {
    /// The host, in lower case.
    pub host: Cow<'a, str>,
    /// The port, written or by the scheme.
    pub port: Option<u16>,
    /// The path in its one spelling, if it has one.
    pub path: Result<Cow<'a, str>, Ambiguous>,
}

/// Reads what is asked for. A request without method, target or host, or with two of them, is none (RFC 9112 §3.2).
pub fn asked(request: &Request) -> Result<Asked<'_>, Reason> {
    request.method().ok_or(Reason::RequestMalformed)?;
    let target = request.target().ok_or(Reason::RequestMalformed)?;
    let (host, port) = request.authority().and_then(host).ok_or(Reason::RequestMalformed)?;
    let port = port.or_else(|| match request.scheme() {
        Some("https") => Some(443),
        Some("http") => Some(80),
        _ => None,
    });
    Ok(Asked { host, port, path: canonical(target) })
}

/// The rule for a request: the first that matches.
///
/// A path that servers read differently may mean any path, so it falls under the first rule that could be meant at all, and
/// passes only where that rule covers every path of its host and says so. Parameters of a segment (`/a;b`) are such a
/// path wherever it matters whether a server cuts them off (CVE-2026-73511).
pub fn rule_for<'a>(
    guards: &'a [Guard],
    index: &Index,
    asked: &Asked<'_>,
    request: &Request,
) -> Result<&'a Guard, Reason> {
    let fits = |guard: &Guard| fits_but_for_path(&guard.rule.matches, asked, request);
    let Ok(path) = &asked.path else { return rule_for_any_path(guards, &fits) };
    let rule_of = |path: &str| index.first(asked, path, &|place| guards.get(place).is_some_and(fits));
    let rule = rule_of(path);
    // Paths are short: a loop costs less than the search that long texts deserve.
    if path.bytes().any(|byte| byte == b';') && rule != rule_of(&without_parameters(path)) {
        return Err(Reason::PathAmbiguous);
    }
    rule.and_then(|place| guards.get(place)).ok_or(Reason::NoRule)
}

#[inline(never)]
fn rule_for_any_path<'a>(guards: &'a [Guard], fits: &dyn Fn(&Guard) -> bool) -> Result<&'a Guard, Reason> {
    let first = guards.iter().find(|guard| fits(guard));
    first.filter(|guard| forwards_any_path(guard)).ok_or(Reason::PathAmbiguous)
}

#[inline(never)]
fn without_parameters(path: &str) -> String {
    path.split('/').map(|segment| segment.split(';').next().unwrap_or_default()).collect::<Vec<_>>().join("/")
}

fn forwards_any_path(guard: &Guard) -> bool {
    let covers_all = matches!(&guard.rule.matches.path, PathMatch::Prefix(prefix) if prefix.is_empty());
    covers_all && guard.rule.ambiguous_paths == AmbiguousPaths::Forward
}

fn fits_but_for_path(wanted: &Match, asked: &Asked<'_>, request: &Request) -> bool {
    host_matches(&wanted.host, asked)
        && (wanted.methods.is_empty() || wanted.methods.iter().any(|method| request.method() == Some(method)))
        && wanted.headers.iter().all(|(name, value)| request.headers.one(name) == Ok(Some(value.as_bytes())))
}

fn host_matches(wanted: &HostMatch, asked: &Asked<'_>) -> bool {
    match wanted {
        HostMatch::Any => true,
        HostMatch::Exact { host, port } => *host == *asked.host && (port.is_none() || *port == asked.port),
        HostMatch::Suffix(suffix) => asked.host.len() > suffix.len() && asked.host.ends_with(suffix.as_str()),
    }
}

/// Whether a rule's host and path cover these: what [`Index`] must find, the slow way.
#[cfg(test)]
pub fn covers_host_and_path(wanted: &Match, asked: &Asked<'_>, path: &str) -> bool {
    let path_covered = match &wanted.path {
        crate::config::PathMatch::Prefix(prefix) => crate::http::path::covers(prefix, path),
        crate::config::PathMatch::Exact(wanted) => wanted == path,
    };
    host_matches(&wanted.host, asked) && path_covered
}
