//! The operator's endpoint: revokes, tells how things are, fetches anew. Who comes was judged as under any rule; nothing told
//! here is a secret.

mod ask;
mod state;

use super::{Gate, answer};
use crate::methods::{self, Begun, Guard};
use crate::policy;
use crate::words::{Reason, Refusal, Request, Response, Stop, Verdict};
use crate::world::World;
use serde_json::Value;

/// Serves one request of an operator's.
pub async fn serve(gate: &Gate, world: &World, request: &Request) -> Verdict {
    let Some(guard) = gate.operator() else {
        return answer::refused(gate, world, None, request, Reason::NoRule.into());
    };
    let stop = match Box::pin(answered(gate, guard, world, request)).await {
        Ok(document) => {
            let response = Response { body: format!("{document}\n"), ..Response::new(200) }
                .with("content-type", "application/json")
                .with("cache-control", "no-store")
                .with("x-content-type-options", "nosniff");
            Stop::answered(response, Reason::OperatorServed)
        }
        Err(stop) => stop,
    };
    answer::stopped(gate, world, Some(guard), request, stop)
}

async fn answered(gate: &Gate, guard: &Guard, world: &World, request: &Request) -> Result<Value, Stop> {
    let mut proof =
        methods::identify(world, guard, request, Begun::default()).await?.ok_or(Reason::AccessTokenRequired)?;
    policy::judge(&guard.rule, &mut proof.identity)?;
    match request.method() {
        Some("GET") => Ok(state::told(gate, world)),
        Some("POST") => Ok(ask::done(gate, world, request).await?),
        _ => Err(Refusal::wrong_method("GET, POST").into()),
    }
}
