//! `bench hot`: which functions of the module the loads run, and which way their branches go, as a module tells that logs them
//! (`tools/hot-functions.sh`).

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::field::Field;
use crate::load::Load;
use crate::rows::{Requests, Row};

/// Of each load: what runs once in a request is logged then, and what ran while the proxy started is not.
const REQUESTS: usize = 2_100;

/// What the module tells, a number and a way each: first what most loads do, and of these in the order in which it was first
/// done.
pub fn ways(field: &Field, mut rows: Vec<Row>) -> Result<Vec<String>, String> {
    // Loads of what was seen before come first.
    rows.sort_by_key(|row| matches!(row.requests, Requests::Fresh | Requests::Ring(..)));
    let mut found: Vec<(String, BTreeSet<&str>)> = Vec::new();
    for row in &rows {
        let proxy = field.proxy(row.to);
        let before = proxy.log().len();
        let (first, requests) = row.take(field, REQUESTS);
        let mut load = Load::open(proxy.place.port, &first, row.status)?;
        tokio::task::block_in_place(|| load.run(requests.iter().map(|request| (request, row.status))))?;
        for line in proxy.log()[before..].lines() {
            let Some((_, way)) = line.rsplit_once("hot ") else { continue };
            match found.iter_mut().find(|(known, _)| known == way) {
                Some((_, loads)) => {
                    loads.insert(row.name);
                }
                None => found.push((way.to_owned(), BTreeSet::from([row.name]))),
            }
        }
    }
    found.sort_by_key(|(_, loads)| Reverse(loads.len()));
    Ok(found.into_iter().map(|(way, _)| way).collect())
}
