//! What several hosts keep together, as configured.

use crate::words::Secret;
use std::time::Duration;

/// Redis, reached over HTTP in the form of Webdis.
#[derive(Clone, Debug)]
pub struct Store {
    /// The host's name for where it is reached.
    pub cluster: String,
    /// What it is addressed as.
    pub authority: String,
    /// The path that commands are posted to.
    pub path: String,
    /// What every name begins with.
    pub prefix: String,
    /// How long an answer may take.
    pub timeout: Duration,
    /// What holds while it does not answer.
    pub on_loss: OnLoss,
    /// Header fields of each call, names in lower case.
    pub headers: Vec<(String, Secret)>,
}

/// What holds while the store does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnLoss {
    /// Nothing that needs it: 503.
    Deny,
    /// What this worker knows.
    Local,
}
