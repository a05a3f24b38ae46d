//! Finds a request's rule among many: by host and path first, so that a thousand rules cost what one does.

use super::rules::Asked;
use crate::config::{HostMatch, Match, PathMatch};
use crate::words::ByName;

/// The rules by what they match, each by its place in the configuration.
#[derive(Default)]
pub struct Index {
    exact: ByName<Paths>,
    /// By what hosts end in, which begins with a dot.
    suffixes: ByName<Paths>,
    any: Paths,
}

/// The rules of one host, by path.
#[derive(Default)]
struct Paths {
    exact: ByName<Vec<usize>>,
    prefixes: ByName<Vec<usize>>,
    /// The lengths of the prefixes: nothing else is looked up.
    lengths: Vec<usize>,
}

impl Index {
    /// Files the rules in their order.
    pub fn new<'a>(rules: impl Iterator<Item = &'a Match>) -> Self {
        let mut index = Self::default();
        for (place, wanted) in rules.enumerate() {
            let file = |paths: &mut Paths| paths.file(&wanted.path, place);
            match &wanted.host {
                HostMatch::Any => file(&mut index.any),
                HostMatch::Exact { host, .. } => index.exact.change(host, file),
                HostMatch::Suffix(suffix) => index.suffixes.change(suffix, file),
            }
        }
        index
    }

    /// The first rule whose host and path cover these, and which `fits` in all else.
    pub fn first(&self, asked: &Asked<'_>, path: &str, fits: &dyn Fn(usize) -> bool) -> Option<usize> {
        let host = &*asked.host;
        let mut first = None;
        self.any.find(path, fits, &mut first);
        if let Some(paths) = self.exact.get(host) {
            paths.find(path, fits, &mut first);
        }
        if !self.suffixes.is_empty() {
            for at in memchr::memchr_iter(b'.', host.as_bytes()) {
                let end = host.get(at..).filter(|_| at > 0);
                if let Some(paths) = end.and_then(|end| self.suffixes.get(end)) {
                    paths.find(path, fits, &mut first);
                }
            }
        }
        first
    }
}

impl Paths {
    fn file(&mut self, path: &PathMatch, place: usize) {
        let add = |places: &mut Vec<usize>| places.push(place);
        match path {
            PathMatch::Exact(path) => self.exact.change(path, add),
            PathMatch::Prefix(prefix) => {
                self.prefixes.change(prefix, add);
                if !self.lengths.contains(&prefix.len()) {
                    self.lengths.push(prefix.len());
                }
            }
        }
    }

    /// Puts the first rule that covers `path` and `fits` into `first`, where that is none or a later one.
    fn find(&self, path: &str, fits: &dyn Fn(usize) -> bool, first: &mut Option<usize>) {
        keep(self.exact.get(path), fits, first);
        for length in &self.lengths {
            if let Some((prefix, rest)) = path.split_at_checked(*length)
                && (rest.is_empty() || rest.starts_with('/'))
            {
                keep(self.prefixes.get(prefix), fits, first);
            }
        }
    }
}

fn keep(places: Option<&Vec<usize>>, fits: &dyn Fn(usize) -> bool, first: &mut Option<usize>) {
    // In the order of the rules: what comes after one that is known already is not asked.
    for place in places.into_iter().flatten() {
        if first.is_some_and(|first| first < *place) {
            return;
        }
        if fits(*place) {
            *first = Some(*place);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    fn wanted(host: HostMatch, path: PathMatch) -> Match {
        Match { host, path, methods: Vec::new(), headers: Vec::new() }
    }

    fn exact(host: &str) -> HostMatch {
        HostMatch::Exact { host: host.to_owned(), port: None }
    }

    fn below(prefix: &str) -> PathMatch {
        PathMatch::Prefix(prefix.to_owned())
    }

    /// Every rule of a small world against every request of it: the index finds what a walk over all rules finds.
    #[test]
    fn it_finds_what_a_walk_over_all_rules_finds() {
        let hosts =
            [HostMatch::Any, exact("a.example"), HostMatch::Suffix(".example".to_owned()), exact("b.a.example")];
        let paths = [
            below(""),
            below("/x"),
            below("/x/y"),
            PathMatch::Exact("/x".to_owned()),
            PathMatch::Exact("/".to_owned()),
        ];
        let pairs = || hosts.iter().flat_map(|host| paths.iter().map(move |path| wanted(host.clone(), path.clone())));
        let rules: Vec<Match> = pairs().collect();
        for turn in 0..rules.len() {
            let mut rules = rules.clone();
            rules.rotate_left(turn);
            let index = Index::new(rules.iter());
            for host in ["a.example", "b.a.example", "example", "other", "c.example"] {
                for path in ["/", "/x", "/x/", "/x/y", "/xy", "/x/y/z", "/y"] {
                    let asked = Asked { host: Cow::Borrowed(host), port: Some(443), path: Ok(Cow::Borrowed(path)) };
                    let walk = |odd: bool| {
                        let covers = |rule: &Match| crate::exchange::rules::covers_host_and_path(rule, &asked, path);
                        rules.iter().enumerate().position(|(at, rule)| covers(rule) && (!odd || at % 2 == 1))
                    };
                    assert_eq!(index.first(&asked, path, &|_| true), walk(false), "{host} {path} after {turn}");
                    assert_eq!(index.first(&asked, path, &|at| at % 2 == 1), walk(true), "{host} {path} after {turn}");
                }
            }
        }
    }
}
