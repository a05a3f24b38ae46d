//! The operator's endpoint, as configured.

use super::Rule;
use std::rc::Rc;

/// Where and by whom sessions and tokens are revoked, and what else operators ask.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Its path, on every host.
    pub path: String,
    /// Who may come: a rule for access tokens alone.
    pub rule: Rc<Rule>,
}
