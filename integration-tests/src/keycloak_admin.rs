//! Keycloak's admin API, as the account that lives as long as its process.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{self, Ask};
use crate::idp::Idp;
use crate::root;

/// The administrator of one realm.
pub struct KeycloakAdmin {
    port: u16,
    realm: String,
}

impl KeycloakAdmin {
    /// Of the realm that a test uses.
    pub fn of(idp: &Idp) -> KeycloakAdmin {
        KeycloakAdmin { port: idp.port, realm: idp.realm().to_owned() }
    }

    /// A request about the realm, not yet sent; `path` is below the realm's own.
    pub async fn ask(&self, method: &str, path: &str) -> Ask {
        ask(self.port, method, &format!("/{}{path}", self.realm)).await
    }

    /// What the realm says.
    pub async fn get(&self, path: &str) -> Value {
        self.ask("GET", path).await.send().await.json()
    }

    /// Changes something about the realm.
    pub async fn send(&self, method: &str, path: &str, body: &Value) {
        let ask = self.ask(method, path).await.header("content-type", "application/json");
        let answer = ask.body(body.to_string()).send().await;
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
    }
}

/// Makes a realm as `tools/idp/keycloak.sh` does, under another name, as soon as Keycloak is there.
///
/// # Panics
/// When Keycloak does not come, or does not take it.
pub(crate) async fn new_realm(port: u16, name: &str, redirect_uris: &[String], patience: Duration) {
    let deadline = Instant::now() + patience;
    while !client::get(port, "/realms/master").try_send().await.is_ok_and(|answer| answer.status == 200) {
        assert!(Instant::now() < deadline, "no Keycloak answers on port {port} after {patience:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let text = fs::read(root().join("tools/idp/keycloak-realm.json")).expect("the realm's file");
    let mut realm: Value = serde_json::from_slice(&text).expect("JSON");
    realm["realm"] = json!(name);
    realm["clients"][0]["redirectUris"] = json!(redirect_uris);
    let ask = ask(port, "POST", "").await.header("content-type", "application/json");
    let answer = ask.body(realm.to_string()).send().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

/// A request about realms. The administrator logs in for each, since the token lives for a minute only.
async fn ask(port: u16, method: &str, path: &str) -> Ask {
    let fields = [("grant_type", "password"), ("client_id", "admin-cli"), ("username", "admin"), ("password", "admin")];
    let login = client::ask("POST", port, "/realms/master/protocol/openid-connect/token");
    let answer = login.host(format!("127.0.0.1:{port}")).form(&fields).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let token = answer.json()["access_token"].as_str().expect("a token for the administrator").to_owned();
    let ask = client::ask(method, port, &format!("/admin/realms{path}")).host(format!("127.0.0.1:{port}"));
    ask.header("authorization", format!("Bearer {token}"))
}
