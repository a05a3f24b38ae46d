//! Logins in progress: a sealed cookie each, so that tabs do not disturb one another, and only a handful of them.

use super::Sessions;
use crate::http::cookie::{self, Attributes, Keep, SameSite, Secure};
use crate::words::{Headers, UnixTime};
use crate::world::World;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long a person may take to log in.
const LIFE: Duration = Duration::from_secs(600);
/// For how long a login that ended well is remembered: its callback may come twice, and loops are told by it.
const AFTERLIFE: Duration = Duration::from_secs(120);
/// How many logins one browser may have; a further one takes the oldest one's place.
const MOST: usize = 6;
/// So many logins that ended well within a minute, and still no session: something eats the cookie.
const LOOP: usize = 3;
/// The largest return path that is kept; a longer one is cut to its path, or to `/`.
const LONGEST_TARGET: usize = 1024;
/// Characters of a login's id, the first ones of its `state`.
const ID: usize = 8;

/// The two ways in which the provider's answer comes back, as far as cookies care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// By a navigation, with which `Lax` cookies travel.
    Navigation,
    /// By another site's POST: only a cookie without `SameSite` comes along, and that must be `Secure`.
    ForeignPost,
}

/// Where a login begins.
pub struct Beginning<'a> {
    /// The rule that asks for it.
    pub rule: &'a str,
    /// Path and query to return to.
    pub target: &'a str,
    /// How the answer comes back.
    pub by: Return,
    /// How many times the provider was already asked in this login's course.
    pub round: u8,
    /// Whether the person asked to be remembered.
    pub remember: bool,
}

/// One login in progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The `state` parameter, whose first characters are the login's id (RFC 6749 §10.12).
    pub state: String,
    /// The `nonce` (OIDC Core §3.1.2.1).
    pub nonce: String,
    /// The PKCE verifier (RFC 7636 §4.1).
    pub verifier: String,
    /// The rule that asked for it.
    pub rule: String,
    /// Path and query to return to.
    pub target: String,
    /// How many times the provider was already asked in its course.
    pub round: u8,
    started: u64,
    /// When it ended well; zero before.
    done: u64,
    /// Whether the person asked to be remembered.
    pub remember: bool,
}

/// What a callback's `state` leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// A login that waits for this answer.
    Waiting(Box<Login>),
    /// One that ended well a moment ago.
    Done(Box<Login>),
    /// One that took too long.
    Expired(Box<Login>),
    /// None in this browser.
    Unknown,
}

/// Too many logins in a row ended well without leaving a session.
#[derive(Debug, PartialEq, Eq)]
pub struct Looping;

impl Sessions {
    /// Begins a login: what goes to the provider, and the `set-cookie` values that keep it.
    pub fn begin_login(
        &self,
        world: &World,
        request: &Headers,
        beginning: &Beginning<'_>,
    ) -> Result<(Login, Vec<String>), Looping> {
        let now = world.now();
        let mut others = self.logins(request);
        let lately = now.minus(Duration::from_secs(60));
        if others.iter().filter(|(_, login)| login.as_ref().is_some_and(|l| l.done > lately.as_secs())).count() >= LOOP
        {
            return Err(Looping);
        }
        // Unreadable ones first, then the oldest.
        others.sort_unstable_by_key(|(_, login)| login.as_ref().map_or(0, |login| login.started));
        let surplus = others.len().saturating_add(1).saturating_sub(MOST);
        let attributes = self.login_attributes(beginning.by);
        let mut cookies: Vec<String> = others.iter().take(surplus).map(|(name, _)| attributes.delete(name)).collect();
        let login = Login {
            state: URL_SAFE_NO_PAD.encode(world.random::<24>()),
            nonce: URL_SAFE_NO_PAD.encode(world.random::<24>()),
            verifier: URL_SAFE_NO_PAD.encode(world.random::<32>()),
            rule: beginning.rule.to_owned(),
            target: shortened(beginning.target).to_owned(),
            round: beginning.round,
            started: now.as_secs(),
            done: 0,
            remember: beginning.remember,
        };
        cookies.extend(self.login_cookie(world, &login, beginning.by, LIFE));
        Ok((login, cookies))
    }

    /// The login that `state` belongs to, if this browser has it.
    pub fn find_login(&self, now: UnixTime, request: &Headers, state: &str) -> Found {
        let Some(name) = self.login_name(state) else { return Found::Unknown };
        let copies = cookie::named(request, &name).into_iter().take(MOST);
        let login = copies.filter_map(|value| self.open_login(&name, value)).find(|login| login.has(state));
        match login.map(Box::new) {
            None => Found::Unknown,
            Some(login) if login.done > 0 && now < UnixTime::from_secs(login.done).plus(AFTERLIFE) => {
                Found::Done(login)
            }
            Some(login) if login.done > 0 || now >= UnixTime::from_secs(login.started).plus(LIFE) => {
                Found::Expired(login)
            }
            Some(login) => Found::Waiting(login),
        }
    }

    /// The `set-cookie` value that remembers a login as done; its secrets are gone from it.
    pub fn login_done(&self, world: &World, login: &Login, by: Return) -> Option<String> {
        let done =
            Login { nonce: String::new(), verifier: String::new(), done: world.now().as_secs(), ..login.clone() };
        self.login_cookie(world, &done, by, AFTERLIFE)
    }

    /// The `set-cookie` value that forgets a login.
    pub fn login_over(&self, login: &Login, by: Return) -> Option<String> {
        Some(self.login_attributes(by).delete(&self.login_name(&login.state)?))
    }

    fn logins(&self, request: &Headers) -> Vec<(String, Option<Login>)> {
        let prefix = format!("{}.", self.names.login);
        let mut logins: Vec<(String, Option<Login>)> = Vec::new();
        for (name, value) in cookie::all(request) {
            let Some(name) = std::str::from_utf8(name).ok().filter(|name| name.starts_with(&prefix)) else { continue };
            if !logins.iter().any(|(known, _)| known == name) {
                logins.push((name.to_owned(), self.open_login(name, value)));
            }
        }
        logins
    }

    fn login_name(&self, state: &str) -> Option<String> {
        let id = state
            .get(..ID)
            .filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)))?;
        Some(format!("{}.{id}", self.names.login))
    }

    fn login_attributes(&self, by: Return) -> Attributes {
        match by {
            Return::Navigation => Attributes { same_site: SameSite::Lax, ..self.attributes.clone() },
            Return::ForeignPost => {
                Attributes { same_site: SameSite::None, secure: Secure::Yes, ..self.attributes.clone() }
            }
        }
    }

    fn login_cookie(&self, world: &World, login: &Login, by: Return, keep: Duration) -> Option<String> {
        let name = self.login_name(&login.state)?;
        let plain = postcard::to_allocvec(login).ok()?;
        let sealed = self.logins.seal(world.random(), &self.login_binding(&name), &plain)?;
        let value = URL_SAFE_NO_PAD.encode(sealed);
        Some(self.login_attributes(by).set(&name, &value, Keep::Seconds(keep.as_secs())))
    }

    fn open_login(&self, name: &str, value: &[u8]) -> Option<Login> {
        let sealed = URL_SAFE_NO_PAD.decode(value).ok()?;
        postcard::from_bytes(&self.logins.open(&self.login_binding(name), &sealed).ok()?).ok()
    }

    /// A login's cookie opens under its own name only.
    fn login_binding(&self, name: &str) -> Vec<u8> {
        [self.bound_to.as_slice(), name.as_bytes()].concat()
    }
}

impl Login {
    fn has(&self, state: &str) -> bool {
        self.state.as_bytes().ct_eq(state.as_bytes()).into()
    }

    /// The PKCE challenge (RFC 7636 §4.2, `S256`).
    pub fn challenge(&self) -> String {
        use sha2::{Digest, Sha256};
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.verifier))
    }
}

/// A return path that fits a cookie (attack O05).
fn shortened(target: &str) -> &str {
    if target.len() <= LONGEST_TARGET {
        return target;
    }
    let path = target.split('?').next().unwrap_or("/");
    if path.len() <= LONGEST_TARGET { path } else { "/" }
}
