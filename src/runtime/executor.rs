//! Polls futures when the host calls back.

use super::Stream;
use crate::words::Verdict;
use crate::world::LocalFuture;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Whose callback runs a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The root: flights, which outlive the streams that ask.
    Root,
    /// One stream: its decision.
    Stream(u32),
}

/// Work to do: a stream's decision, or the root's.
pub enum Work {
    /// Decides on a stream.
    Decide(Rc<Stream>, LocalFuture<Verdict>),
    /// Serves several.
    Serve(LocalFuture<()>),
}

/// The tasks that wait, and those that need not any more.
#[derive(Default)]
pub struct Executor {
    waiting: RefCell<HashMap<u64, Task>>,
    ready: Arc<Ready>,
    last: Cell<u64>,
    /// What would have woken a task that was done at once, for the next one.
    spare: Cell<Option<Arc<Wakes>>>,
}

struct Task {
    work: Work,
    waker: Waker,
}

#[derive(Default)]
struct Ready {
    /// `false` where nothing is ready, as after nearly every callback: a look that costs nothing.
    may_have: AtomicBool,
    tasks: Mutex<VecDeque<u64>>,
}

struct Wakes {
    task: u64,
    ready: Arc<Ready>,
}

impl Executor {
    /// Polls new work once; what must wait is kept. `Some` is the verdict of a decision that was made at once.
    pub fn begin(&self, work: Work) -> Option<Verdict> {
        let wakes = self.spare.take().unwrap_or_else(|| self.wakes());
        let verdict = self.poll(wakes.task, Task { work, waker: Waker::from(Arc::clone(&wakes)) });
        // Neither the task nor anything that it waits for has kept it.
        if Arc::strong_count(&wakes) == 1 {
            self.spare.set(Some(wakes));
        }
        verdict
    }

    /// Keeps new work for the next run of its owner.
    pub fn queue(&self, work: Work) {
        let wakes = self.wakes();
        self.ready.push(wakes.task);
        self.waiting.borrow_mut().insert(wakes.task, Task { work, waker: Waker::from(wakes) });
    }

    /// Runs what is ready and may run now, until nothing more is; hands each finished decision to `done`.
    ///
    /// `may_run` is asked before each task, and prepares the host for it. Says whether something is left over.
    pub fn run(&self, may_run: impl Fn(Owner) -> bool, mut done: impl FnMut(&Stream, Verdict)) -> bool {
        if !self.ready.may_have.load(Relaxed) {
            return false;
        }
        let mut left = Vec::new();
        while let Some(task) = self.ready.pop() {
            let Some(owner) = self.waiting.borrow().get(&task).map(|task| task.work.owner()) else { continue };
            if !may_run(owner) {
                left.push(task);
                continue;
            }
            let Some(waiting) = self.waiting.borrow_mut().remove(&task) else { continue };
            let stream = waiting.work.stream().map(Rc::clone);
            if let (Some(verdict), Some(stream)) = (self.poll(task, waiting), stream) {
                done(&stream, verdict);
            }
        }
        let any = !left.is_empty();
        left.into_iter().for_each(|task| self.ready.push(task));
        any
    }

    /// Drops the decision on a stream that is gone; its flights go on.
    pub fn forget(&self, stream: u32) {
        let gone: Vec<u64> = {
            let waiting = self.waiting.borrow();
            waiting.iter().filter(|(_, task)| task.work.owner() == Owner::Stream(stream)).map(|(id, _)| *id).collect()
        };
        for task in gone {
            // Taken out first: dropping a future may wake others.
            let dropped = self.waiting.borrow_mut().remove(&task);
            drop(dropped);
        }
    }

    /// Drops everything, so that what the tasks hold is freed. Says which streams waited for their decision.
    pub fn clear(&self) -> Vec<Rc<Stream>> {
        let dropped = std::mem::take(&mut *self.waiting.borrow_mut());
        dropped.values().filter_map(|task| task.work.stream()).map(Rc::clone).collect()
    }

    /// What wakes a new task.
    fn wakes(&self) -> Arc<Wakes> {
        let task = self.last.get().wrapping_add(1);
        self.last.set(task);
        Arc::new(Wakes { task, ready: Arc::clone(&self.ready) })
    }

    fn poll(&self, id: u64, mut task: Task) -> Option<Verdict> {
        let mut context = Context::from_waker(&task.waker);
        let verdict = match &mut task.work {
            Work::Decide(_, future) => future.as_mut().poll(&mut context).map(Some),
            Work::Serve(future) => future.as_mut().poll(&mut context).map(|()| None),
        };
        match verdict {
            Poll::Ready(verdict) => verdict,
            Poll::Pending => {
                self.waiting.borrow_mut().insert(id, task);
                None
            }
        }
    }
}

impl Work {
    const fn stream(&self) -> Option<&Rc<Stream>> {
        match self {
            Self::Decide(stream, _) => Some(stream),
            Self::Serve(_) => None,
        }
    }

    fn owner(&self) -> Owner {
        self.stream().map_or(Owner::Root, |stream| Owner::Stream(stream.id))
    }
}

impl Ready {
    fn push(&self, task: u64) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push_back(task);
        self.may_have.store(true, Relaxed);
    }

    fn pop(&self) -> Option<u64> {
        let next = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        self.may_have.store(next.is_some(), Relaxed);
        next
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.ready.push(self.task);
    }
}
