//! One request's callbacks.

use super::imports::{self, Map};
use crate::runtime::{Flow, Runtime, Stream};
use crate::words::Headers;
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
        // A map that cannot be read is an empty one: no method, no host, refused.
        action(self.runtime.request(&self.stream, fields(Map::Request), end))
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        action(self.runtime.request_body(&self.stream, size, end))
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        action(self.runtime.request_trailers(&self.stream, &fields(Map::RequestTrailers)))
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.runtime.response(&self.stream);
        Action::Continue
    }
}

fn fields(map: Map) -> Headers {
    imports::fields(map).ok().and_then(Headers::from_wire).unwrap_or_default()
}

const fn action(flow: Flow) -> Action {
    match flow {
        Flow::Continue => Action::Continue,
        Flow::Pause => Action::Pause,
    }
}
