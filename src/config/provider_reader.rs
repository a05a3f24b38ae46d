//! Reads an identity provider.

use super::addresses::{self, PlainHttp};
use super::clusters;
use super::metadata;
use super::problem::member;
use super::provider::TENANT;
use super::section::Section;
use super::{Client, Discovery, IntrospectionForm, Provider, ResponseMode, client_reader, matching, secrets};
use crate::http::Url;
use crate::words::{Algorithm, Secret};

/// Where discovery documents are found (OIDC Discovery §4.1).
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// Parameters of the authorization request that the flow sets itself.
pub(super) const AUTHORIZATION_PARAMS: [&str; 11] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
];

/// Parameters of the token request that the flow sets itself.
const TOKEN_PARAMS: [&str; 9] = [
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "refresh_token",
];

/// Parameters of the introspection request that the call sets itself (RFC 7662 §2.1).
const INTROSPECTION_PARAMS: [&str; 5] =
    ["token", "client_id", "client_secret", "client_assertion", "client_assertion_type"];

/// The provider called `name`; `None` when something that cannot be left out was wrong, which is then reported.
pub(super) fn read(section: &Section, name: &str) -> Option<Provider> {
    check_name(section, name);
    let allow_http = section.flag("allow_http");
    let http = PlainHttp::allowed(allow_http);
    let client = client_reader::read(section);
    let issuer = read_issuer(section, http);
    let metadata = metadata::read(section, http);
    let signing_algs = read_algorithms(section, client.as_ref());
    let authorization_params = section.text_map("authorization_params");
    refuse_params(section, "authorization_params", &AUTHORIZATION_PARAMS);
    refuse_params(section, "token_params", &TOKEN_PARAMS);
    refuse_params(section, "introspection_params", &INTROSPECTION_PARAMS);
    let introspection_form = read_introspection_form(section, client.as_ref());
    let accepted_issuers = read_accepted_issuers(section);
    let request_headers = read_request_headers(section);
    let issuer = issuer?;
    let discovery = read_discovery(section, &issuer, http)?;
    let clusters = clusters::read(section, &issuer, &discovery, &metadata);
    let provider = Provider {
        name: name.to_owned(),
        issuer: section.owned("issuer")?,
        discovery,
        metadata,
        jwks: section.value("jwks").map(ToString::to_string),
        clusters,
        accepted_issuers,
        signing_algs,
        clock_skew: section.duration("clock_skew")?,
        timeout: section.duration("timeout")?,
        allow_http,
        client: client?,
        authorization_params,
        token_params: section.text_map("token_params"),
        introspection_params: section.text_map("introspection_params"),
        introspection_form,
        request_headers,
        response_mode: read_response_mode(section),
        jwks_path: section.text("jwks_path").and_then(|path| matching::canonical(section, "jwks_path", path)),
        trusted_audiences: section.owned_texts("trusted_audiences"),
    };
    clusters::check(section, &provider);
    Some(provider)
}

fn check_name(section: &Section, name: &str) {
    if !is_name(name) {
        section.problem_here("a provider's name has 1 to 64 letters, digits, _, - or .");
    }
}

/// Whether a name can stand in logs and metrics without quotes.
pub(super) fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

fn read_issuer(section: &Section, http: PlainHttp) -> Option<Url> {
    let text = section.text("issuer")?;
    if let Some(issuer) = text.strip_suffix(WELL_KNOWN) {
        section
            .problem("issuer", format!("is a discovery URL: write {issuer}, or the `issuer` that the document says"));
        return None;
    }
    if text.contains("/.well-known/") {
        section.problem("issuer", "is a discovery URL: write it as discovery_url, and here the document's `issuer`");
        return None;
    }
    if text.contains('?') {
        section.problem("issuer", "has a query, which an issuer does not have (OIDC Discovery §3)");
        return None;
    }
    url(section, "issuer", text, http)
}

/// Parses a URL and reports what is wrong with it.
fn url(section: &Section, name: &str, text: &str, http: PlainHttp) -> Option<Url> {
    addresses::url(text, http).map_err(|message| section.problem(name, message)).ok()
}

fn read_discovery(section: &Section, issuer: &Url, http: PlainHttp) -> Option<Discovery> {
    if let Some(text) = section.text("discovery_url") {
        return url(section, "discovery_url", text, http).map(Discovery::Fetched);
    }
    if metadata::is_whole(section) {
        return Some(Discovery::Inline);
    }
    let base = issuer.as_str().strip_suffix('/').unwrap_or(issuer.as_str());
    url(section, "issuer", &format!("{base}{WELL_KNOWN}"), http).map(Discovery::Fetched)
}

fn read_algorithms(section: &Section, client: Option<&Client>) -> Vec<Algorithm> {
    let mut algorithms: Vec<Algorithm> = Vec::new();
    for algorithm in section.texts("signing_algs").into_iter().filter_map(Algorithm::from_name) {
        if !algorithms.contains(&algorithm) {
            algorithms.push(algorithm);
        }
    }
    let Some(client) = client else {
        return algorithms;
    };
    for algorithm in algorithms.iter().filter(|algorithm| algorithm.is_symmetric()) {
        check_symmetric(section, *algorithm, client.client_secret.as_ref());
    }
    let registered = [
        ("id_token_signed_response_alg", client.id_token_signed_response_alg),
        ("introspection_signed_response_alg", client.introspection_signed_response_alg),
    ];
    for (key, one) in registered {
        if let Some(one) = one.filter(|one| !algorithms.contains(one)) {
            let message = format!("{0} is not among signing_algs: list it there (signing_algs: [{0}])", one.name());
            section.section("client").problem(key, message);
        }
    }
    algorithms
}

/// The key of HS* is the client secret, and at least as long as the hash (RFC 7518 §3.2, OIDC Core §16.19).
fn check_symmetric(section: &Section, algorithm: Algorithm, secret: Option<&Secret>) {
    let needed = secrets::least_for(algorithm);
    let client = section.section("client");
    match secret {
        None if client.has("client_secret") => {}
        None => section.problem("signing_algs", format!("{} needs a client_secret to check with", algorithm.name())),
        Some(secret) if secret.len() < needed => {
            let message = format!("{} bytes, needs {needed} for {}", secret.len(), algorithm.name());
            client.problem("client_secret", message);
        }
        Some(_) => {}
    }
}

fn refuse_params(section: &Section, key: &str, reserved: &[&str]) {
    for (name, _) in section.members(key) {
        if reserved.contains(&name) {
            let hint = if name == "scope" { ": use login.scope" } else { "" };
            let message = format!("is set by the flow itself{hint}");
            section.context.problems.add(member(&section.at(key), name), message);
        }
    }
}

fn read_introspection_form(section: &Section, client: Option<&Client>) -> IntrospectionForm {
    let form = match section.text("introspection_accept") {
        Some("jwt") => IntrospectionForm::Jwt,
        _ => IntrospectionForm::Json,
    };
    let registered = client.is_some_and(|client| client.introspection_signed_response_alg.is_some());
    if registered && form == IntrospectionForm::Json {
        section.section("client").problem(
            "introspection_signed_response_alg",
            "is for signed answers, and introspection_accept asks for plain ones: say introspection_accept: jwt",
        );
    }
    form
}

/// Further issuers of access tokens; of placeholders there is one.
fn read_accepted_issuers(section: &Section) -> Vec<String> {
    for (place, issuer) in section.texts("accepted_issuers").into_iter().enumerate() {
        let path = format!("{}[{place}]", section.at("accepted_issuers"));
        if issuer.replacen(TENANT, "", 1).contains(['{', '}', '*']) {
            let message = format!("is compared as it stands, but for one {TENANT}: other placeholders mean nothing");
            section.context.problems.add(path, message);
        } else if issuer == TENANT {
            section.context.problems.add(path, format!("is {TENANT} alone, which would take any issuer"));
        }
    }
    section.owned_texts("accepted_issuers")
}

fn read_request_headers(section: &Section) -> Vec<(String, Secret)> {
    let mut headers = Vec::new();
    for (name, value) in section.members("request_headers") {
        let path = member(&section.at("request_headers"), name);
        let checked = addresses::header_name(name).and_then(|name| match name.as_str() {
            "authorization" | "content-type" | "accept" => Err(format!("the header {name} is set by the call itself")),
            _ => Ok(name),
        });
        match (checked, secrets::read(section.context, value, &path)) {
            (Err(message), _) => section.context.problems.add(path, message),
            (Ok(_), Some(value)) if !addresses::is_field_value(value.expose()) => {
                section.context.problems.add(path, "is not visible ASCII, as the value of a header must be");
            }
            (Ok(name), Some(value)) => headers.push((name, value)),
            (Ok(_), None) => {}
        }
    }
    headers
}

fn read_response_mode(section: &Section) -> ResponseMode {
    match section.text("response_mode") {
        Some("form_post") => ResponseMode::FormPost,
        _ => ResponseMode::Query,
    }
}
