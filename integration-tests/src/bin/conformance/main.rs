//! The OpenID Foundation's conformance suite against the filter as a relying party, in a real Envoy.
//!
//! ```sh
//! SUITE=https://localhost:8443 cargo run -p integration-tests --bin conformance [PLAN[/MODULE]…]
//! ```
//!
//! The suite runs already, and calls a gate on this machine's `localhost` where a plan has a back channel. `SUITE_TOKEN` is for
//! one that asks for a token of its API. Arguments are parts of the names of plans and modules; without any, all are run.

mod gate;
mod plans;
mod suite;

use std::env;
use std::process::ExitCode;

use integration_tests::random_hex;
use integration_tests::setup::Setup;

use gate::Gate;
use plans::{PLANS, Plan};
use suite::{Module, Suite};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let Ok(address) = env::var("SUITE") else {
        eprintln!("✗ SUITE is not set; it is the address of a running conformance suite, as https://localhost:8443");
        return ExitCode::FAILURE;
    };
    let wanted: Vec<String> = env::args().skip(1).collect();
    let suite = Suite::at(&address, env::var("SUITE_TOKEN").ok()).await;
    let mut failed = 0;
    for plan in PLANS {
        failed += run(&suite, plan, &wanted).await;
    }
    println!("\n{}", if failed == 0 { "✓ no module failed".into() } else { format!("✗ {failed} modules failed") });
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the modules that are wanted of a plan, prints their rows, and says how many failed.
async fn run(suite: &Suite, plan: &'static Plan, wanted: &[String]) -> usize {
    let is_wanted = |module: &str| {
        let name = format!("{}/{module}", plan.name);
        plan.holds(module) && (wanted.is_empty() || wanted.iter().any(|part| name.contains(part)))
    };
    // One alias, since the issuer has it in its path, and one port, since the plan's client has it in its redirect URI.
    let (alias, setup) = (format!("oidc-proxy-wasm-{}", random_hex::<4>()), Setup::new());
    let (id, modules) = suite.plan(plan, &gate::registered(plan, setup.port, &alias)).await;
    let modules: Vec<Module> = modules.into_iter().filter(|module| is_wanted(&module.name)).collect();
    if !modules.is_empty() {
        println!("\n{}, {}: {}", plan.name, plan.client_auth, suite.page(&id));
    }
    let mut failed = 0;
    for module in modules {
        let name = module.name.strip_prefix("oidcc-client-test-").unwrap_or(&module.name).to_owned();
        let row = |result: &str, why: &str| println!("  {name:<52} {result:<9} {why}");
        if let Some(why) = plans::not_ours(&module.name) {
            row("-", why);
            continue;
        }
        let (run, waits) = suite.begin(&id, &module).await;
        if let (false, Some(why)) = (waits, plans::fault_of_the_suite(&module.name)) {
            row("-", why);
            continue;
        }
        // A task, so that a helper that panics fails this module alone.
        let (suite_there, alias, setup) = (suite.clone(), alias.clone(), setup.clone());
        let (run_there, name_there) = (run.clone(), module.name.clone());
        let done = tokio::spawn(async move {
            let gate = Gate::open(&suite_there, plan, &alias, setup).await;
            gate.drive(&suite_there, &run_there, plans::wish(&name_there)).await
        });
        let seen = done.await.unwrap_or_else(|error| Err(format!("the driver: {error}")));
        let outcome = suite.end(&run).await;
        let result = if seen.is_err() { "FAILED" } else { outcome.result.as_str() };
        failed += usize::from(result == "FAILED");
        row(result, &seen.err().unwrap_or_default());
        outcome.remarks.iter().for_each(|remark| println!("      {remark}"));
    }
    failed
}
