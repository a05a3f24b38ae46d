//! The root context: configuration, ticks, and the answers to calls that serve several streams.

use super::host::ProxyWasm;
use super::imports::{self, Buffer};
use super::stream::StreamContext;
use crate::runtime::Runtime;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use std::rc::Rc;

/// One plugin configuration on one worker.
pub struct Root {
    host: Rc<ProxyWasm>,
    runtime: Rc<Runtime>,
}

impl Root {
    /// A root context that knows no configuration yet.
    pub fn new(_: u32) -> Self {
        let host = Rc::new(ProxyWasm::new());
        Self { runtime: Runtime::new(Rc::clone(&host) as _), host }
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, fields: usize, size: usize, _: usize) {
        self.runtime.call_answered(None, token, fields, size);
    }

    fn on_done(&mut self) -> bool {
        self.runtime.close();
        true
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
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

    fn on_tick(&mut self) {
        self.runtime.ticked();
    }

    fn on_queue_ready(&mut self, _: u32) {
        self.host.drain_queue();
        self.runtime.root_woken();
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(StreamContext::new(id, Rc::clone(&self.runtime))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
