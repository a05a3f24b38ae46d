//! What a person sees, in headless Chromium: tabs, cookies as the browser keeps them, and pages that should please.

use std::slice;
use std::time::Duration;

use integration_tests::browser::Browser;
use integration_tests::envoy::Envoy;
use integration_tests::idp::{self, Idp};
use integration_tests::part::{Part, Work};
use integration_tests::ports;
use integration_tests::setup::Setup;
use integration_tests::shop::{self, Shop};
use serde_json::{Value, json};

/// The demo service behind the gate, as `make run` has it.
struct Demo {
    envoy: Envoy,
    _idp: Idp,
    // Ends before the folder goes that its log lies in.
    _service: Part,
    _work: Work,
}

impl Demo {
    async fn start() -> Demo {
        Demo::start_with(|_| {}).await
    }

    async fn start_with(change: impl FnOnce(&mut Value)) -> Demo {
        let work = Work::new("demo-service");
        let port = ports::free();
        let mut service = Part::start(
            "demo-service",
            work.path(),
            "node",
            &["tools/demo-service.mjs"],
            &[("PORT", &port.to_string())],
        );
        service.ready(port, "/", Duration::from_secs(30)).await;
        let setup = Setup::new().upstream(port).bodies_at(shop::CALLBACK);
        let idp = idp::oidc_provider(slice::from_ref(&shop::redirect_uri(setup.port)), &[]).await;
        let mut filter = shop::filter(setup.port, &idp.issuer);
        filter["providers"]["main"]["timeout"] = json!("5s");
        filter["defaults"]["upstream_headers"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "claim": ["email"], "name": "x-email" }));
        change(&mut filter);
        let envoy = Envoy::start(setup.cluster("idp", idp.port).filter(filter)).await;
        Demo { envoy, _idp: idp, _service: service, _work: work }
    }

    fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.envoy.port)
    }
}

async fn log_in(browser: &Browser) {
    browser.find("input[name=username]").await.fill("demo").await;
    browser.find("input[name=password]").await.fill("demo").await;
    browser.find("button[type=submit]").await.click().await;
}

async fn greeting(browser: &Browser) -> String {
    browser.find("h1").await.text().await
}

// C03
#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_that_begin_at_once_both_end_logged_in() {
    let demo = Demo::start().await;
    let browser = Browser::start().await;
    let first = browser.tab().await;
    browser.open(&demo.url("/first?a=1")).await;
    browser.find("input[name=username]").await;
    let second = browser.new_tab().await;
    browser.open(&demo.url("/second?b=2")).await;
    browser.find("input[name=username]").await;
    for (tab, path) in [(first, "/first?a=1"), (second, "/second?b=2")] {
        browser.switch(&tab).await;
        log_in(&browser).await;
        browser.arrive(&demo.url(path)).await;
        assert_eq!(greeting(&browser).await, "Hello, demo");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_as_a_person_sees_it() {
    let demo = Demo::start().await;
    let browser = Browser::start().await;
    browser.open(&demo.url("/public/page")).await;
    assert_eq!(greeting(&browser).await, "Hello, stranger");
    browser.open(&demo.url("/orders/7?page=2")).await;
    browser.find("input[name=username]").await;
    browser.screenshot("login-form").await;
    log_in(&browser).await;
    browser.arrive(&demo.url("/orders/7?page=2")).await;
    assert_eq!(greeting(&browser).await, "Hello, demo");
    browser.screenshot("demo-page").await;

    let session = session_cookie(&browser).await;
    assert_eq!((&session["httpOnly"], &session["sameSite"]), (&json!(true), &json!("Lax")));
    assert_eq!((&session["path"], &session["domain"]), (&json!("/"), &json!("localhost")));
    // No script of a page finds it.
    let seen = browser.script("arguments[0](document.cookie)").await;
    assert_eq!(seen, json!(""));

    // Still known at the provider: a lost session costs a reload.
    browser.forget(session["name"].as_str().unwrap()).await;
    browser.open(&demo.url("/orders/7?page=2")).await;
    browser.arrive(&demo.url("/orders/7?page=2")).await;
    assert_eq!(greeting(&browser).await, "Hello, demo");
    assert_ne!(session_cookie(&browser).await["value"], session["value"]);
}

async fn session_cookie(browser: &Browser) -> Value {
    let cookies = browser.cookies().await;
    let is_session = |cookie: &&Value| cookie["name"].as_str().is_some_and(|name| !name.contains("login"));
    cookies.iter().find(is_session).unwrap_or_else(|| panic!("no session in {cookies:?}")).clone()
}

// Another site's POST carries the login's cookie only as `SameSite=None`, which browsers take only as `Secure`.
#[tokio::test(flavor = "multi_thread")]
async fn the_answer_may_come_as_a_form_post() {
    let form_post = |filter: &mut Value| filter["providers"]["main"]["response_mode"] = json!("form_post");
    let demo = Demo::start_with(form_post).await;
    let browser = Browser::start().await;
    browser.open(&demo.url("/orders")).await;
    log_in(&browser).await;
    browser.arrive(&demo.url("/orders")).await;
    assert_eq!(greeting(&browser).await, "Hello, demo");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_as_a_person_sees_it() {
    let demo = Demo::start().await;
    let browser = Browser::start().await;
    browser.open(&demo.url("/oauth/callback?state=of-another-browser&code=x")).await;
    assert_eq!(greeting(&browser).await, "This login cannot be finished");
    browser.screenshot("error-page").await;
    // The page is styled, by the one style that its policy lets in.
    let colour = "arguments[0](getComputedStyle(document.querySelector('.button')).backgroundColor)";
    assert_ne!(browser.script(colour).await, json!("rgba(0, 0, 0, 0)"));
    browser.find("a.button").await.click().await;
    log_in(&browser).await;
    browser.arrive(&demo.url("/")).await;
    assert_eq!(greeting(&browser).await, "Hello, demo");
}

// O08: the page of someone whose session is gone asks for data.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_s_own_requests_are_never_sent_to_the_login() {
    const STORM: &str = "const done = arguments[0];
        const one = (_, number) => fetch('/api/' + number).then(answer => answer.status);
        Promise.all(Array.from({ length: 50 }, one)).then(all => done([...new Set(all)]), error => done(String(error)))";
    const FRAME: &str = "const done = arguments[0]; const frame = document.createElement('iframe');
        frame.onload = () => done('loaded'); frame.src = '/orders'; document.body.append(frame)";
    let shop = Shop::open().await;
    let browser = Browser::start().await;
    browser.open(&shop.url("/public/page")).await;
    assert_eq!(browser.script(STORM).await, json!([401]));
    assert_eq!(browser.script(FRAME).await, json!("loaded"));
    // Beside these the browser asks for its icon.
    assert!(shop.envoy.counted("answered.login_required").await >= 51);
    assert_eq!(shop.envoy.counted("answered.login_started").await, 0);
    assert_eq!(browser.cookies().await, Vec::<Value>::new());
    // The twin: a page load of the same browser.
    browser.open(&shop.url("/orders")).await;
    assert_eq!(browser.url().await, shop.url("/orders"));
    assert_eq!(browser.script(STORM).await, json!([200]));
}
