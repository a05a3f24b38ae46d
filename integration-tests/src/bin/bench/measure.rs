//! Rounds: every load in random order, each right after its twin, which is the same requests to an Envoy without filters.

use crate::field::{Field, To};
use crate::load::{Bytes, Load};
use crate::proxy::Proxy;
use crate::rows::Row;

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Extent {
    /// How often each load is measured.
    pub rounds: usize,
    /// Requests of one load in one round.
    pub requests: usize,
}

/// What was measured of one row, one figure a round: CPU time of the proxy for one request, in microseconds.
#[derive(Clone, Default)]
pub struct Figures {
    /// With the filter.
    pub load: Vec<f64>,
    /// The same requests without.
    pub twin: Vec<f64>,
}

/// Requests of each load before anything counts: memory is taken, and V8 compiles a function well only once it has run some
/// ten thousand times.
const WARM_UP: usize = 12_000;

/// Measures all rows; the result is in their order.
pub async fn all(field: &Field, rows: &[Row], extent: Extent) -> Result<Vec<Figures>, String> {
    let mut figures = vec![Figures::default(); rows.len()];
    let warm_up = WARM_UP.div_ceil(extent.requests);
    for round in 0..warm_up.saturating_add(extent.rounds) {
        for at in shuffled(rows.len()) {
            let (Some(row), Some(figures)) = (rows.get(at), figures.get_mut(at)) else { continue };
            let (first, requests) = row.take(field, extent.requests);
            let twin = cost(field.proxy(To::Plain), &first, &requests, 200);
            let twin = twin.map_err(|error| format!("the twin of {}: {error}", row.name))?;
            let load = cost(field.proxy(row.to), &first, &requests, row.status);
            let load = load.map_err(|error| format!("{}: {error}", row.name))?;
            if round >= warm_up {
                figures.twin.push(twin);
                figures.load.push(load);
            }
        }
        progress((round + 1).checked_sub(warm_up), extent.rounds);
    }
    Ok(figures)
}

fn cost(proxy: &Proxy, first: &[Bytes], requests: &[Bytes], status: u16) -> Result<f64, String> {
    let mut load = Load::open(proxy.place.port, first, status)?;
    let before = proxy.cpu();
    tokio::task::block_in_place(|| load.run(requests.iter().map(|request| (request, status))))?;
    let spent = proxy.cpu() - before;
    Ok(spent.as_secs_f64() * 1e6 / requests.len() as f64)
}

fn shuffled(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for at in (1..count).rev() {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).expect("the system gives random bytes");
        order.swap(at, (u64::from_le_bytes(bytes) % (at as u64 + 1)) as usize);
    }
    order
}

fn progress(measured: Option<usize>, rounds: usize) {
    let Some(measured) = measured else { return };
    if measured == 0 {
        eprintln!("• warmed up");
    } else if measured.is_multiple_of(20) || measured == rounds {
        eprintln!("• round {measured} of {rounds}");
    }
}

impl Figures {
    /// What the filter adds: between the means of the lowest tenths, where neighbours on the machine disturbed least. On
    /// shared machines whole seconds cost three times what others do, so rounds are short and many.
    pub fn added(&self) -> f64 {
        lowest(&self.load) - lowest(&self.twin)
    }

    /// The median of the rounds' own differences.
    pub fn median_added(&self) -> f64 {
        median(self.load.iter().zip(&self.twin).map(|(load, twin)| load - twin).collect())
    }
}

/// The mean of the lowest tenth.
pub fn lowest(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let tenth = values.len().div_ceil(10);
    values.iter().take(tenth).sum::<f64>() / tenth.max(1) as f64
}

/// The median.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = |at: usize| values.get(at).copied().unwrap_or_default();
    let upper = values.len() / 2;
    if values.len() % 2 == 1 { middle(upper) } else { (middle(upper.saturating_sub(1)) + middle(upper)) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturbed_round_changes_nothing() {
        let load = vec![30.0, 31.0, 29.0, 95.0, 33.0, 32.0, 40.0, 36.0];
        let twin = vec![20.0, 21.0, 80.0, 20.0, 22.0, 23.0, 24.0, 20.0];
        let figures = Figures { load, twin };
        assert_eq!((figures.added(), figures.median_added()), (9.0, 10.5));
    }
}
