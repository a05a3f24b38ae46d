//! The userinfo endpoint: OIDC Core §5.3.

use super::{Metadata, request};
use crate::config;
use crate::words::json::Object;
use crate::words::{Reason, Refusal, Secret};
use crate::world::{Endpoint, ProviderResponse, World};
use serde_json::Value;

/// The largest userinfo answer that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// Claims about the authentication and the ID token itself (OIDC Core §2), which userinfo cannot add.
pub const OF_THE_LOGIN: [&str; 9] = ["iss", "aud", "exp", "iat", "nonce", "azp", "acr", "amr", "auth_time"];

/// Adds what userinfo says to the claims of an ID token. What the signed token says stands: userinfo adds, it does not change
/// (attack I18), and of the login itself it says nothing.
pub fn add(claims: &mut Object, said: Object) {
    for (name, value) in said {
        if !OF_THE_LOGIN.contains(&name.as_str()) {
            claims.entry(name).or_insert(value);
        }
    }
}

/// The claims about `subject` that `access_token` opens. An answer about anybody else is dropped whole (§5.3.2).
pub async fn fetch(
    world: &World,
    settings: &config::Provider,
    metadata: &Metadata,
    access_token: &Secret,
    subject: &str,
) -> Result<Object, Refusal> {
    let endpoint = metadata.userinfo_endpoint.as_ref().ok_or_else(|| {
        let detail = "login.userinfo is on, and the provider has no userinfo_endpoint";
        Refusal::new(Reason::DiscoveryInvalid, detail)
    })?;
    let mut request = request::get(settings, Endpoint::Userinfo, endpoint, LARGEST)?;
    let bearer = format!("Bearer {}", access_token.expose_text().unwrap_or_default());
    request.headers.push(("authorization".to_owned(), Secret::new(bearer)));
    let response = request::send(&**world, settings, request, Reason::UserinfoUnavailable).await?;
    read(settings, &response, subject)
}

fn read(settings: &config::Provider, response: &ProviderResponse, subject: &str) -> Result<Object, Refusal> {
    let refusal = |reason, what: String| Refusal::new(reason, format!("provider={}: {what}", settings.name));
    if response.status != 200 {
        let reason = match response.status {
            401 | 403 => Reason::UserinfoRefused,
            429 | 500..=599 => Reason::UserinfoUnavailable,
            _ => Reason::UserinfoInvalid,
        };
        return Err(refusal(reason, format!("the userinfo endpoint answered {}", response.status)));
    }
    if !response.is("application/json") {
        return Err(refusal(Reason::UserinfoInvalid, "the userinfo answer is not application/json".to_owned()));
    }
    let claims = response
        .json()
        .map_err(|_| refusal(Reason::UserinfoInvalid, "the userinfo answer is not one JSON object".to_owned()))?;
    match claims.get("sub") {
        Some(Value::String(found)) if found == subject => Ok(claims),
        Some(Value::String(_)) => {
            Err(refusal(Reason::UserinfoSubjectMismatch, "userinfo is about another subject".to_owned()))
        }
        _ => Err(refusal(Reason::UserinfoInvalid, "sub is missing in userinfo, or no text".to_owned())),
    }
}
