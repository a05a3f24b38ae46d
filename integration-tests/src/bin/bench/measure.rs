//! Rounds: every load in random order, each beside its twin, which is the same requests to an Envoy without filters.

use crate::field::{Field, To};
use crate::load::{Bytes, Load};
use crate::proxy::Proxy;
use crate::rows::Row;

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Extent {
    /// How often all proxies are started anew.
    pub starts: usize,
    /// How often each load is measured after one start.
    pub rounds: usize,
    /// Requests of one load in one round.
    pub requests: usize,
}

/// What was measured of one row after one start: CPU time of the proxy for one request, in microseconds, a figure a window.
#[derive(Clone, Default)]
pub struct Windows {
    /// With the filter.
    pub load: Vec<f64>,
    /// The same requests without.
    pub twin: Vec<f64>,
}

/// What was measured of one row, start by start.
pub type Figures = Vec<Windows>;

/// Requests of each load before anything counts: functions are compiled when they are first called, and memory is taken.
const WARM_UP: usize = 2000;

/// Requests that are measured together, a few milliseconds' worth: where others use the same cores, most windows are
/// disturbed, and only short ones are ever undisturbed from end to end.
const WINDOW: usize = 40;

/// Measures all rows once after a start; the result is in their order.
pub async fn all(field: &Field, rows: &[Row], extent: Extent) -> Result<Vec<Windows>, String> {
    let mut figures = vec![Windows::default(); rows.len()];
    let warm_up = WARM_UP.div_ceil(extent.requests);
    for round in 0..warm_up.saturating_add(extent.rounds) {
        for at in shuffled(rows.len()) {
            let (Some(row), Some(figures)) = (rows.get(at), figures.get_mut(at)) else { continue };
            let (first, requests) = row.take(field, extent.requests);
            let mut sides =
                [("the twin of ", To::Plain, 200, &mut figures.twin), ("", row.to, row.status, &mut figures.load)];
            // Whichever comes second finds other caches than the first.
            if round % 2 == 1 {
                sides.reverse();
            }
            for (whose, to, status, windows) in sides {
                let spent = spent(field.proxy(to), &first, &requests, status);
                let spent = spent.map_err(|error| format!("{whose}{}: {error}", row.name))?;
                if round >= warm_up {
                    windows.extend(spent);
                }
            }
        }
    }
    Ok(figures)
}

/// What the requests cost, window by window.
fn spent(proxy: &Proxy, first: &[Bytes], requests: &[Bytes], status: u16) -> Result<Vec<f64>, String> {
    let mut load = Load::open(proxy.place.port, first, status)?;
    let window = |requests: &[Bytes]| {
        let before = proxy.cpu();
        tokio::task::block_in_place(|| load.run(requests.iter().map(|request| (request, status))))?;
        let spent = proxy.cpu() - before;
        Ok(spent.as_secs_f64() * 1e6 / requests.len() as f64)
    };
    requests.chunks(WINDOW).map(window).collect()
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

impl Windows {
    /// What the filter adds: between the means of the lowest tenths, where neighbours on the machine disturbed least.
    pub fn added(&self) -> f64 {
        lowest(&self.load) - lowest(&self.twin)
    }

    /// The same between the medians: what it costs while neighbours disturb.
    pub fn median_added(&self) -> f64 {
        median(self.load.clone()) - median(self.twin.clone())
    }
}

/// A figure of each start, put together: where a start lays its code decides how well the CPU's caches hold it, which is
/// worth some microseconds, so that no single start tells what a filter costs.
pub fn over_starts(figures: &[Windows], figure: impl Fn(&Windows) -> f64) -> f64 {
    median(figures.iter().map(figure).collect())
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
    fn a_disturbed_window_changes_nothing() {
        let load = vec![30.0, 31.0, 29.0, 95.0, 33.0, 32.0, 40.0, 36.0];
        let twin = vec![20.0, 21.0, 80.0, 20.0, 22.0, 23.0, 24.0, 20.0];
        let windows = Windows { load, twin };
        assert_eq!((windows.added(), windows.median_added()), (9.0, 11.0));
    }

    #[test]
    fn a_start_with_bad_luck_changes_nothing() {
        let start = |load: f64| Windows { load: vec![load], twin: vec![40.0] };
        let figures = [60.0, 90.0, 62.0].map(start);
        assert_eq!(over_starts(&figures, Windows::added), 22.0);
    }
}
