//! Who refreshes a session, and whose answer counts: the decisions, without time, table or network.
//!
//! A session with generation `g` has one record, which all workers see. Whoever finds none leads: it writes a lease, asks the
//! provider, and writes down what came of it. All others wait for that, or go on with the access token that they have. A
//! lease lasts longer than its call, so it lapses only when its worker is lost; then another takes over, once.

use crate::words::Reason;

/// How often one refresh is tried: the second time after the first worker was lost.
pub const ATTEMPTS: u8 = 2;

/// A session and its generation, as the workers name it to each other.
pub type Key = [u8; 16];

/// Which lease it is.
pub type Holder = [u8; 16];

/// What is known of one generation's refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Which try it is, from one.
    pub attempt: u8,
    /// Until when it holds, in milliseconds of the host's monotonic clock.
    pub until: u64,
    /// How far it is.
    pub state: State,
}

/// How far a refresh is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A worker is at it.
    Leased(Holder),
    /// The session as it goes on.
    Done {
        /// The content of the next generation.
        content: Vec<u8>,
        /// Whether the browser has come with the next generation.
        seen: bool,
    },
    /// It failed.
    Failed(Reason),
}

/// What a request finds that comes with a generation.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// The session goes on as this.
    Follow(Vec<u8>),
    /// It was refused, or failed a moment ago.
    Failed(Reason),
    /// Another one is at it.
    Wait,
    /// It is free for this try.
    Lead(u8),
}

/// What to do with the record when a leader is back.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// Write down what came of it.
    Write,
    /// Leave what others wrote, and go by that.
    Theirs,
}

/// The step after having read `record`.
pub fn step(record: Option<&Record>, now: u64) -> Step {
    let Some(record) = record else { return Step::Lead(1) };
    let holds = now < record.until;
    match &record.state {
        State::Leased(_) if holds => Step::Wait,
        State::Leased(_) if record.attempt >= ATTEMPTS => Step::Failed(Reason::RefreshLost),
        State::Leased(_) => Step::Lead(record.attempt.saturating_add(1)),
        State::Done { content, .. } if holds => Step::Follow(content.clone()),
        State::Failed(reason) if holds => Step::Failed(*reason),
        State::Done { .. } | State::Failed(_) => Step::Lead(1),
    }
}

/// Whether a leader writes its result over `record`. Success wins, since a provider that rotates lets only one succeed; but
/// what another one has done stays: browsers have it already.
pub fn end(record: Option<&Record>, holder: &Holder, succeeded: bool, now: u64) -> End {
    match record {
        None => End::Write,
        Some(Record { state: State::Leased(theirs), .. }) if theirs == holder => End::Write,
        Some(Record { state: State::Done { .. }, until, .. }) if now < *until => End::Theirs,
        Some(_) if succeeded => End::Write,
        Some(_) => End::Theirs,
    }
}

/// Whether the session is over with this failure, and not only its refresh.
pub const fn ends_session(reason: Reason) -> bool {
    matches!(reason, Reason::RefreshRefused | Reason::RefreshInvalid)
}

/// Whether it is over when its access token has ended.
pub const fn ends_with_access_token(reason: Reason) -> bool {
    ends_session(reason) || matches!(reason, Reason::RefreshLost)
}
