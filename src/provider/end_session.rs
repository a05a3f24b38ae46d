//! Where a browser goes to log out at the provider: OIDC RP-Initiated Logout §2.

use crate::http::{Url, form};
use crate::words::Secret;

/// The longest redirect: some providers take no request line above 4,096 bytes.
const LONGEST: usize = 4000;

/// What the provider is told.
pub struct EndSession<'a> {
    /// Our name there.
    pub client_id: &'a str,
    /// The ID token of the session, if it was kept.
    pub id_token: Option<&'a Secret>,
    /// Who logs out, where that is configured and known.
    pub logout_hint: Option<&'a str>,
    /// Where the browser is to come back to, and under which name that is said.
    pub back: Option<(&'a str, &'a str)>,
    /// New at each logout; comes back with the browser.
    pub state: &'a str,
    /// Fixed parameters.
    pub params: &'a [(String, String)],
}

/// How a browser gets there.
pub enum Way {
    /// By this redirect.
    Redirect(String),
    /// By posting these fields, which are too long for a redirect.
    Post(Vec<(String, String)>),
}

impl EndSession<'_> {
    /// The way to `endpoint`.
    pub fn way(&self, endpoint: &Url) -> Way {
        let hint = self.id_token.and_then(Secret::expose_text);
        let told = [
            ("id_token_hint", hint),
            ("client_id", Some(self.client_id)),
            ("logout_hint", self.logout_hint),
            (self.back.map_or("", |(name, _)| name), self.back.map(|(_, url)| url)),
            ("state", self.back.map(|_| self.state)),
        ];
        let told = told.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let fixed = self.params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let fields: Vec<(&str, &str)> =
            told.filter(|(name, _)| fixed.clone().all(|(other, _)| other != *name)).collect();
        let fields: Vec<(&str, &str)> = fields.into_iter().chain(fixed).collect();
        let joint = if endpoint.query().is_some() { '&' } else { '?' };
        let location = format!("{}{joint}{}", endpoint.as_str(), form::write(fields.iter().copied()));
        if location.len() <= LONGEST {
            return Way::Redirect(location);
        }
        Way::Post(fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}
