//! Sessions end: the person, the provider, or another tab ends them, in the real Envoy with two workers.

use std::time::{Duration, Instant};

use integration_tests::browser::Browser;
use integration_tests::client;
use integration_tests::envoy::Envoy;
use integration_tests::idp::{self, Idp};
use integration_tests::keycloak_admin::KeycloakAdmin;
use integration_tests::person::Person;
use integration_tests::setup::Setup;
use integration_tests::shop::{self, cookie_line, reason, values};
use integration_tests::upstream::Upstream;
use serde_json::json;

const BACK: &str = "/oauth/back-channel";
const LANDING: &str = "/oauth/landing";

/// A gate in front of a service, with every way to log out, at a real provider.
struct Gate {
    envoy: Envoy,
    upstream: Upstream,
    idp: Idp,
}

impl Gate {
    async fn at(setup: Setup, idp: Idp) -> Gate {
        let upstream = Upstream::start().await;
        let mut filter = shop::filter(setup.port, &idp.issuer);
        filter["providers"]["main"]["timeout"] = json!("5s");
        let sid = json!({ "claim": ["sid"], "name": "x-sid" });
        filter["defaults"]["upstream_headers"].as_array_mut().unwrap().push(sid);
        filter["defaults"]["logout"] = json!({
            "path": "/oauth/logout",
            "landing_path": LANDING,
            "front_channel_path": "/oauth/front-channel",
            "back_channel_path": BACK,
        });
        let setup = setup.upstream(upstream.port).cluster("idp", idp.port).workers(2).filter(filter);
        Gate { envoy: Envoy::start(setup).await, upstream, idp }
    }

    async fn at_oidc_provider() -> Gate {
        let setup = Setup::new().bodies_at(BACK);
        let back = format!("http://localhost:{}{BACK}", setup.port);
        let landing = json!([format!("http://localhost:{}{LANDING}", setup.port)]).to_string();
        let settings = [("BACKCHANNEL_LOGOUT_URI", back.as_str()), ("POST_LOGOUT_REDIRECT_URIS", &landing)];
        let idp = idp::oidc_provider(&[shop::redirect_uri(setup.port)], &settings).await;
        Gate::at(setup, idp).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.envoy.port)
    }

    async fn customer(&self) -> Person {
        let mut person = Person::new();
        let page = person.log_in(&self.url("/orders"), "demo", "demo").await;
        assert_eq!(page.answer.status, 200, "{}", self.idp.log());
        person
    }

    /// Whether a new connection, which any worker may take, is still let in with these cookies.
    async fn lets_in(&self, cookies: &str) -> bool {
        let ask = client::get(self.envoy.port, "/orders").header("cookie", cookies);
        let answer = ask.header("accept", "application/json").send().await;
        assert!(answer.status == 200 || reason(&answer) == Some("login_required"), "{:?}", reason(&answer));
        answer.status == 200
    }

    /// After the second within which every worker knows, none of many connections is let in.
    async fn ends_everywhere(&self, cookies: &str) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        for connection in 0..16 {
            assert!(!self.lets_in(cookies).await, "connection {connection}");
        }
    }
}

/// RP-initiated: here first, then at the provider, which asks, and sends the browser back; its back channel speaks too.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_logs_out_here_and_at_oidc_provider() {
    let gate = Gate::at_oidc_provider().await;
    let mut person = gate.customer().await;
    let cookies = cookie_line(&person);
    let start = person.look(&gate.url("/oauth/logout")).await;
    assert_eq!((start.answer.status, reason(&start.answer)), (200, Some("logout_asked")), "a link may stand anywhere");
    assert!(gate.lets_in(&cookies).await);
    let ask = client::ask("POST", gate.envoy.port, "/oauth/logout").header("cookie", &cookies);
    let answer = ask.header("sec-fetch-site", "same-origin").send().await;
    assert_eq!((answer.status, reason(&answer)), (303, Some("logout_started")));
    let location = answer.header("location").unwrap().to_owned();
    assert!(location.starts_with(&gate.idp.issuer) && location.contains("id_token_hint="));
    assert!(answer.all("set-cookie").iter().any(|line| line.contains("Max-Age=0")));
    gate.ends_everywhere(&cookies).await;
    let asks = person.open(&location).await;
    let landed = person.submit(&asks, &[("logout", "yes")]).await;
    assert_eq!(landed.url.path(), LANDING, "{}", landed.answer.text());
    assert_eq!(reason(&landed.answer), Some("logout_landed"), "this jar never had the state");
}

/// Back-channel: the provider's own logout page, with no word to us from the browser.
#[tokio::test(flavor = "multi_thread")]
async fn a_logout_at_oidc_provider_ends_the_session_here() {
    let gate = Gate::at_oidc_provider().await;
    let mut person = gate.customer().await;
    let cookies = cookie_line(&person);
    assert!(gate.lets_in(&cookies).await);
    let discovery = gate.idp.discovery().await;
    let asks = person.open(discovery["end_session_endpoint"].as_str().unwrap()).await;
    person.submit(&asks, &[("logout", "yes")]).await;
    told(&gate).await;
    gate.ends_everywhere(&cookies).await;
    let again = Person::new().log_in(&gate.url("/orders"), "demo", "demo").await;
    assert_eq!(again.answer.status, 200, "a login afterwards is good");
}

async fn told(gate: &Gate) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !gate.envoy.all_counted().await.contains_key("answered.logout_told") {
        assert!(Instant::now() < deadline, "no logout token came: {}\n{}", gate.idp.log(), gate.envoy.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Keycloak: RP-initiated, then its administrator ends all of a person's sessions, which it tells at the back channel.
#[tokio::test(flavor = "multi_thread")]
async fn keycloak_s_administrator_ends_a_session_here() {
    let setup = Setup::new().bodies_at(BACK);
    let back = format!("http://localhost:{}{BACK}", setup.port);
    let idp = idp::keycloak(&[shop::redirect_uri(setup.port)]).await;
    let gate = Gate::at(setup, idp).await;
    let admin = KeycloakAdmin::of(&gate.idp);
    let clients = admin.get("/clients?clientId=demo").await;
    let mut demo = clients[0].clone();
    demo["attributes"]["backchannel.logout.url"] = json!(back);
    demo["attributes"]["backchannel.logout.session.required"] = json!("true");
    demo["attributes"]["post.logout.redirect.uris"] = json!(gate.url(LANDING));
    admin.send("PUT", &format!("/clients/{}", demo["id"].as_str().unwrap()), &demo).await;

    let person = gate.customer().await;
    let cookies = cookie_line(&person);
    assert!(gate.lets_in(&cookies).await);
    let users = admin.get("/users?username=demo").await;
    let user = users[0]["id"].as_str().unwrap();
    admin.send("POST", &format!("/users/{user}/logout"), &json!({})).await;
    told(&gate).await;
    gate.ends_everywhere(&cookies).await;

    // RP-initiated: with the ID token nobody is asked, and the session there is over.
    let mut person = gate.customer().await;
    let cookies = cookie_line(&person);
    let ask = client::ask("POST", gate.envoy.port, "/oauth/logout").header("cookie", &cookies);
    let answer = ask.header("sec-fetch-site", "same-origin").send().await;
    assert_eq!((answer.status, reason(&answer)), (303, Some("logout_started")));
    gate.ends_everywhere(&cookies).await;
    person.open(answer.header("location").unwrap()).await;
    let asked = person.open(&gate.url("/orders")).await;
    assert!(asked.answer.text().contains("password"), "Keycloak asks for the password again");
}

/// In Chromium: an iframe on another site's page ends the session, and so does a logout in another tab.
#[tokio::test(flavor = "multi_thread")]
async fn an_iframe_and_another_tab_end_a_session_in_chromium() {
    let gate = Gate::at_oidc_provider().await;
    let browser = Browser::start().await;
    log_in(&gate, &browser).await;
    gate.upstream.forget();
    browser.open(&gate.url("/orders")).await;
    // As the provider's logout page does it, on a page of its origin.
    browser.open(&format!("{}/.well-known/openid-configuration", gate.idp.issuer)).await;
    let seen = gate.upstream.seen().pop().unwrap();
    let [sid] = values(&seen, "x-sid")[..] else { panic!("no sid: {seen:?}") };
    let frame = format!("{}?iss={}&sid={sid}", gate.url("/oauth/front-channel"), gate.idp.issuer);
    let script = "const done = arguments[0]; const frame = document.createElement('iframe'); \
                  frame.onload = () => done('loaded'); frame.src = URL_; document.body.append(frame);";
    assert_eq!(browser.script(&script.replace("URL_", &json!(frame).to_string())).await, json!("loaded"));
    assert!(gate.envoy.all_counted().await.contains_key("answered.logout_heard"));

    tokio::time::sleep(Duration::from_secs(1)).await;
    let answer = "const done = arguments[0]; fetch('/orders').then(answer => done(answer.status));";
    browser.open(&gate.url("/public")).await;
    assert_eq!(browser.script(answer).await, json!(401), "the session has ended");

    // A logout in one tab, here and at the provider, and a click in the other.
    log_in(&gate, &browser).await;
    let link = "const done = arguments[0]; const link = document.createElement('a'); link.id = 'further'; \
                link.href = '/orders'; link.textContent = 'further'; document.body.append(link); done('linked');";
    assert_eq!(browser.script(link).await, json!("linked"));
    let (page, tab) = (browser.url().await, browser.tab().await);
    browser.new_tab().await;
    browser.open(&gate.url("/oauth/logout")).await;
    browser.find("button[name=logout][value=yes]").await.click().await;
    browser.arrive(&gate.url(LANDING)).await;
    browser.switch(&tab).await;
    assert_eq!(browser.url().await, page, "the other tab knows nothing of it");
    browser.find("#further").await.click().await;
    browser.arrive(&gate.idp.issuer).await;
    browser.find("[name=password]").await;
}

async fn log_in(gate: &Gate, browser: &Browser) {
    browser.open(&gate.url("/orders")).await;
    if browser.url().await.starts_with(&gate.idp.issuer) {
        browser.find("[name=username]").await.fill("demo").await;
        browser.find("[name=password]").await.fill("demo").await;
        browser.find("button, [type=submit]").await.click().await;
    }
    browser.arrive(&gate.url("/orders")).await;
}
