//! The runtime over a host that a test plays callback by callback.

mod bodies;
mod calls;
mod host;
mod limits;
mod responses;
mod resumed;
mod tokens;
mod waiting;

use host::{Fake, Seen};
use oidc_proxy_wasm::runtime::{Flow, Phase, Runtime, Stream};
use oidc_proxy_wasm::words::Headers;
use oidc_proxy_wasm::world::ProviderResponse;
use serde_json::{Value, json};
use std::rc::Rc;

const ISSUER: &str = "https://idp.example.com";

/// A worker: a fake host, and the runtime over it.
struct Worker {
    host: Rc<Fake>,
    runtime: Rc<Runtime>,
}

fn config() -> Value {
    json!({
        "providers": { "main": {
            "issuer": ISSUER,
            "cluster": "idp",
            "client": { "client_id": "shop", "client_secret": "cR6yW3zH5jP0sDaE9fK2mQ7xT4vB8nL1" },
        } },
        "rules": [
            { "name": "public", "match": { "path_prefix": "/public" }, "allow": "anonymous" },
            {
                "name": "shop",
                "login": { "redirect_uri": "https://shop.example.com/oauth/callback" },
                "upstream_headers": [{ "claim": ["email"], "name": "x-email" }],
            },
        ],
        "session": { "secrets": ["9fK2mQ7xT4vB8nL1cR6yW3zH5jP0sDaE"] },
    })
}

fn form_post() -> Value {
    let mut config = config();
    config["bodies"] = json!("readable");
    config["providers"]["main"]["response_mode"] = json!("form_post");
    config
}

fn metadata() -> ProviderResponse {
    let document = json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "jwks_uri": format!("{ISSUER}/jwks"),
    });
    ProviderResponse {
        status: 200,
        content_type: Some("application/json".to_owned()),
        cache_control: None,
        grpc_status: None,
        body: document.to_string().into_bytes(),
    }
}

impl Worker {
    fn new() -> Self {
        Self::with(&config(), Fake::default())
    }

    fn with(config: &Value, host: Fake) -> Self {
        let worker = Self::unconfigured(host);
        worker.runtime.configure(config.to_string().as_bytes(), &|_| None).unwrap();
        worker
    }

    fn unconfigured(host: Fake) -> Self {
        let host = Rc::new(host);
        let runtime = Runtime::new(Rc::clone(&host) as Rc<dyn oidc_proxy_wasm::runtime::Abi>);
        Self { host, runtime }
    }

    /// A page load that has come with nothing behind its header fields.
    fn page(&self, id: u32, path: &str) -> (Rc<Stream>, Flow) {
        self.request(id, &[(":method", "GET"), (":path", path), ("accept", "text/html")], true)
    }

    fn request(&self, id: u32, fields: &[(&str, &str)], end: bool) -> (Rc<Stream>, Flow) {
        let stream = Rc::new(Stream::new(id, Rc::clone(&self.runtime)));
        let common = [(":scheme", "https"), (":authority", "shop.example.com")];
        *self.host.fields.borrow_mut() = Headers::from_pairs(common.iter().chain(fields).copied());
        self.host.open(id);
        let flow = self.runtime.request(&stream, end);
        (stream, flow)
    }

    /// Lets the root run as long as it asks for it.
    fn settle(&self) {
        for _ in 0..20 {
            if !self.host.take_wake() {
                return;
            }
            self.host.act_on_root();
            self.runtime.root_woken();
        }
        panic!("the root is woken for ever");
    }

    /// The answer to a call of the root's comes.
    fn answer(&self, token: u32, response: ProviderResponse) {
        let size = response.body.len();
        self.host.gives(Some(response));
        self.host.act_on_root();
        self.runtime.call_answered(None, token, 3, size);
        self.settle();
    }

    /// What became of a stream.
    fn seen(&self, id: u32) -> Vec<Seen> {
        self.host.seen(id)
    }
}

#[test]
fn nothing_passes_before_there_is_a_configuration() {
    let worker = Worker::unconfigured(Fake::default());
    let (stream, flow) = worker.page(1, "/public");
    assert_eq!((flow, stream.phase.get()), (Flow::Pause, Phase::Answered));
    assert_eq!(worker.seen(1), [Seen::Answered(503, "unconfigured".to_owned())]);
    worker.runtime.configure(config().to_string().as_bytes(), &|_| None).unwrap();
    assert_eq!(worker.page(2, "/public").1, Flow::Continue);
}

/// Z08: a configuration with a slip leaves the one before in charge.
#[test]
fn a_refused_configuration_leaves_the_one_before() {
    let worker = Worker::new();
    assert!(worker.runtime.configure(b"{}", &|_| None).is_err());
    assert_eq!(worker.page(1, "/public").1, Flow::Continue);
    assert_eq!(worker.page(2, "/private").1, Flow::Pause);
}

#[test]
fn a_request_that_needs_no_answer_is_decided_at_once() {
    let worker = Worker::new();
    let (stream, flow) = worker.page(1, "/public");
    assert_eq!((flow, stream.phase.get()), (Flow::Continue, Phase::Forwarded));
    assert!(worker.host.calls().is_empty() && !worker.host.take_wake());
    // A callback's own result lets it on: no resume besides.
    assert!(!worker.seen(1).contains(&Seen::Resumed));
}
