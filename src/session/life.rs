//! How long a session lives.

use super::content::Content;
use crate::config;
use crate::words::UnixTime;
use std::time::Duration;

/// A session at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It lives.
    Fresh,
    /// It lives, and its use is to be written down.
    TouchDue,
    /// It is over: unused for too long, or too old.
    Over,
}

impl Content {
    /// The session's life at `now`. A clock that went back neither ends nor lengthens it beyond `absolute`.
    pub fn life(&self, settings: &config::Session, now: UnixTime) -> Life {
        if now >= self.ends(settings) {
            return Life::Over;
        }
        if now >= self.touched.plus(settings.touch) {
            return Life::TouchDue;
        }
        Life::Fresh
    }

    /// Until when the browser need keep the cookie.
    pub fn ends(&self, settings: &config::Session) -> UnixTime {
        let lives = settings.lives_of(self.remembered);
        self.created.plus(lives.absolute).min(self.touched.plus(lives.idle))
    }

    /// The content with its use written down.
    pub fn touched_at(&self, now: UnixTime) -> Self {
        Self { touched: now.max(self.touched), ..self.clone() }
    }

    /// Whether this is what a refresh made of `before`.
    pub fn comes_after(&self, before: &Self) -> bool {
        self.sid == before.sid && Some(self.generation) == before.generation.checked_add(1)
    }

    /// From when on the tokens are to be renewed: early, each session at its own moment, and all who have the session agree
    /// on it. A token that lives shortly is used for half of its life at least.
    pub fn refresh_due(&self, refresh: &config::Refresh) -> UnixTime {
        if !refresh.is_on || self.refresh_token.is_none() {
            return UnixTime::from_secs(u64::MAX);
        }
        if refresh.before.is_zero() {
            return self.access_expires;
        }
        let [one, two, three, four, ..] = self.sid;
        let share = u64::from(u32::from_le_bytes([one, two, three, four]).wrapping_add(self.generation));
        let shares = refresh.jitter.as_secs().saturating_add(1);
        let jitter = Duration::from_secs(share.checked_rem(shares).unwrap_or_default());
        let half = self.access_expires.since(self.access_born).checked_div(2).unwrap_or_default();
        self.access_expires.minus(refresh.before.saturating_add(jitter).min(half))
    }

    /// Whether the access token can still be sent on.
    pub fn access_token_lives(&self, now: UnixTime) -> bool {
        now < self.access_expires
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::settings;
    use super::*;
    use crate::session::content::tests::content;

    // S10: to the second. Created at 1000, touched at 1060; idle 900, absolute 3600, touch 60.
    #[test]
    fn it_ends_on_the_second() {
        let at = |seconds| content().life(&settings(), UnixTime::from_secs(seconds));
        assert_eq!(at(1_119), Life::Fresh);
        assert_eq!(at(1_120), Life::TouchDue);
        assert_eq!(at(1_959), Life::TouchDue);
        assert_eq!(at(1_960), Life::Over);
        let old = Content { touched: UnixTime::from_secs(4_590), ..content() };
        assert_eq!(old.life(&settings(), UnixTime::from_secs(4_599)), Life::Fresh);
        assert_eq!(old.life(&settings(), UnixTime::from_secs(4_600)), Life::Over);
    }

    #[test]
    fn it_is_renewed_early_each_session_at_its_own_moment() {
        let refresh = settings().refresh;
        let due = |content: Content, refresh| content.refresh_due(&refresh).as_secs();
        // Born at 1000, ends at 4600.
        let moments: std::collections::HashSet<u64> =
            (0..=255).map(|byte| due(Content { sid: [byte; 16], ..content() }, refresh)).collect();
        assert!(moments.iter().all(|moment| (4_520..=4_540).contains(moment)) && moments.len() > 15, "{moments:?}");
        assert_eq!(due(content(), refresh), due(content(), refresh));
        let short = Content { access_born: UnixTime::from_secs(4_500), ..content() };
        assert_eq!(due(short, refresh), 4_550, "half of its life at least");
        assert_eq!(due(content(), config::Refresh { before: Duration::ZERO, ..refresh }), 4_600);
        assert_eq!(due(content(), config::Refresh { is_on: false, ..refresh }), u64::MAX);
        assert_eq!(due(Content { refresh_token: None, ..content() }, refresh), u64::MAX);
    }

    // W09.
    #[test]
    fn a_clock_that_goes_back_does_not_end_it() {
        assert_eq!(content().life(&settings(), UnixTime::from_secs(0)), Life::Fresh);
    }
}
