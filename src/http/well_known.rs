//! Paths that standards chose.

use super::Url;

/// Where a resource's metadata stand on its host: inserted between host and path (RFC 9728 §3.1).
pub fn resource_path(resource: &Url) -> String {
    let path = resource.path();
    format!("/.well-known/oauth-protected-resource{}", path.strip_suffix('/').unwrap_or(path))
}
