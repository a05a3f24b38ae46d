//! What the operator configures: read as text, checked once, trusted after.

mod addresses;
mod cache;
mod cache_reader;
mod client;
mod client_reader;
mod clusters;
mod consumer;
mod consumer_reader;
mod duration;
mod exchange;
mod exchange_reader;
mod gateway_tokens;
mod gateway_tokens_reader;
mod grants;
mod grants_reader;
mod guess_limit;
pub mod keys;
mod load;
mod login_reader;
mod logout;
mod logout_reader;
mod matching;
mod merge;
mod metadata;
mod nearest;
mod operator;
mod operator_reader;
mod problem;
mod protobuf;
mod provider;
mod provider_reader;
mod rate_limit;
mod rate_limit_reader;
mod require;
mod require_reader;
mod revocation;
mod rule;
mod rule_reader;
mod secrets;
mod section;
mod session;
mod session_reader;
mod shape;
mod store;
mod store_reader;
mod token_reader;
mod upstream_reader;
mod whole;

pub use cache::{Bounds, Cache, GrantsCache, KeysCache};
pub use client::{Client, ClientAuthentication, ClientKey, SignedSecret};
pub use consumer::{ConsumerHeaders, ConsumerMatch, ConsumerRule, Consumers};
pub use exchange::{Exchange, ExchangeConditions};
pub use gateway_tokens::{GatewayClient, GatewayTokens, SecretHash};
pub use grants::Grants;
pub use guess_limit::GuessLimit;
pub use load::load;
pub use logout::Logout;
pub use operator::Operator;
pub use problem::Problem;
pub use provider::{Clusters, Discovery, IntrospectionForm, Provider, ResponseMode, TENANT};
pub use rate_limit::{Counted, MOST as MOST_PER_PERIOD, OnFailure, Period, Rate, RateLimit, RateLimitService};
pub use require::{ClaimAt, ClaimRule, ClaimTest, Names, Require, TextForm, ValuesRule};
pub use revocation::Revocation;
pub use rule::{
    Allow, AmbiguousPaths, ClaimForm, Credentials, Enrich, Errors, HeaderSource, HostMatch, Login, LoginAction, Match,
    Mode, PathMatch, Place, Resource, Rule, SecretPlace, TokenForm, TokenName, TokenRules, ToldHeader,
};
pub use session::{Bond, CookieSettings, Lives, Refresh, Remember, SameSite, Session, SessionFact, SessionHeaders};
pub use store::{OnLoss, Store};

use std::rc::Rc;

/// Whether the host lets this instance read request bodies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bodies {
    /// It does not: the gate that guards all traffic.
    #[default]
    Unreadable,
    /// It does: the second instance, to which the few endpoints that read a body are routed.
    Readable,
}

/// What operators see.
#[derive(Clone, Debug)]
pub struct Observability {
    /// Name of a response header that carries the reason code, in lower case.
    pub reason_header: Option<String>,
    /// The least severe level that is logged.
    pub log: log::LevelFilter,
}

/// A whole configuration without contradictions.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whether bodies can be read here.
    pub bodies: Bodies,
    /// The identity providers, in the order of their names.
    pub providers: Vec<Rc<Provider>>,
    /// The rules; the first match decides.
    pub rules: Vec<Rc<Rule>>,
    /// What the gateway itself issues, if it does.
    pub gateway_tokens: Option<Rc<GatewayTokens>>,
    /// Sessions; present whenever a rule uses them.
    pub session: Option<Rc<Session>>,
    /// What several hosts keep together.
    pub store: Option<Store>,
    /// What was revoked.
    pub revocation: Revocation,
    /// The operator's endpoint, if there is one.
    pub operator: Option<Operator>,
    /// What is remembered.
    pub cache: Cache,
    /// What operators see.
    pub observability: Observability,
    /// Every header name that some rule asserts, in lower case with `-` for `_`: none of them is believed from a client.
    pub asserted_headers: Vec<String>,
    /// What nobody forbids and its author should know, a sentence each.
    pub notes: Vec<String>,
}
