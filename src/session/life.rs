//! How long a session lives.

use super::content::Content;
use crate::config;
use crate::words::UnixTime;

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

    // W09.
    #[test]
    fn a_clock_that_goes_back_does_not_end_it() {
        assert_eq!(content().life(&settings(), UnixTime::from_secs(0)), Life::Fresh);
    }
}
