//! Reads what the service learns of an identity.

use super::addresses;
use super::section::Section;
use super::{HeaderSource, TokenForm, UpstreamHeader};
use crate::words::Source;

/// Reads `upstream_headers`: headers from claims, and how the access token travels.
pub(super) fn read(rule: &Section) -> (Vec<UpstreamHeader>, Option<TokenForm>) {
    let mut headers: Vec<UpstreamHeader> = Vec::new();
    let mut token: Option<TokenForm> = None;
    let mut names: Vec<String> = Vec::new();
    for entry in rule.sections("upstream_headers") {
        let name = read_name(&entry);
        if let Some(spelled) = name.as_ref().map(|name| spelled(name)) {
            if names.contains(&spelled) {
                entry.problem("name", "stands twice in upstream_headers (- and _ are the same to many services)");
            }
            names.push(spelled);
        }
        match (entry.has("claim"), entry.has("token")) {
            (true, false) => headers.extend(read_claim(&entry, name)),
            (false, true) if token.is_some() => entry.problem("token", "stands twice in upstream_headers"),
            (false, true) => token = read_token(&entry, name),
            _ => entry.problem_here("needs exactly one of claim and token"),
        }
    }
    (headers, token)
}

/// A header's name as services may read it: many take `_` for `-`.
pub(super) fn spelled(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

fn read_name(entry: &Section) -> Option<String> {
    let checked = addresses::header_name(entry.text("name")?).and_then(|name| match name.as_str() {
        "authorization" => Err("authorization carries the access token: { token: access_token, as: bearer }".into()),
        _ => Ok(name),
    });
    checked.map_err(|message| entry.problem("name", message)).ok()
}

fn read_claim(entry: &Section, name: Option<String>) -> Option<UpstreamHeader> {
    if entry.has("as") {
        entry.problem("as", "goes with token, not with claim");
    }
    if !entry.has("name") {
        entry.problem("name", "is missing: the header that carries the claim");
    }
    let claim = entry.claim_path("claim")?;
    Some(UpstreamHeader { name: name?, source: HeaderSource::Claim { claim, source: Source::Any } })
}

fn read_token(entry: &Section, name: Option<String>) -> Option<TokenForm> {
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
