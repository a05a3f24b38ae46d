//! One client request, as far as a verdict depends on it.

use super::Headers;

/// What the client asked for: the header fields, pseudo header fields (RFC 9113 §8.3.1) among them.
///
/// Nothing here is trusted: every accessor answers `None` for what is missing or not UTF-8.
#[derive(Clone, Default)]
pub struct Request {
    /// All header fields, pseudo header fields included.
    pub headers: Headers,
}

impl Request {
    /// A request with these header fields.
    pub fn new(headers: Headers) -> Self {
        Self { headers }
    }

    /// The method, as sent: methods are case-sensitive (RFC 9110 §9.1).
    pub fn method(&self) -> Option<&str> {
        self.headers.pseudo(b":method")
    }

    /// Path and query, as sent.
    pub fn target(&self) -> Option<&str> {
        self.headers.pseudo(b":path")
    }

    /// The query, where there is a `?`, as sent.
    pub fn query(&self) -> Option<&str> {
        self.target()?.split_once('?').map(|(_, query)| query)
    }

    /// Host and, where written, port.
    pub fn authority(&self) -> Option<&str> {
        self.headers.pseudo(b":authority")
    }

    /// The scheme by which the host got the request.
    pub fn scheme(&self) -> Option<&str> {
        self.headers.pseudo(b":scheme")
    }
}
