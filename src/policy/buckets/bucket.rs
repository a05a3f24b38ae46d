//! One caller's bucket: what was spent, and what has come back since.
//!
//! Counted in whole numbers, so that nothing is lost to rounding: a request costs as many units as its period has
//! milliseconds, and each millisecond as many units come back as the limit has requests.

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// So many requests come back in one period; at least 1.
    pub limit: u32,
    /// The period in milliseconds; at least 1.
    pub period: u64,
    /// So many requests may come at once; at least 1.
    pub burst: u32,
}

/// What a caller has spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Units that were gone.
    pub spent: u64,
    /// Units that come back each millisecond.
    pub limit: u32,
    /// When that was, in milliseconds since the epoch.
    pub at: u64,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It may pass.
    Granted {
        /// How many more may follow it at once.
        remaining: u32,
        /// In how many milliseconds the bucket is full again.
        full_in: u64,
    },
    /// It may not.
    Refused {
        /// In how many milliseconds one may.
        wait: u64,
    },
}

impl Bucket {
    /// A bucket from which nothing was taken.
    pub const FULL: Self = Self { spent: 0, limit: 1, at: 0 };

    /// Takes one request out. The bucket after it is `None` where it is the one before.
    pub fn take(self, allowance: Allowance, now: u64) -> (Option<Self>, Taken) {
        let Allowance { limit, period, burst } = allowance;
        let holds = period.saturating_mul(u64::from(burst));
        let spent = self.spent_at(now).min(holds);
        let left = holds.saturating_sub(spent);
        match left.checked_sub(period) {
            Some(left) => {
                let after = Self { spent: spent.saturating_add(period), limit, at: now };
                let remaining = left.checked_div(period).and_then(|requests| u32::try_from(requests).ok());
                let granted = Taken::Granted { remaining: remaining.unwrap_or(u32::MAX), full_in: after.full_in(now) };
                (Some(after), granted)
            }
            None => {
                let wait = period.saturating_sub(left).div_ceil(u64::from(limit.max(1)));
                // What stands is not written again, unless the clock went back: then time counts from now on, so that
                // nobody waits until the clock is again where it was.
                let stands = self.limit == limit && self.at <= now;
                ((!stands).then_some(Self { spent, limit, at: now }), Taken::Refused { wait })
            }
        }
    }

    /// Puts one request back.
    pub fn give(self, allowance: Allowance, now: u64) -> Self {
        let spent = self.spent_at(now).saturating_sub(allowance.period);
        Self { spent, limit: allowance.limit, at: now }
    }

    /// In how many milliseconds it is full again.
    pub fn full_in(&self, now: u64) -> u64 {
        self.spent_at(now).div_ceil(u64::from(self.limit.max(1)))
    }

    /// What is still gone. A clock that went back brings nothing back, and takes nothing away.
    fn spent_at(&self, now: u64) -> u64 {
        self.spent.saturating_sub(now.saturating_sub(self.at).saturating_mul(u64::from(self.limit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_800_000_000_000;

    fn per_minute(limit: u32, burst: u32) -> Allowance {
        Allowance { limit, period: 60_000, burst }
    }

    /// Lets a caller ask at these moments; which of them passed.
    fn passed(allowance: Allowance, moments: impl IntoIterator<Item = u64>) -> usize {
        let mut bucket = Bucket::FULL;
        let moments = moments.into_iter();
        moments
            .filter(|now| {
                let (after, taken) = bucket.take(allowance, *now);
                bucket = after.unwrap_or(bucket);
                matches!(taken, Taken::Granted { .. })
            })
            .count()
    }

    #[test]
    fn a_burst_passes_and_no_more() {
        assert_eq!(passed(per_minute(60, 5), [NOW; 20]), 5);
        assert_eq!(passed(per_minute(60, 60), [NOW; 200]), 60);
        assert_eq!(passed(per_minute(1, 1), [NOW; 20]), 1);
    }

    #[test]
    fn it_refills_at_the_limit_to_the_millisecond() {
        assert_eq!(passed(per_minute(60, 1), [NOW, NOW + 999]), 1);
        assert_eq!(passed(per_minute(60, 1), [NOW, NOW + 1000]), 2);
        // Seven a minute: no whole number of milliseconds for one, and yet seven in each minute.
        let every_ms = |minutes: u64| (0..60_000 * minutes).map(|ms| NOW + ms);
        assert_eq!(passed(per_minute(7, 1), every_ms(1)), 7);
        assert_eq!(passed(per_minute(7, 1), every_ms(10)), 70);
    }

    #[test]
    fn a_rest_fills_it_to_the_burst_and_not_beyond() {
        let rested = [NOW; 10].into_iter().chain([NOW + 86_400_000; 20]);
        assert_eq!(passed(per_minute(60, 10), rested), 20);
    }

    #[test]
    fn it_says_what_is_left_and_when_to_come_again() {
        let (after, taken) = Bucket::FULL.take(per_minute(60, 3), NOW);
        assert_eq!(taken, Taken::Granted { remaining: 2, full_in: 1000 });
        let (after, taken) = after.unwrap().take(per_minute(60, 3), NOW + 500);
        assert_eq!(taken, Taken::Granted { remaining: 1, full_in: 1500 });
        let (after, _) = after.unwrap().take(per_minute(60, 3), NOW + 500);
        let (same, taken) = after.unwrap().take(per_minute(60, 3), NOW + 500);
        assert_eq!((same, taken), (None, Taken::Refused { wait: 500 }));
        let (_, taken) = after.unwrap().take(per_minute(60, 3), NOW + 1000);
        assert_eq!(taken, Taken::Granted { remaining: 0, full_in: 3000 });
    }

    /// Neither locked out until the clock is where it was, nor given a full bucket.
    #[test]
    fn a_clock_that_goes_back_refills_nothing_and_locks_nobody_out() {
        let back = NOW - 86_400_000;
        assert_eq!(passed(per_minute(60, 5), [NOW; 5].into_iter().chain([back; 5])), 5);
        assert_eq!(passed(per_minute(60, 5), [NOW, NOW].into_iter().chain([back; 5])), 5);
        assert_eq!(passed(per_minute(60, 5), [NOW; 5].into_iter().chain([back, back + 1000])), 6);
    }

    /// A plan that changes: what was spent stays spent, the new limit holds from now on.
    #[test]
    fn a_limit_that_changes_holds_at_once() {
        let spent = |limit, requests: usize| {
            (0..requests).fold(Bucket::FULL, |bucket, _| bucket.take(per_minute(limit, limit), NOW).0.unwrap_or(bucket))
        };
        assert!(matches!(spent(60, 60).take(per_minute(600, 600), NOW).1, Taken::Granted { remaining: 539, .. }));
        let (after, taken) = spent(600, 600).take(per_minute(60, 60), NOW);
        assert_eq!(taken, Taken::Refused { wait: 1000 });
        assert!(matches!(after.unwrap().take(per_minute(60, 60), NOW + 1000).1, Taken::Granted { remaining: 0, .. }));
    }

    #[test]
    fn what_is_given_back_is_there_again() {
        let limit = per_minute(60, 2);
        let (one, _) = Bucket::FULL.take(limit, NOW);
        let (two, _) = one.unwrap().take(limit, NOW);
        assert!(matches!(two.unwrap().take(limit, NOW).1, Taken::Refused { .. }));
        assert!(matches!(two.unwrap().give(limit, NOW).take(limit, NOW).1, Taken::Granted { remaining: 0, .. }));
        // Never more than it holds.
        assert_eq!(Bucket::FULL.give(limit, NOW).full_in(NOW), 0);
    }

    proptest! {
        /// Whatever stands in the table, and whenever one comes: no more passes than burst and limit allow.
        #[test]
        fn no_more_than_burst_and_limit_pass(
            limit in 1_u32..100, burst in 1_u32..100, steps in proptest::collection::vec(0_u64..5_000, 1..200),
        ) {
            let moments: Vec<u64> = steps.iter().scan(NOW, |now, step| { *now += step; Some(*now) }).collect();
            let span = moments.last().unwrap() - moments[0];
            let most = u64::from(burst) + (span * u64::from(limit)).div_ceil(60_000);
            prop_assert!(passed(per_minute(limit, burst), moments) as u64 <= most);
        }

        #[test]
        fn no_numbers_do_harm(spent: u64, stored: u32, at: u64, now: u64, limit in 1_u32.., burst in 1_u32.., period in 1_u64..) {
            let bucket = Bucket { spent, limit: stored, at };
            let _ = (bucket.take(Allowance { limit, period, burst }, now), bucket.full_in(now));
        }
    }
}
