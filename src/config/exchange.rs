//! How a rule exchanges tokens (RFC 8693).

/// Which token the service gets instead of the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The provider that exchanges, by its place in `Config::providers`.
    pub provider: usize,
    /// Whom the new token is for, by names (RFC 8693 §2.1, `audience`).
    pub audience: Vec<String>,
    /// Whom it is for, by URLs (`resource`).
    pub resource: Vec<String>,
    /// What it is good for, values separated by spaces.
    pub scope: Option<String>,
    /// Whether our own client acts for the caller (`actor_token`).
    pub acts: bool,
    /// When the provider's own tokens are exchanged; those of other issuers always are.
    pub conditions: ExchangeConditions,
}

/// All of which must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExchangeConditions {
    /// Scope values that the token has.
    pub has_scopes: Vec<String>,
    /// Scope values that it has not.
    pub missing_scopes: Vec<String>,
    /// Audiences that it has.
    pub has_audience: Vec<String>,
    /// Audiences that it has not.
    pub missing_audience: Vec<String>,
}
