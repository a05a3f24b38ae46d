//! Calls under way, by the token that their answer will carry.

use crate::world::{CallError, Endpoint, LocalFuture, ProviderRequest, ProviderResponse};
use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

/// How many calls to one cluster may be under way on one worker. Dropping a future stops no call, so this bounds what
/// clients that come and go can start; and a provider that stalls does not use up what is meant for another.
const MOST: usize = 128;

type Outcome = Result<ProviderResponse, CallError>;

/// Every call that was sent and not yet answered.
#[derive(Default)]
pub struct Calls {
    /// Few enough to walk over.
    under_way: RefCell<Vec<Call>>,
}

struct Call {
    token: u32,
    cluster: String,
    limit: usize,
    endpoint: Endpoint,
    sent: Duration,
    slot: Rc<RefCell<Slot>>,
}

enum Slot {
    Waiting(Option<Waker>),
    Answered(Option<Outcome>),
}

impl Calls {
    /// Whether no further call to `cluster` may begin.
    pub fn are_too_many(&self, cluster: &str) -> bool {
        self.under_way.borrow().iter().filter(|call| call.cluster == cluster).count() >= MOST
    }

    /// Waits for the answer to `request`, which will carry `token`; `sent` is when it was sent, by the monotonic clock.
    pub fn expect(&self, token: u32, request: ProviderRequest, sent: Duration) -> LocalFuture<Outcome> {
        let slot = Rc::new(RefCell::new(Slot::Waiting(None)));
        let ProviderRequest { cluster, limit, endpoint, .. } = request;
        let call = Call { token, cluster, limit, endpoint, sent, slot: Rc::clone(&slot) };
        self.under_way.borrow_mut().push(call);
        Box::pin(poll_fn(move |context| match &mut *slot.borrow_mut() {
            Slot::Waiting(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            Slot::Answered(outcome) => Poll::Ready(outcome.take().unwrap_or(Err(CallError::NoAnswer))),
        }))
    }

    /// Hands an answer to who waits for it; `read` gets the limit. An unknown token is nobody's: ignored (attack V09).
    /// Gives back which endpoint it was, and when the request was sent.
    pub fn answered(&self, token: u32, read: impl FnOnce(usize) -> Outcome) -> Option<(Endpoint, Duration)> {
        let call = {
            let mut under_way = self.under_way.borrow_mut();
            let place = under_way.iter().position(|call| call.token == token)?;
            under_way.swap_remove(place)
        };
        let outcome = read(call.limit);
        let before = std::mem::replace(&mut *call.slot.borrow_mut(), Slot::Answered(Some(outcome)));
        if let Slot::Waiting(Some(waker)) = before {
            waker.wake();
        }
        Some((call.endpoint, call.sent))
    }
}
