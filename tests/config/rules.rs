//! One rule by itself.

use super::*;
use oidc_proxy_wasm::config::{Allow, ClaimTest, HostMatch, LoginAction, PathMatch, Rule, TokenForm};
use oidc_proxy_wasm::words::Method;
use std::rc::Rc;

fn rule(config: &Value) -> Rule {
    Rc::unwrap_or_clone(loaded(config).rules.pop().unwrap())
}

#[test]
fn what_is_left_out_has_the_safe_default() {
    let rule = rule(&shop());
    assert_eq!((rule.allow, &*rule.providers), (Allow::Authenticated, &[0][..]));
    assert_eq!(rule.methods, [Method::Session, Method::AuthorizationCode]);
    assert_eq!(rule.matches.path, PathMatch::Prefix(String::new()));
    assert_eq!(rule.access_token, None);
    let login = rule.login.unwrap();
    assert_eq!((login.scope.as_str(), login.userinfo, login.action), ("openid", false, LoginAction::Redirect));
}

#[test]
fn without_rules_everything_needs_a_login() {
    let config = without(shop(), "/rules");
    assert_eq!(problem(&config), "defaults.login.redirect_uri: is missing");
    let config = with(config, "/defaults/login/redirect_uri", json!("https://shop.example.com/cb"));
    let rule = rule(&config);
    assert_eq!(
        (rule.name.as_str(), rule.allow, rule.matches.host),
        ("everything", Allow::Authenticated, HostMatch::Any)
    );
    twins_in(config, "/rules", json!([]), "rules: is an empty list", json!(null));
}

#[test]
fn hosts_are_exact_or_below_one() {
    let at = "/rules/1/match/host";
    for wrong in
        ["https://shop.example.com", "shop.example.com/", "*.*.com", "*shop.example.com", "a@b", "*.a.example:8443"]
    {
        let found = problem_at("rules[1].match.host", &with(shop(), at, json!(wrong)));
        assert!(found.contains("is not a host"), "{wrong}: {found}");
    }
    twins(at, json!("*"), "leaving the key out", json!("*.example.com"));
    let host = |text: &str| rule(&with(shop(), at, json!(text))).matches.host;
    assert_eq!(host("*.Example.com."), HostMatch::Suffix(".example.com".into()));
    assert_eq!(host("SHOP.example.com"), HostMatch::Exact { host: "shop.example.com".into(), port: None });
    assert_eq!(host("shop.example.com:443"), HostMatch::Exact { host: "shop.example.com".into(), port: Some(443) });
}

fn problem_at(path: &str, config: &Value) -> String {
    let problems = load(config).expect_err("loads");
    problems.into_iter().find(|problem| problem.starts_with(path)).expect("a problem there")
}

#[test]
fn paths_are_written_in_their_one_spelling() {
    let at = "/rules/1/match/path_prefix";
    twins(at, json!("public"), "does not begin with /", json!("/shop"));
    twins(at, json!("/shop?x"), "without ? and #", json!("/shop"));
    twins(at, json!("/a/../b"), "has a segment . or ..", json!("/b"));
    twins(at, json!("/%73hop"), "is spelled \"/shop\" here", json!("/shop"));
    twins(at, json!("/{id}"), "is spelled \"/%7Bid%7D\" here", json!("/%7Bid%7D"));
    twins("/rules/1/match/path", json!("//"), "empty segment", json!("/"));
    let both = json!({ "host": "shop.example.com", "path": "/a", "path_prefix": "/a" });
    twins("/rules/1/match", both, "contradicts `path`", json!({ "host": "shop.example.com", "path": "/a" }));
    let path = |text: &str| rule(&with(shop(), at, json!(text))).matches.path;
    assert_eq!(path("/shop/"), PathMatch::Prefix("/shop".into()));
    assert_eq!(path("/"), PathMatch::Prefix(String::new()));
}

#[test]
fn methods_and_headers_of_requests() {
    twins("/rules/1/match/methods", json!(["get"]), "is not a method in capitals", json!(["GET"]));
    twins("/rules/1/match/methods", json!([]), "is an empty list", json!(["GET", "POST"]));
    twins("/rules/1/match/headers", json!({}), "asks for nothing", json!({ "X-Tenant": "a" }));
    twins("/rules/1/match/headers", json!({ ":path": "/" }), "is not a header name", json!({ "x-tenant": "a" }));
    twins("/rules/1/match", json!({}), "match: is empty and asks for nothing", json!({ "host": "shop.example.com" }));
    let blank = json!({ "x-tenant": null, "x-other": "b" });
    twins("/rules/1/match/headers", blank, "headers.x-tenant: is null", json!({ "x-other": "b" }));
    let headers = rule(&with(shop(), "/rules/1/match/headers", json!({ "X-Tenant": "A" }))).matches.headers;
    assert_eq!(headers, [("x-tenant".to_owned(), "A".to_owned())]);
}

/// Z05, O10.
#[test]
fn a_redirect_uri_is_ours_and_exact() {
    let at = "/rules/1/login/redirect_uri";
    for (wrong, sentence) in [
        ("/oauth/callback", "is not an absolute URL"),
        ("http://shop.example.com/cb", "is http: write https"),
        ("https://shop.example.com/cb#x", "has a fragment"),
        ("https://shop.example.com/cb?x=1", "has a query"),
        ("https://other.example.com/cb", "other.example.com is outside the rule's host"),
        ("https://evil-shop.example.com/cb", "outside the rule's host"),
        ("https://shop.example.com.evil.io/cb", "outside the rule's host"),
        ("https://SHOP.example.com/cb", "is sent as https://shop.example.com/cb"),
        ("https://shop.example.com:443/cb", "is sent as https://shop.example.com/cb"),
        ("https://shop.example.com", "is sent as https://shop.example.com/"),
        ("https://shop.example.com/a/../cb", "its path has a segment"),
        ("https://shop.example.com/%63b", "its path is spelled \"/cb\" here"),
    ] {
        twins(at, json!(wrong), sentence, json!("https://shop.example.com/cb"));
    }
    let port = with(shop(), "/rules/1/match/host", json!("shop.example.com:8443"));
    let right = json!("https://shop.example.com:8443/cb");
    twins_in(port, at, json!("https://shop.example.com/cb"), "outside the rule's host", right);
    let any = without(shop(), "/rules/1/match");
    loaded(&with(any, at, json!("https://wherever.example.org/cb")));
    let below = with(shop(), "/rules/1/match/host", json!("*.example.com"));
    twins_in(below, at, json!("https://example.com/cb"), "outside", json!("https://a.example.com/cb"));
}

#[test]
fn a_scope_holds_openid() {
    let at = "/rules/1/login/scope";
    twins(at, json!("email profile"), "lacks openid", json!("openid email profile"));
    twins(at, json!("openid  email"), "one space between", json!("openid email"));
    twins(at, json!("openid \"x\""), "is not a scope", json!("openid x:y/z"));
    twins(at, json!(["openid"]), "found a list, needs text", json!("openid"));
}

#[test]
fn parameters_have_one_source() {
    let fixed = with(shop(), "/providers/main/authorization_params", json!({ "audience": "x" }));
    twins_in(
        fixed,
        "/rules/1/login/params",
        json!({ "audience": "y" }),
        "say it in one place",
        json!({ "prompt": "login" }),
    );
    for name in ["state", "nonce", "response_mode", "request"] {
        twins("/rules/1/login/params", json!({ name: "x" }), "is set by the flow", json!({ "prompt": "login" }));
        twins("/rules/1/login/pass_params", json!([name]), "is set by the flow", json!(["login_hint"]));
    }
    let fixed = with(shop(), "/rules/1/login/params", json!({ "prompt": "login" }));
    twins_in(fixed, "/rules/1/login/pass_params", json!(["prompt"]), "is fixed in params", json!(["login_hint"]));
}

#[test]
fn an_initiate_path_is_a_path_of_its_own() {
    let at = "/rules/1/login/initiate_path";
    twins(at, json!("/oauth/callback"), "is the path of redirect_uri", json!("/oauth/start"));
    twins(at, json!("https://a/b"), "initiate_path: ", json!("/oauth/start"));
}

#[test]
fn providers_are_found_by_name() {
    twins("/rules/1/provider", json!("mian"), "\"mian\" is not under providers", json!("main"));
    twins("/rules/1/provider", json!("mains"), "nearest is \"main\"", json!("main"));
    let two = with(shop(), "/providers/other", shop()["providers"]["main"].clone());
    twins_in(two.clone(), "/rules/1/provider", json!(null), "provider: is missing: one of main, other", json!("other"));
    assert_eq!(rule(&with(two, "/rules/1/provider", json!("other"))).providers, [1]);
}

/// Z06: an empty condition never becomes no condition.
#[test]
fn an_empty_condition_is_refused() {
    let values = |any_of: Value| json!({ "groups": { "claim": ["groups"], "any_of": any_of } });
    let at = "/rules/1/require";
    twins(at, values(json!([])), "any_of: is an empty list", values(json!(["staff"])));
    twins(at, values(json!([[]])), "any_of[0]: is an empty list", values(json!([["staff", "admin"], "root"])));
    twins(at, values(json!([""])), "any_of[0]: is empty", values(json!(["a b"])));
    twins(at, values(json!("staff")), "found text, needs a list", values(json!(["staff"])));
    twins(at, json!({}), "require: is empty and asks for nothing", json!({ "scope": ["a"] }));
    twins(at, json!({ "scope": [] }), "scope: is an empty list", json!({ "scope": ["a b", "c"] }));
    twins(at, json!({ "scope": ["a  b"] }), "a space too many", json!({ "scope": ["a b"] }));
    twins(at, json!({ "scope": "a" }), "found text, needs a list", json!({ "scope": ["a"] }));
    twins(
        at,
        json!({ "claims": [] }),
        "claims: is an empty list",
        json!({ "claims": [{ "claim": ["a"], "equals": false }] }),
    );
    let claim = |claim: Value| json!({ "claims": [claim] });
    let right = || claim(json!({ "claim": ["a"], "equals": 1 }));
    twins(at, claim(json!({ "claim": [], "equals": 1 })), "claim: is an empty list", right());
    twins(at, claim(json!({ "claim": "a", "equals": 1 })), "write [\"a\"]", right());
    twins(at, claim(json!({ "equals": 1 })), "claim: is missing", right());
    twins(at, claim(json!({ "claim": ["a"] })), "exactly one of equals, any_of", right());
    twins(at, claim(json!({ "claim": ["a"], "equals": 1, "any_of": [1] })), "exactly one", right());
    twins(at, claim(json!({ "claim": ["a"], "equals": {} })), "equals: found an object", right());
    twins(at, claim(json!({ "claim": ["a"], "any_of": [] })), "any_of: is an empty list", right());
}

#[test]
fn conditions_keep_their_types_and_doubles_are_mended() {
    let claims = json!([{ "claim": ["a"], "equals": 10.0 }, { "claim": ["b"], "any_of": ["x", true, -2.0, 1.5] }]);
    let require = rule(&with(shop(), "/rules/1/require/claims", claims)).require;
    let shown: Vec<String> = require
        .claims
        .iter()
        .map(|rule| match &rule.test {
            ClaimTest::Equals(value) => value.to_string(),
            ClaimTest::AnyOf(values) => json!(values).to_string(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(shown, ["10", r#"["x",true,-2,1.5]"#]);
}

/// H12.
#[test]
fn upstream_headers_are_ours_to_set() {
    let at = "/rules/1/upstream_headers";
    let claim = |name: &str| json!([{ "claim": ["sub"], "name": name }]);
    for name in
        ["Host", ":path", "content-length", "Connection", "x-envoy-original-path", "cookie", "Transfer_Encoding"]
    {
        twins(at, claim(name), "upstream_headers[0].name: ", claim("x-user"));
    }
    twins(at, claim("Authorization"), "{ token: access_token, as: bearer }", claim("x-user"));
    for (wrong, sentence) in [
        (json!([{ "claim": ["sub"] }]), "name: is missing"),
        (
            json!([{ "claim": ["sub"], "token": "access_token", "name": "x-user" }]),
            "exactly one of claim, claims and token",
        ),
        (json!([{ "token": "access_token" }]), "needs as: bearer, as: none, or the name"),
        (json!([{ "token": "access_token", "as": "none", "name": "x-token" }]), "contradicts name"),
        (
            json!([{ "token": "access_token", "as": "none" }, { "token": "access_token", "as": "bearer" }]),
            "stands twice",
        ),
        (json!([{ "claim": ["a"], "name": "x-user" }, { "claim": ["b"], "name": "X_User" }]), "stands twice"),
    ] {
        twins(
            at,
            wrong,
            sentence,
            json!([{ "claim": ["sub"], "name": "x-user" }, { "token": "access_token", "name": "x-token" }]),
        );
    }
    let form = |entry: Value| rule(&with(shop(), at, json!([entry]))).access_token;
    assert_eq!(form(json!({ "token": "access_token", "as": "none" })), Some(TokenForm::None));
    assert_eq!(form(json!({ "token": "access_token", "as": "bearer" })), Some(TokenForm::Bearer));
    assert_eq!(form(json!({ "token": "access_token", "name": "X-Token" })), Some(TokenForm::Header("x-token".into())));
}

#[test]
fn error_pages_elsewhere_have_urls() {
    let at = "/rules/1/errors";
    twins(at, json!({ "unauthorized_redirect_uri": "/login" }), "is not an absolute URL", json!({ "realm": "shop" }));
    let right = json!({ "forbidden_redirect_uri": "https://www.example.com/no?x=1" });
    twins(at, json!({ "forbidden_redirect_uri": "http://www.example.com" }), "is http", right);
    twins(at, json!({ "realm": "a\"b" }), "visible ASCII characters alone", json!({ "realm": "a b" }));
    twins(at, json!({ "realm": "a\r\nb" }), "control character", json!({ "realm": "a" }));
}

#[test]
fn a_refused_browser_is_not_sent_round_and_round() {
    for key in ["unauthorized_redirect_uri", "forbidden_redirect_uri"] {
        let (itself, open) = ("https://shop.example.com/no", "https://shop.example.com/public/no");
        let at = format!("/rules/1/errors/{key}");
        twins(&at, json!(itself), &format!("{key}: is refused itself"), json!(open));
    }
}

/// Z11: contradictory switches.
#[test]
fn a_rule_that_looks_at_no_identity_says_nothing_about_one() {
    for allow in ["anonymous", "nobody"] {
        for (key, value) in [
            ("provider", json!("main")),
            ("methods", json!(["session"])),
            ("login", json!({ "scope": "openid" })),
            ("require", json!({ "scope": ["a"] })),
            ("upstream_headers", json!([{ "claim": ["sub"], "name": "x-user" }])),
            ("response_headers", json!([{ "claim": ["sub"], "name": "x-user" }])),
        ] {
            let plain = json!({ "name": "open", "match": { "path_prefix": "/open" }, "allow": allow });
            let wrong = with(plain.clone(), &format!("/{key}"), value);
            twins("/rules/0", wrong, &format!("rules[0].{key}: contradicts allow: {allow}"), plain);
        }
    }
}

#[test]
fn methods_that_log_in_leave_a_session() {
    let at = "/rules/1/methods";
    twins(at, json!(["authorization_code"]), "has authorization_code without session", json!(["session"]));
    twins(at, json!(["sesion"]), "nearest is \"session\"", json!(["session", "authorization_code"]));
    twins(at, json!(["baerer"]), "nearest is \"bearer\"", json!(["authorization_code", "session"]));
    let ordered = rule(&with(shop(), at, json!(["authorization_code", "session"])));
    assert_eq!(ordered.methods, [Method::Session, Method::AuthorizationCode]);
}

#[test]
fn an_optional_identity_needs_no_login() {
    let optional = without(with(shop(), "/rules/1/allow", json!("optional")), "/rules/1/login");
    let rule = rule(&optional);
    assert_eq!((rule.allow, rule.methods, rule.login.is_none()), (Allow::Optional, vec![Method::Session], true));
    let explicit = json!(["session", "authorization_code"]);
    twins_in(optional, "/rules/1/methods", explicit, "login.redirect_uri: is missing", json!(["session"]));
}

#[test]
fn names_are_fit_for_logs() {
    twins("/rules/1/name", json!("a\"b"), "no name for logs", json!("a-b"));
    twins("/rules/1/name", json!("x".repeat(65)), "1 to 64 letters", json!("x".repeat(64)));
    twins(
        "/observability",
        json!({ "reason_header": "set-cookie" }),
        "belongs to HTTP",
        json!({ "reason_header": "X-Reason" }),
    );
    twins("/observability", json!({ "reason_header": "location" }), "means something else", json!({ "log": "debug" }));
    twins("/observability", json!({ "log": "verbose" }), "is not one of error, warn", json!({ "log": "trace" }));
}

/// RFC 9728 §3.1: a resource's metadata stand where nothing else does.
#[test]
fn a_resource_has_its_metadata_for_itself() {
    let api = |resource: &str| json!({ "audience": "any", "resource": resource });
    let config = with(shop(), "/rules/1/token", api("https://shop.example.com"));
    loaded(&config);
    let taken = json!("https://shop.example.com/.well-known/oauth-protected-resource");
    let needed = "rules[1].token.resource: has its metadata at /.well-known/oauth-protected-resource";
    twins_in(config, "/rules/1/login/redirect_uri", taken, needed, json!("https://shop.example.com/oauth/callback"));
}

#[test]
fn userinfo_says_nothing_of_how_the_user_authenticated() {
    let at = "/rules/1";
    let rule = |methods: Value| json!({ "name": "api", "methods": methods, "token": { "audience": "any", "acr_values": ["gold"] } });
    let needed = "rules[1].token: asks how the user authenticated, of which userinfo says nothing";
    twins(at, rule(json!(["userinfo"])), needed, rule(json!(["bearer"])));
}
