//! Every check of the ID token, through a whole login (OIDC Core §3.1.3.7, §3.1.3.8; conformance I1, I2; attacks J).

use crate::support::*;
use Reason::*;

/// What a login comes to when the claims of its ID token are bent. The defect mended, the same browser logs in.
fn with_claims(bend: impl Fn(&mut Value) + 'static) -> Option<Reason> {
    let shop = Shop::new();
    shop.idp.claims(bend);
    outcome(&shop, |idp| idp.claims(|_| {}))
}

fn with_header(bend: impl Fn(&mut Value) + 'static) -> Option<Reason> {
    let shop = Shop::new();
    shop.idp.header(bend);
    outcome(&shop, |idp| idp.header(|_| {}))
}

fn with_token(bend: impl Fn(String) -> String + 'static) -> Option<Reason> {
    let shop = Shop::new();
    shop.idp.id_token(bend);
    outcome(&shop, |idp| idp.id_token(|token| token))
}

fn outcome(shop: &Shop, mend: impl Fn(&Idp)) -> Option<Reason> {
    let mut browser = shop.browser();
    let reason = browser.open("/").reason();
    if reason.is_some() {
        assert_eq!(browser.cookies(), [""; 0], "nothing is left of a failed login");
        assert_eq!(shop.calls(Endpoint::Userinfo), 0);
    }
    mend(&shop.idp);
    browser.open("/").assert_served_to("alice");
    reason
}

/// Sets a claim, or takes it out where the value is null.
fn claim(name: &'static str, value: Value) -> Option<Reason> {
    with_claims(move |claims| {
        claims[name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
    })
}

fn later(name: &'static str, seconds: i64) -> Option<Reason> {
    with_claims(move |claims| claims[name] = json!(claims["iat"].as_i64().unwrap() + seconds))
}

/// J33: byte for byte.
#[test]
fn iss_is_the_issuer() {
    for iss in
        ["https://idp.example.com/", "https://IDP.example.com", "https://idp.example", "https://evil.example", ""]
    {
        assert_eq!(claim("iss", json!(iss)), Some(IdTokenIssuer), "{iss}");
    }
    for iss in [Value::Null, json!([ISSUER]), json!(1)] {
        assert_eq!(claim("iss", iss.clone()), Some(IdTokenClaims), "{iss}");
    }
}

/// J34 to J38, fapi2 secondary-aud, Core §3.1.3.7, 3 to 5.
#[test]
fn aud_and_azp_name_us_alone() {
    for aud in [json!("shop"), json!(["shop"])] {
        assert_eq!(claim("aud", aud.clone()), None, "{aud}");
    }
    for aud in [json!("other"), json!("sho"), json!("shop2"), json!("SHOP"), json!(["other"]), json!(["shop", "other"])]
    {
        assert_eq!(claim("aud", aud.clone()), Some(IdTokenAudience), "{aud}");
    }
    for aud in [Value::Null, json!(1), json!([1]), json!([["shop"]]), json!({ "shop": 1 })] {
        assert_eq!(claim("aud", aud.clone()), Some(IdTokenClaims), "{aud}");
    }
    for aud in [json!(""), json!([])] {
        let reason = claim("aud", aud.clone());
        assert!(reason == Some(IdTokenAudience) || reason == Some(IdTokenClaims), "{aud} {reason:?}");
    }
    assert_eq!(claim("azp", json!("shop")), None);
    assert_eq!(claim("azp", json!("other")), Some(IdTokenAudience));
    for azp in [json!(["shop"]), json!(1)] {
        assert_eq!(claim("azp", azp.clone()), Some(IdTokenClaims), "{azp}");
    }
    assert!(with_claims(|claims| claims["azp"] = Value::Null).is_some());
}

/// J37: further audiences are trusted by name, and then `azp` must say that it is us.
#[test]
fn a_trusted_audience_needs_azp() {
    for (azp, reason) in [(None, Some(IdTokenAudience)), (Some("other"), Some(IdTokenAudience)), (Some("shop"), None)] {
        let shop = Shop::with(|config| config["providers"]["main"]["trusted_audiences"] = json!(["api"]));
        shop.idp.claims(move |claims| {
            claims["aud"] = json!(["api", "shop"]);
            if let Some(azp) = azp {
                claims["azp"] = json!(azp);
            }
        });
        assert_eq!(outcome(&shop, |idp| idp.claims(|_| {})), reason, "{azp:?}");
    }
}

/// J26 to J32: times are numbers; the skew is 30 s.
#[test]
fn times_are_judged_as_numbers_with_the_skew() {
    assert_eq!(later("exp", -31), Some(IdTokenExpired));
    assert_eq!(later("exp", -360), Some(IdTokenExpired));
    assert_eq!(later("exp", -28), None);
    assert_eq!(later("iat", 61), Some(IdTokenNotYetValid));
    assert_eq!(later("nbf", 61), Some(IdTokenNotYetValid));
    assert_eq!(later("iat", 5), None);
    assert_eq!(later("nbf", 5), None);
    assert_eq!(with_claims(|claims| claims["exp"] = json!(claims["exp"].as_f64().unwrap() + 0.5)), None);
    for name in ["exp", "iat"] {
        assert_eq!(claim(name, Value::Null), Some(IdTokenClaims), "{name} is required");
    }
    for name in ["exp", "iat", "nbf"] {
        for value in [json!("9999999999"), json!(true), json!([]), json!({})] {
            assert_eq!(claim(name, value.clone()), Some(IdTokenClaims), "{name} {value}");
        }
    }
    for value in [json!(1e300), json!(1e19), json!(-1), json!(0)] {
        let reason = claim("exp", value.clone());
        assert!(reason == Some(IdTokenClaims) || reason == Some(IdTokenExpired), "{value} {reason:?}");
    }
}

/// S25: clocks 90 s apart are told, not sent round.
#[test]
fn clocks_that_are_too_far_apart_end_the_login_once() {
    for seconds in [90, -90_i64] {
        let shop = Shop::new();
        shop.idp.claims(move |claims| {
            for name in ["iat", "exp"] {
                claims[name] = json!(claims[name].as_i64().unwrap() + seconds);
            }
            claims["nbf"] = claims["iat"].clone();
        });
        let mut browser = shop.browser();
        let reason = browser.open("/").reason();
        assert_eq!(reason, (seconds > 0).then_some(IdTokenNotYetValid), "{seconds}");
        assert!(browser.steps.len() <= 2);
    }
}

/// J39, Core §2.
#[test]
fn sub_is_printable_text_of_at_most_255() {
    for sub in
        [json!(""), json!(7), json!(["u"]), json!({}), json!("u".repeat(256)), json!("a\nb"), json!("é"), Value::Null]
    {
        assert_eq!(claim("sub", sub.clone()), Some(IdTokenClaims), "{sub}");
    }
    assert_eq!(claim("sub", json!("u".repeat(255))), None);
    assert_eq!(claim("sub", json!("auth0|5f7c/..;\"<")), None);
}

/// C22, Core §3.1.3.7, 11.
#[test]
fn nonce_is_the_one_that_was_sent() {
    for nonce in [Value::Null, json!(""), json!("other"), json!(1), json!([]), json!("A")] {
        assert_eq!(claim("nonce", nonce.clone()), Some(NonceMismatch), "{nonce}");
    }
    let doubled = |claims: &mut Value| claims["nonce"] = json!(claims["nonce"].as_str().unwrap().repeat(2));
    assert_eq!(with_claims(doubled), Some(NonceMismatch));
    let listed = |claims: &mut Value| claims["nonce"] = json!([claims["nonce"]]);
    assert_eq!(with_claims(listed), Some(NonceMismatch));
}

/// C22: the nonce of this browser's other tab.
#[test]
fn another_tab_s_nonce_is_not_ours() {
    let shop = Shop::new();
    let mut browser = shop.browser();
    browser.until_callback("/one");
    let second = browser.until_callback("/two");
    let first = shop.idp.asked()[0]["nonce"].clone();
    shop.idp.claims(move |claims| claims["nonce"] = json!(first));
    assert_eq!(browser.send(&second).reason(), Some(NonceMismatch));
}

/// J55, Core §3.1.3.8: right where it is, and it may be missing.
#[test]
fn at_hash_fits_the_access_token_or_is_absent() {
    assert_eq!(claim("at_hash", Value::Null), None);
    for hash in [json!("x"), json!(""), json!(1), json!("A".repeat(43))] {
        assert_eq!(claim("at_hash", hash.clone()), Some(AccessTokenHash), "{hash}");
    }
}

/// J01, J02, J05.
#[test]
fn the_algorithm_is_one_that_is_expected() {
    for alg in ["none", "None", "NONE", "", "HS256", "XS256"] {
        let reason = with_header(move |header| header["alg"] = json!(alg));
        assert!(reason == Some(IdTokenAlgorithm) || reason == Some(IdTokenMalformed), "{alg} {reason:?}");
    }
    for alg in [Value::Null, json!(1), json!(["ES256"])] {
        assert_eq!(with_header(move |header| header["alg"] = alg.clone()), Some(IdTokenMalformed));
    }
    // A published key of another algorithm than the registered one.
    for (registered, reason) in [("RS256", Some(IdTokenAlgorithm)), ("ES256", None)] {
        let shop = Shop::with(|config| {
            config["providers"]["main"]["client"]["id_token_signed_response_alg"] = json!(registered);
        });
        assert_eq!(shop.browser().open("/").reason(), reason, "{registered}");
    }
}

/// RFC 8725 §3.11: tokens of other kinds by their `typ`.
#[test]
fn a_token_of_another_kind_is_no_id_token() {
    for typ in ["at+jwt", "application/at+jwt", "logout+jwt", "dpop+jwt", "token-introspection+jwt"] {
        assert_eq!(with_header(move |header| header["typ"] = json!(typ)), Some(IdTokenType), "{typ}");
    }
    for typ in ["JWT", "jwt"] {
        assert_eq!(with_header(move |header| header["typ"] = json!(typ)), None, "{typ}");
    }
}

/// J10 to J12, J20 to J24.
#[test]
fn the_serialization_is_strict() {
    for crit in [json!(["x"]), json!([]), json!(null), json!("exp"), json!([1]), json!(["alg"]), json!(["b64"])] {
        let bent = crit.clone();
        let reason = with_header(move |header| {
            header["crit"] = bent.clone();
            header["x"] = json!(1);
            header["b64"] = json!(true);
        });
        assert_eq!(reason, Some(IdTokenMalformed), "{crit}");
    }
    let bends: [fn(String) -> String; 10] = [
        |token| format!("{token}="),
        |token| format!("{token}."),
        |token| format!(".{token}"),
        |token| format!("{token}.x"),
        |token| token.replacen('.', "..", 1),
        |token| token.rsplit_once('.').unwrap().0.to_owned(),
        |_| "...".to_owned(),
        |_| "x".to_owned(),
        |token| token.replacen('e', "+", 1),
        |token| format!("{{\"payload\":\"{}\"}}", token.len()),
    ];
    for (at, bend) in bends.into_iter().enumerate() {
        let reason = with_token(bend);
        assert!(reason == Some(IdTokenMalformed), "{at}: {reason:?}");
    }
}

/// J14: signatures that are none.
#[test]
fn a_signature_that_is_bent_in_any_way_is_wrong() {
    let bends: [fn(&str) -> String; 5] = [
        |signature| signature[..signature.len() - 4].to_owned(),
        |signature| signature.repeat(2),
        |signature| "A".repeat(signature.len()),
        |signature| {
            if signature.starts_with('A') { signature.replacen('A', "B", 1) } else { format!("A{}", &signature[1..]) }
        },
        |_| "AA".to_owned(),
    ];
    for (at, bend) in bends.into_iter().enumerate() {
        let reason = with_token(move |token| {
            let (message, signature) = token.rsplit_once('.').unwrap();
            format!("{message}.{}", bend(signature))
        });
        assert_eq!(reason, Some(IdTokenSignature), "{at}");
    }
    let empty = with_token(|token| format!("{}.", token.rsplit_once('.').unwrap().0));
    assert_eq!(empty, Some(IdTokenMalformed));
}

/// J06 to J08 (CVE-2018-0114): keys that the token brings along are nobody's.
#[test]
fn keys_in_the_header_are_not_used() {
    for member in ["jwk", "jku", "x5u", "x5c"] {
        let shop = Shop::new();
        let attacker = Signer::p256("one", 9);
        let jwk = attacker.jwk();
        shop.idp.signs_with(attacker);
        shop.idp.header(move |header| {
            header[member] = if member == "jwk" { jwk.clone() } else { json!("https://evil.example/keys") };
        });
        assert_eq!(shop.browser().open("/").reason(), Some(IdTokenSignature), "{member}");
        assert!(shop.script.asked().iter().all(|call| call.authority == "idp.example.com"));
    }
}

/// J09: a `kid` is a name to compare, and nothing else.
#[test]
fn a_strange_kid_is_an_unknown_key() {
    for kid in ["../../dev/null", "' OR 1=1 --", "\u{1f511}", &"k".repeat(4_000), "a\0b"] {
        let kid = kid.to_owned();
        let reason = with_header(move |header| header["kid"] = json!(kid));
        assert!(matches!(reason, Some(IdTokenKeyUnknown | IdTokenMalformed)), "{reason:?}");
    }
    for kid in [json!(1), json!({}), json!(null)] {
        assert_eq!(with_header(move |header| header["kid"] = kid.clone()), Some(IdTokenMalformed));
    }
}
