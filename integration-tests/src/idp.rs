//! The real identity providers, started as `make run` starts them.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::part::{Part, Work};
use crate::{client, ports, root};

/// The id of the client that both providers know.
pub const CLIENT_ID: &str = "demo";
/// Its secret.
pub const CLIENT_SECRET: &str = "a-secret-for-the-demo-and-nothing-else";

/// A provider that has died is noticed at once; one on a machine that does a lot besides is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running provider with the user `demo`, password `demo`.
pub struct Idp {
    /// Where it listens.
    pub port: u16,
    /// Its issuer, for configuration.
    pub issuer: String,
    part: Part,
    _work: Work,
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
    Idp { port, issuer: format!("http://127.0.0.1:{port}"), part, _work: work }
}

/// Starts Keycloak with the realm `demo`; this takes 20 s, so tests of one program share it.
pub async fn keycloak(redirect_uris: &[String]) -> Idp {
    keycloak_with(redirect_uris, &[]).await
}

/// As [`keycloak`], with variables that the head of `tools/idp/keycloak.sh` explains.
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
    Idp { port, issuer: format!("http://127.0.0.1:{port}/realms/demo"), part, _work: work }
}

impl Idp {
    /// What it has written.
    pub fn log(&self) -> String {
        self.part.log()
    }

    /// Ends it, as a provider that goes away.
    pub fn stop(&mut self) {
        self.part.stop();
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
