//! What the tests of this floor share: a configuration with two providers, workers of one host, what a provider answers.

use super::{AccessToken, AccessTokens, KeptClaims, Memories, Provider};
use crate::config::{self, Config, TokenRules};
use crate::jose::testing::{ec_jwk, ed25519_jwk, header, token};
use crate::words::{Algorithm, Reason, Refusal};
use crate::world::script::Script;
use crate::world::{Host, ProviderResponse, World};
use serde_json::{Value, json};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

pub const ISSUER: &str = "https://idp.example";
pub const OTHER: &str = "https://other.example";

/// `main` (0) publishes an Ed25519 key at `/jwks`, `other` (1) has an inline P-256 one. A rule reads `plan`.
pub fn config(change: impl FnOnce(&mut Value)) -> Config {
    let endpoints = |issuer: &str| {
        json!({
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "introspection_endpoint": format!("{issuer}/introspect"),
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "jwks_uri": format!("{issuer}/jwks"),
        })
    };
    let client = json!({ "client_id": "gate", "client_secret": "0123456789abcdef0123456789abcdef" });
    let inline: Value = serde_json::from_str(&jwks(&[ec_jwk(Algorithm::Es256, r#","kid":"p256""#)])).unwrap();
    let mut config = json!({
        "providers": {
            "main": { "issuer": ISSUER, "cluster": "idp", "metadata": endpoints(ISSUER), "client": client },
            "other": {
                "issuer": OTHER, "cluster": "other", "metadata": endpoints(OTHER), "client": client, "jwks": inline,
            },
        },
        "rules": [{
            "provider": "main",
            "login": { "redirect_uri": "https://shop.example/callback" },
            "upstream_headers": [{ "claim": ["plan"], "name": "x-plan" }],
        }],
        "session": { "secrets": ["KmH3rE7yQ2wT9uI5oP8aS1dF4gJ6kL0z"] },
    });
    change(&mut config);
    config::load(config.to_string().as_bytes(), &|_| None).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

impl AccessTokens {
    /// As a request does it: by what is known, else anew.
    pub async fn verify(&self, world: &World, token: &str, among: &[usize]) -> Result<Rc<AccessToken>, Refusal> {
        match self.known(world, token, among) {
            Ok(known) => Ok(known),
            Err(unknown) => self.verify_unknown(world, token, unknown, among).await,
        }
    }
}

/// One worker of a host.
pub struct Worker {
    pub script: Script,
    pub providers: Vec<Rc<Provider>>,
    pub tokens: AccessTokens,
    pub memories: Memories,
}

impl Worker {
    pub fn new(script: &Script, config: &Config) -> Self {
        let ring = &config.session.as_ref().unwrap().secrets;
        let kept: Vec<KeptClaims> = (0..config.providers.len()).map(|at| KeptClaims::of(&config.rules, at)).collect();
        let memories = Memories::new(&config.cache, None);
        let provider = |(settings, kept): (&Rc<config::Provider>, &KeptClaims)| {
            Rc::new(Provider::new(Rc::clone(settings), ring, &memories, kept.clone()).ok().unwrap())
        };
        let providers: Vec<Rc<Provider>> = config.providers.iter().zip(&kept).map(provider).collect();
        Self { script: script.clone(), tokens: AccessTokens::new(&providers, &config.cache, kept), providers, memories }
    }

    pub fn verify_among(&self, token: &str, among: &[usize]) -> Result<Rc<AccessToken>, Reason> {
        let world = self.script.world();
        self.script.run(self.tokens.verify(&world, token, among)).unwrap().map_err(|refusal| refusal.reason)
    }

    pub fn verify(&self, token: &str) -> Result<Rc<AccessToken>, Reason> {
        self.verify_among(token, &[0, 1])
    }

    /// Why a token is refused; `None` for one that is accepted.
    pub fn refuses(&self, token: &str) -> Option<Reason> {
        self.verify(token).err()
    }
}

pub fn jwks(keys: &[String]) -> String {
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// The key that `main` publishes.
pub fn main_key() -> String {
    ed25519_jwk(r#","kid":"ed""#)
}

pub fn json_answer(body: impl Into<String>) -> ProviderResponse {
    answer(200, "application/json", body)
}

pub fn answer(status: u16, content_type: &str, body: impl Into<String>) -> ProviderResponse {
    let body: String = body.into();
    ProviderResponse {
        status,
        content_type: Some(content_type.to_owned()),
        body: body.into_bytes(),
        ..Default::default()
    }
}

/// Good claims of `main` at the script's time, over which `change` is laid; `null` takes a claim away.
pub fn claims(script: &Script, change: &Value) -> Value {
    let now = script.now().as_secs();
    let mut claims = json!({ "iss": ISSUER, "sub": "alice", "aud": "api", "exp": now + 600, "iat": now });
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

/// A token of `main`'s key.
pub fn access_token(script: &Script, change: &Value) -> String {
    token(Algorithm::EdDsa, &header(Algorithm::EdDsa), &claims(script, change).to_string())
}

/// A rule that takes tokens for `api`.
pub fn for_api() -> TokenRules {
    TokenRules { audience: Some(vec!["api".to_owned()]), ..TokenRules::default() }
}

/// Several flows at once, each polled in turn.
pub fn together<T>(script: &Script, flows: Vec<Pin<Box<dyn Future<Output = T> + '_>>>) -> Vec<T> {
    let mut flows: Vec<_> = flows.into_iter().map(|flow| (flow, None)).collect();
    let all = poll_fn(|context| {
        for (flow, result) in flows.iter_mut().filter(|(_, result)| result.is_none()) {
            if let Poll::Ready(ready) = flow.as_mut().poll(context) {
                *result = Some(ready);
            }
        }
        if flows.iter().all(|(_, result)| result.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    });
    script.run(all).unwrap();
    flows.into_iter().filter_map(|(_, result)| result).collect()
}

/// Why something was refused, if it was.
pub fn why<T>(outcome: Result<T, Refusal>) -> Option<Reason> {
    outcome.err().map(|refusal| refusal.reason)
}
