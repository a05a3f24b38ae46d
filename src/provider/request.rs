//! Builds the calls to a provider's endpoints, and sends them.

use crate::config;
use crate::http::Url;
use crate::words::{Reason, Refusal, Secret};
use crate::world::{CallError, Endpoint, Host, Metric, ProviderRequest, ProviderResponse};

/// A `GET` of `url`, whose answer may have `limit` bytes.
pub fn get(
    settings: &config::Provider,
    endpoint: Endpoint,
    url: &Url,
    limit: usize,
) -> Result<Box<ProviderRequest>, Refusal> {
    build(settings, endpoint, "GET", url, Secret::new(""), limit)
}

/// A `POST` of a form to `url`; its body holds secrets.
pub fn post(
    settings: &config::Provider,
    endpoint: Endpoint,
    url: &Url,
    form: String,
    limit: usize,
) -> Result<Box<ProviderRequest>, Refusal> {
    let mut request = build(settings, endpoint, "POST", url, Secret::new(form), limit)?;
    request.headers.push(("content-type".to_owned(), Secret::new("application/x-www-form-urlencoded")));
    Ok(request)
}

fn build(
    settings: &config::Provider,
    endpoint: Endpoint,
    method: &'static str,
    url: &Url,
    body: Secret,
    limit: usize,
) -> Result<Box<ProviderRequest>, Refusal> {
    let Some(cluster) = settings.clusters.reaching(url) else {
        let detail = format!(
            "provider={}: the {} endpoint is on {}, which no cluster reaches: name one under providers.{}.clusters",
            settings.name,
            endpoint.name(),
            url.host(),
            settings.name,
        );
        return Err(Refusal::new(Reason::EndpointWithoutCluster, detail));
    };
    let mut headers = settings.request_headers.clone();
    headers.push(("accept".to_owned(), Secret::new("application/json")));
    headers.push(("user-agent".to_owned(), Secret::new("oidc-proxy-wasm")));
    Ok(Box::new(ProviderRequest {
        endpoint,
        cluster: cluster.to_owned(),
        method,
        scheme: url.scheme().as_str(),
        authority: url.authority().to_owned(),
        path: url.target().to_owned(),
        headers,
        body,
        timeout: settings.timeout,
        limit,
    }))
}

/// Sends a request. `unavailable` is the reason when there is no answer at all.
pub async fn send(
    host: &dyn Host,
    settings: &config::Provider,
    request: Box<ProviderRequest>,
    unavailable: Reason,
) -> Result<ProviderResponse, Refusal> {
    try_send(host, settings, request, unavailable).await.map_err(|(_, refusal)| refusal)
}

/// Sends a request, and says with the refusal what went wrong with the call.
pub async fn try_send(
    host: &dyn Host,
    settings: &config::Provider,
    request: Box<ProviderRequest>,
    unavailable: Reason,
) -> Result<ProviderResponse, (CallError, Refusal)> {
    let (endpoint, cluster) = (request.endpoint, request.cluster.clone());
    let outcome = host.call(*request).await;
    if outcome.as_ref().map_or(true, |response| response.status >= 500) {
        host.count(Metric::CallsFailed(endpoint));
    }
    outcome.map_err(|error| {
        let (reason, what) = match error {
            CallError::UnknownCluster => (Reason::ClusterUnknown, format!("the host has no cluster {cluster:?}")),
            CallError::Busy => (Reason::ProviderBusy, "too many calls are under way".to_owned()),
            CallError::NoAnswer => (unavailable, "no answer in time".to_owned()),
            CallError::TooLarge => (unavailable, "the answer is larger than any such answer has to be".to_owned()),
        };
        let detail = format!("provider={} endpoint={}: {what}", settings.name, endpoint.name());
        (error, Refusal::new(reason, detail))
    })
}
