//! The grants that need no browser: RFC 6749 §4.3, §4.4, and refresh tokens that were got elsewhere.

use super::super::{ISSUER, Reply, Value, json};
use super::{Idp, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use oidc_proxy_wasm::http::form;
use oidc_proxy_wasm::world::{Host, ProviderRequest};
use std::collections::HashMap;

/// Who may have tokens.
#[derive(Default)]
pub struct Granting {
    /// Whether access tokens are JWTs for `api`.
    pub jwts: bool,
    users: HashMap<String, String>,
    clients: HashMap<String, String>,
    assertions: Vec<String>,
}

impl Idp {
    /// Gives JWTs as access tokens from now on.
    pub fn gives_jwts(&self) {
        self.0.borrow_mut().granting.jwts = true;
    }

    /// Knows a user by this password.
    pub fn knows_user(&self, name: &str, password: &str) {
        let mut state = self.0.borrow_mut();
        state.granting.users.insert(name.to_owned(), password.to_owned());
        state.secrets.push(password.to_owned());
    }

    /// Knows a client by this secret.
    pub fn knows_client_by(&self, id: &str, secret: &str) {
        let mut state = self.0.borrow_mut();
        state.granting.clients.insert(id.to_owned(), secret.to_owned());
        state.secrets.push(secret.to_owned());
    }

    /// Takes this assertion for the client `batch`.
    pub fn takes_assertion(&self, assertion: &str) {
        self.0.borrow_mut().granting.assertions.push(assertion.to_owned());
    }

    /// A refresh token that somebody got by a program of its own.
    pub fn refresh_token(&self) -> String {
        self.gives_refresh_tokens();
        let params = [("nonce", "another program's"), ("scope", "openid email")];
        let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        let token = self.first_refresh_token(&params).unwrap();
        self.0.borrow_mut().secrets.push(token.clone());
        token
    }

    /// RFC 6749 §4.4: the client is the caller, by Basic or by its assertion, and nobody else.
    pub(super) fn client_credentials(&self, request: &ProviderRequest, fields: &HashMap<String, String>) -> Reply {
        assert!(!fields.contains_key("client_secret"));
        let shown = header(request, "authorization");
        let pair = shown.strip_prefix("Basic ").and_then(|encoded| STANDARD.decode(encoded).ok());
        let pair = pair.and_then(|pair| String::from_utf8(pair).ok()).unwrap_or_default();
        let decoded = |text: &str| form::parse(&format!("x={text}")).unwrap().pop().unwrap().1;
        let id = {
            let granting = &self.0.borrow().granting;
            match (pair.split_once(':'), fields.get("client_assertion")) {
                (Some((id, secret)), None) => {
                    let (id, secret) = (decoded(id), decoded(secret));
                    (granting.clients.get(&id) == Some(&secret)).then_some(id)
                }
                (None, Some(assertion)) => granting.assertions.contains(assertion).then(|| "batch".to_owned()),
                _ => None,
            }
        };
        let Some(id) = id else { return Reply::json(401, &json!({ "error": "invalid_client" })) };
        self.answer_to(fields, &json!({ "sub": id, "client_id": id, "preferred_username": id }), "client_credentials")
    }

    /// RFC 6749 §4.3: the client is the shop, which was judged before.
    pub(super) fn password(&self, fields: &HashMap<String, String>) -> Reply {
        let known = self.0.borrow().granting.users.get(&fields["username"]) == Some(&fields["password"]);
        if !known {
            return Reply::json(400, &json!({ "error": "invalid_grant" }));
        }
        let person = self.0.borrow().person.clone();
        self.answer_to(fields, &person, "password")
    }

    fn answer_to(&self, fields: &HashMap<String, String>, claims: &Value, grant: &str) -> Reply {
        let said = |token: &mut Value| token.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let jwts = self.0.borrow().granting.jwts;
        let access_token = if jwts { self.jwt(said) } else { self.opaque(said) };
        let state = self.0.borrow_mut();
        let mut answer = json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": 300 });
        let is_openid = fields.get("scope").is_some_and(|scope| scope.split(' ').any(|value| value == "openid"));
        if is_openid && grant == "password" {
            let now = state.script.now().as_secs();
            let mut claims = json!({ "iss": ISSUER, "aud": "shop", "iat": now, "exp": now + 300 });
            claims.as_object_mut().unwrap().extend(state.person.as_object().unwrap().clone());
            (state.claims)(&mut claims);
            let id_token = state.signer.sign(&state.signer.header(), &claims);
            answer["id_token"] = json!(id_token);
        }
        (state.tokens)(&mut answer);
        Reply::json(200, &answer)
    }
}
