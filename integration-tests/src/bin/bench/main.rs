//! `make bench`: what one request costs with the filter, beside Envoy's own filters that do the same.
//!
//! CPU time of the Envoy process, since that is what an operator pays. All loads run in one run, in random order, each
//! beside its twin: the same requests to an Envoy without filters. The proxies are started several times in a run. Goals are
//! ratios of what filters add to the twin, so that they hold on any machine; a figure itself holds on one machine in one
//! hour.

mod api;
mod authz;
mod bearers;
mod checks;
mod field;
mod filters;
mod flood;
mod goals;
mod hot;
mod latency;
mod load;
mod measure;
mod proxy;
mod report;
mod rows;
mod sessions;
mod token_checks;
mod tokens;
mod weight;

use std::process::ExitCode;
use std::{env, fs};

use integration_tests::root;
use serde_json::{Value, json};

use field::{Field, To};
use measure::{Extent, Figures};
use report::Report;
use rows::Row;
use tokens::Provider;

const FILE: &str = "dist/bench.json";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let strict = env::var("STRICT").is_ok_and(|strict| strict == "1");
    let done = match env::args().nth(1).as_deref() {
        None => rounds().await,
        Some("flood") => flood().await,
        Some("hot") => hot().await,
        Some(other) => Err(format!("bench does not know {other}; it knows `flood` and `hot`")),
    };
    match done {
        Ok((correct, reached)) if correct && (reached || !strict) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("✗ {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything is correct, and whether every goal is reached.
type Done = Result<(bool, bool), String>;

async fn rounds() -> Done {
    let (starts, rounds, requests) = (number("STARTS", 9), number("ROUNDS", 12), number("REQUESTS", 400));
    let report = measured(Extent { starts, rounds, requests }).await?;
    report.print();
    write(&report.json());
    Ok((report.correct(), report.reached()))
}

/// Comes after the rounds, and adds to what they wrote.
async fn flood() -> Done {
    let each = number("FLOOD", 1_000_000);
    eprintln!("• {each} good tokens and as many bad ones through one Envoy");
    let flood = flood::run(each).await?;
    flood.print();
    let written = fs::read(root().join(FILE)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut report = written.unwrap_or_else(|| json!({}));
    report["flood"] = flood.json();
    write(&report);
    Ok((flood.correct(), flood.reached()))
}

/// Prints which functions requests run and which way their branches go, by numbers.
async fn hot() -> Done {
    let provider = Provider::start().await;
    let field = Field::start(&provider).await;
    let rows = rows::all(&field, &provider).await;
    hot::ways(&field, rows)?.iter().for_each(|way| println!("{way}"));
    Ok((true, true))
}

fn write(report: &Value) {
    let text = serde_json::to_string_pretty(report).expect("JSON");
    fs::write(root().join(FILE), text + "\n").expect("a file in dist");
    eprintln!("\n• written to {FILE}");
}

async fn measured(extent: Extent) -> Result<Report, String> {
    eprintln!("• starting Envoys one by one: time to the first answer, memory");
    let provider = Provider::start().await;
    let weights = weight::all(&provider).await;
    let mut figures: Vec<Figures> = Vec::new();
    for start in 1..extent.starts {
        one_start(&provider, start, extent, &mut figures).await?;
    }
    let (field, rows) = one_start(&provider, extent.starts, extent, &mut figures).await?;
    let memory_after = weight::megabytes(field.proxy(To::Ours).memory());
    eprintln!("• checking that nothing fast is careless");
    let checks = checks::all(&field, &provider).await;
    eprintln!("• time to answer at a fixed rate");
    let latencies = latency::all(&field, &rows).await?;
    Ok(Report { extent, rows, figures, latencies, weights, memory_after, checks })
}

/// Starts the proxies and adds what they show of each row to its figures; gives back what still runs.
async fn one_start(
    provider: &Provider,
    start: usize,
    extent: Extent,
    figures: &mut Vec<Figures>,
) -> Result<(Field, Vec<Row>), String> {
    eprintln!("• start {start} of {}: {} Envoys, logging in and signing tokens", extent.starts, Field::size());
    let field = Field::start(provider).await;
    let rows = rows::all(&field, provider).await;
    eprintln!("• {} loads, {} rounds of {} requests each", rows.len(), extent.rounds, extent.requests);
    let shown = measure::all(&field, &rows, extent).await?;
    figures.resize(rows.len(), Figures::new());
    figures.iter_mut().zip(shown).for_each(|(figures, windows)| figures.push(windows));
    Ok((field, rows))
}

fn number(name: &str, otherwise: usize) -> usize {
    match env::var(name) {
        Ok(text) => {
            text.parse().ok().filter(|number| *number > 0).unwrap_or_else(|| panic!("{name}={text} is no number"))
        }
        Err(_) => otherwise,
    }
}
