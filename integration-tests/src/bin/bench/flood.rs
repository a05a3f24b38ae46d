//! `bench flood`: access tokens without end, good and bad, none twice, through one Envoy. Its memory must not follow them,
//! and it must answer as many in a second at the end as at the beginning.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use integration_tests::hostile::Endpoint;
use integration_tests::random_hex;
use integration_tests::signer::Signer;
use serde_json::{Value, json};

use crate::api::{self, path};
use crate::checks::{self, Check};
use crate::filters;
use crate::goals::{FLOOD_MEMORY, FLOOD_SAG, Judged};
use crate::load::{self, Bytes, Load};
use crate::proxy::{PERIOD, Place, Proxy};
use crate::tokens::{Provider, Signed};
use crate::weight::megabytes;

/// Good and bad tokens of each kind before anything counts: V8 compiles well what ran often.
const WARM_UP: usize = 12_000;
/// Requests that are made, and sent, at a time.
const BATCH: usize = 1000;
/// Threads that sign: a signature costs less than its check in wasm.
const SIGNERS: usize = 2;
/// A key set is fetched so often at most for the sake of unknown keys.
const REFETCH: Duration = Duration::from_secs(30);

/// What came of it.
pub struct Flood {
    /// How many good tokens, and how many bad ones.
    each: usize,
    /// Memory of Envoy before the first of them, in MB.
    start: f64,
    tenths: Vec<Tenth>,
    checks: Vec<Check>,
}

/// A tenth of the requests.
struct Tenth {
    /// How many were answered in a second of Envoy's CPU time. Neighbours on the machine disturb this less than the clock.
    by_cpu: f64,
    /// How many were answered in a second.
    by_clock: f64,
    /// The most memory of Envoy meanwhile, over its start, in MB.
    memory: f64,
}

/// Sends `each` good tokens and as many bad ones. Any answer but 200 to a good one and 401 to a bad one is an error.
pub async fn run(each: usize) -> Result<Flood, String> {
    let provider = Provider::start().await;
    let place = Place::new();
    let proxy = Proxy::start(place, &filters::ours(&provider, &api::usual(&provider))).await;
    tokio::time::sleep(PERIOD).await;
    let start = megabytes(proxy.memory());
    let begun = Instant::now();
    let (batches, of_tenth) = (source(&provider, place), (2 * each).div_ceil(10 * BATCH));
    let first = [load::get(&place.host(), path::ORDERS, &[])];
    let mut load = Load::open(place.port, &first, 401)?;
    let mut send = |count: usize| -> Result<f64, String> {
        let mut most = 0.0_f64;
        for _ in 0..count {
            let batch = batches.recv().map_err(|_| "the signers have ended")?;
            tokio::task::block_in_place(|| load.run(batch.iter().map(|(request, status)| (request, *status))))?;
            most = most.max(megabytes(proxy.memory()) - start);
        }
        Ok(most)
    };
    let warm_up = (2 * WARM_UP).div_ceil(BATCH);
    let mut most = send(warm_up)?;
    let mut tenths = Vec::new();
    for tenth in 1..=10 {
        let (cpu, clock) = (proxy.cpu(), Instant::now());
        most = most.max(send(of_tenth)?);
        let count = (of_tenth * BATCH) as f64;
        let by_cpu = count / (proxy.cpu() - cpu).as_secs_f64();
        tenths.push(Tenth { by_cpu, by_clock: count / clock.elapsed().as_secs_f64(), memory: most });
        eprintln!("• {tenth} of 10 tenths");
    }
    let each = 10 * of_tenth * BATCH / 2;
    tokio::time::sleep(PERIOD).await;
    let good = (each + warm_up * BATCH / 2) as u64;
    let fetches = provider.idp.count(Endpoint::Jwks) as u64;
    let checks = vec![
        Check {
            what: "every good token was verified and let through, every bad one was refused",
            holds: proxy.stat("oidc\\.tokens\\.verified$").await == good
                && proxy.stat("^http.gate.downstream_rq_2xx").await == good,
        },
        Check {
            what: "tokens of unknown keys made it fetch the keys once in 30 seconds at most",
            holds: fetches <= 2 + begun.elapsed().as_secs() / REFETCH.as_secs(),
        },
    ];
    Ok(Flood { each, start, tenths, checks })
}

/// Threads that make requests until nobody takes them any more.
fn source(provider: &Provider, place: Place) -> Receiver<Vec<(Bytes, u16)>> {
    let (give, take) = sync_channel(4 * SIGNERS);
    for thread in 0..SIGNERS {
        let (signer, claims, give) = (provider.signer(Signed::EdDsa).clone(), provider.claims(), give.clone());
        thread::spawn(move || {
            let mut maker = Maker { signer, claims, host: place.host(), thread, made: 0 };
            while give.send((0..BATCH / 2).flat_map(|_| maker.good_and_bad()).collect()).is_ok() {}
        });
    }
    take
}

struct Maker {
    signer: Signer,
    claims: Value,
    host: String,
    thread: usize,
    made: usize,
}

impl Maker {
    /// A good token, and a bad one: opaque, or with another token's signature (a random one might be refused before it is
    /// computed), or of a key that nobody knows.
    fn good_and_bad(&mut self) -> [(Bytes, u16); 2] {
        self.made += 1;
        self.claims["jti"] = json!(format!("good-{}-{}", self.thread, self.made));
        let good = self.signer.sign(&self.signer.header(), &self.claims);
        let bad = match self.made % 3 {
            0 => random_hex::<64>(),
            1 => {
                let (message, signature) = good.rsplit_once('.').expect("a JWT");
                let (header, _) = message.split_once('.').expect("a JWT");
                self.claims["jti"] = json!(format!("bad-{}-{}", self.thread, self.made));
                let other = unsigned(&self.claims);
                format!("{header}.{other}.{signature}")
            }
            _ => {
                let mut header = self.signer.header();
                header["kid"] = json!(random_hex::<8>());
                self.signer.sign(&header, &self.claims)
            }
        };
        [(self.request(&good), 200), (self.request(&bad), 401)]
    }

    fn request(&self, token: &str) -> Bytes {
        load::get(&self.host, path::ORDERS, &[("authorization", &format!("Bearer {token}"))])
    }
}

fn unsigned(claims: &Value) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims.to_string())
}

impl Flood {
    /// Prints it.
    pub fn print(&self) {
        println!("\n{} good access tokens (EdDSA) and as many bad ones, none twice, through one Envoy", self.each);
        println!("{:<10}{:>22}{:>18}{:>20}", "tenth", "requests/s of CPU", "by the clock", "MB over its start");
        for (at, tenth) in self.tenths.iter().enumerate() {
            println!("{:<10}{:>22.0}{:>18.0}{:>20.1}", at + 1, tenth.by_cpu, tenth.by_clock, tenth.memory);
        }
        Judged::print(&self.judged());
        println!();
        checks::print(&self.checks);
    }

    /// For `dist/bench.json`.
    pub fn json(&self) -> Value {
        let tenths = self.tenths.iter().map(|tenth| {
            json!({
                "requests_per_cpu_second": tenth.by_cpu, "requests_per_second": tenth.by_clock,
                "memory_over_start_mb": tenth.memory,
            })
        });
        json!({
            "good_tokens": self.each, "bad_tokens": self.each, "memory_at_start_mb": self.start,
            "tenths": tenths.collect::<Vec<_>>(),
            "goals": Judged::json(&self.judged()),
            "checks": checks::json(&self.checks),
        })
    }

    /// Whether every sentence about correctness is true.
    pub fn correct(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }

    /// Whether every goal is reached.
    pub fn reached(&self) -> bool {
        self.judged().iter().all(Judged::passes)
    }

    fn judged(&self) -> [Judged; 2] {
        let of = |tenth: Option<&Tenth>| tenth.map_or(f64::NAN, |tenth| tenth.by_cpu);
        let most = self.tenths.last().map_or(f64::NAN, |tenth| tenth.memory);
        [
            Judged::new("flood: memory over its start, MB", most, FLOOD_MEMORY, None),
            Judged::new(
                "flood: first tenth / last, per CPU second",
                of(self.tenths.first()) / of(self.tenths.last()),
                FLOOD_SAG,
                None,
            ),
        ]
    }
}
