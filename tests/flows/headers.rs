//! What the service learns, and from whom (attacks H01 to H12; conformance S4).

use crate::support::*;

const FORGED: [&str; 7] = ["x-user", "X-User", "x_user", "X_USER", "X-uSeR", "x-email", "X_Email"];

/// H01 (CVE-2025-64484, CVE-2026-44087), H02: every spelling, doubled, on every kind of rule.
#[test]
fn no_client_speaks_in_our_name() {
    let shop = Shop::new();
    let cookie = shop.guest().jar.field(shop.now(), &get("/")).unwrap();
    let forge =
        |request: Req| FORGED.iter().fold(request, |request, name| request.with(name, "root").with(name, b"\xff"));
    for (request, user) in [
        (get("/public"), None),
        (get("/public").method("OPTIONS"), None),
        (get("/maybe"), None),
        (get("/maybe").with("cookie", "x=1"), None),
        (get("/maybe").with("cookie", &cookie), Some("alice")),
        (get("/").with("cookie", &cookie), Some("alice")),
        (get("/").with("cookie", &cookie).method("OPTIONS"), Some("alice")),
    ] {
        let answer = shop.decide(&forge(request.clone()));
        assert_eq!(answer.reason(), None);
        assert_eq!(answer.service("x-user"), user.iter().map(|user| (*user).to_owned()).collect::<Vec<_>>());
        let strange =
            answer.service_names().into_iter().filter(|name| name.to_lowercase().replace('_', "-") == "x-user");
        assert_eq!(strange.count(), usize::from(user.is_some()), "{}", request.path);
        // Neighbours stay.
        let answer = shop.decide(&request.with("x-users", "a").with("xx-user", "b").with("x-user-agent", "c"));
        assert_eq!(
            (answer.service("x-users"), answer.service("xx-user")),
            (vec!["a".to_owned()], vec!["b".to_owned()])
        );
    }
}

/// H03.
#[test]
fn a_missing_claim_is_a_missing_header() {
    let shop = Shop::new();
    for person in [json!({ "sub": "u-1" }), json!({ "sub": "u-1", "email": null, "preferred_username": null })] {
        shop.idp.knows(person);
        let cookie = shop.guest().jar.field(shop.now(), &get("/")).unwrap();
        let answer = shop.decide(&get("/").with("cookie", cookie).with("x-user", "root").with("x-email", "r@x"));
        assert_eq!((answer.service("x-user").len(), answer.service("x-email").len()), (0, 0));
    }
}

/// What the service sees for a claim.
fn told(value: &Value) -> Option<Vec<u8>> {
    let shop = Shop::new();
    let email = value.clone();
    shop.idp.knows(json!({ "sub": "u-1", "preferred_username": "alice" }));
    shop.idp.claims(move |claims| claims["email"] = email.clone());
    let page = shop.guest().get("/");
    page.assert_served_to("alice");
    let mut values = page.service_bytes("x-email");
    assert!(values.len() < 2);
    values.pop()
}

/// H04 (CVE-2026-31908), H06: what does not fit a header field is left out, and the request passes without it.
#[test]
fn what_does_not_fit_a_header_is_left_out() {
    for value in ["a\r\nx-admin: 1", "a\nb", "a\rb", "a\0b", "a\u{7f}b", "a\u{85}b", "\tb", " a", "a ", "a\u{1b}[0m"] {
        assert_eq!(told(&json!(value)), None, "{value:?}");
        let mended: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
        assert_eq!(told(&json!(mended)), Some(mended.into_bytes()));
    }
    assert_eq!(told(&json!(["a", "b\r\nc"])), None);
    assert_eq!(told(&json!("")), Some(Vec::new()));
}

#[test]
fn a_claim_longer_than_eight_kilobytes_is_left_out() {
    let shop = |length: usize| {
        let shop = Shop::with(|config| config["session"]["budget"] = json!(65536));
        shop.idp.claims(move |claims| claims["email"] = json!("e".repeat(length)));
        shop
    };
    for (length, shown) in [(8 * 1024, 1), (8 * 1024 + 1, 0)] {
        let shop = shop(length);
        let page = shop.guest().get("/");
        page.assert_served_to("alice");
        assert_eq!(page.service("x-email").len(), shown, "{length}");
        let told = shop.script.lines().iter().any(|line| line.contains("left out header x-email"));
        assert_eq!(told, shown == 0);
    }
    // H06: an ID token with 40 KB is longer than any that is taken, a token answer with 100 KB larger than any.
    assert_eq!(shop(100_000).browser().open("/").reason(), Some(Reason::TokenUnavailable));
    assert_eq!(shop(40_000).browser().open("/").reason(), Some(Reason::TokenInvalid));
}

/// H05, H07: one form for each JSON type; other characters as UTF-8.
#[test]
fn each_json_type_has_one_form() {
    for (value, shown) in [
        (json!("Žofie 🦊"), Some("Žofie 🦊")),
        (json!("a,b;\"c\""), Some("a,b;\"c\"")),
        (json!(7), Some("7")),
        (json!(-1.5), Some("-1.5")),
        (json!(true), Some("true")),
        (json!(false), Some("false")),
        (json!(["a", 1, true, null]), Some("a,1,true")),
        (json!([]), Some("")),
        (json!({ "a": [1] }), Some("{\"a\":[1]}")),
        (json!([{ "a": 1 }, ["b", "c"]]), Some("{\"a\":1},b,c")),
        (Value::Null, None),
    ] {
        assert_eq!(told(&value), shown.map(|shown| shown.as_bytes().to_vec()), "{value}");
    }
}

/// B17: where a rule speaks through `Authorization`, nobody else does.
#[test]
fn authorization_is_ours_where_a_rule_speaks_through_it() {
    let shop = Shop::new();
    let cookie = shop.guest().jar.field(shop.now(), &get("/")).unwrap();
    let sent = |path: &str| get(path).with("authorization", "Bearer forged").with("Authorization", "Basic Zm9v");
    // Anonymous rules do not look at credentials, and pass them on.
    assert_eq!(shop.decide(&sent("/public")).service("authorization").len(), 2);
    assert_eq!(shop.decide(&sent("/maybe")).service("authorization"), [""; 0]);
    for path in ["/", "/maybe"] {
        let seen = shop.decide(&sent(path).with("cookie", &cookie)).service("authorization");
        assert!(seen.len() == 1 && seen[0].starts_with("Bearer at-"), "{seen:?}");
    }
    // A dead token is not sent, and nothing of the client's takes its place.
    shop.script.advance(301);
    assert_eq!(shop.decide(&sent("/").with("cookie", &cookie)).service("authorization"), [""; 0]);
}

/// The access token in a header of its own, or not at all.
#[test]
fn the_access_token_travels_as_configured() {
    let form = |entry: Value| {
        Shop::with(|config| config["defaults"]["upstream_headers"].as_array_mut().unwrap().push(entry.clone()))
    };
    let own = form(json!({ "token": "access_token", "name": "x-token" }));
    let cookie = own.guest().jar.field(own.now(), &get("/")).unwrap();
    for path in ["/", "/maybe"] {
        let answer = own.decide(&get(path).with("cookie", &cookie).with("x_token", "forged").with("X-Token", "forged"));
        assert!(answer.service("x-token")[0].starts_with("at-"));
        assert_eq!((answer.service("x-token").len(), answer.service("x_token").len()), (1, 0));
    }
    assert_eq!(own.decide(&get("/public").with("x-token", "forged")).service("x-token"), [""; 0]);
    own.script.advance(301);
    assert_eq!(own.decide(&get("/").with("cookie", &cookie).with("x-token", "forged")).service("x-token"), [""; 0]);

    let away = form(json!({ "token": "access_token", "as": "none" }));
    let page = away.guest().get("/");
    page.assert_served_to("alice");
    assert_eq!(page.service("authorization"), [""; 0]);
}

/// H08 (CVE-2023-27487, CVE-2026-40575), H09, H10 (CVE-2026-34457): no header field chooses the rule.
#[test]
fn no_header_names_another_path_host_or_scheme() {
    let shop = Shop::new();
    let plain = shop.decide(&background("/")).reason();
    for (name, value) in [
        ("x-forwarded-uri", "/public"),
        ("x-forwarded-method", "OPTIONS"),
        ("x-forwarded-host", "other.example"),
        ("x-original-url", "/public"),
        ("x-rewrite-url", "/public"),
        ("x-envoy-original-path", "/public"),
        ("x-http-method-override", "GET"),
        ("host", "other.example"),
        ("user-agent", "kube-probe/1.30"),
        ("user-agent", "GoogleHC/1.0"),
        ("x-envoy-internal", "true"),
    ] {
        assert_eq!(shop.decide(&background("/").with(name, value)).reason(), plain, "{name}");
    }
    for proto in ["http", "https"] {
        let answer = shop.decide(&get("/").with("x-forwarded-proto", proto));
        assert!(answer.all("set-cookie")[0].contains("; Secure"));
        assert!(answer.location().unwrap().contains("redirect_uri=https%3A%2F%2Fshop.example.com"));
    }
}

/// H11: the service's answer does not carry reasons in our name.
#[test]
fn the_service_does_not_give_our_reasons() {
    let shop = Shop::new();
    for path in ["/public", "/maybe"] {
        assert_eq!(shop.decide(&get(path)).taken_from_the_answer(), ["x-reason"]);
    }
    let silent = Shop::with(|config| drop(config.as_object_mut().unwrap().remove("observability")));
    assert!(silent.decide(&get("/public")).taken_from_the_answer().is_empty());
    assert_eq!(silent.decide(&background("/")).header("x-reason"), None);
}
