//! Reads what the service and the client learn of an identity.

use super::addresses;
use super::section::Section;
use super::{ClaimForm, HeaderSource, TokenForm, ToldHeader};

/// Reads `upstream_headers`: headers from claims and tokens, and how the access token travels.
pub(super) fn read(rule: &Section) -> (Vec<ToldHeader>, Option<TokenForm>) {
    let mut headers: Vec<ToldHeader> = Vec::new();
    let mut token: Option<TokenForm> = None;
    let mut names = Vec::new();
    for entry in rule.sections("upstream_headers") {
        let name = read_name(&entry, upstream_name, &mut names);
        if kind(&entry) == Some("token") && entry.text("token") == Some("access_token") {
            if token.is_some() {
                entry.problem("token", "stands twice in upstream_headers");
            } else {
                token = read_token_form(&entry, name);
            }
        } else {
            headers.extend(read_header(&entry, name));
        }
    }
    (headers, token)
}

/// Reads `response_headers`.
pub(super) fn read_response(rule: &Section) -> Vec<ToldHeader> {
    let mut names = Vec::new();
    let entries = rule.sections("response_headers");
    let read = |entry: &Section| {
        let name = read_name(entry, addresses::response_header_name, &mut names);
        read_header(entry, name)
    };
    entries.iter().filter_map(read).collect()
}

/// Reads `properties`.
pub(super) fn read_properties(rule: &Section) -> Vec<ToldHeader> {
    let mut names = Vec::new();
    let entries = rule.sections("properties");
    let read = |entry: &Section| {
        if entry.has("token") {
            entry.problem("token", "is not told to the host: its logs and dumps are no place for it");
        }
        let name = read_name(entry, property_name, &mut names);
        read_header(entry, name)
    };
    entries.iter().filter_map(read).collect()
}

fn property_name(name: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.len() > 64 || !name.bytes().all(plain) {
        return Err("is no name of a property: 1 to 64 letters, digits, ., _ or -".into());
    }
    Ok(name.to_owned())
}

/// A header's name as services may read it: many take `_` for `-`.
pub(super) fn spelled(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// What an entry tells; `None` where that is not clear.
fn kind(entry: &Section) -> Option<&'static str> {
    let mut kinds = ["claim", "claims", "token"].into_iter().filter(|key| entry.has(key));
    kinds.next().filter(|_| kinds.next().is_none())
}

fn read_name(entry: &Section, check: fn(&str) -> Result<String, String>, names: &mut Vec<String>) -> Option<String> {
    let name = check(entry.text("name")?).map_err(|message| entry.problem("name", message)).ok()?;
    let spelled = spelled(&name);
    if names.contains(&spelled) {
        entry.problem("name", "stands twice in this list (- and _ are the same to many services)");
    }
    names.push(spelled);
    Some(name)
}

/// The name of a header that the service is told something in, in lower case.
pub(super) fn upstream_name(name: &str) -> Result<String, String> {
    match addresses::header_name(name)? {
        name if name == "authorization" => {
            Err("authorization carries the access token: { token: access_token, as: bearer }".into())
        }
        name => Ok(name),
    }
}

fn read_header(entry: &Section, name: Option<String>) -> Option<ToldHeader> {
    let Some(kind) = kind(entry) else {
        entry.problem_here("needs exactly one of claim, claims and token");
        return None;
    };
    if kind != "claim" && entry.has("source") {
        entry.problem("source", "goes with claim alone");
    }
    if !entry.has("name") {
        entry.problem("name", "is missing: the header that carries it");
    }
    let source = match kind {
        "claim" => {
            let form = read_form(entry, &["text", "json", "base64"]);
            HeaderSource::Claim { claim: entry.claim_path("claim")?, source: entry.source("source"), form }
        }
        "claims" => {
            HeaderSource::Claims { source: entry.source("claims"), form: read_form(entry, &["json", "base64"]) }
        }
        _ => {
            read_form(entry, &[]);
            match entry.text("token")? {
                "access_token" => HeaderSource::AccessToken,
                _ => HeaderSource::IdToken,
            }
        }
    };
    Some(ToldHeader { name: name?, source })
}

/// The form that `as` says, of those that `known` allows.
fn read_form(entry: &Section, known: &[&str]) -> ClaimForm {
    match entry.text("as") {
        Some(form) if !known.contains(&form) => {
            let message = match known {
                [] => "goes with claims, or with the access token in upstream_headers: a token is told as it is"
                    .to_owned(),
                _ => format!("is {form}, which does not go with what the entry tells: one of {}", known.join(", ")),
            };
            entry.problem("as", message);
            ClaimForm::Text
        }
        Some("base64") => ClaimForm::Base64,
        Some("json") => ClaimForm::Json,
        Some(_) => ClaimForm::Text,
        None if known.contains(&"text") => ClaimForm::Text,
        None => ClaimForm::Json,
    }
}

fn read_token_form(entry: &Section, name: Option<String>) -> Option<TokenForm> {
    if entry.has("source") {
        entry.problem("source", "goes with claim alone");
    }
    match (entry.text("as"), entry.has("name")) {
        (Some("bearer"), false) => Some(TokenForm::Bearer),
        (Some("none"), false) => Some(TokenForm::None),
        (None, true) => Some(TokenForm::Header(name?)),
        (Some(_), true) => {
            entry.problem("as", "contradicts name beside it: the token travels in one way");
            None
        }
        _ => {
            entry.problem_here("needs as: bearer, as: none, or the name of a header");
            None
        }
    }
}
