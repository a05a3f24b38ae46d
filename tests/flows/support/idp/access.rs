//! Access tokens that the provider issued, and what it says of them.

use super::super::{ISSUER, Reply, Value, json};
use super::{Idp, State, header};
use oidc_proxy_wasm::http::form;
use oidc_proxy_wasm::world::{Host, ProviderRequest};
use std::collections::HashMap;

impl Idp {
    /// A JWT access token of the person (RFC 9068 §2) for `api`, its claims bent.
    pub fn jwt(&self, claims: impl Fn(&mut Value)) -> String {
        self.jwt_with(|_| {}, claims)
    }

    /// The same with its header bent too.
    pub fn jwt_with(&self, header: impl Fn(&mut Value), claims: impl Fn(&mut Value)) -> String {
        let mut state = self.0.borrow_mut();
        let mut said = state.access_claims();
        claims(&mut said);
        let mut head = state.signer.header();
        head["typ"] = json!("at+jwt");
        header(&mut head);
        let token = state.signer.sign(&head, &said);
        state.issue(token, said)
    }

    /// An opaque access token of the person, of which introspection says this, bent.
    pub fn opaque(&self, said: impl Fn(&mut Value)) -> String {
        let mut state = self.0.borrow_mut();
        let mut answer = state.access_claims();
        said(&mut answer);
        let token = format!("opaque-{}-0123456789", state.issued.len());
        state.issue(token, answer)
    }

    /// Says from now on that an access token is not active.
    pub fn revokes(&self, token: &str) {
        self.0.borrow_mut().issued.insert(token.to_owned(), None);
    }

    /// Bends every introspection answer.
    pub fn introspection(&self, bend: impl Fn(&mut Value) + 'static) {
        self.0.borrow_mut().introspection = Box::new(bend);
    }

    /// RFC 7662 §2: a client that authenticates, a token, what is known of it.
    pub(super) fn introspection_answer(&self, request: &ProviderRequest) -> Reply {
        let body = request.body.expose_text().unwrap();
        let fields: HashMap<String, String> = form::parse(body).unwrap().into_iter().collect();
        if !self.knows_client(request, &fields) {
            return Reply::json(401, &json!({ "error": "invalid_client" }));
        }
        assert_eq!(
            (request.method, header(request, "accept").as_str(), fields["token_type_hint"].as_str()),
            ("POST", "application/json", "access_token")
        );
        let state = self.0.borrow();
        let Some(Some(said)) = state.issued.get(&fields["token"]) else {
            return Reply::json(200, &json!({ "active": false }));
        };
        let mut answer = said.clone();
        answer["active"] = json!(true);
        answer["token_type"] = json!("Bearer");
        (state.introspection)(&mut answer);
        Reply::json(200, &answer)
    }
}

impl State {
    fn access_claims(&self) -> Value {
        let now = self.script.now().as_secs();
        let mut claims = json!({
            "iss": ISSUER, "aud": "api", "iat": now, "exp": now + 300, "client_id": "app", "scope": "read write",
            "jti": format!("jti-{}", self.issued.len()),
        });
        claims.as_object_mut().unwrap().extend(self.person.as_object().unwrap().clone());
        claims
    }

    fn issue(&mut self, token: String, said: Value) -> String {
        self.issued.insert(token.clone(), Some(said));
        self.secrets.push(token.clone());
        token
    }

    pub(super) fn opens_userinfo(&self, token: &str) -> bool {
        self.secrets.iter().any(|known| known == token) && self.issued.get(token) != Some(&None)
    }
}
