//! A host that has nothing.

use oidc_proxy_wasm::words::UnixTime;
use oidc_proxy_wasm::world::{CallError, Hash, Host, HostCheck, LocalFuture, Metric, NotWritten, Version};
use oidc_proxy_wasm::world::{ProviderRequest, ProviderResponse};
use std::time::Duration;

pub struct BareHost;

impl Host for BareHost {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(1_700_000_000)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }

    fn call(&self, _: ProviderRequest) -> LocalFuture<Result<ProviderResponse, CallError>> {
        Box::pin(async { Err(CallError::UnknownCluster) })
    }

    fn sleep(&self, _: Duration) -> LocalFuture<()> {
        Box::pin(async {})
    }

    fn spawn(&self, _: LocalFuture<()>) {}

    fn verify_signature(&self, _: Hash, _: &[u8], _: &[u8], _: &[u8]) -> HostCheck {
        HostCheck::Unable
    }

    fn shared(&self, _: &str) -> Option<(Vec<u8>, Version)> {
        None
    }

    fn share(&self, _: &str, _: &[u8], _: Version) -> Result<(), NotWritten> {
        Err(NotWritten)
    }

    fn count(&self, _: Metric) {}

    fn log(&self, _: log::Level, _: &str) {}
}
