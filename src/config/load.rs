//! From the text that the host hands over to a configuration without contradictions.

use super::keys::{PROVIDER, RULE, TOP};
use super::problem::{Problem, Problems, member, quoted};
use super::rule_reader::{self, NamedProvider};
use super::section::{Context, Section};
use super::{Bodies, Config, Consumers, Observability, Provider, Revocation, Rule};
use super::{
    addresses, cache_reader, consumer_reader, gateway_tokens_reader, merge, operator_reader, protobuf, provider_reader,
    session_reader, shape, store_reader, whole,
};
use crate::words::json::{self, JsonError, Object};
use serde_json::Value;
use std::rc::Rc;

/// The longest configuration, in bytes.
const MAX_LENGTH: usize = 1024 * 1024;

/// Reads and checks a configuration; `env` knows the variables that the host passed to the VM.
///
/// Everything that is wrong is told at once. What is unknown, missing, weak or contradictory refuses the whole.
pub fn load(text: &[u8], env: &dyn Fn(&str) -> Option<String>) -> Result<Config, Vec<Problem>> {
    let members = parse(text).map_err(|message| vec![Problem::new("", message)])?;
    let context = Context { problems: Problems::default(), env };
    shape::check(&TOP, &members, "", &context.problems);
    let config = read(&Section::new(&context, &TOP, String::new(), Some(&members)), &members);
    match (config, context.problems.into_vec()) {
        (Some(config), problems) if problems.is_empty() => Ok(config),
        // Whatever could not be read was reported; should that ever fail, nothing is let through for it.
        (None, problems) if problems.is_empty() => Err(vec![Problem::new("", "the configuration cannot be read")]),
        (_, problems) => Err(problems),
    }
}

fn parse(text: &[u8]) -> Result<Object, String> {
    if text.is_empty() {
        return Err("the configuration is empty: it needs `providers` and `session`".into());
    }
    if text.len() > MAX_LENGTH {
        return Err(format!("the configuration has {} bytes, needs {MAX_LENGTH} at most", text.len()));
    }
    // A JSON text never reads as a serialized message, nor the reverse.
    json::object(text).or_else(|error| match (error, protobuf::object(text)) {
        (_, Some(members)) => Ok(members),
        (JsonError::NotAnObject, None) => Err("the configuration is not a JSON object".into()),
        (JsonError::Malformed, None) => Err(malformed(text)),
    })
}

fn malformed(text: &[u8]) -> String {
    if let Err(error) = std::str::from_utf8(text) {
        return format!("the configuration is not UTF-8 at byte {}", error.valid_up_to());
    }
    match serde_json::from_slice::<serde::de::IgnoredAny>(text) {
        Err(error) => format!("the configuration is not JSON: line {}, column {}", error.line(), error.column()),
        Ok(_) => "the configuration has a key twice in one object, or nests too deep".into(),
    }
}

fn read(top: &Section, members: &Object) -> Option<Config> {
    let providers = read_providers(top);
    let consumers = Rc::new(consumer_reader::read(top));
    let rules = read_rules(top, members, &providers, &consumers);
    let problems = &top.context.problems;
    whole::check(&rules, problems);
    let complete: Vec<&Provider> = providers.iter().filter_map(|(_, provider)| provider.as_ref()).collect();
    if complete.len() == providers.len() {
        whole::check_providers(&rules, &complete, problems);
    }
    let needs_session = whole::needs_session(&rules);
    let rules: Vec<Rc<Rule>> = rules.into_iter().map(|(_, rule)| Rc::new(rule)).collect();
    let session = read_session(top, needs_session, &rules).map(Rc::new);
    let observability = read_observability(&top.section("observability"))?;
    let cache = cache_reader::read(&top.section("cache"))?;
    let revocation = read_revocation(&top.section("revocation"), session.as_deref())?;
    let operator = operator_reader::read(top, &providers);
    let gateway_tokens = gateway_tokens_reader::read(top, &consumers).map(Rc::new);
    let owned = whole::fixed_paths(&complete, operator.as_ref(), gateway_tokens.as_deref());
    whole::check_fixed_paths(&owned, &rules, problems);
    if gateway_tokens.is_none() && !top.has("gateway_tokens") {
        whole::check_gateway_method(&rules, problems);
    }
    let store = store_reader::read(top);
    let bodies = match top.text("bodies")? {
        "readable" => Bodies::Readable,
        _ => Bodies::Unreadable,
    };
    let providers = providers.into_iter().map(|(_, provider)| provider.map(Rc::new)).collect::<Option<Vec<_>>>()?;
    let asserted_headers = whole::asserted_headers(&rules, session.as_deref());
    let notes = whole::notes(&rules);
    Some(Config {
        bodies,
        providers,
        rules,
        gateway_tokens,
        session,
        store,
        revocation,
        operator,
        cache,
        observability,
        asserted_headers,
        notes,
    })
}

fn read_providers(top: &Section) -> Vec<NamedProvider> {
    let read = |(name, value): (&str, &Value)| {
        let path = member("providers", name);
        let section = Section::new(top.context, &PROVIDER, path, value.as_object());
        (name.to_owned(), provider_reader::read(&section, name))
    };
    let mut providers: Vec<NamedProvider> = top.members("providers").map(read).collect();
    providers.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    providers
}

/// The rules that could be read, with their places; without any, one that asks everyone to log in.
fn read_rules(
    top: &Section,
    members: &Object,
    providers: &[NamedProvider],
    consumers: &Rc<Consumers>,
) -> Vec<(usize, Rule)> {
    let empty = Object::new();
    let without_require = |members: &Object| json::filtered(members, &|name, _| name != "require");
    let defaults = top.section("defaults");
    let below = without_require(members.get("defaults").and_then(Value::as_object).unwrap_or(&empty));
    let everything = [json::of(vec![("name", "everything".into())])];
    let items = if top.has("rules") { top.items("rules") } else { everything.as_slice() };
    let mut rules = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let own = item.as_object().unwrap_or(&empty);
        let merged = merge::over(&below, &without_require(own));
        let path = if top.has("rules") { format!("rules[{place}]") } else { "defaults".into() };
        let section = |members| Section::new(top.context, &RULE, path.clone(), Some(members));
        let written = rule_reader::Written {
            place,
            own: &section(own),
            merged: &section(&merged),
            defaults: &defaults,
            providers,
            consumers,
        };
        rules.extend(rule_reader::read(&written).map(|rule| (place, rule)));
    }
    rules
}

fn read_session(top: &Section, needed_by: Option<usize>, rules: &[Rc<Rule>]) -> Option<super::Session> {
    if top.has("session") {
        return session_reader::read(&top.section("session"), rules);
    }
    if let Some(place) = needed_by {
        let name = rules.get(place).map_or("", |rule| &rule.name);
        top.problem(
            "session",
            format!("is missing: the rule {} keeps sessions, which need session.secrets", quoted(name)),
        );
    }
    None
}

fn read_revocation(section: &Section, session: Option<&super::Session>) -> Option<Revocation> {
    let (entries, max_age) = (usize::try_from(section.number("entries")?).ok()?, section.duration("max_age")?);
    if let Some(longest) = session.map(super::Session::longest).filter(|longest| *longest > max_age) {
        let message = format!("is shorter than the longest session, {}s: one could come back", longest.as_secs());
        // What nobody wrote follows what somebody wrote.
        if section.has("max_age") {
            section.problem("max_age", message);
        }
        return Some(Revocation { entries, max_age: longest, tokens: section.flag("tokens") });
    }
    Some(Revocation { entries, max_age, tokens: section.flag("tokens") })
}

fn read_observability(section: &Section) -> Option<Observability> {
    let reason_header = section.text("reason_header").and_then(|name| {
        let checked = addresses::response_header_name(name);
        checked.map_err(|message| section.problem("reason_header", message)).ok()
    });
    Some(Observability { reason_header, log: section.text("log")?.parse().ok()? })
}
