//! Polls futures when the host calls back.

use crate::words::Verdict;
use crate::world::LocalFuture;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
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
    Decide(u32, LocalFuture<Verdict>),
    /// Serves several.
    Serve(LocalFuture<()>),
}

/// The tasks that wait, and those that need not any more.
#[derive(Default)]
pub struct Executor {
    waiting: RefCell<HashMap<u64, Task>>,
    ready: Arc<Ready>,
    last: Cell<u64>,
}

struct Task {
    work: Work,
    waker: Waker,
}

#[derive(Default)]
struct Ready(Mutex<VecDeque<u64>>);

struct Wakes {
    task: u64,
    ready: Arc<Ready>,
}

impl Executor {
    /// Polls new work once; what must wait is kept. `Some` is the verdict of a decision that was made at once.
    pub fn begin(&self, work: Work) -> Option<Verdict> {
        let task = self.last.get().wrapping_add(1);
        self.last.set(task);
        let waker = Waker::from(Arc::new(Wakes { task, ready: Arc::clone(&self.ready) }));
        self.poll(task, Task { work, waker })
    }

    /// Keeps new work for the next run of its owner.
    pub fn queue(&self, work: Work) {
        let task = self.last.get().wrapping_add(1);
        self.last.set(task);
        let waker = Waker::from(Arc::new(Wakes { task, ready: Arc::clone(&self.ready) }));
        waker.wake_by_ref();
        self.waiting.borrow_mut().insert(task, Task { work, waker });
    }

    /// Runs what is ready and may run now, until nothing more is; hands each finished decision to `done`.
    ///
    /// `may_run` is asked before each task, and prepares the host for it. Says whether something is left over.
    pub fn run(&self, may_run: impl Fn(Owner) -> bool, mut done: impl FnMut(u32, Verdict)) -> bool {
        let mut left = Vec::new();
        while let Some(task) = self.ready.pop() {
            let Some(owner) = self.waiting.borrow().get(&task).map(|task| task.work.owner()) else { continue };
            if !may_run(owner) {
                left.push(task);
                continue;
            }
            let Some(waiting) = self.waiting.borrow_mut().remove(&task) else { continue };
            if let (Some(verdict), Owner::Stream(stream)) = (self.poll(task, waiting), owner) {
                done(stream, verdict);
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

    /// Drops everything, so that what the tasks hold is freed.
    pub fn clear(&self) {
        let dropped = std::mem::take(&mut *self.waiting.borrow_mut());
        drop(dropped);
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
    const fn owner(&self) -> Owner {
        match self {
            Self::Decide(stream, _) => Owner::Stream(*stream),
            Self::Serve(_) => Owner::Root,
        }
    }
}

impl Ready {
    fn push(&self, task: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(task);
    }

    fn pop(&self) -> Option<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.ready.push(self.task);
    }
}
