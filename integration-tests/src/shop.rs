//! A shop with a gate: the configuration that most journeys share, and the provider, service and Envoy of one journey.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use url::Url;

use crate::client::{self, Answer, Ask};
use crate::envoy::Envoy;
use crate::hostile::{Endpoint, Hostile};
use crate::idp::{CLIENT_ID, CLIENT_SECRET};
use crate::person::Person;
use crate::random_hex;
use crate::setup::Setup;
use crate::signer::Signer;
use crate::upstream::{Seen, Upstream};

/// Where logins come back to.
pub const CALLBACK: &str = "/oauth/callback";
/// Where other sites may begin a login.
pub const INITIATE: &str = "/oauth/login";
/// The header that carries the reason code of an answer of the filter's.
pub const REASON: &str = "x-oidc-reason";

/// The redirect URI of a gate on this port.
pub fn redirect_uri(port: u16) -> String {
    format!("http://localhost:{port}{CALLBACK}")
}

/// A filter that lets everybody into `/public`, everybody by name or without into `/maybe`, and the rest of the gate on
/// `port` only to those who log in at `issuer`, reached by the cluster `idp`.
pub fn filter(port: u16, issuer: &str) -> Value {
    json!({
        "providers": { "main": {
            "issuer": issuer,
            "cluster": "idp",
            "allow_http": true,
            "timeout": "2s",
            "client": { "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET },
        }},
        "defaults": {
            "login": {
                "redirect_uri": redirect_uri(port),
                "scope": "openid profile email",
                "initiate_path": INITIATE,
            },
            "upstream_headers": [
                { "claim": ["preferred_username"], "name": "x-user" },
                { "claim": ["groups"], "name": "x-groups" },
            ],
        },
        "rules": [
            { "name": "public", "match": { "path_prefix": "/public" }, "allow": "anonymous" },
            { "name": "maybe", "match": { "path_prefix": "/maybe" }, "allow": "optional" },
            { "name": "shop", "match": { "path_prefix": "/" } },
        ],
        "session": { "secrets": [random_hex::<32>()] },
        "observability": { "reason_header": REASON },
    })
}

/// A provider that does what a test says, a service, and the gate between.
pub struct Shop {
    /// The provider.
    pub idp: Hostile,
    /// The service.
    pub upstream: Upstream,
    /// The gate.
    pub envoy: Envoy,
}

impl Shop {
    /// Opens with the filter of this module.
    pub async fn open() -> Shop {
        Shop::open_with(|_| {}, |setup| setup).await
    }

    /// Opens with changes of the filter's configuration and of Envoy's.
    pub async fn open_with(filter: impl FnOnce(&mut Value), setup: impl FnOnce(Setup) -> Setup) -> Shop {
        Shop::open_at(Hostile::start_with(Signer::es256("first")).await, filter, setup).await
    }

    /// Opens at a provider that may already be up to something.
    pub async fn open_at(idp: Hostile, change: impl FnOnce(&mut Value), refine: impl FnOnce(Setup) -> Setup) -> Shop {
        let upstream = Upstream::start().await;
        let setup = refine(Setup::new().upstream(upstream.port).cluster("idp", idp.port));
        let mut configuration = filter(setup.port, &idp.issuer());
        change(&mut configuration);
        let envoy = Envoy::start(setup.filter(configuration)).await;
        Shop { idp, upstream, envoy }
    }

    /// An address behind the gate.
    pub fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.envoy.port)
    }

    /// Someone who has logged in and come to `/`.
    pub async fn customer(&self) -> Person {
        let mut person = Person::new();
        let page = person.open(&self.url("/")).await;
        assert_eq!(page.answer.status, 200, "{:?} {}", reason(&page.answer), page.answer.text());
        person
    }

    /// How a page load of someone unknown ends.
    pub async fn stranger(&self) -> Answer {
        Person::new().open(&self.url("/")).await.answer
    }

    /// A request with somebody's cookies.
    pub fn ask_as(&self, person: &Person, method: &str, path: &str) -> Ask {
        client::ask(method, self.envoy.port, path).header("cookie", cookie_line(person))
    }

    /// A login as far as the provider's answer, which is not yet handed in: state, code and issuer as form fields.
    pub async fn halfway(&self, person: &mut Person) -> Vec<(String, String)> {
        let start = person.look(&self.url("/")).await;
        let to = start.answer.header("location").expect("a redirect to the provider").to_owned();
        let back = person.look(&to).await;
        let back = Url::parse(back.answer.header("location").expect("a redirect back")).expect("a URL");
        back.query_pairs().into_owned().collect()
    }

    /// Waits until the provider was asked so often for something.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn asked(&self, endpoint: Endpoint, times: usize) {
        until(|| self.idp.count(endpoint) >= times).await;
    }
}

/// What the filter says of an answer of its own.
pub fn reason(answer: &Answer) -> Option<&str> {
    answer.header(REASON)
}

/// The `cookie` field that somebody's browser sends to the gate.
pub fn cookie_line(person: &Person) -> String {
    let cookies = person.cookies("localhost");
    cookies.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect::<Vec<_>>().join("; ")
}

/// The values of a header that a service saw, as text.
pub fn values<'a>(seen: &'a Seen, name: &str) -> Vec<&'a str> {
    seen.headers.get_all(name).iter().map(|value| value.to_str().expect("text")).collect()
}

/// Waits until something has come about.
///
/// # Panics
/// When it does not.
pub async fn until(mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "what a test waits for does not come about");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
