//! The suite's REST API, and the way to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use integration_tests::client;
use integration_tests::envoy::Envoy;
use integration_tests::person::Person;
use integration_tests::setup::Setup;
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::plans::Plan;

/// For how long the suite waits for what must not come, in seconds. Its answer to a good client does not wait.
const UNTIL_NOTHING_CAME: u64 = 3;

/// Longer than any module lasts once the person has done their part.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running suite. It is reached through an Envoy that speaks TLS for us.
#[derive(Clone)]
pub struct Suite {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    base: String,
    door: Arc<Envoy>,
    token: Option<String>,
}

/// A module of a plan, with the variants that the plan has chosen.
pub struct Module {
    /// As the suite names it.
    pub name: String,
    variant: Value,
}

/// What the suite says of a module that has ended.
pub struct Outcome {
    /// `PASSED`, `WARNING`, `FAILED`, `REVIEW` or `SKIPPED`.
    pub result: String,
    /// What was not good, or only nearly.
    pub remarks: Vec<String>,
}

impl Suite {
    /// The suite at this address, which is the `fintechlabs.base_url` that it knows of itself.
    pub async fn at(address: &str, token: Option<String>) -> Suite {
        let url = Url::parse(address).expect("SUITE is a URL");
        let host = url.host_str().expect("SUITE has a host").to_owned();
        let port = url.port_or_known_default().expect("SUITE has a port");
        let everybody = json!({ "rules": [{ "match": { "path_prefix": "/" }, "allow": "anonymous" }] });
        let setup = Setup::new().upstream(port).elsewhere("upstream", &host).filter(everybody);
        let base = url.origin().ascii_serialization();
        Suite { host, port, base, door: Arc::new(Envoy::start(setup).await), token }
    }

    /// Someone whose browser can reach the suite.
    pub fn person(&self) -> Person {
        Person::new().by_door(self.port, self.door.port)
    }

    /// The issuer that the modules of a plan with this alias have.
    pub fn issuer(&self, alias: &str) -> String {
        format!("{}/test/a/{alias}/", self.base)
    }

    /// Where a person finds a plan's results.
    pub fn page(&self, plan: &str) -> String {
        format!("{}/plan-detail.html?plan={plan}", self.base)
    }

    /// Makes a plan, and gives back its id and modules. `registered` is what the suite is to know of our client.
    pub async fn plan(&self, plan: &Plan, registered: &Value) -> (String, Vec<Module>) {
        let mut variant = json!({ "client_registration": "static_client", "request_type": "plain_http_request" });
        plan.variants.iter().for_each(|(name, value)| variant[name] = json!(value));
        // Some plans have chosen it themselves, and take no second word.
        if !plan.name.contains("basic-certification") {
            variant["client_auth_type"] = json!(plan.client_auth);
        }
        let mut registered = registered.clone();
        registered["waitTimeoutSeconds"] = json!(UNTIL_NOTHING_CAME);
        let path = query("plan", &[("planName", plan.name), ("variant", &variant.to_string())]);
        let made = self.post(&path, &registered.to_string()).await;
        let modules = made["modules"].as_array().expect("a list of modules").iter();
        let modules =
            modules.map(|module| Module { name: text(&module["testModule"]), variant: module["variant"].clone() });
        (text(&made["id"]), modules.collect())
    }

    /// Starts a module, and gives back its id once it waits for us, and whether it does.
    pub async fn begin(&self, plan: &str, module: &Module) -> (String, bool) {
        let parameters = [("test", module.name.as_str()), ("plan", plan), ("variant", &module.variant.to_string())];
        let made = self.post(&query("runner", &parameters), "").await;
        let id = text(&made["id"]);
        let info = self.status(&id, &["WAITING", "FINISHED", "INTERRUPTED"]).await;
        (id, info["status"] == "WAITING")
    }

    /// Waits until a module has ended, ends it when it does not, and gives back what it found.
    pub async fn end(&self, module: &str) -> Outcome {
        let info = self.status(module, &["FINISHED", "INTERRUPTED"]).await;
        let log = self.get(&format!("log/{module}")).await;
        let entries = log.as_array().expect("a log").iter();
        let bad = entries.filter(|entry| matches!(entry["result"].as_str(), Some("FAILURE" | "WARNING" | "REVIEW")));
        let remark = |entry: &Value| ["result", "src", "msg"].map(|name| text(&entry[name])).join(" ");
        let mut remarks: Vec<_> = bad.map(remark).collect();
        let mut result = text(&info["result"]);
        if !matches!(info["status"].as_str(), Some("FINISHED" | "INTERRUPTED")) {
            self.ask("DELETE", &format!("runner/{module}")).send().await;
            result = "FAILED".into();
            remarks.push("it waits for more to come".into());
        }
        Outcome { result, remarks }
    }

    /// Waits until a module has ended by itself.
    pub async fn settled(&self, module: &str) -> Result<(), String> {
        match self.status(module, &["FINISHED"]).await["status"].as_str() {
            Some("FINISHED") => Ok(()),
            other => Err(format!("the module is {other:?}")),
        }
    }

    /// The address that a module wants its person to open, when it has come to that.
    pub async fn to_open(&self, module: &str) -> Result<String, String> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(url) = self.get(&format!("runner/browser/{module}")).await["urls"][0].as_str() {
                self.post(&query(&format!("runner/browser/{module}/visit"), &[("url", url)]), "").await;
                return Ok(url.to_owned());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err("the suite wants nothing to be opened".into())
    }

    /// What is known of a module, as soon as it is in one of these states, or after a while.
    async fn status(&self, module: &str, wanted: &[&str]) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let info = self.get(&format!("info/{module}")).await;
            if wanted.contains(&info["status"].as_str().unwrap_or_default()) || Instant::now() > deadline {
                return info;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn get(&self, path: &str) -> Value {
        self.ask("GET", path).send().await.json()
    }

    /// What comes back of `body` in JSON, which is asked for a body even where there is none to send.
    async fn post(&self, path: &str, body: &str) -> Value {
        let answer =
            self.ask("POST", path).header("content-type", "application/json").body(body.to_owned()).send().await;
        assert!(answer.status < 300, "POST /api/{path}: {} {}", answer.status, answer.text());
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    fn ask(&self, method: &str, path: &str) -> client::Ask {
        let ask = client::ask(method, self.door.port, &format!("/api/{path}")).host(self.authority());
        match &self.token {
            Some(token) => ask.header("authorization", format!("Bearer {token}")),
            None => ask,
        }
    }

    fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

fn query(path: &str, parameters: &[(&str, &str)]) -> String {
    format!("{path}?{}", Serializer::new(String::new()).extend_pairs(parameters).finish())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
