//! An OpenID provider that judges what it is sent as a real one does, and lies only where a test tells it to.

mod access;
mod exchange;
mod grants;
mod logout;
mod refresh;

pub use logout::EVENT;

use super::keys::encode;
use super::{CLIENT_SECRET, Endpoint, ISSUER, Reply, Signer, Value, json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use oidc_proxy_wasm::http::form;
use oidc_proxy_wasm::store::scripted::Redis;
use oidc_proxy_wasm::world::script::Script;
use oidc_proxy_wasm::world::{Host, ProviderRequest};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// What a test does to something that the provider is about to send.
pub type Bend = Box<dyn Fn(&mut Value)>;

/// Whether a call is our client's, by its fields.
pub type Client = Rc<dyn Fn(&ProviderRequest, &HashMap<String, String>) -> bool>;

/// Parameters in their order.
type Params = Vec<(String, String)>;

/// The provider. Clones are the same one.
#[derive(Clone)]
pub struct Idp(Rc<RefCell<State>>);

/// How the browser comes back.
pub enum Return {
    Redirect(String),
    FormPost(String, String),
}

struct State {
    script: Script,
    redis: Redis,
    signer: Signer,
    published: Vec<Value>,
    metadata: Value,
    person: Value,
    replies: HashMap<Endpoint, Reply>,
    statuses: HashMap<Endpoint, u16>,
    grants: HashMap<String, Grant>,
    asked: Vec<HashMap<String, String>>,
    secrets: Vec<String>,
    response: Box<dyn Fn(&mut Params)>,
    header: Bend,
    claims: Bend,
    id_token: Box<dyn Fn(String) -> String>,
    tokens: Bend,
    userinfo: Bend,
    /// What introspection says of each access token; of one that was revoked, nothing.
    issued: HashMap<String, Option<Value>>,
    introspection: Bend,
    refreshing: refresh::Refreshing,
    granting: grants::Granting,
    client: Option<Client>,
}

#[derive(Clone)]
struct Grant {
    params: HashMap<String, String>,
    used: bool,
}

impl Idp {
    /// A provider with one ES256 key that answers the host's calls.
    pub fn new(script: &Script) -> Self {
        let signer = Signer::p256("one", 1);
        let endpoint = |path: &str| json!(format!("{ISSUER}{path}"));
        let state = State {
            script: script.clone(),
            redis: Redis::default(),
            published: vec![signer.jwk()],
            signer,
            metadata: json!({
                "issuer": ISSUER,
                "authorization_endpoint": endpoint("/authorize"),
                "token_endpoint": endpoint("/token"),
                "userinfo_endpoint": endpoint("/userinfo"),
                "introspection_endpoint": endpoint("/introspect"),
                "revocation_endpoint": endpoint("/revoke"),
                "end_session_endpoint": endpoint("/logout"),
                "jwks_uri": endpoint("/jwks"),
                "authorization_response_iss_parameter_supported": true,
            }),
            person: json!({ "sub": "u-1", "preferred_username": "alice", "email": "alice@example.com" }),
            replies: HashMap::new(),
            statuses: HashMap::new(),
            grants: HashMap::new(),
            asked: Vec::new(),
            secrets: vec![CLIENT_SECRET.to_owned()],
            response: Box::new(|_| {}),
            header: Box::new(|_| {}),
            claims: Box::new(|_| {}),
            id_token: Box::new(|token| token),
            tokens: Box::new(|_| {}),
            userinfo: Box::new(|_| {}),
            issued: HashMap::new(),
            introspection: Box::new(|_| {}),
            refreshing: refresh::Refreshing::default(),
            granting: grants::Granting::default(),
            client: None,
        };
        let idp = Self(Rc::new(RefCell::new(state)));
        idp.serves(script);
        idp
    }

    /// Answers another host's calls as well.
    pub fn serves(&self, script: &Script) {
        let answering = self.clone();
        script.answer(move |request| answering.answer(request));
    }

    /// The store beside it.
    pub fn redis(&self) -> Redis {
        self.0.borrow().redis.clone()
    }

    /// Who logs in from now on.
    pub fn logs_in(&self, sub: &str, name: &str) {
        self.0.borrow_mut().person = json!({ "sub": sub, "preferred_username": name });
    }

    /// What is known of the person.
    pub fn knows(&self, claims: Value) {
        self.0.borrow_mut().person = claims;
    }

    /// Answers calls to `endpoint` with this from now on.
    pub fn replies(&self, endpoint: Endpoint, reply: Reply) {
        self.0.borrow_mut().replies.insert(endpoint, reply);
    }

    /// Answers all calls with this from now on.
    pub fn replies_always(&self, reply: &Reply) {
        Endpoint::ALL.iter().for_each(|endpoint| self.replies(*endpoint, reply.clone()));
    }

    /// Gives its own good answers at `endpoint` with this status from now on.
    pub fn answers_with(&self, endpoint: Endpoint, status: u16) {
        self.0.borrow_mut().statuses.insert(endpoint, status);
    }

    /// Is itself again.
    pub fn recovers(&self) {
        let mut state = self.0.borrow_mut();
        state.replies.clear();
        state.statuses.clear();
    }

    /// Judges by this whether a call is our client's, instead of by Basic.
    pub fn knows_us_by(&self, judge: impl Fn(&ProviderRequest, &HashMap<String, String>) -> bool + 'static) {
        self.0.borrow_mut().client = Some(Rc::new(judge));
    }

    /// Bends the metadata for good.
    pub fn metadata(&self, bend: impl Fn(&mut Value)) {
        bend(&mut self.0.borrow_mut().metadata);
    }

    /// Bends the parameters of every authorization response.
    pub fn response(&self, bend: impl Fn(&mut Params) + 'static) {
        self.0.borrow_mut().response = Box::new(bend);
    }

    /// Bends the header of every ID token.
    pub fn header(&self, bend: impl Fn(&mut Value) + 'static) {
        self.0.borrow_mut().header = Box::new(bend);
    }

    /// Bends the claims of every ID token.
    pub fn claims(&self, bend: impl Fn(&mut Value) + 'static) {
        self.0.borrow_mut().claims = Box::new(bend);
    }

    /// Bends every ID token after it was signed.
    pub fn id_token(&self, bend: impl Fn(String) -> String + 'static) {
        self.0.borrow_mut().id_token = Box::new(bend);
    }

    /// Bends every token answer.
    pub fn tokens(&self, bend: impl Fn(&mut Value) + 'static) {
        self.0.borrow_mut().tokens = Box::new(bend);
    }

    /// Bends every userinfo answer.
    pub fn userinfo(&self, bend: impl Fn(&mut Value) + 'static) {
        self.0.borrow_mut().userinfo = Box::new(bend);
    }

    /// Signs with this key from now on. It is not published by that.
    pub fn signs_with(&self, signer: Signer) {
        self.0.borrow_mut().signer = signer;
    }

    /// Publishes these keys from now on.
    pub fn publishes(&self, keys: Vec<Value>) {
        self.0.borrow_mut().published = keys;
    }

    /// Signs with a new key and publishes it alone.
    pub fn rotates_to(&self, signer: Signer) {
        self.publishes(vec![signer.jwk()]);
        self.signs_with(signer);
    }

    /// The parameters of every authorization request so far.
    pub fn asked(&self) -> Vec<HashMap<String, String>> {
        self.0.borrow().asked.clone()
    }

    /// What must never be seen on a page, in a redirect of ours, or in the log.
    pub fn secrets(&self) -> Vec<String> {
        self.0.borrow().secrets.clone()
    }

    /// Whether a URL is one of ours.
    pub fn is_home_of(&self, url: &str) -> bool {
        url.starts_with(&format!("{ISSUER}/"))
    }

    /// The authorization endpoint: the person logs in, and the browser goes back (RFC 6749 §4.1.2).
    pub fn authorize(&self, url: &str) -> Return {
        let mut state = self.0.borrow_mut();
        let (path, query) = url.split_once('?').unwrap();
        assert_eq!(path, format!("{ISSUER}/authorize"));
        let params: HashMap<String, String> = form::parse(query).unwrap().into_iter().collect();
        state.asked.push(params.clone());
        let code = format!("code-{}-0123456789", state.grants.len());
        state.secrets.push(code.clone());
        state.grants.insert(code.clone(), Grant { params: params.clone(), used: false });
        let mut response = vec![
            ("code".to_owned(), code),
            ("state".to_owned(), params["state"].clone()),
            ("iss".to_owned(), ISSUER.to_owned()),
        ];
        (state.response)(&mut response);
        let form = form::write(response.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let back = params["redirect_uri"].clone();
        match params.get("response_mode").map(String::as_str) {
            Some("form_post") => Return::FormPost(back, form),
            None => Return::Redirect(format!("{back}?{form}")),
            other => panic!("response_mode {other:?}"),
        }
    }

    /// A token answer as for a login with these authorization parameters, bent as the test says.
    fn tokens_for(&self, params: &HashMap<String, String>, refresh_token: Option<String>) -> Value {
        let jwts = self.0.borrow().granting.jwts;
        let jwt = jwts.then(|| self.jwt(|_| {}));
        let mut state = self.0.borrow_mut();
        let now = state.script.now().as_secs();
        let access_token = jwt.unwrap_or_else(|| format!("at-{}-0123456789", state.secrets.len()));
        let digest = Sha256::digest(&access_token);
        let mut claims = json!({
            "iss": ISSUER, "aud": "shop", "iat": now, "exp": now + 300, "nonce": params["nonce"],
            "at_hash": encode(&digest[..16]),
        });
        claims.as_object_mut().unwrap().extend(state.person.as_object().unwrap().clone());
        (state.claims)(&mut claims);
        let mut header = state.signer.header();
        (state.header)(&mut header);
        let id_token = (state.id_token)(state.signer.sign(&header, &claims));
        state.secrets.extend([access_token.clone(), id_token.clone()].into_iter().filter(|secret| secret.len() > 9));
        let mut answer = json!({
            "access_token": access_token, "token_type": "Bearer", "expires_in": 300, "id_token": id_token,
            "scope": params["scope"],
        });
        if let Some(token) = refresh_token {
            answer["refresh_token"] = json!(token);
            state.secrets.push(token);
        }
        (state.tokens)(&mut answer);
        // Introspection knows it as well.
        let said = json!({ "active": true, "iss": ISSUER, "sub": state.person["sub"], "client_id": "shop" });
        state.issued.insert(access_token, Some(said));
        answer
    }

    fn answer(&self, request: &ProviderRequest) -> Result<oidc_proxy_wasm::world::ProviderResponse, super::CallError> {
        let reached = match request.endpoint {
            Endpoint::RateLimit => ("limits", "http"),
            Endpoint::Store => ("webdis", "http"),
            _ => ("idp", "https"),
        };
        assert_eq!((request.cluster.as_str(), request.scheme), reached);
        let reply = self.0.borrow().replies.get(&request.endpoint).cloned();
        let mut answer = reply.unwrap_or_else(|| self.own_answer(request)).0;
        if let (Ok(answer), Some(status)) = (&mut answer, self.0.borrow().statuses.get(&request.endpoint)) {
            answer.status = *status;
        }
        answer
    }

    fn own_answer(&self, request: &ProviderRequest) -> Reply {
        match request.endpoint {
            Endpoint::Discovery => Reply::json(200, &self.0.borrow().metadata),
            Endpoint::Jwks => Reply::json(200, &json!({ "keys": self.0.borrow().published })),
            Endpoint::Token => self.token(request),
            Endpoint::Userinfo => self.userinfo_answer(request),
            Endpoint::RateLimit => Reply::nothing(),
            Endpoint::Store => Reply(self.redis().answer(self.0.borrow().script.now_millis(), request)),
            Endpoint::Introspection => self.introspection_answer(request),
            Endpoint::Revocation => Reply::json(200, &json!({})),
        }
    }

    /// RFC 6749 §4.1.3: the client, its code, its redirect URI, its verifier.
    fn token(&self, request: &ProviderRequest) -> Reply {
        let refuse = |error: &str| Reply::json(400, &json!({ "error": error }));
        let body = request.body.expose_text().unwrap();
        let fields: HashMap<String, String> = form::parse(body).unwrap().into_iter().collect();
        if fields["grant_type"] == "client_credentials" {
            return self.client_credentials(request, &fields);
        }
        if !self.knows_client(request, &fields) {
            return Reply::json(401, &json!({ "error": "invalid_client" }));
        }
        match fields["grant_type"].as_str() {
            "refresh_token" => return self.refresh(&fields),
            "password" => return self.password(&fields),
            exchange::GRANT => return self.exchange(&fields),
            _ => {}
        }
        let params = {
            let mut state = self.0.borrow_mut();
            if let Some(verifier) = fields.get("code_verifier") {
                state.secrets.push(verifier.clone());
            }
            let Some(grant) = fields.get("code").and_then(|code| state.grants.get_mut(code)) else {
                return refuse("invalid_grant");
            };
            let challenge = encode(Sha256::digest(fields.get("code_verifier").cloned().unwrap_or_default()));
            let fits = fields.get("redirect_uri") == grant.params.get("redirect_uri")
                && grant.params.get("code_challenge") == Some(&challenge)
                && grant.params.get("code_challenge_method").map(String::as_str) == Some("S256");
            if std::mem::replace(&mut grant.used, true) || !fits {
                return refuse("invalid_grant");
            }
            grant.params.clone()
        };
        let refresh_token = self.first_refresh_token(&params);
        Reply::json(200, &self.tokens_for(&params, refresh_token))
    }

    /// Basic alone unless a test says otherwise, both parts form-decoded (RFC 6749 §2.3.1).
    fn knows_client(&self, request: &ProviderRequest, fields: &HashMap<String, String>) -> bool {
        if let Some(judge) = self.0.borrow().client.clone() {
            return judge(request, fields);
        }
        let shown = header(request, "authorization");
        let pair = shown.strip_prefix("Basic ").and_then(|encoded| STANDARD.decode(encoded).ok());
        let pair = pair.and_then(|pair| String::from_utf8(pair).ok()).unwrap_or_default();
        let Some((id, secret)) = pair.split_once(':') else { return false };
        let decoded = form::parse(&format!("id={id}&secret={secret}")).unwrap_or_default();
        let expected = [("id", "shop"), ("secret", CLIENT_SECRET)];
        decoded.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected)
            && !fields.contains_key("client_secret")
    }

    fn userinfo_answer(&self, request: &ProviderRequest) -> Reply {
        let state = self.0.borrow();
        let token = header(request, "authorization");
        let known = token.strip_prefix("Bearer ").is_some_and(|token| state.opens_userinfo(token));
        if !known {
            return Reply::json(401, &json!({ "error": "invalid_token" }));
        }
        let mut claims = state.person.clone();
        (state.userinfo)(&mut claims);
        Reply::json(200, &claims)
    }
}

fn header(request: &ProviderRequest, name: &str) -> String {
    let found = request.headers.iter().find(|(known, _)| known == name);
    found.and_then(|(_, value)| value.expose_text()).unwrap_or_default().to_owned()
}
