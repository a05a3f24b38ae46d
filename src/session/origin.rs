//! What a login's ID token says of the login itself. Later ID tokens are held to it (OIDC Core §12.2), and by its `sid` the
//! provider ends the session (Front-Channel Logout §3, Back-Channel Logout §2.4).

use crate::words::UnixTime;
use crate::words::json::{Object, whole};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::rc::Rc;

/// The login, as its latest ID token tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// `iat` of the latest ID token.
    pub issued: UnixTime,
    /// `auth_time`, in seconds since the epoch.
    pub auth_time: Option<u64>,
    /// `azp`.
    pub azp: Option<Rc<str>>,
    /// The first half of the SHA-256 of `nonce`; none in sessions from before it was kept.
    pub nonce: Option<[u8; 16]>,
    /// The provider's own session, `sid`.
    pub sid: Option<Rc<str>>,
}

/// How it is written down.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Wire<'a> {
    issued: u64,
    auth_time: Option<u64>,
    #[serde(borrow)]
    azp: Option<&'a str>,
    nonce: Option<[u8; 16]>,
    #[serde(borrow)]
    sid: Option<&'a str>,
}

impl Origin {
    /// What the claims of a verified ID token say.
    pub fn of(claims: &Object) -> Self {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let seconds = |name: &str| claims.get(name).and_then(whole);
        Self {
            issued: UnixTime::from_secs(seconds("iat").unwrap_or_default()),
            auth_time: seconds("auth_time"),
            azp: text("azp").map(Rc::from),
            nonce: text("nonce").and_then(|nonce| Sha256::digest(nonce).first_chunk().copied()),
            sid: text("sid").map(Rc::from),
        }
    }

    /// What a later ID token says otherwise than this one of the same login, though it must not (OIDC Core §12.2). Sessions
    /// from before it was kept know nothing that could be contradicted.
    pub fn contradiction(&self, later: &Self) -> Option<&'static str> {
        let unknown = self.issued == UnixTime::default();
        let differs = |known: bool, said: bool, same: bool| !unknown && said && !(known && same);
        if later.issued < self.issued {
            return Some("iat, which lies before it,");
        }
        if later.auth_time.is_some() && self.auth_time.is_some() && later.auth_time != self.auth_time {
            return Some("auth_time");
        }
        if differs(self.azp.is_some(), later.azp.is_some(), later.azp == self.azp) {
            return Some("azp");
        }
        differs(self.nonce.is_some(), later.nonce.is_some(), later.nonce == self.nonce).then_some("nonce")
    }

    /// Keeps what a later ID token of the same login leaves out.
    pub fn go_on_from(&mut self, before: &Self) {
        self.auth_time = self.auth_time.or(before.auth_time);
        self.azp = self.azp.take().or_else(|| before.azp.clone());
        self.nonce = self.nonce.or(before.nonce);
        self.sid = self.sid.take().or_else(|| before.sid.clone());
    }

    pub(super) fn wire(&self) -> Wire<'_> {
        Wire {
            issued: self.issued.as_secs(),
            auth_time: self.auth_time,
            azp: self.azp.as_deref(),
            nonce: self.nonce,
            sid: self.sid.as_deref(),
        }
    }
}

impl Wire<'_> {
    pub(super) fn origin(self) -> Origin {
        Origin {
            issued: UnixTime::from_secs(self.issued),
            auth_time: self.auth_time,
            azp: self.azp.map(Rc::from),
            nonce: self.nonce,
            sid: self.sid.map(Rc::from),
        }
    }
}
