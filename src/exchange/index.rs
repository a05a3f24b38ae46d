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
    exact: ByName<Vec<Filed>>,
    prefixes: ByName<Vec<Filed>>,
    /// The lengths of the prefixes: nothing else is looked up.
    lengths: Vec<usize>,
}

/// A rule by its place.
#[derive(Clone, Copy)]
struct Filed {
    place: usize,
    /// Whether it asks for more than a host and a path.
    asks_more: bool,
}

impl Index {
    /// Files the rules in their order.
    pub fn new<'a>(rules: impl Iterator<Item = &'a Match>) -> Self {
        let mut index = Self::default();
        for (place, wanted) in rules.enumerate() {
            let of_host = matches!(wanted.host, HostMatch::Exact { port: Some(_), .. });
            let asks_more = of_host || !wanted.methods.is_empty() || !wanted.headers.is_empty();
            let file = |paths: &mut Paths| paths.file(&wanted.path, Filed { place, asks_more });
            match &wanted.host {
                HostMatch::Any => file(&mut index.any),
                HostMatch::Exact { host, .. } => index.exact.change(host, file),
                HostMatch::Suffix(suffix) => index.suffixes.change(suffix, file),
            }
        }
        index
    }

    /// The first rule whose host and path cover these, and which `fits` where it asks for more than they.
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
    fn file(&mut self, path: &PathMatch, rule: Filed) {
        let add = |rules: &mut Vec<Filed>| rules.push(rule);
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

fn keep(rules: Option<&Vec<Filed>>, fits: &dyn Fn(usize) -> bool, first: &mut Option<usize>) {
    // In the order of the rules: what comes after one that is known already is not asked.
    for rule in rules.into_iter().flatten() {
        if first.is_some_and(|first| first < rule.place) {
            return;
        }
        if !rule.asks_more || fits(rule.place) {
            *first = Some(rule.place);
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
        let all: Vec<Match> = pairs().collect();
        // Every second one asks for a method besides, which the requests do not have; or none does.
        for (turn, odd) in (0..all.len()).flat_map(|turn| [(turn, false), (turn, true)]) {
            let mut rules = all.clone();
            rules.rotate_left(turn);
            if odd {
                rules.iter_mut().step_by(2).for_each(|rule| rule.methods.push("PUT".to_owned()));
            }
            let index = Index::new(rules.iter());
            for host in ["a.example", "b.a.example", "example", "other", "c.example"] {
                for path in ["/", "/x", "/x/", "/x/y", "/xy", "/x/y/z", "/y"] {
                    let asked = Asked { host: Cow::Borrowed(host), port: Some(443), path: Ok(Cow::Borrowed(path)) };
                    let covers = |rule: &Match| crate::exchange::rules::covers_host_and_path(rule, &asked, path);
                    let fits = |rule: &Match| rule.methods.is_empty();
                    let walk = rules.iter().position(|rule| covers(rule) && fits(rule));
                    let found = index.first(&asked, path, &|at| fits(&rules[at]));
                    assert_eq!(found, walk, "{host} {path} after {turn}");
                }
            }
        }
    }
}
