//! An identity provider that is honest until a test tells one of its endpoints otherwise.
//!
//! It speaks HTTP by hand (`wire`), since it must also break it: cut an answer off, stall, reset.

mod honest;
mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::random_hex;
use crate::signer::Signer;
pub use wire::{Call, Endpoint};

/// What an endpoint does instead of its honest answer.
#[derive(Clone)]
pub enum Trick {
    /// Any status, content type and body.
    Answer(u16, &'static str, String),
    /// 302 to somewhere else.
    Redirect(String),
    /// A JSON text of so many bytes.
    Flood(usize),
    /// Takes the request and says nothing until the other side goes away.
    Stall,
    /// Announces the honest answer, sends half of it and says nothing more until the other side goes away.
    StallMidway,
    /// Announces the honest answer, sends half of it and closes.
    CutOff,
    /// Sends half of the honest answer's head and resets the connection.
    Reset,
    /// The honest answer after a while.
    Late(Duration),
    /// The honest JSON, changed.
    Edit(Edit),
}

/// Changes a JSON value in place.
pub type Edit = Arc<dyn Fn(&mut Value) + Send + Sync>;

/// Changes header and claims of an ID token before it is signed.
pub type Lie = Arc<dyn Fn(&mut Value, &mut Value) + Send + Sync>;

/// The running provider. It lives as long as the test's runtime.
pub struct Hostile {
    /// Where it listens.
    pub port: u16,
    state: Arc<Mutex<State>>,
}

struct State {
    issuer: String,
    tricks: HashMap<Endpoint, Trick>,
    calls: Vec<Call>,
    lie: Option<Lie>,
    signer: Signer,
    published: Vec<Signer>,
    logins: HashMap<String, honest::Login>,
    granted: HashMap<String, Value>,
}

impl Hostile {
    /// Starts with one RS256 key, entirely honest.
    pub async fn start() -> Hostile {
        Hostile::start_with(Signer::rs256("first")).await
    }

    /// Starts with a key of the test's choice.
    pub async fn start_with(signer: Signer) -> Hostile {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let state = Arc::new(Mutex::new(State {
            issuer: format!("http://127.0.0.1:{port}"),
            tricks: HashMap::new(),
            calls: Vec::new(),
            lie: None,
            published: vec![signer.clone()],
            signer,
            logins: HashMap::new(),
            granted: HashMap::new(),
        }));
        tokio::spawn(serve(listener, state.clone()));
        Hostile { port, state }
    }

    /// Its issuer.
    pub fn issuer(&self) -> String {
        self.state().issuer.clone()
    }

    /// From now on an endpoint plays a trick.
    pub fn play(&self, endpoint: Endpoint, trick: Trick) {
        self.state().tricks.insert(endpoint, trick);
    }

    /// From now on the honest JSON of an endpoint is changed.
    pub fn edit(&self, endpoint: Endpoint, edit: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.play(endpoint, Trick::Edit(Arc::new(edit)));
    }

    /// From now on ID tokens have another header or other claims, correctly signed.
    pub fn lie(&self, lie: impl Fn(&mut Value, &mut Value) + Send + Sync + 'static) {
        self.state().lie = Some(Arc::new(lie));
    }

    /// From now on it signs with this key, whether it publishes it or not.
    pub fn sign_with(&self, signer: Signer) {
        self.state().signer = signer;
    }

    /// From now on its JWKS holds these keys.
    pub fn publish(&self, signers: &[Signer]) {
        self.state().published = signers.to_vec();
    }

    /// Honest again, everywhere; its keys stay as they are.
    pub fn repent(&self) {
        let mut state = self.state();
        state.tricks.clear();
        state.lie = None;
    }

    /// A new JWT access token (RFC 9068) of the key that it signs with now.
    pub fn access_token(&self, change: impl FnOnce(&mut Value)) -> String {
        let state = self.state();
        let mut claims = honest::access_token_claims(&state.issuer);
        change(&mut claims);
        let mut header = state.signer.header();
        header["typ"] = json!("at+jwt");
        state.signer.sign(&header, &claims)
    }

    /// A new opaque access token, which introspection knows.
    pub fn opaque_token(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut state = self.state();
        let mut answer = honest::access_token_claims(&state.issuer);
        answer["active"] = json!(true);
        change(&mut answer);
        let token = random_hex::<16>();
        state.granted.insert(token.clone(), answer);
        token
    }

    /// From now on introspection does not know this token.
    pub fn revoke(&self, token: &str) {
        self.state().granted.remove(token);
    }

    /// Everything that it was asked, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// How often an endpoint was asked.
    pub fn count(&self, endpoint: Endpoint) -> usize {
        self.state().calls.iter().filter(|call| call.endpoint == endpoint).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        tokio::spawn(async move {
            // A peer that goes away in the middle is no trouble of ours.
            let _ = converse(stream, &state).await;
        });
    }
}

async fn converse(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let call = wire::read(&mut stream).await?;
    let (trick, honest) = {
        let mut state = lock(state);
        state.calls.push(call.clone());
        (state.tricks.get(&call.endpoint).cloned(), honest::answer(&mut state, &call))
    };
    match trick {
        None => wire::send(&mut stream, &honest).await,
        Some(Trick::Answer(status, content_type, body)) => {
            wire::send(&mut stream, &wire::Reply::new(status, content_type, body)).await
        }
        Some(Trick::Redirect(to)) => wire::send(&mut stream, &wire::Reply::redirect(&to)).await,
        Some(Trick::Flood(bytes)) => wire::send(&mut stream, &wire::Reply::flood(bytes)).await,
        Some(Trick::Stall) => wire::stall(&mut stream).await,
        Some(Trick::StallMidway) => {
            wire::send_part(&mut stream, &honest).await?;
            wire::stall(&mut stream).await
        }
        Some(Trick::CutOff) => wire::send_half(&mut stream, &honest).await,
        Some(Trick::Reset) => wire::reset(stream, &honest).await,
        Some(Trick::Late(pause)) => {
            tokio::time::sleep(pause).await;
            wire::send(&mut stream, &honest).await
        }
        Some(Trick::Edit(edit)) => wire::send(&mut stream, &honest.edited(&*edit)).await,
    }
}
