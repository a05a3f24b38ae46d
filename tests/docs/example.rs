//! The example of the reference: every key once, in a configuration that loads.

use oidc_proxy_wasm::config::keys::{DEFAULTS, Kind, TOP, Table};
use oidc_proxy_wasm::config::{self, Config};
use serde_json::{Value, json};

/// A configuration with every key that there is.
pub fn configuration() -> Value {
    json!({
        "bodies": "unreadable",
        "providers": { "main": main_provider(), "partner": partner(), "apple": apple() },
        "defaults": defaults(),
        "rules": [public(), admin(), partners(), api(), batch(), shop()],
        "consumers": consumers(),
        "gateway_tokens": gateway_tokens(),
        "session": session(),
        "store": { "redis_http": {
            "cluster": "webdis",
            "authority": "webdis.example.com",
            "path_prefix": "/",
            "prefix": "oidc:",
            "timeout": "200ms",
            "on_failure": "deny",
            "headers": { "authorization": { "env": "STORE_AUTHORIZATION" } },
        } },
        "revocation": { "entries": 1000, "max_age": "31d", "tokens": true },
        "operator": {
            "path": "/oauth/operator",
            "provider": "main",
            "token": { "audience": ["https://api.example.com"] },
            "require": { "scope": ["oidc-admin"] },
        },
        "cache": cache(),
        "observability": { "reason_header": "x-oidc-reason", "log": "info" },
    })
}

fn main_provider() -> Value {
    json!({
        "issuer": "https://idp.example.com/realms/main",
        "cluster": "idp",
        "clusters": { "keys.example.com": "idp_keys" },
        "discovery_url": "https://idp.example.com/realms/main/.well-known/openid-configuration",
        "accepted_issuers": ["https://idp.example.com/{tenantid}/v2.0"],
        "signing_algs": ["RS256", "ES256"],
        "clock_skew": "30s",
        "timeout": "5s",
        "allow_http": false,
        "client": {
            "client_id": "shop",
            "client_secret": { "env": "SHOP_CLIENT_SECRET" },
            "token_endpoint_auth_method": "client_secret_basic",
            "introspection_endpoint_auth_method": "client_secret_post",
            "revocation_endpoint_auth_method": "client_secret_basic",
            "id_token_signed_response_alg": "RS256",
            "introspection_signed_response_alg": "RS256",
        },
        "authorization_params": { "audience": "https://api.example.com" },
        "token_params": { "resource": "https://api.example.com" },
        "introspection_params": { "token_type_hint": "access_token" },
        "introspection_accept": "jwt",
        "request_headers": { "x-api-key": { "env": "IDP_API_KEY" } },
        "response_mode": "query",
        "trusted_audiences": ["https://api.example.com"],
    })
}

fn gateway_tokens() -> Value {
    json!({
        "issuer": "https://api.example.com",
        "path": "/oauth/token",
        "revocation_path": "/oauth/revoke",
        "introspection_path": "/oauth/introspect",
        "secrets": [{ "env": "GATEWAY_TOKEN_KEY" }],
        "lifetime": "1h",
        "guess_limit": { "per_user": 10, "per_address": 100, "per": "minute" },
        "clients": [
            {
                "client_id": "nightly",
                "client_secret": { "env": "NIGHTLY_SECRET" },
                "client_secret_hash": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "scope": "read write",
                "audience": ["https://api.example.com"],
                "consumer": "acme",
            },
            { "client_id": "watch", "jwks": partner()["jwks"], "introspect": true },
        ],
    })
}

/// A provider without discovery; its key is that of RFC 7517, appendix A.1.
fn partner() -> Value {
    json!({
        "issuer": "https://login.partner.example",
        "cluster": "partner",
        "metadata": {
            "authorization_endpoint": "https://login.partner.example/authorize",
            "token_endpoint": "https://login.partner.example/token",
            "introspection_endpoint": "https://login.partner.example/introspect",
            "userinfo_endpoint": "https://login.partner.example/userinfo",
        },
        "jwks": {
            "keys": [{
                "kty": "EC",
                "crv": "P-256",
                "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
                "use": "sig",
                "kid": "1",
            }],
        },
        "client": {
            "client_id": "shop",
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "assertion_audience": "https://login.partner.example",
            "assertion_typ": "JWT",
            "jwks": [{ "env": "SHOP_KEY" }, { "env": "SHOP_NEXT_KEY" }],
        },
        "jwks_path": "/oauth/jwks",
    })
}

/// A provider that takes a secret only if we have signed it.
fn apple() -> Value {
    json!({
        "issuer": "https://appleid.apple.com",
        "cluster": "apple",
        "client": {
            "client_id": "com.example.shop",
            "token_endpoint_auth_method": "client_secret_post",
            "signed_secret": { "issuer": "TEAM123456", "audience": "https://appleid.apple.com", "kid": "KEY1234567" },
            "jwk": { "env": "APPLE_KEY" },
        },
    })
}

fn defaults() -> Value {
    json!({
        "mode": "enforce",
        "provider": "main",
        "ambiguous_paths": "refuse",
        "methods": ["session", "authorization_code"],
        "credentials": { "hide": true },
        "token": { "client_id_claims": ["client_id", "azp"] },
        "grants": { "scope": "orders:read" },
        "guess_limit": { "per": "minute" },
        "enrich": ["userinfo"],
        "login": { "redirect_uri": "https://shop.example.com/oauth/callback", "scope": "openid email", "partition": "shop" },
        "session_info_path": "/oauth/session",
        "require": { "reverify": "never", "claims": [{ "claim": ["email_verified"], "equals": true }] },
        "logout": logout(),
        "consumer": { "by": ["sub"], "optional": true },
        "upstream_headers": [{ "claim": ["preferred_username"], "name": "x-user" }],
        "rate_limit": {
            "by": ["sub"],
            "source": "any",
            "limit_claim": ["plan", "rpm"],
            "default": 600,
            "per": "minute",
            "burst": 100,
            "headers": true,
        },
        "response_headers": [],
        "properties": [],
        "errors": { "realm": "shop" },
    })
}

fn logout() -> Value {
    json!({
        "path": "/oauth/logout",
        "methods": ["POST", "GET"],
        "all_sessions": false,
        "revoke": true,
        "end_session": true,
        "params": { "ui_locales": "en" },
        "hint": ["login_hint"],
        "post_logout_redirect_uri": "https://www.example.com/bye",
        "return_parameter": "post_logout_redirect_uri",
        "landing_path": "/oauth/landing",
        "front_channel_path": "/oauth/front-channel-logout",
        "back_channel_path": "/oauth/back-channel-logout",
        "require_type": false,
        "require_exp": true,
    })
}

fn public() -> Value {
    json!({ "name": "public", "match": { "path_prefix": "/public" }, "allow": "anonymous" })
}

fn admin() -> Value {
    json!({
        "name": "admin",
        "match": {
            "host": "shop.example.com",
            "path": "/admin",
            "methods": ["GET", "POST"],
            "headers": { "x-tenant": "acme" },
        },
        "require": {
            "scope": ["openid email"],
            "audience": ["shop", "https://api.example.com"],
            "groups": { "claim": ["realm_access", "roles"], "source": "any", "any_of": [["staff", "admin"], "root"] },
            "roles": { "claim": ["resource_access", "shop", "roles"], "any_of": ["editor"] },
            "claims": [
                { "claim": ["hd"], "any_of": ["example.com", "example.org"] },
                { "claim": ["permissions"], "all_of": ["read", "write"], "space_separated": true },
                { "claim": ["plan"], "source": "id_token", "none_of": ["trial"] },
                { "claim": ["employee_id"], "present": true },
                { "claim": ["age"], "at_least": 18, "at_most": 120 },
            ],
            "forbidden_claims": [["suspended"], { "claim": ["locked"], "source": "id_token" }],
            "email_domains": ["example.com"],
            "groups_denied": ["guests"],
        },
        "errors": {
            "unauthorized_redirect_uri": "https://www.example.com/who",
            "forbidden_redirect_uri": "https://www.example.com/no",
            "unexpected_redirect_uri": "https://www.example.com/later",
        },
    })
}

fn partners() -> Value {
    json!({
        "name": "partners",
        "match": { "host": "partners.example.com" },
        "provider": "partner",
        "login": {
            "redirect_uri": "https://partners.example.com/oauth/callback",
            "action": "tokens",
            "tokens": ["access_token", "id_token", "refresh_token"],
        },
        "logout": { "post_logout_redirect_uri": "https://partners.example.com/bye" },
        "upstream_headers": [{ "token": "access_token", "name": "x-access-token" }],
        "rate_limit": {
            "by": ["azp"],
            "burst": null,
            "service": {
                "cluster": "rate_limit",
                "authority": "ratelimit.example.com",
                "domain": "shop",
                "key": "client",
                "timeout": "200ms",
                "on_failure": "allow",
            },
        },
    })
}

fn api() -> Value {
    json!({
        "name": "api",
        "match": { "host": "api.example.com" },
        "mode": "report",
        "provider": ["main", "partner"],
        "methods": ["bearer"],
        "credentials": {
            "bearer": ["header", "query", "form", { "header": "x-access-token" }, { "cookie": "token" }],
            "hide": false,
        },
        "token": {
            "audience": ["https://api.example.com"],
            "types": ["at+jwt"],
            "introspect_jwt": true,
            "resource": "https://api.example.com",
            "exchange": {
                "provider": "main",
                "audience": ["orders"],
                "resource": ["https://orders.example.com"],
                "scope": "orders:read",
                "actor_token": "client",
                "conditions": {
                    "has_scopes": ["orders:read"],
                    "missing_scopes": ["internal"],
                    "has_audience": ["https://api.example.com"],
                    "missing_audience": ["orders"],
                },
            },
            "max_age": "1h",
            "acr_values": ["urn:example:gold"],
        },
        "enrich": ["introspection", "userinfo"],
        "properties": [{ "claim": ["sub"], "name": "oidc.sub" }],
    })
}

fn batch() -> Value {
    json!({
        "name": "batch",
        "match": { "host": "batch.example.com" },
        "methods": ["refresh_token", "password", "client_credentials"],
        "credentials": {
            "refresh_token": [{ "header": "Refresh-Token" }, "query", "form"],
            "password": ["basic", "form"],
            "client_credentials": ["basic", "form"],
        },
        "token": { "audience": ["https://api.example.com"] },
        "grants": { "params": { "audience": "https://api.example.com" }, "return_refresh_token": "New-Refresh-Token" },
        "guess_limit": { "per_user": 10, "per_address": 100 },
    })
}

fn shop() -> Value {
    json!({
        "name": "shop",
        "match": { "host": "shop.example.com", "path_prefix": "/" },
        "allow": "authenticated",
        "provider": "main",
        "ambiguous_paths": "refuse",
        "methods": ["session", "authorization_code"],
        "login": {
            "params": { "prompt": "login" },
            "pass_params": ["login_hint", "ui_locales"],
            "userinfo": false,
            "action": "redirect",
            "initiate_path": "/oauth/start",
            "partition": "shop",
            "passive_paths": ["/poll"],
        },
        "session_info_path": "/oauth/who",
        "upstream_headers": [
            { "claim": ["email"], "source": "id_token", "name": "x-email", "as": "text" },
            { "claims": "id_token", "name": "x-id-claims", "as": "base64" },
            { "token": "access_token", "as": "none" },
        ],
        "response_headers": [{ "claim": ["locale"], "name": "x-locale" }],
        "consumer": {
            "by": ["sub"],
            "optional": true,
            "headers": {
                "id": "X-Consumer-Id",
                "username": "X-Consumer-Username",
                "custom_id": "X-Consumer-Custom-Id",
                "credential": "X-Credential-Identifier",
                "groups": "X-Authenticated-Groups",
                "anonymous": "none",
            },
        },
    })
}

fn consumers() -> Value {
    json!([{
        "username": "acme",
        "custom_id": "17",
        "id": "acme-1",
        "match": { "claim": ["azp"], "equals": "acme-app" },
        "groups": ["partners"],
    }, {
        "username": "initech",
        "match": { "claim": ["azp"], "any_of": ["initech-web", "initech-app"] },
    }])
}

fn session() -> Value {
    json!({
        "secrets": [{ "env": "SESSION_KEY_2" }, { "env": "SESSION_KEY_1" }],
        "cookie": { "name": "__Secure-oidc", "same_site": "Lax", "domain": "example.com", "path": "/" },
        "idle": "15m",
        "absolute": "8h",
        "touch": "60s",
        "partition": "default",
        "budget": 12288,
        "remember": { "parameter": "remember", "cookie": "__Secure-oidc-remember", "idle": "7d", "absolute": "30d" },
        "bind": ["scheme"],
        "headers": { "request": ["id", "subject"], "response": ["timeout"] },
        "keep_claims": [["locale"]],
        "refresh": { "before": "60s", "jitter": "20s", "grace": "30s", "assumed_lifetime": "5m", "backoff": "5s" },
        "accept_older_sessions": true,
    })
}

fn cache() -> Value {
    json!({
        "keys": { "refetch": "30s", "floor": "5m", "ceiling": "24h" },
        "metadata": { "refresh": "1h" },
        "tokens": { "entries": 10_000, "max_age": "5m" },
        "introspection": { "entries": 10_000, "max_age": "60s", "negative": "10s" },
        "userinfo": { "entries": 2_000, "max_age": "5m" },
        "grants": { "entries": 2_000, "margin": "10s", "negative": "10s" },
    })
}

fn load(example: &Value) -> Config {
    // Three secrets of a test, as long as needed.
    let env = |name: &str| Some(format!("{name}-cR6yW3zH5jP0sDaE9fK2mQ7xT4vB8nL1"));
    config::load(example.to_string().as_bytes(), &env).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

#[test]
fn the_example_loads() {
    let config = load(&configuration());
    assert_eq!((config.providers.len(), config.rules.len()), (3, 6));
}

#[test]
fn the_example_shows_every_key() {
    let mut seen = Vec::new();
    collect(&TOP, &configuration(), &mut seen);
    let mut missing = Vec::new();
    each_table(&TOP, &mut |table| {
        let unseen = table.keys.iter().filter(|key| !seen.contains(&(table.place, key.name)));
        missing.extend(unseen.map(|key| format!("{}: {}", table.place, key.name)));
    });
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Notes which keys of which tables stand in `value`.
fn collect(table: &'static Table, value: &Value, seen: &mut Vec<(&'static str, &'static str)>) {
    for key in table.keys {
        if let Some(value) = value.get(key.name) {
            seen.push((table.place, key.name));
            collect_kind(&key.kind, value, seen);
        }
    }
}

fn collect_kind(kind: &'static Kind, value: &Value, seen: &mut Vec<(&'static str, &'static str)>) {
    match kind {
        Kind::Either(_, other) if !value.is_string() => collect_kind(other, value, seen),
        Kind::Section(table) => collect(table, value, seen),
        Kind::List(of) | Kind::Some(of) => {
            value.as_array().into_iter().flatten().for_each(|item| collect_kind(of, item, seen));
        }
        Kind::Map(of) => value.as_object().into_iter().flatten().for_each(|(_, value)| collect_kind(of, value, seen)),
        _ => {}
    }
}

/// Calls `visit` with `table` and every table below it, each once, in the order of the reference.
pub fn each_table(table: &'static Table, visit: &mut dyn FnMut(&'static Table)) {
    let mut places = Vec::new();
    walk(table, &mut places, visit);
}

fn walk(table: &'static Table, places: &mut Vec<&'static str>, visit: &mut dyn FnMut(&'static Table)) {
    if places.contains(&table.place) {
        return;
    }
    places.push(table.place);
    visit(table);
    // The tables below `defaults` are those of a rule, and are shown there.
    let keys = if table.place == DEFAULTS.place { &[] } else { table.keys };
    for key in keys {
        if let Some(inner) = table_in(&key.kind) {
            walk(inner, places, visit);
        }
    }
}

/// The table whose keys a kind takes, if any.
pub fn table_in(kind: &'static Kind) -> Option<&'static Table> {
    match kind {
        Kind::Section(table) => Some(table),
        Kind::List(of) | Kind::Some(of) | Kind::Map(of) | Kind::Either(_, of) => table_in(of),
        _ => None,
    }
}
