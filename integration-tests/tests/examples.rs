//! Every configuration that we show starts, and none leaves out what keeps people safe.

use std::fs;

use integration_tests::client::get;
use integration_tests::envoy::{Envoy, Ports};
use integration_tests::upstream::Upstream;
use integration_tests::{ports, random_hex, root};

/// Whoever holds the provider's name holds every account: an example that speaks to one over TLS has all of these.
const VERIFIED_TLS: [&str; 3] = ["sni: ", "trusted_ca:", "match_typed_subject_alt_names:"];

/// What each Envoy configuration with the filter has.
const SAFE: [&str; 6] = [
    "failure_policy: FAIL_RELOAD",
    "vm_id: ",
    "normalize_path: true",
    "merge_slashes: true",
    "path_with_escaped_slashes_action: REJECT_REQUEST",
    "headers_with_underscores_action: DROP_HEADER",
];

fn examples() -> Vec<(String, String)> {
    let folder = fs::read_dir(root().join("envoy-config")).unwrap();
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap()))
        .collect()
}

/// Starts an example on free ports, its service being ours, and asks for a path that needs no login.
async fn comes_up(file: &str, host: &str, replace: Vec<(&str, String)>) {
    let _envoy = started(file, host, replace).await;
}

/// As [`comes_up`], and an API refuses who brings no token.
async fn api_comes_up(file: &str, challenge: &str) {
    let envoy = started(file, "api.example.com", Vec::new()).await;
    let answer = get(envoy.port, "/orders").host("api.example.com").send().await;
    assert_eq!((answer.status, answer.header("x-oidc-reason")), (401, Some("access_token_required")), "{file}");
    assert_eq!(answer.header("www-authenticate"), Some(challenge), "{file}");
}

async fn started(file: &str, host: &str, mut replace: Vec<(&str, String)>) -> Envoy {
    let upstream = Upstream::start().await;
    let ports = Ports { gate: ports::free(), admin: ports::free() };
    replace.push(("port_value: 9901", format!("port_value: {}", ports.admin)));
    replace.push(("port_value: 10000", format!("port_value: {}", ports.gate)));
    replace.push(("port_value: 8080", format!("port_value: {}", upstream.port)));
    let key = random_hex::<32>();
    // RFC 8410 §10.3, as openssl writes it.
    let client_key = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";
    let env = [
        ("GATEWAY_TOKEN_KEY", key.as_str()),
        ("NIGHTLY_SECRET", key.as_str()),
        ("SESSION_KEY", key.as_str()),
        ("CLIENT_SECRET", "a-secret-for-the-demo-and-nothing-else"),
        ("CLIENT_KEY", client_key),
    ];
    let envoy = Envoy::start_example(file, &replace, ports, &env).await;
    let answer = get(envoy.port, "/public/page").host(host).send().await;
    assert_eq!((answer.status, answer.json()["path"].as_str()), (200, Some("/public/page")), "{file}");
    envoy
}

#[tokio::test(flavor = "multi_thread")]
async fn login_oidc_provider_comes_up() {
    comes_up("login-oidc-provider.yaml", "localhost:10000", Vec::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn login_keycloak_comes_up_and_asks_before_it_logs_out() {
    let envoy = started("login-keycloak.yaml", "shop.example.com", Vec::new()).await;
    let ask = get(envoy.port, "/oauth/logout").host("shop.example.com").header("accept", "text/html");
    let answer = ask.header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document").send().await;
    assert_eq!((answer.status, answer.header("x-oidc-reason")), (200, Some("logout_asked")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_by_private_key_comes_up_and_shows_the_public_one() {
    let envoy = started("login-private-key.yaml", "shop.example.com", Vec::new()).await;
    let keys = get(envoy.port, "/oauth/jwks").host("shop.example.com").send().await.json();
    assert_eq!((&keys["keys"][0]["crv"], keys["keys"][0].get("d")), (&serde_json::json!("Ed25519"), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn login_store_comes_up() {
    comes_up("login-store.yaml", "shop.example.com", Vec::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn login_form_post_comes_up() {
    comes_up("login-form-post.yaml", "shop.example.com", Vec::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn api_jwt_comes_up() {
    let metadata = "https://api.example.com/.well-known/oauth-protected-resource";
    let challenge = format!(r#"Bearer realm="api.example.com", scope="orders:read", resource_metadata="{metadata}""#);
    api_comes_up("api-jwt.yaml", &challenge).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn api_opaque_comes_up() {
    api_comes_up("api-opaque.yaml", r#"Bearer realm="oidc", scope="orders:read""#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn api_jwt_and_opaque_comes_up() {
    api_comes_up("api-jwt-and-opaque.yaml", r#"Bearer realm="oidc", scope="orders:read""#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gateway_tokens_comes_up() {
    api_comes_up("gateway-tokens.yaml", r#"Bearer realm="oidc", scope="orders:read""#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn api_grants_comes_up() {
    api_comes_up("api-grants.yaml", r#"Bearer realm="oidc", scope="orders:read""#).await;
}

#[test]
fn every_example_that_envoy_can_start_is_started_here() {
    let started = [
        "api-grants.yaml",
        "api-jwt-and-opaque.yaml",
        "api-jwt.yaml",
        "api-opaque.yaml",
        "demo.yaml",
        "gateway-tokens.yaml",
        "login-form-post.yaml",
        "login-keycloak.yaml",
        "login-oidc-provider.yaml",
        "login-private-key.yaml",
        "login-store.yaml",
    ];
    let found: Vec<_> =
        examples().into_iter().map(|(name, _)| name).filter(|name| !name.starts_with("istio-")).collect();
    assert_eq!(found, started, "demo.yaml is started by the tests of make run");
}

#[test]
fn every_example_is_safe() {
    for (name, text) in examples().iter().filter(|(name, _)| !name.starts_with("istio-")) {
        for needed in SAFE {
            assert!(text.contains(needed), "{name} lacks {needed}");
        }
        assert_eq!(text.matches("envoy.wasm.runtime.v8").count(), text.matches("FAIL_RELOAD").count() - comments(text));
        // One that calls nobody over TLS has nobody to verify.
        let plain = text.contains("allow_http: true") || !text.contains("providers:");
        for needed in VERIFIED_TLS {
            assert!(plain || text.contains(needed), "{name} lacks {needed}");
        }
        assert!(!text.contains("FAIL_OPEN\n"), "{name} fails open");
    }
}

/// How often a comment names the policy.
fn comments(text: &str) -> usize {
    text.lines().filter(|line| line.trim_start().starts_with('#') && line.contains("FAIL_RELOAD")).count()
}

#[test]
fn every_example_has_a_vm_id_of_its_own() {
    let mut seen = Vec::new();
    for (name, text) in examples() {
        let mut ids: Vec<_> =
            text.lines().filter_map(|line| line.trim().strip_prefix("vm_id: ")).map(str::to_owned).collect();
        ids.dedup();
        for id in ids {
            assert!(!seen.contains(&id), "{name} repeats {id}");
            seen.push(id);
        }
    }
    assert_eq!(seen.len(), 12);
}

#[test]
fn the_istio_examples_fail_closed_and_verify_the_provider() {
    let text: String =
        examples().into_iter().filter(|(name, _)| name.starts_with("istio-")).map(|(_, text)| text).collect();
    let needed = [
        "failStrategy: FAIL_RELOAD",
        "failure_policy: FAIL_RELOAD",
        "mode: SIMPLE",
        "sni: idp.example.com",
        "subjectAltNames: [idp.example.com]",
        "caCertificates: system",
        "normalize_path: true",
    ];
    for needed in needed {
        assert!(text.contains(needed), "{needed}");
    }
}
