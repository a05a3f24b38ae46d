//! What a provider's keys prove, with one look for newer keys where those at hand may be too old (OIDC Core §10.1.1).

use super::Keys;
use crate::jose::{Jwks, JwtError};
use crate::words::Refusal;
use crate::world::Host;
use std::rc::Rc;
use std::time::Duration;

/// Why nothing was proven.
pub enum NoProof {
    /// The token is at fault.
    Token(JwtError),
    /// There are no keys, or none new enough to tell.
    Keys(Refusal),
}

impl Keys {
    /// Whatever `check` makes of the keys. Where its error says that newer keys `may_help`, the provider is asked for
    /// them once, but not sooner than `throttle` after it was last asked.
    pub async fn prove<T>(
        &self,
        host: &Rc<dyn Host>,
        throttle: Duration,
        may_help: impl Fn(&JwtError) -> bool,
        check: impl Fn(&Jwks) -> Result<T, JwtError>,
    ) -> Result<(T, Rc<Jwks>), NoProof> {
        let kept = match self {
            Self::Inline(keys) => return judged(&check, keys),
            Self::Fetched(kept) => kept,
        };
        let mut keys = kept.get(host).await.map_err(NoProof::Keys)?;
        // Twice: the first renewal may only bring what another worker fetched a while ago.
        for _ in 0..2 {
            match judged(&check, &keys) {
                Err(NoProof::Token(error)) if may_help(&error) => {}
                outcome => return outcome,
            }
            match (kept.renew(host, throttle).await.map_err(NoProof::Keys)?, kept.trouble()) {
                (Some(newer), _) => keys = newer,
                // The right key may be out already, and only we cannot get at it: that is not the caller's fault.
                (None, Some(trouble)) => return Err(NoProof::Keys(trouble)),
                (None, None) => break,
            }
        }
        judged(&check, &keys)
    }

    /// The keys at hand, if any. The same keys are the same pointer until others are fetched.
    pub fn held(&self) -> Option<Rc<Jwks>> {
        match self {
            Self::Inline(keys) => Some(Rc::clone(keys)),
            Self::Fetched(kept) => kept.held(),
        }
    }
}

fn judged<T>(check: impl Fn(&Jwks) -> Result<T, JwtError>, keys: &Rc<Jwks>) -> Result<(T, Rc<Jwks>), NoProof> {
    check(keys).map(|proven| (proven, Rc::clone(keys))).map_err(NoProof::Token)
}
