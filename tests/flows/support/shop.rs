//! A shop behind the filter.

use super::{Answer, Browser, Idp, Req, Value, json};
use oidc_proxy_wasm::exchange::{self, Begun, Gate};
use oidc_proxy_wasm::words::{Headers, Reason, Request, UnixTime, Verdict};
use oidc_proxy_wasm::world::World;
use oidc_proxy_wasm::world::script::Script;
use std::cell::Cell;
use std::future::Future;
use std::task::Poll;

pub const ISSUER: &str = "https://idp.example.com";
pub const SHOP: &str = "https://shop.example.com";
pub const CALLBACK: &str = "/oauth/callback";
/// With the characters that need form encoding before Basic (RFC 6749 §2.3.1).
pub const BATCH_SECRET: &str = "T4vB8nL1cR6yW3zH5jP0sDaE9fK2mQ7x";
pub const WATCH_SECRET: &str = "W3zH5jP0sDaE9fK2mQ7xT4vB8nL1cR6y";
pub const CLIENT_SECRET: &str = "cR6y+W3z/H5j=P0s%DaE9fK2:mQ7xT4vB8nL1";

/// One worker of the filter with its provider.
pub struct Shop {
    pub gate: Gate,
    pub script: Script,
    pub idp: Idp,
    config: Value,
    /// Whether the service answers before anything else goes on.
    pub is_quick: Cell<bool>,
    /// How many log lines were looked through.
    read: Cell<usize>,
}

/// What most tests begin with: one provider, an open corner, a corner for both, the shop itself.
fn basic() -> Value {
    json!({
        "providers": { "main": {
            "issuer": ISSUER,
            "cluster": "idp",
            "client": { "client_id": "shop", "client_secret": CLIENT_SECRET },
        } },
        "defaults": {
            "login": { "redirect_uri": format!("{SHOP}{CALLBACK}"), "scope": "openid email" },
            "upstream_headers": [
                { "claim": ["preferred_username"], "name": "x-user" },
                { "claim": ["email"], "name": "x-email" },
            ],
        },
        "rules": [
            { "name": "public", "match": { "path_prefix": "/public" }, "allow": "anonymous" },
            { "name": "maybe", "match": { "host": "shop.example.com", "path_prefix": "/maybe" }, "allow": "optional" },
            { "name": "closed", "match": { "host": "shop.example.com", "path_prefix": "/closed" }, "allow": "nobody" },
            { "name": "shop", "match": { "host": "shop.example.com" } },
        ],
        "session": { "secrets": ["9fK2mQ7xT4vB8nL1cR6yW3zH5jP0sDaE"] },
        "observability": { "reason_header": "x-reason" },
    })
}

impl Shop {
    /// The basic one.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// The basic one with something else about it.
    pub fn with(change: impl FnOnce(&mut Value)) -> Self {
        let mut config = basic();
        change(&mut config);
        Self::of(config)
    }

    /// One whose last rule takes JWT access tokens for `api`, unless these members of it say otherwise.
    pub fn api(rule: Value) -> Self {
        Self::with(|config| {
            let members = config["rules"][3].as_object_mut().unwrap();
            members.insert("methods".to_owned(), json!(["bearer"]));
            members.insert("token".to_owned(), json!({ "audience": ["api"] }));
            members.extend(rule.as_object().unwrap().clone());
        })
    }

    /// One that issues tokens of its own, and whose last rule takes such.
    pub fn with_gateway_tokens(change: impl FnOnce(&mut Value)) -> Self {
        Self::with(|config| {
            config["bodies"] = json!("readable");
            config["rules"][3]["methods"] = json!(["gateway_token"]);
            config["gateway_tokens"] = json!({
                "issuer": SHOP,
                "path": "/oauth/token",
                "revocation_path": "/oauth/revoke",
                "introspection_path": "/oauth/introspect",
                "secrets": ["sDaE9fK2mQ7xT4vB8nL1cR6yW3zH5jP0"],
                "clients": [
                    { "client_id": "batch", "client_secret": BATCH_SECRET, "scope": "read write", "consumer": "acme" },
                    { "client_id": "watch", "client_secret": WATCH_SECRET, "introspect": true },
                ],
            });
            config["consumers"] = json!([{ "username": "acme" }]);
            change(config);
        })
    }

    /// One that reads bodies and gets its authorization responses by `form_post`.
    pub fn with_form_post() -> Self {
        Self::with(|config| {
            config["bodies"] = json!("readable");
            config["providers"]["main"]["response_mode"] = json!("form_post");
        })
    }

    pub fn of(config: Value) -> Self {
        let script = Script::new();
        let idp = Idp::new(&script);
        Self { gate: load(&config), script, idp, config, is_quick: Cell::default(), read: Cell::new(0) }
    }

    /// What it was configured with.
    pub fn configuration(&self) -> Value {
        self.config.clone()
    }

    /// Another worker of the same host.
    pub fn worker(&self) -> Self {
        Self::on(&self.script, &self.idp, self.config.clone())
    }

    /// Another host with the same configuration, which shares nothing with this one but the provider and the store.
    pub fn host(&self) -> Self {
        let script = Script::new();
        script.advance(self.now().as_secs() - script.world().now().as_secs());
        self.idp.serves(&script);
        Self::on(&script, &self.idp, self.config.clone())
    }

    /// One that keeps its sessions in a store, with these members of `store.redis_http`.
    pub fn with_store(members: Value) -> Self {
        Self::with(|config| {
            config["store"] = json!({ "redis_http": { "cluster": "webdis" } });
            config["store"]["redis_http"].as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        })
    }

    /// Another worker of the same host with another configuration.
    pub fn reconfigured(&self, change: impl FnOnce(&mut Value)) -> Self {
        let mut config = self.config.clone();
        change(&mut config);
        Self::on(&self.script, &self.idp, config)
    }

    fn on(script: &Script, idp: &Idp, config: Value) -> Self {
        let (script, idp) = (script.clone(), idp.clone());
        Self { gate: load(&config), script, idp, config, is_quick: Cell::default(), read: Cell::new(0) }
    }

    /// A browser without cookies.
    pub fn browser(&self) -> Browser<'_> {
        Browser::new(self)
    }

    /// A browser that has logged in.
    pub fn guest(&self) -> Browser<'_> {
        let mut browser = self.browser();
        assert_eq!(browser.open("/").reason(), None, "{:?}", self.script.lines());
        browser
    }

    pub fn now(&self) -> UnixTime {
        self.script.world().now()
    }

    /// Decides one request. Whatever it is, no secret may show.
    pub fn decide(&self, request: &Req) -> Answer {
        let world = match &request.body {
            Some(body) => self.script.world_with(body),
            None => self.script.world(),
        };
        self.decide_in(&world, request)
    }

    /// Decides one request whose body the host does not show.
    pub fn decide_unread(&self, request: &Req) -> Answer {
        self.decide_in(&self.script.world(), request)
    }

    /// Decides one request in a world of its own.
    pub fn decide_in(&self, world: &World, request: &Req) -> Answer {
        let fields = request.fields();
        let seen = Request::new(Headers::from_pairs(fields.iter().cloned()));
        let mut begun = Begun::default();
        let verdict = match exchange::at_once(&self.gate, world, &seen, &mut begun) {
            None => self.script.run(exchange::decide(&self.gate, world, &seen, begun)).expect("it waits for ever"),
            Some(verdict) => {
                // Whoever need not wait gets what all others would.
                let other = self
                    .script
                    .would_be(exchange::decide(&self.gate, world, &seen, Begun::default()))
                    .expect("it waits for ever");
                assert_eq!(told(&verdict), told(&other));
                verdict
            }
        };
        let url = format!("{}://{}{}", request.scheme, request.authority, request.path);
        let answer = Answer::new(url, fields, self.answered(verdict));
        self.assert_fit_to_be_seen(&answer);
        answer
    }

    /// What has become of a verdict when the service answers, a while after the request came.
    fn answered(&self, verdict: Verdict) -> Verdict {
        let Verdict::Forward(Some(mut forward)) = verdict else { return verdict };
        if let Some(late) = forward.late.take() {
            if !self.is_quick.get() {
                self.script.settle();
            }
            let late = late.edits();
            forward.response.set.extend(late.set);
            forward.response.add.extend(late.add);
        }
        Verdict::Forward(Some(forward))
    }

    /// Decides these requests all at once, as they wait for each other's answers.
    pub fn decide_together(&self, requests: &[Req]) -> Vec<Answer> {
        self.decide_among(&[self], requests)
    }

    /// Decides these requests all at once, each at the next of these workers.
    pub fn decide_among(&self, workers: &[&Self], requests: &[Req]) -> Vec<Answer> {
        let world = self.script.world();
        let seen = requests.iter().map(|request| Request::new(Headers::from_pairs(request.fields())));
        let seen: Vec<Request> = seen.collect();
        let among = seen.iter().zip(workers.iter().cycle());
        let mut waiting: Vec<_> = among
            .map(|(one, worker)| Box::pin(exchange::decide(&worker.gate, &world, one, Begun::default())))
            .collect();
        let mut verdicts: Vec<Option<_>> = waiting.iter().map(|_| None).collect();
        let all = std::future::poll_fn(|context| {
            for (one, verdict) in waiting.iter_mut().zip(&mut verdicts).filter(|(_, verdict)| verdict.is_none()) {
                if let Poll::Ready(done) = one.as_mut().poll(context) {
                    *verdict = Some(done);
                }
            }
            if verdicts.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
        });
        self.script.run(all).expect("they wait for ever");
        let answers = requests.iter().zip(verdicts);
        answers
            .map(|(one, verdict)| Answer::new(one.path.clone(), one.fields(), self.answered(verdict.unwrap())))
            .collect()
    }

    /// What holds for every answer of ours: its reason in the log and in the header, no secret anywhere.
    fn assert_fit_to_be_seen(&self, answer: &Answer) {
        let Some(reason) = answer.reason() else { return };
        if self.gate.observability().reason_header.is_some() {
            assert_eq!(answer.header("x-reason").as_deref(), Some(reason.code()));
        }
        let lines = self.script.lines();
        let lines = &lines[self.read.replace(lines.len())..];
        assert!(lines.iter().any(|line| line.contains(reason.code())), "{reason} is not in the log");
        let public = [Reason::ResourceMetadata, Reason::GatewayMetadata, Reason::ClientKeys];
        let kept = if public.contains(&reason) { "public, max-age=300" } else { "no-store" };
        assert_eq!(answer.header("cache-control").as_deref(), Some(kept));
        for secret in self.idp.secrets() {
            // The provider's own ID token goes back to it (OIDC RP-Initiated Logout §2).
            let is_sent_back = reason == Reason::LogoutStarted && secret.starts_with("ey");
            let is_given = reason == Reason::LoginTokens;
            assert!(is_sent_back || is_given || !answer.body().contains(&secret), "a secret on a page: {secret}");
            let location = answer.location().filter(|_| !is_sent_back).unwrap_or_default();
            assert!(!location.contains(&secret), "a secret in a redirect: {secret}");
            assert!(lines.iter().all(|line| !line.contains(&secret)), "a secret in the log: {secret}");
        }
    }

    /// How often an endpoint was called so far.
    pub fn calls(&self, endpoint: super::Endpoint) -> usize {
        self.script.asked().iter().filter(|call| call.endpoint == endpoint).count()
    }
}

fn load(config: &Value) -> Gate {
    Gate::load(config.to_string().as_bytes(), &|_| None).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// A verdict but for what chance has a part in.
fn told(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Forward(forward) => format!("{forward:?}"),
        Verdict::Respond { response, reason } => format!("{reason:?} {}", response.status),
    }
}
