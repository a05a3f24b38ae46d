//! The loads that bring access tokens.

use std::cell::Cell;

use crate::api::{FEW, issued, path};
use crate::field::{Field, To};
use crate::rows::{Requests, Row, get, name};
use crate::tokens::{OPAQUE, Provider, Signed};

/// Tokens of each row whose tokens nobody has seen. They are sent in turn to a filter that remembers so few that each was
/// forgotten before its turn comes again: a token costs there what one costs that nobody has ever seen, looking for it,
/// verifying, remembering and forgetting another one included. Signing as many as there are requests would take minutes.
const RING: usize = 8 * FEW;

/// Rows of each algorithm, and what they are compared with.
pub fn rows(field: &Field, provider: &Provider) -> Vec<Row> {
    let bearer = |to, path: &str, token: &str| get(field, to, path, &[("authorization", &format!("Bearer {token}"))]);
    let seen = &provider.tokens.access;
    let native = |name, what, signed| {
        Row::same(name, what, To::JwtAuthn, bearer(To::JwtAuthn, "/", &provider.access_token(signed)))
    };
    let anew = |name, what, signed| {
        let token = |_| bearer(To::Forgetful, path::ORDERS, &provider.access_token(signed));
        let ring = Requests::Ring((0..RING).map(token).collect(), Cell::new(0));
        Row { name, what, to: To::Forgetful, status: 200, requests: ring }
    };
    vec![
        native(name::JWT_AUTHN_ES256, "ES256, local keys, not cached", Signed::Es256),
        native(name::JWT_AUTHN_EDDSA, "EdDSA, local keys, not cached", Signed::EdDsa),
        Row::same(
            name::EXT_AUTHZ,
            "over HTTP; what its service costs is not counted",
            To::ExtAuthz,
            bearer(To::ExtAuthz, "/", seen),
        ),
        Row::same(name::BEARER, "ours, the same RS256 each time", To::Api, bearer(To::Api, path::ORDERS, seen)),
        anew(name::BEARER_RS256, "ours, not seen before, by the host's crypto", Signed::Rs256),
        // The host has no PSS; its arithmetic is that of RS256.
        anew(name::BEARER_WASM, "ours, not seen before; costs what RS256 costs without the host", Signed::Ps256),
        anew(name::BEARER_ES256, "ours, not seen before, by the host's crypto", Signed::Es256),
        anew(name::BEARER_EDDSA, "ours, not seen before, in wasm", Signed::EdDsa),
        Row::same(name::INTROSPECTED, "ours, the same opaque token", To::Api, bearer(To::Api, path::OPAQUE, OPAQUE)),
        Row::same(
            name::CLIENT,
            "ours, the same id and secret",
            To::Api,
            get(field, To::Api, path::CLIENT, &[("authorization", "Basic bmlnaHRseTpzZWNyZXQtb2YtbmlnaHRseQ==")]),
        ),
        Row::same(
            name::JOB,
            "ours, the same token of the gateway's own",
            To::Api,
            bearer(To::Api, path::JOB, &issued(provider)),
        ),
        Row::same(name::ONE_ANONYMOUS, "ours, one provider, no token", To::One, get(field, To::One, "/shop", &[])),
        Row::same(name::MANY_ANONYMOUS, "ours, 50 providers, no token", To::Many, get(field, To::Many, "/shop", &[])),
        Row::same(name::ONE_BEARER, "ours, one provider, the same RS256", To::One, bearer(To::One, "/shop", seen)),
        Row::same(name::MANY_BEARER, "ours, 50 providers, the same RS256", To::Many, bearer(To::Many, "/shop", seen)),
    ]
}
