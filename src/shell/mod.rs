//! The only code that speaks the proxy-wasm ABI: what the host calls, and what we call of the host.

mod exports;
mod host;
mod imports;
mod metrics;
mod root;
mod sign;
mod stream;
mod verify;
