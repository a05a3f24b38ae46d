//! Envoy's reference rate limit service with the Redis that it counts in, and one that says what a test tells it.

use std::convert::Infallible;
use std::fs;
use std::process::Command;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

use crate::part::{Part, Work};
use crate::{ports, root};

/// The reference service. It ends with its owner.
pub struct RateLimit {
    /// Where it is asked, by gRPC.
    pub port: u16,
    service: Part,
    _redis: Part,
    _work: Work,
}

impl RateLimit {
    /// Starts it with this configuration, or says why it cannot and gives nothing: where Go is missing.
    pub async fn start(configuration: &str) -> Option<RateLimit> {
        let built = Command::new(root().join("tools/ratelimit.sh")).output().expect("tools/ratelimit.sh runs");
        let said = String::from_utf8_lossy(&built.stderr).into_owned();
        assert!(built.status.success(), "{said}");
        let program = String::from_utf8_lossy(&built.stdout).trim().to_owned();
        if program.is_empty() {
            eprint!("{said}");
            return None;
        }
        let work = Work::new("ratelimit");
        let folder = work.path().join("limits/config");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("limits.yaml"), configuration).expect("its configuration");

        let (port, http, debug, redis_port) = (ports::free(), ports::free(), ports::free(), ports::free());
        let redis_text = redis_port.to_string();
        let place = work.path().to_string_lossy().into_owned();
        let arguments =
            ["--bind", "127.0.0.1", "--port", &redis_text, "--save", "", "--appendonly", "no", "--dir", &place];
        let redis = Part::start("redis", work.path(), "redis-server", &arguments, &[]);
        let (grpc_text, http_text, debug_text) = (port.to_string(), http.to_string(), debug.to_string());
        let address = format!("127.0.0.1:{redis_port}");
        let environment = [
            ("HOST", "127.0.0.1"),
            ("PORT", &http_text),
            ("GRPC_HOST", "127.0.0.1"),
            ("GRPC_PORT", &grpc_text),
            ("DEBUG_HOST", "127.0.0.1"),
            ("DEBUG_PORT", &debug_text),
            ("REDIS_SOCKET_TYPE", "tcp"),
            ("REDIS_URL", &address),
            ("RUNTIME_ROOT", &place),
            ("RUNTIME_SUBDIRECTORY", "limits"),
            ("RUNTIME_WATCH_ROOT", "false"),
            ("USE_STATSD", "false"),
            ("LOG_LEVEL", "warn"),
        ];
        while !ports::taken(redis_port) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut service = Part::start("ratelimit", work.path(), &program, &[], &environment);
        service.ready(http, "/healthcheck", Duration::from_secs(120)).await;
        Some(RateLimit { port, service, _redis: redis, _work: work })
    }

    /// Ends it, as a service that is lost.
    pub fn stop(&mut self) {
        self.service.stop();
    }
}

/// What a scripted service answers with.
#[derive(Clone)]
pub struct Said {
    /// The message, without the bytes that gRPC puts before it.
    pub message: Vec<u8>,
    /// `grpc-status` in the trailers (gRPC over HTTP/2, "Responses").
    pub status: &'static str,
    /// How long it takes.
    pub after: Duration,
}

/// Starts a service that always says the same, and gives back its port. It lives as long as the test's runtime.
pub async fn scripted(said: Said) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let said = said.clone();
            let service = service_fn(move |request| answer(request, said.clone()));
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    port
}

type Answered = Response<http_body_util::combinators::BoxBody<Bytes, Infallible>>;

async fn answer(request: Request<Incoming>, said: Said) -> Result<Answered, Infallible> {
    let _ = request.into_body().collect().await;
    tokio::time::sleep(said.after).await;
    let length = u32::try_from(said.message.len()).expect("a short message").to_be_bytes();
    let body = [&[0], length.as_slice(), &said.message].concat();
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", said.status.parse().expect("a header value"));
    let body = Full::new(Bytes::from(body)).with_trailers(async move { Some(Ok(trailers)) }).boxed();
    Ok(Response::builder().header("content-type", "application/grpc").body(body).expect("a response"))
}
