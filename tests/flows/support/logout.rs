//! Shops that people can log out of.

use super::{Answer, Browser, Req, Shop, Value, background, json, post};
use oidc_proxy_wasm::words::Reason;

impl Shop {
    /// One with every way to log out, whose provider names its sessions `sid-1`, and that reads bodies.
    pub fn with_logout() -> Self {
        let shop = Self::with(|config| {
            config["bodies"] = json!("readable");
            config["defaults"]["logout"] = json!({
                "path": "/oauth/logout",
                "front_channel_path": "/oauth/front",
                "back_channel_path": "/oauth/back",
            });
        });
        shop.idp.claims(|claims| claims["sid"] = json!("sid-1"));
        shop
    }

    /// The same with a landing.
    pub fn with_landing() -> Self {
        let shop = Self::with_logout();

        shop.reconfigured(|config| config["defaults"]["logout"]["landing_path"] = json!("/oauth/bye"))
    }

    /// One with an operator's endpoint, and a rule `/api` that takes JWT access tokens and looks whether they were revoked.
    pub fn with_operator() -> Self {
        let shop = Self::with_logout();

        shop.reconfigured(|config| {
            config["revocation"] = json!({ "tokens": true });
            config["operator"] = json!({
                "path": "/oauth/operator",
                "token": { "audience": ["api"] },
                "require": { "scope": ["admin"] },
            });
            let api = json!({
                "name": "api",
                "match": { "host": "shop.example.com", "path_prefix": "/api" },
                "methods": ["bearer", "introspection"],
                "token": { "audience": ["api"] },
            });
            config["rules"].as_array_mut().unwrap().insert(0, api);
        })
    }

    /// Hands a logout token in, as the provider does.
    pub fn tells(&self, token: &str) -> Answer {
        self.decide(&told(&format!("logout_token={token}")))
    }

    /// Asks the operator's endpoint for this form, as somebody who may.
    pub fn operates(&self, form: &str) -> Answer {
        let token = self.idp.jwt(|claims| claims["scope"] = json!("admin"));
        let mut request = background("/oauth/operator").bearer(&token).method("POST");
        request = request.with("content-type", "application/x-www-form-urlencoded");
        request.body = Some(form.to_owned());
        self.decide(&request)
    }

    /// What the operator's endpoint tells.
    pub fn state(&self) -> Value {
        let token = self.idp.jwt(|claims| claims["scope"] = json!("admin"));
        let answer = self.decide(&background("/oauth/operator").bearer(&token));
        assert_eq!(answer.reason(), Some(Reason::OperatorServed));
        serde_json::from_str(answer.body()).unwrap()
    }
}

/// What the provider posts to the back channel.
pub fn told(form: &str) -> Req {
    let mut request = post("/oauth/back", form);
    request.headers.retain(|(name, _)| name == "content-type");
    request
}

/// Whether a browser's session is still one.
pub fn is_in(browser: &mut Browser<'_>) -> bool {
    let answer = browser.send(&background("/"));
    assert!(answer.reason().is_none_or(|reason| reason == Reason::LoginRequired), "{:?}", answer.reason());
    answer.reason().is_none()
}
