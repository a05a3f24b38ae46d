//! A way to another program: one that takes its time, or that is cut while the program goes on for others.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Hands over what is said between its own port and another's. It lives as long as the test's runtime.
pub struct Relay {
    /// Where it listens.
    pub port: u16,
    task: JoinHandle<()>,
}

impl Relay {
    /// A way to this port; each piece of an answer is under way for so long.
    pub async fn to(port: u16, late: Duration) -> Relay {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let own = listener.local_addr().expect("its address").port();
        let task = tokio::spawn(async move {
            // They end with the task.
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                connections.spawn(hand_over(near, port, late));
            }
        });
        Relay { port: own, task }
    }

    /// From now on nobody listens, and who is connected is no longer: as if the program had gone away.
    pub async fn cut(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

async fn hand_over(mut near: TcpStream, port: u16, late: Duration) {
    let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let ((mut asks, mut told), (mut answers, mut asked)) = (near.split(), far.split());
    let back = async {
        let mut piece = vec![0; 64 * 1024];
        loop {
            let size = answers.read(&mut piece).await?;
            tokio::time::sleep(late).await;
            told.write_all(&piece[..size]).await?;
            if size == 0 {
                return told.shutdown().await;
            }
        }
    };
    let there = async {
        tokio::io::copy(&mut asks, &mut asked).await?;
        asked.shutdown().await
    };
    // Whoever goes away in the middle may.
    let _ = tokio::try_join!(there, back);
}
