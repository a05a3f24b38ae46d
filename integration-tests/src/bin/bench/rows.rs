//! The loads: which proxy, which requests, which answer.

use integration_tests::person::Person;

use crate::filters;
use crate::load::{self, Bytes, CONNECTIONS};
use crate::proxy::{Place, Plan, Proxy};
use crate::sessions::Mint;
use crate::tokens::Provider;

/// Our cookies and those of `oauth2` are between these sizes, in bytes.
const COOKIES: std::ops::RangeInclusive<usize> = 2500..=3072;

/// Names of rows, as goals refer to them.
pub mod name {
    pub const PLAIN: &str = "plain";
    pub const NOOP: &str = "noop";
    pub const JWT_AUTHN: &str = "jwt_authn";
    pub const OAUTH2: &str = "oauth2";
    pub const BOTH: &str = "oauth2+jwt_authn";
    pub const OPENED: &str = "session opened";
    pub const SEEN: &str = "session seen";
    pub const ANONYMOUS: &str = "anonymous";
    pub const STRIPPED: &str = "anonymous, cookie stripped";
    pub const REFUSED: &str = "no session, 401";
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
    requests: Requests,
}

/// The proxies.
#[derive(Clone, Copy, PartialEq)]
pub enum To {
    Plain,
    Noop,
    JwtAuthn,
    Oauth2,
    Both,
    Ours,
}

enum Requests {
    /// The same each time.
    Same(Bytes),
    /// Each with a session that nobody has seen.
    Fresh,
}

/// All that runs while it is measured.
pub struct Field {
    plain: Proxy,
    noop: Proxy,
    jwt_authn: Proxy,
    oauth2: Proxy,
    both: Proxy,
    ours: Proxy,
    /// Makes sessions for `ours`.
    pub mint: Mint,
}

impl Field {
    /// Starts every proxy.
    pub async fn start(provider: &Provider) -> Field {
        let [plain, noop, jwt_authn, oauth2, both, ours] = [(); 6].map(|()| Place::new());
        let configuration = filters::configuration(provider, ours);
        Field {
            plain: Proxy::start(plain, &Plan::default()).await,
            noop: Proxy::start(noop, &filters::nothing()).await,
            jwt_authn: Proxy::start(jwt_authn, &filters::jwt_authn(provider)).await,
            oauth2: Proxy::start(oauth2, &filters::oauth2(provider, oauth2)).await,
            both: Proxy::start(both, &filters::oauth2_then_jwt_authn(provider, both)).await,
            ours: Proxy::start(ours, &filters::ours(provider, &configuration)).await,
            mint: Mint::new(&configuration, &provider.idp.issuer(), provider.tokens.clone()),
        }
    }

    /// One of the proxies.
    pub fn proxy(&self, to: To) -> &Proxy {
        match to {
            To::Plain => &self.plain,
            To::Noop => &self.noop,
            To::JwtAuthn => &self.jwt_authn,
            To::Oauth2 => &self.oauth2,
            To::Both => &self.both,
            To::Ours => &self.ours,
        }
    }

    /// The requests of a row: those to warm up with, and `count` to measure.
    pub fn requests(&self, row: &Row, count: usize) -> (Vec<Bytes>, Vec<Bytes>) {
        let make = |count| match &row.requests {
            Requests::Same(request) => vec![request.clone(); count],
            Requests::Fresh => (0..count).map(|_| self.with_cookie(To::Ours, "/shop", &self.mint.fresh())).collect(),
        };
        (make(CONNECTIONS), make(count))
    }

    fn with_cookie(&self, to: To, path: &str, cookie: &str) -> Bytes {
        load::get(&self.proxy(to).place.host(), path, &[("cookie", cookie)])
    }

    /// All loads, after a login at each proxy that has one.
    pub async fn rows(&self, provider: &Provider) -> Vec<Row> {
        let same = |name, what, to, status, request| Row { name, what, to, status, requests: Requests::Same(request) };
        let get = |to: To, path: &str, headers: &[(&str, &str)]| load::get(&self.proxy(to).place.host(), path, headers);
        let bearer = format!("Bearer {}", provider.tokens.access);
        let cookie = self.mint.fresh();
        let oauth2 = self.log_in(To::Oauth2).await;
        let both = self.log_in(To::Both).await;
        for (whose, cookie) in [("our", &cookie), ("oauth2's", &oauth2)] {
            assert!(COOKIES.contains(&cookie.len()), "{whose} cookies have {} bytes, not {COOKIES:?}", cookie.len());
        }
        let background =
            [("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty"), ("x-requested-with", "XMLHttpRequest")];
        vec![
            same(name::PLAIN, "Envoy, no filter", To::Plain, 200, get(To::Plain, "/", &[])),
            same(name::NOOP, "a wasm filter that does nothing", To::Noop, 200, get(To::Noop, "/", &[])),
            same(
                name::JWT_AUTHN,
                "RS256, local keys, not cached",
                To::JwtAuthn,
                200,
                get(To::JwtAuthn, "/", &[("authorization", &bearer)]),
            ),
            same(
                name::OAUTH2,
                "encrypted cookies, logged in",
                To::Oauth2,
                200,
                self.with_cookie(To::Oauth2, "/", &oauth2),
            ),
            same(
                name::BOTH,
                "jwt_authn checks what oauth2 forwards",
                To::Both,
                200,
                self.with_cookie(To::Both, "/", &both),
            ),
            Row {
                name: name::OPENED,
                what: "ours, a sealed cookie never seen before",
                to: To::Ours,
                status: 200,
                requests: Requests::Fresh,
            },
            same(
                name::SEEN,
                "ours, the same cookie each time",
                To::Ours,
                200,
                self.with_cookie(To::Ours, "/shop", &cookie),
            ),
            same(name::ANONYMOUS, "ours, an anonymous rule", To::Ours, 200, get(To::Ours, "/public", &[])),
            same(
                name::STRIPPED,
                "ours, an anonymous rule takes the session cookie away",
                To::Ours,
                200,
                self.with_cookie(To::Ours, "/public", &cookie),
            ),
            same(name::REFUSED, "ours, a background request", To::Ours, 401, get(To::Ours, "/shop", &background)),
        ]
    }

    /// Logs in as a browser does; gives back the `cookie` header of what came of it.
    async fn log_in(&self, to: To) -> String {
        let mut person = Person::new();
        let page = person.open(&format!("http://{}/", self.proxy(to).place.host())).await;
        assert_eq!(page.answer.status, 200, "the login ends at {}: {}", page.url, page.answer.text());
        let cookies = person.cookies("localhost").into_iter().filter(|cookie| cookie.path == "/");
        cookies.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect::<Vec<_>>().join("; ")
    }
}
