//! Answers that a test puts in place of the provider's own.

use super::{CallError, Value};
use oidc_proxy_wasm::world::ProviderResponse;

/// What an endpoint answers.
#[derive(Clone, Debug)]
pub struct Reply(pub Result<ProviderResponse, CallError>);

impl Reply {
    /// JSON with this status.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::of(status, "application/json", body.to_string())
    }

    /// Any status, type and body.
    pub fn of(status: u16, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        Self(Ok(ProviderResponse {
            status,
            content_type: Some(content_type.to_owned()),
            cache_control: None,
            grpc_status: None,
            body: body.as_ref().to_vec(),
        }))
    }

    /// No answer at all.
    pub fn nothing() -> Self {
        Self(Err(CallError::NoAnswer))
    }

    /// The host's own word that there is no call.
    pub fn failed(error: CallError) -> Self {
        Self(Err(error))
    }
}
