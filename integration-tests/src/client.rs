//! HTTP as exact as a test needs it: repeated header lines, bytes that are no text, trailers, both versions.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// Longer than any answer that a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// `GET path` at `localhost:port`.
pub fn get(port: u16, path: &str) -> Ask {
    ask("GET", port, path)
}

/// Any method at `localhost:port`; refine it, then [`Ask::send`] it.
pub fn ask(method: &str, port: u16, path: &str) -> Ask {
    Ask {
        method: method.into(),
        port,
        path: path.into(),
        host: format!("localhost:{port}"),
        version: Version::Http1,
        headers: Vec::new(),
        body: Vec::new(),
        length: Length::Known,
        trailers: HeaderMap::new(),
    }
}

/// Sends bytes as they are over a connection of their own, and reads until the other side closes or falls silent.
pub async fn raw(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
    stream.write_all(bytes).await.expect("bytes are sent");
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(Ok(read)) = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut piece)).await {
        if read == 0 {
            break;
        }
        answer.extend_from_slice(&piece[..read]);
    }
    answer
}

/// Which HTTP is spoken.
#[derive(Clone, Copy, PartialEq)]
enum Version {
    Http1,
    Http2,
}

/// Whether the length of the body is announced, or it comes in chunks.
#[derive(Clone, Copy, PartialEq)]
enum Length {
    Known,
    Chunked,
}

/// A request in the making.
#[derive(Clone)]
pub struct Ask {
    method: String,
    port: u16,
    path: String,
    host: String,
    version: Version,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<Bytes>,
    length: Length,
    trailers: HeaderMap,
}

impl Ask {
    /// HTTP/2 without TLS, known beforehand.
    pub fn http2(mut self) -> Ask {
        self.version = Version::Http2;
        self
    }

    /// Another host than `localhost:port`.
    pub fn host(mut self, host: impl Into<String>) -> Ask {
        self.host = host.into();
        self
    }

    /// One more header line; bytes that are no text are allowed in the value.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Ask {
        self.headers.push((name.as_bytes().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// A body whose length is announced.
    pub fn body(mut self, body: impl Into<Bytes>) -> Ask {
        self.body = vec![body.into()];
        self.length = Length::Known;
        self
    }

    /// A form.
    pub fn form(self, fields: &[(&str, &str)]) -> Ask {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.header("content-type", "application/x-www-form-urlencoded").body(form)
    }

    /// A body in chunks.
    pub fn chunks(mut self, chunks: &[&[u8]]) -> Ask {
        self.body = chunks.iter().map(|chunk| Bytes::copy_from_slice(chunk)).collect();
        self.length = Length::Chunked;
        self
    }

    /// A trailer after a body in chunks.
    pub fn trailer(mut self, name: &str, value: &str) -> Ask {
        self.length = Length::Chunked;
        let name: HeaderName = name.parse().expect("a header name");
        self.headers.push((b"trailer".to_vec(), name.as_str().as_bytes().to_vec()));
        self.trailers.append(name, value.parse().expect("a header value"));
        self
    }

    /// Sends it and reads the whole answer.
    ///
    /// # Panics
    /// When no whole answer comes.
    pub async fn send(self) -> Answer {
        let what = format!("{} localhost:{}{}", self.method, self.port, self.path);
        self.try_send().await.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Sends it and reads the whole answer, if one comes within a minute.
    pub async fn try_send(self) -> Result<Answer, AskError> {
        tokio::time::timeout(PATIENCE, async { whole(self.open().await?).await }).await?
    }

    /// Sends it and gives back the answer's head with the body still to come.
    pub async fn open(self) -> Result<Response<Incoming>, AskError> {
        let body = Outgoing::new(&self);
        self.dispatch(body).await
    }

    /// Sends the head, and the body as it is put into the sender.
    pub async fn open_with(self) -> Result<(mpsc::UnboundedSender<Bytes>, Response<Incoming>), AskError> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let response = self.dispatch(Outgoing { live: Some(receiver), ..Outgoing::default() }).await?;
        Ok((sender, response))
    }

    async fn dispatch(self, body: Outgoing) -> Result<Response<Incoming>, AskError> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.set_nodelay(true)?;
        let io = TokioIo::new(stream);
        if self.version == Version::Http2 {
            let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await?;
            tokio::spawn(connection);
            let response = sender.send_request(self.request(body)?).await?;
            // Dropping the last sender would close the connection under a body that is still coming.
            tokio::spawn(async move {
                let _held = sender;
                tokio::time::sleep(PATIENCE).await;
            });
            return Ok(response);
        }
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
        tokio::spawn(connection.with_upgrades());
        Ok(sender.send_request(self.request(body)?).await?)
    }

    fn request(&self, body: Outgoing) -> Result<Request<Outgoing>, AskError> {
        let uri = match self.version {
            Version::Http1 => self.path.clone(),
            Version::Http2 => format!("http://{}{}", self.host, self.path),
        };
        let mut request = Request::builder().method(self.method.as_str()).uri(uri).body(body)?;
        let headers = request.headers_mut();
        if self.version == Version::Http1 {
            headers.insert("host", HeaderValue::from_str(&self.host)?);
        }
        for (name, value) in &self.headers {
            headers.append(HeaderName::from_bytes(name)?, HeaderValue::from_bytes(value)?);
        }
        Ok(request)
    }
}

/// Sends all of them at once over one HTTP/2 connection, and reads the whole answers, in the order of the requests.
///
/// # Panics
/// When one of them does not come.
pub async fn over_one_connection(asks: Vec<Ask>) -> Vec<Answer> {
    let port = asks.first().expect("a request").port;
    let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("somebody listens");
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (sender, connection) = handshake.await.expect("HTTP/2");
    tokio::spawn(connection);
    let under_way: Vec<_> = asks
        .into_iter()
        .map(|ask| {
            let (ask, mut sender) = (ask.http2(), sender.clone());
            tokio::spawn(async move { whole(sender.send_request(ask.request(Outgoing::new(&ask))?).await?).await })
        })
        .collect();
    let mut answers = Vec::new();
    for answer in under_way {
        let answer = tokio::time::timeout(PATIENCE, answer).await.expect("within a minute").expect("a task that ends");
        answers.push(answer.expect("a whole answer"));
    }
    answers
}

async fn whole(response: Response<Incoming>) -> Result<Answer, AskError> {
    let (head, body) = response.into_parts();
    let whole = body.collect().await?;
    let trailers = whole.trailers().cloned().unwrap_or_default();
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: whole.to_bytes(), trailers })
}

/// Why no answer came.
pub type AskError = Box<dyn std::error::Error + Send + Sync>;

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// All header lines.
    pub headers: HeaderMap,
    /// The body, decoded from chunks.
    pub body: Bytes,
    /// What came after the body.
    pub trailers: HeaderMap,
}

impl Answer {
    /// The first value of a header, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All values of a header, as text.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text()))
    }
}

/// Speaks something else over a connection that was switched by `Upgrade`: sends, and reads what comes back.
pub async fn echo_over_upgrade(response: Response<Incoming>, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let upgraded = hyper::upgrade::on(response).await.map_err(io::Error::other)?;
    let mut stream = TokioIo::new(upgraded);
    stream.write_all(bytes).await?;
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back).await?;
    Ok(back)
}

/// A body as the test wrote it.
#[derive(Default)]
struct Outgoing {
    pieces: VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
    live: Option<mpsc::UnboundedReceiver<Bytes>>,
    length: Option<u64>,
}

impl Outgoing {
    fn new(ask: &Ask) -> Outgoing {
        let length = ask.body.iter().map(|piece| piece.len() as u64).sum();
        Outgoing {
            pieces: ask.body.iter().cloned().collect(),
            trailers: Some(ask.trailers.clone()).filter(|trailers| !trailers.is_empty()),
            live: None,
            length: Some(length).filter(|_| ask.length == Length::Known),
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(live) = &mut self.live {
            return live.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))));
        }
        let next = self.pieces.pop_front().map(Frame::data);
        Poll::Ready(next.or_else(|| self.trailers.take().map(Frame::trailers)).map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.live.is_none() && self.pieces.is_empty() && self.trailers.is_none()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.length.map(hyper::body::SizeHint::with_exact).unwrap_or_default()
    }
}
