//! Reads how a rule exchanges tokens.

use super::problem::quoted;
use super::rule_reader::NamedProvider;
use super::section::Section;
use super::{Exchange, ExchangeConditions};
use crate::words::Method;

/// The section `exchange`; `None` where there is none, or where something in it was wrong, which is then reported.
pub(super) fn read(
    token: &Section,
    methods: &[Method],
    places: &[usize],
    providers: &[NamedProvider],
) -> Option<Exchange> {
    if !token.has("exchange") {
        return None;
    }
    let section = token.section("exchange");
    let provider = match (section.text("provider"), places) {
        (Some(name), _) => {
            let place = providers.iter().position(|(known, _)| known == name);
            if place.is_none() {
                section.problem("provider", format!("{} is not under providers", quoted(name)));
            }
            place
        }
        (None, [only]) => Some(*only),
        (None, _) => {
            section.problem("provider", "is missing: the rule has not exactly one provider, which it would be");
            None
        }
    }?;
    if let Some(client) = providers.get(provider).and_then(|(_, provider)| provider.as_ref()).map(|it| &it.client)
        && !client.is_registered()
    {
        section.problem("provider", "needs a client at that provider: exchanging is our client's grant");
    }
    if methods.contains(&Method::GatewayToken) {
        section.problem_here("cannot be beside gateway_token: no provider knows tokens of the gateway's own");
    }
    let texts = |section: &Section, key: &str| section.owned_texts(key);
    let conditions = section.section("conditions");
    Some(Exchange {
        provider,
        audience: texts(&section, "audience"),
        resource: texts(&section, "resource"),
        scope: section.owned("scope"),
        acts: section.text("actor_token") == Some("client"),
        conditions: ExchangeConditions {
            has_scopes: texts(&conditions, "has_scopes"),
            missing_scopes: texts(&conditions, "missing_scopes"),
            has_audience: texts(&conditions, "has_audience"),
            missing_audience: texts(&conditions, "missing_audience"),
        },
    })
}
