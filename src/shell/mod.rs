//! The only code that speaks the proxy-wasm ABI: what the host calls, and what we call of the host.

mod exports;
mod host;
mod imports;
mod metrics;
mod root;
mod sign;
mod verify;

/// A VM has one thread.
#[global_allocator]
static MEMORY: oidc_proxy_wasm_memory::Memory = oidc_proxy_wasm_memory::Memory::new();
