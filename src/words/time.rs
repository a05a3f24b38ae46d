//! Points in time, in whole seconds, that cannot overflow.

use std::time::Duration;

/// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted: the `NumericDate` of RFC 7519 §2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The moment `seconds` after the epoch.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// This moment moved into the future; stops at the end of time instead of wrapping.
    pub const fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.as_secs()))
    }

    /// This moment moved into the past; stops at the epoch.
    pub const fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span.as_secs()))
    }

    /// How long ago `earlier` was; zero when it lies in the future, as after a clock that went back.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_time_do_not_wrap() {
        let hour = Duration::from_secs(3600);
        assert_eq!(UnixTime::from_secs(u64::MAX).plus(hour).as_secs(), u64::MAX);
        assert_eq!(UnixTime::from_secs(10).minus(hour).as_secs(), 0);
        assert_eq!(UnixTime::from_secs(10).since(UnixTime::from_secs(70)), Duration::ZERO);
    }
}
