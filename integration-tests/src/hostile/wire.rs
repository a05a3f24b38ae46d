//! HTTP/1.1 by hand, one request a connection: whole answers, and the ways to break one.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a provider is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `/.well-known/openid-configuration`
    Discovery,
    /// `/jwks`
    Jwks,
    /// `/authorize`
    Authorize,
    /// `/token`
    Token,
    /// `/userinfo`
    Userinfo,
    /// `/introspect`
    Introspection,
    /// Any other path, answered 404.
    Other,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Call {
    /// Whom it was for.
    pub endpoint: Endpoint,
    /// Its method.
    pub method: String,
    /// Path and query as they came.
    pub target: String,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Call {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A field of the query.
    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        field(query, name)
    }

    /// A field of the form in the body.
    pub fn form(&self, name: &str) -> Option<String> {
        field(&self.body, name)
    }
}

fn field(form: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(form.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// A whole answer.
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: String) -> Reply {
        Reply { status, headers: vec![("content-type", content_type.into())], body }
    }

    pub fn json(status: u16, body: &Value) -> Reply {
        Reply::new(status, "application/json", body.to_string())
    }

    pub fn redirect(to: &str) -> Reply {
        Reply { status: 302, headers: vec![("location", to.into())], body: String::new() }
    }

    pub fn flood(bytes: usize) -> Reply {
        let frame = "{\"x\":\"\"}".len();
        let filling = "x".repeat(bytes.saturating_sub(frame));
        Reply::new(200, "application/json", format!("{{\"x\":\"{filling}\"}}"))
    }

    pub fn edited(mut self, edit: &dyn Fn(&mut Value)) -> Reply {
        let mut json = serde_json::from_str(&self.body).expect("only JSON answers are edited");
        edit(&mut json);
        self.body = json.to_string();
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut text = format!("HTTP/1.1 {} Scripted\r\nconnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n{}", self.body.len(), self.body));
        text.into_bytes()
    }
}

/// Reads one request.
pub(super) async fn read(stream: &mut TcpStream) -> io::Result<Call> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, &mut bytes).await?;
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.lines();
    let mut request_line = lines.next().unwrap_or_default().split(' ');
    let method = request_line.next().unwrap_or_default().to_owned();
    let target = request_line.next().unwrap_or_default().to_owned();
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut call = Call { endpoint: endpoint(&target), method, target, headers, body: String::new() };
    let length: usize = call.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while bytes.len() < head_end + length {
        more(stream, &mut bytes).await?;
    }
    call.body = String::from_utf8_lossy(&bytes[head_end..]).into_owned();
    Ok(call)
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_buf(bytes).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn endpoint(target: &str) -> Endpoint {
    match target.split('?').next().unwrap_or_default() {
        "/.well-known/openid-configuration" => Endpoint::Discovery,
        "/jwks" => Endpoint::Jwks,
        "/authorize" => Endpoint::Authorize,
        "/token" => Endpoint::Token,
        "/userinfo" => Endpoint::Userinfo,
        "/introspect" => Endpoint::Introspection,
        _ => Endpoint::Other,
    }
}

/// The whole answer.
pub(super) async fn send(stream: &mut TcpStream, reply: &Reply) -> io::Result<()> {
    stream.write_all(&reply.bytes()).await?;
    stream.shutdown().await
}

/// All of the head and half of the body, then the end.
pub(super) async fn send_half(stream: &mut TcpStream, reply: &Reply) -> io::Result<()> {
    send_part(stream, reply).await?;
    stream.shutdown().await
}

/// All of the head and half of the body.
pub(super) async fn send_part(stream: &mut TcpStream, reply: &Reply) -> io::Result<()> {
    let bytes = reply.bytes();
    stream.write_all(&bytes[..bytes.len() - reply.body.len() / 2 - 1]).await
}

/// Nothing, until the other side goes away.
pub(super) async fn stall(stream: &mut TcpStream) -> io::Result<()> {
    let mut ignored = [0; 64];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// A few bytes of the head, then a reset instead of an end.
pub(super) async fn reset(mut stream: TcpStream, reply: &Reply) -> io::Result<()> {
    stream.write_all(&reply.bytes()[..12]).await?;
    stream.flush().await?;
    // With this, closing sends RST.
    stream.set_zero_linger()
}
