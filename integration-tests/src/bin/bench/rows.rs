//! The loads: which proxy, which requests, which answer.

use std::cell::Cell;

use crate::bearers;
use crate::field::{Field, To};
use crate::load::{self, Bytes, CONNECTIONS};
use crate::tokens::Provider;

/// Our cookies and those of `oauth2` are between these sizes, in bytes.
const COOKIES: std::ops::RangeInclusive<usize> = 2500..=3072;

/// Names of rows, as goals refer to them.
pub mod name {
    pub const PLAIN: &str = "plain";
    pub const NOOP: &str = "noop";
    pub const JWT_AUTHN: &str = "jwt_authn";
    pub const JWT_AUTHN_ES256: &str = "jwt_authn ES256";
    pub const JWT_AUTHN_EDDSA: &str = "jwt_authn EdDSA";
    pub const OAUTH2: &str = "oauth2";
    pub const BOTH: &str = "oauth2+jwt_authn";
    pub const EXT_AUTHZ: &str = "ext_authz";
    pub const OPENED: &str = "session opened";
    pub const SEEN: &str = "session seen";
    pub const BY_HANDLE: &str = "session by handle";
    pub const ANONYMOUS: &str = "anonymous";
    pub const STRIPPED: &str = "anonymous, cookie stripped";
    pub const REFUSED: &str = "no session, 401";
    pub const BEARER: &str = "bearer seen";
    pub const BEARER_RS256: &str = "bearer RS256";
    pub const BEARER_WASM: &str = "bearer PS256, in wasm";
    pub const BEARER_ES256: &str = "bearer ES256";
    pub const BEARER_EDDSA: &str = "bearer EdDSA";
    pub const INTROSPECTED: &str = "introspected seen";
    pub const CLIENT: &str = "client credentials seen";
    pub const JOB: &str = "gateway token";
    pub const ONE_ANONYMOUS: &str = "one rule, anonymous";
    pub const MANY_ANONYMOUS: &str = "1,000 rules, anonymous";
    pub const ONE_BEARER: &str = "one rule, bearer seen";
    pub const MANY_BEARER: &str = "1,000 rules, bearer seen";
}

/// One load.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a few words.
    pub what: &'static str,
    /// Whom it is sent to.
    pub to: To,
    /// What every answer must be.
    pub status: u16,
    /// What is sent.
    pub requests: Requests,
}

/// What a load sends.
pub enum Requests {
    /// The same each time.
    Same(Bytes),
    /// Each with a session that nobody has seen.
    Fresh,
    /// The same throughout a round, with a session that is new in it: an older one would be due to be written down, and so
    /// sealed anew for each request, since this client takes no cookies.
    Seen,
    /// These in turn, over and over.
    Ring(Vec<Bytes>, Cell<usize>),
}

impl Row {
    /// The same request each time, answered 200.
    pub fn same(name: &'static str, what: &'static str, to: To, request: Bytes) -> Row {
        Row { name, what, to, status: 200, requests: Requests::Same(request) }
    }

    /// Its requests: those to warm up with, and `count` to measure.
    pub fn take(&self, field: &Field, count: usize) -> (Vec<Bytes>, Vec<Bytes>) {
        let fresh = || with_cookie(field, To::Ours, "/shop", &field.mint.fresh());
        let again = |request: Bytes| move || request.clone();
        let mut next: Box<dyn FnMut() -> Bytes + '_> = match &self.requests {
            Requests::Same(request) => Box::new(again(request.clone())),
            Requests::Fresh => Box::new(fresh),
            Requests::Seen => Box::new(again(fresh())),
            Requests::Ring(ring, next) => Box::new(|| ring[next.replace((next.get() + 1) % ring.len())].clone()),
        };
        let mut take = |count| (0..count).map(|_| next()).collect();
        (take(CONNECTIONS), take(count))
    }
}

/// A request to one of the proxies.
pub fn get(field: &Field, to: To, path: &str, headers: &[(&str, &str)]) -> Bytes {
    load::get(&field.proxy(to).place.host(), path, headers)
}

/// All loads, after a login at each proxy that has one.
pub async fn all(field: &Field, provider: &Provider) -> Vec<Row> {
    let mut rows = logins(field, provider).await;
    rows.extend(bearers::rows(field, provider));
    rows
}

async fn logins(field: &Field, provider: &Provider) -> Vec<Row> {
    let same = Row::same;
    let bearer = format!("Bearer {}", provider.tokens.access);
    let cookie = field.mint.fresh();
    let oauth2 = field.log_in(To::Oauth2).await;
    let both = field.log_in(To::Both).await;
    let stored = field.log_in(To::Stored).await;
    for (whose, cookie) in [("our", &cookie), ("oauth2's", &oauth2)] {
        assert!(COOKIES.contains(&cookie.len()), "{whose} cookies have {} bytes, not {COOKIES:?}", cookie.len());
    }
    let background = [("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty"), ("x-requested-with", "XMLHttpRequest")];
    let get = |to, path: &str, headers: &[(&str, &str)]| get(field, to, path, headers);
    vec![
        same(name::PLAIN, "another Envoy, no filter: what is not 0 is error", To::Bare, get(To::Bare, "/", &[])),
        same(name::NOOP, "a wasm filter that does nothing", To::Noop, get(To::Noop, "/", &[])),
        same(
            name::JWT_AUTHN,
            "RS256, local keys, not cached",
            To::JwtAuthn,
            get(To::JwtAuthn, "/", &[("authorization", &bearer)]),
        ),
        same(name::OAUTH2, "encrypted cookies, logged in", To::Oauth2, with_cookie(field, To::Oauth2, "/", &oauth2)),
        same(name::BOTH, "jwt_authn checks what oauth2 forwards", To::Both, with_cookie(field, To::Both, "/", &both)),
        Row {
            name: name::OPENED,
            what: "ours, a sealed cookie never seen before",
            to: To::Ours,
            status: 200,
            requests: Requests::Fresh,
        },
        Row {
            name: name::SEEN,
            what: "ours, the same cookie each time",
            to: To::Ours,
            status: 200,
            requests: Requests::Seen,
        },
        same(
            name::BY_HANDLE,
            "ours, a session in a store that the worker has met",
            To::Stored,
            with_cookie(field, To::Stored, "/shop", &stored),
        ),
        same(name::ANONYMOUS, "ours, an anonymous rule", To::Ours, get(To::Ours, "/public", &[])),
        same(
            name::STRIPPED,
            "ours, an anonymous rule takes the session cookie away",
            To::Ours,
            with_cookie(field, To::Ours, "/public", &cookie),
        ),
        Row {
            status: 401,
            ..same(name::REFUSED, "ours, a background request", To::Ours, get(To::Ours, "/shop", &background))
        },
    ]
}

fn with_cookie(field: &Field, to: To, path: &str, cookie: &str) -> Bytes {
    get(field, to, path, &[("cookie", cookie)])
}
