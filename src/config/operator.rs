//! The operator's endpoint, as configured.

use super::Rule;

/// Where and by whom sessions and tokens are revoked, and what else operators ask.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Its path, on every host.
    pub path: String,
    /// Who may come: a rule for access tokens alone.
    pub rule: Rule,
}
