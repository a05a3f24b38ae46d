//! The provider ends sessions (attacks L01 to L14, L20; conformance L4 to L10; Front-Channel and Back-Channel Logout).

use crate::support::*;
use Reason::*;

fn back(change: impl Fn(&mut Value)) -> Shop {
    Shop::with_logout().reconfigured(|config| change(&mut config["defaults"]["logout"]))
}

fn encoded(text: &str) -> String {
    oidc_proxy_wasm::http::form::encode(text)
}

fn front(query: &str) -> Req {
    let mut request = get(&format!("/oauth/front?{query}"))
        .without("sec-fetch-dest")
        .without("sec-fetch-site")
        .with("sec-fetch-dest", "iframe")
        .with("sec-fetch-site", "cross-site");
    request.cross_site = true;
    request
}

fn pair(iss: &str, sid: &str) -> String {
    format!("iss={}&sid={}", encoded(iss), encoded(sid))
}

/// L9: 200 and `no-store`, without cookies; the session ends, and others of the provider's do not.
#[test]
fn a_logout_token_ends_the_session_that_it_names() {
    let shop = Shop::with_logout();
    let mut alice = shop.guest();
    shop.idp.claims(|claims| claims["sid"] = json!("sid-2"));
    let mut elsewhere = shop.guest();
    let answer = shop.tells(&shop.idp.logout_token(|_| {}));
    assert_eq!((answer.reason(), answer.status(), answer.body()), (Some(LogoutTold), 200, ""));
    assert!(!is_in(&mut alice));
    assert!(is_in(&mut elsewhere), "another session of the same person");
}

/// L10: only `sub` ends all of that person's sessions, and nobody else's; a login after it is good.
#[test]
fn a_logout_token_for_a_subject_ends_all_of_its_sessions() {
    let shop = Shop::with_logout();
    let (mut one, mut two) = (shop.guest(), shop.guest());
    shop.idp.logs_in("u-2", "bob");
    let mut bob = shop.guest();
    let token = shop.idp.logout_token(|claims| drop(claims.as_object_mut().unwrap().remove("sid")));
    shop.script.advance(2);
    shop.idp.logs_in("u-1", "alice");
    let mut later = shop.guest();
    assert_eq!(shop.tells(&token).reason(), Some(LogoutTold));
    assert!(!is_in(&mut one) && !is_in(&mut two));
    assert!(is_in(&mut bob) && is_in(&mut later), "what began after the provider's word stays");
}

/// L12: the other worker, within a second.
#[test]
fn every_worker_learns_of_it() {
    let shop = Shop::with_logout();
    let other = shop.worker();
    let mut browser = other.guest();
    assert!(is_in(&mut browser));
    shop.tells(&shop.idp.logout_token(|_| {}));
    shop.script.advance(1);
    assert!(!is_in(&mut browser));
}

/// L01 to L05 (Back-Channel Logout §2.4, §2.6): one defect each, and the twin without it.
#[test]
fn a_logout_token_with_a_defect_ends_nothing() {
    type Bend = fn(&mut Value);
    type Defect = (Box<dyn Fn(&mut Value)>, Reason);
    let event = |value: Value| move |claims: &mut Value| claims["events"][EVENT] = value.clone();
    let claims: Vec<Defect> = vec![
        (Box::new(|claims| claims["iss"] = json!("https://idp.example.com/")), LogoutTokenIssuer),
        (Box::new(|claims| drop(claims.as_object_mut().unwrap().remove("iss"))), LogoutTokenClaims),
        (Box::new(|claims| claims["aud"] = json!("other")), LogoutTokenAudience),
        (Box::new(|claims| claims["aud"] = json!([])), LogoutTokenAudience),
        (Box::new(|claims| drop(claims.as_object_mut().unwrap().remove("aud"))), LogoutTokenClaims),
        (Box::new(|claims| drop(claims.as_object_mut().unwrap().remove("iat"))), LogoutTokenClaims),
        (Box::new(|claims| claims["iat"] = json!(claims["iat"].as_u64().unwrap() + 600)), LogoutTokenNotYetValid),
        (Box::new(|claims| claims["iat"] = json!(claims["iat"].as_u64().unwrap() - 3600)), LogoutTokenExpired),
        (Box::new(|claims| claims["exp"] = json!(claims["iat"].as_u64().unwrap() - 60)), LogoutTokenExpired),
        (Box::new(|claims| drop(claims.as_object_mut().unwrap().remove("exp"))), LogoutTokenClaims),
        (Box::new(|claims| drop(claims.as_object_mut().unwrap().remove("jti"))), LogoutTokenClaims),
        (Box::new(|claims| claims["jti"] = json!(7)), LogoutTokenClaims),
        (Box::new(|claims| claims["jti"] = json!("")), LogoutTokenClaims),
        (Box::new(|claims| drop(claims.as_object_mut().unwrap().remove("events"))), LogoutTokenClaims),
        (Box::new(|claims| claims["events"] = json!([EVENT])), LogoutTokenClaims),
        (Box::new(|claims| claims["events"] = json!(EVENT)), LogoutTokenClaims),
        (
            Box::new(|claims| claims["events"] = json!({ "http://schemas.openid.net/event/other": {} })),
            LogoutTokenClaims,
        ),
        (Box::new(event(Value::Null)), LogoutTokenClaims),
        (Box::new(event(json!([]))), LogoutTokenClaims),
        (Box::new(event(json!(true))), LogoutTokenClaims),
        (Box::new(|claims| claims["nonce"] = json!("n")), LogoutTokenClaims),
        (Box::new(|claims| claims["nonce"] = Value::Null), LogoutTokenClaims),
        (
            Box::new(|claims| {
                let members = claims.as_object_mut().unwrap();
                members.remove("sub");
                members.remove("sid");
            }),
            LogoutTokenClaims,
        ),
        (Box::new(|claims| (claims["sub"], claims["sid"]) = (json!(""), json!(""))), LogoutTokenClaims),
        (Box::new(|claims| (claims["sub"], claims["sid"]) = (json!(1), json!(2))), LogoutTokenClaims),
    ];
    for (at, (bend, reason)) in claims.iter().enumerate() {
        let shop = Shop::with_logout();
        let mut browser = shop.guest();
        let answer = shop.tells(&shop.idp.logout_token(bend));
        assert_eq!((answer.reason(), answer.status()), (Some(*reason), 400), "{at}");
        assert!(is_in(&mut browser), "{at}");
        assert_eq!(shop.tells(&shop.idp.logout_token(|_| {})).reason(), Some(LogoutTold));
        assert!(!is_in(&mut browser), "{at}: the twin");
    }
    let headers: [(Bend, Reason); 5] = [
        (|header| header["alg"] = json!("none"), LogoutTokenAlgorithm),
        (|header| header["alg"] = json!("HS256"), LogoutTokenAlgorithm),
        (|header| header["typ"] = json!("at+jwt"), LogoutTokenType),
        (|header| header["typ"] = json!("secevent+jwt"), LogoutTokenType),
        (|header| header["kid"] = json!("two"), LogoutTokenKeyUnknown),
    ];
    for (at, (bend, reason)) in headers.into_iter().enumerate() {
        let shop = Shop::with_logout();
        let mut browser = shop.guest();
        assert_eq!(shop.tells(&shop.idp.logout_token_with(bend, |_| {})).reason(), Some(reason), "{at}");
        assert!(is_in(&mut browser));
    }
}

/// L01: signed by somebody else under a known name; an ID token in place of a logout token.
#[test]
fn what_the_provider_did_not_sign_for_this_ends_nothing() {
    let shop = Shop::with_logout();
    let mut browser = shop.guest();
    let good = shop.idp.logout_token(|_| {});
    let cut = good.rsplit_once('.').unwrap().0;
    assert_eq!(shop.tells(&format!("{cut}.{}", "A".repeat(86))).reason(), Some(LogoutTokenSignature));
    let id_token = shop.idp.secrets().into_iter().find(|secret| secret.starts_with("ey")).unwrap();
    assert_eq!(shop.tells(&id_token).reason(), Some(LogoutTokenClaims));
    assert!(is_in(&mut browser));
    assert_eq!(shop.tells(&good).reason(), Some(LogoutTold));
}

/// L7, idps: older providers write `JWT` or nothing, and leave `exp` out; a switch each.
#[test]
fn older_forms_are_taken_where_that_is_configured() {
    let (lax, strict) = (Shop::with_logout(), back(|logout| logout["require_type"] = json!(true)));
    for typ in [json!("JWT"), json!("application/logout+jwt"), Value::Null] {
        let bend = |header: &mut Value| match &typ {
            Value::Null => drop(header.as_object_mut().unwrap().remove("typ")),
            typ => header["typ"] = typ.clone(),
        };
        assert_eq!(lax.tells(&lax.idp.logout_token_with(bend, |_| {})).reason(), Some(LogoutTold), "{typ}");
        let expected = if typ == "application/logout+jwt" { LogoutTold } else { LogoutTokenType };
        assert_eq!(strict.tells(&strict.idp.logout_token_with(bend, |_| {})).reason(), Some(expected), "{typ}");
    }
    let older = back(|logout| logout["require_exp"] = json!(false));
    let without = |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove("exp"));
    assert_eq!(older.tells(&older.idp.logout_token(without)).reason(), Some(LogoutTold));
    let token = older.idp.logout_token(without);
    older.script.advance(3600);
    assert_eq!(older.tells(&token).reason(), Some(LogoutTokenExpired), "an hour old");
}

/// L06: the second time it is refused, at the other worker too, and a session that began since stays.
#[test]
fn a_logout_token_counts_once() {
    let shop = Shop::with_logout();
    let other = shop.worker();
    let token = shop.idp.logout_token(|_| {});
    assert_eq!(shop.tells(&token).reason(), Some(LogoutTold));
    assert_eq!(shop.tells(&token).reason(), Some(LogoutTokenReplayed));
    shop.script.advance(1);
    let mut later = shop.guest();
    assert_eq!(other.tells(&token).reason(), Some(LogoutTokenReplayed));
    assert!(is_in(&mut later));
}

/// L07, L09: an unknown session is 200, and what nobody knows does no harm.
#[test]
fn unknown_sessions_and_further_fields_are_taken() {
    let shop = Shop::with_logout();
    let token = shop.idp.logout_token(|claims| {
        claims["sid"] = json!("../a b\"c{}%");
        claims["more"] = json!({ "a": [1] });
    });
    let answer = shop.decide(&told(&format!("x=1&logout_token={token}&state=y&x=2")));
    assert_eq!(answer.reason(), Some(LogoutTold));
}

/// L08.
#[test]
fn the_back_channel_takes_one_form_by_post() {
    let shop = Shop::with_logout();
    let mut browser = shop.guest();
    let token = shop.idp.logout_token(|_| {});
    for method in ["GET", "PUT", "HEAD", "DELETE"] {
        let answer = shop.decide(&told(&format!("logout_token={token}")).method(method));
        assert_eq!(
            (answer.reason(), answer.header("allow").as_deref()),
            (Some(MethodNotAllowed), Some("POST")),
            "{method}"
        );
    }
    let mut json_body = told(&json!({ "logout_token": token }).to_string()).without("content-type");
    json_body = json_body.with("content-type", "application/json");
    let mut in_query = told("");
    in_query.path = format!("/oauth/back?logout_token={token}");
    for (at, request) in [
        told(""),
        told("logout_token="),
        told(&format!("logout_token={token}&logout_token={token}")),
        told(&format!("logout_token={token}&x={}", "x".repeat(1024 * 1024))),
        told("logout_token=%"),
        json_body,
        in_query,
    ]
    .iter()
    .enumerate()
    {
        let answer = shop.decide(request);
        assert_eq!((answer.reason(), answer.status()), (Some(LogoutTokenMalformed), 400), "{at}");
    }
    let unread = shop.decide_unread(&told(&format!("logout_token={token}")));
    assert_eq!((unread.reason(), unread.status()), (Some(BodyUnreadable), 501));
    assert!(is_in(&mut browser));
    assert_eq!(shop.tells(&token).reason(), Some(LogoutTold));
}

/// L10 of the attacks: without keys nothing can be said, and the provider is to ask again.
#[test]
fn without_keys_the_provider_is_asked_to_come_again() {
    let shop = Shop::with_logout();
    let token = shop.idp.logout_token(|_| {});
    shop.idp.replies(Endpoint::Jwks, Reply::nothing());
    let answer = shop.tells(&token);
    assert_eq!((answer.reason(), answer.status()), (Some(JwksUnavailable), 503));
    shop.idp.recovers();
    shop.script.advance(5);
    assert_eq!(shop.tells(&token).reason(), Some(LogoutTold));
}

/// Strangers that name unknown keys make nobody ask the provider more often than access tokens do (K09).
#[test]
fn strangers_do_not_make_us_look_for_keys_again_and_again() {
    let shop = Shop::with_logout();
    shop.guest();
    let before = shop.calls(Endpoint::Jwks);
    for _ in 0..20 {
        let token = shop.idp.logout_token_with(|header| header["kid"] = json!("two"), |_| {});
        assert_eq!(shop.tells(&token).reason(), Some(LogoutTokenKeyUnknown));
    }
    assert!(shop.calls(Endpoint::Jwks) <= before + 1);
}

/// L9 (§2.8): what could not be written down for all is not acknowledged.
#[test]
fn what_was_not_recorded_is_not_acknowledged() {
    let shop = Shop::with_logout();
    let token = shop.idp.logout_token(|_| {});
    shop.guest();
    shop.script.outrun(10_000);
    let answer = shop.tells(&token);
    assert_eq!((answer.reason(), answer.status()), (Some(RevocationUnrecorded), 503));
    shop.script.outrun(0);
    assert_eq!(shop.tells(&token).reason(), Some(LogoutTold), "asked again it goes well");
}

/// L11: the same `sid` and `sub` at another issuer.
#[test]
fn one_provider_ends_no_session_of_another() {
    let shop = Shop::with_logout();
    let mut browser = shop.guest();
    let other = shop.reconfigured(|config| config["providers"]["main"]["issuer"] = json!("https://idp.example.com/b"));
    // Marks hold the issuer: what the other one ends is not what this one has.
    let answer = other.decide(&front(&pair("https://idp.example.com/b", "sid-1")));
    assert_eq!(answer.reason(), Some(LogoutHeard));
    shop.script.advance(1);
    assert!(is_in(&mut browser));
    shop.decide(&front(&pair(ISSUER, "sid-1")));
    assert!(!is_in(&mut browser));
}

/// L20, L4, L5: in a cross-site iframe without cookies; the provider may frame it, and is not asked anything.
#[test]
fn the_front_channel_ends_the_session_that_is_named() {
    let shop = Shop::with_logout();
    let mut browser = shop.guest();
    let calls = shop.script.calls();
    let answer = browser.send(&front(&pair(ISSUER, "sid-1")));
    assert_eq!((answer.reason(), answer.status()), (Some(LogoutHeard), 200));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.ends_with("frame-ancestors https://idp.example.com"), "{policy}");
    assert_eq!(answer.header("x-frame-options"), None);
    assert_eq!(answer.header("content-type").as_deref(), Some("text/html; charset=utf-8"));
    assert!(!is_in(&mut browser));
    // L14.
    shop.script.settle();
    assert_eq!(shop.script.calls(), calls);
}

/// L13, L20: anything else ends nothing, and is answered alike.
#[test]
fn what_names_no_session_of_ours_ends_nothing() {
    let shop = Shop::with_logout();
    let mut browser = shop.guest();
    let amp = format!("iss={}&amp;sid=sid-1", encoded(ISSUER));
    for query in [
        String::new(),
        format!("iss={}", encoded(ISSUER)),
        "sid=sid-1".to_owned(),
        pair("https://evil.example", "sid-1"),
        pair(ISSUER, "sid-2"),
        pair(ISSUER, ""),
        format!("{}&sid=sid-1", pair(ISSUER, "sid-1")),
        format!("{}&iss=x", pair(ISSUER, "sid-1")),
        pair(ISSUER, &"x".repeat(5000)),
        amp.clone(),
        amp.replace("iss", "amp;iss"),
        "%".to_owned(),
    ] {
        let mut request = front(&query);
        // Cookies that do come along change nothing.
        request.cross_site = false;
        let answer = browser.send(&request);
        assert_eq!((answer.reason(), answer.status()), (Some(LogoutHeard), 200), "{query}");
        assert!(answer.all("set-cookie").is_empty(), "{query}");
        assert!(is_in(&mut browser), "{query}");
    }
    let mut request = front(&pair(ISSUER, "sid-1"));
    request.cross_site = false;
    assert!(!browser.send(&request).all("set-cookie").is_empty(), "cookies that belong to it are deleted");
    assert!(browser.session_cookies().is_empty());
    let answer = shop.decide(&front(&pair(ISSUER, "sid-1")).method("POST"));
    assert_eq!((answer.reason(), answer.header("allow").as_deref()), (Some(MethodNotAllowed), Some("GET, HEAD")));
}
