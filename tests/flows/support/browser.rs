//! A browser: it keeps cookies and goes where it is sent.

use super::jar::Jar;
use super::{Answer, Req, Shop, get, post};
use crate::support::idp::Return;

/// How often a browser lets itself be sent on.
const PATIENCE: usize = 12;

/// A browser in front of one shop. A clone is the same browser with its cookies of this moment.
#[derive(Clone)]
pub struct Browser<'a> {
    shop: &'a Shop,
    pub jar: Jar,
    /// Every answer that sent it on, since it was last told where to go.
    pub steps: Vec<Option<oidc_proxy_wasm::words::Reason>>,
}

impl<'a> Browser<'a> {
    pub fn new(shop: &'a Shop) -> Self {
        Self { shop, jar: Jar::default(), steps: Vec::new() }
    }

    /// The same browser whose next requests another worker answers.
    pub fn at(&self, shop: &'a Shop) -> Self {
        Self { shop, jar: self.jar.clone(), steps: Vec::new() }
    }

    /// Sends one request as it is, with the cookies that belong to it, and keeps those that come.
    pub fn send(&mut self, request: &Req) -> Answer {
        let mut request = request.clone();
        if let Some(field) = self.jar.field(self.shop.now(), &request) {
            request = request.with("cookie", field);
        }
        let answer = self.shop.decide(&request);
        let host = request.authority.split(':').next().unwrap_or_default();
        for line in answer.all("set-cookie") {
            self.jar.set(self.shop.now(), &request.scheme, host, &line);
        }
        answer
    }

    /// Loads a page, without following redirects.
    pub fn get(&mut self, path: &str) -> Answer {
        self.send(&get(path))
    }

    /// Loads a page and goes wherever it is sent, through the provider too, until there is something to see.
    pub fn open(&mut self, path: &str) -> Answer {
        self.follow(get(path))
    }

    /// The same for any request.
    pub fn follow(&mut self, first: Req) -> Answer {
        self.steps.clear();
        let mut answer = self.send(&first);
        for _ in 0..PATIENCE {
            let Some(location) = answer.location() else { return answer };
            self.steps.push(answer.reason());
            let next = self.next(&location);
            answer = self.send(&next);
        }
        panic!("the browser is sent in circles: {:?}", self.steps)
    }

    /// Begins a login and stops before the callback: the request that the provider sends the browser back with.
    pub fn until_callback(&mut self, path: &str) -> Req {
        let answer = self.get(path);
        self.next(&answer.location().unwrap_or_else(|| panic!("no redirect: {:?}", answer.reason())))
    }

    /// What the browser asks for when it is sent to `location`; at the provider, the person logs in.
    pub fn next(&self, location: &str) -> Req {
        let own = |location: &str| -> Req {
            let (scheme, rest) = location.split_once("://").unwrap_or_else(|| panic!("relative: {location}"));
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let request = get(path).to(authority);
            if scheme == "http" { request.over_http() } else { request }
        };
        if !self.shop.idp.is_home_of(location) {
            return own(location);
        }
        match self.shop.idp.authorize(location) {
            Return::Redirect(back) => own(&back),
            Return::FormPost(action, form) => {
                let there = own(&action);
                post(&there.path, &form).to(&there.authority)
            }
        }
    }

    /// The names of its cookies.
    pub fn cookies(&self) -> Vec<&str> {
        self.jar.0.iter().map(|cookie| cookie.name.as_str()).collect()
    }

    /// The names of its session's cookies.
    pub fn session_cookies(&self) -> Vec<&str> {
        self.cookies().into_iter().filter(|name| !name.contains("-login.")).collect()
    }

    /// Its session, as it is in its cookies.
    pub fn session(&self) -> Vec<(String, String)> {
        let session = self.jar.0.iter().filter(|cookie| !cookie.name.contains("-login."));
        session.map(|cookie| (cookie.name.clone(), cookie.value.clone())).collect()
    }

    /// The names of its logins in progress, and of those that ended well a moment ago.
    pub fn login_cookies(&self) -> Vec<&str> {
        self.cookies().into_iter().filter(|name| name.contains("-login.")).collect()
    }
}
