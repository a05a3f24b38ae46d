use super::*;
use crate::jose::testing::{ec_jwk, ed25519_jwk, rsa_jwk, set};
use Algorithm::{Es256, Rs256};

fn names(keys: &Jwks, algorithm: Algorithm, kid: Option<&str>) -> Vec<String> {
    keys.candidates(algorithm, kid).iter().map(|key| key.kid().unwrap_or("-").to_owned()).collect()
}

fn parsed(text: &str) -> Result<usize, JwksError> {
    Jwks::parse(text.as_bytes()).map(|keys| keys.len())
}

// K01, K17
#[test]
fn what_cannot_be_used_is_skipped_and_the_set_lives() {
    let bad = [
        r#"{"kty":"oct","k":"AAAA"}"#.to_owned(),
        r#"{"kty":"future"}"#.to_owned(),
        ec_jwk(Es256, "").replace("P-256", "secp256k1"),
        ed25519_jwk("").replace("Ed25519", "X25519"),
        rsa_jwk(r#","kid":"twice","kid":"twice""#),
        "[1,null]".to_owned(),
        "null".to_owned(),
    ];
    let keys = set(&[&bad[..], &[rsa_jwk(r#","kid":"good""#)]].concat());
    assert_eq!(names(&keys, Rs256, None), ["good"]);
    assert!(keys.knows("good") && !keys.knows("twice"));
}

// K07
#[test]
fn what_is_no_key_set_is_refused() {
    let key = rsa_jwk("");
    assert_eq!(parsed(&format!(r#"{{"keys":[{key}],"other":{{"a":1}}}}"#)), Ok(1));
    for text in [
        String::new(),
        "{}".to_owned(),
        "null".to_owned(),
        format!("[{key}]"),
        format!("[[{key}]]"),
        r#"{"keys":null}"#.to_owned(),
        format!(r#"{{"keys":{key}}}"#),
        format!(r#"{{"Keys":[{key}]}}"#),
        format!(r#"{{"keys":[{key}],"keys":[{key}]}}"#),
        format!(r#"{{"keys":[{key}]}}x"#),
        format!(r#"{{"keys":[{key}]"#),
        format!("\u{feff}{{\"keys\":[{key}]}}"),
        "<html>".to_owned(),
    ] {
        assert_eq!(parsed(&text), Err(JwksError::NotAKeySet), "{text}");
    }
    assert_eq!(parsed(r#"{"keys":[]}"#), Err(JwksError::NoUsableKey));
    assert_eq!(parsed(r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#), Err(JwksError::NoUsableKey));
}

// K08
#[test]
fn a_huge_set_is_kept_within_bounds() {
    let many = vec![ed25519_jwk(""); 1000].join(",");
    assert_eq!(parsed(&format!(r#"{{"keys":[{many}]}}"#)), Ok(MAX_KEYS));
    let useless = vec![r#"{"kty":"oct"}"#; 200_000].join(",");
    assert_eq!(parsed(&format!(r#"{{"keys":[{useless},{}]}}"#, rsa_jwk(""))), Ok(1));
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert_eq!(parsed(&format!(r#"{{"keys":[{deep},{}]}}"#, rsa_jwk(""))), Ok(1));
}

// K02, K15
#[test]
fn a_name_chooses_and_its_absence_offers_every_fitting_key() {
    let keys = set(&[
        rsa_jwk(r#","kid":"a""#),
        rsa_jwk(r#","kid":"b","alg":"PS256""#),
        ec_jwk(Es256, r#","kid":"a""#),
        rsa_jwk(r#","kid":"a","alg":"RS256""#),
        rsa_jwk(r#","kid":"c""#),
    ]);
    assert_eq!(names(&keys, Rs256, Some("a")), ["a", "a"]);
    assert_eq!(names(&keys, Es256, Some("a")), ["a"]);
    assert_eq!(names(&keys, Rs256, Some("b")), [""; 0]);
    assert_eq!(names(&keys, Rs256, Some("z")), [""; 0]);
    assert_eq!(names(&keys, Rs256, None), ["a", "a", "c"]);
    let keys = set(&vec![rsa_jwk(""); 20]);
    assert_eq!(keys.candidates(Rs256, None).len(), MAX_TRIES);
}

// K02
#[test]
fn a_key_without_a_name_serves_if_it_is_the_only_one_that_fits() {
    let keys = set(&[rsa_jwk(""), ec_jwk(Es256, ""), rsa_jwk(r#","kid":"a""#)]);
    assert_eq!(names(&keys, Rs256, Some("new")), ["-"]);
    assert_eq!(names(&keys, Rs256, Some("a")), ["a"]);
    let keys = set(&[rsa_jwk(""), rsa_jwk(r#","use":"sig""#)]);
    assert_eq!(names(&keys, Rs256, Some("new")), [""; 0]);
}
