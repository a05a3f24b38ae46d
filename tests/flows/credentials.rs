//! Where an access token is looked for, and how it is kept from the service (RFC 6750 §2, conformance S1, S2).

use crate::support::*;

/// A rule that looks everywhere.
fn everywhere(hide: bool) -> Shop {
    looking(json!(["header", "query", "form", { "header": "x-token" }, { "cookie": "token" }]), hide)
}

fn looking(places: Value, hide: bool) -> Shop {
    Shop::with(|config| {
        config["bodies"] = json!("readable");
        let members = config["rules"][3].as_object_mut().unwrap();
        members.insert("methods".to_owned(), json!(["bearer"]));
        members.insert("token".to_owned(), json!({ "audience": ["api"] }));
        members.insert("credentials".to_owned(), json!({ "bearer": places, "hide": hide }));
    })
}

const PLACES: [&str; 5] = ["header", "query", "form", "x-token", "cookie"];

/// A form that a program sends, with other things in every place.
fn form() -> Req {
    let mut request = background("/orders?a=1&b=%zz").method("POST");
    request.body = Some("c=1&d=+%20".to_owned());
    request.with("content-type", "application/x-www-form-urlencoded; charset=utf-8").with("cookie", "e=1; f=2")
}

/// The same with the token in this place.
fn in_place(request: Req, place: &str, token: &str) -> Req {
    match place {
        "header" => request.bearer(token),
        "query" => Req { path: request.path.replace("&b", &format!("&access_token={token}&b")), ..request },
        "form" => {
            let body = request.body.as_ref().map(|body| body.replace("&d", &format!("&access_token={token}&d")));
            Req { body, ..request }
        }
        "x-token" => request.with("x-token", token),
        _ => {
            let cookies = request.headers.iter().find(|(name, _)| name == "cookie").map(|(_, value)| value.clone());
            let cookies = String::from_utf8(cookies.unwrap()).unwrap();
            let (first, rest) = cookies.split_once("; ").unwrap();
            request.without("cookie").with("cookie", format!("{first}; token={token}; {rest}"))
        }
    }
}

/// What the service gets to see where a token may have been.
fn seen(answer: &Answer) -> Vec<String> {
    let fields = ["authorization", ":path", "x-token", "cookie", "content-length"];
    let fields = fields.iter().map(|name| answer.service(name).join("|"));
    fields.chain([answer.service_body().unwrap_or("as it came").to_owned()]).collect()
}

/// B06, B17, S2: what was used is gone, and all else is as it came.
#[test]
fn the_token_that_was_used_is_kept_from_the_service() {
    let shop = everywhere(true);
    let token = shop.idp.jwt(|_| {});
    for place in PLACES {
        let answer = shop.decide(&in_place(form(), place, &token));
        answer.assert_served_to("alice");
        let (length, body) = if place == "form" { ("10", "c=1&d=+%20") } else { ("", "as it came") };
        assert_eq!(seen(&answer), ["", "/orders?a=1&b=%zz", "", "e=1; f=2", length, body], "{place}");
        let caching = (place == "query").then(|| "private".to_owned());
        assert_eq!(answer.header("cache-control"), caching, "{place}");
    }
}

/// B17: where the rule says so, it travels on as it came. RFC 6750 §2.3 speaks of the answer all the same.
#[test]
fn a_token_that_is_not_hidden_travels_on() {
    let shop = everywhere(false);
    let token = shop.idp.jwt(|_| {});
    for place in PLACES {
        let request = in_place(form(), place, &token);
        let answer = shop.decide(&request);
        answer.assert_served_to("alice");
        for (name, value) in request.fields() {
            assert_eq!(answer.service_bytes(&name), [value], "{place}: {name}");
        }
        assert_eq!(answer.service_body(), None);
        let caching = (place == "query").then(|| "private".to_owned());
        assert_eq!(answer.header("cache-control"), caching, "{place}");
    }
}

/// B04, B02 (RFC 6750 §2, CVE-2026-26308): never more than one, not even the same twice.
#[test]
fn two_tokens_are_refused_wherever_they_are() {
    let shop = everywhere(true);
    let token = shop.idp.jwt(|_| {});
    for first in PLACES {
        for second in PLACES {
            let request = in_place(in_place(form(), first, &token), second, &token);
            assert_eq!(shop.decide(&request).reason(), Some(Reason::CredentialRepeated), "{first} and {second}");
        }
        shop.decide(&in_place(form(), first, &token)).assert_served_to("alice");
    }
}

/// B01 (CVE-2022-29226), B06: a good token where the rule does not look is none, and is left alone.
#[test]
fn a_token_elsewhere_is_none() {
    let shop = Shop::api(json!({}));
    let token = shop.idp.jwt(|_| {});
    for place in PLACES {
        let answer = shop.decide(&in_place(form(), place, &token));
        if place == "header" {
            answer.assert_served_to("alice");
        } else {
            assert_eq!(answer.reason(), Some(Reason::AccessTokenRequired), "{place}");
        }
        let both = shop.decide(&in_place(in_place(form(), place, "other"), "header", &token));
        let expected = (place == "header").then_some(Reason::CredentialRepeated);
        assert_eq!(both.reason(), expected, "{place}");
    }
}

/// B01: what is random is refused in every place, and nobody is asked about it.
#[test]
fn a_random_token_passes_nowhere() {
    let shop = everywhere(true);
    for place in PLACES {
        let answer = shop.decide(&in_place(form(), place, "x"));
        assert_eq!(answer.reason(), Some(Reason::AccessTokenMalformed), "{place}");
    }
    assert_eq!(shop.script.calls(), Vec::<String>::new());
    shop.decide(&in_place(form(), "query", &shop.idp.jwt(|_| {}))).assert_served_to("alice");
}

/// B05 (RFC 6750 §2.2): a body counts where the method has one, and its type says that it is a form.
#[test]
fn a_body_that_is_no_form_is_not_looked_at() {
    let shop = looking(json!(["form"]), true);
    let token = shop.idp.jwt(|_| {});
    let good = in_place(form(), "form", &token);
    for request in [
        good.clone().method("GET"),
        good.clone().method("HEAD"),
        good.clone().without("content-type"),
        good.clone().without("content-type").with("content-type", "application/json"),
        good.clone().without("content-type").with("content-type", "multipart/form-data; boundary=x"),
        good.clone().without("content-type").with("content-type", "text/plain"),
    ] {
        assert_eq!(shop.decide(&request).reason(), Some(Reason::AccessTokenRequired), "{:?}", request.headers);
    }
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        shop.decide(&good.clone().method(method)).assert_served_to("alice");
    }
}

/// E05: a form is read up to a bound; and where bodies cannot be read, a form that may carry a token is not waved through.
#[test]
fn a_form_that_cannot_be_read_is_refused() {
    let shop = looking(json!(["header", "form"]), true);
    let token = shop.idp.jwt(|_| {});
    let request = in_place(form(), "header", &token);
    assert_eq!(shop.decide_unread(&request).reason(), Some(Reason::BodyUnreadable));
    shop.decide_unread(&request.clone().method("GET")).assert_served_to("alice");
    let long = |size: usize| Req { body: Some("x".repeat(size)), ..request.clone() };
    assert_eq!(shop.decide(&long(64 * 1024 + 1)).reason(), Some(Reason::BodyTooLarge));
    shop.decide(&long(64 * 1024)).assert_served_to("alice");
}

/// B12: what is no token in one place is none in another, and a broken escape does not hide one.
#[test]
fn a_malformed_token_is_refused_in_every_place() {
    let shop = everywhere(true);
    for (place, token) in [
        ("query", "a%20b"),
        ("query", "%zz"),
        ("query", ""),
        ("form", "a%00"),
        ("form", ""),
        ("x-token", "a b"),
        ("x-token", ""),
        ("x-token", "\"a\""),
        ("cookie", "a,b"),
        ("cookie", ""),
    ] {
        let answer = shop.decide(&in_place(form(), place, token));
        assert_eq!(answer.reason(), Some(Reason::CredentialMalformed), "{place} {token:?}");
    }
    // An escaped spelling of the parameter is the parameter.
    let token = shop.idp.jwt(|_| {});
    let path = format!("/orders?a=1&access%5Ftoken={}", token.replace('-', "%2D"));
    let answer = shop.decide(&Req { path, ..background("/") });
    answer.assert_served_to("alice");
    assert_eq!(answer.service(":path"), ["/orders?a=1"]);
}

/// B11: the longest token that is looked at, and a longer one.
#[test]
fn a_token_without_end_is_refused() {
    let shop = everywhere(true);
    for place in PLACES {
        let answer = shop.decide(&in_place(form(), place, &"a".repeat(100 * 1024)));
        let expected = if place == "form" { Reason::BodyTooLarge } else { Reason::CredentialMalformed };
        assert_eq!(answer.reason(), Some(expected), "{place}");
        let answer = shop.decide(&in_place(form(), place, &"a".repeat(60 * 1024)));
        assert_eq!(answer.reason(), Some(Reason::AccessTokenMalformed), "{place}");
    }
    assert_eq!(shop.script.calls(), Vec::<String>::new());
}

/// B17: the rule may hand the token on in a place of its own, and then it comes from there alone.
#[test]
fn a_token_is_handed_on_where_the_rule_says() {
    for (told, authorization, named) in [
        (json!([]), vec![], vec![]),
        (json!([{ "token": "access_token", "as": "bearer" }]), vec!["Bearer T"], vec![]),
        (json!([{ "token": "access_token", "name": "x-access" }]), vec![], vec!["T"]),
        (json!([{ "token": "access_token", "as": "none" }]), vec![], vec![]),
    ] {
        for methods in [json!(["bearer"]), json!(["introspection"]), json!(["userinfo"])] {
            let shop = Shop::api(json!({ "upstream_headers": told, "methods": methods }));
            let token = shop.idp.jwt(|_| {});
            let answer = shop.decide(&background("/").bearer(&token).with("x-access", "forged"));
            assert_eq!(answer.reason(), None);
            let expected = |values: &[&str]| -> Vec<String> { values.iter().map(|v| v.replace('T', &token)).collect() };
            assert_eq!(answer.service("authorization"), expected(&authorization), "{told} {methods}");
            let named = if named.is_empty() && told[0]["name"].is_null() { vec!["forged"] } else { named.clone() };
            assert_eq!(answer.service("x-access"), expected(&named), "{told} {methods}");
        }
    }
}
