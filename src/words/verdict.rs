//! What is to become of a request.

use super::Reason;
use std::borrow::Cow;
use std::fmt;

/// The decision on one request.
#[derive(Debug)]
pub enum Verdict {
    /// The request goes on to the service.
    Forward {
        /// What the service sees.
        request: HeaderEdits,
        /// What the client gets with the service's answer.
        response: HeaderEdits,
        /// What the client gets besides, if it is there by then.
        late: Option<Late>,
        /// What other parts of the host learn: names and values.
        properties: Vec<(String, Vec<u8>)>,
        /// What the service gets for a body, where that was read and must not travel as it came.
        body: Option<String>,
    },
    /// We answer it ourselves; the service never hears of it.
    Respond {
        /// The answer.
        response: Response,
        /// Why; there is no answer of ours without a reason.
        reason: Reason,
    },
}

/// `set-cookie` values that are perhaps known when the service answers: of work that went on beside the request.
pub struct Late(Box<dyn FnOnce() -> Vec<String>>);

impl Late {
    /// What `look` finds when it is called.
    pub fn new(look: impl FnOnce() -> Vec<String> + 'static) -> Self {
        Self(Box::new(look))
    }

    /// The changes to the service's answer, which no cache may keep if it sets a cookie.
    pub fn edits(self) -> HeaderEdits {
        let add: Vec<_> = (self.0)().into_iter().map(|line| ("set-cookie".to_owned(), line.into_bytes())).collect();
        let no_store = ("cache-control".to_owned(), b"no-store".to_vec());
        let set = if add.is_empty() { Vec::new() } else { vec![no_store] };
        HeaderEdits { set, add, ..HeaderEdits::default() }
    }
}

impl fmt::Debug for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Late")
    }
}

/// An answer that the filter itself gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status code (RFC 9110 §15).
    pub status: u16,
    /// Header fields in order; names may repeat, as `set-cookie` does.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body; empty for none.
    pub body: String,
}

impl Response {
    /// An answer with nothing but a status.
    pub fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// The same with one header field more.
    #[inline(never)]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((Cow::Borrowed(name), value.into()));
        self
    }
}

/// Changes to a message's header fields, carried out in the order of the members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderEdits {
    /// Fields to take away, all of that name.
    pub remove: Vec<String>,
    /// Fields to set, in place of all of that name. Bytes, since a client's own cookies may be any.
    pub set: Vec<(String, Vec<u8>)>,
    /// Fields to add beside those of the same name.
    pub add: Vec<(String, Vec<u8>)>,
}

impl HeaderEdits {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty() && self.add.is_empty()
    }
}

/// The search for an identity ends here, without one.
#[derive(Debug)]
pub enum Stop {
    /// A flow has its answer: a redirect to the provider, a callback that succeeded.
    Answered {
        /// What the client gets.
        response: Response,
        /// Which step of which flow it was.
        reason: Reason,
    },
    /// The request may not pass.
    Refused(Refusal),
}

/// Why a request may not pass, and what its answer must carry because of it.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The stable code.
    pub reason: Reason,
    /// More for the operator's log: where, found, needed. Never a secret, a token, or a code; escaped when written.
    pub detail: String,
    /// `Set-Cookie` values that the answer must carry, such as the end of a spent login.
    pub cookies: Vec<String>,
    /// Where a person may begin again: an absolute URL on our own host.
    pub again: Option<String>,
    /// Header fields that the answer must carry, such as when to come again.
    pub headers: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal with something to say to the operator.
    #[inline(never)]
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), cookies: Vec::new(), again: None, headers: Vec::new() }
    }
}

impl Refusal {
    /// The refusal of a method that a path of ours does not have; `allowed` are those that it has (RFC 9110 §15.5.6).
    pub fn wrong_method(allowed: impl Into<String>) -> Self {
        let headers = vec![("allow", allowed.into())];
        Self { headers, ..Self::new(Reason::MethodNotAllowed, "not a method of this path") }
    }
}

impl From<Reason> for Refusal {
    #[inline(never)]
    fn from(reason: Reason) -> Self {
        Self::new(reason, "")
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Reason> for Stop {
    #[inline(never)]
    fn from(reason: Reason) -> Self {
        Self::Refused(reason.into())
    }
}
