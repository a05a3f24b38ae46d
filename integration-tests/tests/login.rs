//! People log in at real providers through their own forms, and pass from then on.

use std::collections::BTreeMap;
use std::slice;
use std::time::Duration;

use integration_tests::client::get;
use integration_tests::envoy::{Envoy, Update};
use integration_tests::hostile::Endpoint;
use integration_tests::idp::{self, Idp};
use integration_tests::person::{Page, Person};
use integration_tests::setup::Setup;
use integration_tests::shop::{self, CALLBACK, Shop, reason, values};
use integration_tests::upstream::Upstream;
use serde_json::{Value, json};

/// A gate in front of a service, with logins at a real provider.
struct Gate {
    envoy: Envoy,
    upstream: Upstream,
    idp: Idp,
}

impl Gate {
    async fn at(setup: Setup, idp: Idp, change: impl FnOnce(&mut Value)) -> Gate {
        let upstream = Upstream::start().await;
        let mut filter = shop::filter(setup.port, &idp.issuer);
        filter["providers"]["main"]["timeout"] = json!("5s");
        change(&mut filter);
        let envoy = Envoy::start(setup.upstream(upstream.port).cluster("idp", idp.port).filter(filter)).await;
        Gate { envoy, upstream, idp }
    }

    async fn at_oidc_provider(change: impl FnOnce(&mut Value)) -> Gate {
        let setup = Setup::new();
        let idp = idp::oidc_provider(slice::from_ref(&shop::redirect_uri(setup.port)), &[]).await;
        Gate::at(setup, idp, change).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.envoy.port)
    }

    async fn calls(&self) -> BTreeMap<String, u64> {
        let counted = self.envoy.all_counted().await;
        counted.into_iter().filter(|(name, _)| name.starts_with("calls.")).collect()
    }
}

fn own_cookies(person: &Person) -> Vec<String> {
    person.cookies("localhost").into_iter().map(|cookie| cookie.name).filter(|name| name.starts_with("oidc-")).collect()
}

async fn logs_in_and_passes(gate: &Gate) {
    let mut person = Person::new();
    person.look(&gate.url("/public")).await;
    let arrived = person.log_in(&gate.url("/orders?page=2"), "demo", "demo").await;
    assert_eq!(arrived.url.as_str(), gate.url("/orders?page=2"), "{}", gate.idp.log());
    assert_eq!(arrived.answer.status, 200);
    let seen = gate.upstream.seen().pop().unwrap();
    assert_eq!(values(&seen, "x-user"), ["demo"]);
    assert!(matches!(values(&seen, "authorization")[..], [bearer] if bearer.starts_with("Bearer ")));
    assert!(!own_cookies(&person).is_empty());
    assert!(!seen.headers.contains_key("cookie"), "our cookies are nobody else's: {seen:?}");

    // Once for all workers and the main thread, and never again.
    let expected = ["discovery", "jwks", "token"].map(|call| (format!("calls.{call}"), 1));
    assert_eq!(gate.calls().await, BTreeMap::from(expected.clone()));
    for number in 0..12 {
        let path = format!("/orders/{number}");
        let page = person.look(&gate.url(&path)).await;
        assert_eq!((page.answer.status, page.answer.json()["path"].as_str()), (200, Some(path.as_str())));
        assert_eq!(page.answer.all("set-cookie"), Vec::<&str>::new());
    }
    assert_eq!(gate.calls().await, BTreeMap::from(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_logs_in_at_oidc_provider() {
    logs_in_and_passes(&Gate::at_oidc_provider(|_| {}).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_logs_in_at_keycloak() {
    let setup = Setup::new();
    let idp = idp::keycloak(&[shop::redirect_uri(setup.port)]).await;
    logs_in_and_passes(&Gate::at(setup, idp, |_| {}).await).await;
}

/// The checklist of the reference suite's own use case, in its order.
#[tokio::test(flavor = "multi_thread")]
async fn refused_then_granted_then_at_once_then_refused_again() {
    let lives = |filter: &mut Value| {
        filter["session"]["idle"] = json!("4s");
        filter["session"]["absolute"] = json!("4s");
    };
    let gate = Gate::at_oidc_provider(lives).await;
    let mut person = Person::new();
    let refused = person.fetch(&gate.url("/anything")).await;
    assert_eq!((refused.status, reason(&refused)), (401, Some("login_required")));
    let granted = person.log_in(&gate.url("/anything"), "demo", "demo").await;
    assert_eq!((granted.url.path(), granted.answer.status), ("/anything", 200));
    let at_once = person.look(&gate.url("/anything")).await;
    assert_eq!((at_once.answer.status, at_once.answer.header("location")), (200, None));
    tokio::time::sleep(Duration::from_secs(5)).await;
    // The jar keeps cookies beyond their Max-Age: it is the seal that says no.
    let again = person.fetch(&gate.url("/anything")).await;
    assert_eq!((again.status, reason(&again)), (401, Some("login_required")));
    assert_eq!(gate.upstream.seen().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_may_come_as_a_form_post() {
    let setup = Setup::new().bodies_at(CALLBACK);
    let idp = idp::oidc_provider(slice::from_ref(&shop::redirect_uri(setup.port)), &[]).await;
    let form_post = |filter: &mut Value| filter["providers"]["main"]["response_mode"] = json!("form_post");
    let gate = Gate::at(setup, idp, form_post).await;
    let mut person = Person::new();
    let relay = person.log_in(&gate.url("/orders"), "demo", "demo").await;
    let login = person.cookies("localhost").pop().unwrap();
    // It has to come along with another site's POST.
    assert!(login.attributes.contains("; Secure; SameSite=None"), "{}", login.attributes);
    let page = person.submit(&relay, &[]).await;
    assert_eq!((page.url.as_str(), page.answer.status), (gate.url("/orders").as_str(), 200));
    assert_eq!(values(&gate.upstream.seen()[0], "x-user"), ["demo"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_post_to_an_instance_that_reads_no_bodies_is_answered_with_a_sentence() {
    let shop = Shop::open_with(|filter| filter["providers"]["main"]["response_mode"] = json!("form_post"), |s| s).await;
    let mut person = Person::new();
    let fields = shop.halfway(&mut person).await;
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = shop.ask_as(&person, "POST", CALLBACK).form(&fields).send().await;
    assert_eq!((answer.status, reason(&answer)), (501, Some("body_unreadable")));
    assert!(shop.envoy.log().contains("bodies: readable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn userinfo_adds_to_what_the_id_token_says() {
    let ask_userinfo = |filter: &mut Value| {
        filter["defaults"]["login"]["userinfo"] = json!(true);
        filter["defaults"]["upstream_headers"] =
            json!([{ "claim": ["name"], "name": "x-name" }, { "claim": ["department"], "name": "x-department" }]);
    };
    let shop = Shop::open_with(ask_userinfo, |setup| setup).await;
    shop.idp.edit(Endpoint::Userinfo, |claims| {
        claims["department"] = json!("cheese");
        claims["name"] = json!("Somebody Else");
    });
    shop.customer().await;
    let seen = shop.upstream.seen().pop().unwrap();
    // I18: the signed word stands.
    assert_eq!((values(&seen, "x-department"), values(&seen, "x-name")), (vec!["cheese"], vec!["Demo Person"]));

    // I16
    shop.idp.edit(Endpoint::Userinfo, |claims| claims["sub"] = json!("person-2"));
    let answer = shop.stranger().await;
    assert_eq!((answer.status, reason(&answer)), (400, Some("userinfo_subject_mismatch")));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_may_begin_a_login() {
    let shop = Shop::open().await;
    let begin = |iss: &str, target: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("iss", iss), ("target_link_uri", target), ("login_hint", "demo")])
            .finish();
        shop.url(&format!("/oauth/login?{query}"))
    };
    let page = Person::new().open(&begin(&shop.idp.issuer(), &shop.url("/deep/link"))).await;
    assert_eq!((page.url.as_str(), page.answer.status), (shop.url("/deep/link").as_str(), 200));
    let authorize = shop.idp.calls().into_iter().find(|call| call.endpoint == Endpoint::Authorize).unwrap();
    assert_eq!(authorize.query("login_hint").as_deref(), Some("demo"));
    // O03, O11
    let cases = [
        begin("https://evil.example", &shop.url("/")),
        begin(&shop.idp.issuer(), "https://evil.example/"),
        begin(&shop.idp.issuer(), &format!("http://localhost:{}@evil.example/", shop.envoy.port)),
    ];
    for url in cases {
        let answer = Person::new().open(&url).await.answer;
        assert_eq!((answer.status, reason(&answer)), (400, Some("initiate_refused")), "{url}");
        assert_eq!(answer.header("set-cookie"), None);
    }
    assert_eq!(shop.idp.count(Endpoint::Authorize), 1);
}

// C05
#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_comes_twice_goes_home() {
    let shop = Shop::open().await;
    let mut person = Person::new();
    person.open(&shop.url("/orders")).await;
    let callback = person.hops.iter().find(|(url, _)| url.path() == CALLBACK).unwrap().0.clone();
    let again = person.look(callback.as_str()).await.answer;
    assert_eq!((again.status, reason(&again)), (303, Some("login_done_before")));
    assert_eq!(again.header("location"), Some(shop.url("/orders").as_str()));
    // The same address in another browser is nobody's login: C02.
    let stolen = Person::new().look(callback.as_str()).await.answer;
    assert_eq!((stolen.status, reason(&stolen)), (400, Some("login_unknown")));
    assert_eq!(shop.idp.count(Endpoint::Token), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn use_keeps_a_session_alive_and_is_written_down() {
    let lives = |filter: &mut Value| {
        filter["session"]["idle"] = json!("4s");
        filter["session"]["touch"] = json!("2s");
    };
    let shop = Shop::open_with(lives, |setup| setup).await;
    let mut person = shop.customer().await;
    let mut left_alone = person.clone();
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let touched = person.look(&shop.url("/")).await.answer;
        assert_eq!((touched.status, touched.header("cache-control")), (200, Some("no-store")));
        assert_eq!(touched.all("set-cookie").len(), 1);
        let fresh = person.look(&shop.url("/")).await.answer;
        assert_eq!((fresh.status, fresh.all("set-cookie").len(), fresh.header("cache-control")), (200, 0, None));
    }
    let over = left_alone.fetch(&shop.url("/")).await;
    assert_eq!((over.status, reason(&over)), (401, Some("login_required")));
}

/// S03: old and new secret live beside each other while proxies change one after the other.
#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_over_two_proxies_and_nobody_logs_in_twice() {
    const OLD: &str = "b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZC0";
    const NEW: &str = "bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0";
    let touched_at_once = |filter: &mut Value| {
        filter["session"]["touch"] = json!("1s");
        filter["session"]["secrets"] = json!([OLD]);
    };
    let shop = Shop::open_with(touched_at_once, |setup| setup).await;
    // Two more proxies on ports of their own, before the same host: cookies do not know ports.
    let mut filter = shop::filter(shop.envoy.port, &shop.idp.issuer());
    touched_at_once(&mut filter);
    let proxy = || Setup::new().upstream(shop.upstream.port).cluster("idp", shop.idp.port);
    let (first, second) = (proxy(), proxy());
    let with = |setup: &Setup, ring: &[&str]| {
        let mut filter = filter.clone();
        filter["session"]["secrets"] = json!(ring);
        setup.clone().filter(filter)
    };
    let mut one = Envoy::start_updatable(with(&first, &[OLD])).await;
    let mut two = Envoy::start_updatable(with(&second, &[OLD])).await;
    let mut person = shop.customer().await;
    let steps: [&[&str]; 3] = [&[OLD, NEW], &[NEW, OLD], &[NEW]];
    for ring in steps {
        for (proxy, setup) in [(&mut one, &first), (&mut two, &second)] {
            assert_eq!(proxy.update(&with(setup, ring)).await, Update::Accepted);
            until_it_seals_with(&first, &mut person).await;
            until_it_seals_with(&second, &mut person).await;
        }
    }
    // Its turn is over: what only the old secret sealed opens nowhere.
    let old = shop.customer().await;
    for port in [one.port, two.port] {
        let page = old.clone().fetch(&format!("http://localhost:{port}/")).await;
        assert_eq!((page.status, reason(&page)), (401, Some("login_required")));
    }
    assert_eq!(shop.idp.count(Endpoint::Token), 2, "each person logged in once");
}

/// A visit at one proxy that passes and seals the session anew.
async fn until_it_seals_with(proxy: &Setup, person: &mut Person) {
    for _ in 0..40 {
        let answer = person.look(&format!("http://localhost:{}/", proxy.port)).await.answer;
        assert_eq!(answer.status, 200, "{:?}", reason(&answer));
        if answer.header("set-cookie").is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the session is never touched");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_algorithm_that_oidc_provider_signs_with_logs_in() {
    const ALGORITHMS: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];
    let upstream = Upstream::start().await;
    let mut setup = Setup::new().upstream(upstream.port);
    let mut filter = shop::filter(setup.port, "");
    filter["providers"] = json!({});
    filter["rules"] = json!([]);
    filter["defaults"]["login"].as_object_mut().unwrap().remove("initiate_path");
    let mut providers = Vec::new();
    for alg in ALGORITHMS {
        let uri = format!("http://localhost:{}/{alg}/callback", setup.port);
        let idp = idp::oidc_provider(slice::from_ref(&uri), &[("ID_TOKEN_ALG", alg)]).await;
        let mut provider = shop::filter(setup.port, &idp.issuer)["providers"]["main"].take();
        provider["cluster"] = json!(alg);
        provider["client"]["id_token_signed_response_alg"] = json!(alg);
        filter["providers"][alg] = provider;
        filter["rules"].as_array_mut().unwrap().push(json!({
            "name": alg, "match": { "path_prefix": format!("/{alg}") }, "provider": alg, "login": { "redirect_uri": uri },
        }));
        setup = setup.cluster(alg, idp.port);
        providers.push(idp);
    }
    let envoy = Envoy::start(setup.filter(filter)).await;
    for alg in ALGORITHMS {
        let url = format!("http://localhost:{}/{alg}/page", envoy.port);
        let Page { url: arrived, answer } = Person::new().log_in(&url, "demo", "demo").await;
        assert_eq!((arrived.as_str(), answer.status), (url.as_str(), 200), "{alg} {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_share_what_one_of_them_fetched() {
    let shop = Shop::open_with(|_| {}, |setup| setup.workers(4)).await;
    for _ in 0..12 {
        shop.customer().await;
    }
    let asked = |endpoint| shop.idp.count(endpoint);
    assert_eq!((asked(Endpoint::Discovery), asked(Endpoint::Jwks), asked(Endpoint::Token)), (1, 1, 12));
    let answer = get(shop.envoy.port, "/").send().await;
    assert_eq!(answer.status, 401);
}
