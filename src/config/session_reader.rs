//! Reads how sessions are kept.

use super::addresses::is_token;
use super::matching;
use super::section::{Section, claim_path};
use super::{
    Bond, CookieSettings, Lives, Refresh, Remember, Rule, SameSite, Session, SessionFact, SessionHeaders, secrets,
};
use crate::http::{self, Scheme, Url};
use std::rc::Rc;
use std::time::Duration;

/// How often use is written down unless configured.
const TOUCH: Duration = Duration::from_secs(60);

/// How long the old cookie works beside the new one unless configured.
const GRACE: Duration = Duration::from_secs(30);

/// The section `session`; `rules` say where its cookie must work.
pub(super) fn read(section: &Section, rules: &[Rc<Rule>]) -> Option<Session> {
    let secrets = secrets::ring(section, "secrets");
    let cookie = read_cookie(&section.section("cookie"), rules);
    let lives = read_lives(section)?;
    let touch = read_touch(section, lives.idle)?;
    let cookie = cookie?;
    let remember = section.section("remember");
    let remember = if section.has("remember") { Some(read_remember(&remember, &cookie, lives)?) } else { None };
    let headers = section.section("headers");
    Some(Session {
        secrets,
        cookie,
        lives,
        remember,
        touch,
        partition: section.owned("partition")?,
        bind: section.texts("bind").into_iter().filter_map(bond).collect(),
        headers: SessionHeaders { request: facts(&headers, "request"), response: facts(&headers, "response") },
        budget: usize::try_from(section.number("budget")?).ok()?,
        refresh: read_refresh(section, lives.idle)?,
        keep_claims: section.items("keep_claims").iter().filter_map(claim_path).collect(),
        accept_older_sessions: section.flag("accept_older_sessions"),
    })
}

fn read_lives(section: &Section) -> Option<Lives> {
    let (idle, absolute) = (section.duration("idle")?, section.duration("absolute")?);
    if absolute < idle {
        section.problem("absolute", "is shorter than idle, which could then never end a session");
    }
    Some(Lives { idle, absolute })
}

fn read_touch(section: &Section, idle: Duration) -> Option<Duration> {
    let half = idle.checked_div(2)?;
    if !section.has("touch") {
        return Some(TOUCH.min(half));
    }
    let touch = section.duration("touch")?;
    if touch > half {
        section.problem("touch", "is more than half of idle: a session in use would end");
    }
    Some(touch)
}

/// What those get who ask to be remembered: never less than everybody else.
fn read_remember(section: &Section, cookie: &CookieSettings, others: Lives) -> Option<Remember> {
    let lives = read_lives(section)?;
    if lives.idle < others.idle || lives.absolute < others.absolute {
        section
            .problem("absolute", "or idle is shorter than the session's: who asks to be remembered would be forgotten");
    }
    let name = section.text("cookie").map_or_else(|| format!("{}-remember", cookie.name), str::to_owned);
    // By this beginning all cookies of ours are known.
    let own = name.strip_prefix(&cookie.name).and_then(|rest| rest.strip_prefix('-'));
    if own.is_none_or(str::is_empty) || !is_token(&name) || name.len() > 64 {
        section.problem("cookie", format!("is not a cookie name that begins with {}-", cookie.name));
    }
    Some(Remember { parameter: section.owned("parameter")?, cookie: name, lives })
}

fn bond(word: &str) -> Option<Bond> {
    match word {
        "scheme" => Some(Bond::Scheme),
        "user_agent" => Some(Bond::UserAgent),
        "address" => Some(Bond::Address),
        _ => None,
    }
}

fn facts(headers: &Section, whom: &str) -> Vec<SessionFact> {
    let fact = |word: &str| SessionFact::ALL.into_iter().find(|fact| fact.name() == word);
    headers.texts(whom).into_iter().filter_map(fact).collect()
}

fn read_refresh(section: &Section, idle: Duration) -> Option<Refresh> {
    let refresh = section.section("refresh");
    Some(Refresh {
        is_on: section.text("refresh").is_none(),
        before: refresh.duration("before")?,
        jitter: refresh.duration("jitter")?,
        grace: read_grace(&refresh, idle)?,
        assumed_lifetime: refresh.duration("assumed_lifetime")?,
        backoff: refresh.duration("backoff")?,
    })
}

fn read_grace(refresh: &Section, idle: Duration) -> Option<Duration> {
    if !refresh.has("grace") {
        return Some(GRACE.min(idle));
    }
    let grace = refresh.duration("grace")?;
    if grace > idle {
        refresh.problem("grace", "is longer than session.idle, with which a session is over");
    }
    Some(grace)
}

fn read_cookie(cookie: &Section, rules: &[Rc<Rule>]) -> Option<CookieSettings> {
    let redirects = || rules.iter().filter_map(|rule| rule.login.as_ref()).map(|login| &login.redirect_uri);
    let plain_http = redirects().any(|uri| uri.scheme() == Scheme::Http);
    let path = matching::canonical(cookie, "path", cookie.text("path")?)?;
    let domain = cookie.text("domain").and_then(|domain| read_domain(cookie, domain, redirects()));
    let whole_host = path == "/" && !cookie.has("domain");
    let name = match cookie.text("name") {
        Some(name) => name,
        None if plain_http => "oidc",
        None if whole_host => "__Host-oidc",
        None => "__Secure-oidc",
    };
    check_name(cookie, name, plain_http, whole_host);
    let same_site = match cookie.text("same_site")? {
        "Strict" => SameSite::Strict,
        "None" => SameSite::None,
        _ => SameSite::Lax,
    };
    if same_site == SameSite::None && plain_http {
        cookie.problem("same_site", "None needs Secure, which browsers refuse where redirect_uri is http");
    }
    Some(CookieSettings { name: name.to_owned(), same_site, domain, path })
}

/// Prefixes bind what a cookie may be (RFC 6265bis §4.1.3); browsers read them without regard to case.
fn check_name(cookie: &Section, name: &str, plain_http: bool, whole_host: bool) {
    let prefixed = name.starts_with("__");
    if !is_token(name) || name.len() > 64 {
        cookie.problem("name", "is not a cookie name: at most 64 letters, digits, - and _ (RFC 6265 §4.1.1)");
    } else if prefixed && !["__Host-", "__Secure-"].iter().any(|prefix| name.starts_with(prefix)) {
        cookie.problem("name", "begins with __, as __Host- and __Secure- alone may");
    } else if prefixed && plain_http {
        cookie.problem("name", "has a prefix that needs https, and a redirect_uri is http");
    } else if name.starts_with("__Host-") && !whole_host {
        cookie.problem("name", "begins with __Host-, which forbids domain and a path other than /: use __Secure-");
    }
}

/// A cookie's domain must be the host that sets it or one above (RFC 6265 §5.3, step 6), and no top-level domain.
fn read_domain<'a>(cookie: &Section, text: &str, redirects: impl Iterator<Item = &'a Url>) -> Option<String> {
    let Some((domain, None)) = http::host(text.strip_prefix('.').unwrap_or(text)) else {
        cookie.problem("domain", "is not a host name");
        return None;
    };
    if !domain.contains('.') || domain.starts_with('[') || domain.bytes().all(|byte| !byte.is_ascii_alphabetic()) {
        cookie.problem("domain", "is a top-level domain or an address, for which browsers take no cookies");
    }
    for uri in redirects {
        let above = uri.host().strip_suffix(domain.as_ref()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if !above {
            cookie.problem("domain", format!("does not cover {}, the host of a redirect_uri", uri.host()));
        }
    }
    Some(domain.into_owned())
}
