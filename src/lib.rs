//! OpenID Connect relying party and OAuth 2.0 resource server for proxy-wasm hosts.
//!
//! `docs/architecture.md` follows one request through the floors below, top to bottom.

pub mod config;
pub mod http;
pub mod jose;
pub mod words;
pub mod world;

#[cfg(target_arch = "wasm32")]
mod shell;
