//! Logout tokens (OIDC Back-Channel Logout §2.4).

use super::super::{ISSUER, Value, json};
use super::Idp;
use oidc_proxy_wasm::world::Host;

/// The member of `events` that makes a token a logout token.
pub const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

impl Idp {
    /// A good logout token for the person's session `sid-1`, its claims bent. Each has a name of its own.
    pub fn logout_token(&self, claims: impl Fn(&mut Value)) -> String {
        self.logout_token_with(|_| {}, claims)
    }

    /// The same with its header bent too.
    pub fn logout_token_with(&self, header: impl Fn(&mut Value), claims: impl Fn(&mut Value)) -> String {
        let mut state = self.0.borrow_mut();
        let now = state.script.now().as_secs();
        let mut said = json!({
            "iss": ISSUER, "aud": "shop", "iat": now, "exp": now + 120, "sub": "u-1", "sid": "sid-1",
            "jti": format!("logout-{}", state.secrets.len()), "events": { (EVENT): {} },
        });
        claims(&mut said);
        let mut head = state.signer.header();
        head["typ"] = json!("logout+jwt");
        header(&mut head);
        let token = state.signer.sign(&head, &said);
        state.secrets.push(token.clone());
        token
    }
}
