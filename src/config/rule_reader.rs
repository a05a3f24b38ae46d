//! Reads a rule.

use super::addresses::{self, PlainHttp};
use super::problem::quoted;
use super::provider_reader::is_name;
use super::section::Section;
use super::{
    Allow, AmbiguousPaths, Consumers, Credentials, Enrich, Errors, Grants, Login, Mode, Provider, Require, Rule,
    TokenForm, TokenRules,
};
use super::{
    consumer_reader, exchange_reader, grants_reader, login_reader, logout_reader, matching, nearest::nearest,
    rate_limit_reader, require_reader, token_reader, upstream_reader,
};
use crate::http::Url;
use crate::words::Method;
use std::rc::Rc;

/// A provider by its name; without a value where it could not be read, which was reported then.
pub(super) type NamedProvider = (String, Option<Provider>);

/// A rule as it is written, and what it is written into.
pub(super) struct Written<'s, 'a> {
    /// The rule's place.
    pub place: usize,
    /// The rule as it was written.
    pub own: &'s Section<'a>,
    /// The rule over `defaults`.
    pub merged: &'s Section<'s>,
    /// `defaults`, whose `require` holds too.
    pub defaults: &'s Section<'a>,
    /// The providers in the order of their names.
    pub providers: &'s [NamedProvider],
    /// The consumers.
    pub consumers: &'s Rc<Consumers>,
}

/// The rule; `None` when something that cannot be left out was wrong, which is then reported.
pub(super) fn read(written: &Written) -> Option<Rule> {
    let section = written.merged;
    let rule = Rule {
        name: read_name(written),
        matches: matching::read(&written.own.section("match")),
        allow: read_allow(section),
        providers: Vec::new(),
        mode: Mode::default(),
        credentials: Credentials::default(),
        token: TokenRules::default(),
        grants: Grants::default(),
        guess_limit: None,
        enrich: Enrich::default(),
        ambiguous_paths: read_ambiguous_paths(section),
        methods: Vec::new(),
        login: None,
        session_info_path: None,
        logout: None,
        require: Require::default(),
        consumer: None,
        upstream_headers: Vec::new(),
        response_headers: Vec::new(),
        properties: Vec::new(),
        access_token: None,
        rate_limit: None,
        errors: read_errors(&section.section("errors")),
    };
    match rule.allow {
        Allow::Authenticated | Allow::Optional => with_identity(rule, written),
        Allow::Anonymous | Allow::Nobody => {
            refuse_unused(written.own);
            Some(rule)
        }
    }
}

/// Adds what a rule says about identities.
fn with_identity(rule: Rule, written: &Written) -> Option<Rule> {
    let section = written.merged;
    let methods = read_methods(written.own, section, rule.allow);
    // The gateway's own tokens are of no provider.
    let needs_provider = methods.is_empty() || methods.iter().any(|method| *method != Method::GatewayToken);
    let places = if needs_provider || section.has("provider") {
        read_providers(section, written.providers)
    } else {
        Some(Vec::new())
    };
    let first = places.as_ref().and_then(|places| places.first());
    let provider = first.and_then(|place| written.providers.get(*place)).and_then(|(_, provider)| provider.as_ref());
    let logs_in = methods.contains(&Method::AuthorizationCode) || has_unknown_method(section);
    let login = logs_in.then(|| login_reader::read(&section.section("login"), &rule.matches.host, provider));
    let credentials = token_reader::credentials(&section.section("credentials"));
    let token = token_reader::token(&section.section("token"), &methods);
    let exchange = places
        .as_ref()
        .and_then(|places| exchange_reader::read(&section.section("token"), &methods, places, written.providers));
    let token = TokenRules { exchange, ..token };
    token_reader::check(written.own, &methods, &credentials, places.as_ref().map_or(1, Vec::len));
    let grants = grants_reader::read(section, provider);
    let guess_limit = methods.iter().any(|method| method.is_grant()).then(|| grants_reader::guess_limit(section));
    grants_reader::check(written.own, &methods, &grants);
    let (upstream_headers, access_token) = upstream_reader::read(section);
    let rate_limit = rate_limit_reader::read(section);
    let response_headers = upstream_reader::read_response(section);
    let properties = upstream_reader::read_properties(section);
    let consumer = consumer_reader::read_rule(section, written.consumers);
    if let Some(consumer) = &consumer {
        let mut told: Vec<String> = upstream_headers.iter().map(|header| header.name.clone()).collect();
        if let Some(TokenForm::Header(name)) = &access_token {
            told.push(name.clone());
        }
        consumer_reader::check_names(section, consumer, &told);
    }
    let (below, own) = (written.defaults.section("require"), written.own.section("require"));
    let require = require_reader::read(&below, &own, section.has("consumer"));
    let login = match login {
        Some(login) => Some(login?),
        None => None,
    };
    let session_info_path = read_session_info_path(written.own, section, login.as_ref());
    let logout = logout_reader::read(written.own, section, login.as_ref());
    let mode = match section.text("mode") {
        Some("report") => Mode::Report,
        _ => Mode::Enforce,
    };
    let enrich = token_reader::enrich(section);
    let providers = places?;
    let told = Rule { consumer, upstream_headers, response_headers, properties, access_token, ..rule };
    Some(Rule {
        providers,
        mode,
        methods,
        credentials,
        token,
        grants,
        guess_limit: guess_limit.flatten(),
        login,
        session_info_path,
        logout,
        require,
        enrich,
        rate_limit,
        ..told
    })
}

fn read_session_info_path(own: &Section, rule: &Section, login: Option<&Login>) -> Option<String> {
    let path = matching::canonical(rule, "session_info_path", rule.text("session_info_path")?)?;
    if login.is_none() && own.has("session_info_path") {
        rule.problem("session_info_path", "needs a login, whose sessions it tells of");
    }
    login.map(|_| path)
}

/// Whom the rule lets in; a word that is none was reported, and stands for the strict default until it is mended.
fn read_allow(rule: &Section) -> Allow {
    match rule.text("allow") {
        Some("anonymous") => Allow::Anonymous,
        Some("optional") => Allow::Optional,
        Some("nobody") => Allow::Nobody,
        _ => Allow::Authenticated,
    }
}

fn read_ambiguous_paths(rule: &Section) -> AmbiguousPaths {
    match rule.text("ambiguous_paths") {
        Some("forward") => AmbiguousPaths::Forward,
        _ => AmbiguousPaths::Refuse,
    }
}

/// Whether a method was misspelt and reported: it may have been the login, whose keys are then looked at too.
fn has_unknown_method(rule: &Section) -> bool {
    rule.texts("methods").iter().any(|name| Method::ALL.iter().all(|method| method.name() != *name))
}

fn read_name(written: &Written) -> String {
    let Some(name) = written.own.text("name") else {
        return format!("rule_{}", written.place);
    };
    if !is_name(name) {
        written.own.problem("name", "is no name for logs and metrics: 1 to 64 letters, digits, _, - or .");
    }
    name.to_owned()
}

/// Keys that say something about an identity contradict `anonymous` and `nobody`, which look at none.
fn refuse_unused(own: &Section) {
    let allow = own.text("allow").unwrap_or_default();
    for key in [
        "mode",
        "provider",
        "methods",
        "credentials",
        "token",
        "grants",
        "guess_limit",
        "login",
        "logout",
        "session_info_path",
        "require",
        "enrich",
        "consumer",
        "upstream_headers",
        "response_headers",
        "properties",
        "rate_limit",
    ] {
        if own.has(key) {
            own.problem(key, format!("contradicts allow: {allow}, which looks at no identity"));
        }
    }
}

fn read_providers(rule: &Section, providers: &[NamedProvider]) -> Option<Vec<usize>> {
    let names = || providers.iter().map(|(name, _)| name.as_str());
    let named = match rule.value("provider") {
        Some(value) => value.as_str().map_or_else(|| rule.texts("provider"), |name| vec![name]),
        None => {
            match providers.len() {
                1 => return Some(vec![0]),
                0 => {
                    let message = "is missing: a rule that asks for an identity needs a provider";
                    rule.context.problems.add("providers", message);
                }
                _ => rule.problem("provider", format!("is missing: one of {}", names().collect::<Vec<_>>().join(", "))),
            }
            return None;
        }
    };
    let mut places = Vec::new();
    for name in named {
        match names().position(|known| known == name) {
            Some(place) if places.contains(&place) => {
                rule.problem("provider", format!("names {} twice", quoted(name)));
                return None;
            }
            Some(place) => places.push(place),
            None => {
                let near = nearest(name, names()).map(|near| format!("; nearest is {}", quoted(near)));
                let hint = near.unwrap_or_default();
                rule.problem("provider", format!("{} is not under providers{hint}", quoted(name)));
                return None;
            }
        }
    }
    (!places.is_empty()).then_some(places)
}

/// The methods in their fixed order.
fn read_methods(own: &Section, rule: &Section, allow: Allow) -> Vec<Method> {
    let named = rule.texts("methods");
    let mut methods: Vec<Method> = Method::ALL.into_iter().filter(|method| named.contains(&method.name())).collect();
    // `optional` never sends anyone to log in: it needs a login only where the rule itself speaks of one.
    if allow == Allow::Optional && !own.has("methods") && !rule.has("login") {
        methods.retain(|method| *method != Method::AuthorizationCode);
    }
    if methods.contains(&Method::AuthorizationCode) && !methods.contains(&Method::Session) {
        rule.problem(
            "methods",
            "has authorization_code without session: a login leaves a session, which nothing would read",
        );
    }
    methods
}

fn read_errors(errors: &Section) -> Errors {
    let realm = errors.text("realm");
    if realm.is_some_and(|realm| !addresses::is_field_value(realm.as_bytes()) || realm.contains(['"', '\\'])) {
        errors.problem("realm", "has visible ASCII characters alone, no \" and no \\");
    }
    Errors {
        unauthorized_redirect_uri: read_error_uri(errors, "unauthorized_redirect_uri"),
        forbidden_redirect_uri: read_error_uri(errors, "forbidden_redirect_uri"),
        unexpected_redirect_uri: read_error_uri(errors, "unexpected_redirect_uri"),
        realm: realm.map(str::to_owned),
    }
}

fn read_error_uri(errors: &Section, key: &str) -> Option<Url> {
    let checked = addresses::url(errors.text(key)?, PlainHttp::OnLoopback);
    checked.map_err(|message| errors.problem(key, message)).ok()
}
