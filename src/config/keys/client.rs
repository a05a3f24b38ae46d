//! The keys of our registration at a provider.

use super::provider::ALGORITHMS;
use super::{Blanks, Kind, NONE, Preset, Table, key, printed, said};

/// How we may authenticate.
const METHODS: Kind = Kind::Choice(&[
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
    "none",
]);

/// A private key: text, or a JWK as it is.
const PRIVATE_KEY: Kind = Kind::Either(&Kind::Secret, &Kind::Object);

/// Our registration.
pub static CLIENT: Table = Table {
    place: printed("providers.<name>.client"),
    doc: printed(
        "Our registration at the provider. For several clients at one provider, write several entries under `providers` \
          with the same issuer, and choose by the rules' `provider`. How we authenticate is explained in \
          [client-authentication.md](client-authentication.md).",
    ),
    blanks: Blanks::Unset,
    keys: &[
        key("client_id", Kind::Text, Preset::Required, "Our name there."),
        key(
            "client_secret",
            Kind::Secret,
            said("none; needed for `client_secret_*`, unless there is a `signed_secret`"),
            "Our secret there, as text or `{ env: NAME }`.",
        ),
        key(
            "token_endpoint_auth_method",
            METHODS,
            Preset::Text("client_secret_basic"),
            "How we authenticate at the token endpoint (OIDC Core §9, RFC 8705 §2). `none` is a public client. What the \
             provider says that it takes changes nothing about it.",
        ),
        key(
            "introspection_endpoint_auth_method",
            METHODS,
            said("as at the token endpoint"),
            "How we authenticate at the introspection endpoint.",
        ),
        key(
            "revocation_endpoint_auth_method",
            METHODS,
            said("as at the token endpoint"),
            "How we authenticate at the revocation endpoint.",
        ),
        key(
            "jwk",
            PRIVATE_KEY,
            NONE,
            "Our private key: a JWK (as an object, or as JSON in a text) or PEM that is not encrypted. `{ env: NAME }` \
             takes either from a variable. For `private_key_jwt` and `signed_secret`.",
        ),
        key(
            "jwks",
            Kind::Some(&PRIVATE_KEY),
            NONE,
            "Several private keys instead: the first signs, and all are shown at `jwks_path`, so that the next one is known \
             before it is put first.",
        ),
        key(
            "token_endpoint_auth_signing_alg",
            Kind::Choice(ALGORITHMS),
            said(
                "`alg` of the key; else by its kind ES256, ES384, ES512, EdDSA or RS256; HS256 for `client_secret_jwt`",
            ),
            "What assertions are signed by.",
        ),
        key(
            "assertion_audience",
            Kind::Text,
            said("the provider's issuer"),
            "The `aud` of our assertions. Another one than the issuer is for providers that insist on it: an assertion for \
             the URL of a token endpoint is good at whichever provider has that endpoint (CVE-2025-27370).",
        ),
        key(
            "assertion_typ",
            Kind::Choice(&["JWT", "client-authentication+jwt"]),
            Preset::Text("JWT"),
            "The `typ` of our assertions.",
        ),
        key(
            "signed_secret",
            Kind::Section(&SIGNED_SECRET),
            NONE,
            "A client secret that we make ourselves: a JWT, signed with `jwk`, sent as `client_secret_post`. Apple wants it so.",
        ),
        key(
            "id_token_signed_response_alg",
            Kind::Choice(ALGORITHMS),
            said("any of `signing_algs`"),
            "The one algorithm that ID tokens are signed with, as registered.",
        ),
        key(
            "introspection_signed_response_alg",
            Kind::Choice(ALGORITHMS),
            said("any of `signing_algs`"),
            "The one algorithm that introspection answers are signed with, as registered (RFC 9701 §6).",
        ),
    ],
};

/// A client secret that is a JWT.
pub static SIGNED_SECRET: Table = Table {
    place: printed("providers.<name>.client.signed_secret"),
    doc: printed("A client secret that we sign. It lives for an hour, and is made anew after half of that."),
    blanks: Blanks::Refused,
    keys: &[
        key("issuer", Kind::Text, Preset::Required, "Its `iss`: the team, at Apple."),
        key("audience", Kind::Text, Preset::Text("https://appleid.apple.com"), "Its `aud`."),
        key(
            "kid",
            Kind::Text,
            said("that of `jwk`"),
            "Its `kid`: the key's id at Apple, for a key in PEM, which has none.",
        ),
    ],
};
