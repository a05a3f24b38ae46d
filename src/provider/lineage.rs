//! What an access token says of where it comes from, by which it may be revoked.

use crate::jose::claims;
use crate::words::UnixTime;
use crate::words::json::Object;
use serde_json::Value;
use std::rc::Rc;

/// Where a token comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    /// Its `jti`.
    pub id: Option<Rc<str>>,
    /// The provider's session, `sid`.
    pub sid: Option<Rc<str>>,
    /// Its `iat`, in whole seconds. One that says none counts as older than any revocation.
    pub issued: UnixTime,
}

impl Lineage {
    /// What these claims say.
    pub fn of(claims: &Object) -> Self {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(Rc::from);
        let issued = claims::date(claims, "iat").ok().flatten().unwrap_or_default();
        Self { id: text("jti"), sid: text("sid"), issued: UnixTime::from_secs(issued as u64) }
    }

    /// About how many bytes it takes.
    pub fn weight(&self) -> usize {
        [&self.id, &self.sid].into_iter().flatten().map(|text| text.len().saturating_add(16)).sum()
    }
}
