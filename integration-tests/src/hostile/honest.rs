//! The honest answers: OIDC Discovery §4, RFC 7517 §5, and the authorization code flow with PKCE.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::State;
use super::wire::{Call, Endpoint, Reply};
use crate::random_hex;

/// What an authorization request said, kept under its code until that is used.
pub(super) struct Login {
    client_id: String,
    redirect_uri: String,
    nonce: Option<String>,
    code_challenge: Option<String>,
}

/// The honest answer to a call.
pub(super) fn answer(state: &mut State, call: &Call) -> Reply {
    match call.endpoint {
        Endpoint::Discovery => Reply::json(200, &discovery(&state.issuer)),
        Endpoint::Jwks => {
            let keys: Vec<Value> = state.published.iter().map(|signer| signer.jwk()).collect();
            Reply::json(200, &json!({ "keys": keys }))
        }
        Endpoint::Authorize => authorize(state, call),
        Endpoint::Token => token(state, call),
        Endpoint::Userinfo => match call.header("authorization") {
            Some(_) => Reply::json(200, &person()),
            None => Reply::json(401, &json!({ "error": "invalid_token" })),
        },
        Endpoint::Introspection => introspection(state, call),
        Endpoint::Other => Reply::new(404, "text/plain", "not here".into()),
    }
}

fn discovery(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "introspection_endpoint": format!("{issuer}/introspect"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

/// Everybody is logged in already: straight back with a code.
fn authorize(state: &mut State, call: &Call) -> Reply {
    let (Some(redirect_uri), Some(client_id)) = (call.query("redirect_uri"), call.query("client_id")) else {
        return Reply::new(400, "text/plain", "redirect_uri and client_id are needed".into());
    };
    let code = random_hex::<16>();
    let mut back = url::Url::parse(&redirect_uri).expect("the client sends a URL");
    back.query_pairs_mut().append_pair("code", &code).append_pair("iss", &state.issuer);
    if let Some(given) = call.query("state") {
        back.query_pairs_mut().append_pair("state", &given);
    }
    let (nonce, code_challenge) = (call.query("nonce"), call.query("code_challenge"));
    state.logins.insert(code, Login { client_id, redirect_uri, nonce, code_challenge });
    Reply::redirect(back.as_str())
}

fn token(state: &mut State, call: &Call) -> Reply {
    let refused = |why: &str| Reply::json(400, &json!({ "error": "invalid_grant", "error_description": why }));
    // RFC 6749 §4.4: whoever asks.
    if call.form("grant_type").as_deref() == Some("client_credentials") {
        let answer = json!({ "access_token": random_hex::<16>(), "token_type": "Bearer", "expires_in": 300 });
        return Reply::json(200, &answer);
    }
    let Some(login) = call.form("code").and_then(|code| state.logins.remove(&code)) else {
        return refused("no such code, or used before");
    };
    if call.form("redirect_uri").as_deref() != Some(&login.redirect_uri) {
        return refused("another redirect_uri than before");
    }
    // RFC 7636 §4.6
    let shown = call.form("code_verifier").map(|verifier| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
    if shown != login.code_challenge {
        return refused("the code_verifier does not fit");
    }
    let (mut header, mut claims) = (state.signer.header(), claims(&state.issuer, &login));
    if let Some(lie) = &state.lie {
        lie(&mut header, &mut claims);
    }
    Reply::json(
        200,
        &json!({
            "access_token": random_hex::<16>(),
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": state.signer.sign(&header, &claims),
        }),
    )
}

/// RFC 7662 §2.2: what it has granted is active, anything else is not.
fn introspection(state: &State, call: &Call) -> Reply {
    let granted = call.form("token").and_then(|token| state.granted.get(&token).cloned());
    Reply::json(200, &granted.unwrap_or_else(|| json!({ "active": false })))
}

/// What an access token says, as a JWT (RFC 9068 §2.2) or by introspection.
pub(super) fn access_token_claims(issuer: &str) -> Value {
    let now = now();
    json!({
        "iss": issuer, "sub": "person-1", "aud": crate::api::AUDIENCE, "client_id": "app", "scope": "read write",
        "iat": now, "exp": now + 300, "jti": random_hex::<8>(),
    })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

fn claims(issuer: &str, login: &Login) -> Value {
    let now = now();
    let mut claims = person();
    claims["iss"] = json!(issuer);
    claims["aud"] = json!(login.client_id);
    claims["iat"] = json!(now);
    claims["auth_time"] = json!(now);
    claims["exp"] = json!(now + 300);
    if let Some(nonce) = &login.nonce {
        claims["nonce"] = json!(nonce);
    }
    claims
}

fn person() -> Value {
    json!({
        "sub": "person-1",
        "preferred_username": "demo",
        "name": "Demo Person",
        "email": "demo@example.com",
        "email_verified": true,
        "groups": ["staff", "editors"],
    })
}
