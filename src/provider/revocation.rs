//! The revocation endpoint: RFC 7009.

use super::{Provider, client_auth, request};
use crate::http::form;
use crate::words::{Reason, Secret};
use crate::world::{Endpoint, Host};
use std::rc::Rc;

/// The largest answer that is read, in bytes; it is not looked at.
const LARGEST: usize = 64 * 1024;

impl Provider {
    /// Revokes a session's tokens, the refresh token first (§2.1), if the provider has an endpoint for it. What goes wrong is
    /// logged and delays nobody: the session is over here in any case.
    pub async fn revoke(&self, host: &Rc<dyn Host>, refresh_token: Option<Secret>, access_token: Option<Rc<Secret>>) {
        let Ok(metadata) = self.metadata(host).await else { return };
        let Some(endpoint) = &metadata.revocation_endpoint else { return };
        let tokens = [("refresh_token", refresh_token.as_ref()), ("access_token", access_token.as_deref())];
        for (hint, token) in tokens.into_iter().filter_map(|(hint, token)| Some((hint, token?))) {
            let authentication = client_auth::authentication(&self.settings.client);
            let client = authentication.fields.iter().map(|(name, value)| (*name, text(value)));
            let body = form::write([("token", text(token)), ("token_type_hint", hint)].into_iter().chain(client));
            let sent = match request::post(&self.settings, Endpoint::Revocation, endpoint, body, LARGEST) {
                Ok(mut request) => {
                    request.headers.extend(authentication.headers);
                    request::send(&**host, &self.settings, request, Reason::TokenUnavailable).await
                }
                Err(refusal) => Err(refusal),
            };
            let trouble = match sent {
                // §2.2: 200 for a token that is unknown, too.
                Ok(response) if response.status == 200 => continue,
                Ok(response) => format!("status {}", response.status),
                Err(refusal) => refusal.detail,
            };
            let name = &self.settings.name;
            host.log(log::Level::Warn, &format!("provider={name}: a {hint} was not revoked there: {trouble}"));
        }
    }
}

fn text(secret: &Secret) -> &str {
    secret.expose_text().unwrap_or_default()
}
