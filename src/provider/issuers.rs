//! Which `iss` an access token of a provider may have: OIDC Core §3.1.3.7, RFC 9068 §4, and the quirks of providers.

use crate::config::{Provider, TENANT};
use crate::words::json::Object;
use serde_json::Value;

/// Whether a token that says `issuer` and these claims may be the provider's.
///
/// Byte for byte; in an accepted issuer `{tenantid}` stands for the value of `tid`, which is one plain segment of a path.
pub fn accepts(provider: &Provider, issuer: &str, claims: &Object) -> bool {
    let is_accepted = |accepted: &String| match accepted.split_once(TENANT) {
        None => accepted == issuer,
        Some((before, after)) => tenant(claims).is_some_and(|tenant| {
            issuer.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)) == Some(tenant)
        }),
    };
    issuer == provider.issuer || provider.accepted_issuers.iter().any(is_accepted)
}

fn tenant(claims: &Object) -> Option<&str> {
    let tenant = claims.get("tid").and_then(Value::as_str)?;
    let plain = tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (plain && !tenant.is_empty()).then_some(tenant)
}
