//! What the rules say together: each can match, no endpoint means two things, and which headers are ours.

use super::problem::{Problems, quoted};
use super::upstream_reader::spelled;
use super::{Allow, AmbiguousPaths, Discovery, Errors, GatewayTokens, Operator, Provider, Rule, Session, TokenForm};
use crate::http::Url;
use crate::http::well_known::resource_path;
use crate::words::Method;
use std::rc::Rc;

/// Reports contradictions between rules. `rules` are those that could be read, with their places.
pub(super) fn check(rules: &[(usize, Rule)], problems: &Problems) {
    for (later, (place, rule)) in rules.iter().enumerate() {
        let earlier = rules.get(..later).unwrap_or_default();
        check_reachable(*place, rule, earlier, problems);
        check_forward(*place, rule, earlier, problems);
        check_endpoints(*place, rule, earlier, problems);
        check_resource(*place, rule, rules, problems);
        check_logout(*place, rule, rules, problems);
        check_error_loops(*place, rule, rules, problems);
        if let Some((first, _)) = earlier.iter().find(|(_, other)| other.name == rule.name) {
            problems
                .add(format!("rules[{place}].name"), format!("{} is the name of rules[{first}]", quoted(&rule.name)));
        }
    }
}

fn check_reachable(place: usize, rule: &Rule, earlier: &[(usize, Rule)], problems: &Problems) {
    if let Some((first, _)) = earlier.iter().find(|(_, other)| other.matches.covers(&rule.matches)) {
        let message = format!("can never match: rules[{first}] before it takes all of its requests");
        problems.add(format!("rules[{place}].match"), message);
    }
}

/// An ambiguous path may pass where no reading of it leads to another rule.
fn check_forward(place: usize, rule: &Rule, earlier: &[(usize, Rule)], problems: &Problems) {
    if rule.ambiguous_paths != AmbiguousPaths::Forward {
        return;
    }
    let path = format!("rules[{place}].ambiguous_paths");
    if !rule.matches.is_whole_host() {
        problems.add(
            path,
            "forward needs a rule for its whole host: no path, methods or headers in match but path_prefix: /",
        );
    } else if let Some((first, _)) = earlier.iter().find(|(_, other)| other.matches.host.overlaps(&rule.matches.host)) {
        problems.add(path, format!("forward would let a path pass that the service reads as one of rules[{first}]"));
    }
}

/// Endpoints of ours are looked up by host and path before any rule: each must mean one thing.
fn check_endpoints(place: usize, rule: &Rule, earlier: &[(usize, Rule)], problems: &Problems) {
    let Some(login) = &rule.login else {
        return;
    };
    for (first, other) in earlier {
        let Some(theirs) =
            other.login.as_ref().filter(|theirs| theirs.redirect_uri.origin() == login.redirect_uri.origin())
        else {
            continue;
        };
        let same_provider = rule.providers == other.providers;
        let (callback, other_callback) = (login.redirect_uri.path(), theirs.redirect_uri.path());
        if callback == other_callback && !same_provider {
            let message =
                format!("is that of rules[{first}], which logs in at another provider: give each its own path");
            problems.add(format!("rules[{place}].login.redirect_uri"), message);
        }
        if callback == other_callback && login.partition != theirs.partition {
            let message = format!("is that of rules[{first}], whose sessions are apart: give each its own path");
            problems.add(format!("rules[{place}].login.redirect_uri"), message);
        }
        if theirs.initiate_path.as_deref() == Some(callback) {
            let message = format!("has the path of rules[{first}].login.initiate_path, which means something else");
            problems.add(format!("rules[{place}].login.redirect_uri"), message);
        }
        let Some(initiate) = login.initiate_path.as_deref() else {
            continue;
        };
        if initiate == other_callback {
            let message = format!("is the path of rules[{first}].login.redirect_uri, which means something else");
            problems.add(format!("rules[{place}].login.initiate_path"), message);
        }
        if theirs.initiate_path.as_deref() == Some(initiate) && !(same_provider && callback == other_callback) {
            let message = format!("is that of rules[{first}], which logs in differently: give each its own path");
            problems.add(format!("rules[{place}].login.initiate_path"), message);
        }
    }
}

/// A resource's metadata have a path of their own, which means one resource (RFC 9728 §3.1).
fn check_resource(place: usize, rule: &Rule, rules: &[(usize, Rule)], problems: &Problems) {
    let Some(resource) = &rule.token.resource else {
        return;
    };
    let path = resource_path(&resource.url);
    for (other_place, other) in rules {
        let login = other.login.as_ref();
        let owned = login.map(|login| login.redirect_uri.path()).into_iter();
        let mut owned = owned.chain(login.and_then(|login| login.initiate_path.as_deref()));
        let clashes = other.token.resource.as_ref().is_some_and(|theirs| {
            theirs != resource && resource_path(&theirs.url) == path && rule.matches.host.overlaps(&other.matches.host)
        });
        if (clashes && *other_place < place) || owned.any(|theirs| theirs == path) {
            let message = format!("has its metadata at {path}, which means something else in rules[{other_place}]");
            problems.add(format!("rules[{place}].token.resource"), message);
        }
    }
}

/// A refused browser must not be sent to where it is refused in the same way, again and again.
fn check_error_loops(place: usize, rule: &Rule, rules: &[(usize, Rule)], problems: &Problems) {
    type Target = fn(&Errors) -> Option<&Url>;
    let targets: [(&str, Target); 2] = [
        ("unauthorized_redirect_uri", |errors| errors.unauthorized_redirect_uri.as_ref()),
        ("forbidden_redirect_uri", |errors| errors.forbidden_redirect_uri.as_ref()),
    ];
    for (key, target) in targets {
        let Some(uri) = target(&rule.errors) else {
            continue;
        };
        let there = rules.iter().find(|(_, other)| other.matches.takes_page(uri));
        let refuses = |rule: &Rule| matches!(rule.allow, Allow::Authenticated | Allow::Nobody);
        if there.is_some_and(|(_, other)| refuses(other) && target(&other.errors) == Some(uri)) {
            let message = "is refused itself, and would send browsers round and round: let an anonymous rule take it";
            problems.add(format!("rules[{place}].errors.{key}"), message);
        }
    }
}

/// Reports what rules need of their providers and do not find there: a registration, and endpoints in metadata that is
/// whole and inline.
pub(super) fn check_providers(rules: &[(usize, Rule)], providers: &[&Provider], problems: &Problems) {
    for (place, rule) in rules {
        let has = |method| rule.methods.contains(&method);
        let introspects = has(Method::Introspection)
            || rule.token.introspect_jwt
            || rule.enrich.introspection
            || rule.require.reverify;
        let asks_at_login = rule.login.as_ref().is_some_and(|login| login.userinfo);
        let asks = asks_at_login || has(Method::Userinfo) || rule.enrich.userinfo;
        let needs = [
            (introspects, "introspection_endpoint", if has(Method::Introspection) { "methods" } else { "token" }),
            (asks, "userinfo_endpoint", if asks_at_login { "login.userinfo" } else { "methods" }),
        ];
        for provider in rule.providers.iter().filter_map(|provider| providers.get(*provider)) {
            let trades = has(Method::RefreshToken) || has(Method::Password);
            if !provider.client.is_registered() && (introspects || trades || has(Method::AuthorizationCode)) {
                let what = if trades { "trades credentials" } else { "logs in or introspects" };
                let message = format!("is missing: the rule {} {what} there", quoted(&rule.name));
                problems.add(format!("providers.{}.client", provider.name), message);
            }
            let lacks = |endpoint| provider.discovery == Discovery::Inline && !provider.metadata.contains_key(endpoint);
            for (_, endpoint, key) in needs.iter().filter(|(needed, endpoint, _)| *needed && lacks(*endpoint)) {
                problems.add(format!("rules[{place}].{key}"), format!("needs {endpoint} in the provider's metadata"));
            }
        }
    }
}

/// What nobody forbids and the author of these rules should know.
pub(super) fn notes(rules: &[Rc<Rule>]) -> Vec<String> {
    let mut notes = Vec::new();
    for (place, rule) in rules.iter().enumerate() {
        let has = |method| rule.methods.contains(&method);
        if has(Method::RefreshToken) && rule.grants.return_refresh_token.is_none() {
            notes.push(format!(
                "rules[{place}].grants: without return_refresh_token, a refresh token that the provider gives in place of \
                 the caller's is lost"
            ));
        }
        if has(Method::Password) {
            notes.push(format!(
                "rules[{place}].methods: password is forbidden by OAuth's current practice (RFC 9700 §2.4)"
            ));
        }
    }
    notes
}

/// The first rule whose verdict may rest on a session.
pub(super) fn needs_session(rules: &[(usize, Rule)]) -> Option<usize> {
    rules.iter().find(|(_, rule)| rule.methods.contains(&Method::Session)).map(|(place, _)| *place)
}

/// Every header name that some rule asserts, as services may read it.
pub(super) fn asserted_headers(rules: &[Rc<Rule>], session: Option<&Session>) -> Vec<String> {
    let told = session.into_iter().flat_map(|session| &session.headers.request);
    let mut names: Vec<String> = told.map(|fact| fact.header().to_owned()).collect();
    for rule in rules {
        names.extend(rule.upstream_headers.iter().map(|header| spelled(&header.name)));
        if let Some(TokenForm::Header(name)) = &rule.access_token {
            names.push(spelled(name));
        }
        names.extend(rule.consumer.iter().flat_map(|consumer| consumer.headers.names()).map(|name| spelled(name)));
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// The paths of a logout mean nothing else, neither in this rule nor in another one of its host.
fn check_logout(place: usize, rule: &Rule, rules: &[(usize, Rule)], problems: &Problems) {
    let (Some(logout), Some(login)) = (&rule.logout, &rule.login) else { return };
    for (at, (key, path)) in logout.paths().enumerate() {
        let problem = |message: String| problems.add(format!("rules[{place}].logout.{key}"), message);
        if logout.paths().take(at).any(|(_, other)| other == path) {
            problem("is that of another key beside it, which means something else".to_owned());
        }
        for (other_place, other) in rules {
            let Some(theirs) = other.login.as_ref().filter(|it| it.redirect_uri.host() == login.redirect_uri.host())
            else {
                continue;
            };
            let resource = other.token.resource.as_ref().map(|resource| resource_path(&resource.url));
            let fixed = [Some(theirs.redirect_uri.path()), theirs.initiate_path.as_deref(), resource.as_deref()];
            if fixed.contains(&Some(path)) {
                problem(format!("means something else in rules[{other_place}]"));
            }
            // Rules that share it log out of the same sessions in the same way.
            let same = other.providers == rule.providers
                && theirs.redirect_uri == login.redirect_uri
                && other.logout.as_ref() == Some(logout);
            let clashes = other.logout.as_ref().is_some_and(|it| it.paths().any(|(_, theirs)| theirs == path));
            if *other_place < place && clashes && !same {
                problem(format!("is that of rules[{other_place}], which logs out differently: give each its own path"));
            }
        }
    }
}

/// The paths of ours that belong to no rule, with the keys that say them.
pub(super) fn fixed_paths(
    providers: &[&Provider],
    operator: Option<&Operator>,
    gateway: Option<&GatewayTokens>,
) -> Vec<(String, String)> {
    let keys = providers
        .iter()
        .filter_map(|provider| Some((format!("providers.{}.jwks_path", provider.name), provider.jwks_path.clone()?)));
    let operator = operator.map(|operator| ("operator.path".to_owned(), operator.path.clone()));
    let gateway = gateway
        .into_iter()
        .flat_map(|gateway| gateway.paths().map(|(key, path)| (format!("gateway_tokens.{key}"), path.to_owned())));
    operator.into_iter().chain(keys).chain(gateway).collect()
}

/// Those paths, which count on every host, mean nothing else.
pub(super) fn check_fixed_paths(owned: &[(String, String)], rules: &[Rc<Rule>], problems: &Problems) {
    for (at, (key, path)) in owned.iter().enumerate() {
        if let Some((other, _)) = owned.iter().take(at).find(|(_, other)| other == path) {
            problems.add(key.clone(), format!("is that of {other}"));
        }
        for (place, rule) in rules.iter().enumerate() {
            let login = rule.login.as_ref();
            let resource = rule.token.resource.as_ref().map(|resource| resource_path(&resource.url));
            let fixed = [
                login.map(|it| it.redirect_uri.path()),
                login.and_then(|it| it.initiate_path.as_deref()),
                rule.session_info_path.as_deref(),
                resource.as_deref(),
            ];
            let of_logout = rule.logout.iter().flat_map(|logout| logout.paths()).any(|(_, other)| other == path);
            if of_logout || fixed.contains(&Some(path)) {
                problems.add(key.clone(), format!("means something else in rules[{place}]"));
            }
        }
    }
}

/// Tokens that nobody issues open nothing.
pub(super) fn check_gateway_method(rules: &[Rc<Rule>], problems: &Problems) {
    for (place, _) in rules.iter().enumerate().filter(|(_, rule)| rule.methods.contains(&Method::GatewayToken)) {
        problems.add(format!("rules[{place}].methods"), "has gateway_token, which needs `gateway_tokens`");
    }
}
