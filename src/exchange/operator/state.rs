//! How things are, as far as this worker knows.

use crate::exchange::Gate;
use crate::provider::Condition;
use crate::words::json;
use crate::world::World;
use serde_json::{Map, Value};

/// The deny list, and each provider with its metadata and keys.
pub fn told(gate: &Gate, world: &World) -> Value {
    let counts = gate.revocations().counts(world);
    let mut providers = Map::new();
    for provider in gate.providers() {
        let (metadata, keys, count) = provider.conditions(world.now());
        let mut keys = document(keys);
        keys.insert("count".to_owned(), Value::from(count));
        let metadata = document(metadata).into();
        let told = json::of(vec![("issuer", provider.issuer().into()), ("metadata", metadata), ("keys", keys.into())]);
        providers.insert(provider.settings.name.clone(), told);
    }
    let revocations = json::of(vec![
        ("known", counts.known.into()),
        ("forgotten", counts.forgotten.into()),
        ("since", counts.since.as_secs().into()),
    ]);
    json::of(vec![("now", world.now().as_secs().into()), ("revocations", revocations), ("providers", providers.into())])
}

fn document(condition: Condition) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("fetched".to_owned(), Value::from(condition.fetched.map(|fetched| fetched.as_secs())));
    document.insert("stale".to_owned(), Value::from(condition.stale));
    document.insert("trouble".to_owned(), Value::from(condition.trouble.map(|reason| reason.code())));
    document
}
