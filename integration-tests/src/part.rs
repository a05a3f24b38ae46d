//! A program that runs as long as somebody holds it.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{process, thread};

use crate::{client, random_hex, root};

/// A running program with its log. It ends when this is dropped, and also when the test program is killed:
/// `tools/leash.sh` ends it as soon as our end of its stdin closes.
pub struct Part {
    name: String,
    work: PathBuf,
    child: Child,
}

impl Part {
    /// Starts `command`, which is given its arguments by the caller, in the repository's root.
    pub fn start(name: &str, work: &Path, program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Part {
        let log = File::create(work.join(format!("{name}.log"))).expect("a log file");
        let child = Command::new(root().join("tools/leash.sh"))
            .arg(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(root())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("a second handle of the log"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Part { name: name.into(), work: work.into(), child }
    }

    /// All that it has written so far.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.work.join(format!("{}.log", self.name))).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> bool {
        self.child.try_wait().expect("the state of a child").is_some()
    }

    /// Waits until `url` answers 200.
    ///
    /// # Panics
    /// With the log, when it has ended or does not answer in time.
    pub async fn ready(&mut self, port: u16, path: &str, patience: Duration) {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            assert!(!self.ended(), "{} has ended; its log:\n{}", self.name, self.log());
            if let Ok(answer) = client::get(port, path).host(format!("127.0.0.1:{port}")).try_send().await
                && answer.status == 200
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} does not answer on port {port} after {patience:?}; its log:\n{}", self.name, self.log());
    }

    /// Ends it and waits until it has ended.
    pub fn stop(&mut self) {
        drop(self.child.stdin.take());
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            if self.ended() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A folder that goes away with its owner; kept for a look when the test has failed.
pub struct Work(PathBuf);

impl Work {
    /// A new folder under `target/`.
    pub fn new(name: &str) -> Work {
        let path = root().join(format!("target/integration/{name}-{}-{}", process::id(), random_hex::<3>()));
        fs::create_dir_all(&path).expect("a folder under target/");
        Work(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("kept for a look: {}", self.0.display());
        } else {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
