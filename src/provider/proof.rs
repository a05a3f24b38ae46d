//! What a provider's keys prove, with one look for newer keys where those at hand may be too old (OIDC Core §10.1.1).

use super::Keys;
use crate::jose::{self, Jwks, Jws, JwtError};
use crate::words::{Refusal, Secret};
use crate::world::Host;
use std::rc::Rc;
use std::time::Duration;

/// Why nothing was proven.
pub enum NoProof {
    /// The token is at fault.
    Token(JwtError),
    /// The keys at hand do not prove it, and newer ones, which might, cannot be had: that is why.
    Perhaps(JwtError, Refusal),
    /// There are no keys.
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
            let error = match judged(&check, &keys) {
                Err(NoProof::Token(error)) if may_help(&error) => error,
                outcome => return outcome,
            };
            match (kept.renew(host, throttle).await.map_err(NoProof::Keys)?, kept.trouble()) {
                (Some(newer), _) => keys = newer,
                (None, Some(trouble)) => return Err(NoProof::Perhaps(error, trouble)),
                (None, None) => return Err(NoProof::Token(error)),
            }
        }
        judged(&check, &keys)
    }

    /// What `check` makes of a token that the provider itself gave us: by the client secret where its algorithm is
    /// symmetric, else by the keys, also by newer ones, since no stranger makes us look for these.
    pub async fn prove_given<T>(
        &self,
        host: &Rc<dyn Host>,
        throttle: Duration,
        secret: Option<&Secret>,
        token: &str,
        check: impl Fn(jose::Keys<'_>) -> Result<T, JwtError>,
    ) -> Result<T, NoProof> {
        if Jws::parse(token).is_ok_and(|jws| jws.algorithm().is_symmetric()) {
            let secret = secret.ok_or(NoProof::Token(JwtError::AlgorithmNotAllowed))?;
            return check(jose::Keys::Secret(secret)).map_err(NoProof::Token);
        }
        // A wrong signature may be by a new key under an old name, or by one that has no name.
        let may_help = |error: &JwtError| matches!(error, JwtError::KeyUnknown | JwtError::Signature);
        let proven = self.prove(host, throttle, may_help, |keys| check(jose::Keys::Public(keys))).await;
        proven.map(|(proven, _)| proven)
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
