//! Reads which requests a rule is for, and compares that between rules.

use super::addresses::is_token;
use super::problem::{member, quoted};
use super::section::Section;
use super::{HostMatch, Match, PathMatch};
use crate::http::{self, Url, path};

/// Reads the section `match`; everything where it is absent.
pub(super) fn read(section: &Section) -> Match {
    Match {
        host: read_host(section),
        path: read_path(section),
        methods: read_methods(section),
        headers: read_headers(section),
    }
}

fn read_host(section: &Section) -> HostMatch {
    let Some(text) = section.text("host") else {
        return HostMatch::Any;
    };
    if text == "*" {
        section.problem("host", "every host is what leaving the key out means");
        return HostMatch::Any;
    }
    let (suffix, name) = match text.strip_prefix("*.") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    match http::host(name) {
        Some((host, None)) if suffix => HostMatch::Suffix(format!(".{host}")),
        Some((host, port)) if !suffix => HostMatch::Exact { host: host.into_owned(), port },
        _ => {
            section.problem("host", format!("{} is not a host, host:port, or *.host", quoted(text)));
            HostMatch::Any
        }
    }
}

fn read_path(section: &Section) -> PathMatch {
    let everything = PathMatch::Prefix(String::new());
    match (section.text("path"), section.text("path_prefix")) {
        (None, None) => everything,
        (Some(_), Some(_)) => {
            section.problem("path_prefix", "contradicts `path` beside it: a rule has one of them");
            everything
        }
        (Some(exact), None) => canonical(section, "path", exact).map_or(everything, PathMatch::Exact),
        (None, Some(prefix)) => match canonical(section, "path_prefix", prefix) {
            Some(prefix) => PathMatch::Prefix(prefix.strip_suffix('/').unwrap_or(&prefix).to_owned()),
            None => everything,
        },
    }
}

/// A path of ours in its one spelling; reports what has another one.
pub(super) fn canonical(section: &Section, key: &str, text: &str) -> Option<String> {
    if text.contains(['?', '#']) {
        section.problem(key, "is a path alone, without ? and #");
        return None;
    }
    match path::canonical(text) {
        Ok(path) if path == text => Some(path.into_owned()),
        Ok(path) => {
            section.problem(key, format!("{} is spelled {} here: write that", quoted(text), quoted(&path)));
            None
        }
        Err(reason) => {
            section.problem(key, format!("{} {reason}", quoted(text)));
            None
        }
    }
}

fn read_methods(section: &Section) -> Vec<String> {
    let methods = section.texts("methods");
    for method in &methods {
        // Methods are case-sensitive (RFC 9110 §9.1).
        if !is_token(method) || method.bytes().any(|byte| byte.is_ascii_lowercase()) {
            section.problem("methods", format!("{} is not a method in capitals, as GET is", quoted(method)));
        }
    }
    methods.into_iter().map(str::to_owned).collect()
}

fn read_headers(section: &Section) -> Vec<(String, String)> {
    let headers = section.text_map("headers");
    if section.has("headers") && headers.is_empty() {
        section.problem("headers", "is empty and asks for nothing: leave the key out");
    }
    for (name, _) in &headers {
        if !is_token(name) {
            let path = member(&section.at("headers"), name);
            section.context.problems.add(path, "is not a header name: letters, digits and - (RFC 9110 §5.1)");
        }
    }
    headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
}

impl Match {
    /// Whether every request that `other` is for is one of these too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.host.covers(&other.host)
            && self.path.covers(&other.path)
            && (self.methods.is_empty() || !other.methods.is_empty() && is_subset(&other.methods, &self.methods))
            && is_subset(&self.headers, &other.headers)
    }

    /// Whether a browser that opens `uri` comes here.
    pub(super) fn takes_page(&self, uri: &Url) -> bool {
        let host = HostMatch::Exact { host: uri.host().to_owned(), port: Some(uri.effective_port()) };
        let path = path::canonical(uri.path()).is_ok_and(|path| self.path.covers(&PathMatch::Exact(path.into_owned())));
        let get = self.methods.is_empty() || self.methods.iter().any(|method| method == "GET");
        path && get && self.headers.is_empty() && self.host.covers(&host)
    }

    /// Whether the host alone decides.
    pub(super) fn is_whole_host(&self) -> bool {
        self.path == PathMatch::Prefix(String::new()) && self.methods.is_empty() && self.headers.is_empty()
    }
}

impl HostMatch {
    /// Whether every host that `other` means is meant here too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Exact { host, port }, Self::Exact { host: other, port: theirs }) => {
                host == other && (port.is_none() || port == theirs)
            }
            (Self::Suffix(suffix), Self::Exact { host, .. }) => host.ends_with(suffix.as_str()),
            (Self::Suffix(suffix), Self::Suffix(other)) => other.ends_with(suffix.as_str()),
            (Self::Exact { .. } | Self::Suffix(_), _) => false,
        }
    }

    /// Whether some host is meant by both.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact { host, port: Some(port) }, Self::Exact { host: other, port: Some(theirs) }) => {
                host == other && port == theirs
            }
            (Self::Exact { host, .. }, Self::Exact { host: other, .. }) => host == other,
            _ => self.covers(other) || other.covers(self),
        }
    }
}

impl PathMatch {
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Prefix(prefix), Self::Prefix(path) | Self::Exact(path)) => path::covers(prefix, path),
            (Self::Exact(path), Self::Exact(other)) => path == other,
            (Self::Exact(_), Self::Prefix(_)) => false,
        }
    }
}

fn is_subset<T: PartialEq>(few: &[T], many: &[T]) -> bool {
    few.iter().all(|one| many.contains(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(host: &str, port: Option<u16>) -> HostMatch {
        HostMatch::Exact { host: host.into(), port }
    }

    /// O04: a suffix is a suffix of labels.
    #[test]
    fn hosts_cover_and_overlap() {
        let below = HostMatch::Suffix(".example.com".into());
        assert!(below.covers(&exact("a.example.com", Some(8443))));
        for host in ["example.com", "evil-example.com", "a.example.com.evil.io"] {
            assert!(!below.covers(&exact(host, None)), "{host}");
        }
        assert!(below.covers(&HostMatch::Suffix(".a.example.com".into())));
        assert!(!HostMatch::Suffix(".a.example.com".into()).covers(&below));
        assert!(exact("a", None).covers(&exact("a", Some(1))) && !exact("a", Some(1)).covers(&exact("a", None)));
        assert!(exact("a", Some(1)).overlaps(&exact("a", None)) && !exact("a", Some(1)).overlaps(&exact("a", Some(2))));
        assert!(HostMatch::Any.covers(&below) && !below.covers(&HostMatch::Any) && below.overlaps(&HostMatch::Any));
    }

    #[test]
    fn paths_cover_by_segments() {
        let prefix = |path: &str| PathMatch::Prefix(path.into());
        let exact = |path: &str| PathMatch::Exact(path.into());
        assert!(prefix("").covers(&exact("/a")) && prefix("/a").covers(&prefix("/a/b")));
        assert!(!prefix("/a").covers(&exact("/ab")) && !exact("/a").covers(&prefix("/a")));
    }
}
