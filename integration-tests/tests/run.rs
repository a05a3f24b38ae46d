//! `make run` as somebody uses it who has just cloned the repository.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use integration_tests::client::get;
use integration_tests::{ports, random_hex, root};

/// Longer than a provider takes to come up beside other tests.
const PATIENCE: Duration = Duration::from_secs(600);

/// `make run` in a process group of its own, as a shell starts it, and everything that it says.
struct Run {
    child: Child,
    mark: String,
    said: mpsc::Receiver<String>,
    lines: Vec<String>,
}

impl Run {
    fn start(port: u16, idp: &str) -> Run {
        let mark = format!("RUN_UNDER_TEST={}", random_hex::<8>());
        let (name, value) = mark.split_once('=').unwrap();
        let mut command = Command::new("sh");
        // What cargo and an outer make have put into the environment is not there when a person types this.
        for (name, _) in env::vars() {
            if name.starts_with("CARGO") || name.starts_with("MAKE") || name.starts_with("RUST_") {
                command.env_remove(name);
            }
        }
        let mut child = command
            .args(["-c", "exec make run 2>&1"])
            .env_remove("LD_LIBRARY_PATH")
            .env_remove("MFLAGS")
            .envs([("PORT", port.to_string().as_str()), ("IDP", idp), (name, value)])
            .current_dir(root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let (sender, said) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Run { child, mark, said, lines: Vec::new() }
    }

    /// Waits for a line that begins with this.
    fn says(&mut self, beginning: &str) {
        let deadline = Instant::now() + PATIENCE;
        while let Ok(line) = self.said.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.lines.push(line);
            if self.lines.last().is_some_and(|line| line.starts_with(beginning)) {
                return;
            }
        }
        panic!("no line {beginning:?} in:\n{}", self.lines.join("\n"));
    }

    /// All processes that come from this run, by the mark in their environment.
    fn processes(&self) -> Vec<u32> {
        let marked = |pid: &u32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == self.mark.as_bytes())
        };
        let entries = fs::read_dir("/proc").unwrap().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(marked).collect()
    }

    /// The process of this run whose program has this name.
    fn process(&self, name: &str) -> u32 {
        let is = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name);
        self.processes().into_iter().find(is).unwrap_or_else(|| panic!("no process {name}"))
    }

    /// Ctrl-C: a terminal sends it to the whole group.
    fn interrupt(&self) {
        signal("-INT", &format!("-{}", self.child.id()));
    }

    fn assert_ends_and_leaves_nothing(&mut self, port: u16) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while self.child.try_wait().unwrap().is_none() || !self.processes().is_empty() {
            assert!(Instant::now() < deadline, "still there: {:?}", self.processes());
            thread::sleep(Duration::from_millis(50));
        }
        assert!(!ports::taken(port), "something still listens on {port}");
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        for pid in self.processes() {
            signal("-KILL", &pid.to_string());
        }
        let _ = self.child.wait();
    }
}

fn signal(which: &str, target: &str) {
    let _ = Command::new("kill").args([which, "--", target]).stderr(Stdio::null()).status();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_up_and_ctrl_c_leaves_nothing() {
    let port = ports::free();
    let mut run = Run::start(port, "oidc-provider");
    run.says(&format!("ready http://localhost:{port}"));
    let public = get(port, "/public").header("accept", "application/json").send().await;
    assert_eq!((public.status, public.json()["path"].as_str()), (200, Some("/public")));
    let page = get(port, "/public").header("accept", "text/html").send().await;
    assert!(page.text().contains("<h1>Hello, stranger</h1>"), "{}", page.text());
    run.interrupt();
    run.assert_ends_and_leaves_nothing(port);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_up_with_keycloak() {
    let port = ports::free();
    let mut run = Run::start(port, "keycloak");
    run.says(&format!("ready http://localhost:{port}"));
    assert_eq!(get(port, "/public").send().await.status, 200);
    run.interrupt();
    run.assert_ends_and_leaves_nothing(port);
}

#[test]
fn it_leaves_nothing_when_it_is_killed() {
    let port = ports::free();
    let mut run = Run::start(port, "oidc-provider");
    run.says("ready");
    signal("-KILL", &format!("-{}", run.child.id()));
    run.assert_ends_and_leaves_nothing(port);
}

#[test]
fn a_part_that_dies_is_named() {
    let port = ports::free();
    let mut run = Run::start(port, "oidc-provider");
    run.says("ready");
    signal("-KILL", &run.process("envoy").to_string());
    run.says("✗ envoy has ended");
    run.assert_ends_and_leaves_nothing(port);
}

#[test]
fn a_taken_port_is_said_in_a_sentence() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut run = Run::start(port, "oidc-provider");
    run.says(&format!("✗ port {port} is taken: choose another, as in make run PORT="));
    drop(taken);
    run.assert_ends_and_leaves_nothing(port);
}

#[test]
fn a_provider_that_does_not_come_along_is_said_in_a_sentence() {
    let port = ports::free();
    let mut run = Run::start(port, "nobody");
    run.says("✗ IDP=nobody is not a provider that comes along: oidc-provider or keycloak");
    run.assert_ends_and_leaves_nothing(port);
}
