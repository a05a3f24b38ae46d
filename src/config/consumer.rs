//! Consumers: the applications and people that a gateway knows by name.

use crate::words::{ByName, ClaimPath, Consumer};
use serde_json::Value;
use std::rc::Rc;

/// Every consumer there is. No two could both be meant by one name.
#[derive(Clone, Debug, Default)]
pub struct Consumers {
    /// By username.
    pub by_username: ByName<Rc<Consumer>>,
    /// By custom id.
    pub by_custom_id: ByName<Rc<Consumer>>,
    /// By what the consumers themselves say, in their order.
    pub by_match: Vec<(ConsumerMatch, Rc<Consumer>)>,
}

/// Which identities are a consumer.
#[derive(Clone, Debug)]
pub struct ConsumerMatch {
    /// The claim that says so.
    pub claim: ClaimPath,
    /// Of which values it must be one.
    pub any_of: Vec<Value>,
}

/// How a rule finds the consumer that an identity is.
#[derive(Clone, Debug)]
pub struct ConsumerRule {
    /// The claim whose text is a username or a custom id; `None` where the consumers' own `match` decides.
    pub by: Option<ClaimPath>,
    /// Whether an identity that is no consumer passes.
    pub optional: bool,
    /// What the service is told.
    pub headers: ConsumerHeaders,
    /// Whom it may be.
    pub known: Rc<Consumers>,
}

/// The headers that tell the service about a consumer, by their lower-case names; `None` for one that is switched off.
#[derive(Clone, Debug)]
pub struct ConsumerHeaders {
    /// Its id.
    pub id: Option<String>,
    /// Its username.
    pub username: Option<String>,
    /// Its custom id.
    pub custom_id: Option<String>,
    /// The subject, or the client where there is no subject.
    pub credential: Option<String>,
    /// The groups.
    pub groups: Option<String>,
    /// Says that the caller is a stranger.
    pub anonymous: Option<String>,
}

impl ConsumerHeaders {
    /// The names of all that are switched on.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        let Self { id, username, custom_id, credential, groups, anonymous } = self;
        [id, username, custom_id, credential, groups, anonymous].into_iter().flatten()
    }
}

impl ConsumerRule {
    /// Adds every claim that is read to find the consumer.
    pub fn add_claims_read(&self, claims: &mut Vec<ClaimPath>) {
        match &self.by {
            Some(by) => claims.push(by.clone()),
            None => claims.extend(self.known.by_match.iter().map(|(matches, _)| matches.claim.clone())),
        }
    }
}
