//! Keycloak's admin API for the realm `demo`, as the account that lives as long as its process.

use serde_json::Value;

use crate::client::{self, Ask};
use crate::idp::Idp;

/// The administrator, logged in.
pub struct KeycloakAdmin {
    port: u16,
    token: String,
}

impl KeycloakAdmin {
    /// Logs in.
    pub async fn log_in(idp: &Idp) -> KeycloakAdmin {
        let fields =
            [("grant_type", "password"), ("client_id", "admin-cli"), ("username", "admin"), ("password", "admin")];
        let path = "/realms/master/protocol/openid-connect/token";
        let ask = client::ask("POST", idp.port, path).host(format!("127.0.0.1:{}", idp.port));
        let answer = ask.form(&fields).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let token = answer.json()["access_token"].as_str().expect("a token for the administrator").to_owned();
        KeycloakAdmin { port: idp.port, token }
    }

    /// A request about the realm, not yet sent; `path` is below the realm's own.
    pub fn ask(&self, method: &str, path: &str) -> Ask {
        let ask = client::ask(method, self.port, &format!("/admin/realms/demo{path}"));
        ask.host(format!("127.0.0.1:{}", self.port)).header("authorization", format!("Bearer {}", self.token))
    }

    /// What the realm says.
    pub async fn get(&self, path: &str) -> Value {
        self.ask("GET", path).send().await.json()
    }

    /// Changes something about the realm.
    pub async fn send(&self, method: &str, path: &str, body: &Value) {
        let ask = self.ask(method, path).header("content-type", "application/json");
        let answer = ask.body(body.to_string()).send().await;
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
    }
}
