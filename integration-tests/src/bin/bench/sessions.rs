//! Sessions as the filter itself would have sealed them: by its own code, under the same configuration.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oidc_proxy_wasm::config;
use oidc_proxy_wasm::session::{Content, Kept, OpenedSessions, Origin, Owner, Sessions};
use oidc_proxy_wasm::words::{Headers, Secret, UnixTime};
use oidc_proxy_wasm::world::script::Script;
use serde_json::{Value, json};

use crate::tokens::Tokens;

/// Makes session cookies.
pub struct Mint {
    script: Script,
    sessions: Sessions,
    tokens: Arc<Tokens>,
    logins: std::cell::Cell<u64>,
}

/// How long ago a session began and was last used.
#[derive(Clone, Copy, Default)]
pub struct Age {
    /// Since the login.
    pub created: Duration,
    /// Since use was last written down.
    pub touched: Duration,
}

/// Who it is.
#[derive(Clone, Copy, PartialEq)]
pub enum Who {
    /// In the group that the rule asks for.
    Member,
    /// In none.
    Stranger,
}

impl Mint {
    /// For the filter with this configuration, whose last rule has the login.
    pub fn new(filter: &Value, issuer: &str, tokens: Arc<Tokens>) -> Mint {
        let config = config::load(filter.to_string().as_bytes(), &|_| None)
            .unwrap_or_else(|problems| panic!("the filter's configuration: {problems:?}"));
        let login = config.rules.iter().find_map(|rule| rule.login.as_ref()).expect("a rule with a login");
        let client_id = &config.providers.first().expect("a provider").client.client_id;
        let owner = Owner { issuer, client_id, redirect_uri: &login.redirect_uri, partition: "default" };
        let settings = config.session.expect("sessions");
        let sessions = Sessions::new(&settings, &owner, Kept::default(), &OpenedSessions::default());
        Mint { script: Script::new(), sessions, tokens, logins: 0.into() }
    }

    /// The `cookie` header of somebody who has just logged in: another session each time.
    pub fn fresh(&self) -> String {
        self.cookie(Who::Member, Age::default())
    }

    /// The `cookie` header of a session of this age.
    pub fn cookie(&self, who: Who, age: Age) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
        let ago = |span: Duration| UnixTime::from_secs(now.saturating_sub(span).as_secs());
        self.logins.set(self.logins.get() + 1);
        let mut sid = [0; 16];
        sid[..8].copy_from_slice(&self.logins.get().to_le_bytes());
        let content = Content {
            sid,
            generation: 0,
            created: ago(age.created),
            touched: ago(age.touched),
            subject: "person-1".into(),
            scope: "openid profile email".into(),
            claims: Rc::new(claims(who)),
            access_token: Some(Rc::new(Secret::new(self.tokens.access.as_str()))),
            access_born: UnixTime::from_secs(now.as_secs()),
            access_expires: UnixTime::from_secs(now.as_secs() + 24 * 3600),
            refresh_token: None,
            id_token: Some(Rc::new(Secret::new(self.tokens.id.as_str()))),
            origin: Origin::default(),
            remembered: false,
        };
        let lines = self.sessions.set(&self.script.world(), &content, &Headers::default());
        let lines = lines.unwrap_or_else(|refusal| panic!("the session: {}", refusal.detail()));
        lines.iter().filter_map(|line| line.split(';').next()).collect::<Vec<_>>().join("; ")
    }
}

/// What a login keeps: what the rule reads, and a few more.
fn claims(who: Who) -> serde_json::Map<String, Value> {
    let groups = if who == Who::Member { json!(["staff", "editors", "reviewers"]) } else { json!(["guests"]) };
    let claims = json!({
        "preferred_username": "demo",
        "email": "demo@example.com",
        "email_verified": true,
        "groups": groups,
        "name": "Demo Person",
        "locale": "en-GB",
        "zoneinfo": "Europe/London",
        "picture": "https://pictures.example.com/people/7d1f9c52-4c0e-4a52-9a0e-5b6c1d2e3f40/large.jpeg",
        "address": {
            "street_address": "1 Some Street", "locality": "Some Town", "region": "Some County",
            "postal_code": "AB1 2CD", "country": "United Kingdom",
        },
        "department": { "id": 4711, "name": "Research and Development", "cost_centers": [1001, 1002, 1003] },
    });
    claims.as_object().cloned().expect("an object")
}
