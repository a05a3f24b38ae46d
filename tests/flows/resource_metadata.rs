//! Protected resource metadata (RFC 9728, conformance S10, attack B20).

use crate::support::*;

const PATH: &str = "/.well-known/oauth-protected-resource/v1";

fn shop() -> Shop {
    Shop::api(json!({
        "token": { "audience": ["api"], "resource": "https://shop.example.com/v1" },
        "require": { "scope": ["read", "write"] },
        "credentials": { "bearer": ["header", "query", { "header": "x-token" }] },
    }))
}

/// B20 (RFC 9728 §3): anyone may read them, scripts of other sites too.
#[test]
fn anyone_reads_who_issues_tokens() {
    let shop = shop();
    for request in [background(PATH), get(PATH), background(PATH).bearer("bad"), background(&format!("{PATH}?x=1"))] {
        let answer = shop.decide(&request);
        assert_eq!((answer.reason(), answer.status()), (Some(Reason::ResourceMetadata), 200));
        assert_eq!(answer.header("content-type").as_deref(), Some("application/json"));
        assert_eq!(answer.header("access-control-allow-origin").as_deref(), Some("*"));
        let document: Value = serde_json::from_str(answer.body()).unwrap();
        let expected = json!({
            "resource": "https://shop.example.com/v1",
            "authorization_servers": [ISSUER],
            "bearer_methods_supported": ["header", "query"],
            "scopes_supported": ["read", "write"],
        });
        assert_eq!(document, expected);
    }
    assert_eq!(shop.script.calls(), Vec::<String>::new());
}

/// RFC 9110 §9.3.2: HEAD has the header fields of GET and no body.
#[test]
fn head_has_no_body() {
    let shop = shop();
    let (head, get) = (shop.decide(&background(PATH).method("HEAD")), shop.decide(&background(PATH)));
    assert_eq!((head.status(), head.body()), (200, ""));
    for name in ["content-type", "cache-control", "access-control-allow-origin"] {
        assert_eq!(head.header(name), get.header(name));
    }
}

/// B20 (RFC 9110 §15.5.6).
#[test]
fn other_methods_are_refused() {
    let shop = shop();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = shop.decide(&background(PATH).method(method));
        assert_eq!((answer.reason(), answer.status()), (Some(Reason::MethodNotAllowed), 405), "{method}");
        assert_eq!(answer.header("allow").as_deref(), Some("GET, HEAD"));
        assert_eq!(answer.header("www-authenticate"), None);
    }
}

/// B20: exactly its path; what is below or beside it is the rule's.
#[test]
fn only_the_path_itself_is_ours() {
    let shop = shop();
    for path in ["/.well-known/oauth-protected-resource", &format!("{PATH}/"), &format!("{PATH}/x"), "/v1"] {
        assert_eq!(shop.decide(&background(path)).reason(), Some(Reason::AccessTokenRequired), "{path}");
    }
    // On another host it is not there at all.
    assert_eq!(shop.decide(&background(PATH).to("other.example")).reason(), Some(Reason::NoRule));
}

/// B20: a rule for every host has one name whatever `Host` says.
#[test]
fn the_resource_has_its_configured_name() {
    let shop = Shop::with(|config| {
        config["rules"][3] = json!({
            "name": "api", "methods": ["bearer"],
            "token": { "audience": ["api"], "resource": "https://api.example.com/" },
        });
    });
    for host in ["shop.example.com", "api.example.com", "evil.example", "10.0.0.1:8080"] {
        let answer = shop.decide(&background("/.well-known/oauth-protected-resource").to(host));
        assert_eq!(answer.reason(), Some(Reason::ResourceMetadata), "{host}");
        let document: Value = serde_json::from_str(answer.body()).unwrap();
        assert_eq!(document["resource"], "https://api.example.com/");
        assert_eq!(document["scopes_supported"], Value::Null);
        let told = shop.decide(&background("/").to(host)).header("www-authenticate").unwrap();
        let url = "https://api.example.com/.well-known/oauth-protected-resource";
        assert!(told.ends_with(&format!(r#"resource_metadata="{url}""#)), "{told}");
    }
}
