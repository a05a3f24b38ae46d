//! Who may do what, and what is told of whom (attacks A01 to A06, A10, I15).

use crate::support::*;

/// A shop whose last rule has more to it.
fn shop_with(rule: &Value) -> Shop {
    Shop::with(|config| {
        let members = config["rules"][3].as_object_mut().unwrap();
        members.extend(rule.as_object().unwrap().clone());
    })
}

/// What becomes of someone with these claims where the rule requires this.
fn judged(require: &Value, claims: &Value) -> Option<Reason> {
    let shop = shop_with(&json!({ "require": require }));
    person(&shop, claims).1.reason()
}

/// A browser of someone with these claims besides `sub` and a name, and the page that it gets.
fn person<'a>(shop: &'a Shop, claims: &Value) -> (Browser<'a>, Answer) {
    let mut known = json!({ "sub": "u-1", "preferred_username": "alice" });
    known.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    shop.idp.knows(known);
    let mut browser = shop.browser();
    let page = browser.open("/");
    (browser, page)
}

/// A01 (RFC 6749 §3.3): a scope is neither a prefix nor part of another, and has its case.
#[test]
fn a_scope_is_a_whole_word() {
    let shop = |granted: &'static str| {
        let shop = shop_with(&json!({ "require": { "scope": ["admin"] } }));
        shop.idp.tokens(move |answer| answer["scope"] = json!(granted));
        shop
    };
    for granted in ["openid administrator", "openid admin:read", "openid ADMIN", "openid"] {
        assert_eq!(shop(granted).browser().open("/").reason(), Some(Reason::ScopeMissing), "{granted}");
    }
    shop("openid admin").browser().open("/").assert_served_to("alice");
}

/// A02: what stands in the way of a claim's path is no claim.
#[test]
fn a_path_through_anything_but_objects_finds_nothing() {
    let require = json!({ "roles": { "claim": ["realm", "roles"], "any_of": ["editor"] } });
    for claims in [
        json!({ "realm": [{ "roles": ["editor"] }] }),
        json!({ "realm": { "roles": [{ "name": "editor" }] } }),
        json!({ "realm": { "roles": null } }),
        json!({ "realm": null }),
        json!({ "realm": "roles" }),
        json!({}),
    ] {
        assert_eq!(judged(&require, &claims), Some(Reason::RoleMissing), "{claims}");
    }
    assert_eq!(judged(&require, &json!({ "realm": { "roles": ["editor"] } })), None);
}

/// A03 (CVE-2026-40574).
#[test]
fn an_email_domain_is_verified_and_exact() {
    let require = json!({ "email_domains": ["good.com"] });
    for (email, verified, reason) in [
        (json!("a@good.com"), json!(true), None),
        (json!("a@GOOD.com"), json!("true"), None),
        (json!("a@evil@good.com"), json!(true), Some(Reason::EmailRefused)),
        (json!("\"a@evil.com\"@good.com"), json!(true), Some(Reason::EmailRefused)),
        (json!("a@sub.good.com"), json!(true), Some(Reason::EmailRefused)),
        (json!("a@good.com"), json!(false), Some(Reason::EmailRefused)),
        (json!("a@good.com"), json!("false"), Some(Reason::EmailRefused)),
        (json!("a@good.com"), Value::Null, Some(Reason::EmailRefused)),
        (Value::Null, json!(true), Some(Reason::EmailRefused)),
    ] {
        assert_eq!(judged(&require, &json!({ "email": email, "email_verified": verified })), reason, "{email}");
    }
}

/// A04: values are whole; text is not a list.
#[test]
fn a_group_is_a_whole_value() {
    let require = json!({ "groups": { "claim": ["groups"], "any_of": ["admin", "big spenders"] } });
    for groups in [json!("admin"), json!(["user", "admin"]), json!("big spenders")] {
        assert_eq!(judged(&require, &json!({ "groups": groups })), None, "{groups}");
    }
    for groups in
        [json!("user,admin"), json!("user admin"), json!(["admins"]), json!(["big", "spenders"]), json!("Admin")]
    {
        assert_eq!(judged(&require, &json!({ "groups": groups })), Some(Reason::GroupMissing), "{groups}");
    }
}

/// A05: a name with dots, slashes and colons in it is one name, and a nested path of that spelling another claim.
#[test]
fn a_claim_path_has_one_reading() {
    for name in ["a.b", "https://shop.example/roles", "urn:x:y"] {
        let inner = name.split(['.', '/', ':']).rev().fold(json!("editor"), |value, part| json!({ part: value }));
        let (flat, nested) = (json!({ name: "editor" }), inner);
        let path: Vec<&str> = name.split(['.', '/', ':']).collect();
        let require = |claim: Value| json!({ "roles": { "claim": claim, "any_of": ["editor"] } });
        assert_eq!(judged(&require(json!([name])), &flat), None);
        assert_eq!(judged(&require(json!([name])), &nested), Some(Reason::RoleMissing));
        if path.iter().all(|part| !part.is_empty()) {
            assert_eq!(judged(&require(json!(path)), &nested), None);
            assert_eq!(judged(&require(json!(path)), &flat), Some(Reason::RoleMissing));
        }
    }
}

/// A06.
#[test]
fn what_denies_wins() {
    let require = json!({
        "groups": { "claim": ["groups"], "any_of": ["staff"] },
        "groups_denied": ["interns"],
        "forbidden_claims": [["suspended"]],
    });
    assert_eq!(judged(&require, &json!({ "groups": ["staff"] })), None);
    assert_eq!(judged(&require, &json!({ "groups": ["staff", "interns"] })), Some(Reason::GroupDenied));
    assert_eq!(judged(&require, &json!({ "groups": ["staff"], "suspended": true })), Some(Reason::ClaimForbidden));
    assert_eq!(judged(&require, &json!({ "groups": ["staff"], "suspended": false })), None);
}

#[test]
fn what_defaults_deny_a_rule_cannot_allow() {
    let shop = Shop::with(|config| {
        config["defaults"]["require"] =
            json!({ "groups": { "claim": ["groups"] }, "groups_denied": ["interns"], "email_domains": ["good.com"] });
        config["rules"][3]["require"] =
            json!({ "groups": { "claim": ["teams"], "any_of": ["core"] }, "email_domains": ["good.com", "other.com"] });
    });
    let claims = |groups: &str, email: &str| json!({ "groups": groups, "teams": "core", "email": email, "email_verified": true });
    let reason = |groups, email| person(&shop, &claims(groups, email)).1.reason();
    assert_eq!(reason("staff", "a@good.com"), None);
    assert_eq!(reason("interns", "a@good.com"), Some(Reason::GroupDenied));
    assert_eq!(reason("staff", "a@other.com"), Some(Reason::EmailRefused));
}

/// The consumers `acme`, found by its names, and `initech`, found by its own match.
fn consumers(rule: Value) -> Shop {
    consumers_with(rule, json!({}))
}

fn consumers_with(rule: Value, require: Value) -> Shop {
    Shop::with(|config| {
        config["consumers"] = json!([
            { "username": "acme", "custom_id": "17", "id": "c-1", "groups": ["partners", "late payers"] },
            { "username": "initech", "match": { "claim": ["division"], "equals": "tps" } },
        ]);
        for at in [1, 3] {
            config["rules"][at]["consumer"] = rule.clone();
            if require != json!({}) {
                config["rules"][at]["require"] = require.clone();
            }
        }
    })
}

const ABOUT: [&str; 6] = [
    "x-consumer-id",
    "x-consumer-username",
    "x-consumer-custom-id",
    "x-credential-identifier",
    "x-authenticated-groups",
    "x-anonymous-consumer",
];

fn about(answer: &Answer) -> [String; 6] {
    ABOUT.map(|name| answer.service(name).join("|"))
}

/// A10.
#[test]
fn who_is_no_consumer_is_refused_where_one_is_needed() {
    let by_claim = || consumers(json!({ "by": ["app"] }));
    let shop = by_claim();
    for app in ["acme", "17"] {
        let (_, page) = person(&shop, &json!({ "app": app }));
        assert_eq!(about(&page), ["c-1", "acme", "17", "u-1", "partners, late payers", ""]);
    }
    for claims in [json!({}), json!({ "app": "Acme" }), json!({ "app": ["acme"] }), json!({ "app": "c-1" })] {
        assert_eq!(person(&shop, &claims).1.reason(), Some(Reason::ConsumerUnknown), "{claims}");
    }
    let shop = consumers(json!({ "optional": false }));
    assert_eq!(about(&person(&shop, &json!({ "division": "tps" })).1), ["initech", "initech", "", "u-1", "", ""]);
    assert_eq!(person(&shop, &json!({ "division": "acme" })).1.reason(), Some(Reason::ConsumerUnknown));
}

#[test]
fn who_need_not_be_a_consumer_has_the_provider_s_groups() {
    let require = json!({ "groups": { "claim": ["groups"] }, "groups_denied": ["x"] });
    let shop = consumers_with(json!({ "by": ["app"], "optional": true }), require);
    let groups = json!(["a b", "c", "d, admin", 7]);
    assert_eq!(person(&shop, &json!({ "groups": groups })).1.reason(), Some(Reason::GroupDenied));
    let groups = json!(["a b", "c", "d, admin"]);
    let (_, page) = person(&shop, &json!({ "groups": groups, "app": "nobody" }));
    assert_eq!(about(&page), ["", "", "", "u-1", "a b, c", ""]);
    let (_, page) = person(&shop, &json!({ "groups": groups, "app": "acme" }));
    assert_eq!(about(&page), ["c-1", "acme", "17", "u-1", "partners, late payers", ""]);
}

#[test]
fn groups_of_a_consumer_decide_where_the_rule_says_so() {
    let require = json!({ "groups": { "source": "consumer", "any_of": ["partners"] } });
    let shop = consumers_with(json!({ "by": ["app"], "optional": true }), require);
    assert_eq!(person(&shop, &json!({ "app": "acme" })).1.reason(), None);
    for app in ["initech", "nobody"] {
        let claims = json!({ "app": app, "groups": ["partners"] });
        assert_eq!(person(&shop, &claims).1.reason(), Some(Reason::GroupMissing), "{app}");
    }
    let denied = json!({ "groups": { "source": "consumer" }, "groups_denied": ["late payers"] });
    let shop = consumers_with(json!({ "by": ["app"] }), denied);
    assert_eq!(person(&shop, &json!({ "app": "acme" })).1.reason(), Some(Reason::GroupDenied));
    assert_eq!(person(&shop, &json!({ "app": "initech" })).1.reason(), None);
}

/// H01, H02: nobody says for himself which consumer he is, and a stranger is told to be one.
#[test]
fn no_client_says_which_consumer_it_is() {
    let shop = consumers(json!({ "by": ["app"], "optional": true }));
    let (browser, _) = person(&shop, &json!({ "app": "nobody" }));
    let cookie = browser.jar.field(shop.now(), &get("/")).unwrap();
    let forge = |request: Req| {
        let spellings = ABOUT.iter().flat_map(|name| [(*name).to_owned(), name.to_uppercase().replace('-', "_")]);
        spellings.fold(request, |request, name| request.with(&name, "acme"))
    };
    for (request, seen) in [
        (get("/public"), ["", "", "", "", "", ""]),
        (get("/maybe"), ["", "", "", "", "", "true"]),
        (get("/maybe").with("cookie", &cookie), ["", "", "", "u-1", "", ""]),
        (get("/").with("cookie", &cookie), ["", "", "", "u-1", "", ""]),
    ] {
        let answer = shop.decide(&forge(request.clone()));
        assert_eq!(about(&answer), seen, "{}", request.path);
        let spelled = |name: &String| ABOUT.contains(&name.to_lowercase().replace('_', "-").as_str());
        let count = answer.service_names().iter().filter(|name| spelled(name)).count();
        assert_eq!(count, seen.iter().filter(|value| !value.is_empty()).count());
    }
}

#[test]
fn headers_about_consumers_have_the_names_that_are_configured() {
    let headers =
        json!({ "id": "x-app", "custom_id": "none", "groups": "none", "credential": "none", "anonymous": "none" });
    let shop = consumers(json!({ "by": ["app"], "headers": headers }));
    let (_, page) = person(&shop, &json!({ "app": "acme" }));
    assert_eq!(about(&page), ["", "acme", "", "", "", ""]);
    assert_eq!(page.service("x-app"), ["c-1"]);
    assert_eq!(about(&shop.decide(&get("/maybe"))), [""; 6]);
}

#[test]
fn a_consumer_is_found_among_a_thousand() {
    let shop = Shop::with(|config| {
        config["consumers"] =
            (0..1_000).map(|at| json!({ "username": format!("app-{at}"), "custom_id": format!("{at}") })).collect();
        config["rules"][3]["consumer"] = json!({ "by": ["app"] });
    });
    for app in ["app-0", "app-999", "500"] {
        let (_, page) = person(&shop, &json!({ "app": app }));
        assert_eq!(about(&page)[0], format!("app-{}", app.trim_start_matches("app-")));
    }
    assert_eq!(person(&shop, &json!({ "app": "app-1000" })).1.reason(), Some(Reason::ConsumerUnknown));
}

/// I15 (CVE-2026-31908): what does not fit a header is left out wherever it would be told, with a warning.
#[test]
fn what_does_not_fit_is_not_told_to_anyone() {
    let rule = json!({
        "upstream_headers": [{ "claim": ["preferred_username"], "name": "x-user" }, { "claim": ["nick"], "name": "x-nick" }],
        "response_headers": [{ "claim": ["nick"], "name": "x-told" }],
        "consumer": { "by": ["app"], "optional": true },
        "require": { "groups": { "claim": ["groups"], "any_of": ["staff"] } },
    });
    let shop = Shop::with(|config| {
        config["session"]["budget"] = json!(65_536);
        config["consumers"] = json!([{ "username": "acme" }]);
        config["rules"][3].as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
    });
    for bad in ["a\r\nx-admin: 1", "a\0b", "a\u{7f}", &"n".repeat(9_000)] {
        let claims = json!({ "nick": bad, "groups": ["staff", bad] });
        let (_, page) = person(&shop, &claims);
        page.assert_served_to("alice");
        assert_eq!((page.service("x-nick").len(), page.header("x-told")), (0, None));
        assert_eq!(about(&page)[4], "");
        assert!(!page.service_names().iter().any(|name| name == "x-admin"));
        for name in ["x-nick", "x-told", "x-authenticated-groups"] {
            assert!(shop.script.lines().iter().any(|line| line.contains(&format!("left out header {name} "))));
        }
    }
    let (_, page) = person(&shop, &json!({ "nick": "Žo", "groups": ["staff", "Žižkov"] }));
    assert_eq!((page.service("x-nick"), page.header("x-told")), (vec!["Žo".to_owned()], Some("Žo".to_owned())));
    assert_eq!(about(&page)[4], "staff, Žižkov");
}

#[test]
fn the_client_is_told_what_the_rule_says_and_the_service_cannot_say_it() {
    let shop = shop_with(&json!({ "response_headers": [
        { "claim": ["preferred_username"], "name": "x-user-name" },
        { "claim": ["locale"], "name": "x-locale" },
    ] }));
    let (browser, page) = person(&shop, &json!({}));
    assert_eq!((page.header("x-user-name").as_deref(), page.header("x-locale")), (Some("alice"), None));
    let taken = ["x-reason", "x-user-name", "x-locale"];
    assert_eq!(page.taken_from_the_answer(), taken);
    // Without a touch of the session, nothing keeps an answer from caches: that is the service's matter.
    let cookie = browser.jar.field(shop.now(), &get("/")).unwrap();
    assert_eq!(shop.decide(&get("/").with("cookie", &cookie)).header("cache-control"), None);
    assert_eq!(shop.decide(&get("/public")).taken_from_the_answer(), ["x-reason"]);
}

#[test]
fn a_token_goes_to_a_client_only_where_it_is_written_out_and_is_not_cached() {
    let shop = shop_with(&json!({ "response_headers": [
        { "token": "access_token", "name": "x-token" },
        { "token": "id_token", "name": "x-id-token" },
    ] }));
    let (browser, page) = person(&shop, &json!({}));
    assert!(page.header("x-token").unwrap().starts_with("at-"));
    assert_eq!(page.header("x-id-token").unwrap().split('.').count(), 3);
    assert_eq!(page.header("cache-control").as_deref(), Some("no-store"));
    let cookie = browser.jar.field(shop.now(), &get("/")).unwrap();
    let other = shop.decide(&get("/maybe").with("cookie", &cookie));
    assert_eq!((other.header("x-token"), other.header("cache-control")), (None, None));
}

/// A session keeps what a rule reads, and all claims where a rule tells all of them.
#[test]
fn a_session_keeps_every_claim_that_its_rules_need() {
    let everything = json!({
        "require": {
            "audience": ["shop"],
            "scope": ["openid"],
            "groups": { "claim": ["groups"], "any_of": ["staff"] },
            "roles": { "claim": ["realm", "roles"], "any_of": ["editor"] },
            "claims": [{ "claim": ["age"], "at_least": 18 }, { "claim": ["plan"], "source": "id_token", "equals": "gold" }],
            "forbidden_claims": [["suspended"], { "claim": ["locked"], "source": "id_token" }],
            "email_domains": ["good.com"],
            "groups_denied": ["guests"],
        },
        "consumer": { "by": ["app"] },
        "upstream_headers": [
            { "claim": ["preferred_username"], "name": "x-user" },
            { "claim": ["tags"], "name": "x-tags", "as": "json" },
        ],
        "response_headers": [{ "claim": ["locale"], "name": "x-locale" }],
    });
    let shop = Shop::with(|config| {
        config["consumers"] = json!([{ "username": "acme" }]);
        config["rules"][3].as_object_mut().unwrap().extend(everything.as_object().unwrap().clone());
    });
    let good = json!({
        "groups": ["staff"], "realm": { "roles": ["editor"] }, "age": 18, "plan": "gold", "app": "acme", "tags": ["a", 1],
        "email": "a@good.com", "email_verified": true, "locale": "cs", "unread": "left out",
    });
    let (_, page) = person(&shop, &good);
    page.assert_served_to("alice");
    assert_eq!(
        (page.service("x-tags"), page.header("x-locale").as_deref()),
        (vec!["[\"a\",1]".to_owned()], Some("cs"))
    );
    for (claim, value, reason) in [
        ("suspended", json!(true), Reason::ClaimForbidden),
        ("locked", json!("yes"), Reason::ClaimForbidden),
        ("groups", json!(["staff", "guests"]), Reason::GroupDenied),
        ("age", json!(17), Reason::ClaimRefused),
        ("plan", json!("tin"), Reason::ClaimRefused),
        ("app", json!("nobody"), Reason::ConsumerUnknown),
        ("email_verified", json!(false), Reason::EmailRefused),
    ] {
        let mut bad = good.clone();
        bad[claim] = value;
        assert_eq!(person(&shop, &bad).1.reason(), Some(reason), "{claim}");
    }

    let all = shop_with(&json!({ "upstream_headers": [
        { "claim": ["preferred_username"], "name": "x-user" },
        { "claims": "id_token", "name": "x-claims" },
    ] }));
    let (_, page) = person(&all, &good);
    page.assert_served_to("alice");
    let told: Value = serde_json::from_str(&page.service("x-claims")[0]).unwrap();
    assert_eq!((&told["unread"], &told["tags"], &told["aud"]), (&json!("left out"), &json!(["a", 1]), &json!("shop")));
}
