//! HTTP/1.1 over connections that stay open: as little work on our side as will do.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How many connections a load uses.
pub const CONNECTIONS: usize = 8;

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
    connections: Vec<Connection>,
    status: u16,
}

impl Load {
    /// Opens the connections and sends one of the requests over each; every answer must have this status.
    pub async fn open(port: u16, first: &[Bytes], status: u16) -> Result<Load, String> {
        let mut connections = Vec::new();
        for request in first.iter().cycle().take(CONNECTIONS) {
            let mut connection = Connection::open(port).await.map_err(|error| format!("no connection: {error}"))?;
            expect(&mut connection, request, status).await?;
            connections.push(connection);
        }
        Ok(Load { connections, status })
    }

    /// Sends all requests, each connection its share, as fast as they are answered.
    pub async fn run(&mut self, requests: &[Bytes]) -> Result<(), String> {
        let share = requests.len().div_ceil(CONNECTIONS).max(1);
        let mut tasks = JoinSet::new();
        for (requests, mut connection) in requests.chunks(share).zip(self.connections.drain(..)) {
            let (requests, status) = (requests.to_vec(), self.status);
            tasks.spawn(async move {
                for request in &requests {
                    expect(&mut connection, request, status).await?;
                }
                Ok::<_, String>(connection)
            });
        }
        // Kept open: what a closed connection costs is no part of a request.
        self.connections = tasks.join_all().await.into_iter().collect::<Result<_, _>>()?;
        Ok(())
    }
}

async fn expect(connection: &mut Connection, request: &[u8], status: u16) -> Result<(), String> {
    match connection.ask(request).await {
        Ok(found) if found == status => Ok(()),
        Ok(found) => Err(format!("answered {found} instead of {status}")),
        Err(error) => Err(format!("not answered: {error}")),
    }
}
