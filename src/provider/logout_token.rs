//! A logout token, verified with the provider's keys: OIDC Back-Channel Logout §2.6.

use super::proof::NoProof;
use super::{Provider, id_token};
use crate::jose::{self, Expected, JwtError, Kind, LogoutToken, LogoutTokenRules};
use crate::words::{Reason, Refusal};
use crate::world::World;

impl Provider {
    /// Verifies a logout token. Anybody may send one, so an unknown key makes us look for new ones no more often than an access
    /// token does; where they cannot be had, the provider is to ask again.
    pub async fn verify_logout_token(
        &self,
        world: &World,
        token: &str,
        rules: LogoutTokenRules,
    ) -> Result<LogoutToken, Refusal> {
        let algorithms = id_token::algorithms(&self.settings);
        let judge = |keys: jose::Keys<'_>| {
            let expected = Expected {
                issuer: self.issuer(),
                audience: &self.settings.client.client_id,
                algorithms: &algorithms,
                kind: Kind::LogoutToken,
                now: world.now(),
                skew: self.settings.clock_skew,
            };
            jose::verify_logout_token(&**world, token, keys, &expected, rules)
        };
        let secret = self.settings.client.client_secret.as_ref();
        self.keys.prove_given(&world.host(), self.refetch, secret, token, judge).await.map_err(|lack| match lack {
            NoProof::Token(error) => Refusal::new(reason(&error), format!("provider={}: {error}", self.settings.name)),
            NoProof::Perhaps(_, refusal) => refusal,
            NoProof::Keys(refusal) => refusal,
        })
    }
}

const fn reason(error: &JwtError) -> Reason {
    match error {
        JwtError::Malformed | JwtError::TooLarge | JwtError::Critical => Reason::LogoutTokenMalformed,
        JwtError::AlgorithmNotAllowed | JwtError::SecretTooShort => Reason::LogoutTokenAlgorithm,
        JwtError::Type => Reason::LogoutTokenType,
        JwtError::KeyUnknown => Reason::LogoutTokenKeyUnknown,
        JwtError::Signature => Reason::LogoutTokenSignature,
        JwtError::Issuer => Reason::LogoutTokenIssuer,
        JwtError::Audience | JwtError::AuthorizedParty => Reason::LogoutTokenAudience,
        JwtError::Expired => Reason::LogoutTokenExpired,
        JwtError::NotYetValid => Reason::LogoutTokenNotYetValid,
        JwtError::ClaimMissing(_)
        | JwtError::ClaimType(_)
        | JwtError::Nonce
        | JwtError::AuthenticationTooOld
        | JwtError::AccessTokenHash => Reason::LogoutTokenClaims,
    }
}
