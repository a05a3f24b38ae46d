//! Counts events in the VM, and tells the host once in a while: a host call for each would cost as much as a decision.

use crate::world::{Metric, Outcome};
use std::cell::RefCell;
use std::time::Duration;

/// How often the host is told while there is something to tell.
pub const PERIOD: Duration = Duration::from_secs(1);

/// How many counters may name a rule. The others are as few as their kinds; hosts free none, so a configuration of many
/// rules must not make them without end.
const MOST_OF_RULES: usize = 4096;

/// How many kinds of events are found by a walk over them: nearly every request counts the same few.
const FEW: usize = 8;

/// What was counted and not told yet.
#[derive(Default)]
pub struct Metrics {
    pending: RefCell<Pending>,
    /// In ascending order.
    of_rules: RefCell<Vec<(u32, Outcome)>>,
}

#[derive(Default)]
struct Pending {
    /// The first [`FEW`] kinds.
    few: Vec<(Metric, u64)>,
    /// All others, in ascending order.
    many: Vec<(Metric, u64)>,
}

impl Metrics {
    /// Counts one; `true` when it is the first since the host was told.
    pub fn count(&self, metric: Metric) -> bool {
        let Pending { few, many } = &mut *self.pending.borrow_mut();
        for (known, count) in few.iter_mut() {
            if *known == metric {
                *count = count.saturating_add(1);
                return false;
            }
        }
        if few.len() < FEW {
            few.push((metric, 1));
            return few.len() == 1;
        }
        match many.binary_search_by_key(&metric, |(known, _)| *known) {
            Ok(at) => {
                if let Some((_, count)) = many.get_mut(at) {
                    *count = count.saturating_add(1);
                }
            }
            Err(at) => many.insert(at, (metric, 1)),
        }
        false
    }

    /// Tells what was counted: the name of each counter, and by how much it grows.
    pub fn tell(&self, rule: impl Fn(u32) -> Option<String>, mut add: impl FnMut(&str, u64)) {
        let Pending { few, many } = std::mem::take(&mut *self.pending.borrow_mut());
        for (metric, count) in few.into_iter().chain(many) {
            let name = name(metric);
            add(&format!("oidc.{name}"), count);
            if let Metric::Decided { rule: Some(at), outcome } = metric
                && self.is_room_for(at, outcome)
                && let Some(rule) = rule(at)
            {
                add(&format!("oidc.rule.{rule}.{name}"), count);
            }
        }
    }

    fn is_room_for(&self, rule: u32, outcome: Outcome) -> bool {
        let mut known = self.of_rules.borrow_mut();
        match known.binary_search(&(rule, outcome)) {
            Ok(_) => true,
            Err(_) if known.len() >= MOST_OF_RULES => false,
            Err(at) => {
                known.insert(at, (rule, outcome));
                true
            }
        }
    }
}

fn name(metric: Metric) -> String {
    match metric {
        Metric::Decided { outcome, .. } => match outcome {
            Outcome::Answered(reason) => format!("answered.{reason}"),
            Outcome::Forwarded(Some(method)) => format!("forwarded.{}", method.name()),
            Outcome::Forwarded(None) => "forwarded.anonymous".to_owned(),
            Outcome::Reported(reason) => format!("reported.{reason}"),
        },
        Metric::Calls(endpoint) => format!("calls.{}", endpoint.name()),
        Metric::CallsFailed(endpoint) => format!("calls_failed.{}", endpoint.name()),
        Metric::LinesKept => "lines.kept".to_owned(),
        Metric::SessionsOpened => "sessions.opened".to_owned(),
        Metric::SessionsCached => "sessions.cached".to_owned(),
        Metric::SessionsCut => "sessions.cut".to_owned(),
        Metric::Refreshes(refresh) => format!("refreshes.{}", refresh.name()),
        Metric::SessionsRevoked => "sessions.revoked".to_owned(),
        Metric::Revoked => "revocation.added".to_owned(),
        Metric::RevocationForgotten => "revocation.forgotten".to_owned(),
        Metric::TokensVerified => "tokens.verified".to_owned(),
        Metric::TokensCached => "tokens.cached".to_owned(),
        Metric::IntrospectionCached => "introspection.cached".to_owned(),
        Metric::UserinfoCached => "userinfo.cached".to_owned(),
        Metric::Limited => "rate_limit.limited".to_owned(),
        Metric::LimitFailed => "rate_limit.failed".to_owned(),
        Metric::GrantsCached => "grants.cached".to_owned(),
        Metric::GuessesRefused => "guesses.refused".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{Method, Reason};
    use std::collections::BTreeSet;

    fn told(metrics: &Metrics) -> Vec<(String, u64)> {
        let mut told = Vec::new();
        metrics.tell(|at| (at == 7).then(|| "shop".to_owned()), |name, count| told.push((name.to_owned(), count)));
        told.sort_unstable();
        told
    }

    #[test]
    fn what_was_counted_is_told_once_in_all_and_by_rule() {
        let metrics = Metrics::default();
        let decided = |outcome| Metric::Decided { rule: Some(7), outcome };
        assert!(metrics.count(decided(Outcome::Forwarded(Some(Method::Bearer)))));
        assert!(!metrics.count(decided(Outcome::Forwarded(Some(Method::Bearer)))));
        metrics.count(Metric::Decided { rule: None, outcome: Outcome::Answered(Reason::NoRule) });
        let expected =
            [("oidc.answered.no_rule", 1), ("oidc.forwarded.bearer", 2), ("oidc.rule.shop.forwarded.bearer", 2)];
        assert_eq!(told(&metrics), expected.map(|(name, count)| (name.to_owned(), count)));
        assert_eq!(told(&metrics), []);
    }

    // E07: counters are never freed.
    #[test]
    fn rules_without_end_make_no_counters_without_end() {
        let metrics = Metrics::default();
        let mut names = BTreeSet::new();
        for rule in 0..10_000 {
            metrics.count(Metric::Decided { rule: Some(rule), outcome: Outcome::Forwarded(None) });
            metrics.tell(
                |at| Some(at.to_string()),
                |name, _| {
                    names.insert(name.to_owned());
                },
            );
        }
        assert_eq!(names.len(), MOST_OF_RULES + 1);
    }
}
