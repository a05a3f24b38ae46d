//! Refresh tokens: RFC 6749 §6, and rotation with reuse detection (RFC 9700 §4.14.2).

use super::super::{Reply, json};
use super::Idp;
use std::collections::HashMap;

/// What the provider does about refresh tokens.
#[derive(Default)]
pub struct Refreshing {
    /// None are given, until a test says so.
    gives: bool,
    rotates: bool,
    /// By token: the login's parameters and number, and whether another token has taken its place.
    tokens: HashMap<String, Token>,
    /// Logins whose tokens all are refused.
    over: Vec<usize>,
}

#[derive(Clone)]
struct Token {
    params: HashMap<String, String>,
    login: usize,
    used: bool,
}

impl Idp {
    /// Gives refresh tokens from now on, the same one for ever.
    pub fn gives_refresh_tokens(&self) {
        self.0.borrow_mut().refreshing.gives = true;
    }

    /// Gives refresh tokens from now on, of which each works once: a second use ends all of its login.
    pub fn rotates_refresh_tokens(&self) {
        self.gives_refresh_tokens();
        self.0.borrow_mut().refreshing.rotates = true;
    }

    /// Ends every login that there is.
    pub fn ends_all_logins(&self) {
        let mut state = self.0.borrow_mut();
        let logins = state.refreshing.tokens.values().map(|token| token.login).collect();
        state.refreshing.over = logins;
    }

    pub(super) fn first_refresh_token(&self, params: &HashMap<String, String>) -> Option<String> {
        let refreshing = &mut self.0.borrow_mut().refreshing;
        let login = refreshing.tokens.len();
        refreshing.gives.then(|| refreshing.issue(params, login))
    }

    pub(super) fn refresh(&self, fields: &HashMap<String, String>) -> Reply {
        assert!(!fields.contains_key("scope"), "a scope is asked for");
        let given = {
            let refreshing = &mut self.0.borrow_mut().refreshing;
            refreshing.spend(&fields["refresh_token"])
        };
        match given {
            None => Reply::json(400, &json!({ "error": "invalid_grant" })),
            Some((params, next)) => Reply::json(200, &self.tokens_for(&params, next)),
        }
    }
}

impl Refreshing {
    fn issue(&mut self, params: &HashMap<String, String>, login: usize) -> String {
        let name = format!("rt-{}-0123456789", self.tokens.len());
        self.tokens.insert(name.clone(), Token { params: params.clone(), login, used: false });
        name
    }

    fn spend(&mut self, name: &str) -> Option<(HashMap<String, String>, Option<String>)> {
        let token = self.tokens.get(name)?.clone();
        if self.over.contains(&token.login) || token.used {
            self.over.push(token.login);
            return None;
        }
        if !self.rotates {
            return Some((token.params, None));
        }
        self.tokens.get_mut(name)?.used = true;
        let next = self.issue(&token.params, token.login);
        Some((token.params, Some(next)))
    }
}
