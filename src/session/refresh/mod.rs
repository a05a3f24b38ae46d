//! A session's tokens are renewed once, however many tabs, requests and workers want it, and what came of it is kept until the
//! browser has shown that it has it: OAuth 2.0 (RFC 6749 §6), OIDC Core §12.
//!
//! `protocol` decides, `table` is where the workers of one host meet, `hosts` where those of several do, `leader` asks, `grant` judges what the provider says.

mod grant;
mod hosts;
mod leader;
mod protocol;
mod table;
#[cfg(test)]
mod tests;

pub use hosts::Hosts;
pub use leader::Ending;
pub use protocol::ends_session;
pub use table::{Shared, Table};

use super::{Content, RelyingParty};
use crate::words::{Reason, Refusal};
use crate::world::{Flights, Host, Metric, Refresh, Version, Watch, World};
use grant::Grant;
use leader::{Lead, Terms};
use protocol::{Key, Record, State, Step, ends_with_access_token, step};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;
use table::millis;

/// How much longer than a call a request waits for it.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often a request looks what became of another worker's refresh.
const LOOK: Duration = Duration::from_millis(25);
/// How many refreshes a cookie may be behind.
const HOPS: u8 = 4;

/// What this worker knows of refreshes.
pub struct Refreshes {
    table: Rc<dyn Table>,
    flights: Flights<Ending>,
}

/// A session that was due.
pub struct Renewed {
    /// As it goes on.
    pub content: Rc<Content>,
    /// Whether the browser is to be given it.
    pub is_new: bool,
    /// A refresh that goes on beside the request.
    pub watch: Option<Watch<Ending>>,
}

/// Why a request cannot go on with its session.
pub enum NotRenewed {
    /// The session is over.
    Over(Reason),
    /// It cannot be renewed now.
    Refused(Refusal),
}

impl Refreshes {
    /// Refreshes over this table.
    pub fn new(table: Rc<dyn Table>) -> Self {
        Self { table, flights: Flights::default() }
    }
}

/// The session with tokens that live: as it is, as another request has renewed it, or as it is renewed now. While the present
/// access token lives, nobody waits.
pub async fn renew(world: &World, party: &Rc<RelyingParty>, content: &Rc<Content>) -> Result<Renewed, NotRenewed> {
    let (host, refreshes, settings) = (world.host(), &party.refreshes, &party.sessions.settings);
    let patience = host.monotonic().saturating_add(party.provider.settings.timeout).saturating_add(PATIENCE);
    let mut at = Rc::clone(content);
    let (mut is_new, mut hops) = (false, 0_u8);
    loop {
        let now = host.now();
        let lives = at.access_token_lives(now);
        let key = party.sessions.refresh_key(&at.sid, at.generation);
        if lives
            && !is_new
            && let Some(watch) = refreshes.flights.under_way(&key)
        {
            return Ok(Renewed { content: at, is_new, watch: Some(watch) });
        }
        let (record, version) = match refreshes.table.look(&host, key).await {
            Ok(found) => found,
            Err(_) if lives => return Ok(Renewed { content: at, is_new, watch: None }),
            Err(lost) => return Err(NotRenewed::Refused(lost.into())),
        };
        let next = step(record.as_ref(), millis(&*host));
        if is_new && now < at.refresh_due(&settings.refresh) && !matches!(next, Step::Follow(_)) {
            return Ok(Renewed { content: at, is_new, watch: None });
        }
        let watch = match next {
            Step::Follow(bytes) => {
                let next = Content::read(&bytes).filter(|next| next.comes_after(&at)).filter(|_| hops < HOPS);
                let next = next.ok_or_else(|| unavailable("what another worker left of it cannot be read"))?;
                host.count(Metric::Refreshes(Refresh::Followed));
                at = Rc::new(Content { touched: next.touched.max(at.touched), ..next });
                (is_new, hops) = (true, hops.saturating_add(1));
                continue;
            }
            Step::Failed(reason) => return failed(reason, at, is_new, lives),
            Step::Wait => refreshes.flights.under_way(&key),
            Step::Lead(attempt) => {
                let work = fly(world.clone(), Rc::clone(party), Rc::clone(&at), key, attempt, version);
                Some(refreshes.flights.start(&*host, &key, work))
            }
        };
        if lives {
            return Ok(Renewed { content: at, is_new, watch: watch.filter(|_| !is_new) });
        }
        let left = patience.saturating_sub(host.monotonic());
        if left.is_zero() {
            return Err(unavailable("no worker had an answer in time"));
        }
        match wait(&*host, watch, left).await {
            Some(Ending::Done(content)) => (at, is_new) = (content, true),
            Some(Ending::Failed(reason)) => return failed(reason, at, is_new, lives),
            Some(Ending::Elsewhere) | None => host.sleep(LOOK).await,
        }
    }
}

/// The browser has come with this generation: what led to it need not be kept much longer.
pub async fn acknowledge(world: World, party: Rc<RelyingParty>, content: Rc<Content>) {
    let Some(before) = content.generation.checked_sub(1) else { return };
    let (host, table) = (world.host(), &party.refreshes.table);
    let key = party.sessions.refresh_key(&content.sid, before);
    let Ok((Some(record), version)) = table.read(&host, key).await else { return };
    let State::Done { content, seen: false } = record.state else { return };
    let grace = u64::try_from(party.sessions.settings.refresh.grace.as_millis()).unwrap_or(u64::MAX);
    let until = record.until.min(millis(&*host).saturating_add(grace));
    // Who was faster has said the same, or the next one will.
    let _ =
        table.swap(&host, key, Record { until, state: State::Done { content, seen: true }, ..record }, version).await;
}

/// Refreshes a session. This outlives the request that began it.
async fn fly(
    world: World,
    party: Rc<RelyingParty>,
    content: Rc<Content>,
    key: Key,
    attempt: u8,
    version: Version,
) -> Ending {
    let host = world.host();
    let Some(refresh_token) = content.refresh_token.clone() else {
        return Ending::Failed(Reason::RefreshUnavailable);
    };
    // Before the lease: it would lapse while the provider's metadata are waited for.
    let metadata = match party.provider.metadata(&host).await {
        Ok(metadata) => metadata,
        Err(refusal) => return Ending::Failed(refusal.reason),
    };
    if attempt > 1 {
        host.count(Metric::Refreshes(Refresh::TakenOver));
    }
    let (settings, now) = (&party.sessions.settings, host.now());
    let lives = settings.lives_of(content.remembered);
    let rest = content.created.plus(lives.absolute).since(now);
    let terms = Terms {
        call: party.provider.settings.timeout,
        backoff: settings.refresh.backoff,
        done: lives.idle.min(rest),
        ended: rest,
    };
    let table = Rc::clone(&party.refreshes.table);
    let errand = Grant { world, party: Rc::clone(&party), metadata, refresh_token, content };
    let ending = Lead { host: Rc::clone(&host), table, key, attempt, version, terms, errand }.run().await;
    match &ending {
        Ending::Done(_) => host.count(Metric::Refreshes(Refresh::Done)),
        Ending::Failed(reason) if ends_session(*reason) => host.count(Metric::Refreshes(Refresh::Ended)),
        Ending::Failed(_) => host.count(Metric::Refreshes(Refresh::Failed)),
        Ending::Elsewhere => {}
    }
    ending
}

/// A flight's answer within `left`; at once `None` where another worker's is waited for.
async fn wait(host: &dyn Host, watch: Option<Watch<Ending>>, left: Duration) -> Option<Ending> {
    let mut landing = pin!(watch?.land());
    let mut time = host.sleep(left);
    poll_fn(move |context| match landing.as_mut().poll(context) {
        std::task::Poll::Ready(answer) => std::task::Poll::Ready(answer.ok()),
        std::task::Poll::Pending => time.as_mut().poll(context).map(|()| None),
    })
    .await
}

fn failed(reason: Reason, content: Rc<Content>, is_new: bool, lives: bool) -> Result<Renewed, NotRenewed> {
    if ends_session(reason) || (!lives && ends_with_access_token(reason)) {
        return Err(NotRenewed::Over(reason));
    }
    if lives {
        return Ok(Renewed { content, is_new, watch: None });
    }
    Err(NotRenewed::Refused(Refusal::new(reason, "the access token has ended, and its renewal failed a moment ago")))
}

fn unavailable(detail: &str) -> NotRenewed {
    NotRenewed::Refused(Refusal::new(Reason::RefreshUnavailable, detail))
}
