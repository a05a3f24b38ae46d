//! A browser's cookies (RFC 6265bis §5.6, §5.7), as strict as browsers are.

use super::Req;
use oidc_proxy_wasm::words::UnixTime;
use std::time::Duration;

/// One cookie.
#[derive(Clone, Debug)]
pub struct Cookie {
    pub name: String,
    pub value: String,
    domain: Option<String>,
    host: String,
    path: String,
    secure: bool,
    same_site: String,
    until: Option<UnixTime>,
}

/// A browser's cookies.
#[derive(Clone, Debug, Default)]
pub struct Jar(pub Vec<Cookie>);

impl Jar {
    /// The browser is closed: what has no end of its own ends with it.
    pub fn close(&mut self) {
        self.0.retain(|cookie| cookie.until.is_some());
    }

    /// Takes over a `set-cookie` value that came from `host` over `scheme`.
    pub fn set(&mut self, now: UnixTime, scheme: &str, host: &str, line: &str) {
        assert!(line.len() <= 4096 + 1024, "no browser keeps a cookie of {} bytes", line.len());
        let mut parts = line.split("; ");
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        assert!(name.len() + value.len() <= 4096, "no browser keeps a cookie of {} bytes", name.len() + value.len());
        let mut cookie = Cookie {
            name: name.to_owned(),
            value: value.to_owned(),
            domain: None,
            host: host.to_owned(),
            path: String::new(),
            secure: false,
            same_site: String::new(),
            until: None,
        };
        for part in parts {
            match part.split_once('=').unwrap_or((part, "")) {
                ("Path", path) => path.clone_into(&mut cookie.path),
                ("Domain", domain) => cookie.domain = Some(domain.to_owned()),
                ("Secure", _) => cookie.secure = true,
                ("SameSite", value) => value.clone_into(&mut cookie.same_site),
                ("Max-Age", age) => cookie.until = Some(now.plus(Duration::from_secs(age.parse().unwrap()))),
                ("HttpOnly", _) | ("Expires", _) => {}
                other => panic!("an attribute that is not expected: {other:?}"),
            }
        }
        assert!(line.contains("; HttpOnly"), "{line}");
        assert!(cookie.same_site != "None" || cookie.secure, "browsers refuse {line}");
        let prefixed = cookie.secure && cookie.domain.is_none() && cookie.path == "/";
        assert!(!name.starts_with("__Host-") || prefixed, "browsers refuse {line}");
        if cookie.secure && scheme != "https" {
            return;
        }
        self.0.retain(|known| {
            (&known.name, &known.domain, &known.path, &known.host)
                != (&cookie.name, &cookie.domain, &cookie.path, &cookie.host)
        });
        if cookie.until.is_none_or(|until| now < until) {
            self.0.push(cookie);
        }
    }

    /// The `cookie` field for a request.
    pub fn field(&self, now: UnixTime, request: &Req) -> Option<String> {
        let host = request.authority.split(':').next().unwrap_or_default();
        let safe = request.method == "GET";
        let goes = |cookie: &&Cookie| {
            let at_home = match &cookie.domain {
                Some(domain) => host == domain || host.ends_with(&format!(".{domain}")),
                None => host == cookie.host,
            };
            let allowed = !request.cross_site || cookie.same_site == "None" || (cookie.same_site == "Lax" && safe);
            at_home
                && allowed
                && (!cookie.secure || request.scheme == "https")
                && request.path.starts_with(&cookie.path)
                && cookie.until.is_none_or(|until| now < until)
        };
        let pairs: Vec<String> =
            self.0.iter().filter(goes).map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}
