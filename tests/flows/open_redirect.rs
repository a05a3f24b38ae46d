//! Wherever a login began, the browser stays on its own host (attacks O01 to O06, O12).

use crate::support::*;
use Reason::*;

/// Where a browser ends up that began at `path`.
fn landing(path: &str) -> String {
    let shop = Shop::new();
    let mut browser = shop.browser();
    let callback = browser.until_callback(path);
    let answer = browser.send(&callback);
    assert_eq!(answer.reason(), Some(LoginDone), "{path}");
    answer.location().unwrap()
}

/// O01: a path that a browser would read as another host never begins a login.
#[test]
fn a_path_that_names_a_host_begins_no_login() {
    let shop = Shop::new();
    for path in [
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "/%5cevil.example",
        "/%09/evil.example",
        "/\t//evil.example",
        "/%2f/evil.example",
        "/.//evil.example",
        "/%0d%0a//evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "@evil.example",
    ] {
        let answer = shop.decide(&get(path));
        assert_eq!(answer.reason(), Some(PathAmbiguous), "{path:?}");
        assert_eq!((answer.location(), answer.all("set-cookie").len()), (None, 0));
    }
    // Twins: paths that only look like it.
    for path in
        ["/evil.example/", "/@evil.example", "/%40evil.example", "/a?next=//evil.example", "/https:/evil.example"]
    {
        assert_eq!(landing(path), format!("{SHOP}{path}"));
    }
}

/// O01 where such paths are forwarded: then the landing is our own home page.
#[test]
fn a_path_that_passes_as_it_is_still_lands_at_home() {
    for path in ["//evil.example/", "/\\evil.example", "/\t//evil.example", "https://evil.example/"] {
        let shop = Shop::with(|config| {
            config["rules"] = json!([
                { "name": "shop", "match": { "host": "shop.example.com" }, "ambiguous_paths": "forward" },
            ]);
        });
        let mut browser = shop.browser();
        let callback = browser.until_callback(path);
        let answer = browser.send(&callback);
        let location = answer.location().unwrap();
        assert!(location.starts_with("https://shop.example.com/"), "{path:?}: {location}");
        assert!(location.is_ascii() && !location.contains(char::is_whitespace), "{location:?}");
    }
}

/// O02: parameters with telling names are the service's affair.
#[test]
fn no_parameter_says_where_a_login_lands() {
    for name in
        ["rd", "return_to", "redirect", "redirect_uri", "next", "url", "target_link_uri", "post_logout_redirect_uri"]
    {
        for target in ["https:evil.example", "http:///evil.example", "//evil.example", "https://user@evil.example/"] {
            let path = format!("/cart?{name}={target}");
            assert_eq!(landing(&path), format!("{SHOP}{path}"));
        }
    }
}

/// O02: nor do parameters of the callback itself.
#[test]
fn no_parameter_of_the_callback_says_where_it_lands() {
    let shop = Shop::new();
    shop.idp.response(|params| {
        for name in ["rd", "return_to", "target_link_uri"] {
            params.push((name.to_owned(), "https://evil.example/".to_owned()));
        }
    });
    assert_eq!(shop.browser().open("/cart").url, format!("{SHOP}/cart"));
}

/// O05: too long for a cookie; the path alone, or the home page.
#[test]
fn a_long_path_is_cut_and_the_cookie_stays_small() {
    let long = "q".repeat(8_000);
    assert_eq!(landing(&format!("/cart?{long}")), format!("{SHOP}/cart"));
    assert_eq!(landing(&format!("/{long}")), format!("{SHOP}/"));
    let fits = format!("/cart?{}", &long[..900]);
    assert_eq!(landing(&fits), format!("{SHOP}{fits}"));
}

/// O06: an escaped line break is refused in a path; in a query it stays escaped.
#[test]
fn line_breaks_stay_escaped() {
    let shop = Shop::new();
    assert_eq!(shop.decide(&get("/a%0d%0aSet-Cookie:x=1")).reason(), Some(PathAmbiguous));
    assert_eq!(landing("/a?x=%0d%0aSet-Cookie:x=1"), format!("{SHOP}/a?x=%0d%0aSet-Cookie:x=1"));
    // A raw one, should a host let it through, is not copied.
    assert_eq!(landing("/a?x=\r\nset-cookie: x=1"), format!("{SHOP}/"));
    assert_eq!(landing("/a?x=\u{e9}"), format!("{SHOP}/"));
}

/// O12: nothing secret in a redirect, and no `Referer` from it.
#[test]
fn redirects_tell_nothing_and_are_not_kept() {
    let shop = Shop::new();
    let mut browser = shop.browser();
    let start = browser.get("/cart");
    let callback = browser.next(&start.location().unwrap());
    let done = browser.send(&callback);
    for answer in [&start, &done] {
        assert_eq!(answer.status(), 303);
        assert_eq!(answer.header("referrer-policy").as_deref(), Some("no-referrer"));
        assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
        assert_eq!(answer.body(), "");
    }
    assert_eq!(done.location(), Some(format!("{SHOP}/cart")));
    for cookie in browser.jar.0.iter() {
        assert!(!start.location().unwrap().contains(&cookie.value));
    }
}

/// O04 (CVE-2021-21291): a cookie domain spans its own hosts, and no other's that look like it.
#[test]
fn a_domain_spans_its_own_hosts_alone() {
    let shop = Shop::with(|config| {
        config["session"]["cookie"] = json!({ "domain": "example.com" });
        config["rules"][3]["match"] = json!({ "path_prefix": "/" });
    });
    for host in ["www.example.com", "example.com", "shop.example.com."] {
        let location = shop.decide(&get("/").to(host)).location().unwrap();
        assert!(location.starts_with(&format!("{ISSUER}/authorize?")), "{host}: {location}");
    }
    for host in ["evil-example.com", "example.com.evil.io", "xexample.com", "com"] {
        assert_eq!(shop.decide(&get("/").to(host)).location(), Some(format!("{SHOP}/")), "{host}");
    }
}
