//! The players: a shop behind the filter, its identity provider, and a browser.

mod answer;
mod browser;
mod idp;
mod idp_answers;
mod jar;
mod keys;
mod logout;
mod request;
mod shop;

pub use answer::Answer;
pub use browser::Browser;
pub use idp::EVENT;
pub use idp::Idp;
pub use idp_answers::Reply;
pub use keys::Signer;
pub use logout::{is_in, told};
pub use request::{Req, background, get, post};
pub use shop::{BATCH_SECRET, CALLBACK, CLIENT_SECRET, ISSUER, SHOP, Shop, WATCH_SECRET};

pub use oidc_proxy_wasm::words::Reason;
pub use oidc_proxy_wasm::world::{CallError, Endpoint};
pub use serde_json::{Value, json};
