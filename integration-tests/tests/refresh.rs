//! One refresh for all, at real providers that rotate refresh tokens and end a login of which one is used twice (attack S17,
//! RFC 9700 §4.14.2): over two workers and eight connections, with clients that go away in the middle.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use integration_tests::client::get;
use integration_tests::envoy::Envoy;
use integration_tests::idp::{self, Idp};
use integration_tests::keycloak_admin::KeycloakAdmin;
use integration_tests::person::Person;
use integration_tests::relay::Relay;
use integration_tests::setup::Setup;
use integration_tests::shop::{self, cookie_line, redirect_uri, values};
use integration_tests::upstream::Upstream;
use serde_json::json;
use tokio::net::TcpStream;

/// How long access tokens live, in seconds.
const LIFE: u64 = 8;

/// How long an answer of the provider is under way: longer than an impatient client waits.
const FAR: Duration = Duration::from_millis(300);

struct House {
    idp: Idp,
    upstream: Upstream,
    envoy: Envoy,
}

impl House {
    /// A gate whose requests wait at the moment of expiry: that is where a storm hurts most.
    async fn open(idp: Idp, port: Setup) -> House {
        let upstream = Upstream::start().await;
        let setup = port.upstream(upstream.port).cluster("idp", Relay::to(idp.port, FAR).await.port);
        let mut filter = shop::filter(setup.port, &idp.issuer);
        filter["providers"]["main"]["timeout"] = json!("10s");
        filter["session"]["refresh"] = json!({ "before": "0s", "grace": "2s" });
        let envoy = Envoy::start(setup.filter(filter)).await;
        House { idp, upstream, envoy }
    }

    fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.envoy.port)
    }

    /// Somebody who has just logged in.
    async fn customer(&self) -> Person {
        let mut person = Person::new();
        let page = person.log_in(&self.url("/"), "demo", "demo").await;
        assert_eq!((page.url.as_str(), page.answer.status), (self.url("/").as_str(), 200), "{}", page.answer.text());
        person
    }

    /// Every worker has had its share of the connections.
    async fn both_workers_served(&self) {
        let stats = self.envoy.stats().await.into_iter();
        let is_connections = |name: &str| name.contains(".worker_") && name.ends_with(".downstream_cx_total");
        let served: Vec<u64> = stats.filter(|(name, _)| is_connections(name)).map(|(_, count)| count).collect();
        assert!(served.len() == 2 && served.iter().all(|count| *count > 0), "{served:?}");
    }

    async fn calls(&self) -> u64 {
        self.envoy.counted("calls.token").await
    }

    /// 500 requests with the same cookies over eight connections, all of which must be served with one and the same token.
    async fn storm(&self, cookies: &str) -> String {
        self.upstream.forget();
        let connections: Vec<_> = (0..8).map(|_| tokio::spawn(requests(self.envoy.port, cookies.to_owned()))).collect();
        let mut statuses = Vec::new();
        for connection in connections {
            statuses.extend(connection.await.unwrap());
        }
        assert_eq!(statuses.len(), 504);
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}\n{}", self.envoy.log());
        let seen = self.upstream.seen();
        let mut tokens: Vec<String> = seen.iter().map(|seen| values(seen, "authorization").concat()).collect();
        tokens.sort();
        tokens.dedup();
        assert_eq!(tokens.len(), 1, "one token for all");
        tokens.remove(0)
    }
}

/// Sixty-three requests at once over one connection of HTTP/2: their statuses.
async fn requests(port: u16, cookies: String) -> Vec<u16> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let one = |number: usize| {
        let (mut sender, cookies) = (sender.clone(), cookies.clone());
        tokio::spawn(async move {
            let uri = format!("http://localhost:{port}/page/{number}");
            let request = hyper::Request::get(uri).header("cookie", cookies).header("accept", "application/json");
            let answer = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
            let status = answer.status().as_u16();
            answer.into_body().collect().await.unwrap();
            status
        })
    };
    let under_way: Vec<_> = (0..63).map(one).collect();
    let mut statuses = Vec::new();
    for request in under_way {
        statuses.push(request.await.unwrap());
    }
    statuses
}

async fn expire() {
    tokio::time::sleep(Duration::from_secs(LIFE + 1)).await;
}

/// A storm at the moment of expiry makes one call.
async fn a_storm_refreshes_once(house: &House) {
    let person = house.customer().await;
    let before = house.calls().await;
    expire().await;
    house.storm(&cookie_line(&person)).await;
    assert_eq!(house.calls().await - before, 1);
}

/// A request that begins a refresh, whose client has gone before there is an answer.
async fn begin_and_go_away(house: &House, cookies: &str) {
    let gone = get(house.envoy.port, "/gone").header("cookie", cookies).send();
    assert!(tokio::time::timeout(Duration::from_millis(50), gone).await.is_err(), "it went before there was an answer");
}

/// The client whose request began it goes away after 50 ms; it comes back later with its old cookie, and is two refreshes
/// behind in the end.
async fn clients_that_go_away_stay_logged_in(house: &House) {
    let person = house.customer().await;
    let (old, before) = (cookie_line(&person), house.calls().await);
    expire().await;
    house.upstream.forget();
    begin_and_go_away(house, &old).await;
    tokio::time::sleep(2 * FAR).await;
    assert_eq!(house.upstream.seen(), [], "nobody was served with what the provider has given");
    let token = house.storm(&old).await;
    // Longer than `grace`: nobody has shown the new cookie.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(house.storm(&old).await, token);
    assert_eq!(house.calls().await - before, 1);
    expire().await;
    assert_ne!(house.storm(&old).await, token);
    assert_eq!(house.calls().await - before, 2, "two generations behind");
    // A browser takes the new cookie, and goes on with it.
    let mut person = person;
    person.look(&house.url("/")).await;
    assert_ne!(cookie_line(&person), old);
    expire().await;
    assert_eq!(person.look(&house.url("/")).await.answer.status, 200);
    assert_eq!(house.calls().await - before, 3);
}

/// Who logs out at the provider is out with the next refresh: the twin of all that goes on.
async fn the_provider_s_word_ends_it(house: &House, person: &Person) {
    expire().await;
    let answer = get(house.envoy.port, "/api").header("cookie", cookie_line(person)).send().await;
    assert_eq!((answer.status, shop::reason(&answer)), (401, Some("refresh_refused")), "{answer:?}");
    assert!(answer.all("set-cookie").iter().any(|line| line.contains("Max-Age=0")), "{answer:?}");
}

/// How long a client stays away: some seconds, more than `grace`, or as many as the environment's AWAY says.
fn away() -> Duration {
    let seconds = std::env::var("AWAY").map_or(5, |seconds| seconds.parse().expect("AWAY is a number of seconds"));
    Duration::from_secs(seconds)
}

/// The client whose request began the refresh left in the middle, and is back with the old cookie much later: its session
/// goes on with what the provider gave then, of which it had seen nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_back_after_a_while_is_still_in() {
    let setup = Setup::new();
    let idp = idp::keycloak(&[redirect_uri(setup.port)]).await;
    let admin = KeycloakAdmin::of(&idp);
    let live = async |seconds: u64| {
        admin.send("PUT", "", &json!({ "accessTokenLifespan": seconds, "refreshTokenMaxReuse": 0 })).await;
    };
    live(LIFE).await;
    let house = House::open(idp, setup).await;
    let person = house.customer().await;
    let (old, before) = (cookie_line(&person), house.calls().await);
    live(away().as_secs() + 120).await;
    expire().await;
    begin_and_go_away(&house, &old).await;
    tokio::time::sleep(away()).await;
    house.storm(&old).await;
    assert_eq!(house.calls().await - before, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn keycloak_is_asked_once() {
    let setup = Setup::new();
    let idp = idp::keycloak(&[redirect_uri(setup.port)]).await;
    let admin = KeycloakAdmin::of(&idp);
    admin.send("PUT", "", &json!({ "accessTokenLifespan": LIFE, "refreshTokenMaxReuse": 0 })).await;
    let house = House::open(idp, setup).await;
    a_storm_refreshes_once(&house).await;
    clients_that_go_away_stay_logged_in(&house).await;
    house.both_workers_served().await;
    let person = house.customer().await;
    admin.send("POST", "/logout-all", &json!({})).await;
    the_provider_s_word_ends_it(&house, &person).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_provider_is_asked_once() {
    let setup = Setup::new();
    let life = LIFE.to_string();
    let idp = idp::oidc_provider(&[redirect_uri(setup.port)], &[("ACCESS_TOKEN_SECONDS", life.as_str())]).await;
    let house = House::open(idp, setup).await;
    a_storm_refreshes_once(&house).await;
    clients_that_go_away_stay_logged_in(&house).await;
    house.both_workers_served().await;
    assert!(!house.idp.log().contains("invalid_grant"), "{}", house.idp.log());
}
