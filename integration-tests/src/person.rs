//! Someone with cookies who follows redirects and fills in forms, as a browser without scripts.

use url::Url;

use crate::client::{self, Answer};

/// More redirects than any login needs.
const MOST_HOPS: usize = 20;

/// A person with a cookie jar. A copy is a second browser that has the same cookies.
#[derive(Clone, Default)]
pub struct Person {
    jar: Vec<Cookie>,
    doors: Vec<(u16, u16)>,
    /// Every answer on the way since the last [`Person::open`] or [`Person::submit`]: where, and its status.
    pub hops: Vec<(Url, u16)>,
}

/// A cookie as browsers keep it. Ports do not separate cookies; `Secure` is not looked at, since all is loopback.
#[derive(Clone, Debug)]
pub struct Cookie {
    /// The host that set it.
    pub host: String,
    /// Its name.
    pub name: String,
    /// Its value as it came.
    pub value: String,
    /// The path it is for.
    pub path: String,
    /// Its attributes as they came.
    pub attributes: String,
}

/// Where a person has arrived.
pub struct Page {
    /// Its address.
    pub url: Url,
    /// What is there.
    pub answer: Answer,
}

impl Person {
    /// Nobody has seen this one before.
    pub fn new() -> Person {
        Person::default()
    }

    /// Goes to another port of this machine wherever an address says `port`: to one that speaks TLS for us, which nobody here
    /// does.
    pub fn by_door(mut self, port: u16, door: u16) -> Person {
        self.doors.push((port, door));
        self
    }

    /// Opens an address as a page load and follows redirects.
    pub async fn open(&mut self, url: &str) -> Page {
        self.hops.clear();
        let url = Url::parse(url).expect("a URL");
        self.follow("GET", url, None).await
    }

    /// Opens an address as a page load and stays there.
    pub async fn look(&mut self, url: &str) -> Page {
        let url = Url::parse(url).expect("a URL");
        let answer = self.load("GET", &url, None).await;
        Page { url, answer }
    }

    /// Opens an address as a script of a page does, and stays there.
    pub async fn fetch(&mut self, url: &str) -> Answer {
        let url = Url::parse(url).expect("a URL");
        let ask = self.ask("GET", &url).header("accept", "application/json").header("sec-fetch-mode", "cors");
        let answer = ask.header("sec-fetch-dest", "empty").header("x-requested-with", "XMLHttpRequest").send().await;
        self.keep(&url, &answer);
        answer
    }

    /// Fills in the first form of a page, sends it and follows redirects. Fields that are not named keep their value.
    ///
    /// # Panics
    /// When there is no form.
    pub async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        self.hops.clear();
        let form = Form::first(&page.answer.text()).unwrap_or_else(|| panic!("no form at {}", page.url));
        let mut filled = form.fields;
        for (name, value) in fields {
            filled.retain(|(known, _)| known != name);
            filled.push((name.to_string(), value.to_string()));
        }
        let to = page.url.join(&form.action).expect("a form's action");
        self.follow(&form.method, to, Some(filled)).await
    }

    /// Opens an address, logs in at whatever form comes, and arrives where the login leads.
    pub async fn log_in(&mut self, url: &str, user: &str, password: &str) -> Page {
        let form = self.open(url).await;
        let way = self.hops.clone();
        let page = self.submit(&form, &[("username", user), ("password", password)]).await;
        self.hops.splice(0..0, way);
        page
    }

    /// The cookies that a host has set.
    pub fn cookies(&self, host: &str) -> Vec<Cookie> {
        self.jar.iter().filter(|cookie| cookie.host == host).cloned().collect()
    }

    /// Changes the jar behind the server's back.
    pub fn tamper(&mut self, change: impl FnOnce(&mut Vec<Cookie>)) {
        change(&mut self.jar);
    }

    async fn follow(&mut self, method: &str, mut url: Url, mut form: Option<Vec<(String, String)>>) -> Page {
        let mut method = method.to_owned();
        for _ in 0..MOST_HOPS {
            let answer = self.load(&method, &url, form.as_deref()).await;
            self.hops.push((url.clone(), answer.status));
            let Some(location) = answer.header("location").filter(|_| (300..400).contains(&answer.status)) else {
                return Page { url, answer };
            };
            url = url.join(location).unwrap_or_else(|error| panic!("Location {location:?}: {error}"));
            if !matches!(answer.status, 307 | 308) {
                (method, form) = ("GET".into(), None);
            }
        }
        panic!("redirected for ever: {:?}", self.hops);
    }

    async fn load(&mut self, method: &str, url: &Url, form: Option<&[(String, String)]>) -> Answer {
        let mut ask = self.ask(method, url).header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        ask = ask.header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document");
        if let Some(form) = form {
            let fields: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            ask = ask.form(&fields);
        }
        let answer = ask.send().await;
        self.keep(url, &answer);
        answer
    }

    fn ask(&self, method: &str, url: &Url) -> client::Ask {
        let (host, port) = (url.host_str().expect("a host"), url.port_or_known_default().expect("a port"));
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let door = self.doors.iter().find(|(known, _)| *known == port).map_or(port, |(_, door)| *door);
        let ask = client::ask(method, door, target).host(format!("{host}:{port}"));
        match self.cookie_line(host, url.path()) {
            line if line.is_empty() => ask,
            line => ask.header("cookie", line),
        }
    }

    fn cookie_line(&self, host: &str, path: &str) -> String {
        let fits = |cookie: &&Cookie| cookie.host == host && within(&cookie.path, path);
        let pairs: Vec<_> = self.jar.iter().filter(fits).map(|c| format!("{}={}", c.name, c.value)).collect();
        pairs.join("; ")
    }

    fn keep(&mut self, url: &Url, answer: &Answer) {
        let host = url.host_str().expect("a host");
        for line in answer.all("set-cookie") {
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').expect("a cookie has a name");
            let path = attribute(attributes, "path").filter(|path| path.starts_with('/')).unwrap_or("/");
            self.jar.retain(|known| !(known.host == host && known.name == name && known.path == path));
            if !ends(attributes) {
                self.jar.push(Cookie {
                    host: host.into(),
                    name: name.into(),
                    value: value.into(),
                    path: path.into(),
                    attributes: attributes.trim().into(),
                });
            }
        }
    }
}

/// RFC 6265 §5.1.4.
fn within(cookie: &str, path: &str) -> bool {
    path.strip_prefix(cookie).is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

fn attribute<'a>(attributes: &'a str, wanted: &str) -> Option<&'a str> {
    attributes
        .split(';')
        .filter_map(|part| part.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value)
}

/// Whether this line deletes the cookie: no life left, or an end in the year that everybody takes for deleting.
fn ends(attributes: &str) -> bool {
    match attribute(attributes, "max-age") {
        Some(seconds) => seconds.parse::<i64>().is_ok_and(|seconds| seconds <= 0),
        None => attribute(attributes, "expires").is_some_and(|date| date.contains(" 1970 ") || date.contains("-1970 ")),
    }
}

/// The first form of a page, read as far as the forms of providers go.
struct Form {
    action: String,
    method: String,
    fields: Vec<(String, String)>,
}

impl Form {
    fn first(html: &str) -> Option<Form> {
        let start = html.find("<form")?;
        let form = html.get(start..)?;
        let form = form.split("</form>").next()?;
        let tag = form.split('>').next()?;
        let inputs = form.split("<input").skip(1).filter_map(|input| {
            let tag = input.split('>').next()?;
            Some((value_of(tag, "name")?, value_of(tag, "value").unwrap_or_default()))
        });
        Some(Form {
            action: value_of(tag, "action").unwrap_or_default(),
            method: value_of(tag, "method").unwrap_or_else(|| "GET".into()).to_uppercase(),
            fields: inputs.collect(),
        })
    }
}

/// The value of an attribute in double quotes, with the few entities that matter undone.
fn value_of(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = tag.get(start..)?.split('"').next()?;
    Some(value.replace("&quot;", "\"").replace("&#39;", "'").replace("&#x3D;", "=").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_with_its_hidden_fields() {
        let html = r#"<form action="/go?a=1&amp;b=2" method="post"><input type="hidden" name="x" value="1">
            <input name="user"></form><form action="/other">"#;
        let form = Form::first(html).unwrap();
        assert_eq!((form.action.as_str(), form.method.as_str()), ("/go?a=1&b=2", "POST"));
        assert_eq!(form.fields, [("x".into(), "1".into()), ("user".into(), String::new())]);
    }

    #[test]
    fn a_cookie_path_ends_at_a_segment() {
        assert!(within("/", "/any") && within("/a", "/a") && within("/a", "/a/b") && within("/a/", "/a/b"));
        assert!(!within("/a", "/ab"));
    }
}
