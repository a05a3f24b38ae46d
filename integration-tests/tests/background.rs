//! Requests that no person waits for are never sent to log in.

use integration_tests::client::{Answer, Ask, ask, get};
use integration_tests::hostile::Endpoint;
use integration_tests::person::Person;
use integration_tests::shop::{Shop, reason};

fn is_told_to_log_in(answer: &Answer) -> bool {
    answer.status == 401
        && reason(answer) == Some("login_required")
        && answer.all("www-authenticate") == ["Bearer realm=\"localhost\""]
        && answer.header("set-cookie").is_none()
        && answer.header("location").is_none()
        && answer.header("cache-control") == Some("no-store")
}

// O08, C27: a page whose session is over sends many at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_fifty_requests_begins_no_login() {
    let shop = Shop::open().await;
    let one = |number: usize| {
        let ask = get(shop.envoy.port, &format!("/api/{number}")).header("accept", "application/json");
        ask.header("sec-fetch-mode", "cors").header("sec-fetch-dest", "empty").send()
    };
    let storm: Vec<_> = (0..50).map(|number| tokio::spawn(one(number))).collect();
    for answer in storm {
        let answer = answer.await.unwrap();
        assert!(is_told_to_log_in(&answer), "{answer:?}");
        assert_eq!(answer.json()["error"], "login_required");
    }
    assert_eq!(shop.envoy.counted("answered.login_required").await, 50);
    assert_eq!(shop.envoy.counted("answered.login_started").await, 0);
    assert!(shop.upstream.seen().is_empty());

    // The twin: the same paths with a session.
    let customer = shop.customer().await;
    let storm = (0..50).map(|number| tokio::spawn(shop.ask_as(&customer, "GET", &format!("/api/{number}")).send()));
    for answer in storm.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap().status, 200);
    }
    assert_eq!(shop.idp.count(Endpoint::Token), 1);
}

// O07, O08, O09
#[tokio::test(flavor = "multi_thread")]
async fn only_a_page_load_begins_a_login() {
    const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";
    let shop = Shop::open().await;
    let load = |method: &str| ask(method, shop.envoy.port, "/orders").header("accept", HTML);
    let background: Vec<Ask> = vec![
        load("POST").form(&[("order", "1")]),
        load("PUT").body("x"),
        load("DELETE"),
        load("PATCH").body("x"),
        load("OPTIONS"),
        load("GET").header("x-requested-with", "XMLHttpRequest"),
        load("GET").header("sec-fetch-mode", "no-cors").header("sec-fetch-dest", "image"),
        load("GET").header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "iframe"),
        load("GET").header("sec-fetch-mode", "navigate").header("sec-purpose", "prefetch"),
        get(shop.envoy.port, "/orders").header("accept", "text/event-stream"),
        get(shop.envoy.port, "/orders").header("accept", "*/*"),
        get(shop.envoy.port, "/orders"),
        get(shop.envoy.port, "/orders").http2(),
    ];
    for ask in background {
        let answer = ask.clone().send().await;
        assert!(is_told_to_log_in(&answer), "{answer:?}");
    }
    assert!(shop.upstream.seen().is_empty());
    for method in ["GET", "HEAD"] {
        let answer = load(method).send().await;
        assert_eq!((answer.status, reason(&answer)), (303, Some("login_started")), "{method}");
        assert_eq!(answer.all("set-cookie").len(), 1);
    }
    assert_eq!((shop.idp.count(Endpoint::Authorize), shop.idp.count(Endpoint::Token)), (0, 0));
}

// C27
#[tokio::test(flavor = "multi_thread")]
async fn twenty_tabs_leave_a_handful_of_logins_and_the_newest_ends_well() {
    let shop = Shop::open().await;
    let mut person = Person::new();
    let mut last = None;
    for number in 0..20 {
        last = Some(person.look(&shop.url(&format!("/tab/{number}"))).await);
        assert!(person.cookies("localhost").len() <= 6);
    }
    let to_provider = last.unwrap().answer.header("location").unwrap().to_owned();
    let page = person.open(&to_provider).await;
    assert_eq!((page.url.path(), page.answer.status), ("/tab/19", 200));
}
