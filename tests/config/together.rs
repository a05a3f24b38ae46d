//! What several rules, and `defaults`, say together.

use super::*;
use oidc_proxy_wasm::config::Names;

fn rules(rules: Value) -> Value {
    with(shop(), "/rules", rules)
}

fn login(host: &str, path: &str) -> Value {
    json!({ "redirect_uri": format!("https://{host}{path}") })
}

/// Z11.
#[test]
fn a_rule_that_can_never_match_is_refused() {
    let open = |matches: Value| json!({ "allow": "anonymous", "match": matches });
    for (first, second, other) in [
        (json!({ "path": "/a" }), json!({ "path": "/a" }), json!({ "path": "/b" })),
        (json!({ "path_prefix": "/a" }), json!({ "path_prefix": "/a/b" }), json!({ "path_prefix": "/ab" })),
        (json!({ "path_prefix": "/a" }), json!({ "path": "/a/b" }), json!({ "path": "/ab" })),
        (json!({ "host": "*.a.example" }), json!({ "host": "x.a.example" }), json!({ "host": "a.example" })),
        (json!({ "host": "a" }), json!({ "host": "a:1" }), json!({ "host": "b:1" })),
        (json!({ "methods": ["GET", "POST"] }), json!({ "methods": ["GET"] }), json!({ "methods": ["GET", "PUT"] })),
        (
            json!({ "headers": { "a": "1" } }),
            json!({ "headers": { "A": "1", "b": "2" } }),
            json!({ "headers": { "a": "2" } }),
        ),
    ] {
        let config = rules(json!([open(first), null]));
        let sentence = "rules[1].match: can never match: rules[0] before it takes all of its requests";
        twins_in(config, "/rules/1", open(second), sentence, open(other));
    }
    let all = json!([{ "allow": "anonymous" }, { "allow": "nobody" }]);
    assert!(problem(&rules(all)).contains("can never match"));
}

#[test]
fn names_are_unique() {
    twins("/rules/1/name", json!("public"), "\"public\" is the name of rules[0]", json!("private"));
}

/// P02: forwarding is for rules where no reading of a path leads elsewhere.
#[test]
fn ambiguous_paths_pass_only_where_they_change_nothing() {
    let one = |matches: Value| rules(json!([{ "match": matches, "allow": "anonymous" }]));
    let whole = one(json!({ "host": "a" }));
    twins_in(whole, "/rules/0/ambiguous_paths", json!("pass"), "is not one of refuse, forward", json!("forward"));
    for part in [
        json!({ "path_prefix": "/a" }),
        json!({ "path": "/" }),
        json!({ "methods": ["GET"] }),
        json!({ "headers": { "a": "b" } }),
    ] {
        twins_in(
            one(part),
            "/rules/0/ambiguous_paths",
            json!("forward"),
            "needs a rule for its whole host",
            json!("refuse"),
        );
    }
    let second = json!({ "match": { "host": "a" }, "allow": "anonymous", "ambiguous_paths": "forward" });
    let before = |host: &str| json!({ "match": { "host": host, "path_prefix": "/private" }, "allow": "nobody" });
    let config = rules(json!([null, second]));
    twins_in(config, "/rules/0", before("a"), "reads as one of rules[0]", before("b"));
}

#[test]
fn an_endpoint_of_ours_means_one_thing() {
    let two = with(shop(), "/providers/other", shop()["providers"]["main"].clone());
    let rule = |provider: &str, prefix: &str, login: Value| json!({ "match": { "host": "a", "path_prefix": prefix }, "provider": provider, "login": login });
    let first = rule("main", "/x", with(login("a", "/cb"), "/initiate_path", json!("/start")));
    let config = with(two, "/rules", json!([first, null]));
    let second = |provider: &str, login: Value| rule(provider, "/y", login);
    let at = "/rules/1";
    twins_in(
        config.clone(),
        at,
        second("other", login("a", "/cb")),
        "another provider",
        second("main", login("a", "/cb")),
    );
    twins_in(
        config.clone(),
        at,
        second("main", login("a", "/start")),
        "initiate_path, which means",
        second("main", login("a", "/s")),
    );
    let initiate = |callback: &str, path: &str| with(login("a", callback), "/initiate_path", json!(path));
    twins_in(
        config.clone(),
        at,
        second("main", initiate("/cb2", "/cb")),
        "redirect_uri, which means something else",
        second("main", initiate("/cb2", "/start2")),
    );
    twins_in(
        config,
        at,
        second("main", initiate("/cb2", "/start")),
        "logs in differently",
        second("main", initiate("/cb", "/start")),
    );
}

#[test]
fn defaults_merge_and_require_only_adds() {
    let defaults = json!({
        "login": { "redirect_uri": "https://a.example/cb", "scope": "openid email", "params": { "prompt": "login" } },
        "require": { "scope": ["base"], "groups": { "claim": ["groups"], "any_of": ["all"] } },
        "upstream_headers": [{ "claim": ["sub"], "name": "x-user" }],
        "errors": { "realm": "shop" },
    });
    let config = with(shop(), "/defaults", defaults);
    let config = with(
        config,
        "/rules",
        json!([
            { "match": { "path_prefix": "/open" }, "allow": "anonymous" },
            {
                "match": { "path_prefix": "/a" },
                "login": { "scope": null, "params": { "prompt": null, "acr": "x" } },
                "require": { "groups": { "claim": ["groups"], "any_of": ["few"] }, "claims": [{ "claim": ["a"], "equals": 1 }] },
                "upstream_headers": [],
            },
            { "match": { "path_prefix": "/b" } },
        ]),
    );
    let config = loaded(&config);
    let [open, a, b] = &config.rules[..] else { panic!("three rules") };
    assert!(
        open.providers.is_empty()
            && open.login.is_none()
            && open.require.scope.is_empty()
            && open.upstream_headers.is_empty()
    );
    let login = a.login.as_ref().unwrap();
    assert_eq!((login.scope.as_str(), &login.params[..]), ("openid", &[("acr".to_owned(), "x".to_owned())][..]));
    assert_eq!((a.require.scope.len(), a.require.groups.len(), a.require.claims.len()), (1, 2, 1));
    assert!(a.upstream_headers.is_empty());
    assert_eq!((b.require.scope.len(), b.require.groups.len(), b.upstream_headers.len()), (1, 1, 1));
    assert_eq!(b.login.as_ref().unwrap().params, [("prompt".to_owned(), "login".to_owned())]);
    assert_eq!(b.errors.realm.as_deref(), Some("shop"));
    assert_eq!(open.name, "rule_0");
}

#[test]
fn a_rule_cannot_take_a_requirement_back() {
    let config = with(shop(), "/defaults", json!({ "require": { "scope": ["base"] } }));
    let config = with(config, "/rules/1/require", json!(null));
    assert_eq!(loaded(&config).rules[1].require.scope, [[["base"]]]);
}

#[test]
fn no_client_sets_a_header_that_some_rule_asserts() {
    let headers = json!([{ "claim": ["sub"], "name": "X_User" }, { "token": "access_token", "name": "X-Token" }]);
    let config = with(shop(), "/rules/1/upstream_headers", headers);
    assert_eq!(loaded(&config).asserted_headers, ["x-token", "x-user"]);
}

/// The example of the design, as far as sessions and logins reach.
#[test]
fn the_example_of_the_design_loads() {
    let config = json!({
        "providers": {
            "main": {
                "issuer": "https://idp.example.com/realms/main",
                "cluster": "idp",
                "client": {
                    "client_id": "shop",
                    "client_secret": { "env": "SHOP_CLIENT_SECRET" },
                    "token_endpoint_auth_method": "client_secret_basic",
                },
            },
        },
        "rules": [
            { "match": { "path_prefix": "/public" }, "allow": "anonymous" },
            {
                "match": { "host": "shop.example.com", "path_prefix": "/" },
                "provider": "main",
                "methods": ["session", "authorization_code"],
                "login": { "redirect_uri": "https://shop.example.com/oauth/callback", "scope": "openid email" },
                "require": {
                    "scope": ["openid email"],
                    "groups": { "claim": ["realm_access", "roles"], "any_of": [["staff", "admin"], "root"] },
                },
                "upstream_headers": [{ "claim": ["preferred_username"], "name": "x-user" }],
            },
        ],
        "session": { "secrets": [{ "env": "SESSION_KEY_2" }, { "env": "SESSION_KEY_1" }] },
    });
    let config = loaded(&config);
    let require = &config.rules[1].require;
    assert_eq!(require.scope, [[["openid", "email"]]]);
    assert_eq!(json!(require.groups[0].any_of), json!([["staff", "admin"], ["root"]]));
    let Names::Claim(at) = &require.groups[0].names else { panic!("{:?}", require.groups[0]) };
    assert_eq!(at.claim.to_string(), "realm_access / roles");
}

/// Sessions of their own need a way back of their own, which tells whose login it was.
#[test]
fn a_partition_has_a_redirect_uri_of_its_own() {
    let login = |path: &str| {
        let uri = format!("https://shop.example.com{path}");
        json!({ "match": { "host": "shop.example.com", "path_prefix": "/pay" },
                "login": { "redirect_uri": uri, "partition": "pay" } })
    };
    let config =
        rules(json!([null, { "login": login_at("/oauth/callback"), "match": { "host": "shop.example.com" } }]));
    let sentence = "redirect_uri: is that of rules[0], whose sessions are apart: give each its own path";
    twins_in(config, "/rules/0", login("/oauth/callback"), sentence, login("/pay/callback"));
}

fn login_at(path: &str) -> Value {
    login("shop.example.com", path)
}

#[test]
fn what_tells_of_sessions_needs_a_login() {
    let shop = with(shop(), "/rules/1/methods", json!(["session"]));
    let (there, gone) = (json!("/oauth/session"), Value::Null);
    let login =
        json!({ "match": { "host": "shop.example.com", "path": "/login" }, "login": login_at("/oauth/callback") });
    let both = with(shop, "/rules/2", login);
    let both = with(both, "/rules/1/match", json!({ "host": "shop.example.com", "path_prefix": "/api" }));
    let both = without(both, "/rules/1/login");
    twins_in(both, "/rules/1/session_info_path", there.clone(), "session_info_path: needs a login", gone);
    twins("/rules/1/session_info_path", json!("/a/../b"), "has a segment . or ..", there);
    let passive = |path: &str| json!([path]);
    twins("/rules/1/login/passive_paths", passive("poll"), "does not begin with /", passive("/poll"));
}
