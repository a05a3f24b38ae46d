//! What an identity must be.

use crate::words::{ClaimPath, Source};
use serde_json::Value;

/// What an identity must be; all parts must hold. Empty lists ask for nothing. Where a part is a list of lists, one comes
/// from `defaults` and one from the rule.
#[derive(Clone, Debug, Default)]
pub struct Require {
    /// Groups that are refused, whatever else holds; looked for wherever `groups` looks.
    pub groups_denied: Vec<String>,
    /// Claims that must not be there.
    pub forbidden_claims: Vec<ClaimAt>,
    /// Granted scope: every value of at least one entry of each list.
    pub scope: Vec<Vec<Vec<String>>>,
    /// Audiences: one of each list.
    pub audience: Vec<Vec<String>>,
    /// Groups.
    pub groups: Vec<ValuesRule>,
    /// Roles.
    pub roles: Vec<ValuesRule>,
    /// Claims.
    pub claims: Vec<ClaimRule>,
    /// Domains of verified email addresses, in lower case: one of each list.
    pub email_domains: Vec<Vec<String>>,
    /// Whether the provider is asked, by introspection, if a session's access token is still active.
    pub reverify: bool,
}

/// A claim, and who must say it.
#[derive(Clone, Debug)]
pub struct ClaimAt {
    /// Which claim.
    pub claim: ClaimPath,
    /// Who says it.
    pub source: Source,
}

/// A list of names, and which of them will do.
#[derive(Clone, Debug)]
pub struct ValuesRule {
    /// Where the names stand.
    pub names: Names,
    /// Alternatives, of which one must be there; within one, all of its names. Exact, never split. `None` where the names
    /// are listed for `groups_denied` alone.
    pub any_of: Option<Vec<Vec<String>>>,
}

/// Where names stand.
#[derive(Clone, Debug)]
pub enum Names {
    /// In a claim.
    Claim(ClaimAt),
    /// They are the groups of the consumer.
    Consumer,
}

/// A condition on one claim.
#[derive(Clone, Debug)]
pub struct ClaimRule {
    /// Which claim.
    pub at: ClaimAt,
    /// How its text is read.
    pub text: TextForm,
    /// What it must be.
    pub test: ClaimTest,
}

/// How a claim's text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextForm {
    /// As one value.
    Whole,
    /// As values with spaces between them, like `scope`.
    SpaceSeparated,
}

/// What a claim must be. An array satisfies a test when its members do. A claim that is missing satisfies none but
/// [`ClaimTest::NoneOf`] and `Present(false)`.
#[derive(Clone, Debug)]
pub enum ClaimTest {
    /// This very value, of the same JSON type.
    Equals(Value),
    /// One of these.
    AnyOf(Vec<Value>),
    /// All of these, as members.
    AllOf(Vec<Value>),
    /// None of these, whoever says it.
    NoneOf(Vec<Value>),
    /// There, whatever it says; or not there.
    Present(bool),
    /// A number within bounds, which belong to it.
    Range { least: f64, most: f64 },
}

impl Require {
    /// Every scope value that is spoken of, once.
    pub fn every_scope(&self) -> Vec<&str> {
        let mut values: Vec<&str> = self.scope.iter().flatten().flatten().map(String::as_str).collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    /// Adds every claim that is read to judge an identity.
    pub fn add_claims_read(&self, claims: &mut Vec<ClaimPath>) {
        for list in [&self.groups, &self.roles].into_iter().flatten() {
            if let Names::Claim(at) = &list.names {
                claims.push(at.claim.clone());
            }
        }
        claims.extend(self.forbidden_claims.iter().map(|at| at.claim.clone()));
        claims.extend(self.claims.iter().map(|rule| rule.at.claim.clone()));
        if !self.audience.is_empty() {
            claims.push(ClaimPath::of("aud"));
        }
        if !self.email_domains.is_empty() {
            claims.extend(["email", "email_verified"].map(ClaimPath::of));
        }
    }
}
