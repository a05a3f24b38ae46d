//! Reads how callers' credentials are traded for tokens.

use super::addresses;
use super::problem::member;
use super::section::Section;
use super::{Grants, GuessLimit, Period, Provider};
use crate::words::Method;

/// Parameters that each grant sets itself.
const FIXED: [&str; 9] = [
    "grant_type",
    "refresh_token",
    "username",
    "password",
    "scope",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
];

/// The section `grants` of a rule at `provider`.
pub(super) fn read(rule: &Section, provider: Option<&Provider>) -> Grants {
    let section = rule.section("grants");
    let scope = section.owned("scope");
    let known = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    let is_scope = |text: &String| text.split(' ').all(|value| !value.is_empty() && value.bytes().all(known));
    if scope.as_ref().is_some_and(|scope| !is_scope(scope)) {
        section.problem("scope", "is not a scope: values of visible characters with one space between them");
    }
    let params = section.text_map("params");
    let always = provider.map(|provider| provider.token_params.as_slice()).unwrap_or_default();
    for (name, _) in &params {
        let path = member(&section.at("params"), name);
        if FIXED.contains(&name.as_str()) {
            let hint = if name == "scope" { ": use grants.scope" } else { "" };
            rule.context.problems.add(path, format!("is set by the grant itself{hint}"));
        } else if always.iter().any(|(other, _)| other == name) {
            rule.context.problems.add(path, "is among the provider's token_params too: say it in one place");
        }
    }
    let return_refresh_token = section.text("return_refresh_token").and_then(|name| {
        let checked = addresses::response_header_name(name);
        checked.map_err(|message| section.problem("return_refresh_token", message)).ok()
    });
    Grants { scope, params, return_refresh_token }
}

/// The section `guess_limit` of a rule.
pub(super) fn guess_limit(rule: &Section) -> Option<GuessLimit> {
    let section = rule.section("guess_limit");
    let number = |key| u32::try_from(section.number(key)?).ok();
    Some(GuessLimit {
        per_user: number("per_user")?,
        per_address: number("per_address")?,
        per: Period::of(section.text("per")?),
    })
}

/// Reports what cannot go together.
pub(super) fn check(own: &Section, methods: &[Method], grants: &Grants) {
    let trades = methods.iter().any(|method| method.is_grant());
    for key in ["grants", "guess_limit"] {
        if own.has(key) && !trades {
            let message = "is for credentials that are traded: methods has none of refresh_token, password, \
                           client_credentials";
            own.problem(key, message);
        }
    }
    if grants.return_refresh_token.is_some() && trades && !methods.contains(&Method::RefreshToken) {
        own.problem("grants", "has return_refresh_token without refresh_token among the methods");
    }
}
