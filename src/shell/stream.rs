//! One request's callbacks.

use crate::runtime::{Flow, Runtime, Stream};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use std::rc::Rc;

/// One request.
pub struct StreamContext {
    stream: Rc<Stream>,
    runtime: Rc<Runtime>,
}

impl StreamContext {
    /// A request of which nothing has come yet.
    pub fn new(id: u32, runtime: Rc<Runtime>) -> Self {
        Self { stream: Rc::new(Stream::new(id)), runtime }
    }
}

impl Context for StreamContext {
    fn on_http_call_response(&mut self, token: u32, fields: usize, size: usize, _: usize) {
        self.runtime.call_answered(Some(self.stream.id), token, fields, size);
    }

    fn on_done(&mut self) -> bool {
        self.runtime.gone(&self.stream);
        true
    }
}

impl HttpContext for StreamContext {
    fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
        action(self.runtime.request(&self.stream, end))
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        action(self.runtime.request_body(&self.stream, size, end))
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        action(self.runtime.request_trailers(&self.stream))
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.runtime.response(&self.stream);
        Action::Continue
    }
}

const fn action(flow: Flow) -> Action {
    match flow {
        Flow::Continue => Action::Continue,
        Flow::Pause => Action::Pause,
    }
}
