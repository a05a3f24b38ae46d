//! The endpoints that the filter owns. They come before any rule.

use super::{Guest, answer, client_keys, gateway, limit, operator, resource_metadata, session_info};
use crate::config::{Allow, Config, HostMatch};
use crate::exchange::Gate;
use crate::http::well_known::{issuer_path, resource_path};
use crate::methods::authorization_code::Ending;
use crate::methods::{self, Guard, Proof, authorization_code};
use crate::policy;
use crate::session::logout;
use crate::words::{ByName, Reason, Refusal, Request, Stop, Verdict};
use crate::world::World;

/// What a path of ours is for, on one host.
pub struct Endpoint {
    /// The host, in lower case; every host without one.
    pub host: Option<String>,
    /// What it is for.
    pub serves: Serves,
    /// The rules that it serves, by their place.
    pub guards: Vec<usize>,
}

/// What an endpoint is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
    /// The browser comes back from the provider.
    Callback,
    /// Another site begins a login.
    Initiate,
    /// A web page learns who its user is.
    SessionInfo,
    /// Clients learn who issues tokens for the resource.
    ResourceMetadata,
    /// A person logs out.
    Logout,
    /// The browser comes back from the provider's logout.
    Landing,
    /// The provider says in an iframe that a session ended.
    FrontChannel,
    /// The provider posts that sessions ended.
    BackChannel,
    /// Operators revoke, look, and fetch anew.
    Operator,
    /// Clients of the gateway's own get tokens, and ask about them.
    Gateway(gateway::Asked),
    /// The provider at this place learns our public keys.
    ClientKeys(usize),
}

/// Every path of ours, with the rules that it serves.
pub fn of(guards: &[Guard], config: &Config) -> ByName<Vec<Endpoint>> {
    let mut endpoints: ByName<Vec<Endpoint>> = ByName::default();
    let mut add = |path: &str, host: Option<&str>, serves: Serves, at: usize| {
        endpoints.change(path, |here| match here.iter_mut().find(|known| known.host.as_deref() == host) {
            Some(known) => known.guards.push(at),
            None => here.push(Endpoint { host: host.map(str::to_owned), serves, guards: vec![at] }),
        });
    };
    for (at, guard) in guards.iter().enumerate() {
        if let Some((login, party)) = guard.login() {
            let host = Some(party.redirect_uri.host());
            add(party.redirect_uri.path(), host, Serves::Callback, at);
            if let Some(path) = &login.initiate_path {
                add(path, host, Serves::Initiate, at);
            }
            if let Some(path) = &guard.rule.session_info_path {
                add(path, host, Serves::SessionInfo, at);
            }
            if let Some(logout) = &guard.rule.logout {
                for (key, path) in logout.paths() {
                    let serves = match key {
                        "path" => Serves::Logout,
                        "landing_path" => Serves::Landing,
                        "front_channel_path" => Serves::FrontChannel,
                        _ => Serves::BackChannel,
                    };
                    add(path, host, serves, at);
                }
            }
        }
        if let Some(resource) = &guard.rule.token.resource {
            // Where the rule is for any host, its resource's name says nothing of the one that a client reaches us by.
            let host = match &guard.rule.matches.host {
                HostMatch::Any => None,
                HostMatch::Exact { .. } | HostMatch::Suffix(_) => Some(resource.url.host()),
            };
            add(&resource_path(&resource.url), host, Serves::ResourceMetadata, at);
        }
    }
    let mut own = |path: &str, host: Option<&str>, serves: Serves| {
        let endpoint = Endpoint { host: host.map(str::to_owned), serves, guards: Vec::new() };
        endpoints.change(path, |here| here.push(endpoint));
    };
    for (at, provider) in config.providers.iter().enumerate() {
        if let Some(path) = &provider.jwks_path {
            own(path, None, Serves::ClientKeys(at));
        }
    }
    if let Some(operator) = &config.operator {
        own(&operator.path, None, Serves::Operator);
    }
    if let Some(gateway) = &config.gateway_tokens {
        let host = Some(gateway.url.host());
        own(&issuer_path(&gateway.url), host, Serves::Gateway(gateway::Asked::Metadata));
        for (key, path) in gateway.paths() {
            let asked = match key {
                "revocation_path" => gateway::Asked::Revocation,
                "introspection_path" => gateway::Asked::Introspection,
                _ => gateway::Asked::Token,
            };
            own(path, host, Serves::Gateway(asked));
        }
    }
    endpoints
}

/// Serves a request for an endpoint of ours.
pub async fn serve(gate: &Gate, world: &World, endpoint: &Endpoint, request: &Request) -> Verdict {
    match endpoint.serves {
        Serves::Operator => return operator::serve(gate, world, request).await,
        Serves::Gateway(asked) => return gateway::serve(gate, world, asked, request).await,
        Serves::ClientKeys(provider) => {
            return answer::stopped(
                gate,
                world,
                None,
                request,
                client_keys::serve(gate, provider, request).unwrap_or_else(Stop::from),
            );
        }
        _ => {}
    }
    let guards: Vec<&Guard> = endpoint.guards.iter().filter_map(|at| gate.rules().get(*at)).collect();
    let Some(guard) = guards.first().copied() else {
        return answer::refused(gate, world, None, request, Reason::NoRule.into());
    };
    let (guard, outcome) = match endpoint.serves {
        Serves::Callback => {
            let Ending { guard: began, outcome } = authorization_code::callback(world, &guards, request).await;
            let guard = began.unwrap_or(guard);
            let outcome = match outcome.and_then(|proof| judged(guard, proof)) {
                Ok(proof) => Box::pin(methods::exchanged(world, guard, proof)).await,
                Err(stop) => Err(stop),
            };
            (guard, outcome)
        }
        Serves::ResourceMetadata => {
            (guard, Err(resource_metadata::serve(gate, guard, request).unwrap_or_else(Stop::from)))
        }
        Serves::SessionInfo => (guard, Err(session_info::serve(world, guard, request).await)),
        Serves::Logout | Serves::Landing | Serves::FrontChannel | Serves::BackChannel => {
            (guard, Err(logged_out(world, guard, endpoint.serves, request).await))
        }
        Serves::Operator | Serves::ClientKeys(_) | Serves::Gateway(_) => (guard, Err(Reason::NoRule.into())),
        Serves::Initiate => (guard, Err(authorization_code::initiate(world, guard, request).await)),
    };
    match outcome {
        Ok(proof) => limit::upstream(gate, world, guard, request, Guest::Known(proof)).await,
        Err(stop) => answer::stopped(gate, world, Some(guard), request, stop),
    }
}

async fn logged_out(world: &World, guard: &Guard, serves: Serves, request: &Request) -> Stop {
    let (Some(settings), Some(party)) = (&guard.rule.logout, &guard.party) else { return Reason::NoRule.into() };
    match serves {
        Serves::FrontChannel => logout::front_channel(world, party, request).await,
        Serves::BackChannel => logout::back_channel(world, settings, party, request).await,
        Serves::Landing => logout::land(settings, party, request),
        _ => logout::log_out(world, settings, party, request).await,
    }
}

/// A callback that goes on to the service passes as any request of its rule does: within what the rule requires. Whoever
/// may not pass is logged in all the same.
fn judged(guard: &Guard, mut proof: Box<Proof>) -> Result<Box<Proof>, Stop> {
    let verdict = match guard.rule.allow {
        Allow::Nobody => Err(Refusal::from(Reason::RuleForbids)),
        _ => policy::judge(&guard.rule, &mut proof.identity),
    };
    match verdict {
        Ok(()) => Ok(proof),
        Err(refusal) => Err(refusal.with_cookies(proof.cookies).into()),
    }
}
