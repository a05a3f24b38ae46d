//! The tokens that everybody gets, and the provider that hands them out.

use std::time::{SystemTime, UNIX_EPOCH};

use integration_tests::hostile::{Endpoint, Hostile, Trick};
use integration_tests::signer::Signer;
use integration_tests::{random_hex, tokens};
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
/// About the length of a nonce among the claims.
const NONCE: usize = 54;
/// An access token that is no JWT.
pub const OPAQUE: &str = "2YotnFZFEjr1zCsicMWpAA.mF_9.B5f-4.1JqM";

/// Two JWTs, signed RS256.
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The ID token.
    pub id: String,
}

/// How a token is signed.
#[derive(Clone, Copy)]
pub enum Signed {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

/// A provider whose logins end with these tokens.
pub struct Provider {
    /// It is honest.
    pub idp: Hostile,
    /// Its public keys.
    pub jwks: Value,
    /// What it hands out.
    pub tokens: std::sync::Arc<Tokens>,
    signers: [Signer; 4],
}

impl Provider {
    /// Starts it.
    pub async fn start() -> Provider {
        let rs256 = Signer::rs256("bench");
        let idp = Hostile::start_with(rs256.clone()).await;
        let signers = [rs256, Signer::ps256("pss"), Signer::es256("ec"), Signer::ed25519("ed")];
        idp.publish(&signers);
        let jwks = json!({ "keys": signers.iter().map(Signer::jwk).collect::<Vec<_>>() });
        let issuer = idp.issuer();
        let [rs256, ..] = &signers;
        let access = rs256.sign(&rs256.header(), &claims(&issuer, AUDIENCE, ACCESS_CLAIMS));
        let id = rs256.sign(&rs256.header(), &claims(&issuer, CLIENT_ID, ID_CLAIMS));
        let handed_out = std::sync::Arc::new(Tokens { access, id });
        let (given, signer) = (handed_out.clone(), rs256.clone());
        idp.edit(Endpoint::Token, move |answer| {
            answer["access_token"] = json!(given.access);
            // As large as the other, and of the login that asked.
            let nonce = answer["id_token"].as_str().map(|token| tokens::claims(token)["nonce"].clone());
            let mut said = claims(&issuer, CLIENT_ID, ID_CLAIMS.saturating_sub(NONCE));
            said["nonce"] = nonce.unwrap_or_default();
            answer["id_token"] = json!(signer.sign(&signer.header(), &said));
            answer["expires_in"] = json!(LIFE);
        });
        let provider = Provider { idp, jwks, tokens: handed_out, signers };
        provider.say(&provider.active());
        provider
    }

    /// One of its keys.
    pub fn signer(&self, signed: Signed) -> &Signer {
        let [rs256, ps256, es256, ed25519] = &self.signers;
        match signed {
            Signed::Rs256 => rs256,
            Signed::Ps256 => ps256,
            Signed::Es256 => es256,
            Signed::EdDsa => ed25519,
        }
    }

    /// The claims of an access token that nobody has seen: `jti` tells it from all others.
    pub fn claims(&self) -> Value {
        claims(&self.idp.issuer(), AUDIENCE, ACCESS_CLAIMS)
    }

    /// Such a token.
    pub fn access_token(&self, signed: Signed) -> String {
        let signer = self.signer(signed);
        signer.sign(&signer.header(), &self.claims())
    }

    /// From now on its introspection endpoint says this of every token.
    pub fn say(&self, answer: &Value) {
        self.idp.play(Endpoint::Introspection, Trick::Answer(200, "application/json", answer.to_string()));
    }

    /// What it says of a good token (RFC 7662 §2.2).
    pub fn active(&self) -> Value {
        let mut answer = self.claims();
        answer["active"] = json!(true);
        answer["token_type"] = json!("Bearer");
        answer
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

fn claims(issuer: &str, audience: &str, size: usize) -> Value {
    let now = now();
    let mut claims = json!({
        "iss": issuer, "aud": audience, "sub": "person-1", "iat": now, "exp": now + LIFE, "jti": random_hex::<16>(),
        "preferred_username": "demo", "email": "demo@example.com", "groups": ["staff", "editors", "reviewers"],
        "filling": "",
    });
    let rest = size.saturating_sub(claims.to_string().len());
    claims["filling"] = json!("x".repeat(rest));
    claims
}
