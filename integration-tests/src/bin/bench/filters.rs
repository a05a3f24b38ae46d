//! The filters that are compared, configured to do the same work where they can.

use integration_tests::{module, random_hex, root};
use serde_json::{Value, json};

use crate::proxy::{Place, Plan};
use crate::tokens::{AUDIENCE, CLIENT_ID, Provider};

/// A proxy-wasm filter that does nothing.
pub fn nothing() -> Plan {
    let module = root().join("dist/noop_filter.wasm");
    assert!(module.is_file(), "dist/noop_filter.wasm is not there: make bench");
    Plan { filters: vec![wasm(&module.to_string_lossy(), &json!({}))], ..Plan::default() }
}

/// Envoy's `jwt_authn`: keys in its configuration, nothing remembered of tokens that it has seen.
pub fn jwt_authn(provider: &Provider) -> Plan {
    let jwt = json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": { "idp": {
                "issuer": provider.idp.issuer(),
                "audiences": [AUDIENCE],
                "local_jwks": { "inline_string": provider.jwks.to_string() },
                "forward": true,
            } },
            "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "idp" } }],
        },
    });
    Plan { filters: vec![jwt], ..Plan::default() }
}

/// Envoy's `oauth2` with encrypted cookies; the token goes on to the service.
pub fn oauth2(provider: &Provider, place: Place) -> Plan {
    let issuer = provider.idp.issuer();
    let oauth2 = json!({
        "name": "envoy.filters.http.oauth2",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.oauth2.v3.OAuth2",
            "config": {
                "token_endpoint": { "cluster": "idp", "uri": format!("{issuer}/token"), "timeout": "5s" },
                "authorization_endpoint": format!("{issuer}/authorize"),
                "redirect_uri": format!("http://{}/oauth2/callback", place.host()),
                "redirect_path_matcher": { "path": { "exact": "/oauth2/callback" } },
                "signout_path": { "path": { "exact": "/oauth2/signout" } },
                "forward_bearer_token": true,
                "use_refresh_token": false,
                "auth_scopes": ["openid", "profile", "email"],
                "credentials": {
                    "client_id": CLIENT_ID,
                    "token_secret": { "name": "client_secret" },
                    "hmac_secret": { "name": "cookie_secret" },
                },
            },
        },
    });
    Plan {
        filters: vec![oauth2],
        clusters: vec![("idp", provider.idp.port)],
        secrets: vec![("client_secret", random_hex::<32>()), ("cookie_secret", random_hex::<32>())],
    }
}

/// Envoy's `ext_authz`, which asks the service at this port of each request.
pub fn ext_authz(port: u16) -> Plan {
    let ext_authz = json!({
        "name": "envoy.filters.http.ext_authz",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
            "transport_api_version": "V3",
            "http_service": {
                "server_uri": { "uri": format!("http://127.0.0.1:{port}"), "cluster": "authz", "timeout": "1s" },
            },
        },
    });
    Plan { filters: vec![ext_authz], clusters: vec![("authz", port)], ..Plan::default() }
}

/// The same natively as a session of ours with a rule: `oauth2`, then `jwt_authn` on the token that it forwards.
pub fn oauth2_then_jwt_authn(provider: &Provider, place: Place) -> Plan {
    let mut plan = oauth2(provider, place);
    plan.filters.extend(jwt_authn(provider).filters);
    plan
}

/// The filter.
pub fn ours(provider: &Provider, configuration: &Value) -> Plan {
    let filter = wasm(&module().to_string_lossy(), configuration);
    Plan { filters: vec![filter], clusters: vec![("idp", provider.idp.port)], ..Plan::default() }
}

/// The same with its sessions in the store at this port.
pub fn stored(provider: &Provider, place: Place, store: u16) -> Plan {
    let mut configuration = configuration(provider, place);
    configuration["store"] = json!({ "redis_http": { "cluster": "webdis", "timeout": "2s" } });
    let mut plan = ours(provider, &configuration);
    plan.clusters.push(("webdis", store));
    plan
}

/// Its configuration: an anonymous rule, and one with a login, a requirement and three headers.
pub fn configuration(provider: &Provider, place: Place) -> Value {
    json!({
        "providers": { "main": {
            "issuer": provider.idp.issuer(),
            "cluster": "idp",
            "allow_http": true,
            "client": { "client_id": CLIENT_ID, "client_secret": random_hex::<32>() },
        } },
        "rules": [
            { "name": "public", "match": { "path_prefix": "/public" }, "allow": "anonymous" },
            {
                "name": "shop",
                "match": { "path_prefix": "/" },
                "login": {
                    "redirect_uri": format!("http://{}/oauth/callback", place.host()),
                    "scope": "openid profile email",
                },
                "require": { "groups": { "claim": ["groups"], "any_of": ["staff"] } },
                "upstream_headers": [
                    { "claim": ["preferred_username"], "name": "x-user" },
                    { "claim": ["email"], "name": "x-email" },
                    { "claim": ["groups"], "name": "x-groups" },
                ],
            },
        ],
        "session": { "secrets": [random_hex::<32>()], "idle": "15m", "absolute": "8h", "touch": "60s" },
    })
}

fn wasm(module: &str, configuration: &Value) -> Value {
    json!({
        "name": "wasm",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "bench",
                "failure_policy": "FAIL_RELOAD",
                "vm_config": {
                    "vm_id": "bench",
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": { "local": { "filename": module } },
                },
                "configuration": { "@type": "type.googleapis.com/google.protobuf.Struct", "value": configuration },
            },
        },
    })
}
