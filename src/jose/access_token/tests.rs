use super::*;
use crate::jose::testing::{NO_CRYPTO, NOW, all_keys, ec_jwk, header, token};
use crate::words::json;
use Algorithm::{EdDsa, Es256, Hs256};

/// Claims that RFC 9068 §2.2 wants, with `more` added.
fn claims(more: &str) -> String {
    let now = NOW.as_secs();
    format!(r#"{{"iss":"https://idp.example","sub":"alice","aud":"api","exp":{},"iat":{now}{more}}}"#, now + 300)
}

fn judged(token: &str) -> Result<(VerifiedJwt, Rc<PublicKey>), JwtError> {
    let expected = ExpectedAccessToken { algorithms: &[EdDsa, Es256, Hs256], now: NOW, skew: Duration::from_secs(60) };
    judge_access_token(Untrusted::parse(token)?, &expected)?.prove(&NO_CRYPTO, &all_keys())
}

fn typed(typ: &str, more: &str) -> Option<JwtError> {
    let header = format!(r#"{{"alg":"EdDSA","kid":"ed","typ":"{typ}"}}"#);
    judged(&token(EdDsa, &header, &claims(more))).err()
}

// J41, J42, J43 (RFC 8725 §3.11, RFC 9701 §8.1)
#[test]
fn another_kind_of_token_by_its_header_is_no_access_token() {
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "JWT", "vendor+jwt"] {
        assert_eq!(typed(typ, ""), None, "{typ}");
    }
    for typ in [
        "id_token",
        "logout+jwt",
        "Application/Logout+JWT",
        "dpop+jwt",
        "token-introspection+jwt",
        "secevent+jwt",
        "oauth-authz-req+jwt",
    ] {
        assert_eq!(typed(typ, ""), Some(JwtError::Type), "{typ}");
    }
}

// J40, J41, J43 (RFC 9068 §5, RFC 8725 §3.12): marks count under whatever `typ`.
#[test]
fn another_kind_of_token_by_its_claims_is_no_access_token() {
    for mark in [
        r#""at_hash":"x""#,
        r#""c_hash":"x""#,
        r#""token_use":"id""#,
        r#""typ":"ID""#,
        r#""typ":"Refresh""#,
        r#""typ":"Offline""#,
        r#""events":{"http://schemas.openid.net/event/backchannel-logout":{}}"#,
        r#""token_introspection":{"active":true}"#,
        r#""response_type":"code""#,
        r#""code":"c","state":"s""#,
    ] {
        for typ in ["at+jwt", "JWT"] {
            assert_eq!(typed(typ, &format!(",{mark}")), Some(JwtError::Type), "{typ} {mark}");
        }
    }
    for harmless in [r#""token_use":"access""#, r#""typ":"Bearer""#, r#""state":"s""#, r#""code":"c""#] {
        assert_eq!(typed("JWT", &format!(",{harmless}")), None, "{harmless}");
    }
}

// J40: an ID token of the code flow need have no mark but its nonce (OIDC Core §3.1.3.6).
#[test]
fn a_nonce_is_an_id_token_s_unless_the_token_says_what_it_is() {
    let nonce = r#","nonce":"n-0S6_WzA2Mj""#;
    assert_eq!(typed("JWT", nonce), Some(JwtError::Type));
    assert_eq!(typed("at+jwt", nonce), None);
    assert_eq!(typed("JWT", &format!(r#"{nonce},"typ":"Bearer""#)), None);
}

// J01, J03, J05: what can check an HMAC can make it, so none is taken even where it is listed.
#[test]
fn only_a_key_pair_makes_an_access_token() {
    assert_eq!(judged(&token(EdDsa, &header(EdDsa), &claims(""))).err(), None);
    for algorithm in [Hs256, Algorithm::Rs256] {
        let refused = judged(&token(algorithm, &header(algorithm), &claims(""))).err();
        assert_eq!(refused, Some(JwtError::AlgorithmNotAllowed), "{algorithm:?}");
    }
}

// J26, J27, J29, J30
#[test]
fn times_are_judged_and_only_the_end_is_required() {
    let now = NOW.as_secs();
    let at = |members: &str| {
        judged(&token(EdDsa, &header(EdDsa), &format!(r#"{{"iss":"https://idp.example"{members}}}"#))).err()
    };
    assert_eq!(at(&format!(r#","exp":{}"#, now - 59)), None);
    assert_eq!(at(&format!(r#","exp":{}"#, now - 61)), Some(JwtError::Expired));
    assert_eq!(at(""), Some(JwtError::ClaimMissing("exp")));
    assert_eq!(at(r#","exp":"9999999999""#), Some(JwtError::ClaimType("exp")));
    for name in ["nbf", "iat"] {
        assert_eq!(at(&format!(r#","exp":{},"{name}":{}"#, now + 300, now + 5)), None, "{name}");
        assert_eq!(
            at(&format!(r#","exp":{},"{name}":{}"#, now + 300, now + 61)),
            Some(JwtError::NotYetValid),
            "{name}"
        );
        assert_eq!(at(&format!(r#","exp":{},"{name}":"x""#, now + 300)), Some(JwtError::ClaimType(name)), "{name}");
    }
}

#[test]
fn the_key_that_made_a_signature_is_told() {
    let (_, key) = judged(&token(Es256, &header(Es256), &claims(""))).unwrap();
    assert!(all_keys().holds(&key));
    // The same point under another name, or for one algorithm alone, is another key.
    for members in [r#","kid":"other""#, r#","kid":"p256","alg":"ES256""#] {
        let others = Jwks::parse(format!(r#"{{"keys":[{}]}}"#, ec_jwk(Es256, members)).as_bytes()).unwrap();
        assert!(!others.holds(&key), "{members}");
    }
    let ed = all_keys().candidates(EdDsa, Some("ed")).remove(0);
    assert!(all_keys().holds(&ed) && !ed.is(&key));
}

fn object(text: &str) -> Object {
    json::object(text.as_bytes()).unwrap()
}

// I05, and the quirks of idps.md: Okta's and Hydra's `scp` array, Entra's `scp` text, ForgeRock's `scope` array.
#[test]
fn scope_is_text_or_an_array_under_either_name() {
    for (claims, expected) in [
        (r#"{"scope":"a b"}"#, Ok("a b")),
        (r#"{"scope":" a  b "}"#, Ok("a b")),
        (r#"{"scope":["a","b"]}"#, Ok("a b")),
        (r#"{"scp":"a b"}"#, Ok("a b")),
        (r#"{"scp":["a","b"]}"#, Ok("a b")),
        (r#"{"scp":"b","scope":"a"}"#, Ok("a")),
        ("{}", Ok("")),
        (r#"{"scope":7}"#, Err(JwtError::ClaimType("scope"))),
        (r#"{"scope":null}"#, Err(JwtError::ClaimType("scope"))),
        (r#"{"scope":["a",7]}"#, Err(JwtError::ClaimType("scope"))),
        (r#"{"scp":["a b"]}"#, Err(JwtError::ClaimType("scp"))),
        (r#"{"scp":{"a":1}}"#, Err(JwtError::ClaimType("scp"))),
    ] {
        assert_eq!(scope(&object(claims)), expected.map(str::to_owned), "{claims}");
    }
}

// J39
#[test]
fn a_subject_is_short_plain_text_or_none() {
    assert_eq!(subject(&object(r#"{"sub":"alice"}"#)), Ok(Some("alice")));
    assert_eq!(subject(&object("{}")), Ok(None));
    let long = format!(r#""{}""#, "a".repeat(256));
    for wrong in [r#""""#, "7", "null", r#"["a"]"#, "{}", r#""a\r\nb""#, r#""\u0000""#, &long] {
        let claims = object(&format!(r#"{{"sub":{wrong}}}"#));
        assert_eq!(subject(&claims), Err(JwtError::ClaimType("sub")), "{wrong}");
    }
}
