//! `make bench`: what one request costs with the filter, beside Envoy's own filters that do the same.
//!
//! CPU time of the Envoy process, since that is what an operator pays. All loads run in one run, in random order, each
//! right after its twin: the same requests to an Envoy without filters. Goals are ratios of what filters add to the twin,
//! so that they hold on any machine; a figure itself holds on one machine in one hour.

mod checks;
mod filters;
mod goals;
mod latency;
mod load;
mod measure;
mod proxy;
mod report;
mod rows;
mod sessions;
mod tokens;
mod weight;

use std::env;
use std::process::ExitCode;

use measure::Extent;
use report::Report;
use rows::{Field, To};
use tokens::Provider;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let extent = Extent { rounds: number("ROUNDS", 80), requests: number("REQUESTS", 400) };
    let report = match measured(extent).await {
        Ok(report) => report,
        Err(error) => {
            eprintln!("✗ {error}");
            return ExitCode::FAILURE;
        }
    };
    report.print();
    report.write();
    eprintln!("\n• written to dist/bench.json");
    let strict = env::var("STRICT").is_ok_and(|strict| strict == "1");
    if report.correct() && (report.reached() || !strict) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measured(extent: Extent) -> Result<Report, String> {
    eprintln!("• starting Envoys one by one: time to the first answer, memory");
    let provider = Provider::start().await;
    let weights = weight::all(&provider).await;
    eprintln!("• starting six Envoys and logging in");
    let field = Field::start(&provider).await;
    let rows = field.rows(&provider).await;
    eprintln!("• {} loads, {} rounds of {} requests each", rows.len(), extent.rounds, extent.requests);
    let figures = measure::all(&field, &rows, extent).await?;
    let memory_after = weight::megabytes(field.proxy(To::Ours).memory());
    eprintln!("• checking that nothing fast is careless");
    let checks = checks::all(&field, &provider).await;
    eprintln!("• time to answer at a fixed rate");
    let latencies = latency::all(&field, &rows).await?;
    Ok(Report { extent, rows, figures, latencies, weights, memory_after, checks })
}

fn number(name: &str, otherwise: usize) -> usize {
    match env::var(name) {
        Ok(text) => {
            text.parse().ok().filter(|number| *number > 0).unwrap_or_else(|| panic!("{name}={text} is no number"))
        }
        Err(_) => otherwise,
    }
}
