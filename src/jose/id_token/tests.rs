use super::*;
use crate::jose::testing::{NO_CRYPTO, NOW, all_keys, header, token};
use Algorithm::{EdDsa, Es256, Es384};
use serde_json::{Value, json};

const ISSUER: &str = "https://idp.example";

fn expected(trusted: &[String]) -> ExpectedIdToken<'_> {
    ExpectedIdToken {
        issuer: ISSUER,
        client_id: "shop",
        trusted_audiences: trusted,
        algorithms: &[EdDsa, Es256, Es384],
        nonce: Nonce::Expect("n-1"),
        authentication: Authentication::OfAnyAge,
        access_token: None,
        now: NOW,
        skew: Duration::from_secs(60),
    }
}

fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": "shop", "sub": "alice", "nonce": "n-1",
        "exp": NOW.as_secs() + 300, "iat": NOW.as_secs(),
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn judged(claims: &Value, expected: &ExpectedIdToken<'_>) -> Option<JwtError> {
    let token = token(EdDsa, &header(EdDsa), &claims.to_string());
    verify_id_token(&NO_CRYPTO, &token, Keys::Public(&all_keys()), expected).err()
}

fn reason(changes: Value) -> Option<JwtError> {
    judged(&claims(changes), &expected(&[]))
}

fn without(name: &str) -> Value {
    let mut claims = claims(json!({}));
    claims.as_object_mut().unwrap().remove(name);
    claims
}

// J35, J37
#[test]
fn further_audiences_must_be_trusted_and_need_an_authorized_party() {
    let trusted = ["api".to_owned(), "other".to_owned()];
    let judged = |changes| judged(&claims(changes), &expected(&trusted));
    assert_eq!(judged(json!({"aud": ["api", "other", "shop"], "azp": "shop"})), None);
    assert_eq!(judged(json!({"aud": ["api", "shop"]})), Some(JwtError::AuthorizedParty));
    assert_eq!(judged(json!({"aud": ["api", "evil", "shop"], "azp": "shop"})), Some(JwtError::Audience));
    assert_eq!(judged(json!({"aud": ["api"], "azp": "shop"})), Some(JwtError::Audience));
    assert_eq!(reason(json!({"aud": ["api", "shop"], "azp": "shop"})), Some(JwtError::Audience));
    assert_eq!(reason(json!({"aud": ["shop"]})), None);
}

// J38
#[test]
fn the_authorized_party_is_us() {
    assert_eq!(reason(json!({"azp": "shop"})), None);
    assert_eq!(reason(json!({"azp": "other"})), Some(JwtError::AuthorizedParty));
    assert_eq!(reason(json!({"azp": ""})), Some(JwtError::AuthorizedParty));
    for azp in [json!(["shop"]), json!(null), json!(7)] {
        assert_eq!(reason(json!({"azp": azp})), Some(JwtError::ClaimType("azp")));
    }
}

// J39
#[test]
fn a_subject_is_1_to_255_printable_ascii_characters() {
    assert_eq!(judged(&without("sub"), &expected(&[])), Some(JwtError::ClaimMissing("sub")));
    assert_eq!(reason(json!({"sub": "x".repeat(255)})), None);
    assert_eq!(reason(json!({"sub": "CN=a b, O=\"c\""})), None);
    let long = "x".repeat(256);
    for sub in [json!(""), json!(7), json!(["a"]), json!({"a": 1}), json!(null), json!(long), json!("a\nb")] {
        assert_eq!(reason(json!({"sub": sub})), Some(JwtError::ClaimType("sub")), "{sub}");
    }
    assert_eq!(reason(json!({"sub": "a\0"})), Some(JwtError::ClaimType("sub")));
    assert_eq!(reason(json!({"sub": "ä"})), Some(JwtError::ClaimType("sub")));
}

// C22
#[test]
fn the_nonce_is_the_one_that_was_sent() {
    assert_eq!(judged(&without("nonce"), &expected(&[])), Some(JwtError::Nonce));
    for nonce in [json!("n-2"), json!("N-1"), json!("n-"), json!(""), json!(1), json!(null), json!(["n-1"])] {
        assert_eq!(reason(json!({"nonce": nonce})), Some(JwtError::Nonce), "{nonce}");
    }
    let refreshed = ExpectedIdToken { nonce: Nonce::NotChecked, ..expected(&[]) };
    assert_eq!(judged(&without("nonce"), &refreshed), None);
}

// J55. Access token and hash are the example of OIDC Core §A.3, which is for SHA-256.
#[test]
fn at_hash_is_the_left_half_of_the_hash_that_belongs_to_the_algorithm() {
    let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    let expected = ExpectedIdToken { access_token: Some(access_token), ..expected(&[]) };
    let judged = |algorithm: Algorithm, hash: Value| {
        let token = token(algorithm, &header(algorithm), &claims(json!({"at_hash": hash})).to_string());
        verify_id_token(&NO_CRYPTO, &token, Keys::Public(&all_keys()), &expected).err()
    };
    let good = json!("77QmUPtjPfzWtF2AnpK9RQ");
    assert_eq!(judged(Es256, good.clone()), None);
    // J55: the hash of another algorithm; the whole hash; another token's; not a string.
    assert_eq!(judged(Es384, good), Some(JwtError::AccessTokenHash));
    let whole = digest(crate::world::Hash::Sha256, &[access_token.as_bytes()]);
    for hash in [json!(base64url::encode(&whole)), json!("77QmUPtjPfzWtF2AnpK9RR"), json!(""), json!(77), json!(null)] {
        assert_eq!(judged(Es256, hash.clone()), Some(JwtError::AccessTokenHash), "{hash}");
    }
    for (algorithm, hash) in [(Es384, crate::world::Hash::Sha384), (EdDsa, crate::world::Hash::Sha512)] {
        let digest = digest(hash, &[access_token.as_bytes()]);
        assert_eq!(judged(algorithm, json!(base64url::encode(&digest[..digest.len() / 2]))), None);
    }
}

// J55: the code flow may omit `at_hash`, and without an access token there is nothing to compare.
#[test]
fn at_hash_may_be_absent() {
    let expected = ExpectedIdToken { access_token: Some("token"), ..expected(&[]) };
    assert_eq!(judged(&claims(json!({})), &expected), None);
    assert_eq!(judged(&claims(json!({"at_hash": "AAAA"})), &expected), Some(JwtError::AccessTokenHash));
    assert_eq!(reason(json!({"at_hash": "AAAA"})), None);
}

// J56
#[test]
fn the_authentication_is_as_fresh_as_was_asked_for() {
    let fresh = ExpectedIdToken { authentication: Authentication::AtMost(Duration::from_secs(100)), ..expected(&[]) };
    let judged = |changes| judged(&claims(changes), &fresh);
    assert_eq!(judged(json!({"auth_time": NOW.as_secs() - 160})), None);
    assert_eq!(judged(json!({"auth_time": NOW.as_secs() - 161})), Some(JwtError::AuthenticationTooOld));
    assert_eq!(judged(json!({})), Some(JwtError::ClaimMissing("auth_time")));
    assert_eq!(judged(json!({"auth_time": "now"})), Some(JwtError::ClaimType("auth_time")));
    assert_eq!(reason(json!({"auth_time": 0})), None);
}

#[test]
fn what_every_token_must_be_holds_here_too() {
    assert_eq!(reason(json!({})), None);
    assert_eq!(reason(json!({"iss": "https://other.example"})), Some(JwtError::Issuer));
    assert_eq!(reason(json!({"aud": "other"})), Some(JwtError::Audience));
    assert_eq!(reason(json!({"exp": 1})), Some(JwtError::Expired));
    assert_eq!(reason(json!({"iat": NOW.as_secs() + 61})), Some(JwtError::NotYetValid));
    let registered = ExpectedIdToken { algorithms: &[Es256], ..expected(&[]) };
    assert_eq!(judged(&claims(json!({})), &registered), Some(JwtError::AlgorithmNotAllowed));
}

// K3: junk must never make anybody fetch keys.
#[test]
fn an_unknown_key_is_reported_only_when_all_else_is_good() {
    let judged = |changes| {
        let token = token(EdDsa, r#"{"alg":"EdDSA","kid":"new"}"#, &claims(changes).to_string());
        verify_id_token(&NO_CRYPTO, &token, Keys::Public(&all_keys()), &expected(&[])).err()
    };
    assert_eq!(judged(json!({})), Some(JwtError::KeyUnknown));
    assert_eq!(judged(json!({"nonce": "n-2"})), Some(JwtError::Nonce));
    assert_eq!(judged(json!({"sub": ""})), Some(JwtError::ClaimType("sub")));
    assert_eq!(judged(json!({"azp": "other"})), Some(JwtError::AuthorizedParty));
}
