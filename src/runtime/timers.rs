//! Waiting for a while, by the host's tick.

use crate::world::LocalFuture;
use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

/// How often the host ticks while somebody waits.
pub const STEP: Duration = Duration::from_millis(25);

/// Everybody who waits for a moment.
#[derive(Default)]
pub struct Timers {
    waiting: RefCell<Vec<Timer>>,
}

struct Timer {
    until: Duration,
    rung: Rc<RefCell<Bell>>,
}

#[derive(Default)]
struct Bell {
    rung: bool,
    waker: Option<Waker>,
}

impl Timers {
    /// Waits until the monotonic clock shows `until`.
    pub fn wait(&self, until: Duration) -> LocalFuture<()> {
        let rung = Rc::new(RefCell::new(Bell::default()));
        self.waiting.borrow_mut().push(Timer { until, rung: Rc::clone(&rung) });
        Box::pin(poll_fn(move |context| {
            let mut bell = rung.borrow_mut();
            if bell.rung {
                return Poll::Ready(());
            }
            bell.waker = Some(context.waker().clone());
            Poll::Pending
        }))
    }

    /// Wakes whoever has waited long enough.
    pub fn ring(&self, now: Duration) {
        // Who does not wait any more is dropped as well.
        let is_over = |timer: &mut Timer| timer.until <= now || Rc::strong_count(&timer.rung) == 1;
        let due: Vec<Timer> = self.waiting.borrow_mut().extract_if(.., is_over).collect();
        for timer in due {
            let waker = {
                let mut bell = timer.rung.borrow_mut();
                bell.rung = true;
                bell.waker.take()
            };
            waker.into_iter().for_each(Waker::wake);
        }
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }
}
