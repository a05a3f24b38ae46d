//! What people and programs get when a request does not pass (conformance Q3, A7, S3; attacks C10, S24, H13).

use crate::support::*;
use Reason::*;

/// Some refusals, each as a browser sees it and as a program does.
fn refusals() -> Vec<(Req, Reason)> {
    vec![
        (get("/closed"), RuleForbids),
        (get("/").to("other.example"), NoRule),
        (get("/a//b"), PathAmbiguous),
        (get(CALLBACK), CallbackMalformed),
        (get(&format!("{CALLBACK}?state=0123456789&code=c")), LoginUnknown),
        (get("/").method("POST"), LoginRequired),
    ]
}

fn as_program(request: &Req) -> Req {
    request.clone().without("accept").with("accept", "application/json")
}

#[test]
fn a_person_gets_a_page_and_a_program_gets_json() {
    let shop = Shop::new();
    for (request, reason) in refusals() {
        let page = shop.decide(&request);
        assert_eq!((page.reason(), page.status()), (Some(reason), reason.status()));
        assert_eq!(page.header("content-type").as_deref(), Some("text/html; charset=utf-8"));
        assert!(page.body().starts_with("<!doctype html>") && page.body().contains(reason.code()));

        let program = shop.decide(&as_program(&request));
        assert_eq!((program.reason(), program.status()), (Some(reason), reason.status()));
        assert_eq!(program.header("content-type").as_deref(), Some("application/json"));
        let body: Value = serde_json::from_str(program.body()).unwrap();
        assert_eq!(body["error"], reason.code());
        assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()));
        for answer in [page, program] {
            assert_eq!(answer.header("x-content-type-options").as_deref(), Some("nosniff"));
            assert_eq!(answer.header("referrer-policy").as_deref(), Some("no-referrer"));
        }
    }
}

/// Q3 (RFC 9700 §4.16): nothing is loaded, nothing runs, nobody frames it, and no form leaves it.
#[test]
fn a_page_loads_nothing_and_is_framed_by_nobody() {
    let shop = Shop::new();
    for (request, _) in refusals() {
        let page = shop.decide(&request);
        let policy = page.header("content-security-policy").unwrap();
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"));
        let body = page.body().to_lowercase();
        for loaded in ["<script", "<img", "<link", "src=", "url(", "@import", "onerror", "javascript:"] {
            assert!(!body.contains(loaded), "{loaded}");
        }
    }
}

/// The style is the one that the policy names.
#[test]
fn the_policy_allows_the_page_s_own_style() {
    use base64::Engine;
    use sha2::{Digest, Sha256};
    let page = Shop::new().decide(&get("/closed"));
    let style = page.body().split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style));
    assert!(page.header("content-security-policy").unwrap().contains(&format!("style-src 'sha256-{hash}'")));
}

/// C10 (CVE-2019-1010247), C11: nothing that a request brings is on its page, but its id, escaped and cut.
#[test]
fn nothing_of_the_request_is_on_its_page() {
    let shop = Shop::new();
    let marks = "zq<b>\"'&zq";
    for base in ["/closed/", "/a//b", CALLBACK, "/"] {
        for request in [
            get(&format!("{base}?error={marks}&code={marks}&state={marks}")).with("user-agent", marks),
            get(base).with("referer", marks).with("cookie", format!("a={marks}")).to(marks),
            get(base).method(marks),
        ] {
            for request in [as_program(&request), request] {
                let answer = shop.decide(&request);
                assert!(answer.reason().is_some());
                assert!(!answer.body().contains("zq"), "{}", request.path);
            }
        }
    }
    let answer = shop.decide(&get("/closed").with("x-request-id", "<script>\u{202e}\"' &"));
    assert!(answer.body().contains("&lt;script&gt;\u{fffd}&quot;&#39; &amp;"), "{}", answer.body());
    let long = shop.decide(&get("/closed").with("x-request-id", "i".repeat(10_000)));
    assert!(long.body().contains(&format!("{}…", "i".repeat(64))) && long.body().len() < 8_000);
}

/// What ties a page to its log line: the host's id for the request, or one of ours.
#[test]
fn page_and_log_line_carry_the_same_request_id() {
    let shop = Shop::new();
    let id = "7f3c9a1e-0000-4000-8000-000000000001";
    let given = shop.decide(&get("/closed").with("x-request-id", id));
    assert!(given.body().contains(id));
    assert!(shop.script.lines().iter().any(|line| line.contains(&format!("request={id}"))));
    for request in [
        background("/closed"),
        background("/closed").with("x-request-id", b"\xff"),
        background("/closed").with("x-request-id", ""),
    ] {
        let body: Value = serde_json::from_str(shop.decide(&request).body()).unwrap();
        let own = body["request_id"].as_str().unwrap().to_owned();
        assert_eq!(own.len(), 16);
        assert!(shop.script.lines().iter().any(|line| line.contains(&format!("request={own}"))));
    }
}

/// S3 (RFC 9110 §11.6.1), B07: every 401 has a challenge, with the realm as configured, else the host of `redirect_uri`.
#[test]
fn a_challenge_names_its_realm() {
    for (realm, shown) in [(json!("our shop"), "\"our shop\""), (Value::Null, "\"shop.example.com\"")] {
        let shop = Shop::with(|config| config["defaults"]["errors"] = json!({ "realm": realm }));
        let answer = shop.decide(&background("/"));
        assert_eq!(answer.header("www-authenticate"), Some(format!("Bearer realm={shown}")));
    }
}

/// Every 503 says when to come again; nothing else does.
#[test]
fn an_outage_says_when_to_come_again() {
    let shop = Shop::new();
    shop.idp.replies_always(&Reply::nothing());
    let answer = shop.decide(&get("/"));
    assert_eq!((answer.status(), answer.header("retry-after").as_deref()), (503, Some("5")));
    assert!(answer.body().contains("cannot be reached"));
    for (request, _) in refusals() {
        assert_eq!(shop.decide(&request).header("retry-after"), None);
    }
}

/// A person may begin again where it began; the link stays on our own host.
#[test]
fn a_failed_login_offers_to_begin_again() {
    let shop = Shop::new();
    shop.idp.claims(|claims| claims["nonce"] = json!("other"));
    let page = shop.browser().open("/cart?a=1&b=\"x\"");
    assert_eq!(page.reason(), Some(NonceMismatch));
    assert!(page.body().contains("href=\"https://shop.example.com/cart?a=1&amp;b=&quot;x&quot;\""), "{}", page.body());
    let unknown = shop.browser().get(&format!("{CALLBACK}?state=0123456789&code=c"));
    assert!(unknown.body().contains("href=\"https://shop.example.com/\""));
}

fn with_redirects() -> Shop {
    Shop::with(|config| {
        config["defaults"]["errors"] = json!({
            "unauthorized_redirect_uri": "https://www.example.com/login",
            "forbidden_redirect_uri": "https://www.example.com/forbidden",
            "unexpected_redirect_uri": "https://status.example.com/",
        });
        config["rules"][3]["require"] = json!({ "scope": ["admin"] });
    })
}

/// `errors`: a page load goes there instead; a program still gets its status.
#[test]
fn page_loads_go_where_errors_says_and_programs_do_not() {
    let shop = with_redirects();
    let to = |answer: &Answer| (answer.status(), answer.location());
    let forbidden = Some("https://www.example.com/forbidden".to_owned());
    let answer = shop.decide(&get("/closed"));
    assert_eq!((answer.reason(), to(&answer)), (Some(RuleForbids), (303, forbidden.clone())));
    assert_eq!(to(&shop.decide(&background("/closed"))), (403, None));
    assert_eq!(to(&shop.decide(&get("/closed").method("POST"))), (403, None));

    let mut browser = shop.browser();
    let callback = browser.until_callback("/");
    assert_eq!(browser.send(&callback).reason(), Some(LoginDone));
    assert_eq!((browser.get("/").reason(), to(&browser.get("/"))), (Some(ScopeMissing), (303, forbidden)));

    let answer = shop.decide(&background("/"));
    assert_eq!((answer.reason(), to(&answer)), (Some(LoginRequired), (401, None)));
    assert!(answer.header("www-authenticate").is_some());

    // A 400 has no such place.
    assert_eq!(to(&shop.decide(&get(CALLBACK))), (400, None));
    let down = with_redirects();
    down.idp.replies_always(&Reply::nothing());
    let answer = down.decide(&get("/"));
    assert_eq!(to(&answer), (303, Some("https://status.example.com/".to_owned())));
    assert_eq!((answer.reason(), answer.header("retry-after").as_deref()), (Some(DiscoveryUnavailable), Some("5")));
}

/// Only a rule that has no login can refuse a page load with 401.
#[test]
fn a_rule_without_login_sends_page_loads_to_the_configured_place() {
    let shop = Shop::with(|config| {
        config["defaults"]["errors"] = json!({ "unauthorized_redirect_uri": "https://www.example.com/login" });
        let api = json!({ "name": "api", "match": { "host": "shop.example.com", "path_prefix": "/api" },
            "methods": ["session"] });
        config["rules"].as_array_mut().unwrap().insert(0, api);
    });
    let answer = shop.decide(&get("/api/x"));
    assert_eq!(
        (answer.reason(), answer.location().as_deref()),
        (Some(LoginRequired), Some("https://www.example.com/login"))
    );
    let answer = shop.decide(&background("/api/x"));
    assert_eq!((answer.status(), answer.location()), (401, None));
    shop.guest().get("/api/x").assert_served_to("alice");
}

/// The cookie of a login that failed goes with the answer that says so, and only that.
#[test]
fn a_failed_login_s_cookie_is_deleted_and_the_other_tab_s_stays() {
    let shop = Shop::new();
    let mut browser = shop.browser();
    let first = browser.until_callback("/one");
    let second = browser.until_callback("/two");
    shop.idp.replies(Endpoint::Token, Reply::json(400, &json!({ "error": "invalid_grant" })));
    assert_eq!(browser.send(&first).reason(), Some(TokenRefused));
    assert_eq!(browser.login_cookies().len(), 1);
    shop.idp.recovers();
    assert_eq!(browser.send(&second).reason(), Some(LoginDone));
}
