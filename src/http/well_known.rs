//! Paths that standards chose.

use super::Url;

/// Where a resource's metadata stand on its host (RFC 9728 §3.1).
pub fn resource_path(resource: &Url) -> String {
    inserted("oauth-protected-resource", resource)
}

/// Where an issuer's metadata stand on its host (RFC 8414 §3.1).
pub fn issuer_path(issuer: &Url) -> String {
    inserted("oauth-authorization-server", issuer)
}

/// Between host and path.
fn inserted(name: &str, url: &Url) -> String {
    let path = url.path();
    format!("/.well-known/{name}{}", path.strip_suffix('/').unwrap_or(path))
}
