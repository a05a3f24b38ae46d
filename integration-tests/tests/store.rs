//! Two gates with two workers each on one store: Redis, and Webdis in front of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use integration_tests::envoy::Envoy;
use integration_tests::hostile::{Endpoint, Hostile};
use integration_tests::idp::{self, Idp};
use integration_tests::person::Person;
use integration_tests::setup::Setup;
use integration_tests::shop::{Shop, cookie_line, filter, reason, redirect_uri, values};
use integration_tests::signer::Signer;
use integration_tests::store::Store;
use integration_tests::upstream::Upstream;
use integration_tests::{client, random_hex};
use serde_json::{Value, json};

/// A shop with a second gate, and the store of both.
struct Twins {
    shop: Shop,
    other: Envoy,
    store: Store,
}

impl Twins {
    async fn open(on_failure: &str) -> Twins {
        let store = Store::start().await;
        let idp = Hostile::start_with(Signer::es256("first")).await;
        let (issuer, idp_port, secret) = (idp.issuer(), idp.port, random_hex::<32>());
        let kept = |filter: &mut Value| {
            filter["session"]["secrets"] = json!([secret]);
            // The machine of a test may be busy with other things.
            filter["store"] =
                json!({ "redis_http": { "cluster": "webdis", "timeout": "2s", "on_failure": on_failure } });
            filter["defaults"]["logout"] = json!({ "path": "/oauth/logout" });
        };
        let shop = Shop::open_at(idp, kept, |setup| setup.cluster("webdis", store.port)).await;
        let setup = Setup::new().upstream(shop.upstream.port).cluster("idp", idp_port).cluster("webdis", store.port);
        let mut configuration = filter(setup.port, &issuer);
        kept(&mut configuration);
        let other = Envoy::start(setup.filter(configuration)).await;
        Twins { shop, other, store }
    }

    /// The ports of both gates.
    fn ports(&self) -> [u16; 2] {
        [self.shop.envoy.port, self.other.port]
    }

    async fn verdict(port: u16, cookies: &str) -> (u16, Option<String>) {
        let ask = client::get(port, "/cart").header("cookie", cookies).header("sec-fetch-mode", "cors");
        let answer = ask.header("x-requested-with", "XMLHttpRequest").send().await;
        (answer.status, reason(&answer).map(str::to_owned))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_at_one_gate_is_one_at_the_other() {
    let twins = Twins::open("deny").await;
    let person = twins.shop.customer().await;
    let cookies = cookie_line(&person);
    for port in twins.ports().into_iter().cycle().take(16) {
        assert_eq!(Twins::verdict(port, &cookies).await, (200, None));
    }
    assert_eq!(twins.shop.idp.count(Endpoint::Token), 1);
    let seen = twins.shop.upstream.seen();
    assert!(seen.iter().all(|seen| values(seen, "x-user") == ["demo"]), "{seen:?}");
    // A session that a worker has met costs no call; what was revoked is looked for now and then, whoever asks.
    let began = Instant::now();
    let before = twins.other.counted("calls.store").await;
    for _ in 0..400 {
        assert_eq!(Twins::verdict(twins.other.port, &cookies).await, (200, None));
    }
    let calls = twins.other.counted("calls.store").await - before;
    let quarters = u64::try_from(began.elapsed().as_millis() / 250).unwrap();
    // Each of two workers reads two lists every quarter of a second, if somebody asks.
    assert!(calls <= 2 * 2 * (quarters + 2), "{calls} calls in {quarters} quarters of a second");
}

/// L12: logged out at one gate, known at both workers of the other within a second, which have met the session.
#[tokio::test(flavor = "multi_thread")]
async fn a_logout_at_one_gate_is_known_at_the_other_within_a_second() {
    let twins = Twins::open("deny").await;
    let (person, other) = (cookie_line(&twins.shop.customer().await), cookie_line(&twins.shop.customer().await));
    let passed = (200, None);
    for port in twins.ports().into_iter().cycle().take(32) {
        assert_eq!(Twins::verdict(port, &person).await, passed);
    }
    let ask = client::ask("POST", twins.ports()[0], "/oauth/logout").header("cookie", &person);
    let answer = ask.header("sec-fetch-site", "same-origin").send().await;
    let told = Instant::now();
    assert!(reason(&answer).is_some_and(|reason| ["logout_done", "logout_started"].contains(&reason)), "{answer:?}");
    tokio::time::sleep(Duration::from_millis(900).saturating_sub(told.elapsed())).await;
    for port in twins.ports().into_iter().cycle().take(32) {
        assert_eq!(Twins::verdict(port, &person).await, (401, Some("login_required".to_owned())));
        assert_eq!(Twins::verdict(port, &other).await, passed);
    }
    assert!(told.elapsed() < Duration::from_secs(5), "the machine is too busy for this test to say anything");
}

/// How long access tokens live, in seconds.
const LIFE: u64 = 6;

/// Two gates at a provider that rotates refresh tokens, and ends a login of which one is used twice.
struct Rotating {
    gates: [Envoy; 2],
    idp: Idp,
    upstream: Upstream,
    _store: Store,
}

impl Rotating {
    async fn open() -> Rotating {
        let (store, upstream) = (Store::start().await, Upstream::start().await);
        let setups = [Setup::new(), Setup::new()];
        let uris: Vec<String> = setups.iter().map(|setup| redirect_uri(setup.port)).collect();
        let life = LIFE.to_string();
        let idp = idp::oidc_provider(&uris, &[("ACCESS_TOKEN_SECONDS", life.as_str())]).await;
        let secret = random_hex::<32>();
        let gate = async |setup: Setup| {
            let mut filter = filter(setup.port, &idp.issuer);
            filter["providers"]["main"]["timeout"] = json!("10s");
            filter["session"]["secrets"] = json!([secret]);
            filter["session"]["refresh"] = json!({ "before": "0s" });
            filter["store"] = json!({ "redis_http": { "cluster": "webdis", "timeout": "2s" } });
            let setup = setup.upstream(upstream.port).cluster("idp", idp.port).cluster("webdis", store.port);
            Envoy::start(setup.filter(filter)).await
        };
        let [one, other] = setups;
        let gates = [gate(one).await, gate(other).await];
        Rotating { gates, idp, upstream, _store: store }
    }

    /// 400 requests with the same cookies over both gates, each on a connection of its own: the one token of all.
    async fn storm(&self, cookies: &str) -> String {
        self.upstream.forget();
        let ports = self.gates.each_ref().map(|gate| gate.port);
        for _ in 0..4 {
            let asked: Vec<_> = (0..100)
                .map(|at| {
                    let ask = client::get(ports[at % 2], "/page").header("cookie", cookies);
                    tokio::spawn(ask.header("accept", "application/json").send())
                })
                .collect();
            for answer in asked {
                let answer = answer.await.unwrap();
                assert_eq!((answer.status, reason(&answer)), (200, None), "{}", self.gates[0].log());
            }
        }
        let seen = self.upstream.seen();
        let mut tokens: Vec<String> = seen.iter().map(|seen| values(seen, "authorization").concat()).collect();
        tokens.sort();
        tokens.dedup();
        assert_eq!((seen.len(), tokens.len()), (400, 1), "one token for all");
        tokens.remove(0)
    }

    async fn calls(&self) -> u64 {
        self.gates[0].counted("calls.token").await + self.gates[1].counted("calls.token").await
    }
}

/// S17, over two hosts with two workers each: a storm at the moment of expiry makes one call, and so does the next one.
#[tokio::test(flavor = "multi_thread")]
async fn both_gates_refresh_once() {
    let house = Rotating::open().await;
    let mut person = Person::new();
    let page = person.log_in(&format!("http://localhost:{}/", house.gates[0].port), "demo", "demo").await;
    assert_eq!(page.answer.status, 200, "{}", house.idp.log());
    let (cookies, before) = (cookie_line(&person), house.calls().await);
    let mut token = String::new();
    for round in 1..=3 {
        tokio::time::sleep(Duration::from_secs(LIFE + 1)).await;
        let renewed = house.storm(&cookies).await;
        assert_ne!(renewed, token);
        assert_eq!(house.calls().await - before, round, "{}", house.gates[1].log());
        token = renewed;
    }
    assert!(!house.idp.log().contains("invalid_grant"), "{}", house.idp.log());
}

/// W11: Redis is killed and comes back in the middle of 2,000 requests and some logins. Every request has a verdict, and no
/// session is lost that was acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_redis_loses_no_session() {
    let mut twins = Twins::open("deny").await;
    let mut sessions = Vec::new();
    for _ in 0..10 {
        sessions.push(cookie_line(&twins.shop.customer().await));
    }
    let mut verdicts: BTreeMap<(u16, Option<String>), usize> = BTreeMap::new();
    let mut late = Vec::new();
    for batch in 0..250 {
        match batch {
            80 => twins.store.kill(),
            160 => twins.store.revive().await,
            _ => {}
        }
        let asked: Vec<_> = (0..8)
            .map(|at| {
                let (port, cookies) = (twins.ports()[at % 2], sessions[(batch + at) % sessions.len()].clone());
                tokio::spawn(async move { Twins::verdict(port, &cookies).await })
            })
            .collect();
        if batch % 25 == 10 {
            let mut person = Person::new();
            let page = person.open(&twins.shop.url("/")).await;
            late.push((page.answer.status, reason(&page.answer).map(str::to_owned)));
            if page.answer.status == 200 {
                sessions.push(cookie_line(&person));
            }
        }
        for one in asked {
            *verdicts.entry(one.await.unwrap()).or_default() += 1;
        }
    }
    let (passed, refused) = ((200, None), (503, Some("store_unavailable".to_owned())));
    assert_eq!(verdicts.values().sum::<usize>(), 2000);
    assert!(verdicts.keys().all(|verdict| [&passed, &refused].contains(&verdict)), "{verdicts:?}");
    assert!(verdicts[&passed] >= 640 && verdicts[&refused] >= 8, "{verdicts:?}");
    assert!(late.iter().all(|verdict| [&passed, &refused].contains(&verdict)), "{late:?}");
    // It is well again by itself.
    let deadline = Instant::now() + Duration::from_secs(20);
    for port in twins.ports() {
        while Twins::verdict(port, &sessions[0]).await != passed {
            assert!(Instant::now() < deadline, "it does not recover");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for cookies in &sessions {
            assert_eq!(Twins::verdict(port, cookies).await, passed, "a session is lost");
        }
    }
}

/// `on_failure: local`: who is known here goes on, and whoever logs in meanwhile does so as without a store.
#[tokio::test(flavor = "multi_thread")]
async fn with_local_a_gate_goes_on_by_itself() {
    let mut twins = Twins::open("local").await;
    let known = cookie_line(&twins.shop.customer().await);
    for _ in 0..16 {
        assert_eq!(Twins::verdict(twins.shop.envoy.port, &known).await, (200, None));
    }
    twins.store.kill();
    for _ in 0..16 {
        assert_eq!(Twins::verdict(twins.shop.envoy.port, &known).await, (200, None));
    }
    assert_eq!(Twins::verdict(twins.other.port, &known).await, (401, Some("login_required".to_owned())));
    let new = cookie_line(&twins.shop.customer().await);
    for port in twins.ports() {
        assert_eq!(Twins::verdict(port, &new).await, (200, None));
    }
    twins.store.revive().await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while Twins::verdict(twins.other.port, &known).await != (200, None) {
        assert!(Instant::now() < deadline, "it does not recover");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(Twins::verdict(twins.other.port, &new).await, (200, None));
}

/// Who gets hold of Redis' files and Webdis' log reads nothing in them.
#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_dump_tells_nothing() {
    let twins = Twins::open("deny").await;
    let person = twins.shop.customer().await;
    twins.shop.upstream.forget();
    assert_eq!(Twins::verdict(twins.other.port, &cookie_line(&person)).await, (200, None));
    let leaked = twins.store.leaked();
    let holds = |text: &str| leaked.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("oidc:s:"), "the session is there");
    let handle = cookie_line(&person).split_once('=').unwrap().1.to_owned();
    let seen = twins.shop.upstream.seen();
    let token = values(&seen[0], "authorization").first().map(|value| value.replace("Bearer ", ""));
    let texts = ["person-1", "demo", "openid", "localhost"].map(str::to_owned);
    for text in texts.into_iter().chain([handle]).chain(token) {
        assert!(!holds(&text), "{text}");
    }
    // Nothing stays for ever.
    let names = String::from_utf8_lossy(&leaked).into_owned();
    assert!(names.contains("PX"), "each entry has its life");
}
