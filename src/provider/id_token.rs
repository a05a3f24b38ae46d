//! The ID token of a login, verified with the provider's keys: OIDC Core §3.1.3.7.

use super::proof::NoProof;
use super::{Keys, Provider};
use crate::config;
use crate::jose::{self, Authentication, ExpectedIdToken, JwtError, Nonce, VerifiedJwt};
use crate::words::{Algorithm, Reason, Refusal, Secret};
use crate::world::{Host, World};
use std::rc::Rc;
use std::time::Duration;

/// At least so long between two looks for new keys. ID tokens come from the provider alone, for a code that it issued, so
/// no stranger can make us look; this bounds what a provider that is broken costs itself.
pub(super) const THROTTLE: Duration = Duration::from_secs(2);

/// What an ID token must agree with.
pub struct LoginEvidence<'a> {
    /// The nonce that was sent; none where the token answers a refresh (OIDC Core §12.2).
    pub nonce: Option<&'a str>,
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
        verify(&world.host(), &self.settings, &self.keys, token, evidence).await
    }
}

/// The same for work that belongs to no request.
pub(super) async fn verify(
    host: &Rc<dyn Host>,
    settings: &config::Provider,
    keys: &Keys,
    token: &Secret,
    evidence: &LoginEvidence<'_>,
) -> Result<VerifiedJwt, Refusal> {
    let text = token.expose_text().unwrap_or_default();
    let algorithms = algorithms(settings);
    let judge = |keys: jose::Keys<'_>| {
        let expected = ExpectedIdToken {
            issuer: &settings.issuer,
            client_id: &settings.client.client_id,
            trusted_audiences: &settings.trusted_audiences,
            algorithms: &algorithms,
            nonce: evidence.nonce.map_or(Nonce::NotChecked, Nonce::Expect),
            authentication: Authentication::OfAnyAge,
            access_token: evidence.access_token.expose_text(),
            now: host.now(),
            skew: settings.clock_skew,
        };
        jose::verify_id_token(&**host, text, keys, &expected)
    };
    let secret = settings.client.client_secret.as_ref();
    keys.prove_given(host, THROTTLE, secret, text, judge).await.map_err(|lack| match lack {
        NoProof::Token(error) | NoProof::Perhaps(error, _) => {
            Refusal::new(reason(&error), format!("provider={}: {error}", settings.name))
        }
        NoProof::Keys(refusal) => refusal,
    })
}

/// Those that an ID token may be signed with.
pub(super) fn algorithms(settings: &config::Provider) -> Vec<Algorithm> {
    match settings.client.id_token_signed_response_alg {
        Some(registered) => vec![registered],
        None => settings.signing_algs.clone(),
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
