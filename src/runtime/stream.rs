//! What is known of one stream while it lives: how far its decision is, its body, what its answer is to carry.

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

/// One stream.
pub struct Stream {
    /// The host's number for it.
    pub id: u32,
    /// How far its decision is.
    pub phase: Cell<Phase>,
    /// What the client gets with the service's answer.
    pub late: RefCell<HeaderEdits>,
    /// What it gets besides, if it is there by then.
    pub later: RefCell<Option<Late>>,
    state: RefCell<State>,
    waker: RefCell<Option<Waker>>,
}

impl Stream {
    /// A stream of which nothing is known yet.
    pub fn new(id: u32) -> Self {
        Self {
            id,
            phase: Cell::new(Phase::Undecided),
            late: RefCell::default(),
            later: RefCell::default(),
            state: RefCell::default(),
            waker: RefCell::default(),
        }
    }

    /// Bodies can be read here, and this request's is still to come.
    pub fn expect_body(&self) {
        self.set(State::Arriving);
    }

    /// Whether the body is still to come, or to end.
    pub fn is_body_arriving(&self) -> bool {
        matches!(*self.state.borrow(), State::Arriving)
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
        *self.state.borrow_mut() = state;
        let waker = self.waker.borrow_mut().take();
        waker.into_iter().for_each(Waker::wake);
    }

    fn poll(&self, limit: usize, waker: &Waker) -> Poll<Result<Vec<u8>, BodyError>> {
        match &*self.state.borrow() {
            State::Unreadable => Poll::Ready(Err(BodyError::Unreadable)),
            State::Overflown => Poll::Ready(Err(BodyError::TooLarge)),
            State::Whole(body) if body.len() > limit => Poll::Ready(Err(BodyError::TooLarge)),
            State::Whole(body) => Poll::Ready(Ok(body.clone())),
            State::Arriving => {
                *self.waker.borrow_mut() = Some(waker.clone());
                Poll::Pending
            }
        }
    }
}

#[derive(Default)]
enum State {
    #[default]
    Unreadable,
    Arriving,
    Overflown,
    Whole(Vec<u8>),
}

impl Body for Stream {
    fn read(self: Rc<Self>, limit: usize) -> LocalFuture<Result<Vec<u8>, BodyError>> {
        Box::pin(poll_fn(move |context| self.poll(limit, context.waker())))
    }
}
