//! The relying party modules of the official conformance suite, by name: plans Basic, Form Post, Config and third-party
//! login. As there, a login counts as accepted when userinfo was called after it, and as rejected when it never is.

use crate::support::*;

const MODES: [&str; 2] = ["query", "form_post"];

struct Run {
    reason: Option<Reason>,
    userinfo_called: bool,
    shop: Shop,
}

fn shop(mode: &str) -> Shop {
    let shop = if mode == "form_post" { Shop::with_form_post() } else { Shop::new() };
    shop.reconfigured(|config| config["defaults"]["login"]["userinfo"] = json!(true))
}

fn run(mode: &str, prepare: impl Fn(&Idp)) -> Run {
    let shop = shop(mode);
    prepare(&shop.idp);
    let reason = shop.browser().open("/").reason();
    Run { reason, userinfo_called: shop.calls(Endpoint::Userinfo) > 0, shop }
}

/// Both modes accept it.
fn accepts(prepare: impl Fn(&Idp)) {
    for mode in MODES {
        let run = run(mode, &prepare);
        assert_eq!((run.reason, run.userinfo_called), (None, true), "{mode}");
    }
}

/// Both modes reject it, for this reason, without a call to userinfo.
fn rejects(reason: Reason, prepare: impl Fn(&Idp)) {
    for mode in MODES {
        let run = run(mode, &prepare);
        assert_eq!((run.reason, run.userinfo_called), (Some(reason), false), "{mode}");
    }
}

fn claim(name: &'static str, value: Value) -> impl Fn(&Idp) {
    move |idp| {
        let value = value.clone();
        idp.claims(move |claims| claims[name] = value.clone());
    }
}

fn missing(name: &'static str) -> impl Fn(&Idp) {
    move |idp| idp.claims(move |claims| drop(claims.as_object_mut().unwrap().remove(name)))
}

#[test]
fn oidcc_client_test() {
    accepts(|_| {});
}

#[test]
fn oidcc_client_test_invalid_iss() {
    rejects(Reason::IdTokenIssuer, claim("iss", json!("https://idp.example.com1")));
}

#[test]
fn oidcc_client_test_missing_sub() {
    rejects(Reason::IdTokenClaims, missing("sub"));
}

#[test]
fn oidcc_client_test_missing_iat() {
    rejects(Reason::IdTokenClaims, missing("iat"));
}

#[test]
fn oidcc_client_test_missing_aud() {
    rejects(Reason::IdTokenClaims, missing("aud"));
}

#[test]
fn oidcc_client_test_invalid_aud() {
    rejects(Reason::IdTokenAudience, claim("aud", json!("shop1")));
}

#[test]
fn oidcc_client_test_kid_absent_single_jwks() {
    accepts(|idp| idp.rotates_to(Signer::rsa("", 0).nameless()));
}

/// We try each, at most eight (K15).
#[test]
fn oidcc_client_test_kid_absent_multiple_jwks() {
    accepts(|idp| {
        idp.publishes(vec![Signer::rsa("", 1).nameless().jwk(), Signer::rsa("", 0).nameless().jwk()]);
        idp.signs_with(Signer::rsa("", 0).nameless());
    });
}

#[test]
fn oidcc_client_test_idtoken_sig_rs256() {
    accepts(|idp| idp.rotates_to(Signer::rsa("rsa", 0)));
}

/// With the empty signature that such tokens have, and with one.
#[test]
fn oidcc_client_test_idtoken_sig_none() {
    let none = |idp: &Idp| idp.header(|header| header["alg"] = json!("none"));
    rejects(Reason::IdTokenAlgorithm, none);
    for mode in MODES {
        let run = run(mode, |idp| {
            none(idp);
            idp.id_token(|token| format!("{}.", token.rsplit_once('.').unwrap().0));
        });
        assert!(matches!(run.reason, Some(Reason::IdTokenAlgorithm | Reason::IdTokenMalformed)), "{:?}", run.reason);
        assert!(!run.userinfo_called);
    }
}

fn broken_signature(idp: &Idp) {
    idp.id_token(|token| {
        let (message, signature) = token.rsplit_once('.').unwrap();
        let turned: String = signature.chars().rev().collect();
        // The last character has bits to spare: it keeps its place.
        format!("{message}.{}{}", &turned[1..], &signature[signature.len() - 1..])
    });
}

#[test]
fn oidcc_client_test_invalid_sig_rs256() {
    rejects(Reason::IdTokenSignature, |idp| {
        idp.rotates_to(Signer::rsa("rsa", 0));
        broken_signature(idp);
    });
}

#[test]
fn oidcc_client_test_invalid_sig_es256() {
    rejects(Reason::IdTokenSignature, broken_signature);
}

/// HS256 is not among what a relying party with ES256 and RS256 expects.
#[test]
fn oidcc_client_test_invalid_sig_hs256() {
    rejects(Reason::IdTokenAlgorithm, |idp| idp.header(|header| header["alg"] = json!("HS256")));
}

#[test]
fn oidcc_client_test_userinfo_invalid_sub() {
    for mode in MODES {
        let run = run(mode, |idp| idp.userinfo(|claims| claims["sub"] = json!("u-1invalid")));
        assert_eq!((run.reason, run.userinfo_called), (Some(Reason::UserinfoSubjectMismatch), true));
    }
}

#[test]
fn oidcc_client_test_nonce_invalid() {
    rejects(Reason::NonceMismatch, |idp| {
        idp.claims(|claims| claims["nonce"] = json!(format!("{}1", claims["nonce"].as_str().unwrap())));
    });
}

#[test]
fn oidcc_client_test_scope_userinfo_claims() {
    for mode in MODES {
        let run = run(mode, |_| {});
        let scope = run.shop.idp.asked()[0]["scope"].clone();
        assert!(["profile", "email", "phone", "address"].iter().any(|value| scope.split(' ').any(|has| has == *value)));
        assert!(run.userinfo_called);
    }
}

/// The scripted provider takes Basic alone, both parts form-encoded, and the secret has `+ / = % :`.
#[test]
fn oidcc_client_test_client_secret_basic() {
    accepts(|_| {});
    for mode in MODES {
        let shop = shop(mode).reconfigured(|config| {
            config["providers"]["main"]["client"]["client_secret"] = json!("vB8nL1cR6yW3zH5jP0sDaE9fK2mQ7xT4");
        });
        assert_eq!(shop.browser().open("/").reason(), Some(Reason::ClientRefused));
    }
}

#[test]
fn oidcc_client_test_discovery_openid_config() {
    let run = run("query", |_| {});
    assert_eq!(run.shop.script.calls()[0], "GET /.well-known/openid-configuration");
}

#[test]
fn oidcc_client_test_discovery_jwks_uri_keys() {
    for path in ["/jwks/3f2a", "/k?run=77"] {
        let run = run("query", |idp| idp.metadata(|metadata| metadata["jwks_uri"] = json!(format!("{ISSUER}{path}"))));
        assert_eq!(run.reason, None);
        assert!(run.shop.script.calls().contains(&format!("GET {path}")));
    }
}

/// No authorization request at all.
#[test]
fn oidcc_client_test_discovery_issuer_mismatch() {
    let run = run("query", |idp| idp.metadata(|metadata| metadata["issuer"] = json!("https://idp.example.com/x")));
    assert_eq!(run.reason, Some(Reason::DiscoveryIssuerMismatch));
    assert!(run.shop.idp.asked().is_empty());
}

#[test]
fn oidcc_client_test_signing_key_rotation() {
    for mode in MODES {
        let shop = shop(mode);
        shop.guest();
        shop.idp.rotates_to(Signer::p256("two", 2));
        shop.guest();
        assert_eq!((shop.calls(Endpoint::Userinfo), shop.calls(Endpoint::Jwks)), (2, 2));
    }
}

/// The keys were fetched before; then they change while the code is on its way.
#[test]
fn oidcc_client_test_signing_key_rotation_just_before_signing() {
    for mode in MODES {
        let shop = shop(mode);
        shop.guest();
        let mut browser = shop.browser();
        let callback = browser.until_callback("/");
        shop.idp.rotates_to(Signer::rsa("rotated", 0));
        assert_eq!(browser.send(&callback).reason(), Some(Reason::LoginDone));
    }
}

/// Another key under the same name: the name is known, the signature is wrong, and the set is looked at once more.
#[test]
fn a_rotation_under_the_same_kid_is_found_within_the_login() {
    let shop = shop("query");
    shop.guest();
    shop.idp.rotates_to(Signer::p256("one", 2));
    shop.guest();
    assert_eq!(shop.calls(Endpoint::Jwks), 2);
    shop.idp.signs_with(Signer::p256("one", 9));
    shop.script.advance(2);
    assert_eq!(shop.browser().open("/").reason(), Some(Reason::IdTokenSignature));
}

/// K01 (conformance, met in practice 1): the suite's set has odd keys beside the good one.
#[test]
fn odd_keys_do_not_spoil_the_set() {
    accepts(|idp| {
        let good = Signer::rsa("good", 0);
        let odd = [
            json!({ "kty": "EC", "crv": "secp256k1", "kid": "k1", "use": "sig", "x": "AA", "y": "AA" }),
            json!({ "kty": "RSA", "kid": "good", "use": "enc", "n": "AQAB", "e": "AQAB" }),
            json!({ "kty": "OKP", "crv": "X25519", "kid": "x", "x": "AA" }),
            json!({ "kty": "oct", "kid": "o", "k": "AA" }),
            json!({ "kty": "new", "kid": "n" }),
            json!(7),
        ];
        idp.publishes(odd.into_iter().chain([good.jwk()]).collect());
        idp.signs_with(good);
    });
}

/// Plan x: `login_required` by form_post shows a page.
#[test]
fn oidcc_client_test_form_post_error() {
    let run = run("form_post", |idp| {
        idp.response(|params| params[0] = ("error".to_owned(), "login_required".to_owned()));
    });
    assert_eq!((run.reason, run.userinfo_called), (Some(Reason::ProviderError), false));
}

/// Plan x: claims of others are not followed, and harm no login.
#[test]
fn oidcc_client_test_aggregated_and_distributed_claims() {
    for mode in MODES {
        let run = run(mode, |idp| {
            idp.userinfo(|claims| {
                claims["_claim_names"] = json!({ "address": "src1", "phone": "src2" });
                claims["_claim_sources"] = json!({
                    "src1": { "JWT": "a.b.c" },
                    "src2": { "endpoint": "https://169.254.169.254/", "access_token": "t" },
                });
            });
        });
        assert_eq!(run.reason, None);
        assert!(run.shop.script.asked().iter().all(|call| call.authority == "idp.example.com"));
    }
}

/// Plan x: the token travels in the header.
#[test]
fn oidcc_client_test_userinfo_bearer_header() {
    let run = run("query", |_| {});
    let calls = run.shop.script.asked();
    let call = calls.iter().find(|call| call.endpoint == Endpoint::Userinfo).unwrap();
    assert_eq!((call.method, call.path.as_str(), call.body.len()), ("GET", "/userinfo", 0));
}

#[test]
fn oidcc_client_test_3rd_party_init_login() {
    for mode in MODES {
        let shop = shop(mode).reconfigured(|config| {
            config["defaults"]["login"]["initiate_path"] = json!("/oauth/initiate");
        });
        assert_eq!(shop.browser().open(&format!("/oauth/initiate?iss={ISSUER}")).reason(), None, "{mode}");
        assert_eq!(shop.calls(Endpoint::Userinfo), 1);
    }
}
