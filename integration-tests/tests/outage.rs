//! A provider that is away, slow or unsteady costs those who log in a clear answer, and nobody else anything.

use std::slice;
use std::time::{Duration, Instant};

use integration_tests::client::get;
use integration_tests::envoy::{Envoy, Update};
use integration_tests::hostile::{Endpoint, Hostile, Trick};
use integration_tests::idp;
use integration_tests::person::{Page, Person};
use integration_tests::ports;
use integration_tests::setup::Setup;
use integration_tests::shop::{self, CALLBACK, Shop, reason};
use integration_tests::signer::Signer;
use integration_tests::upstream::Upstream;
use serde_json::json;

// D12: down at start.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_comes_late_is_found_within_five_seconds() {
    let (provider_port, upstream) = (ports::free(), Upstream::start().await);
    let setup = Setup::new().upstream(upstream.port).cluster("idp", provider_port);
    let uri = shop::redirect_uri(setup.port);
    let filter = shop::filter(setup.port, &format!("http://127.0.0.1:{provider_port}"));
    let envoy = Envoy::start(setup.filter(filter)).await;
    let url = format!("http://localhost:{}/orders", envoy.port);

    let away = Instant::now();
    while away.elapsed() < Duration::from_secs(6) {
        let page = Person::new().look(&url).await.answer;
        assert_eq!((page.status, reason(&page)), (503, Some("discovery_unavailable")));
        assert_eq!((page.header("retry-after"), page.header("set-cookie")), (Some("5"), None));
        assert!(page.text().contains("The login service cannot be reached"), "{}", page.text());
        assert_eq!(get(envoy.port, "/public").send().await.status, 200);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // Two workers and the main thread, each with pauses of 1, 2 and 4 seconds: far from a call a page load.
    let calls = envoy.counted("calls.discovery").await;
    assert!((3..=15).contains(&calls), "{calls} calls");

    let _idp = idp::oidc_provider_at(provider_port, slice::from_ref(&uri), &[]).await;
    let back = Instant::now();
    let page = loop {
        if let Some(page) = log_in(&url).await {
            break page;
        }
        assert!(back.elapsed() < Duration::from_secs(5), "not found after {:?}", back.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!((page.url.as_str(), page.answer.status), (url.as_str(), 200));
}

/// A login, or nothing while the gate says that there can be none.
async fn log_in(url: &str) -> Option<Page> {
    let mut person = Person::new();
    match person.look(url).await.answer.status {
        503 => None,
        _ => Some(person.log_in(url, "demo", "demo").await),
    }
}

// D13
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_goes_away_later_ends_no_session() {
    let shop = Shop::open().await;
    let mut customer = shop.customer().await;
    for endpoint in [Endpoint::Discovery, Endpoint::Jwks, Endpoint::Token] {
        shop.idp.play(endpoint, Trick::Reset);
    }
    let before = shop.idp.calls().len();
    for _ in 0..10 {
        assert_eq!(customer.look(&shop.url("/")).await.answer.status, 200);
    }
    assert_eq!(shop.idp.calls().len(), before);
    let failed = shop.stranger().await;
    assert_eq!((failed.status, reason(&failed)), (503, Some("token_unavailable")));
    shop.idp.repent();
    shop.customer().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_provider_does_not_slow_requests_that_need_none() {
    let shop = Shop::open_with(|filter| filter["providers"]["main"]["timeout"] = json!("10s"), |setup| setup).await;
    let customer = shop.customer().await;
    shop.idp.play(Endpoint::Token, Trick::Late(Duration::from_secs(5)));
    let asked = Instant::now();
    let logins: Vec<_> = (0..20)
        .map(|_| {
            let url = shop.url("/");
            tokio::spawn(async move { Person::new().open(&url).await.answer.status })
        })
        .collect();
    shop.asked(Endpoint::Token, 21).await;
    let mut slowest = Duration::ZERO;
    for _ in 0..100 {
        for answer in [shop.ask_as(&customer, "GET", "/"), get(shop.envoy.port, "/public")] {
            let sent = Instant::now();
            assert_eq!(answer.send().await.status, 200);
            slowest = slowest.max(sent.elapsed());
        }
    }
    assert!(asked.elapsed() < Duration::from_secs(5), "the measurement took longer than the provider");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    for login in logins {
        assert_eq!(login.await.unwrap(), 200);
    }
}

// K10
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_new_is_found_after_one_more_fetch() {
    let shop = Shop::open().await;
    shop.customer().await;
    let second = Signer::es256("second");
    shop.idp.publish(slice::from_ref(&second));
    shop.idp.sign_with(second);
    assert_eq!(shop.idp.count(Endpoint::Jwks), 1);
    for _ in 0..8 {
        shop.customer().await;
    }
    assert_eq!(shop.idp.count(Endpoint::Jwks), 2, "one more for all workers");
}

// K09, K11
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_nobody_publishes_cause_one_fetch_and_no_more() {
    let shop = Shop::open().await;
    shop.customer().await;
    shop.idp.sign_with(Signer::es256("unpublished"));
    for _ in 0..20 {
        let answer = shop.stranger().await;
        assert_eq!((answer.status, reason(&answer)), (400, Some("id_token_key_unknown")));
    }
    assert_eq!(shop.idp.count(Endpoint::Jwks), 2);
}

// K12
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_refetch_leaves_the_known_keys_in_use() {
    let first = Signer::es256("first");
    let shop = Shop::open_at(Hostile::start_with(first.clone()).await, |_| {}, |setup| setup.workers(1)).await;
    shop.customer().await;
    let second = Signer::es256("second");
    shop.idp.publish(&[first.clone(), second.clone()]);
    shop.idp.sign_with(second);
    shop.idp.play(Endpoint::Jwks, Trick::Answer(500, "text/plain", "no".into()));
    let answer = shop.stranger().await;
    assert_eq!((answer.status, reason(&answer)), (503, Some("jwks_unavailable")));
    shop.idp.sign_with(first);
    shop.customer().await;
}

// V10
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_flaps_is_asked_a_bounded_number_of_times() {
    let idp = Hostile::start_with(Signer::es256("first")).await;
    idp.play(Endpoint::Discovery, Trick::Reset);
    let shop = Shop::open_at(idp, |_| {}, |setup| setup).await;
    let started = Instant::now();
    let mut refused = 0;
    while started.elapsed() < Duration::from_secs(8) {
        let page = Person::new().look(&shop.url("/")).await.answer;
        assert_eq!((page.status, reason(&page)), (503, Some("discovery_unavailable")));
        refused += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let calls = shop.idp.count(Endpoint::Discovery);
    assert!(refused > 100 && calls <= 20, "{calls} calls for {refused} page loads");
    shop.idp.repent();
    let back = Instant::now();
    while shop.stranger().await.status != 200 {
        assert!(back.elapsed() < Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

// E04: many wait for one dead endpoint; each is answered when the time is up, and one call was made.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_page_loads_wait_for_one_answer() {
    let idp = Hostile::start_with(Signer::es256("first")).await;
    idp.play(Endpoint::Discovery, Trick::Stall);
    let shop = Shop::open_at(idp, |_| {}, |setup| setup).await;
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            let url = shop.url("/");
            tokio::spawn(async move { Person::new().look(&url).await.answer })
        })
        .collect();
    let asked = Instant::now();
    for answer in waiting {
        let answer = answer.await.unwrap();
        assert_eq!((answer.status, reason(&answer)), (503, Some("discovery_unavailable")));
    }
    assert!(asked.elapsed() < Duration::from_secs(9), "{:?}", asked.elapsed());
    assert!(shop.idp.count(Endpoint::Discovery) <= 4, "{}", shop.idp.count(Endpoint::Discovery));
    shop.idp.repent();
    tokio::time::sleep(Duration::from_secs(4)).await;
    shop.customer().await;
}

// W08: what waits when the configuration changes is still answered, by the old one.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_outlive_their_configuration() {
    let (idp, upstream) = (Hostile::start_with(Signer::es256("first")).await, Upstream::start().await);
    idp.play(Endpoint::Discovery, Trick::Late(Duration::from_secs(3)));
    let setup = Setup::new().upstream(upstream.port).cluster("idp", idp.port);
    let mut filter = shop::filter(setup.port, &idp.issuer());
    filter["providers"]["main"]["timeout"] = json!("10s");
    let setup = setup.filter(filter.clone());
    let mut envoy = Envoy::start_updatable(setup.clone()).await;
    let url = format!("http://localhost:{}/", envoy.port);
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Person::new().look(&url).await.answer })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    filter["session"]["idle"] = json!("10m");
    assert_eq!(envoy.update(&setup.filter(filter)).await, Update::Accepted);
    for answer in waiting {
        let answer = answer.await.unwrap();
        assert_eq!((answer.status, reason(&answer)), (303, Some("login_started")));
    }
    let page = Person::new().open(&url).await.answer;
    assert_eq!(page.status, 200, "{:?}", reason(&page));
}

// D05: what no cluster reaches is never called.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_envoy_lacks_is_named() {
    let shop = Shop::open_with(
        |filter| filter["providers"]["main"]["cluster"] = json!("elsewhere"),
        |setup| setup.bodies_at(CALLBACK),
    )
    .await;
    let page = Person::new().look(&shop.url("/")).await.answer;
    assert_eq!((page.status, reason(&page)), (503, Some("cluster_unknown")));
    assert!(shop.envoy.log().contains("the host has no cluster \"elsewhere\""));
    assert_eq!(get(shop.envoy.port, "/public").send().await.status, 200);
    assert!(shop.idp.calls().is_empty());
}
