//! The Envoys that are compared, all there at once.

use integration_tests::person::Person;
use integration_tests::store::Store;
use serde_json::Value;

use crate::proxy::{Place, Plan, Proxy};
use crate::sessions::Mint;
use crate::tokens::Provider;
use crate::{api, authz, filters};

/// The proxies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum To {
    /// No filters; every row's twin.
    Plain,
    /// No filters either.
    Bare,
    Noop,
    JwtAuthn,
    Oauth2,
    Both,
    ExtAuthz,
    /// The filter with a login.
    Ours,
    /// The same with its sessions in a store.
    Stored,
    /// The filter for access tokens.
    Api,
    /// The same; it remembers few tokens.
    Forgetful,
    /// The filter with one rule and one provider.
    One,
    /// With a thousand rules and 50 providers.
    Many,
}

impl To {
    const ALL: [To; 13] = [
        To::Plain,
        To::Bare,
        To::Noop,
        To::JwtAuthn,
        To::Oauth2,
        To::Both,
        To::ExtAuthz,
        To::Ours,
        To::Stored,
        To::Api,
        To::Forgetful,
        To::One,
        To::Many,
    ];
}

/// All that runs while it is measured.
pub struct Field {
    proxies: Vec<(To, Proxy)>,
    _store: Store,
    /// Makes sessions for [`To::Ours`].
    pub mint: Mint,
}

impl Field {
    /// Starts every proxy.
    pub async fn start(provider: &Provider) -> Field {
        let ours = Place::new();
        let configuration = filters::configuration(provider, ours);
        let authz = authz::start().await;
        let store = Store::start().await;
        let mut proxies = Vec::new();
        for to in To::ALL {
            let place = if to == To::Ours { ours } else { Place::new() };
            let api = |configuration: Value| filters::ours(provider, &configuration);
            let plan = match to {
                To::Plain | To::Bare => Plan::default(),
                To::Noop => filters::nothing(),
                To::JwtAuthn => filters::jwt_authn(provider),
                To::Oauth2 => filters::oauth2(provider, place),
                To::Both => filters::oauth2_then_jwt_authn(provider, place),
                To::ExtAuthz => filters::ext_authz(authz),
                To::Ours => filters::ours(provider, &configuration),
                To::Stored => filters::stored(provider, place, store.port),
                To::Api => api(api::usual(provider)),
                To::Forgetful => api(api::forgetful(provider)),
                To::One => api(api::one(provider)),
                To::Many => api(api::many(provider)),
            };
            proxies.push((to, Proxy::start(place, &plan).await));
        }
        let mint = Mint::new(&configuration, &provider.idp.issuer(), provider.tokens.clone());
        Field { proxies, mint, _store: store }
    }

    /// One of the proxies.
    pub fn proxy(&self, to: To) -> &Proxy {
        let found = self.proxies.iter().find(|(known, _)| *known == to);
        found.map(|(_, proxy)| proxy).unwrap_or_else(|| panic!("{to:?} was not started"))
    }

    /// How many there are.
    pub const fn size() -> usize {
        To::ALL.len()
    }

    /// Logs in as a browser does; gives back the `cookie` header of what came of it.
    pub async fn log_in(&self, to: To) -> String {
        let mut person = Person::new();
        let page = person.open(&format!("http://{}/", self.proxy(to).place.host())).await;
        assert_eq!(page.answer.status, 200, "the login ends at {}: {}", page.url, page.answer.text());
        let cookies = person.cookies("localhost").into_iter().filter(|cookie| cookie.path == "/");
        cookies.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect::<Vec<_>>().join("; ")
    }
}
