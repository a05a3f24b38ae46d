//! How long to leave a provider alone that just failed.

use crate::words::{Refusal, UnixTime};
use std::time::Duration;

/// The longest pause between two tries: a provider that is back is found again within five seconds.
const LONGEST: u64 = 4;

/// Failures in a row.
#[derive(Default)]
pub struct Outage {
    failures: u32,
    until: UnixTime,
    cause: Option<Refusal>,
}

impl Outage {
    /// Whether the pause is over.
    pub fn may_try(&self, now: UnixTime) -> bool {
        // A clock that went back must not turn seconds into hours.
        now >= self.until || self.until > now.plus(Duration::from_secs(LONGEST))
    }

    /// Another failure: 1 s, 2 s, then 4 s at most, one second less by `chance`, so that workers do not come in step.
    pub fn failed(&mut self, now: UnixTime, chance: u64, cause: Refusal) {
        let pause = 1_u64.wrapping_shl(self.failures.min(2));
        let jitter = if pause > 1 { chance % 2 } else { 0 };
        self.failures = self.failures.saturating_add(1);
        self.until = now.plus(Duration::from_secs(pause.saturating_sub(jitter)));
        self.cause = Some(cause);
    }

    /// What went wrong last.
    pub fn cause(&self) -> Option<Refusal> {
        self.cause.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Reason;

    fn lack() -> Refusal {
        Reason::JwksUnavailable.into()
    }

    #[test]
    fn pauses_grow_to_four_seconds_and_no_further() {
        let mut outage = Outage::default();
        let mut now = UnixTime::from_secs(1000);
        let mut pauses = Vec::new();
        for _ in 0..6 {
            outage.failed(now, 0, lack());
            let pause = (0..10).find(|seconds| outage.may_try(now.plus(Duration::from_secs(*seconds)))).unwrap();
            pauses.push(pause);
            now = now.plus(Duration::from_secs(pause));
        }
        assert_eq!(pauses, [1, 2, 4, 4, 4, 4]);
    }

    // W09: the host's time goes back by an hour.
    #[test]
    fn a_clock_that_goes_back_does_not_lengthen_the_pause() {
        let mut outage = Outage::default();
        outage.failed(UnixTime::from_secs(10_000), 0, lack());
        assert!(!outage.may_try(UnixTime::from_secs(10_000)));
        assert!(outage.may_try(UnixTime::from_secs(6_400)));
    }
}
