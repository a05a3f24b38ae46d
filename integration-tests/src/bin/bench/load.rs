//! HTTP/1.1 over connections that stay open: as little work on our side as will do.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How many connections a load uses.
pub const CONNECTIONS: usize = 8;
/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The bytes of a request.
pub type Bytes = Arc<[u8]>;

/// `GET path` with these header lines, after those that any client sends.
pub fn get(host: &str, path: &str, headers: &[(&str, &str)]) -> Bytes {
    let mut text = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: bench\r\naccept: */*\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes().into()
}

/// One connection that is kept.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(port: u16) -> io::Result<Connection> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request, reads its whole answer and gives back the status.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head_end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let (status, length) = read_head(&self.buffer[..head_end])?;
        while self.buffer.len() < head_end + length {
            self.more().await?;
        }
        Ok(status)
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// Status and length of the body. Envoy writes names in lower case and announces the length of what it answers itself.
fn read_head(head: &[u8]) -> io::Result<(u16, usize)> {
    let odd = || io::Error::new(io::ErrorKind::InvalidData, format!("odd answer: {}", String::from_utf8_lossy(head)));
    let head = std::str::from_utf8(head).map_err(|_| odd())?;
    let status = head.get(9..12).and_then(|status| status.parse().ok()).ok_or_else(odd)?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    Ok((status, length.parse().map_err(|_| odd())?))
}

/// Connections that have each been answered once.
pub struct Load {
    lanes: Vec<Lane>,
}

impl Load {
    /// Opens the connections and sends one of the requests over each; every answer must have this status.
    pub fn open(port: u16, first: &[Bytes], status: u16) -> Result<Load, String> {
        let open = || Lane::open(port).map_err(|error| format!("no connection: {error}"));
        let mut load = Load { lanes: (0..CONNECTIONS).map(|_| open()).collect::<Result<_, _>>()? };
        load.run(first.iter().cycle().take(CONNECTIONS).map(|request| (request, status)))?;
        Ok(load)
    }

    /// Sends all requests, as fast as they are answered; each answer must have the status beside its request.
    ///
    /// One thread takes the connections in turn, reads an answer and at once sends the next request, so that the proxy has
    /// work all the time: one that waits for its client pays for falling asleep with every request.
    pub fn run<'a>(&mut self, requests: impl Iterator<Item = (&'a Bytes, u16)>) -> Result<(), String> {
        let count = self.lanes.len();
        for (at, (request, status)) in requests.enumerate() {
            let lane = &mut self.lanes[at % count];
            lane.answered()?;
            lane.stream.write_all(request).map_err(|error| format!("not sent: {error}"))?;
            lane.awaits = Some(status);
        }
        self.lanes.iter_mut().try_for_each(Lane::answered)
    }
}

/// One connection of a load.
struct Lane {
    stream: std::net::TcpStream,
    buffer: Box<[u8]>,
    /// The status that the answer under way must have.
    awaits: Option<u16>,
}

impl Lane {
    fn open(port: u16) -> io::Result<Lane> {
        let stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Lane { stream, buffer: vec![0; 16 * 1024].into(), awaits: None })
    }

    /// Reads the whole answer that is under way, if one is.
    fn answered(&mut self) -> Result<(), String> {
        let Some(status) = self.awaits.take() else { return Ok(()) };
        let mut filled = 0;
        loop {
            let read =
                self.stream.read(&mut self.buffer[filled..]).map_err(|error| format!("not answered: {error}"))?;
            if read == 0 {
                return Err("the connection was closed, or the answer is too long".to_owned());
            }
            filled += read;
            let answer = &self.buffer[..filled];
            let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let (found, length) = read_head(&answer[..end + 4]).map_err(|error| error.to_string())?;
            if filled < end + 4 + length {
                continue;
            }
            return if found == status { Ok(()) } else { Err(format!("answered {found} instead of {status}")) };
        }
    }
}
