//! Callbacks by `form_post`, and by the wrong way (Form Post Response Mode §2; attacks C18, C19).

use crate::support::*;
use Reason::*;

/// The callback of a login that has just begun, with the browser that it belongs to.
fn begun(shop: &Shop) -> (Browser<'_>, Req) {
    let mut browser = shop.browser();
    let callback = browser.until_callback("/cart");
    (browser, callback)
}

/// C18 (CVE-2025-3891): each is refused, and the very login still ends well with the form as it should be.
#[test]
fn a_form_that_is_none_is_refused_and_loses_nothing() {
    let shop = Shop::with_form_post();
    let (mut browser, good) = begun(&shop);
    let form = good.body.clone().unwrap();
    let typed = |kind: &str| good.clone().without("content-type").with("content-type", kind);
    let with_body = |body: &str| Req { body: Some(body.to_owned()), ..good.clone() };
    let cases = [
        (with_body(""), CallbackMalformed),
        (good.clone().without("content-type"), CallbackMalformed),
        (typed("application/json"), CallbackMalformed),
        (typed("multipart/form-data; boundary=x"), CallbackMalformed),
        (typed("application/x-www-form-urlencoded2"), CallbackMalformed),
        (good.clone().with("content-type", "application/json"), CallbackMalformed),
        (with_body(&format!("{form}&code=x")), CallbackMalformed),
        (with_body(&format!("{form}&state=x")), CallbackMalformed),
        (with_body("%zz"), CallbackMalformed),
        (with_body(&"x".repeat(10 * 1024 * 1024)), BodyTooLarge),
    ];
    for (bad, reason) in cases {
        assert_eq!(browser.send(&bad).reason(), Some(reason));
    }
    assert_eq!(shop.calls(Endpoint::Token), 0);
    let kind = typed("Application/X-WWW-Form-Urlencoded; charset=UTF-8");
    assert_eq!(browser.send(&kind).reason(), Some(LoginDone));
}

/// C18, B4: parameters in the query of the POST are not read.
#[test]
fn the_query_of_a_form_post_is_not_read() {
    let shop = Shop::with_form_post();
    let (mut browser, good) = begun(&shop);
    let form = good.body.clone().unwrap();
    let in_query = Req { path: format!("{CALLBACK}?{form}"), body: Some(String::new()), ..good.clone() };
    assert_eq!(browser.send(&in_query).reason(), Some(CallbackMalformed));
    let both = Req { path: format!("{CALLBACK}?error=access_denied&code=x"), ..good };
    assert_eq!(browser.send(&both).reason(), Some(LoginDone));
}

/// C19.
#[test]
fn a_callback_by_the_wrong_way_is_refused() {
    let shop = Shop::with_form_post();
    let (mut browser, good) = begun(&shop);
    let form = good.body.clone().unwrap();
    for method in ["GET", "HEAD", "PUT", "post"] {
        let query = get(&format!("{CALLBACK}?{form}")).method(method);
        assert_eq!(browser.send(&query).reason(), Some(CallbackWrongMode), "{method}");
    }
    assert_eq!(browser.send(&good).reason(), Some(LoginDone));

    let shop = Shop::new();
    let (mut browser, good) = begun(&shop);
    let query = good.path.split_once('?').unwrap().1.to_owned();
    for method in ["POST", "DELETE", "OPTIONS"] {
        let form = Req { cross_site: false, ..post(CALLBACK, &query).method(method) };
        assert_eq!(browser.send(&form).reason(), Some(CallbackWrongMode), "{method}");
    }
    assert_eq!(browser.send(&good).reason(), Some(LoginDone));
}

/// DESIGN §2, bodies: an answer, not a hang.
#[test]
fn where_bodies_are_not_read_a_form_post_says_so() {
    let shop = Shop::with_form_post();
    let (browser, good) = begun(&shop);
    let cookie = browser.jar.field(shop.now(), &good).unwrap();
    let gate = shop.reconfigured(|config| config["bodies"] = json!("unreadable"));
    let answer = gate.decide_unread(&good.clone().with("cookie", &cookie));
    assert_eq!((answer.reason(), answer.status()), (Some(BodyUnreadable), 501));
    assert_eq!(shop.decide(&good.with("cookie", &cookie)).reason(), Some(LoginDone));
}

/// Q1, B4: `SameSite=None` needs `Secure`; `Lax` would not come along with the provider's POST.
#[test]
fn a_lax_cookie_would_not_have_come_along() {
    let shop = Shop::with_form_post();
    let (mut browser, good) = begun(&shop);
    assert_eq!(browser.login_cookies().len(), 1);
    assert_eq!(browser.send(&good).reason(), Some(LoginDone));
    // Of the session, none comes with another site's POST, and so nothing can be done with it from there.
    assert!(browser.jar.field(shop.now(), &good).is_some_and(|field| field.contains("-login.")));
    let session = browser.session_cookies()[0].to_owned();
    assert!(!browser.jar.field(shop.now(), &good).unwrap().contains(&format!("{session}=")));
}

/// T1, OIDC Core §4: also by POST.
#[test]
fn a_third_party_begins_a_login_by_post() {
    let shop = Shop::with_form_post().reconfigured(|config| {
        config["defaults"]["login"]["initiate_path"] = json!("/oauth/initiate");
    });
    let form = "iss=https%3A%2F%2Fidp.example.com&target_link_uri=https%3A%2F%2Fshop.example.com%2Fcart";
    let mut browser = shop.browser();
    let page = browser.follow(post("/oauth/initiate", form));
    page.assert_served_to("alice");
    assert_eq!(page.url, format!("{SHOP}/cart"));
    let huge = post("/oauth/initiate", &"x".repeat(1024 * 1024));
    assert_eq!(shop.browser().send(&huge).reason(), Some(BodyTooLarge));
    assert_eq!(shop.decide_unread(&post("/oauth/initiate", form)).reason(), Some(BodyUnreadable));
}
