//! The real Envoy with the built filter.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;

use crate::client;
use crate::part::{Part, Work};
use crate::root;
use crate::setup::Setup;

/// Long enough for a machine that compiles beside it.
const START: Duration = Duration::from_secs(120);

/// A little longer than the filter takes until it tells the host what it has counted.
const UNTIL_TOLD: Duration = Duration::from_millis(1200);

/// What Envoy or the SDK writes when a VM has failed, and the filter when the host did not do as it was told.
const SIGNS_OF_PANIC: [&str; 5] = [
    "panicked at",
    "Function: proxy_on_",
    "Uncaught RuntimeError",
    "Wasm VM failed",
    "the host refused a change of header fields",
];

/// What Envoy writes when the filter has refused its configuration, as it may.
const REFUSAL: &str = "Wasm VM failed Failed to configure base Wasm plugin";

/// A running Envoy. When it is dropped, the test fails if the log shows that a VM has panicked.
pub struct Envoy {
    /// Where the gate listens.
    pub port: u16,
    admin_port: u16,
    part: Part,
    work: Work,
    version: u32,
    may_panic: bool,
}

/// What became of a listener that was changed at run time.
#[derive(Debug, PartialEq)]
pub enum Update {
    /// The new one is in force.
    Accepted,
    /// The old one stays.
    Refused,
}

impl Envoy {
    /// Starts Envoy with this setup and waits until its workers answer.
    pub async fn start(setup: Setup) -> Envoy {
        let work = Work::new("envoy");
        let bootstrap = setup.bootstrap().to_string();
        let mut envoy =
            Envoy::run(work, &bootstrap, setup.port, setup.admin_port, setup.workers, &setup.environment).await;
        envoy.may_panic = setup.may_panic;
        envoy
    }

    /// As [`Envoy::start`], with a listener that [`Envoy::update`] can change.
    pub async fn start_updatable(setup: Setup) -> Envoy {
        let work = Work::new("envoy");
        let file = work.path().join("listener.json");
        fs::write(&file, setup.discovery_answer(1).to_string()).expect("the listener's file");
        let bootstrap = setup.bootstrap_watching(&file.to_string_lossy()).to_string();
        Envoy::run(work, &bootstrap, setup.port, setup.admin_port, setup.workers, &setup.environment).await
    }

    /// Starts one of the files in `envoy-config/` after replacing text in it, such as the ports it names.
    ///
    /// # Panics
    /// When a text to replace is not there.
    pub async fn start_example(file: &str, replace: &[(&str, String)], ports: Ports, env: &[(&str, &str)]) -> Envoy {
        let environment: Vec<_> = env.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Envoy::run(Work::new("envoy"), &example(file, replace), ports.gate, ports.admin, 2, &environment).await
    }

    /// The log of an Envoy that does not start with this setup.
    ///
    /// # Panics
    /// When it does start.
    pub async fn refused(setup: Setup) -> String {
        let work = Work::new("envoy");
        let mut part = spawn(&work, &setup.bootstrap().to_string(), setup.workers, &setup.environment);
        let deadline = Instant::now() + START;
        while !part.ended() {
            assert!(Instant::now() < deadline, "Envoy neither starts nor ends:\n{}", part.log());
            let ready = client::get(setup.admin_port, "/ready").try_send().await;
            assert!(!ready.is_ok_and(|answer| answer.status == 200), "Envoy accepted what it should refuse");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let log = part.log();
        assert_eq!(signs_of_panic(&log), Vec::<&str>::new(), "a refusal is no panic:\n{log}");
        log
    }

    /// Replaces the listener of an Envoy that was started by [`Envoy::start_updatable`]. The setup names the same ports.
    pub async fn update(&mut self, setup: &Setup) -> Update {
        let (taken, refused) = (self.stat(LDS_TAKEN).await, self.stat(LDS_REFUSED).await);
        self.version += 1;
        let (next, file) = (self.work.path().join("next.json"), self.work.path().join("listener.json"));
        fs::write(&next, setup.discovery_answer(self.version).to_string()).expect("the listener's file");
        // Envoy looks at the file when another is moved onto it, so that it never reads half of one.
        fs::rename(&next, &file).expect("the listener's file in its place");
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            if self.stat(LDS_REFUSED).await > refused {
                return Update::Refused;
            }
            if self.stat(LDS_TAKEN).await > taken {
                return Update::Accepted;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("Envoy says nothing about the new listener:\n{}", self.log());
    }

    /// All that Envoy and the filter have written.
    pub fn log(&self) -> String {
        self.part.log()
    }

    /// All counters and gauges by their full name.
    pub async fn stats(&self) -> BTreeMap<String, u64> {
        let answer = client::get(self.admin_port, "/stats?format=json").send().await.json();
        let numbers = answer["stats"].as_array().expect("a list of statistics");
        numbers.iter().filter_map(|stat| Some((stat["name"].as_str()?.to_owned(), stat["value"].as_u64()?))).collect()
    }

    /// One counter or gauge; 0 when it is not there.
    pub async fn stat(&self, name: &str) -> u64 {
        self.stats().await.get(name).copied().unwrap_or(0)
    }

    /// A counter of the filter by the name that the filter gives it, such as `forwarded.bearer`; 0 when it is not there.
    /// The filter tells Envoy once a second, so this waits until what came before was told.
    pub async fn counted(&self, name: &str) -> u64 {
        self.all_counted().await.get(name).copied().unwrap_or(0)
    }

    /// All counters of the filter, as [`Envoy::counted`] names them and with the same wait.
    pub async fn all_counted(&self) -> BTreeMap<String, u64> {
        tokio::time::sleep(UNTIL_TOLD).await;
        let stats = self.stats().await.into_iter();
        stats.filter_map(|(name, value)| Some((name.strip_prefix("wasmcustom.oidc.")?.to_owned(), value))).collect()
    }

    /// All statistics as Prometheus scrapes them.
    pub async fn scrape(&self) -> String {
        tokio::time::sleep(UNTIL_TOLD).await;
        client::get(self.admin_port, "/stats/prometheus").send().await.text()
    }

    /// The configuration as Envoy shows it to whoever may read its admin pages.
    pub async fn config_dump(&self) -> Value {
        client::get(self.admin_port, "/config_dump").send().await.json()
    }

    /// Resident memory of the process in bytes, as the kernel counts it.
    pub async fn memory(&self) -> u64 {
        self.stat("server.memory_physical_size").await
    }

    /// # Panics
    /// When the log shows that a VM has panicked.
    pub fn assert_no_panic(&self) {
        let log = self.log();
        assert_eq!(signs_of_panic(&log), Vec::<&str>::new(), "a VM has panicked");
    }

    async fn run(
        work: Work,
        config: &str,
        port: u16,
        admin: u16,
        workers: u32,
        environment: &[(String, String)],
    ) -> Envoy {
        let mut part = spawn(&work, config, workers, environment);
        part.ready(admin, "/ready", START).await;
        Envoy { port, admin_port: admin, part, work, version: 1, may_panic: false }
    }
}

const LDS_TAKEN: &str = "listener_manager.lds.update_success";
const LDS_REFUSED: &str = "listener_manager.lds.update_rejected";

impl Drop for Envoy {
    fn drop(&mut self) {
        self.part.stop();
        if thread::panicking() {
            eprintln!("Envoy's log:\n{}", self.log());
        } else if !self.may_panic {
            self.assert_no_panic();
        }
    }
}

/// Where an example's Envoy will be found.
#[derive(Clone, Copy)]
pub struct Ports {
    /// The port of the listener.
    pub gate: u16,
    /// The port of the admin pages.
    pub admin: u16,
}

/// The text of a file in `envoy-config/` with other text in some places.
///
/// # Panics
/// When a text to replace is not there.
pub fn example(file: &str, replace: &[(&str, String)]) -> String {
    let path = root().join("envoy-config").join(file);
    let mut text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (from, to) in replace {
        assert!(text.contains(from), "{file} does not hold {from}");
        text = text.replace(from, to);
    }
    text
}

/// The Envoy to use: `ENVOY` if it is set, as `make test` does, else what `tools/envoy.sh` finds.
pub fn binary() -> &'static str {
    static BINARY: OnceLock<String> = OnceLock::new();
    BINARY.get_or_init(|| {
        let found = Command::new(root().join("tools/envoy.sh")).output().expect("tools/envoy.sh runs");
        assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
        String::from_utf8_lossy(&found.stdout).trim().to_owned()
    })
}

fn spawn(work: &Work, config: &str, workers: u32, environment: &[(String, String)]) -> Part {
    let file: PathBuf = work.path().join("envoy.yaml");
    fs::write(&file, config).expect("the configuration's file");
    let workers = workers.to_string();
    let arguments = [
        "--config-path",
        &file.to_string_lossy(),
        "--concurrency",
        &workers,
        "--disable-hot-restart",
        "--log-level",
        "warning",
        "--component-log-level",
        "wasm:debug",
    ];
    let environment: Vec<_> = environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Part::start("envoy", work.path(), binary(), &arguments, &environment)
}

fn signs_of_panic(log: &str) -> Vec<&str> {
    let is_sign = |line: &&str| SIGNS_OF_PANIC.iter().any(|sign| line.contains(sign)) && !line.contains(REFUSAL);
    log.lines().filter(is_sign).collect()
}
