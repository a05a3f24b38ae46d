//! Inline metadata and keys of a provider (RFC 8414 §2, RFC 7517 §5).

use super::addresses::{self, PlainHttp};
use super::nearest::slip;
use super::problem::member;
use super::section::Section;
use crate::words::json::Object;
use serde_json::Value;

/// Members that this filter reads; a misspelt one must not be taken for somebody's extension.
const READ: [&str; 11] = [
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "introspection_endpoint",
    "mtls_endpoint_aliases",
    "jwks_uri",
    "authorization_response_iss_parameter_supported",
    "code_challenge_methods_supported",
    "token_endpoint_auth_methods_supported",
    "id_token_signing_alg_values_supported",
];

/// Where clients that authenticate by TLS find endpoints (RFC 8705 §5).
pub(super) const ALIASES: &str = "mtls_endpoint_aliases";

/// Members of a JWK that only the holder of a private or secret key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

/// Whether nothing is left to discover.
pub(super) fn is_whole(section: &Section) -> bool {
    let Some(metadata) = section.value("metadata").and_then(Value::as_object) else {
        return false;
    };
    let has = |name: &str| metadata.get(name).is_some_and(Value::is_string);
    has("authorization_endpoint") && has("token_endpoint") && (has("jwks_uri") || section.has("jwks"))
}

/// Reads `metadata` and checks it and `jwks`.
pub(super) fn read(section: &Section, http: PlainHttp) -> Object {
    check_keys(section);
    let mut metadata = Object::new();
    for (name, value) in section.members("metadata") {
        if let Err(message) = check_member(section, name, value, http) {
            section.context.problems.add(member(&section.at("metadata"), name), message);
        }
        metadata.insert(name.to_owned(), value.clone());
    }
    metadata
}

fn check_member(section: &Section, name: &str, value: &Value, http: PlainHttp) -> Result<(), String> {
    if name == "issuer" {
        let same = value.as_str() == section.text("issuer");
        return if same { Ok(()) } else { Err("is not the configured issuer".into()) };
    }
    if name.ends_with("_endpoint") || name == "jwks_uri" {
        let text = value.as_str().ok_or("needs a URL as text")?;
        addresses::url(text, http)?;
    }
    if name == ALIASES {
        let aliases = value.as_object().ok_or("needs an object of URLs (RFC 8705 §5)")?;
        for alias in aliases.values() {
            addresses::url(alias.as_str().ok_or("needs an object of URLs (RFC 8705 §5)")?, http)?;
        }
    }
    match slip(name, READ) {
        Some(near) if near != name => Err(format!("unknown metadata; nearest is \"{near}\"")),
        _ => Ok(()),
    }
}

fn check_keys(section: &Section) {
    let Some(jwks) = section.value("jwks") else {
        return;
    };
    let path = member(&section.at("jwks"), "keys");
    let problems = &section.context.problems;
    let Some(keys) = jwks.get("keys").and_then(Value::as_array).filter(|keys| !keys.is_empty()) else {
        return problems.add(path, "needs a list of at least one key (RFC 7517 §5.1)");
    };
    for (place, key) in keys.iter().enumerate() {
        let path = format!("{path}[{place}]");
        match key.as_object() {
            None => problems.add(path, "is not an object (RFC 7517 §4)"),
            Some(key) if PRIVATE.iter().any(|name| key.contains_key(*name)) => {
                problems.add(path, "is a private or secret key: only public keys belong here");
            }
            Some(key) if !key.get("kty").is_some_and(Value::is_string) => {
                problems.add(path, "has no kty (RFC 7517 §4.1)")
            }
            Some(_) => {}
        }
    }
}
