//! What clients put into header fields and paths: nothing of it speaks in the filter's name, and nothing harms it.

use integration_tests::client::{self, ask, get, raw};
use integration_tests::person::Person;
use integration_tests::setup::Setup;
use integration_tests::shop::{Shop, cookie_line, reason, values};
use integration_tests::upstream::Seen;
use serde_json::{Value, json};

async fn shop() -> Shop {
    Shop::open_with(|_| {}, Setup::without_envoys_cleaning).await
}

fn last(shop: &Shop) -> Seen {
    shop.upstream.seen().pop().expect("something reached the service")
}

/// Every value that some server might take for the header `x-user`.
fn users(seen: &Seen) -> Vec<&str> {
    let spelled = |name: &str| name.replace('_', "-").eq_ignore_ascii_case("x-user");
    let names: Vec<_> = seen.headers.keys().filter(|name| spelled(name.as_str())).collect();
    names.iter().flat_map(|name| values(seen, name.as_str())).collect()
}

// H01, H02, H03
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_a_client_claims_for_itself_reaches_nobody() {
    let shop = shop().await;
    let customer = shop.customer().await;
    let forged =
        ["X-User: boss", "x-user: boss", "X_USER: boss", "x_user: boss", "X-uSeR: boss", "x_User: boss"].join("\r\n");
    let cookies = cookie_line(&customer);
    let cases = [
        ("GET", "/public/page", "", vec![]),
        ("OPTIONS", "/public/page", "", vec![]),
        ("GET", "/maybe/page", "", vec![]),
        ("GET", "/maybe/page", cookies.as_str(), vec!["demo"]),
        ("GET", "/page", cookies.as_str(), vec!["demo"]),
        ("DELETE", "/page", cookies.as_str(), vec!["demo"]),
    ];
    for (method, path, cookies, expected) in cases {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost:{}\r\nconnection: close\r\ncookie: {cookies}\r\n{forged}\r\n\r\n",
            shop.envoy.port
        );
        let answer = raw(shop.envoy.port, head.as_bytes()).await;
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        assert_eq!(users(&last(&shop)), expected, "{method} {path}");
    }
    // HTTP/2 has lower case alone.
    for name in ["x-user", "x_user"] {
        get(shop.envoy.port, "/public").http2().header(name, "boss").header(name, "root").send().await;
        assert_eq!(users(&last(&shop)), Vec::<&str>::new(), "{name}");
    }
}

// H02: a stranger's token does not pass for the rule's, a public page's is none of our business.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_client_s_own_does_not_pass_for_the_rule_s() {
    let shop = shop().await;
    let customer = shop.customer().await;
    let with = |path: &str, cookies: &str| {
        let ask = get(shop.envoy.port, path).header("authorization", "Bearer forged").header("cookie", cookies);
        async move { ask.header("authorization", "Basic Zm9yZ2Vk").send().await.status }
    };
    assert_eq!(with("/public", "").await, 200);
    assert!(!values(&last(&shop), "authorization").is_empty());
    assert_eq!(with("/maybe", "").await, 200);
    assert_eq!(values(&last(&shop), "authorization"), Vec::<&str>::new());
    for path in ["/maybe", "/page"] {
        assert_eq!(with(path, &cookie_line(&customer)).await, 200);
        let seen = last(&shop);
        assert!(matches!(values(&seen, "authorization")[..], [one] if !one.contains("forged")), "{seen:?}");
    }
    assert_eq!(with("/page", "").await, 401);
}

// S05, W03
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_text_harm_nobody() {
    let shop = shop().await;
    let customer = shop.customer().await;
    let own = cookie_line(&customer).into_bytes();
    let odd: [&[u8]; 9] =
        [b"a=\xff\xfe", b";;", b"=", b"a", b" ; =x", b"\xff", b"a=b,c=d", b"\"", b"oidc-=\xc3\x28; oidc-x.1=\x80"];
    for cookie in odd {
        let alone = get(shop.envoy.port, "/page").header("cookie", cookie).header("x-name", b"J\xf6rg").send().await;
        assert_eq!((alone.status, reason(&alone)), (401, Some("login_required")), "{cookie:?}");
        // The twin: the same beside a session.
        let both = [cookie, b"; ", &own].concat();
        let beside = get(shop.envoy.port, "/page").header("cookie", &both).header("x-name", b"J\xf6rg").send().await;
        assert_eq!(beside.status, 200, "{cookie:?}");
        assert_eq!(last(&shop).headers["x-name"].as_bytes(), b"J\xf6rg");
    }
    for header in ["accept", "sec-fetch-mode", "x-requested-with", "x-request-id", "authorization", "content-type"] {
        let answer = get(shop.envoy.port, "/page").header(header, b"\xff\xfe").send().await;
        assert_eq!(answer.status, 401, "{header}");
    }
    let answer = ask("GET", shop.envoy.port, "/page").header("accept", b"text/html\xff, text/html").send().await;
    assert_eq!(answer.status, 401, "what cannot be read is no page load");
}

// S13
#[tokio::test(flavor = "multi_thread")]
async fn cookies_of_others_pass_in_their_order_and_ours_do_not() {
    let shop = shop().await;
    let customer = shop.customer().await;
    let own = cookie_line(&customer);
    let name = own.split_once('=').unwrap().0;
    let two_lines = get(shop.envoy.port, "/page").header("cookie", "a=1; b=2").header("cookie", format!("{own}; c=3"));
    let crumbs = get(shop.envoy.port, "/page").http2().header("cookie", "a=1").header("cookie", "b=2");
    let crumbs = own.split("; ").fold(crumbs, |ask, crumb| ask.header("cookie", crumb)).header("cookie", "c=3");
    for ask in [two_lines, crumbs] {
        assert_eq!(ask.send().await.status, 200);
        assert_eq!(values(&last(&shop), "cookie"), ["a=1; b=2; c=3"]);
    }
    let mention = format!("note={name}; {own}; Oidc=x");
    assert_eq!(get(shop.envoy.port, "/page").header("cookie", mention).send().await.status, 200);
    assert_eq!(values(&last(&shop), "cookie"), [format!("note={name}; Oidc=x")]);
}

// H11, S14: the service's word stays the service's, and what the filter adds comes beside it.
#[tokio::test(flavor = "multi_thread")]
async fn the_service_s_own_headers_survive_and_do_not_speak_for_the_filter() {
    let touched = |filter: &mut Value| {
        filter["session"]["idle"] = json!("1h");
        filter["session"]["touch"] = json!("1s");
    };
    let shop = Shop::open_with(touched, Setup::without_envoys_cleaning).await;
    let customer = shop.customer().await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let answer = shop.ask_as(&customer, "GET", "/talkative").send().await;
    assert_eq!((answer.status, reason(&answer)), (200, None));
    let set = answer.all("set-cookie");
    assert_eq!(set[..2], ["basket=7; Path=/", "colour=blue; Path=/; Secure"]);
    assert!(set.len() == 3 && set[2].starts_with("oidc-"), "{set:?}");
    assert_eq!(answer.headers["x-name"].as_bytes(), b"J\xf6rg");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let public = get(shop.envoy.port, "/public/talkative").send().await;
    assert_eq!((reason(&public), public.all("set-cookie").len()), (None, 2));
    assert_eq!(public.headers["x-name"].as_bytes(), b"J\xf6rg");
}

// H08, H10
#[tokio::test(flavor = "multi_thread")]
async fn no_header_turns_a_private_page_into_a_public_one() {
    let shop = shop().await;
    let names = [
        "x-forwarded-uri",
        "x-forwarded-path",
        "x-forwarded-prefix",
        "x-original-url",
        "x-original-uri",
        "x-rewrite-url",
        "x-envoy-original-path",
        "x-envoy-original-url",
        "x-http-method-override",
        "x-forwarded-method",
    ];
    for name in names {
        for value in ["/public", "GET /public", "OPTIONS"] {
            let answer = get(shop.envoy.port, "/page").header(name, value).send().await;
            assert_eq!((answer.status, reason(&answer)), (401, Some("login_required")), "{name}: {value}");
        }
    }
    let probe =
        get(shop.envoy.port, "/page").header("user-agent", "GoogleHC/1.0, kube-probe/1.27, ELB-HealthChecker/2.0");
    assert_eq!(probe.send().await.status, 401);
    assert!(shop.upstream.seen().is_empty());
}

// H09, O10
#[tokio::test(flavor = "multi_thread")]
async fn where_a_login_comes_back_to_is_configured_and_not_claimed() {
    let shop = shop().await;
    let load = || get(shop.envoy.port, "/page").header("accept", "text/html");
    let redirect = |answer: &client::Answer| {
        let to = url::Url::parse(answer.header("location").expect("a redirect")).unwrap();
        to.query_pairs().find(|(name, _)| name == "redirect_uri").map(|(_, uri)| uri.into_owned())
    };
    let claims =
        [("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https"), ("forwarded", "host=evil.example")];
    for (name, value) in claims {
        let answer = load().header(name, value).send().await;
        assert_eq!(redirect(&answer), Some(shop.url("/oauth/callback")), "{name}");
    }
    // Another host than that of the redirect URI: there first, since cookies live there.
    let elsewhere = load().host("evil.example").send().await;
    assert_eq!((elsewhere.status, elsewhere.header("location")), (303, Some(shop.url("/page").as_str())));
}

// P02, P03, P06, P07, O01
#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_servers_read_differently_is_refused() {
    let shop = shop().await;
    let paths = [
        "/public/../page",
        "/public/%2e%2e/page",
        "/public/.%2E/page",
        "/public/..;/page",
        "/public/..%2fpage",
        "/public%2f..%2fpage",
        "/public/%5c..%5cpage",
        "/public\\..\\page",
        "//page",
        "//evil.example/",
        "/public//page",
        "/./page",
        "/public/.",
        "/page%00",
        "/public/%",
        "/public/%2",
        "/public/%zz",
        "/public/%252e%252e/page",
        "/public/%c0%ae%c0%ae/page",
        "/public/%ff",
    ];
    for path in paths {
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: text/html\r\nconnection: close\r\n\r\n");
        let answer = raw(shop.envoy.port, head.as_bytes()).await;
        let text = String::from_utf8_lossy(&answer).to_lowercase();
        assert!(text.starts_with("http/1.1 400"), "{path}: {text}");
        assert!(text.contains("x-oidc-reason: path_ambiguous"), "{path}: {text}");
        assert!(!text.contains("set-cookie"), "{path}: {text}");
    }
    for path in ["/publicity", "/PUBLIC", "/page?x=/public", "/page;/public"] {
        assert_eq!(get(shop.envoy.port, path).send().await.status, 401, "{path}");
    }
    assert!(shop.upstream.seen().is_empty());
    // The twins.
    for path in ["/public/page", "/public/a.b/..c", "/public/%C3%BC", "/public/%40me", "/public/a%20b?x=..%2f"] {
        assert_eq!(get(shop.envoy.port, path).send().await.status, 200, "{path}");
        assert_eq!(last(&shop).path, path, "it goes on as it came");
    }
}

// S01, S07, S08: what the browser may do to its cookie, in the host that joins and splits them.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_tampered_with_is_none() {
    let shop = shop().await;
    let customer = shop.customer().await;
    let session = customer.cookies("localhost").into_iter().find(|cookie| !cookie.name.contains("login")).unwrap();
    let (name, value) = (session.name, session.value);
    let flip = |at: usize| {
        let other = if value.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{name}={}{other}{}", &value[..at], &value[at + 1..])
    };
    let tampered = [
        flip(0),
        flip(1),
        flip(2),
        flip(value.len() / 2),
        flip(value.len() - 2),
        format!("{name}={}", &value[..value.len() - 1]),
        format!("{name}=\"{value}\""),
        format!("{name}.1={value}"),
        format!("{name}="),
    ];
    for cookie in &tampered {
        let answer = get(shop.envoy.port, "/page").header("cookie", cookie).send().await;
        assert_eq!((answer.status, reason(&answer)), (401, Some("login_required")), "{cookie}");
    }
    // S06: a forged copy beside the good one changes nothing, whichever comes first.
    let good = format!("{name}={value}");
    for cookie in [format!("{}; {good}", tampered[2]), format!("{good}; {}", tampered[2])] {
        assert_eq!(get(shop.envoy.port, "/page").header("cookie", cookie).send().await.status, 200);
    }
    let mut person = Person::new();
    person.tamper(|jar| jar.extend(customer.cookies("localhost")));
    assert_eq!(person.look(&shop.url("/page")).await.answer.status, 200);
}
