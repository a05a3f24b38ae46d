//! Headless Chromium, driven over WebDriver (W3C WebDriver §6 to §17).

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::part::{Part, Work};
use crate::{client, ports, root};

/// How long a page may take to show what a test waits for.
const PATIENCE: Duration = Duration::from_secs(90);

/// The name under which WebDriver gives the id of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window at first, and no past.
pub struct Browser {
    port: u16,
    session: String,
    driver: Part,
    // After the driver: what the browser writes lies in it.
    _work: Work,
}

impl Browser {
    /// Starts chromedriver and a browser.
    pub async fn start() -> Browser {
        let work = Work::new("browser");
        let port = ports::free();
        let profile = work.path().join("profile");
        let mut driver = Part::start("chromedriver", work.path(), "chromedriver", &[&format!("--port={port}")], &[]);
        driver.ready(port, "/status", PATIENCE).await;
        let mut browser = Browser { port, session: String::new(), driver, _work: work };
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1000,760",
            &format!("--user-data-dir={}", profile.display()),
        ];
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": { "args": arguments } });
        let answer = browser.post("/session", json!({ "capabilities": { "alwaysMatch": wanted } })).await;
        browser.session = answer["sessionId"].as_str().expect("a session").to_owned();
        browser
    }

    /// Opens an address and waits until the page is loaded.
    pub async fn open(&self, url: &str) {
        self.command("url", json!({ "url": url })).await;
    }

    /// The address that is shown.
    pub async fn url(&self) -> String {
        text(self.read("url").await)
    }

    /// The title that is shown.
    pub async fn title(&self) -> String {
        text(self.read("title").await)
    }

    /// The page as it is now.
    pub async fn source(&self) -> String {
        text(self.read("source").await)
    }

    /// Waits until the page has an element for this CSS selector.
    ///
    /// # Panics
    /// With the page, when none comes.
    pub async fn find(&self, selector: &str) -> Element<'_> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let body = json!({ "using": "css selector", "value": selector });
            let found = self.command("elements", body).await;
            if let Some(id) = found.get(0).and_then(|element| element[ELEMENT].as_str()) {
                return Element { browser: self, id: id.to_owned() };
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no {selector} at {}:\n{}", self.url().await, self.source().await);
    }

    /// Waits until the address begins with this.
    ///
    /// # Panics
    /// With the page, when it does not come to that.
    pub async fn arrive(&self, url: &str) {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if self.url().await.starts_with(url) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never came to {url}, but to {}:\n{}", self.url().await, self.source().await);
    }

    /// Runs an asynchronous script in the page, which calls its last argument with what it has to say.
    pub async fn script(&self, script: &str) -> Value {
        self.command("execute/async", json!({ "script": script, "args": [] })).await
    }

    /// Opens another tab and goes there; the answer is its name.
    pub async fn new_tab(&self) -> String {
        let tab = text(self.command("window/new", json!({ "type": "tab" })).await["handle"].take());
        self.switch(&tab).await;
        tab
    }

    /// The name of the tab in front.
    pub async fn tab(&self) -> String {
        text(self.read("window").await)
    }

    /// Goes to a tab.
    pub async fn switch(&self, tab: &str) {
        self.command("window", json!({ "handle": tab })).await;
    }

    /// The cookies that the browser holds for the page.
    pub async fn cookies(&self) -> Vec<Value> {
        self.read("cookie").await.as_array().cloned().unwrap_or_default()
    }

    /// Loses a cookie, as when a person clears it.
    pub async fn forget(&self, cookie: &str) {
        let path = format!("/session/{}/cookie/{cookie}", self.session);
        value(&path, client::ask("DELETE", self.port, &path).send().await);
    }

    /// Writes what is shown to `target/screenshots/NAME.png`.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        let picture = STANDARD.decode(text(self.read("screenshot").await)).expect("a picture");
        let folder = root().join("target/screenshots");
        fs::create_dir_all(&folder).expect("a folder under target/");
        let file = folder.join(format!("{name}.png"));
        fs::write(&file, picture).expect("the picture's file");
        file
    }

    async fn read(&self, what: &str) -> Value {
        let path = format!("/session/{}/{what}", self.session);
        value(&path, client::get(self.port, &path).send().await)
    }

    async fn command(&self, what: &str, body: Value) -> Value {
        self.post(&format!("/session/{}/{what}", self.session), body).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let ask = client::ask("POST", self.port, path).header("content-type", "application/json");
        value(path, ask.body(body.to_string()).send().await)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser is a child of the driver, and ends with it.
        self.driver.stop();
    }
}

/// An element of the page that is shown.
pub struct Element<'a> {
    browser: &'a Browser,
    id: String,
}

impl Element<'_> {
    /// Types text into it.
    pub async fn fill(&self, text: &str) {
        self.browser.command(&format!("element/{}/value", self.id), json!({ "text": text })).await;
    }

    /// Clicks it.
    pub async fn click(&self) {
        self.browser.command(&format!("element/{}/click", self.id), json!({})).await;
    }

    /// The text that a person reads there.
    pub async fn text(&self) -> String {
        text(self.browser.read(&format!("element/{}/text", self.id)).await)
    }
}

fn value(path: &str, answer: client::Answer) -> Value {
    assert_eq!(answer.status, 200, "WebDriver {path}: {}", answer.text());
    answer.json()["value"].take()
}

fn text(value: Value) -> String {
    value.as_str().expect("a text").to_owned()
}
