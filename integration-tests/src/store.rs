//! The store of several gates: Redis, which writes down each change before it says that it has, and Webdis in front of it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::part::{Part, Work};
use crate::{ports, root};

/// What the filter may ask, and nothing else.
const COMMANDS: [&str; 8] = ["MGET", "SET", "DEL", "PEXPIRE", "PTTL", "LPUSH", "LRANGE", "LTRIM"];

/// Redis and Webdis. They end with their owner.
pub struct Store {
    /// Where Webdis listens.
    pub port: u16,
    redis_port: u16,
    redis: Option<Part>,
    _webdis: Part,
    work: Work,
}

impl Store {
    /// Starts both, with nothing in them.
    pub async fn start() -> Store {
        let tools = Command::new(root().join("tools/store.sh")).output().expect("tools/store.sh runs");
        assert!(tools.status.success(), "{}", String::from_utf8_lossy(&tools.stderr));
        let work = Work::new("store");
        let (port, redis_port) = (ports::free(), ports::free());
        let redis = start_redis(work.path(), redis_port).await;
        let configuration = json!({
            "redis_host": "127.0.0.1",
            "redis_port": redis_port,
            "http_host": "127.0.0.1",
            "http_port": port,
            "threads": 2,
            "pool_size": 8,
            "daemonize": false,
            "acl": [{ "disabled": ["*"] }, { "enabled": COMMANDS }],
            "verbosity": 3,
            "logfile": work.path().join("webdis-own.log"),
        });
        let file = work.path().join("webdis.json");
        fs::write(&file, configuration.to_string()).expect("its configuration");
        let mut webdis = Part::start("webdis", work.path(), "webdis", &[&file.to_string_lossy()], &[]);
        webdis.ready(port, "/MGET/ready", Duration::from_secs(120)).await;
        Store { port, redis_port, redis: Some(redis), _webdis: webdis, work }
    }

    /// Ends Redis as a crash does: nothing more is written.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub fn kill(&mut self) {
        let number = fs::read_to_string(self.work.path().join("redis.pid")).expect("Redis says its number");
        let killed = Command::new("kill").args(["-KILL", number.trim()]).status().expect("kill runs");
        assert!(killed.success(), "Redis cannot be ended");
        // Its owner waits until it has ended.
        drop(self.redis.take());
    }

    /// Starts Redis again with what it had written down.
    pub async fn revive(&mut self) {
        self.redis = Some(start_redis(self.work.path(), self.redis_port).await);
    }

    /// All that Redis has written to its files, and Webdis to its log.
    pub fn leaked(&self) -> Vec<u8> {
        let mut all = fs::read(self.work.path().join("webdis-own.log")).unwrap_or_default();
        let folder = fs::read_dir(self.work.path().join("appendonlydir")).expect("Redis keeps its files there");
        for file in folder {
            all.extend(fs::read(file.expect("a file").path()).expect("its bytes"));
        }
        all
    }
}

async fn start_redis(folder: &Path, port: u16) -> Part {
    let (text, place) = (port.to_string(), folder.to_string_lossy().into_owned());
    let number = folder.join("redis.pid").to_string_lossy().into_owned();
    let arguments = [
        "--pidfile",
        &number,
        "--bind",
        "127.0.0.1",
        "--port",
        &text,
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--dir",
        &place,
    ];
    let redis = Part::start("redis", folder, "redis-server", &arguments, &[]);
    let deadline = Instant::now() + Duration::from_secs(30);
    while !ports::taken(port) {
        assert!(Instant::now() < deadline, "Redis does not start:\n{}", redis.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    redis
}
