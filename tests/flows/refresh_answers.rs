//! What a refresh answer may change, and what it must not (attacks S21 to S23; OIDC Core §12.2; conformance F1, 13.4).

use crate::support::*;
use Reason::*;

/// What a script gets whose session is renewed by this answer, with the shop.
fn renewed_by(prepare: impl Fn(&Shop)) -> (Shop, Answer) {
    renewed_in(|_| {}, prepare)
}

fn renewed_in(change: impl FnOnce(&mut Value), prepare: impl Fn(&Shop)) -> (Shop, Answer) {
    let shop = Shop::with(change);
    shop.idp.rotates_refresh_tokens();
    shop.idp.claims(at_login);
    let answer = {
        let mut guest = shop.guest();
        shop.script.advance(300);
        prepare(&shop);
        let answer = guest.send(&background("/"));
        assert_eq!(guest.session_cookies().is_empty(), answer.reason() == Some(RefreshInvalid));
        answer
    };
    (shop, answer)
}

const AUTH_TIME: u64 = 1_799_999_000;

fn at_login(claims: &mut Value) {
    claims["azp"] = json!("shop");
    claims["auth_time"] = json!(AUTH_TIME);
    claims["sid"] = json!("s-1");
}

/// S21, each with the rest as it should be; the last is the twin.
#[test]
fn an_id_token_of_another_login_ends_the_session() {
    let bends: [fn(&mut Value); 12] = [
        |claims| claims["sub"] = json!("u-2"),
        |claims| claims["iss"] = json!("https://evil.example"),
        |claims| claims["iss"] = json!("https://idp.example.com/"),
        |claims| claims["aud"] = json!("other"),
        |claims| claims["aud"] = json!(["shop", "other"]),
        |claims| claims["azp"] = json!("other"),
        |claims| claims["auth_time"] = json!(AUTH_TIME + 1),
        |claims| claims["nonce"] = json!("foreign"),
        |claims| claims["iat"] = json!(AUTH_TIME),
        |claims| claims["at_hash"] = json!("other"),
        |claims| claims["sub"] = json!(7),
        |_| {},
    ];
    let last = bends.len() - 1;
    for (at, bend) in bends.into_iter().enumerate() {
        let (shop, answer) = renewed_by(|shop| {
            shop.idp.claims(move |claims| {
                at_login(claims);
                bend(claims);
            });
        });
        assert_eq!(answer.reason(), (at < last).then_some(RefreshInvalid), "{at}");
        assert_eq!(shop.calls(Endpoint::Token), 2, "{at}");
    }
}

/// Suite: no claim of an answer that fails, no userinfo call with its token (conformance 13.4).
#[test]
fn an_answer_that_fails_is_dropped_before_userinfo_is_asked() {
    let userinfo = |config: &mut Value| config["defaults"]["login"]["userinfo"] = json!(true);
    let (shop, answer) = renewed_in(userinfo, |shop| shop.idp.logs_in("u-2", "mallory"));
    assert_eq!((answer.reason(), shop.calls(Endpoint::Userinfo)), (Some(RefreshInvalid), 1));
    let (shop, answer) = renewed_in(userinfo, |shop| shop.idp.logs_in("u-1", "alice2"));
    answer.assert_served_to("alice2");
    assert_eq!(shop.calls(Endpoint::Userinfo), 2);
}

/// Members of the ID token that a refresh may leave out.
#[test]
fn an_id_token_may_leave_out_what_the_login_s_said() {
    for name in ["nonce", "azp", "auth_time", "sid", "at_hash"] {
        let (_, answer) = renewed_by(|shop| {
            shop.idp.claims(move |claims| {
                at_login(claims);
                claims.as_object_mut().unwrap().remove(name);
            });
        });
        answer.assert_served_to("alice");
    }
}

/// S22: without a refresh token the old one is kept, without an ID token the old claims.
#[test]
fn what_is_absent_stays_as_it_was() {
    for member in ["refresh_token", "id_token", "scope"] {
        let shop = Shop::new();
        shop.idp.gives_refresh_tokens();
        let mut guest = shop.guest();
        shop.idp.logs_in("u-1", if member == "id_token" { "renamed" } else { "alice" });
        shop.idp.tokens(move |answer| drop(answer.as_object_mut().unwrap().remove(member)));
        for renewed in 1..=3 {
            shop.script.advance(300);
            guest.get("/").assert_served_to("alice");
            assert_eq!(shop.calls(Endpoint::Token), 1 + renewed, "{member}");
        }
    }
}

/// RFC 6749 appendix A.17: a refresh token may have any printable character, a space too. Those of the conformance suite do.
#[test]
fn a_refresh_token_goes_back_as_it_came() {
    for (token, sent) in [("rt-0 1", "rt-0+1"), (" rt ", "+rt+"), ("+=\"\\~ ,", "%2B%3D%22%5C%7E+%2C"), ("rt", "rt")] {
        let shop = Shop::new();
        shop.idp.tokens(move |answer| answer["refresh_token"] = json!(token));
        let mut guest = shop.guest();
        shop.script.advance(300);
        guest.send(&background("/"));
        let asked = shop.script.asked();
        let body = asked.last().unwrap().body.expose_text().unwrap();
        assert_eq!(body, format!("grant_type=refresh_token&refresh_token={sent}"));
    }
}

/// S23: a life that makes no sense is the assumed one, and nobody asks in circles.
#[test]
fn an_absent_or_senseless_life_is_assumed() {
    for expires_in in [json!(null), json!(0), json!(-5), json!(1e18), json!("soon"), json!(1.0e-3)] {
        let shop = Shop::with(|config| config["session"]["refresh"] = json!({ "assumed_lifetime": "100s" }));
        shop.idp.gives_refresh_tokens();
        shop.idp.tokens(move |answer| answer["expires_in"] = expires_in.clone());
        let mut guest = shop.guest();
        for second in 0..100 {
            assert!(!guest.get("/").service("authorization").is_empty());
            // Half of the life at the latest, which is less than `before`.
            assert_eq!(shop.calls(Endpoint::Token), if second < 50 { 1 } else { 2 }, "after {second} s");
            shop.script.advance(1);
        }
    }
}

/// A token that lives shorter than `before` is not renewed at each request (traefikoidc#67).
#[test]
fn a_short_life_makes_no_storm() {
    let shop = Shop::new();
    shop.idp.gives_refresh_tokens();
    shop.idp.tokens(|answer| answer["expires_in"] = json!(10));
    let mut guest = shop.guest();
    for _ in 0..50 {
        guest.get("/").assert_served_to("alice");
    }
    assert_eq!(shop.calls(Endpoint::Token), 1);
    shop.script.advance(5);
    guest.get("/").assert_served_to("alice");
    assert_eq!(shop.calls(Endpoint::Token), 2);
}

/// Whoever lost a group is out with the next refresh; so is whoever lost a scope. And keeps the session.
#[test]
fn refreshed_claims_take_effect_at_once() {
    let staff = |config: &mut Value| {
        config["rules"][3]["require"] = json!({ "groups": { "claim": ["groups"], "any_of": ["staff"] } });
    };
    let shop = Shop::with(staff);
    shop.idp.rotates_refresh_tokens();
    shop.idp.knows(json!({ "sub": "u-1", "preferred_username": "alice", "groups": ["staff"] }));
    let mut guest = shop.guest();
    shop.idp.knows(json!({ "sub": "u-1", "preferred_username": "alice" }));
    shop.script.advance(200);
    guest.get("/").assert_served_to("alice");
    shop.script.advance(100);
    let before = guest.session();
    let answer = guest.get("/");
    assert_eq!(answer.reason(), Some(GroupMissing));
    assert_ne!(guest.session(), before, "the new tokens are the browser's all the same");
    shop.idp.knows(json!({ "sub": "u-1", "preferred_username": "alice", "groups": ["staff"] }));
    shop.script.advance(300);
    guest.get("/").assert_served_to("alice");
}

#[test]
fn a_narrower_scope_is_honoured() {
    let email = |config: &mut Value| config["rules"][3]["require"] = json!({ "scope": ["email"] });
    let (_, answer) = renewed_in(email, |shop| shop.idp.tokens(|answer| answer["scope"] = json!("openid")));
    assert_eq!(answer.reason(), Some(ScopeMissing));
    let (_, answer) = renewed_in(email, |shop| shop.idp.tokens(|answer| answer["scope"] = json!("openid email")));
    answer.assert_served_to("alice");
}

/// The refresh token is spent when userinfo is asked: its bad day costs no session. Another user's answer does.
#[test]
fn userinfo_is_asked_again_and_may_be_away() {
    let userinfo = |config: &mut Value| config["defaults"]["login"]["userinfo"] = json!(true);
    for (reply, reason) in [
        (Reply::nothing(), None),
        (Reply::of(500, "text/html", "oops"), None),
        (Reply::json(200, &json!({ "sub": "u-2" })), Some(RefreshInvalid)),
        (Reply::json(401, &json!({ "error": "invalid_token" })), Some(RefreshInvalid)),
    ] {
        let (_, answer) = renewed_in(userinfo, |shop| shop.idp.replies(Endpoint::Userinfo, reply.clone()));
        assert_eq!(answer.reason(), reason, "{reply:?}");
    }
}
