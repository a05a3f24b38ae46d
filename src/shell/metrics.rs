//! Counters of the host. There are as many as there are kinds of events, never one per user or path: hosts free none.

use super::imports;
use crate::world::Metric;
use std::collections::HashMap;

/// The counters that were counted so far.
#[derive(Default)]
pub struct Metrics {
    ids: HashMap<Metric, Option<u32>>,
}

impl Metrics {
    /// Adds one. A host without metrics has none.
    pub fn count(&mut self, metric: Metric) {
        let id = *self.ids.entry(metric).or_insert_with(|| imports::counter(&name(metric)).ok());
        if let Some(id) = id {
            let _ = imports::increment(id);
        }
    }
}

fn name(metric: Metric) -> String {
    match metric {
        Metric::Answered(reason) => format!("oidc.answered.{}", reason.code()),
        Metric::Forwarded { known: true } => "oidc.forwarded.known".to_owned(),
        Metric::Forwarded { known: false } => "oidc.forwarded.anonymous".to_owned(),
        Metric::Calls(endpoint) => format!("oidc.calls.{}", endpoint.name()),
        Metric::CallsFailed(endpoint) => format!("oidc.calls_failed.{}", endpoint.name()),
        Metric::SessionsOpened => "oidc.sessions.opened".to_owned(),
        Metric::SessionsCached => "oidc.sessions.cached".to_owned(),
        Metric::SessionsCut => "oidc.sessions.cut".to_owned(),
        Metric::TokensVerified => "oidc.tokens.verified".to_owned(),
        Metric::TokensCached => "oidc.tokens.cached".to_owned(),
        Metric::IntrospectionCached => "oidc.introspection.cached".to_owned(),
        Metric::UserinfoCached => "oidc.userinfo.cached".to_owned(),
    }
}
