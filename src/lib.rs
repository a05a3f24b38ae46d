//! OpenID Connect relying party and OAuth 2.0 resource server for proxy-wasm hosts.
//!
//! `docs/architecture.md` follows one request through the floors below, top to bottom.

pub mod cache;
pub mod config;
pub mod exchange;
pub mod gateway;
pub mod http;
pub mod jose;
pub mod methods;
pub mod policy;
pub mod provider;
pub mod runtime;
pub mod seal;
pub mod session;
pub mod store;
pub mod words;
pub mod world;

#[cfg(target_arch = "wasm32")]
mod shell;
