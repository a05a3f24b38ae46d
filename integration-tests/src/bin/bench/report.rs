//! The table for people, and the JSON for programs.

use std::fs;
use std::process::Command;

use integration_tests::envoy;
use serde_json::{Value, json};

use crate::checks::{self, Check};
use crate::goals::{BUSY, GOALS, Judged, MODULE};
use crate::latency::Latency;
use crate::measure::{Extent, Figures, Windows, lowest, over_starts};
use crate::rows::{Row, name};
use crate::weight::Weights;

/// Everything that was found out.
pub struct Report {
    pub extent: Extent,
    pub rows: Vec<Row>,
    pub figures: Vec<Figures>,
    pub latencies: Vec<Latency>,
    pub weights: Weights,
    /// Memory of our Envoy after all rounds, in MB, its cache of sessions filled.
    pub memory_after: f64,
    pub checks: Vec<Check>,
}

impl Report {
    /// Prints the tables.
    pub fn print(&self) {
        println!("\nCPU of Envoy for one request, in microseconds; `added` is over the same requests without filters");
        println!("{:<28}{:>8}{:>9}{:>9}  {:<16}", "row", "total", "twin", "added", "start by start");
        for (row, figures) in self.rows.iter().zip(&self.figures) {
            let (load, twin, added) = (total(figures), twin(figures), added(figures));
            let starts: Vec<String> = figures.iter().map(|windows| format!("{:.0}", windows.added())).collect();
            println!("{:<28}{load:>8.1}{twin:>9.1}{added:>9.1}  {:<16}  {}", row.name, starts.join(" "), row.what);
        }
        Judged::print(&self.judged());
        println!("\nat 400 requests a second over 4 connections, in microseconds");
        for latency in &self.latencies {
            println!("{:<28}p50 {:>7.0}   p99 {:>7.0}", latency.row, latency.p50, latency.p99);
        }
        let (plain, noop, ours) = (self.weights.plain, self.weights.noop, self.weights.ours);
        println!("\nover plain Envoy            {:>12}{:>14}", "this filter", "one that");
        println!("                            {:>12}{:>14}", "", "does nothing");
        let over = |what: &str, ours: f64, noop: f64| println!("{what:<28}{ours:>12.1}{noop:>14.1}");
        over(
            "start to first answer, ms",
            ours.first_answer - plain.first_answer,
            noop.first_answer - plain.first_answer,
        );
        over("memory at start, MB", ours.memory - plain.memory, noop.memory - plain.memory);
        println!("{:<28}{:>12.1}", "memory after this run, MB", self.memory_after - plain.memory);
        println!();
        checks::print(&self.checks);
        if self.busy() {
            println!("\n! the machine was too busy for these figures to mean much: run again");
        }
    }

    /// For `dist/bench.json`.
    pub fn json(&self) -> Value {
        let rows = self.rows.iter().zip(&self.figures).map(|(row, figures)| {
            json!({
                "row": row.name, "what": row.what, "status": row.status,
                "total_us": total(figures), "twin_us": twin(figures), "added_us": added(figures),
                "starts_added_us": figures.iter().map(Windows::added).collect::<Vec<_>>(),
            })
        });
        json!({
            "machine": machine(),
            "versions": { "envoy": first_line(envoy::binary(), "--version"), "bench": env!("CARGO_PKG_VERSION") },
            "starts": self.extent.starts,
            "rounds": self.extent.rounds,
            "requests": self.extent.requests,
            "busy": self.busy(),
            "rows": rows.collect::<Vec<_>>(),
            "goals": Judged::json(&self.judged()),
            "latency": self.latencies.iter().map(Latency::json).collect::<Vec<_>>(),
            "weight": self.weights.json(),
            "memory_after_mb": self.memory_after,
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

    /// Whether others used the machine so much that figures mean little.
    fn busy(&self) -> bool {
        let usual = |figures| over_starts(figures, Windows::median_added);
        self.of(name::JWT_AUTHN).is_none_or(|figures| usual(figures) > BUSY * added(figures))
    }

    fn judged(&self) -> Vec<Judged> {
        let added = |row| self.of(row).map_or(f64::NAN, added);
        let mut judged: Vec<Judged> = GOALS
            .iter()
            .map(|goal| {
                let what = format!("{} / {}", goal.row, goal.of);
                Judged::new(what, added(goal.row) / added(goal.of), goal.must, goal.aim)
            })
            .collect();
        let (must, aim) = MODULE;
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let size = megabytes(self.weights.module);
        judged.push(Judged::new("size of the module, MB", size, megabytes(must), Some(megabytes(aim))));
        judged
    }

    fn of(&self, name: &str) -> Option<&[Windows]> {
        self.rows.iter().zip(&self.figures).find(|(row, _)| row.name == name).map(|(_, figures)| figures.as_slice())
    }
}

fn total(figures: &[Windows]) -> f64 {
    over_starts(figures, |windows| lowest(&windows.load))
}

fn twin(figures: &[Windows]) -> f64 {
    over_starts(figures, |windows| lowest(&windows.twin))
}

fn added(figures: &[Windows]) -> f64 {
    over_starts(figures, Windows::added)
}

fn machine() -> Value {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cpus = cpu.lines().filter(|line| line.starts_with("processor")).count();
    json!({
        "cpu": model.trim_start_matches(['\t', ' ', ':']),
        "cpus": cpus,
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "load_average": read("/proc/loadavg").split(' ').next(),
    })
}

fn first_line(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().expect("the program runs").stdout;
    let text = String::from_utf8_lossy(&output);
    text.lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
        .trim()
        .rsplit("version: ")
        .next()
        .unwrap_or_default()
        .to_owned()
}
