//! Which claims of a provider's tokens and answers are kept: those that some rule reads, and nothing else.

use crate::config::Rule;
use crate::words::json::{self, Object};
use crate::words::{Claims, Source};
use serde_json::Value;
use std::rc::Rc;

/// Claims that every rule may come to ask about: how and when the user authenticated (RFC 9470).
const STANDARD: [&str; 2] = ["acr", "auth_time"];

/// Names of claims. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct KeptClaims {
    /// Whether a rule tells whole sets of claims, so that every claim stays.
    all: bool,
    names: Rc<[String]>,
    clients: Rc<[String]>,
}

impl KeptClaims {
    /// What those of `rules` read that take the provider at this place.
    pub fn of(rules: &[Rc<Rule>], provider: usize) -> Self {
        let mine = || rules.iter().filter(|rule| rule.providers.contains(&provider));
        let read = mine().flat_map(|rule| rule.claims_read()).map(|claim| claim.root().to_owned());
        let clients = unique(mine().flat_map(|rule| rule.token.client_id_claims.iter().cloned()));
        let names = read.chain(clients.iter().cloned()).chain(STANDARD.map(str::to_owned));
        let told = [Source::AccessToken, Source::Introspection, Source::Userinfo];
        // Those of an ID token are kept here where a grant brings it; a session keeps its own.
        let grants = mine().any(|rule| rule.methods.iter().any(|method| method.is_grant()));
        let told = told.into_iter().chain(grants.then_some(Source::IdToken));
        let all = told.into_iter().any(|source| mine().any(|rule| rule.tells_all(source)));
        Self { all, names: unique(names).into(), clients: clients.into() }
    }

    /// The kept ones among `claims`.
    pub fn filter(&self, claims: &Object) -> Claims {
        Rc::new(json::filtered(claims, &|name, _| self.keeps(name)))
    }

    /// Whether claims of that name are kept.
    pub fn keeps(&self, name: &str) -> bool {
        self.all || self.names.iter().any(|kept| kept == name)
    }

    /// What is kept, as one text: whoever keeps the same may share answers.
    pub fn fingerprint(&self) -> String {
        format!("{} {:?} {:?}", self.all, self.names, self.clients)
    }

    /// Claims that name a client under some rule.
    pub fn clients(&self) -> &[String] {
        &self.clients
    }
}

fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut unique: Vec<String> = Vec::new();
    for name in names {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    unique
}

/// About how much memory claims take, in bytes.
pub fn weight(claims: &Object) -> usize {
    claims.iter().map(|(name, value)| weight_of(value).saturating_add(name.len())).sum()
}

fn weight_of(value: &Value) -> usize {
    /// A value and its place in whatever holds it.
    const PLACE: usize = 96;
    let inner = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight_of).sum(),
        Value::Object(members) => weight(members),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    inner.saturating_add(PLACE)
}
