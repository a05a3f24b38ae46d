//! How we authenticate at a provider's endpoints: RFC 6749 §2.3, OIDC Core §9.

use crate::config::{Client, ClientAuthentication};
use crate::http::form;
use crate::words::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a request carries to authenticate us. Exactly one method is used (§2.3).
pub struct Authentication {
    /// Header fields.
    pub headers: Vec<(String, Secret)>,
    /// Form fields.
    pub fields: Vec<(&'static str, Secret)>,
}

/// The authentication that our registration asks for.
pub fn authentication(client: &Client) -> Authentication {
    let secret = client.client_secret.as_ref().and_then(Secret::expose_text).unwrap_or_default();
    let id = ("client_id", Secret::new(client.client_id.as_str()));
    match client.authentication {
        ClientAuthentication::Basic => {
            // §2.3.1: both parts are form-encoded first, so that `:`, `+`, `%` and others survive.
            let pair = format!("{}:{}", form::encode(&client.client_id), form::encode(secret));
            let value = Secret::new(format!("Basic {}", STANDARD.encode(pair)));
            Authentication { headers: vec![("authorization".to_owned(), value)], fields: Vec::new() }
        }
        ClientAuthentication::Post => {
            Authentication { headers: Vec::new(), fields: vec![id, ("client_secret", Secret::new(secret))] }
        }
        ClientAuthentication::None => Authentication { headers: Vec::new(), fields: vec![id] },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(authentication: ClientAuthentication) -> (Vec<String>, Vec<(&'static str, String)>) {
        let client = Client {
            client_id: "a:b c".to_owned(),
            client_secret: Some(Secret::new("p%+/=é&")),
            authentication,
            id_token_signed_response_alg: None,
            introspection_signed_response_alg: None,
        };
        let text = |secret: &Secret| secret.expose_text().unwrap().to_owned();
        let shown = super::authentication(&client);
        let headers = shown.headers.iter().map(|(name, value)| format!("{name}: {}", text(value))).collect();
        (headers, shown.fields.iter().map(|(name, value)| (*name, text(value))).collect())
    }

    // G02: the originals come out again at the other end.
    #[test]
    fn basic_carries_form_encoded_parts() {
        let (headers, fields) = shown(ClientAuthentication::Basic);
        let encoded = headers[0].strip_prefix("authorization: Basic ").unwrap();
        assert_eq!(STANDARD.decode(encoded).unwrap(), b"a%3Ab+c:p%25%2B%2F%3D%C3%A9%26");
        assert!(fields.is_empty());
    }

    #[test]
    fn exactly_one_method_is_used() {
        let (headers, fields) = shown(ClientAuthentication::Post);
        assert!(headers.is_empty());
        assert_eq!(fields, [("client_id", "a:b c".to_owned()), ("client_secret", "p%+/=é&".to_owned())]);
        let (headers, fields) = shown(ClientAuthentication::None);
        assert!(headers.is_empty());
        assert_eq!(fields, [("client_id", "a:b c".to_owned())]);
    }
}
