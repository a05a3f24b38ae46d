//! What the integration tests stand on: programs that start and end with a test, and people who use them.
//!
//! | file | who |
//! |---|---|
//! | [`envoy`] | the real Envoy with the built filter, and its log |
//! | [`setup`] | the configuration such an Envoy gets |
//! | [`api`] | a gate for access tokens, and what callers send to it |
//! | [`shop`] | a gate with login, its provider and its service, as most journeys have them |
//! | [`idp`] | the real identity providers |
//! | [`keycloak_admin`] | the account that changes things at Keycloak |
//! | [`tokens`] | what those give to clients and people |
//! | [`relay`] | a way to one of them that is long, or is cut |
//! | [`hostile`] | one that lies, stalls and breaks as a test tells it to |
//! | [`ratelimit`] | services that count for several gates |
//! | [`store`] | Redis behind Webdis, in which several gates keep sessions |
//! | [`upstream`] | the service behind the gate, which remembers what it saw |
//! | [`client`] | HTTP as exact as a test needs it |
//! | [`person`] | someone with cookies who follows redirects and fills in forms |
//! | [`browser`] | headless Chromium |
//! | [`part`], [`ports`] | programs and where they listen |
//!
//! Helpers panic with a sentence: a test that cannot have what it needs has failed.

pub mod api;
pub mod browser;
pub mod client;
pub mod envoy;
pub mod hostile;
pub mod idp;
pub mod keycloak_admin;
pub mod part;
pub mod person;
pub mod ports;
pub mod ratelimit;
pub mod relay;
pub mod setup;
pub mod shop;
pub mod signer;
pub mod store;
pub mod tokens;
pub mod upstream;

use std::env;
use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is a folder of the repository")
}

/// The built filter: `dist/oidc_proxy_wasm.wasm`, or the one that `MODULE` names.
///
/// # Panics
/// When it has not been built.
pub fn module() -> PathBuf {
    let module = env::var_os("MODULE").map_or_else(|| root().join("dist/oidc_proxy_wasm.wasm"), PathBuf::from);
    assert!(module.is_file(), "{} is not there: make wasm", module.display());
    module
}

/// Whether a module was built with the feature `panic-after-refresh`.
///
/// # Panics
/// When it cannot be read.
pub fn may_panic_when_told(module: &Path) -> bool {
    let words = b"as the token answer said";
    std::fs::read(module).expect("a module").windows(words.len()).any(|found| found == words)
}

/// `N` random bytes as lower-case hex.
pub fn random_hex<const N: usize>() -> String {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
