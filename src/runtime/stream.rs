//! What is known of one stream while it lives: how far its decision is, its body, what its answer is to carry.

use super::Runtime;
use crate::words::{HeaderEdits, Late};
use crate::world::{Body, BodyError, LocalFuture};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// The largest body that any endpoint of ours reads.
pub const LARGEST_BODY: usize = 64 * 1024;

/// How far a stream's decision is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing may reach the service yet.
    Undecided,
    /// It goes to the service.
    Forwarded,
    /// We answered it.
    Answered,
}

/// One stream. What few of them need is kept elsewhere: each request makes one.
pub struct Stream {
    /// The host's number for it.
    pub id: u32,
    /// What drives it.
    pub runtime: Rc<Runtime>,
    /// How far its decision is.
    pub phase: Cell<Phase>,
    /// What its answer is to carry, if anything.
    pub answer: RefCell<Option<Box<Answer>>>,
    /// `None` where bodies cannot be read.
    body: RefCell<Option<Box<Incoming>>>,
}

/// What the client gets with the service's answer.
pub struct Answer {
    /// Known when the request goes on.
    pub edits: HeaderEdits,
    /// What it gets besides, if it is there by then.
    pub late: Option<Late>,
}

/// A request's body.
struct Incoming {
    state: State,
    /// Who waits for it.
    waker: Option<Waker>,
}

enum State {
    Arriving,
    Overflown,
    Whole(Vec<u8>),
}

impl Stream {
    /// A stream of which nothing is known yet.
    pub fn new(id: u32, runtime: Rc<Runtime>) -> Self {
        Self { id, runtime, phase: Cell::new(Phase::Undecided), answer: RefCell::default(), body: RefCell::default() }
    }

    /// Bodies can be read here, and this request's is still to come.
    pub fn expect_body(&self) {
        self.set(State::Arriving);
    }

    /// Whether the body is still to come, or to end.
    pub fn is_body_arriving(&self) -> bool {
        self.body.borrow().as_ref().is_some_and(|body| matches!(body.state, State::Arriving))
    }

    /// More than any endpoint of ours reads has arrived.
    pub fn body_overflows(&self) {
        self.set(State::Overflown);
    }

    /// The whole body is there.
    pub fn body_ends(&self, body: Vec<u8>) {
        self.set(State::Whole(body));
    }

    fn set(&self, state: State) {
        let before = self.body.replace(Some(Box::new(Incoming { state, waker: None })));
        before.and_then(|before| before.waker).into_iter().for_each(Waker::wake);
    }

    fn poll(&self, limit: usize, waker: &Waker) -> Poll<Result<Vec<u8>, BodyError>> {
        let mut body = self.body.borrow_mut();
        let Some(body) = body.as_mut() else { return Poll::Ready(Err(BodyError::Unreadable)) };
        match &body.state {
            State::Overflown => Poll::Ready(Err(BodyError::TooLarge)),
            State::Whole(body) if body.len() > limit => Poll::Ready(Err(BodyError::TooLarge)),
            State::Whole(body) => Poll::Ready(Ok(body.clone())),
            State::Arriving => {
                body.waker = Some(waker.clone());
                Poll::Pending
            }
        }
    }
}

impl Body for Stream {
    fn read(self: Rc<Self>, limit: usize) -> LocalFuture<Result<Vec<u8>, BodyError>> {
        Box::pin(poll_fn(move |context| self.poll(limit, context.waker())))
    }
}
