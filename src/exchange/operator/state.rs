//! How things are, as far as this worker knows.

use crate::exchange::Gate;
use crate::provider::Condition;
use crate::world::World;
use serde_json::{Map, Value, json};

/// The deny list, and each provider with its metadata and keys.
pub fn told(gate: &Gate, world: &World) -> Value {
    let counts = gate.revocations().counts(world);
    let mut providers = Map::new();
    for provider in gate.providers() {
        let (metadata, keys, count) = provider.conditions(world.now());
        let mut keys = document(keys);
        keys.insert("count".to_owned(), Value::from(count));
        let told = json!({ "issuer": provider.issuer(), "metadata": document(metadata), "keys": keys });
        providers.insert(provider.settings.name.clone(), told);
    }
    json!({
        "now": world.now().as_secs(),
        "revocations": { "known": counts.known, "forgotten": counts.forgotten, "since": counts.since.as_secs() },
        "providers": providers,
    })
}

fn document(condition: Condition) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("fetched".to_owned(), Value::from(condition.fetched.map(|fetched| fetched.as_secs())));
    document.insert("stale".to_owned(), Value::from(condition.stale));
    document.insert("trouble".to_owned(), Value::from(condition.trouble.map(|reason| reason.code())));
    document
}
