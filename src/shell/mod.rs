//! The only code that names `proxy_wasm`: what the host calls, and what we call of the host.

mod host;
mod imports;
mod metrics;
mod root;
mod stream;
mod verify;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|id| Box::new(root::Root::new(id)));
}}
