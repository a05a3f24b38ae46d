//! The least that `ext_authz` can ask: a service that looks at the path alone. What it costs is counted nowhere.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What it refuses.
pub const REFUSED: &str = "/refused";

/// Starts it; the port where it listens. It lives as long as the runtime.
pub async fn start() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Envoy closes connections when it ends.
            tokio::spawn(async move { converse(stream).await });
        }
    });
    port
}

/// Requests for authorization have no body.
async fn converse(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut head = Vec::with_capacity(4096);
    while stream.read_buf(&mut head).await? > 0 {
        if head.ends_with(b"\r\n\r\n") {
            let refused = head.split(|byte| *byte == b' ').nth(1) == Some(REFUSED.as_bytes());
            let answer = if refused { "403 Forbidden" } else { "200 OK" };
            stream.write_all(format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await?;
            head.clear();
        }
    }
    Ok(())
}
