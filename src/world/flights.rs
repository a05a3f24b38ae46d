//! One flight per question: who asks what is already being asked waits for the same answer.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::Host;

/// The flight ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlightLost;

/// Questions under way, by their names, each asked once however many wait for its answer.
///
/// The work belongs to the host's root, so it goes on when the request that began it has gone.
pub struct Flights<V> {
    under_way: Board<V>,
}

type Board<V> = Rc<RefCell<HashMap<Box<[u8]>, Rc<Flight<V>>>>>;

struct Flight<V> {
    answer: OnceCell<V>,
    passengers: Passengers,
}

impl<V> Default for Flights<V> {
    fn default() -> Self {
        Self { under_way: Rc::default() }
    }
}

impl<V: Clone + 'static> Flights<V> {
    /// The flight under way for the question `name`, or one that does `work`, which is dropped unseen when there is one.
    pub fn start(&self, host: &dyn Host, name: &[u8], work: impl Future<Output = V> + 'static) -> Watch<V> {
        if let Some(watch) = self.under_way(name) {
            return watch;
        }
        let flight = Rc::new(Flight { answer: OnceCell::new(), passengers: Passengers::default() });
        self.under_way.borrow_mut().insert(name.into(), Rc::clone(&flight));
        let landing = Landing { under_way: Rc::clone(&self.under_way), name: name.into(), flight: Rc::clone(&flight) };
        host.spawn(Box::pin(async move {
            let answer = work.await;
            // This alone sets it, once.
            let _ = landing.flight.answer.set(answer);
        }));
        Watch(flight)
    }

    /// The flight that is under way for the question `name`.
    pub fn under_way(&self, name: &[u8]) -> Option<Watch<V>> {
        self.under_way.borrow().get(name).map(|flight| Watch(Rc::clone(flight)))
    }
}

/// A flight as somebody sees it who need not wait for it.
pub struct Watch<V>(Rc<Flight<V>>);

impl<V: Clone> Watch<V> {
    /// Its answer, if it has landed with one.
    pub fn landed(&self) -> Option<V> {
        self.0.answer.get().cloned()
    }

    /// Its answer, when it lands.
    pub async fn land(self) -> Result<V, FlightLost> {
        poll_fn(|context| self.0.passengers.poll(context.waker())).await;
        self.landed().ok_or(FlightLost)
    }
}

/// Who waits for a flight; `None` when it has ended.
struct Passengers(RefCell<Option<Vec<Waker>>>);

impl Default for Passengers {
    fn default() -> Self {
        Self(RefCell::new(Some(Vec::new())))
    }
}

impl Passengers {
    fn poll(&self, waker: &Waker) -> Poll<()> {
        let mut waiting = self.0.borrow_mut();
        let Some(waiting) = &mut *waiting else { return Poll::Ready(()) };
        waiting.retain(|known| !known.will_wake(waker));
        waiting.push(waker.clone());
        Poll::Pending
    }

    fn end(&self) {
        let waiting = self.0.take();
        waiting.into_iter().flatten().for_each(Waker::wake);
    }
}

/// Takes the flight off the board however its work ends; dropped work leaves nobody waiting.
struct Landing<V> {
    under_way: Board<V>,
    name: Box<[u8]>,
    flight: Rc<Flight<V>>,
}

impl<V> Drop for Landing<V> {
    fn drop(&mut self) {
        self.flight.passengers.end();
        self.under_way.borrow_mut().remove(&self.name);
    }
}
