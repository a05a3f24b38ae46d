//! How long an answer takes at a fixed rate, seen from the client.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::field::Field;
use crate::load::{Bytes, Connection};
use crate::rows::{Row, name};

/// The rows that are looked at.
const ROWS: [&str; 6] = [name::PLAIN, name::JWT_AUTHN, name::EXT_AUTHZ, name::SEEN, name::OPENED, name::BEARER];
const CONNECTIONS: u32 = 4;
const PER_SECOND: u32 = 400;
const SECONDS: u32 = 3;

/// Of one row, in microseconds.
pub struct Latency {
    /// The row.
    pub row: &'static str,
    /// Half of the answers took no longer.
    pub p50: f64,
    /// 99 of 100 took no longer.
    pub p99: f64,
}

impl Latency {
    /// As JSON.
    pub fn json(&self) -> Value {
        json!({ "row": self.row, "p50_us": self.p50, "p99_us": self.p99 })
    }
}

/// Measures them one after the other.
pub async fn all(field: &Field, rows: &[Row]) -> Result<Vec<Latency>, String> {
    let mut latencies = Vec::new();
    for row in rows.iter().filter(|row| ROWS.contains(&row.name)) {
        let (_, requests) = row.take(field, (PER_SECOND * SECONDS) as usize);
        let port = field.proxy(row.to).place.port;
        let mut times = at_a_fixed_rate(port, &requests, row.status).await?;
        times.sort();
        let at = |part: f64| {
            times.get((times.len() as f64 * part) as usize).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
        };
        latencies.push(Latency { row: row.name, p50: at(0.5), p99: at(0.99) });
    }
    Ok(latencies)
}

async fn at_a_fixed_rate(port: u16, requests: &[Bytes], status: u16) -> Result<Vec<Duration>, String> {
    let begin = Instant::now() + Duration::from_millis(50);
    let mut tasks = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let ours = requests.iter().enumerate().skip(connection as usize).step_by(CONNECTIONS as usize);
        let ours: Vec<_> = ours.map(|(at, request)| (at as u32, request.clone())).collect();
        tasks.spawn(async move {
            let mut connection = Connection::open(port).await.map_err(|error| error.to_string())?;
            let mut times = Vec::with_capacity(ours.len());
            for (at, request) in ours {
                let due = begin + Duration::from_secs(1) * at / PER_SECOND;
                let free = Instant::now();
                tokio::time::sleep_until(due.into()).await;
                // Who waits behind a slow answer waits from when he was due; that our own timer woke late is not Envoy's fault.
                let from = if free > due { due } else { Instant::now() };
                let found = connection.ask(&request).await.map_err(|error| error.to_string())?;
                if found != status {
                    return Err(format!("answered {found} instead of {status}"));
                }
                times.push(from.elapsed());
            }
            Ok(times)
        });
    }
    let times = tasks.join_all().await.into_iter().collect::<Result<Vec<_>, String>>()?;
    Ok(times.concat())
}
