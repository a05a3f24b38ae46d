//! The service behind the gate: answers with what it saw, and remembers it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// HTTP/1.1 and HTTP/2 on one port.
///
/// | request | answer |
/// |---|---|
/// | any | JSON: method, path, headers as `[name, value]` lines, trailers, length and beginning of the body |
/// | `…/talkative` | beside the JSON: two cookies, a header that is no text, and a reason code that is not its own |
/// | `…/events` | three server-sent events, 50 ms apart |
/// | with `Upgrade` | 101, then every byte back |
/// | `Content-Type: application/grpc` | every piece of the body back as it comes, then the trailer `grpc-status: 0` |
pub struct Upstream {
    /// Where it listens.
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// The head of a request, noted when it arrived, whatever became of its body.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// All header lines.
    pub headers: HeaderMap,
}

impl Upstream {
    /// Starts on the test's runtime and lives as long as that.
    pub async fn start() -> Upstream {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(serve(listener, seen.clone()));
        Upstream { port, seen }
    }

    /// Whatever has reached it so far is no longer told.
    pub fn forget(&self) {
        self.seen.lock().expect("nobody panicked holding it").clear();
    }

    /// Everything that has reached it, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("nobody panicked holding it").clone()
    }
}

/// How much of a body is told, in bytes.
const SHOWN: usize = 1024;

type Answered = Response<BoxBody<Bytes, Infallible>>;

async fn serve(listener: TcpListener, seen: Arc<Mutex<Vec<Seen>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let seen = seen.clone();
        let service = service_fn(move |request| answer(request, seen.clone()));
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, seen: Arc<Mutex<Vec<Seen>>>) -> Result<Answered, Infallible> {
    let path = request.uri().path_and_query().map_or("", |path| path.as_str()).to_owned();
    let head = Seen { method: request.method().to_string(), path, headers: request.headers().clone() };
    seen.lock().expect("nobody panicked holding it").push(head.clone());
    if request.headers().contains_key("upgrade") {
        return Ok(upgrade(request));
    }
    if head.path.ends_with("/events") {
        return Ok(events());
    }
    if request.headers().get("content-type").is_some_and(|value| value.as_bytes().starts_with(b"application/grpc")) {
        return Ok(stream_back(request));
    }
    Ok(echo(head, request.into_body()).await)
}

async fn echo(head: Seen, body: Incoming) -> Answered {
    let Ok(whole) = body.collect().await else {
        return Response::builder().status(400).body(full("the body broke off")).expect("a response");
    };
    let trailers = whole.trailers().map(lines).unwrap_or_default();
    let body = whole.to_bytes();
    let told = json!({
        "method": head.method,
        "path": head.path,
        "headers": lines(&head.headers),
        "trailers": trailers,
        "body_length": body.len(),
        "body": String::from_utf8_lossy(body.get(..body.len().min(SHOWN)).unwrap_or_default()),
    });
    let mut response = Response::builder().header("content-type", "application/json");
    if head.path.ends_with("/talkative") {
        response =
            response.header("set-cookie", "basket=7; Path=/").header("set-cookie", "colour=blue; Path=/; Secure");
        response = response.header("x-name", b"J\xf6rg".as_slice()).header(crate::shop::REASON, "login_done");
    }
    response.body(full(told.to_string())).expect("a response")
}

fn lines(headers: &HeaderMap) -> Vec<Value> {
    headers.iter().map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())])).collect()
}

fn full(text: impl Into<Bytes>) -> BoxBody<Bytes, Infallible> {
    Full::new(text.into()).boxed()
}

fn upgrade(request: Request<Incoming>) -> Answered {
    let protocol = request.headers()["upgrade"].clone();
    tokio::spawn(async move {
        let Ok(upgraded) = hyper::upgrade::on(request).await else {
            return;
        };
        let (mut from, mut to) = tokio::io::split(TokioIo::new(upgraded));
        let _ = tokio::io::copy(&mut from, &mut to).await;
    });
    let response = Response::builder().status(101).header("connection", "upgrade").header("upgrade", protocol);
    response.body(full("")).expect("a response")
}

fn events() -> Answered {
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for number in 1..=3 {
            let _ = sender.send(Frame::data(Bytes::from(format!("data: {number}\n\n"))));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    Response::builder().header("content-type", "text/event-stream").body(Frames(receiver).boxed()).expect("a response")
}

fn stream_back(request: Request<Incoming>) -> Answered {
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut body = request.into_body();
        while let Some(Ok(frame)) = body.frame().await {
            let Ok(piece) = frame.into_data() else {
                continue;
            };
            let _ = sender.send(Frame::data(piece));
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().expect("a header value"));
        let _ = sender.send(Frame::trailers(trailers));
    });
    Response::builder().header("content-type", "application/grpc").body(Frames(receiver).boxed()).expect("a response")
}

/// A body that comes as it is sent.
struct Frames(mpsc::UnboundedReceiver<Frame<Bytes>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|frame| frame.map(Ok))
    }
}
