//! One request's callbacks.

use crate::runtime::{Flow, Runtime, Stream};
use std::rc::Rc;

/// One request.
#[derive(Clone)]
pub struct StreamContext {
    stream: Rc<Stream>,
    runtime: Rc<Runtime>,
}

impl StreamContext {
    /// A request of which nothing has come yet.
    pub fn new(id: u32, runtime: Rc<Runtime>) -> Self {
        Self { stream: Rc::new(Stream::new(id)), runtime }
    }

    pub fn call_answered(&self, token: u32, fields: usize, size: usize) {
        self.runtime.call_answered(Some(self.stream.id), token, fields, size);
    }

    pub fn request_headers(&self, end: bool) -> Flow {
        self.runtime.request(&self.stream, end)
    }

    pub fn request_body(&self, size: usize, end: bool) -> Flow {
        self.runtime.request_body(&self.stream, size, end)
    }

    pub fn request_trailers(&self) -> Flow {
        self.runtime.request_trailers(&self.stream)
    }

    pub fn response_headers(&self) {
        self.runtime.response(&self.stream);
    }

    pub fn done(&self) {
        self.runtime.gone(&self.stream);
    }
}
