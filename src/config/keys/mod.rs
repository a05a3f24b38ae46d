//! Every key of the configuration, with what it takes, what holds without it, and what it is for.
//!
//! The tables are the one place for that: the loader checks against them, takes defaults from them, and the reference
//! and the JSON Schema in `docs/` are printed from them.

mod cache;
mod client;
mod consumer;
mod exchange;
mod gateway_tokens;
mod grants;
mod logout;
mod operator;
mod provider;
mod rate_limit;
mod require;
mod revocation;
mod rule;
mod session;
mod store;
mod token;
mod top;

pub use cache::CACHE;
pub use client::{CLIENT, SIGNED_SECRET};
pub use consumer::{CONSUMER, HEADERS, RULE_CONSUMER};
pub use exchange::EXCHANGE;
pub use gateway_tokens::{GATEWAY_CLIENT, GATEWAY_TOKENS};
pub use grants::{GRANTS, GUESS_LIMIT};
pub use logout::LOGOUT;
pub use operator::OPERATOR;
pub use provider::PROVIDER;
pub use rate_limit::{RATE_LIMIT, RATE_LIMIT_SERVICE};
pub use require::{CLAIM, FORBIDDEN_CLAIM, REQUIRE, VALUES};
pub use revocation::REVOCATION;
pub use rule::{DEFAULTS, ERRORS, LOGIN, MATCH, RULE, TOLD_HEADER};
pub use session::{COOKIE, REFRESH, SESSION};
pub use store::{REDIS_HTTP, STORE};
pub use token::{CREDENTIALS, PLACE, TOKEN};
pub use top::{OBSERVABILITY, TOP};

use std::time::Duration;

/// The keys of one object.
#[derive(Debug)]
pub struct Table {
    /// Where it stands, as the reference's heading says it.
    pub place: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// Its keys in the order of the reference.
    pub keys: &'static [Key],
    /// What `null` and an empty object mean.
    pub blanks: Blanks,
}

/// What `null` and an empty object mean in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blanks {
    /// The same as leaving the key out.
    Unset,
    /// Nothing good: a condition that a template left blank must not become no condition.
    Refused,
}

/// One key.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What holds without it.
    pub preset: Preset,
    /// What it is for.
    pub doc: &'static str,
}

/// What a key takes.
#[derive(Debug)]
pub enum Kind {
    /// Text of at least one character, none of them a control character.
    Text,
    /// Text, or `{ env: NAME }`.
    Secret,
    /// `true` or `false`.
    Flag,
    /// A number and a unit (`ms`, `s`, `m`, `h`, `d`), within bounds.
    Duration { least: Duration, most: Duration },
    /// A whole number within bounds.
    Number { least: u64, most: u64 },
    /// Any number.
    Amount,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Text, a number, or a truth value.
    Scalar,
    /// Member names of a claim, from the outside in.
    ClaimPath,
    /// One name, or several that must be there together.
    Names,
    /// The first where its own form stands (a list for a claim, else text), else the second.
    Either(&'static Kind, &'static Kind),
    /// A JSON object whose members others define.
    Object,
    /// Any number of these.
    List(&'static Kind),
    /// At least one of these.
    Some(&'static Kind),
    /// Names chosen by the operator, each with one of these.
    Map(&'static Kind),
    /// The keys of another table.
    Section(&'static Table),
}

/// What holds without a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Preset {
    /// Nothing: it must be there.
    Required,
    /// This text, duration or choice.
    Text(&'static str),
    /// These words.
    Words(&'static [&'static str]),
    /// This number.
    Number(u64),
    /// This truth value.
    Flag(bool),
    /// What this phrase says.
    Said(&'static str),
}

impl Table {
    /// The key of that name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

#[cfg(not(target_arch = "wasm32"))]
const fn key(name: &'static str, kind: Kind, preset: Preset, doc: &'static str) -> Key {
    Key { name, kind, preset, doc }
}

/// The module carries no text that only the printed reference needs.
#[cfg(target_arch = "wasm32")]
const fn key(name: &'static str, kind: Kind, preset: Preset, _: &'static str) -> Key {
    Key { name, kind, preset, doc: "" }
}

/// What only the printed reference needs.
#[cfg(not(target_arch = "wasm32"))]
const fn printed(text: &'static str) -> &'static str {
    text
}

#[cfg(target_arch = "wasm32")]
const fn printed(_: &'static str) -> &'static str {
    ""
}

/// What holds without a key that no value says.
const fn said(phrase: &'static str) -> Preset {
    Preset::Said(printed(phrase))
}

/// Any length of time that makes sense for a session.
const SPAN: Kind = Kind::Duration { least: Duration::from_secs(1), most: Duration::from_secs(10 * 365 * 86_400) };
/// Who may say a claim: `words::Source`.
const SOURCE: Kind = Kind::Choice(&["any", "id_token", "access_token", "introspection", "userinfo"]);
const NONE: Preset = said("none");
