//! Access tokens that were revoked here (`revocation.tokens`).

use crate::support::*;
use Reason::*;

/// The watermark: what was issued by then is revoked, what was issued later stays.
#[test]
fn tokens_that_were_issued_later_are_good() {
    let shop = Shop::with_operator();
    let before = shop.idp.jwt(|_| {});
    shop.operates("action=revoke&sub=u-1");
    shop.script.advance(1);
    let after = shop.idp.jwt(|_| {});
    assert_eq!(shop.decide(&background("/api").bearer(&before)).reason(), Some(AccessTokenRevoked));
    assert_eq!(shop.decide(&background("/api").bearer(&after)).reason(), None);
}

/// One that does not say when it was issued may be as old as any.
#[test]
fn a_token_without_a_time_counts_as_old() {
    let shop = Shop::with_operator();
    shop.operates("action=revoke&sub=u-1");
    shop.script.advance(10);
    let silent = shop.idp.jwt(|claims| drop(claims.as_object_mut().unwrap().remove("iat")));
    assert_eq!(shop.decide(&background("/api").bearer(&silent)).reason(), Some(AccessTokenRevoked));
    let other = shop.idp.jwt(|claims| {
        claims["sub"] = json!("u-2");
        claims.as_object_mut().unwrap().remove("iat");
    });
    assert_eq!(shop.decide(&background("/api").bearer(&other)).reason(), None);
}

#[test]
fn opaque_tokens_are_looked_up_by_what_introspection_says() {
    let shop = Shop::with_operator();
    let token = shop.idp.opaque(|said| said["jti"] = json!("jti-7"));
    assert_eq!(shop.decide(&background("/api").bearer(&token)).reason(), None);
    shop.operates("action=revoke&jti=jti-7");
    assert_eq!(shop.decide(&background("/api").bearer(&token)).reason(), Some(AccessTokenRevoked));
}

#[test]
fn a_token_for_userinfo_is_looked_up_by_its_subject() {
    let shop = Shop::with_operator().reconfigured(|config| config["rules"][0]["methods"] = json!(["userinfo"]));
    let token = shop.idp.opaque(|_| {});
    assert_eq!(shop.decide(&background("/api").bearer(&token)).reason(), None);
    shop.operates("action=revoke&sub=u-1");
    assert_eq!(shop.decide(&background("/api").bearer(&token)).reason(), Some(AccessTokenRevoked));
}

/// Without the key, tokens live by their own times alone.
#[test]
fn tokens_are_looked_up_only_where_that_is_configured() {
    let shop = Shop::with_operator().reconfigured(|config| config["revocation"]["tokens"] = json!(false));
    let token = shop.idp.jwt(|_| {});
    shop.operates("action=revoke&sub=u-1");
    assert_eq!(shop.decide(&background("/api").bearer(&token)).reason(), None);
}

/// The other worker, within a second; a token that it had verified before.
#[test]
fn every_worker_refuses_it() {
    let shop = Shop::with_operator();
    let other = shop.worker();
    let token = shop.idp.jwt(|_| {});
    assert_eq!(other.decide(&background("/api").bearer(&token)).reason(), None);
    shop.operates("action=revoke&jti=jti-0");
    shop.script.advance(1);
    assert_eq!(other.decide(&background("/api").bearer(&token)).reason(), Some(AccessTokenRevoked));
}
