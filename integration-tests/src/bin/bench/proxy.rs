//! An Envoy with one worker whose CPU time and memory are read from the kernel.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use integration_tests::part::{Part, Work};
use integration_tests::{client, envoy, ports};
use serde_json::{Value, json};

use crate::load::Connection;

/// Long enough for a machine that compiles beside it.
const START: Duration = Duration::from_secs(60);

/// After so long the filter has told Envoy what it counted: it does once a second.
pub const PERIOD: Duration = Duration::from_millis(1500);

/// Shows in the answer's headers what the service behind the filters would see.
pub const ECHO: &str = "/echo";

/// What an Envoy is started with.
#[derive(Clone, Default)]
pub struct Plan {
    /// The filters before the router.
    pub filters: Vec<Value>,
    /// Clusters that they call, by name and port.
    pub clusters: Vec<(&'static str, u16)>,
    /// Secrets that they name.
    pub secrets: Vec<(&'static str, String)>,
}

/// Where an Envoy listens; chosen first, since filters are told of it.
#[derive(Clone, Copy)]
pub struct Place {
    /// The gate's port.
    pub port: u16,
    admin: u16,
}

impl Place {
    /// Two ports that are free.
    pub fn new() -> Place {
        Place { port: ports::free(), admin: ports::free() }
    }

    /// What clients write as `Host`.
    pub fn host(self) -> String {
        format!("localhost:{}", self.port)
    }
}

/// A running Envoy.
pub struct Proxy {
    /// Where it listens.
    pub place: Place,
    /// From the start of the process to the first answer.
    pub first_answer: Duration,
    pid: u32,
    part: Part,
    _work: Work,
}

impl Proxy {
    /// Starts it and waits for its first answer to a request.
    pub async fn start(place: Place, plan: &Plan) -> Proxy {
        let work = Work::new("bench");
        let file = work.path().join("envoy.json");
        fs::write(&file, bootstrap(place, plan).to_string()).expect("the configuration's file");
        let arguments = ["--config-path", &file.to_string_lossy(), "--concurrency", "1", "--disable-hot-restart"];
        let quiet = ["--log-level", "warning"];
        let begun = Instant::now();
        let mut part = Part::start("envoy", work.path(), envoy::binary(), &[&arguments[..], &quiet].concat(), &[]);
        while !answers(place).await {
            assert!(!part.ended(), "Envoy has ended; its log:\n{}", part.log());
            assert!(begun.elapsed() < START, "Envoy does not answer; its log:\n{}", part.log());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let first_answer = begun.elapsed();
        Proxy { place, first_answer, pid: pid(&file), part, _work: work }
    }

    /// The CPU time of all its threads so far, user and system together.
    pub fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid)).expect("the process runs");
        let nanoseconds = tasks.flatten().filter_map(|task| {
            // The first number is the time on a CPU in nanoseconds: `stat` counts in steps of ten milliseconds.
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.part.log()
    }

    /// Resident memory in bytes.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line on resident memory");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of kB") * 1024
    }

    /// One of its counters; 0 when nothing was counted.
    pub async fn stat(&self, name: &str) -> u64 {
        let answer = client::get(self.place.admin, &format!("/stats?format=json&filter={name}")).send().await.json();
        let stats = answer["stats"].as_array().cloned().unwrap_or_default();
        stats.iter().filter_map(|stat| stat["value"].as_u64()).sum()
    }
}

async fn answers(place: Place) -> bool {
    let request = format!("GET /public HTTP/1.1\r\nhost: {}\r\n\r\n", place.host());
    let Ok(mut connection) = Connection::open(place.port).await else { return false };
    connection.ask(request.as_bytes()).await.is_ok_and(|status| status != 503)
}

/// The process that was started with this file; what holds its leash was given the same arguments.
fn pid(file: &Path) -> u32 {
    let file = file.to_string_lossy();
    let processes = fs::read_dir("/proc").expect("the list of processes").flatten();
    let ours = processes.filter(|process| {
        let read = |name| fs::read(process.path().join(name)).unwrap_or_default();
        read("comm").starts_with(b"envoy") && String::from_utf8_lossy(&read("cmdline")).contains(&*file)
    });
    ours.filter_map(|process| process.file_name().to_str()?.parse().ok()).next().expect("Envoy among the processes")
}

fn bootstrap(place: Place, plan: &Plan) -> Value {
    let clusters: Vec<Value> = plan.clusters.iter().map(|(name, port)| cluster(name, *port)).collect();
    let secrets = plan
        .secrets
        .iter()
        .map(|(name, secret)| json!({ "name": name, "generic_secret": { "secret": { "inline_string": secret } } }));
    json!({
        "admin": { "address": address(place.admin) },
        "static_resources": {
            "listeners": [listener(place, &plan.filters)],
            "clusters": clusters,
            "secrets": secrets.collect::<Vec<_>>(),
        },
    })
}

fn listener(place: Place, filters: &[Value]) -> Value {
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
    });
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "gate",
        "use_remote_address": true,
        "normalize_path": true,
        "merge_slashes": true,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "common_http_protocol_options": { "headers_with_underscores_action": "DROP_HEADER" },
        "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": routes() }] },
        "http_filters": filters.iter().cloned().chain([router]).collect::<Vec<_>>(),
    });
    json!({
        "name": "gate",
        "address": address(place.port),
        "filter_chains": [{
            "filters": [{ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager }],
        }],
    })
}

/// Envoy answers by itself: a service behind it would add its own noise.
fn routes() -> Value {
    let answer = json!({ "status": 200, "body": { "inline_string": "ok" } });
    let seen = ["cookie", "authorization", "x-user", "x-email", "x-groups"];
    let show = |path: &str| {
        let shown =
            seen.map(|name| json!({ "header": { "key": format!("saw-{name}"), "value": format!("%REQ({name})%") } }));
        json!({ "match": { "path": path }, "direct_response": answer, "response_headers_to_add": shown })
    };
    let any = json!({ "match": { "prefix": "/" }, "direct_response": answer });
    let echoes = ["", "/public", "/orders", "/opaque"].map(|below| show(&format!("{below}{ECHO}")));
    json!(echoes.into_iter().chain([any]).collect::<Vec<_>>())
}

fn address(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}

fn cluster(name: &str, port: u16) -> Value {
    let endpoint = json!({ "endpoint": { "address": address(port) } });
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": { "cluster_name": name, "endpoints": [{ "lb_endpoints": [endpoint] }] },
    })
}
