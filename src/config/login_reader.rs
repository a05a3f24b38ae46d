//! Reads how a person logs in under a rule.

use super::addresses::{self, PlainHttp};
use super::matching;
use super::problem::{member, quoted};
use super::provider_reader::AUTHORIZATION_PARAMS;
use super::section::Section;
use super::{HostMatch, Login, LoginAction, Provider, TokenName};
use crate::http::{Url, path};

/// Reads the section `login` of a rule for `host` at `provider`.
pub(super) fn read(section: &Section, host: &HostMatch, provider: Option<&Provider>) -> Option<Login> {
    let redirect_uri = read_redirect_uri(section, host, provider);
    let scope = read_scope(section);
    let params = section.text_map("params");
    let pass_params: Vec<String> = section.owned_texts("pass_params");
    check_params(section, &params, &pass_params, provider);
    let action = match section.text("action") {
        Some("upstream") => LoginAction::Upstream,
        Some("tokens") => LoginAction::Tokens,
        _ => LoginAction::Redirect,
    };
    if section.has("tokens") && action != LoginAction::Tokens {
        section.problem("tokens", "is for action: tokens alone");
    }
    let redirect_uri = redirect_uri?;
    let initiate_path = read_initiate_path(section, &redirect_uri);
    let userinfo = section.flag("userinfo");
    let passive = section.texts("passive_paths").into_iter();
    let passive_paths = passive.filter_map(|path| matching::canonical(section, "passive_paths", path)).collect();
    let partition = section.owned("partition");
    let ours = Login {
        redirect_uri,
        scope: scope?,
        params,
        pass_params,
        userinfo,
        action,
        tokens: section.texts("tokens").into_iter().filter_map(token_name).collect(),
        initiate_path,
        partition,
        passive_paths,
    };
    Some(ours)
}

fn token_name(word: &str) -> Option<TokenName> {
    match word {
        "access_token" => Some(TokenName::AccessToken),
        "id_token" => Some(TokenName::IdToken),
        "refresh_token" => Some(TokenName::RefreshToken),
        _ => None,
    }
}

fn read_redirect_uri(section: &Section, host: &HostMatch, provider: Option<&Provider>) -> Option<Url> {
    let text = section.text("redirect_uri")?;
    // A provider that could not be read was reported; its `allow_http` may be true.
    let allow_http = provider.is_none_or(|provider| provider.allow_http);
    let checked = addresses::url(text, PlainHttp::allowed(allow_http)).and_then(|url| {
        check_redirect_uri(&url, text, host)?;
        Ok(url)
    });
    checked.map_err(|message| section.problem("redirect_uri", message)).ok()
}

fn check_redirect_uri(url: &Url, text: &str, host: &HostMatch) -> Result<(), String> {
    if url.query().is_some() {
        return Err("has a query, which cannot be told from the provider's answer: take it out".into());
    }
    match path::canonical(url.path()) {
        Ok(path) if path == url.path() => {}
        Ok(path) => return Err(format!("its path is spelled {} here: write that", quoted(&path))),
        Err(reason) => return Err(format!("its path {reason}")),
    }
    // It is registered at the provider, which compares every byte (RFC 9700 §4.1.3).
    if url.as_str() != text {
        return Err(format!("is sent as {url}: write that, and register it so"));
    }
    let own = HostMatch::Exact { host: url.host().to_owned(), port: Some(url.effective_port()) };
    if !host.covers(&own) {
        let authority = url.authority();
        return Err(format!("{authority} is outside the rule's host: match: {{ host: {authority} }}, or mend the URI"));
    }
    Ok(())
}

/// Scope values (RFC 6749 §3.3), `openid` among them (OIDC Core §3.1.2.1).
fn read_scope(section: &Section) -> Option<String> {
    let text = section.text("scope")?;
    let known = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    let plain = text.split(' ').all(|value| !value.is_empty() && value.bytes().all(known));
    if !plain {
        section.problem("scope", "is not a scope: values of visible characters with one space between them");
    } else if !text.split(' ').any(|value| value == "openid") {
        section.problem("scope", "lacks openid, without which there is no ID token: write \"openid …\"");
    }
    Some(text.to_owned())
}

fn check_params(section: &Section, params: &[(String, String)], passed: &[String], provider: Option<&Provider>) {
    let always = provider.map(|provider| provider.authorization_params.as_slice()).unwrap_or_default();
    for (name, _) in params {
        let path = member(&section.at("params"), name);
        if AUTHORIZATION_PARAMS.contains(&name.as_str()) {
            let hint = if name == "scope" { ": use login.scope" } else { "" };
            section.context.problems.add(path, format!("is set by the flow itself{hint}"));
        } else if always.iter().any(|(other, _)| other == name) {
            section.context.problems.add(path, "is among the provider's authorization_params too: say it in one place");
        }
    }
    for name in passed {
        let fixed = params.iter().chain(always).any(|(other, _)| other == name);
        if AUTHORIZATION_PARAMS.contains(&name.as_str()) {
            section.problem("pass_params", format!("{} is set by the flow itself", quoted(name)));
        } else if fixed {
            section.problem("pass_params", format!("{} is fixed in params or authorization_params too", quoted(name)));
        }
    }
}

fn read_initiate_path(section: &Section, redirect_uri: &Url) -> Option<String> {
    let path = matching::canonical(section, "initiate_path", section.text("initiate_path")?)?;
    if path == redirect_uri.path() {
        section.problem("initiate_path", "is the path of redirect_uri, which means something else");
    }
    Some(path)
}
