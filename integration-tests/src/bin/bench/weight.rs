//! What a module weighs: its size, the time to the first answer, the memory of a worker.

use std::fs;
use std::time::Duration;

use integration_tests::module;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::filters;
use crate::measure::median;
use crate::proxy::{Place, Plan, Proxy};
use crate::tokens::Provider;

/// How often each is started.
const STARTS: usize = 3;
/// After the first answer, until memory is read.
const REST: Duration = Duration::from_secs(1);

/// Of one kind of Envoy; medians.
#[derive(Clone, Copy)]
pub struct Weight {
    /// From the start of the process to the first answer, in milliseconds.
    pub first_answer: f64,
    /// Resident memory after that, in MB.
    pub memory: f64,
}

/// Of Envoy without a filter, with one that does nothing, and with ours.
pub struct Weights {
    pub plain: Weight,
    pub noop: Weight,
    pub ours: Weight,
    /// Bytes of the module.
    pub module: u64,
    /// Which module it was.
    pub sha256: String,
}

/// Starts each a few times, in turns.
pub async fn all(provider: &Provider) -> Weights {
    let mut starts: [Vec<Weight>; 3] = Default::default();
    for _ in 0..STARTS {
        let place = Place::new();
        let ours = filters::ours(provider, &filters::configuration(provider, place));
        for (plan, starts) in [Plan::default(), filters::nothing(), ours].iter().zip(&mut starts) {
            let proxy = Proxy::start(place, plan).await;
            tokio::time::sleep(REST).await;
            let first_answer = proxy.first_answer.as_secs_f64() * 1e3;
            starts.push(Weight { first_answer, memory: megabytes(proxy.memory()) });
        }
    }
    let [plain, noop, ours] = starts.map(|starts| Weight {
        first_answer: median(starts.iter().map(|weight| weight.first_answer).collect()),
        memory: median(starts.iter().map(|weight| weight.memory).collect()),
    });
    let bytes = fs::read(module()).expect("the module");
    let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Weights { plain, noop, ours, module: bytes.len() as u64, sha256 }
}

/// In units of a million bytes.
pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

impl Weights {
    /// As JSON.
    pub fn json(&self) -> Value {
        let weight = |weight: Weight| json!({ "first_answer_ms": weight.first_answer, "memory_mb": weight.memory });
        json!({
            "module_bytes": self.module, "module_sha256": self.sha256,
            "plain": weight(self.plain), "noop": weight(self.noop), "ours": weight(self.ours),
        })
    }
}
