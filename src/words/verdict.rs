//! What is to become of a request.

use super::Reason;
use std::borrow::Cow;
use std::fmt;

/// The decision on one request. It is in a box, since it goes through many hands.
#[derive(Debug)]
pub enum Verdict {
    /// The request goes on to the service, with these changes if any.
    Forward(Option<Box<Forward>>),
    /// We answer it ourselves; the service never hears of it.
    Respond {
        /// The answer.
        response: Box<Response>,
        /// Why; there is no answer of ours without a reason.
        reason: Reason,
    },
}

/// What becomes of a request that goes on, and of its answer.
#[derive(Debug, Default)]
pub struct Forward {
    /// What the service sees.
    pub request: HeaderEdits,
    /// What the client gets with the service's answer.
    pub response: HeaderEdits,
    /// What the client gets besides, if it is there by then.
    pub late: Option<Late>,
    /// What other parts of the host learn: names and values.
    pub properties: Vec<(String, Vec<u8>)>,
    /// What the service gets for a body, where that was read and must not travel as it came.
    pub body: Option<String>,
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
    /// Fields to add beside those of the same name. This costs a host less than to set one, for which it looks first.
    pub add: Vec<(String, Vec<u8>)>,
    /// Fields to set, in place of all of that name. Bytes, since a client's own cookies may be any.
    pub set: Vec<(String, Vec<u8>)>,
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
        response: Box<Response>,
        /// Which step of which flow it was.
        reason: Reason,
    },
    /// The request may not pass.
    Refused(Refusal),
}

impl Stop {
    /// A flow has its answer.
    pub fn answered(response: Response, reason: Reason) -> Self {
        Self::Answered { response: Box::new(response), reason }
    }
}

/// Why a request may not pass, and what its answer must carry because of it.
///
/// Two words long: every step of every flow may end in one, and what few of them have to say is kept elsewhere.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The stable code.
    pub reason: Reason,
    rest: Option<Box<Rest>>,
}

/// What a refusal may have besides its reason.
#[derive(Clone, Debug, Default)]
struct Rest {
    detail: String,
    cookies: Vec<String>,
    again: Option<String>,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal with something to say to the operator: where, found, needed. Never a secret, a token, or a code; escaped
    /// when written.
    #[inline(never)]
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, rest: Some(Box::new(Rest { detail: detail.into(), ..Rest::default() })) }
    }

    /// The refusal of a method that a path of ours does not have; `allowed` are those that it has (RFC 9110 §15.5.6).
    pub fn wrong_method(allowed: impl Into<String>) -> Self {
        Self::new(Reason::MethodNotAllowed, "not a method of this path").with_header("allow", allowed.into())
    }

    /// The same for another reason.
    pub fn because(self, reason: Reason) -> Self {
        Self { reason, ..self }
    }

    /// The same with other words for the operator.
    pub fn told(mut self, detail: String) -> Self {
        self.rest_mut().detail = detail;
        self
    }

    /// The same with further `Set-Cookie` values that the answer must carry, such as the end of a spent login.
    pub fn with_cookies(mut self, lines: Vec<String>) -> Self {
        if !lines.is_empty() {
            self.rest_mut().cookies.extend(lines);
        }
        self
    }

    /// The same with where a person may begin again: an absolute URL on our own host.
    pub fn with_again(mut self, url: String) -> Self {
        self.rest_mut().again = Some(url);
        self
    }

    /// The same with a header field that the answer must carry, such as when to come again.
    pub fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.rest_mut().headers.push((name, value));
        self
    }

    /// What the operator's log is told besides the reason.
    pub fn detail(&self) -> &str {
        self.rest.as_ref().map_or("", |rest| &rest.detail)
    }

    /// `Set-Cookie` values that the answer must carry.
    pub fn cookies(&self) -> &[String] {
        self.rest.as_ref().map_or(&[], |rest| &rest.cookies)
    }

    /// Where a person may begin again.
    pub fn again(&self) -> Option<&str> {
        self.rest.as_ref().and_then(|rest| rest.again.as_deref())
    }

    /// Header fields that the answer must carry.
    pub fn headers(&self) -> &[(&'static str, String)] {
        self.rest.as_ref().map_or(&[], |rest| &rest.headers)
    }

    fn rest_mut(&mut self) -> &mut Rest {
        self.rest.get_or_insert_default()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.detail())
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, rest: None }
    }
}

impl From<Reason> for Stop {
    #[inline(never)]
    fn from(reason: Reason) -> Self {
        Self::Refused(reason.into())
    }
}
