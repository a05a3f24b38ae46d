//! A provider that answers anything but what it should, at each endpoint (attacks D, K, V, I; conformance C2 to C6).

use crate::support::*;
use Reason::*;

fn with_userinfo() -> Shop {
    Shop::with(|config| config["defaults"]["login"]["userinfo"] = json!(true))
}

/// What a login comes to while the provider is as `break_it` makes it; mended, the same shop logs people in.
fn login_while(break_it: impl Fn(&Idp)) -> Option<Reason> {
    let shop = with_userinfo();
    break_it(&shop.idp);
    let mut browser = shop.browser();
    let answer = browser.open("/");
    let reason = answer.reason();
    if reason.is_some() {
        assert_eq!(browser.session_cookies(), [""; 0], "none opens");
        assert!(shop.script.asked().iter().all(|call| call.authority == "idp.example.com"));
        shop.idp.recovers();
        shop.script.advance(5);
        shop.guest();
    }
    reason
}

fn reply(endpoint: Endpoint, reply: &Reply) -> Option<Reason> {
    login_while(|idp| idp.replies(endpoint, reply.clone()))
}

/// V04: the provider's own good answer under every status but 200 opens nothing.
fn sweep(endpoint: Endpoint, reason: impl Fn(u16) -> Reason) {
    for status in 100..600 {
        let shop = with_userinfo();
        shop.idp.answers_with(endpoint, status);
        let mut browser = shop.browser();
        let found = browser.open("/").reason();
        assert_eq!(found, (status != 200).then(|| reason(status)), "{endpoint:?} {status}");
        assert_eq!(browser.session_cookies().is_empty(), status != 200);
        // D04, C2 (RFC 9110 §15.4): nothing is followed, nothing is tried again.
        assert!(shop.calls(endpoint) <= 1, "{endpoint:?} {status}");
    }
}

#[test]
fn metadata_counts_with_200_alone() {
    sweep(Endpoint::Discovery, |_| DiscoveryUnavailable);
}

#[test]
fn keys_count_with_200_alone() {
    sweep(Endpoint::Jwks, |_| JwksUnavailable);
}

#[test]
fn tokens_count_with_200_alone() {
    sweep(Endpoint::Token, |status| match status {
        401 | 403 => ClientRefused,
        429 | 500.. => TokenUnavailable,
        _ => TokenInvalid,
    });
}

#[test]
fn userinfo_counts_with_200_alone() {
    sweep(Endpoint::Userinfo, |status| match status {
        401 | 403 => UserinfoRefused,
        429 | 500.. => UserinfoUnavailable,
        _ => UserinfoInvalid,
    });
}

const INVALID: [(Endpoint, Reason); 4] = [
    (Endpoint::Discovery, DiscoveryInvalid),
    (Endpoint::Jwks, JwksInvalid),
    (Endpoint::Token, TokenInvalid),
    (Endpoint::Userinfo, UserinfoInvalid),
];

/// D10, D11, K13, V05, V06, I06: bodies that are no JSON object.
#[test]
fn what_is_not_one_json_object_is_no_answer() {
    let utf16: Vec<u8> = "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bodies: [&[u8]; 19] = [
        b"",
        b" ",
        b"null",
        b"[]",
        b"[{}]",
        b"\"x\"",
        b"1",
        b"true",
        b"\xef\xbb\xbf{}",
        &utf16,
        b"{} x",
        b"{}{}",
        b"{\"a\":NaN}",
        b"{'a':1}",
        b"{\"issuer\":\"https://idp.exa",
        b"{\"a\":1,\"a\":1}",
        b"{\"a\":\"\xff\"}",
        &[b"{\"a\":".as_slice(), &b"[".repeat(10_000)].concat(),
        b"\x1f\x8b\x08\x00",
    ];
    for (endpoint, reason) in INVALID {
        for body in bodies {
            let broken = Reply::of(200, "application/json", body);
            assert_eq!(reply(endpoint, &broken), Some(reason), "{endpoint:?} {:?}", String::from_utf8_lossy(body));
        }
    }
}

/// K13, V05: HTML with status 200, as captive portals and maintenance pages have it; and no type at all.
#[test]
fn another_content_type_is_no_answer() {
    for (endpoint, reason) in INVALID {
        for kind in ["text/html", "text/html; charset=utf-8", "application/jwt", "application/jsonx", ""] {
            let body = json!({ "keys": [], "sub": "u-1" }).to_string();
            assert_eq!(reply(endpoint, &Reply::of(200, kind, body)), Some(reason), "{endpoint:?} {kind}");
        }
    }
}

/// V01, V03, K08, D10: no answer, and one larger than any has to be.
#[test]
fn no_answer_and_a_huge_one_are_an_outage() {
    let unavailable = [
        (Endpoint::Discovery, DiscoveryUnavailable),
        (Endpoint::Jwks, JwksUnavailable),
        (Endpoint::Token, TokenUnavailable),
        (Endpoint::Userinfo, UserinfoUnavailable),
    ];
    let huge = Reply::of(200, "application/json", " ".repeat(20 * 1024 * 1024));
    for (endpoint, reason) in unavailable {
        assert_eq!(reply(endpoint, &Reply::nothing()), Some(reason));
        assert_eq!(reply(endpoint, &huge), Some(reason));
        assert_eq!(reply(endpoint, &Reply::failed(CallError::Busy)), Some(ProviderBusy));
        assert_eq!(reply(endpoint, &Reply::failed(CallError::UnknownCluster)), Some(ClusterUnknown));
    }
}

fn metadata(bend: impl Fn(&mut Value) + Copy) -> Option<Reason> {
    let shop = Shop::new();
    shop.idp.metadata(bend);
    let mut browser = shop.browser();
    let reason = browser.open("/").reason();
    // The document is the only call, and nobody is sent to log in.
    if reason.is_some_and(|reason| reason.status() == 503 && reason != EndpointWithoutCluster) {
        assert_eq!((shop.script.calls().len(), shop.idp.asked().len()), (1, 0));
    }
    reason
}

/// D01 (OIDC Discovery §4.3, CVE class of mix-up): byte for byte.
#[test]
fn the_issuer_of_the_document_is_the_configured_one() {
    for issuer in [
        "https://idp.example.com/",
        "https://IDP.example.com",
        "https://idp.example.com:443",
        "https://idp.example.com/realms/x",
        "http://idp.example.com",
        "",
    ] {
        assert_eq!(metadata(|document| document["issuer"] = json!(issuer)), Some(DiscoveryIssuerMismatch), "{issuer}");
    }
    assert_eq!(metadata(|document| document["issuer"] = json!(1)), Some(DiscoveryIssuerMismatch));
    assert_eq!(metadata(|document| document["issuer"] = json!([ISSUER])), Some(DiscoveryIssuerMismatch));
    let gone = |document: &mut Value| drop(document.as_object_mut().unwrap().remove("issuer"));
    assert_eq!(metadata(gone), Some(DiscoveryIssuerMismatch));
    assert_eq!(metadata(|_| {}), None);
}

/// D02, D09: members that are no https URL, or of a wrong type.
#[test]
fn endpoints_are_absolute_https_urls() {
    for member in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
        for value in [
            json!("http://idp.example.com/x"),
            json!("/token"),
            json!("javascript:alert(1)"),
            json!("https://idp.example.com/x#f"),
            json!("https://user@idp.example.com/x"),
            json!(""),
            json!(7),
            json!(["https://idp.example.com/x"]),
            Value::Null,
        ] {
            let reason = metadata(|document| document[member] = value.clone());
            assert_eq!(reason, Some(DiscoveryInvalid), "{member} {value}");
        }
        let gone = metadata(|document| drop(document.as_object_mut().unwrap().remove(member)));
        assert_eq!(gone, (member != "userinfo_endpoint").then_some(DiscoveryInvalid), "{member}");
    }
}

/// D09 for lists and flags.
#[test]
fn members_of_a_wrong_type_refuse_the_document() {
    for (member, good) in [
        ("token_endpoint_auth_methods_supported", json!(["client_secret_basic"])),
        ("authorization_response_iss_parameter_supported", json!(true)),
    ] {
        for value in [json!("client_secret_basic"), json!(1), json!({}), json!([1])] {
            let reason = metadata(|document| document[member] = value.clone());
            assert_eq!(reason, Some(DiscoveryInvalid), "{member} {value}");
        }
        assert_eq!(metadata(|document| document[member] = good.clone()), None, "{member}");
    }
}

/// D02, D05: a document does not choose where secrets go; only hosts that the operator wrote down are called.
#[test]
fn hosts_that_nobody_configured_are_not_called() {
    for host in ["169.254.169.254", "evil.example", "idp.example.com.evil.example", "localhost", "[::1]"] {
        for member in ["token_endpoint", "jwks_uri", "userinfo_endpoint"] {
            let shop = with_userinfo();
            shop.idp.metadata(|document| document[member] = json!(format!("https://{host}/x")));
            assert_eq!(shop.browser().open("/").reason(), Some(EndpointWithoutCluster), "{member} {host}");
            assert!(shop.script.asked().iter().all(|call| call.authority == "idp.example.com"));
        }
    }
}

/// D03 (OIDC Discovery §4.1): appended to the issuer's path, without doubling the slash.
#[test]
fn the_document_is_asked_for_below_the_issuer() {
    for (issuer, path) in [
        ("https://idp.example.com", "/.well-known/openid-configuration"),
        ("https://idp.example.com/", "/.well-known/openid-configuration"),
        ("https://idp.example.com/realms/main", "/realms/main/.well-known/openid-configuration"),
        ("https://idp.example.com/realms/main/", "/realms/main/.well-known/openid-configuration"),
    ] {
        let shop = Shop::with(|config| config["providers"]["main"]["issuer"] = json!(issuer));
        shop.decide(&get("/"));
        assert_eq!(shop.script.calls(), [format!("GET {path}")], "{issuer}");
    }
}

/// D08: what the document offers does not change what is registered.
#[test]
fn offered_algorithms_do_not_widen_the_registered_ones() {
    let shop = Shop::new();
    shop.idp.metadata(|document| document["id_token_signing_alg_values_supported"] = json!(["none", "HS256"]));
    shop.idp.header(|header| header["alg"] = json!("HS256"));
    assert_eq!(shop.browser().open("/").reason(), Some(IdTokenAlgorithm));
    shop.idp.header(|_| {});
    shop.guest();
}

/// K07.
#[test]
fn a_key_set_without_keys_is_none() {
    for set in [
        json!({}),
        json!({ "keys": null }),
        json!({ "keys": {} }),
        json!({ "keys": [] }),
        json!({ "keys": "x" }),
        json!({ "keys": [1, null, "x"] }),
        json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] }),
    ] {
        assert_eq!(reply(Endpoint::Jwks, &Reply::json(200, &set)), Some(JwksInvalid), "{set}");
    }
}

/// E1 (RFC 6749 §5.1), G08, G09, V07.
#[test]
fn a_token_answer_has_its_members_in_their_types() {
    let bent = |member: &'static str, value: Value| {
        login_while(|idp| {
            let value = value.clone();
            idp.tokens(move |answer| answer[member] = value.clone());
        })
    };
    assert_eq!(bent("x", json!({ "unknown": [1] })), None, "C4: unknown members are ignored");
    for (member, value) in [
        ("token_type", json!("mac")),
        ("token_type", json!("N_A")),
        ("token_type", json!(5)),
        ("token_type", json!("")),
        ("access_token", json!("")),
        ("access_token", json!(["x"])),
        ("access_token", json!("a b")),
        ("access_token", json!("a\r\nx: y")),
        ("access_token", json!("é")),
        ("access_token", json!("a".repeat(40_000))),
        ("access_token", Value::Null),
        ("id_token", json!(7)),
        ("id_token", json!("")),
        ("refresh_token", json!({})),
        ("refresh_token", json!("")),
        ("refresh_token", json!("a\tb")),
        ("refresh_token", json!("é")),
        ("scope", json!(["openid"])),
        ("expires_in", json!(true)),
        ("expires_in", json!([300])),
    ] {
        let shop = Shop::new();
        let other = value.clone();
        shop.idp.tokens(move |answer| answer[member] = other.clone());
        assert_eq!(shop.browser().open("/").reason(), Some(TokenInvalid), "{member} {value}");
        shop.idp.tokens(|_| {});
        shop.guest();
    }
    for kind in ["bEARER", "Bearer", "bearer"] {
        assert_eq!(bent("token_type", json!(kind)), None, "fapi2 token-type-case-insensitivity");
    }
}

/// V07 (RFC 6749 §5.2): the error decides, the status is the fallback; what is no text is still an error.
#[test]
fn an_error_is_an_error_whatever_its_status_and_type() {
    for (error, reason) in [
        (json!("invalid_grant"), TokenRefused),
        (json!("invalid_request"), TokenRefused),
        (json!("x".repeat(10_000)), TokenRefused),
        (json!(null), TokenRefused),
        (json!(7), TokenRefused),
        (json!({}), TokenRefused),
        (json!("invalid_client"), ClientRefused),
        (json!("unauthorized_client"), ClientRefused),
        (json!("temporarily_unavailable"), TokenUnavailable),
    ] {
        for status in [200, 400, 401, 500] {
            let answer = Reply::json(status, &json!({ "error": error, "access_token": "at", "token_type": "Bearer" }));
            assert_eq!(reply(Endpoint::Token, &answer), Some(reason), "{status} {error}");
        }
    }
}

/// I16 (OIDC Core §5.3.2), suite userinfo-invalid-sub.
#[test]
fn userinfo_about_somebody_else_fails_the_login() {
    for (sub, reason) in [
        (json!("u-2"), UserinfoSubjectMismatch),
        (json!("U-1"), UserinfoSubjectMismatch),
        (json!(1), UserinfoInvalid),
        (Value::Null, UserinfoInvalid),
    ] {
        let answer = Reply::json(200, &json!({ "sub": sub, "email": "x@example.com" }));
        assert_eq!(reply(Endpoint::Userinfo, &answer), Some(reason), "{sub}");
    }
}
