//! The real identity providers, started as `make run` starts them.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::part::{Part, Work};
use crate::{client, keycloak_admin, ports, random_hex, root};

/// The id of the client that both providers know.
pub const CLIENT_ID: &str = "demo";
/// Its secret.
pub const CLIENT_SECRET: &str = "a-secret-for-the-demo-and-nothing-else";

/// A provider that has died is noticed at once; one on a machine that does a lot besides is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

/// The variable that names the port of a Keycloak which all test programs of a run share; `tools/test-programs.sh` sets it.
/// Without it each test that needs a Keycloak starts one.
const SHARED_KEYCLOAK: &str = "SHARED_KEYCLOAK_PORT";

/// A running provider with the user `demo`, password `demo`.
pub struct Idp {
    /// Where it listens.
    pub port: u16,
    /// Its issuer, for configuration.
    pub issuer: String,
    // None where it is shared, and lives longer than the test.
    part: Option<Part>,
    _work: Option<Work>,
}

/// Starts oidc-provider. `settings` are variables that the head of `tools/idp/oidc-provider.mjs` explains.
pub async fn oidc_provider(redirect_uris: &[String], settings: &[(&str, &str)]) -> Idp {
    oidc_provider_at(ports::free(), redirect_uris, settings).await
}

/// As [`oidc_provider`], on a given port: for one that comes back after it was away.
pub async fn oidc_provider_at(port: u16, redirect_uris: &[String], settings: &[(&str, &str)]) -> Idp {
    fetched("oidc-provider");
    let work = Work::new("oidc-provider");
    let (port_text, uris) = (port.to_string(), json!(redirect_uris).to_string());
    let mut environment = vec![("PORT", port_text.as_str()), ("REDIRECT_URIS", uris.as_str())];
    environment.extend_from_slice(settings);
    let mut part = Part::start("oidc-provider", work.path(), "node", &["tools/idp/oidc-provider.mjs"], &environment);
    part.ready(port, "/.well-known/openid-configuration", PATIENCE).await;
    Idp { port, issuer: format!("http://127.0.0.1:{port}"), part: Some(part), _work: Some(work) }
}

/// A realm of Keycloak's that belongs to this test alone. Where the run has no Keycloak to share, one is started, which takes
/// 20 s.
pub async fn keycloak(redirect_uris: &[String]) -> Idp {
    let Some(port) = env::var_os(SHARED_KEYCLOAK) else {
        return keycloak_with(redirect_uris, &[]).await;
    };
    let port = port.to_str().and_then(|port| port.parse().ok()).expect("a port for SHARED_KEYCLOAK_PORT");
    let realm = format!("demo-{}", random_hex::<6>());
    keycloak_admin::new_realm(port, &realm, redirect_uris, PATIENCE).await;
    Idp { port, issuer: format!("http://127.0.0.1:{port}/realms/{realm}"), part: None, _work: None }
}

/// Starts a Keycloak that nobody shares, with the realm `demo`, and with variables that the head of `tools/idp/keycloak.sh`
/// explains.
pub async fn keycloak_with(redirect_uris: &[String], settings: &[(&str, &str)]) -> Idp {
    fetched("keycloak");
    let work = Work::new("keycloak");
    let port = ports::free();
    let (port_text, management) = (port.to_string(), ports::free().to_string());
    let (uris, folder) = (json!(redirect_uris).to_string(), work.path().to_string_lossy().into_owned());
    let mut environment = vec![
        ("PORT", port_text.as_str()),
        ("MANAGEMENT_PORT", &management),
        ("REDIRECT_URIS", &uris),
        ("WORK", &folder),
    ];
    environment.extend_from_slice(settings);
    let mut part = Part::start("keycloak", work.path(), "tools/idp/keycloak.sh", &[], &environment);
    part.ready(port, "/realms/demo/.well-known/openid-configuration", PATIENCE).await;
    Idp { port, issuer: format!("http://127.0.0.1:{port}/realms/demo"), part: Some(part), _work: Some(work) }
}

impl Idp {
    /// What it has written; of a shared one, where to look.
    pub fn log(&self) -> String {
        self.part.as_ref().map_or_else(|| "the shared Keycloak writes to target/tests/keycloak.log".into(), Part::log)
    }

    /// Ends it, as a provider that goes away.
    ///
    /// # Panics
    /// When it is shared: a test that does this reaches it over a [`Relay`](crate::relay::Relay).
    pub fn stop(&mut self) {
        self.part.as_mut().expect("a provider that no other test shares").stop();
    }

    /// The end of the issuer's path: the name of Keycloak's realm.
    pub(crate) fn realm(&self) -> &str {
        self.issuer.rsplit('/').next().unwrap_or_default()
    }

    /// The discovery document as the provider itself gives it.
    pub async fn discovery(&self) -> serde_json::Value {
        let path = format!("{}/.well-known/openid-configuration", path_of(&self.issuer));
        client::get(self.port, &path).host(format!("127.0.0.1:{}", self.port)).send().await.json()
    }
}

fn path_of(issuer: &str) -> String {
    let url = url::Url::parse(issuer).expect("an issuer is a URL");
    url.path().trim_end_matches('/').to_owned()
}

fn fetched(provider: &str) -> PathBuf {
    let done = Command::new(root().join("tools/providers.sh")).arg(provider).output().expect("tools/providers.sh runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    PathBuf::from(String::from_utf8_lossy(&done.stdout).trim())
}
