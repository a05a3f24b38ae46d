//! How the filter proves to real providers who it is, as each of them judges it.

use std::path::Path;
use std::process::Command;
use std::slice;
use std::time::Instant;

use integration_tests::envoy::Envoy;
use integration_tests::idp::{self, CLIENT_ID, CLIENT_SECRET, Idp};
use integration_tests::keycloak_admin::KeycloakAdmin;
use integration_tests::part::Work;
use integration_tests::person::Person;
use integration_tests::ports;
use integration_tests::setup::Setup;
use integration_tests::shop::{self, reason, values};
use integration_tests::upstream::Upstream;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use serde_json::{Value, json};

/// Where the gate shows its keys.
const JWKS: &str = "/oauth/jwks";

/// A key for each algorithm, as an operator might have it: PEM, and JWKs with and without a name. Nothing but tests knows them.
fn key(alg: &str) -> Value {
    match alg {
        "RS256" | "PS256" => {
            let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
            json!(key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string())
        }
        "ES256" => {
            json!({ "kty": "EC", "crv": "P-256", "kid": "one", "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI" })
        }
        "ES384" => json!({
            "kty": "EC", "crv": "P-384", "d": "wouCtU7Nw4E8_7n5C1-xBjB4xqSb_liZhYMsy8MGgxUny6Q8NCoH9xSiviwLFfK_",
        }),
        "EdDSA" => {
            json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A" })
        }
        _ => panic!("no key for {alg}"),
    }
}

fn by_key(alg: &str) -> Value {
    json!({
        "client_id": CLIENT_ID, "token_endpoint_auth_method": "private_key_jwt", "jwk": key(alg),
        "token_endpoint_auth_signing_alg": alg,
    })
}

fn by_secret(method: &str) -> Value {
    json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "token_endpoint_auth_method": method })
}

/// The gate of a setup at a provider that runs, with this client.
async fn gate(setup: Setup, idp: &Idp, client: &Value, change: impl FnOnce(&mut Value)) -> (Envoy, Upstream) {
    let upstream = Upstream::start().await;
    let mut filter = shop::filter(setup.port, &idp.issuer);
    let provider = &mut filter["providers"]["main"];
    provider["client"] = client.clone();
    provider["timeout"] = json!("5s");
    if client.get("jwk").is_some() {
        provider["jwks_path"] = json!(JWKS);
    }
    change(&mut filter);
    (Envoy::start(setup.upstream(upstream.port).cluster("idp", idp.port).filter(filter)).await, upstream)
}

/// Somebody logs in; what became of it.
async fn outcome(envoy: &Envoy, idp: &Idp, what: &str) -> Option<String> {
    let mut person = Person::new();
    let begun = Instant::now();
    let page = person.log_in(&format!("http://localhost:{}/", envoy.port), "demo", "demo").await;
    println!("{what}: {:?}", begun.elapsed());
    let refused = reason(&page.answer).map(str::to_owned);
    assert_eq!(page.answer.status == 200, refused.is_none(), "{what} {} {}", page.answer.text(), idp.log());
    refused
}

async fn at_oidc_provider(settings: &[(&str, &str)], client: &Value) -> Option<String> {
    let setup = Setup::new();
    let jwks_uri = format!("http://localhost:{}{JWKS}", setup.port);
    let mut settings = settings.to_vec();
    if client.get("jwk").is_some() {
        settings.push(("JWKS_URI", &jwks_uri));
    }
    let idp = idp::oidc_provider(slice::from_ref(&shop::redirect_uri(setup.port)), &settings).await;
    // Introspection knows us in the same way: with `reverify`, the session is asked about at each request.
    let reverify = |filter: &mut Value| filter["rules"][2]["require"] = json!({ "reverify": "introspection" });
    let (envoy, upstream) = gate(setup, &idp, client, reverify).await;
    let refused = outcome(&envoy, &idp, &client["token_endpoint_auth_method"].to_string()).await;
    if refused.is_none() {
        assert_eq!(values(&upstream.seen().pop().unwrap(), "x-user"), ["demo"]);
        assert_eq!(envoy.all_counted().await.get("calls.introspection"), Some(&1));
    }
    refused
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_provider_takes_each_method_and_no_other() {
    for method in ["client_secret_basic", "client_secret_post", "client_secret_jwt"] {
        let settings = [("TOKEN_ENDPOINT_AUTH_METHOD", method)];
        assert_eq!(at_oidc_provider(&settings, &by_secret(method)).await, None, "{method}");
        let mut wrong = by_secret(method);
        wrong["client_secret"] = json!("a-secret-of-somebody-else-s-and-nothing-more");
        assert_eq!(at_oidc_provider(&settings, &wrong).await.as_deref(), Some("client_refused"), "{method}");
    }
    // It wants another method than it gets.
    let settings = [("TOKEN_ENDPOINT_AUTH_METHOD", "client_secret_jwt")];
    let other = by_secret("client_secret_post");
    assert_eq!(at_oidc_provider(&settings, &other).await.as_deref(), Some("client_refused"));
}

#[tokio::test(flavor = "multi_thread")]
async fn oidc_provider_takes_what_each_kind_of_key_signs() {
    for alg in ["ES256", "ES384", "EdDSA", "RS256", "PS256"] {
        let settings = [("TOKEN_ENDPOINT_AUTH_METHOD", "private_key_jwt"), ("TOKEN_ENDPOINT_AUTH_ALG", alg)];
        assert_eq!(at_oidc_provider(&settings, &by_key(alg)).await, None, "{alg}");
    }
    // RFC 7523 §3: another audience, another algorithm than the one that was registered.
    let settings = [("TOKEN_ENDPOINT_AUTH_METHOD", "private_key_jwt"), ("TOKEN_ENDPOINT_AUTH_ALG", "ES256")];
    let mut elsewhere = by_key("ES256");
    elsewhere["assertion_audience"] = json!("https://elsewhere.example");
    assert_eq!(at_oidc_provider(&settings, &elsewhere).await.as_deref(), Some("client_refused"));
    assert_eq!(at_oidc_provider(&settings, &by_key("EdDSA")).await.as_deref(), Some("client_refused"));
}

/// Keycloak's checks are strict: one audience, `jti` once, a short life, the one algorithm. It takes its time to start, so one
/// test holds all.
#[tokio::test(flavor = "multi_thread")]
async fn keycloak_takes_assertions() {
    let cases = [
        ("client-jwt", "ES256", by_key("ES256"), None),
        ("client-jwt", "EdDSA", by_key("EdDSA"), None),
        ("client-jwt", "RS256", by_key("RS256"), None),
        ("client-jwt", "PS256", by_key("PS256"), None),
        ("client-secret-jwt", "HS256", by_secret("client_secret_jwt"), None),
        ("client-secret", "", by_secret("client_secret_post"), None),
        ("client-jwt", "ES256", by_key("PS256"), Some("client_refused")),
        (
            "client-jwt",
            "ES256",
            with(by_key("ES256"), "assertion_audience", "https://elsewhere.example"),
            Some("client_refused"),
        ),
        (
            "client-secret-jwt",
            "HS256",
            with(by_secret("client_secret_jwt"), "client_secret", &"of-another".repeat(5)),
            Some("client_refused"),
        ),
    ];
    let setups: Vec<Setup> = cases.iter().map(|_| Setup::new()).collect();
    let uris: Vec<String> = setups.iter().map(|setup| shop::redirect_uri(setup.port)).collect();
    let idp = idp::keycloak(&uris).await;
    let admin = KeycloakAdmin::of(&idp);
    let mut client = admin.get("/clients?clientId=demo").await[0].clone();
    let id = client["id"].as_str().unwrap().to_owned();
    for ((authenticator, alg, ours, expected), setup) in cases.into_iter().zip(setups) {
        client["clientAuthenticatorType"] = json!(authenticator);
        client["attributes"]["use.jwks.url"] = json!("true");
        client["attributes"]["jwks.url"] = json!(format!("http://localhost:{}{JWKS}", setup.port));
        client["attributes"]["token.endpoint.auth.signing.alg"] = json!(alg);
        admin.send("PUT", &format!("/clients/{id}"), &client).await;
        let reverify = |filter: &mut Value| filter["rules"][2]["require"] = json!({ "reverify": "introspection" });
        let (envoy, _upstream) = gate(setup, &idp, &ours, reverify).await;
        let found = outcome(&envoy, &idp, &format!("{authenticator} {alg}")).await;
        assert_eq!(found.as_deref(), expected, "{authenticator} {alg} {}", idp.log());
    }
}

fn with(mut client: Value, key: &str, value: &str) -> Value {
    client[key] = json!(value);
    client
}

/// RFC 8705 §2.1: the cluster's certificate says who we are, at the aliases of the endpoints alone.
#[tokio::test(flavor = "multi_thread")]
async fn keycloak_knows_us_by_the_cluster_s_certificate() {
    let work = Work::new("certificates");
    let folder = work.path().to_string_lossy().into_owned();
    certificates(work.path());
    let setups = [(); 3].map(|()| Setup::new());
    let uris = setups.each_ref().map(|setup| shop::redirect_uri(setup.port));
    let tls_port = ports::free();
    let idp = idp::keycloak_with(&uris, &[("TLS", &folder), ("TLS_PORT", &tls_port.to_string())]).await;
    let admin = KeycloakAdmin::of(&idp);
    let mut registered = admin.get("/clients?clientId=demo").await[0].clone();
    registered["clientAuthenticatorType"] = json!("client-x509");
    registered["attributes"]["x509.subjectdn"] = json!("CN=shop");
    admin.send("PUT", &format!("/clients/{}", registered["id"].as_str().unwrap()), &registered).await;

    let by_tls = json!({ "client_id": CLIENT_ID, "token_endpoint_auth_method": "tls_client_auth" });
    let cases = [(Some("shop"), None), (Some("other"), Some("client_refused")), (None, Some("client_refused"))];
    for ((certificate, expected), setup) in cases.into_iter().zip(setups) {
        let file = |name: &str| json!({ "filename": format!("{folder}/{name}") });
        let name = json!([{ "san_type": "DNS", "matcher": { "exact": "localhost" } }]);
        let mut context = json!({
            "validation_context": { "trusted_ca": file("ca.pem"), "match_typed_subject_alt_names": name },
        });
        if let Some(name) = certificate {
            let (chain, key) = (file(&format!("{name}.pem")), file(&format!("{name}.key")));
            context["tls_certificates"] = json!([{ "certificate_chain": chain, "private_key": key }]);
        }
        let setup = setup.cluster("idp_mtls", tls_port).tls("idp_mtls", context);
        let alias = |path: &str| format!("https://localhost:{tls_port}/realms/demo/protocol/openid-connect/{path}");
        let change = |filter: &mut Value| {
            filter["rules"][2]["require"] = json!({ "reverify": "introspection" });
            filter["providers"]["main"]["clusters"] = json!({ "localhost": "idp_mtls" });
            filter["providers"]["main"]["metadata"] = json!({ "mtls_endpoint_aliases": {
                "token_endpoint": alias("token"), "introspection_endpoint": alias("token/introspect"),
            } });
        };
        let (envoy, _upstream) = gate(setup, &idp, &by_tls, change).await;
        assert_eq!(outcome(&envoy, &idp, &format!("{certificate:?}")).await.as_deref(), expected, "{certificate:?}");
        let by_tls = envoy.stat("cluster.idp_mtls.ssl.handshake").await;
        assert!(by_tls > 0, "{certificate:?}");
    }
}

/// An authority, and what it signed: the provider's name, ours, and another client's.
fn certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        let done = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().expect("openssl");
        assert!(done.status.success(), "{arguments}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority"));
    for (file, name, extension) in [
        ("server", "localhost", "subjectAltName=DNS:localhost"),
        ("shop", "shop", "extendedKeyUsage=clientAuth"),
        ("other", "other", "extendedKeyUsage=clientAuth"),
    ] {
        openssl(&format!(
            "req -x509 {key} -CA ca.pem -CAkey ca.key -keyout {file}.key -out {file}.pem -subj /CN={name} -addext {extension} \
             -addext basicConstraints=critical,CA:FALSE"
        ));
    }
}
