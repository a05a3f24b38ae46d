//! The revocation endpoint: RFC 7009.

use super::{Provider, request};
use crate::http::{Url, form};
use crate::words::{Reason, Refusal, Secret};
use crate::world::{Endpoint, Host, ProviderRequest};
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
            let sent = match self.revocation_of(&**host, endpoint, token, hint) {
                Ok(request) => request::send(&**host, &self.settings, request, Reason::TokenUnavailable).await,
                Err(refusal) => Err(refusal),
            };
            let trouble = match sent {
                // §2.2: 200 for a token that is unknown, too.
                Ok(response) if response.status == 200 => continue,
                Ok(response) => format!("status {}", response.status),
                Err(refusal) => refusal.detail().to_owned(),
            };
            let name = &self.settings.name;
            host.log(log::Level::Warn, &format!("provider={name}: a {hint} was not revoked there: {trouble}"));
        }
    }

    fn revocation_of(
        &self,
        host: &dyn Host,
        endpoint: &Url,
        token: &Secret,
        hint: &str,
    ) -> Result<Box<ProviderRequest>, Refusal> {
        let authentication = self.registration.authentication(host, Endpoint::Revocation)?;
        let client = authentication.fields.iter().map(|(name, value)| (*name, text(value)));
        let body = form::write([("token", text(token)), ("token_type_hint", hint)].into_iter().chain(client));
        let mut request = request::post(&self.settings, Endpoint::Revocation, endpoint, body, LARGEST)?;
        request.headers.extend(authentication.headers);
        Ok(request)
    }
}

fn text(secret: &Secret) -> &str {
    secret.expose_text().unwrap_or_default()
}
