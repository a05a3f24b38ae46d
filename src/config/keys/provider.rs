//! The keys of an identity provider.

use super::{Blanks, CLIENT, Key, Kind, NONE, Preset, Table, key, printed, said};
use std::time::Duration;

/// An identity provider.
pub static PROVIDER: Table = Table {
    place: printed("providers.<name>"),
    doc: printed("One identity provider. Its name is shown in logs and metrics."),
    blanks: Blanks::Unset,
    keys: KEYS,
};

/// The algorithms that may be listed.
pub(super) const ALGORITHMS: &[&str] = &[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "HS256",
    "HS384", "HS512",
];

/// Those that need no shared secret.
const ASYMMETRIC: &[&str] = &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

const KEYS: &[Key] = &[
    key(
        "issuer",
        Kind::Text,
        Preset::Required,
        "The provider's issuer, an `https` URL without query and fragment. It is compared byte for byte with `iss` and \
         with the discovery document (OIDC Discovery §4.3), so a trailing slash counts.",
    ),
    key(
        "cluster",
        Kind::Text,
        said("none; then `clusters` names every host"),
        "The host's cluster (Envoy) for this provider's endpoints. The cluster must verify the provider's TLS.",
    ),
    key(
        "clusters",
        Kind::Map(&Kind::Text),
        NONE,
        "Clusters for hosts by name, over `cluster`. What no cluster reaches is never called.",
    ),
    key(
        "discovery_url",
        Kind::Text,
        said("`issuer` with `/.well-known/openid-configuration`, where `metadata` is not whole"),
        "Where the provider's metadata is fetched.",
    ),
    key(
        "metadata",
        Kind::Object,
        NONE,
        "Members of RFC 8414 and OIDC Discovery that win over the fetched ones. With `authorization_endpoint`, \
         `token_endpoint` and keys (`jwks_uri` or `jwks`) it is whole: nothing is discovered.",
    ),
    key("jwks", Kind::Object, NONE, "The provider's public keys (RFC 7517 §5); no key set is fetched then."),
    key(
        "accepted_issuers",
        Kind::List(&Kind::Text),
        NONE,
        "Further `iss` values that an access token of this provider may have, compared byte for byte. `{tenantid}` in one \
         stands for the token's own `tid` claim, so that every tenant is taken: name those you want under `require`.",
    ),
    key(
        "signing_algs",
        Kind::Some(&Kind::Choice(ALGORITHMS)),
        Preset::Words(ASYMMETRIC),
        "Algorithms that a signature may have. HS* only when listed, and with a secret as long as the hash \
         (RFC 7518 §3.2). `none` is not an algorithm.",
    ),
    key(
        "clock_skew",
        Kind::Duration { least: Duration::ZERO, most: Duration::from_secs(300) },
        Preset::Text("30s"),
        "How far the provider's clock may differ from ours.",
    ),
    key(
        "timeout",
        Kind::Duration { least: Duration::from_millis(1), most: Duration::from_secs(300) },
        Preset::Text("5s"),
        "How long one call to the provider may take.",
    ),
    key(
        "allow_http",
        Kind::Flag,
        Preset::Flag(false),
        "Takes `http` for the issuer, its endpoints and redirect URIs where they are on loopback: tests and demos.",
    ),
    key(
        "client",
        Kind::Section(&CLIENT),
        said("none; needed to log in, and to introspect"),
        "Our registration at the provider.",
    ),
    key(
        "authorization_params",
        Kind::Map(&Kind::Text),
        NONE,
        "Added to every authorization request, such as `audience`. What the flow itself sets cannot be set here.",
    ),
    key("token_params", Kind::Map(&Kind::Text), NONE, "Added to every token request."),
    key(
        "introspection_params",
        Kind::Map(&Kind::Text),
        said("`token_type_hint: access_token`"),
        "Added to every introspection request (RFC 7662 §2.1), and may say another `token_type_hint`.",
    ),
    key(
        "introspection_accept",
        Kind::Choice(&["json", "jwt"]),
        Preset::Text("json"),
        "What introspection answers are: plain JSON, or JWTs signed with the provider's keys (RFC 9701). An answer of the \
         other form is refused.",
    ),
    key("request_headers", Kind::Map(&Kind::Secret), NONE, "Header fields added to every call to the provider."),
    key(
        "response_mode",
        Kind::Choice(&["query", "form_post"]),
        Preset::Text("query"),
        "How the authorization response comes back. `form_post` arrives in a body: the callback's path is routed to \
         an instance with `bodies: readable`.",
    ),
    key(
        "trusted_audiences",
        Kind::List(&Kind::Text),
        NONE,
        "Further audiences that an ID token may carry beside our `client_id` (OIDC Core §3.1.3.7, 3).",
    ),
    key(
        "jwks_path",
        Kind::Text,
        NONE,
        "The public half of `client.jwk` or `client.jwks` is served at this path, on every host, to anybody (RFC 7517 §5): \
         give the provider its address as `jwks_uri`.",
    ),
];
