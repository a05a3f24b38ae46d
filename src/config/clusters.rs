//! The host's clusters for a provider's hosts, and whether they reach all that will be called.

use super::metadata::ALIASES;
use super::problem::member;
use super::section::Section;
use super::{Clusters, Discovery, Provider};
use crate::http::{self, Url};
use crate::words::ByName;
use crate::words::json::Object;
use serde_json::Value;

/// Endpoints in the metadata that this filter calls itself.
const CALLED: [&str; 4] = ["token_endpoint", "userinfo_endpoint", "introspection_endpoint", "jwks_uri"];

/// Reads `cluster` and `clusters`. The provider's own hosts are those that the operator wrote down.
pub(super) fn read(section: &Section, issuer: &Url, discovery: &Discovery, metadata: &Object) -> Clusters {
    let mut by_host = ByName::default();
    for (name, cluster) in section.text_map("clusters") {
        match http::host(&name) {
            Some((host, None)) => by_host.insert(&host, cluster),
            _ => {
                section.context.problems.add(member(&section.at("clusters"), &name), "is not a host name without port")
            }
        }
    }
    let mut own = vec![issuer.host().to_owned()];
    if let Discovery::Fetched(url) = discovery {
        own.push(url.host().to_owned());
    }
    let endpoints = CALLED.iter().filter_map(|name| metadata.get(*name)?.as_str());
    let aliases = metadata.get(ALIASES).and_then(Value::as_object);
    let aliases = aliases.into_iter().flat_map(Object::values).filter_map(Value::as_str);
    own.extend(endpoints.chain(aliases).filter_map(|text| Some(Url::parse(text).ok()?.host().to_owned())));
    Clusters { default: section.owned("cluster"), own, by_host }
}

/// Reports endpoints that are known already and that no cluster reaches.
pub(super) fn check(section: &Section, provider: &Provider) {
    if provider.clusters.default.is_none() && section.has("cluster") {
        return;
    }
    if provider.clusters.default.is_none() && provider.clusters.by_host.is_empty() {
        return section.problem("cluster", "is missing: the name of the host's cluster for this provider");
    }
    if let Discovery::Fetched(url) = &provider.discovery {
        check_reached(section, provider, url);
    }
    let fetched = |name: &&&str| **name != "jwks_uri" || provider.jwks.is_none();
    for name in CALLED.iter().filter(fetched) {
        let aliases = provider.metadata.get(ALIASES).filter(|_| provider.client.authentication.is_by_tls());
        let alias = aliases.and_then(|aliases| aliases.get(*name));
        let endpoint = alias.or_else(|| provider.metadata.get(*name)).and_then(Value::as_str);
        if let Some(url) = endpoint.and_then(|endpoint| Url::parse(endpoint).ok()) {
            check_reached(section, provider, &url);
        }
    }
}

fn check_reached(section: &Section, provider: &Provider, url: &Url) {
    if provider.clusters.reaching(url).is_none() {
        let host = url.host();
        section.problem(
            "clusters",
            format!("no cluster for {host}: add `{host}: NAME`, or a `cluster` for the provider's own hosts"),
        );
    }
}
