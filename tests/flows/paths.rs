//! Which rule a request falls under, whatever its path looks like (attacks P01 to P12, W03; DESIGN §4).

use crate::support::*;
use Reason::*;

/// What happens to a background request for this path: `None` where it is let through.
fn reason(path: &str) -> Option<Reason> {
    Shop::new().decide(&background(path)).reason()
}

/// P01 (CVE-2025-54576, GHSA-pxq7-h93f-9jrg), P03, P04: private stays private.
#[test]
fn no_spelling_makes_a_private_path_public() {
    for path in [
        "/private?x=/public",
        "/private?/../public",
        "/PUBLIC",
        "/publicity",
        "/public-admin",
        "/publi",
        "/private/public",
        "/%70rivate",
        "/public%20",
        "/%50ublic",
        "/public%3F",
    ] {
        assert_eq!(reason(path), Some(LoginRequired), "{path}");
    }
    for path in ["/public", "/public/", "/public/x", "/public?x=/../private", "/%70ublic/a", "/publi%63"] {
        assert_eq!(reason(path), None, "{path}");
    }
}

/// P02 (CVE-2026-73511), P03, P07: what servers read differently is refused, on public paths as well.
#[test]
fn a_path_that_servers_read_differently_is_refused() {
    for (path, twin) in [
        ("/public/../private", "/public/private"),
        ("/public/%2e%2e/private", "/public/x/private"),
        ("/public/%2E%2e/private", "/public/..x/private"),
        ("/public/..;/private", "/public/private"),
        ("/public/..%2fprivate", "/public/..x"),
        ("/public/%252e%252e/private", "/public/%2520/private"),
        ("/public//private", "/public/private"),
        ("//public", "/public"),
        ("/./public", "/public"),
        ("/public/.", "/public/.x"),
        ("/public%2fx", "/public/x"),
        ("/public%5cx", "/public/x"),
        ("/public\\..\\private", "/public/private"),
        ("/public#/private", "/public/private"),
        ("/public/%", "/public/%25"),
        ("/public/%2", "/public/%20"),
        ("/public/%zz", "/public/zz"),
        ("/public/%00", "/public/%30"),
        ("/public/\u{1}", "/public/x"),
        ("/public/é", "/public/%C3%A9"),
        ("/public/%c0%ae%c0%ae/private", "/public/x"),
    ] {
        let answer = Shop::new().decide(&background(path));
        assert_eq!((answer.reason(), answer.status()), (Some(PathAmbiguous), 400), "{path:?}");
        assert_eq!(reason(twin), None, "{twin:?}");
    }
}

/// P02: parameters of a segment count where cutting them off would lead to another rule.
#[test]
fn parameters_of_a_segment_do_not_choose_the_rule() {
    for (path, expected) in [
        ("/public;x=1/a", Some(PathAmbiguous)),
        ("/public;/a", Some(PathAmbiguous)),
        ("/closed;x", Some(PathAmbiguous)),
        ("/public/a;x=1", None),
        ("/public/a;x=1/b;y", None),
        ("/orders;id=7", Some(LoginRequired)),
        ("/oauth/callback;x", Some(LoginRequired)),
    ] {
        assert_eq!(reason(path), expected, "{path}");
    }
}

fn two_hosts(first_forwards: &str, second: Value) -> Shop {
    Shop::with(|config| {
        config["rules"] = json!([
            { "name": "blog", "match": { "host": "blog.example.com" }, "allow": "anonymous",
              "ambiguous_paths": first_forwards },
            second,
        ]);
    })
}

/// P02: forwarding is for a rule that covers its whole host and comes first there.
#[test]
fn ambiguous_paths_pass_only_under_the_first_rule_of_their_host() {
    let shop = json!({ "name": "shop", "match": { "host": "shop.example.com" } });
    let forwards = two_hosts("forward", shop.clone());
    for path in ["/a//b", "/a/../b", "/%2e%2e/", "/a;/b", "*", "/%zz"] {
        assert_eq!(forwards.decide(&background(path).to("blog.example.com")).reason(), None, "{path}");
        assert_eq!(forwards.decide(&background(path)).reason(), reason(path), "{path}");
        let refuses = two_hosts("refuse", shop.clone());
        let answer = refuses.decide(&background(path).to("blog.example.com"));
        assert_eq!(answer.reason(), (path != "/a;/b").then_some(PathAmbiguous), "{path}");
    }
}

/// P06 (GHSA-8vc2-jrm4-835w), W07, RFC 9112 §3.2: a request that lacks what a request has, or has it twice.
#[test]
fn a_request_that_is_none_is_refused() {
    let shop = Shop::new();
    for pseudo in [":method", ":path", ":authority"] {
        let (lacking, doubled) = (Req::strip(get("/public"), pseudo), get("/public").with(pseudo, "/public"));
        for request in [lacking, doubled, Req::strip(get("/public"), pseudo).with(pseudo, b"\xff")] {
            assert_eq!(shop.decide(&request).reason(), Some(RequestMalformed), "{pseudo}");
        }
    }
    for host in
        ["", ".", "a..b", "user@shop.example.com", "shop.example.com:x", "shop.example.com:0", "[::1", "a b", "0x7f.1"]
    {
        assert_eq!(shop.decide(&get("/public").to(host)).reason(), Some(RequestMalformed), "{host:?}");
    }
    for path in ["*", "public", "http://shop.example.com/public", "?x"] {
        assert_eq!(shop.decide(&get(path)).reason(), Some(PathAmbiguous), "{path:?}");
    }
    let connect = Req::strip(get("/").method("CONNECT"), ":path");
    assert_eq!(shop.decide(&connect).reason(), Some(RequestMalformed));
    assert_eq!(shop.decide(&get("/public")).reason(), None);
}

/// P08: what no rule allows is denied; the page does not say what there is.
#[test]
fn an_unknown_host_is_denied() {
    let shop = Shop::new();
    for host in
        ["other.example", "shop.example.com.evil.example", "xshop.example.com", "example.com", "127.0.0.1", "[::1]"]
    {
        let answer = shop.decide(&get("/").to(host));
        assert_eq!((answer.reason(), answer.status()), (Some(NoRule), 404), "{host}");
        assert!(!answer.body().contains("shop.example.com"));
    }
}

/// P09.
#[test]
fn the_spelling_of_a_host_does_not_matter() {
    let shop = Shop::new();
    for host in
        ["shop.example.com", "SHOP.example.com", "shop.example.com.", "shop.example.com:443", "Shop.Example.Com.:8443"]
    {
        assert_eq!(shop.decide(&background("/").to(host)).reason(), Some(LoginRequired), "{host}");
        assert_eq!(shop.decide(&get("/closed").to(host)).reason(), Some(RuleForbids), "{host}");
    }
}

/// P12: an anonymous rule for everything does not shadow what is ours.
#[test]
fn own_endpoints_come_before_every_rule() {
    let shop = Shop::with(|config| {
        config["defaults"]["login"]["initiate_path"] = json!("/public/initiate");
        config["defaults"]["login"]["redirect_uri"] = json!(format!("{SHOP}/public/callback"));
    });
    for spelling in ["/public/callback", "/public/%63allback", "/public/callback?x"] {
        assert_eq!(shop.decide(&get(spelling)).reason(), Some(CallbackMalformed), "{spelling}");
    }
    assert_eq!(shop.decide(&get("/public/initiate")).reason(), Some(InitiateRefused));
    assert_eq!(shop.decide(&get("/public/callbacks")).reason(), None);
    shop.guest();
}

/// Rules also tell requests apart by method and by header field; a doubled field fits none.
#[test]
fn methods_and_header_fields_choose_rules_exactly() {
    let shop = Shop::with(|config| {
        config["rules"].as_array_mut().unwrap().insert(
            0,
            json!({ "name": "hook", "allow": "anonymous",
                "match": { "path": "/hook", "methods": ["POST"], "headers": { "x-hook": "yes" } } }),
        );
    });
    let hook = || background("/hook").method("POST");
    assert_eq!(shop.decide(&hook().with("x-hook", "yes")).reason(), None);
    assert_eq!(shop.decide(&hook().with("X-Hook", "yes")).reason(), None);
    for request in [
        hook(),
        hook().with("x-hook", "YES"),
        hook().with("x-hook", "yes").with("x-hook", "yes"),
        hook().with("x-hook", "yes").with("x-hook", "no"),
        hook().with("x_hook", "yes"),
        hook().with("x-hook", "yes").method("post"),
        hook().with("x-hook", "yes").method("GET"),
        Req { path: "/hook/".to_owned(), ..hook().with("x-hook", "yes") },
    ] {
        assert_eq!(shop.decide(&request).reason(), Some(LoginRequired), "{} {}", request.method, request.path);
    }
}

/// What a worker remembers of earlier requests changes no verdict, in whatever order they come.
#[test]
fn what_was_asked_for_before_changes_nothing() {
    let fresh = || {
        Shop::with(|config| {
            config["rules"] = json!([
                { "name": "hooks", "match": { "path_prefix": "/public", "methods": ["POST"] }, "allow": "nobody" },
                { "name": "public", "match": { "path_prefix": "/public" }, "allow": "anonymous" },
                { "name": "tls", "match": { "host": "shop.example.com:443", "path": "/tls" }, "allow": "anonymous" },
                { "name": "shop", "match": { "host": "shop.example.com" } },
            ]);
        })
    };
    let mut requests = Vec::new();
    for path in ["/public", "/public?x", "/publi", "/tls", "/public/../tls", "/public;x", CALLBACK] {
        for host in
            ["shop.example.com", "shop.example.com:443", "shop.example.com:80", "Shop.example.com", "other.example"]
        {
            for method in ["GET", "POST", "post"] {
                let request = background(path).to(host).method(method);
                requests.extend([request.clone(), request.over_http()]);
            }
        }
    }
    let expected: Vec<_> = requests.iter().map(|request| fresh().decide(request).reason()).collect();
    let shop = fresh();
    for round in 0..4 {
        for (request, expected) in requests.iter().zip(&expected) {
            let asked =
                format!("{round}: {} {} {} {}", request.method, request.scheme, request.authority, request.path);
            assert_eq!(shop.decide(request).reason(), *expected, "{asked}");
            // Right after itself it is surely known, if it can be.
            assert_eq!(shop.decide(request).reason(), *expected, "{asked}");
        }
    }
}

/// DESIGN §4: an optional identity is never asked for; a dead session goes on as nobody.
#[test]
fn an_optional_rule_knows_who_shows_a_session_and_asks_nobody() {
    let shop = Shop::new();
    let mut guest = shop.guest();
    guest.get("/maybe").assert_served_to("alice");
    assert_eq!(shop.decide(&get("/maybe")).service("x-user"), [""; 0]);
    shop.script.advance(901);
    let cookie = guest.session().into_iter().map(|(name, value)| format!("{name}={value}")).collect::<String>();
    assert_eq!(shop.decide(&get("/maybe").with("cookie", cookie)).service("x-user"), [""; 0]);
    assert_eq!(shop.idp.asked().len(), 1);
}

/// DESIGN §4: who is known and may not pass gets 403 there too, and never a redirect.
#[test]
fn an_optional_rule_refuses_who_is_known_and_may_not_pass() {
    let shop = Shop::with(|config| {
        config["rules"][1]["require"] = json!({ "claims": [{ "claim": ["email"], "equals": "root@example.com" }] });
    });
    assert_eq!(shop.guest().get("/maybe").reason(), Some(ClaimRefused));
    assert_eq!(shop.decide(&get("/maybe")).reason(), None);
}
