//! The one who refreshes: it takes the lease, asks, and writes down what came of it.

use super::protocol::{ATTEMPTS, End, Holder, Key, Record, State, end, ends_with_access_token};
use super::table::{Table, millis};
use crate::provider::token::NotRefreshed;
use crate::session::Content;
use crate::words::{Reason, Refusal};
use crate::world::{Host, Version};
use std::rc::Rc;
use std::time::Duration;

/// How much longer than its call a lease lasts.
const MARGIN: Duration = Duration::from_secs(2);
/// How long to wait before a refusal is believed that another's success may explain.
const SECOND_LOOK: Duration = Duration::from_secs(1);
/// How often a write is tried that others were faster with.
const TRIES: usize = 8;
/// How often a table is tried that does not answer.
const LOSSES: usize = 30;

/// What a leader asks.
pub trait Errand {
    /// What the provider answers.
    type Tokens;

    /// Shows the refresh token: the one step that must not happen twice.
    async fn ask(&self) -> Result<Self::Tokens, NotRefreshed>;

    /// The session with these tokens; an answer that fails is dropped whole.
    async fn judge(&self, tokens: Self::Tokens) -> Result<Rc<Content>, Refusal>;

    /// Whether the session was revoked while the provider was asked. What it gave is revoked then, too.
    fn is_revoked(&self, content: &Content) -> bool;
}

/// How a refresh ended for those who waited for it.
#[derive(Clone)]
pub enum Ending {
    /// The session goes on as this.
    Done(Rc<Content>),
    /// It failed.
    Failed(Reason),
    /// Another one has it in hand: its record is to be read.
    Elsewhere,
}

/// How long things hold.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// How long a call may take.
    pub call: Duration,
    /// How long a failed try is not repeated.
    pub backoff: Duration,
    /// How long the session's next generation is kept for browsers that do not have it yet.
    pub done: Duration,
    /// How long it is known that the session has ended.
    pub ended: Duration,
}

/// One refresh, to be led.
pub struct Lead<E> {
    pub host: Rc<dyn Host>,
    pub table: Rc<dyn Table>,
    pub key: Key,
    pub attempt: u8,
    /// Of the record that was read.
    pub version: Version,
    pub terms: Terms,
    pub errand: E,
}

impl<E: Errand> Lead<E> {
    /// Takes the lease and refreshes. Whoever was faster has it in hand.
    pub async fn run(self) -> Ending {
        let mut holder: Holder = [0; 16];
        self.host.fill_random(&mut holder);
        let lease = self.lease(holder, 1);
        if self.table.swap(&self.host, self.key, lease, self.version).await.is_err() {
            return Ending::Elsewhere;
        }
        let result = match self.errand.ask().await {
            Ok(tokens) => {
                self.hold(holder).await;
                self.errand.judge(tokens).await
            }
            Err(NotRefreshed::Trouble(refusal)) => Err(refusal),
            Err(NotRefreshed::Over) => {
                if let Some(theirs) = self.second_look(holder).await {
                    return theirs;
                }
                Err(self.refused())
            }
        };
        let result = result.and_then(|content| match self.errand.is_revoked(&content) {
            true => Err(Refusal::new(Reason::RefreshRefused, "the session was revoked while its tokens were renewed")),
            false => Ok(content),
        });
        if let Err(refusal) = &result {
            self.host.log(log::Level::Warn, &refusal.to_string());
        }
        self.conclude(holder, result.map_err(|refusal| refusal.reason)).await
    }

    fn lease(&self, holder: Holder, calls: u32) -> Record {
        let span = self.terms.call.saturating_mul(calls).saturating_add(MARGIN);
        Record { attempt: self.attempt, until: self.after(span), state: State::Leased(holder) }
    }

    fn after(&self, span: Duration) -> u64 {
        millis(&*self.host).saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
    }

    /// Keeps the lease while keys and userinfo are asked for: the refresh token is spent, so nobody may take over.
    async fn hold(&self, holder: Holder) {
        for _ in 0..TRIES {
            let Ok((record, version)) = self.table.read(&self.host, self.key).await else { return };
            let is_mine = record.is_some_and(|record| record.state == State::Leased(holder));
            let lease = self.lease(holder, 2);
            if !is_mine || self.table.swap(&self.host, self.key, lease, version).await.is_ok() {
                return;
            }
        }
    }

    /// A refresh token that another one has just used is refused as well: then theirs counts.
    async fn second_look(&self, holder: Holder) -> Option<Ending> {
        let (record, _) = self.table.read(&self.host, self.key).await.ok()?;
        let is_mine = record.is_none_or(|record| record.state == State::Leased(holder));
        if self.attempt == 1 && is_mine {
            return None;
        }
        self.host.sleep(SECOND_LOOK).await;
        let (record, _) = self.table.read(&self.host, self.key).await.ok()?;
        match end(record.as_ref(), &holder, false, millis(&*self.host)) {
            End::Write => None,
            End::Theirs => Some(Ending::Elsewhere),
        }
    }

    fn refused(&self) -> Refusal {
        if self.attempt >= ATTEMPTS {
            let detail = "the worker that refreshed the session was lost, and the refresh token does not work again";
            return Refusal::new(Reason::RefreshLost, detail);
        }
        Refusal::new(Reason::RefreshRefused, "the provider refused the refresh token: invalid_grant")
    }

    async fn conclude(&self, holder: Holder, result: Result<Rc<Content>, Reason>) -> Ending {
        let (state, span) = match &result {
            Ok(content) => {
                let Some(content) = content.write() else { return Ending::Failed(Reason::RefreshUnavailable) };
                (State::Done { content, seen: false }, self.terms.done)
            }
            Err(reason) if ends_with_access_token(*reason) => (State::Failed(*reason), self.terms.ended),
            Err(reason) => (State::Failed(*reason), self.terms.backoff),
        };
        let mut tries = 0..TRIES;
        let mut losses = 0..LOSSES;
        while !tries.is_empty() {
            let Ok((record, version)) = self.table.read(&self.host, self.key).await else {
                // What the provider gave cannot be had again: it is written when the table is back.
                if losses.next().is_none() {
                    break;
                }
                self.host.sleep(SECOND_LOOK).await;
                continue;
            };
            tries.next();
            if end(record.as_ref(), &holder, result.is_ok(), millis(&*self.host)) == End::Theirs {
                return Ending::Elsewhere;
            }
            let record = Record { attempt: self.attempt, until: self.after(span), state: state.clone() };
            if self.table.swap(&self.host, self.key, record, version).await.is_ok() {
                break;
            }
        }
        match result {
            Ok(content) => Ending::Done(content),
            Err(reason) => Ending::Failed(reason),
        }
    }
}
