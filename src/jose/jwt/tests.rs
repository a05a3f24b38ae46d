use super::*;
use crate::jose::testing::{NO_CRYPTO, NOW, all_keys, header, token};
use Algorithm::{EdDsa, Es256, Rs256};

const ISSUER: &str = "https://idp.example";

const EXPECTED: Expected<'static> = Expected {
    issuer: ISSUER,
    audience: "shop",
    algorithms: &[EdDsa],
    kind: Kind::IdToken,
    now: NOW,
    skew: Duration::from_secs(60),
};

/// Good claims with some replaced; one that is replaced by nothing is left out.
fn claims(changes: &[(&str, &str)]) -> String {
    let now = NOW.as_secs();
    let good = [
        ("iss", format!(r#""{ISSUER}""#)),
        ("aud", r#""shop""#.to_owned()),
        ("sub", r#""alice""#.to_owned()),
        ("exp", (now + 300).to_string()),
        ("iat", now.to_string()),
    ];
    let kept = good.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let kept = kept.map(|(name, value)| (*name, value.as_str()));
    let changed = changes.iter().filter(|(_, value)| !value.is_empty()).copied();
    let members: Vec<String> = kept.chain(changed).map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
    format!("{{{}}}", members.join(","))
}

fn judged(token: &str) -> Result<VerifiedJwt, JwtError> {
    verify(&NO_CRYPTO, Untrusted::parse(token)?, Keys::Public(&all_keys()), &EXPECTED)
}

fn reason(changes: &[(&str, &str)]) -> Option<JwtError> {
    judged(&token(EdDsa, &header(EdDsa), &claims(changes))).err()
}

fn shifted(seconds: i64) -> String {
    (i64::try_from(NOW.as_secs()).unwrap() + seconds).to_string()
}

#[test]
fn a_good_token_says_who_it_is_about() {
    let verified = judged(&token(EdDsa, &header(EdDsa), &claims(&[("exp", "1700000300.75")]))).unwrap();
    assert_eq!((verified.issuer(), verified.subject()), (ISSUER, "alice"));
    assert_eq!(verified.expires(), Some(UnixTime::from_secs(1_700_000_300)));
    assert_eq!(verified.text("aud"), Some("shop"));
    assert_eq!(verified.algorithm(), EdDsa);
}

// J05
#[test]
fn a_good_signature_by_an_algorithm_that_is_not_registered_is_refused() {
    for algorithm in [Es256, Rs256] {
        let refused = judged(&token(algorithm, &header(algorithm), &claims(&[]))).err();
        assert_eq!(refused, Some(JwtError::AlgorithmNotAllowed), "{algorithm:?}");
    }
    assert_eq!(reason(&[]), None);
}

// J13, J23, J25
#[test]
fn claims_are_one_object_without_duplicates() {
    let good = claims(&[]);
    for payload in [
        "null",
        "[]",
        r#""x""#,
        "1",
        &format!("{good}x"),
        &format!("{good}{good}"),
        &good.replace("{", r#"{"sub":"bob","#),
        &good.replace("{", r#"{"exp":9999999999,"#),
        &good.replace("}", r#","\u0065xp":9999999999}"#),
        &good.replace("}", &format!(r#","x":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000))),
    ] {
        let refused = judged(&token(EdDsa, &header(EdDsa), payload)).err();
        assert_eq!(refused, Some(JwtError::Malformed), "{payload}");
    }
    let empty = judged(&token(EdDsa, &header(EdDsa), "{}")).err();
    assert_eq!(empty, Some(JwtError::ClaimMissing("iss")));
    let huge = good.replace('}', &format!(r#","x":[{}1]}}"#, "1,".repeat(40_000)));
    assert_eq!(judged(&token(EdDsa, &header(EdDsa), &huge)).err(), Some(JwtError::TooLarge));
}

// J26, J27, J28, J32
#[test]
fn a_date_is_a_number_within_the_calendar_and_never_absent_by_its_type() {
    assert_eq!(reason(&[("exp", "")]), Some(JwtError::ClaimMissing("exp")));
    assert_eq!(reason(&[("iat", "")]), Some(JwtError::ClaimMissing("iat")));
    for name in ["exp", "iat", "nbf"] {
        for value in [r#""9999999999""#, "true", "null", "[]", "{}", "1e300", "1e19", "-1", "-0.5", "253402300800"] {
            assert_eq!(reason(&[(name, value)]), Some(JwtError::ClaimType(name)), "{name} {value}");
        }
        for value in ["NaN", "1e400", "Infinity", "01"] {
            assert_eq!(reason(&[(name, value)]), Some(JwtError::Malformed), "{name} {value}");
        }
    }
    assert_eq!(reason(&[("exp", "0")]), Some(JwtError::Expired));
    assert_eq!(reason(&[("exp", "253402300799")]), None);
    assert_eq!(reason(&[("nbf", "0"), ("iat", "0")]), None);
}

// J29, J31
#[test]
fn a_token_ends_when_its_time_and_the_skew_have_passed() {
    for (exp, expected) in [
        (shifted(-59), None),
        (shifted(-60) + ".5", None),
        (shifted(-60), Some(JwtError::Expired)),
        (shifted(-61), Some(JwtError::Expired)),
        (shifted(-360), Some(JwtError::Expired)),
    ] {
        assert_eq!(reason(&[("exp", &exp)]), expected, "{exp}");
    }
}

// J30
#[test]
fn a_token_from_the_future_is_refused() {
    for name in ["nbf", "iat"] {
        assert_eq!(reason(&[(name, &shifted(5))]), None, "{name}");
        assert_eq!(reason(&[(name, &shifted(60))]), None, "{name}");
        assert_eq!(reason(&[(name, &(shifted(60) + ".5"))]), Some(JwtError::NotYetValid), "{name}");
        assert_eq!(reason(&[(name, &shifted(61))]), Some(JwtError::NotYetValid), "{name}");
    }
}

// J33
#[test]
fn the_issuer_is_compared_byte_for_byte() {
    for iss in ["https://idp.example/", "https://idp.exampl", "https://IDP.example", "https://idp.example.evil", ""] {
        assert_eq!(reason(&[("iss", &format!(r#""{iss}""#))]), Some(JwtError::Issuer), "{iss}");
    }
    for iss in [format!(r#"["{ISSUER}"]"#), "null".to_owned(), "7".to_owned()] {
        assert_eq!(reason(&[("iss", &iss)]), Some(JwtError::ClaimType("iss")), "{iss}");
    }
    assert_eq!(reason(&[("iss", "")]), Some(JwtError::ClaimMissing("iss")));
}

// J34, J36
#[test]
fn the_audience_names_us_exactly() {
    assert_eq!(reason(&[("aud", "")]), Some(JwtError::ClaimMissing("aud")));
    for aud in ["7", "null", "{}", r#"{"shop":1}"#, r#"["shop",7]"#, r#"[["shop"]]"#, "[7]"] {
        assert_eq!(reason(&[("aud", aud)]), Some(JwtError::ClaimType("aud")), "{aud}");
    }
    for aud in [r#""""#, "[]", r#""sho""#, r#""shopping""#, r#""myshop""#, r#""SHOP""#, r#"["a shop"]"#] {
        assert_eq!(reason(&[("aud", aud)]), Some(JwtError::Audience), "{aud}");
    }
    assert_eq!(reason(&[("aud", r#"["shop"]"#)]), None);
}

// J41, J42, J43
#[test]
fn another_kind_of_token_is_no_id_token() {
    let typed = |typ: &str| {
        let header = format!(r#"{{"alg":"EdDSA","kid":"ed","typ":"{typ}"}}"#);
        judged(&token(EdDsa, &header, &claims(&[]))).err()
    };
    for typ in [
        "at+jwt",
        "application/at+jwt",
        "logout+jwt",
        "dpop+jwt",
        "token-introspection+jwt",
        "oauth-authz-req+jwt",
        "secevent+jwt",
        "jwt+at",
        "JOSE",
        "",
    ] {
        assert_eq!(typed(typ), Some(JwtError::Type), "{typ}");
    }
    for typ in ["JWT", "jwt", "Jwt"] {
        assert_eq!(typed(typ), None, "{typ}");
    }
}

// K3: junk must never make anybody fetch keys.
#[test]
fn an_unknown_key_is_reported_only_when_all_else_is_good() {
    let unknown = r#"{"alg":"EdDSA","kid":"new"}"#;
    let judged = |changes| judged(&token(EdDsa, unknown, &claims(changes))).err();
    assert_eq!(judged(&[]), Some(JwtError::KeyUnknown));
    assert_eq!(judged(&[("exp", "0")]), Some(JwtError::Expired));
    assert_eq!(judged(&[("iss", r#""x""#)]), Some(JwtError::Issuer));
    assert_eq!(judged(&[("aud", r#""x""#)]), Some(JwtError::Audience));
}

// J58
#[test]
fn a_token_with_the_same_beginning_and_another_signature_is_refused() {
    let good = token(EdDsa, &header(EdDsa), &claims(&[]));
    let (message, _) = good.rsplit_once('.').unwrap();
    let other = token(EdDsa, &header(EdDsa), &claims(&[("sub", r#""bob""#)]));
    let (_, signature) = other.rsplit_once('.').unwrap();
    assert!(judged(&good).is_ok());
    assert_eq!(judged(&format!("{message}.{signature}")).err(), Some(JwtError::Signature));
}
