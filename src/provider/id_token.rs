//! The ID token of a login, verified with the provider's keys: OIDC Core §3.1.3.7.

use super::{Keys, Provider};
use crate::jose::{self, Authentication, ExpectedIdToken, Jws, JwtError, Nonce, VerifiedJwt};
use crate::words::{Algorithm, Reason, Refusal, Secret};
use crate::world::World;
use std::time::Duration;

/// At least so long between two looks for new keys. ID tokens come from the provider alone, for a code that it issued, so
/// no stranger can make us look; this bounds what a provider that is broken costs itself.
const THROTTLE: Duration = Duration::from_secs(2);

/// What an ID token must agree with.
pub struct LoginEvidence<'a> {
    /// The nonce that was sent.
    pub nonce: &'a str,
    /// The access token that came beside it.
    pub access_token: &'a Secret,
}

impl Provider {
    /// Verifies an ID token. A key that is not known is looked for once more at the provider, within its throttle.
    pub async fn verify_id_token(
        &self,
        world: &World,
        token: &Secret,
        evidence: &LoginEvidence<'_>,
    ) -> Result<VerifiedJwt, Refusal> {
        let text = token.expose_text().unwrap_or_default();
        let algorithms = self.id_token_algorithms();
        let judge = |keys: jose::Keys<'_>| {
            let expected = ExpectedIdToken {
                issuer: self.issuer(),
                client_id: &self.settings.client.client_id,
                trusted_audiences: &self.settings.trusted_audiences,
                algorithms: &algorithms,
                nonce: Nonce::Expect(evidence.nonce),
                authentication: Authentication::OfAnyAge,
                access_token: evidence.access_token.expose_text(),
                now: world.now(),
                skew: self.settings.clock_skew,
            };
            jose::verify_id_token(&**world, text, keys, &expected)
        };
        let refusal = |error| self.refusal(error);
        if Jws::parse(text).is_ok_and(|jws| jws.algorithm().is_symmetric()) {
            let secret = self.settings.client.client_secret.as_ref();
            return match secret {
                Some(secret) => judge(jose::Keys::Secret(secret)).map_err(refusal),
                None => Err(self.refusal(JwtError::AlgorithmNotAllowed)),
            };
        }
        let kept = match &*self.keys {
            Keys::Inline(keys) => return judge(jose::Keys::Public(keys)).map_err(refusal),
            Keys::Fetched(kept) => kept,
        };
        let host = world.host();
        let mut keys = kept.get(&host).await?;
        // Twice: the first renewal may only bring what another worker fetched a while ago.
        for _ in 0..2 {
            match judge(jose::Keys::Public(&keys)) {
                // A wrong signature may be a new key under an old name, or one that has no name.
                Err(JwtError::KeyUnknown | JwtError::Signature) => {}
                outcome => return outcome.map_err(refusal),
            }
            match kept.renew(&host, THROTTLE).await? {
                Some(newer) => keys = newer,
                None => break,
            }
        }
        judge(jose::Keys::Public(&keys)).map_err(refusal)
    }

    fn id_token_algorithms(&self) -> Vec<Algorithm> {
        match self.settings.client.id_token_signed_response_alg {
            Some(registered) => vec![registered],
            None => self.settings.signing_algs.clone(),
        }
    }

    fn refusal(&self, error: JwtError) -> Refusal {
        Refusal::new(reason(&error), format!("provider={}: {error}", self.settings.name))
    }
}

const fn reason(error: &JwtError) -> Reason {
    match error {
        JwtError::Malformed | JwtError::TooLarge | JwtError::Critical => Reason::IdTokenMalformed,
        JwtError::AlgorithmNotAllowed | JwtError::SecretTooShort => Reason::IdTokenAlgorithm,
        JwtError::Type => Reason::IdTokenType,
        JwtError::KeyUnknown => Reason::IdTokenKeyUnknown,
        JwtError::Signature => Reason::IdTokenSignature,
        JwtError::Issuer => Reason::IdTokenIssuer,
        JwtError::Audience | JwtError::AuthorizedParty => Reason::IdTokenAudience,
        JwtError::Expired => Reason::IdTokenExpired,
        JwtError::NotYetValid => Reason::IdTokenNotYetValid,
        JwtError::ClaimMissing(_) | JwtError::ClaimType(_) | JwtError::AuthenticationTooOld => Reason::IdTokenClaims,
        JwtError::Nonce => Reason::NonceMismatch,
        JwtError::AccessTokenHash => Reason::AccessTokenHash,
    }
}
