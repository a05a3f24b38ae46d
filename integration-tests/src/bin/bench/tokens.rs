//! The tokens that everybody gets, and the provider that hands them out.

use std::time::{SystemTime, UNIX_EPOCH};

use integration_tests::hostile::{Endpoint, Hostile};
use integration_tests::signer::Signer;
use serde_json::{Value, json};

/// Bytes of the access token's claims, so that the token has about 880.
const ACCESS_CLAIMS: usize = 360;
/// Bytes of the ID token's: those usually say more.
const ID_CLAIMS: usize = 420;
/// Longer than any run.
const LIFE: u64 = 24 * 3600;
/// Whom access tokens are for.
pub const AUDIENCE: &str = "https://shop.example.com";
/// Who logs in there.
pub const CLIENT_ID: &str = "bench";

/// Two JWTs, signed RS256.
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The ID token.
    pub id: String,
}

/// A provider whose logins end with these tokens.
pub struct Provider {
    /// It is honest.
    pub idp: Hostile,
    /// Its public keys.
    pub jwks: Value,
    /// What it hands out.
    pub tokens: std::sync::Arc<Tokens>,
}

impl Provider {
    /// Starts it.
    pub async fn start() -> Provider {
        let signer = Signer::rs256("bench");
        let idp = Hostile::start_with(signer.clone()).await;
        let access = signer.sign(&signer.header(), &claims(&idp.issuer(), AUDIENCE, ACCESS_CLAIMS));
        let id = signer.sign(&signer.header(), &claims(&idp.issuer(), CLIENT_ID, ID_CLAIMS));
        let tokens = std::sync::Arc::new(Tokens { access, id });
        let given = tokens.clone();
        idp.edit(Endpoint::Token, move |answer| {
            answer["access_token"] = json!(given.access);
            answer["id_token"] = json!(given.id);
            answer["expires_in"] = json!(LIFE);
        });
        Provider { idp, jwks: json!({ "keys": [signer.jwk()] }), tokens }
    }
}

fn claims(issuer: &str, audience: &str, size: usize) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    let mut claims = json!({
        "iss": issuer, "aud": audience, "sub": "person-1", "iat": now, "exp": now + LIFE,
        "email": "demo@example.com", "groups": ["staff", "editors", "reviewers"], "filling": "",
    });
    let rest = size.saturating_sub(claims.to_string().len());
    claims["filling"] = json!("x".repeat(rest));
    claims
}
