//! Absolute `http` and `https` URLs (RFC 3986, RFC 9110 §4.2), no more of them than we need.

/// An absolute URL without user information and fragment, its host in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Url {
    text: String,
    scheme: Scheme,
    host: String,
    port: Option<u16>,
    target_at: usize,
}

/// The scheme of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `http`.
    Http,
    /// `https`.
    Https,
}

impl Url {
    /// The host, in lower case, without port.
    pub fn host(&self) -> &str {
        &self.host
    }
}
