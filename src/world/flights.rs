//! One flight per question: who asks what is already being asked waits for the same answer.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::hash::Hash;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::Host;

/// The flight ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlightLost;

/// Questions under way, each asked once however many wait for its answer.
///
/// The work belongs to the host's root, so it goes on when the request that began it has gone.
pub struct Flights<K, V> {
    under_way: Rc<RefCell<HashMap<K, Rc<Flight<V>>>>>,
}

struct Flight<V> {
    state: RefCell<State<V>>,
}

enum State<V> {
    Flying(Vec<Waker>),
    Landed(V),
    Lost,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self { under_way: Rc::default() }
    }
}

impl<K: Eq + Hash + Clone + 'static, V: Clone + 'static> Flights<K, V> {
    /// The answer to `key`: of the flight under way, or of `work`, which is dropped unseen when there is one.
    pub async fn join(
        &self,
        host: &dyn Host,
        key: K,
        work: impl Future<Output = V> + 'static,
    ) -> Result<V, FlightLost> {
        let flight = self.flight(host, key, work);
        poll_fn(move |context| flight.poll(context.waker())).await
    }

    /// Starts `work` unless its question is under way, and waits for nothing.
    pub fn start(&self, host: &dyn Host, key: K, work: impl Future<Output = V> + 'static) -> Watch<V> {
        Watch(self.flight(host, key, work))
    }

    /// The flight that is under way for `key`.
    pub fn under_way(&self, key: &K) -> Option<Watch<V>> {
        self.under_way.borrow().get(key).map(|flight| Watch(Rc::clone(flight)))
    }

    fn flight(&self, host: &dyn Host, key: K, work: impl Future<Output = V> + 'static) -> Rc<Flight<V>> {
        if let Some(flight) = self.under_way.borrow().get(&key) {
            return Rc::clone(flight);
        }
        let flight = Rc::new(Flight { state: RefCell::new(State::Flying(Vec::new())) });
        self.under_way.borrow_mut().insert(key.clone(), Rc::clone(&flight));
        let landing = Landing { under_way: Rc::clone(&self.under_way), key, flight: Rc::clone(&flight) };
        host.spawn(Box::pin(async move {
            let answer = work.await;
            landing.flight.end(State::Landed(answer));
        }));
        flight
    }
}

/// A flight as somebody sees it who does not wait for it.
pub struct Watch<V>(Rc<Flight<V>>);

impl<V: Clone> Watch<V> {
    /// Its answer, if it has landed with one.
    pub fn landed(&self) -> Option<V> {
        match &*self.0.state.borrow() {
            State::Landed(answer) => Some(answer.clone()),
            State::Flying(_) | State::Lost => None,
        }
    }

    /// Its answer, when it lands.
    pub async fn land(self) -> Result<V, FlightLost> {
        poll_fn(move |context| self.0.poll(context.waker())).await
    }
}

impl<V: Clone> Flight<V> {
    fn poll(&self, waker: &Waker) -> Poll<Result<V, FlightLost>> {
        match &mut *self.state.borrow_mut() {
            State::Flying(waiting) => {
                waiting.retain(|known| !known.will_wake(waker));
                waiting.push(waker.clone());
                Poll::Pending
            }
            State::Landed(answer) => Poll::Ready(Ok(answer.clone())),
            State::Lost => Poll::Ready(Err(FlightLost)),
        }
    }
}

impl<V> Flight<V> {
    /// The first end counts.
    fn end(&self, end: State<V>) {
        let mut state = self.state.borrow_mut();
        let State::Flying(waiting) = &mut *state else { return };
        let waiting = std::mem::take(waiting);
        *state = end;
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// Takes the flight off the board however its work ends; dropped work leaves nobody waiting.
struct Landing<K: Eq + Hash, V> {
    under_way: Rc<RefCell<HashMap<K, Rc<Flight<V>>>>>,
    key: K,
    flight: Rc<Flight<V>>,
}

impl<K: Eq + Hash, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        self.flight.end(State::Lost);
        self.under_way.borrow_mut().remove(&self.key);
    }
}
