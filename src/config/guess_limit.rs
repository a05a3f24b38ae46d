//! How often a secret may be guessed.

use super::Period;

/// How many wrong secrets are taken, before more of them have to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuessLimit {
    /// For one name from one address.
    pub per_user: u32,
    /// From one address.
    pub per_address: u32,
    /// In how long.
    pub per: Period,
}
