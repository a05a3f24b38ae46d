//! One flight per question: who asks what is already being asked waits for the same answer.

use std::any::Any;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::{Host, LocalFuture};

/// The flight ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlightLost;

/// Questions under way, by their names, each asked once however many wait for its answer.
///
/// The work belongs to the host's root, so it goes on when the request that began it has gone.
pub struct Flights<V> {
    board: Rc<Board>,
    kind: PhantomData<V>,
}

impl<V> Default for Flights<V> {
    fn default() -> Self {
        Self { board: Rc::default(), kind: PhantomData }
    }
}

impl<V: Clone + 'static> Flights<V> {
    /// The flight under way for the question `name`, or one that does `work`, which is dropped unseen when there is one.
    pub fn start(&self, host: &dyn Host, name: &[u8], work: impl Future<Output = V> + 'static) -> Watch<V> {
        self.under_way(name).unwrap_or_else(|| {
            let work = Box::pin(async move { Box::new(work.await) as Box<dyn Any> });
            Watch { flight: self.board.begin(host, name, work), kind: PhantomData }
        })
    }

    /// The flight that is under way for the question `name`.
    pub fn under_way(&self, name: &[u8]) -> Option<Watch<V>> {
        self.board.find(name).map(|flight| Watch { flight, kind: PhantomData })
    }
}

/// A flight as somebody sees it who need not wait for it.
pub struct Watch<V> {
    flight: Rc<Flight>,
    kind: PhantomData<V>,
}

impl<V: Clone + 'static> Watch<V> {
    /// Its answer, if it has landed with one.
    pub fn landed(&self) -> Option<V> {
        self.flight.answer.get()?.downcast_ref().cloned()
    }

    /// Its answer, when it lands.
    pub async fn land(self) -> Result<V, FlightLost> {
        poll_fn(|context| self.flight.poll(context.waker())).await;
        self.landed().ok_or(FlightLost)
    }
}

/// What is under way, whatever kind of answers it brings: this is the same for all of them.
#[derive(Default)]
struct Board {
    flights: RefCell<HashMap<Box<[u8]>, Rc<Flight>>>,
}

impl Board {
    fn find(&self, name: &[u8]) -> Option<Rc<Flight>> {
        self.flights.borrow().get(name).map(Rc::clone)
    }

    fn begin(self: &Rc<Self>, host: &dyn Host, name: &[u8], work: LocalFuture<Box<dyn Any>>) -> Rc<Flight> {
        let flight = Rc::new(Flight { answer: OnceCell::new(), waiting: RefCell::new(Some(Vec::new())) });
        self.flights.borrow_mut().insert(name.into(), Rc::clone(&flight));
        let landing = Landing { board: Rc::clone(self), name: name.into(), flight: Rc::clone(&flight) };
        host.spawn(Box::pin(async move {
            let answer = work.await;
            // This alone sets it, once.
            let _ = landing.flight.answer.set(answer);
        }));
        flight
    }
}

struct Flight {
    answer: OnceCell<Box<dyn Any>>,
    /// Who waits; `None` when it has ended.
    waiting: RefCell<Option<Vec<Waker>>>,
}

impl Flight {
    /// Whether it has ended.
    fn poll(&self, waker: &Waker) -> Poll<()> {
        let mut waiting = self.waiting.borrow_mut();
        let Some(waiting) = &mut *waiting else { return Poll::Ready(()) };
        waiting.retain(|known| !known.will_wake(waker));
        waiting.push(waker.clone());
        Poll::Pending
    }
}

/// Takes the flight off the board however its work ends; dropped work leaves nobody waiting.
struct Landing {
    board: Rc<Board>,
    name: Box<[u8]>,
    flight: Rc<Flight>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let waiting = self.flight.waiting.take();
        waiting.into_iter().flatten().for_each(Waker::wake);
        self.board.flights.borrow_mut().remove(&self.name);
    }
}
