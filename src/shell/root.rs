//! The root context: configuration, ticks, and the answers to calls that serve several streams.

use super::host::ProxyWasm;
use super::imports::{self, Buffer};
use crate::runtime::{Runtime, Stream};
use std::rc::Rc;

/// One plugin configuration on one worker.
pub struct Root {
    host: Rc<ProxyWasm>,
    runtime: Rc<Runtime>,
}

impl Root {
    /// A root context that knows no configuration yet.
    pub fn new() -> Self {
        let host = Rc::new(ProxyWasm::new());
        Self { runtime: Runtime::new(Rc::clone(&host) as _), host }
    }

    /// A request under this configuration.
    pub fn stream(&self, id: u32) -> Rc<Stream> {
        Rc::new(Stream::new(id, Rc::clone(&self.runtime)))
    }

    /// Takes the configuration; says in the log what is wrong with one that is refused.
    pub fn configure(&self, size: usize) -> bool {
        self.host.open_queue();
        let text = match size {
            0 => Vec::new(),
            _ => imports::buffer(Buffer::Configuration, size).unwrap_or_default(),
        };
        match self.runtime.configure(&text, &|name| std::env::var(name).ok()) {
            Ok(level) => {
                self.host.set_level(level);
                true
            }
            Err(problems) => {
                imports::log(5, &format!("oidc: the configuration is refused, {} problem(s):", problems.len()));
                problems.iter().for_each(|problem| imports::log(5, &format!("oidc: {problem}")));
                false
            }
        }
    }

    pub fn ticked(&self) {
        self.runtime.ticked();
    }

    /// A stream put something into the root's queue.
    pub fn woken(&self) {
        self.host.drain_queue();
        self.runtime.root_woken();
    }

    pub fn call_answered(&self, token: u32, fields: usize, size: usize) {
        self.runtime.call_answered(None, token, fields, size);
    }

    pub fn done(&self) {
        self.runtime.close();
    }
}
