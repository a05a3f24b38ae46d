//! Reads the consumers, and how a rule finds one.

use super::problem::quoted;
use super::require_reader::undoubled;
use super::section::Section;
use super::upstream_reader::{spelled, upstream_name};
use super::{ConsumerHeaders, ConsumerMatch, ConsumerRule, Consumers};
use crate::words::{ByName, Consumer};
use std::rc::Rc;

/// The list `consumers`. Whatever could stand for two of them is reported.
pub(super) fn read(top: &Section) -> Consumers {
    let mut consumers = Consumers::default();
    let (mut names, mut ids, mut matched) = (Seen::default(), Seen::default(), Seen::default());
    for (place, section) in top.sections("consumers").iter().enumerate() {
        let Some(consumer) = read_one(section).map(Rc::new) else { continue };
        let has_own_name = names.note(section, "username", place, &consumer.username);
        consumers.by_username.insert(&consumer.username, Rc::clone(&consumer));
        if let Some(custom_id) = &consumer.custom_id {
            names.note(section, "custom_id", place, custom_id);
            consumers.by_custom_id.insert(custom_id, Rc::clone(&consumer));
        }
        // An id that is the username by default was reported with that.
        if has_own_name || section.has("id") {
            ids.note(section, "id", place, &consumer.id);
        }
        if let Some(matches) = section.has("match").then(|| read_match(&section.section("match"))).flatten() {
            for value in &matches.any_of {
                matched.note(section, "match", place, &format!("{} = {value}", matches.claim));
            }
            consumers.by_match.push((matches, consumer));
        }
    }
    consumers
}

/// What stands for a consumer, and for which.
#[derive(Default)]
struct Seen(ByName<usize>);

impl Seen {
    /// Notes `what`; reports it and says `false` where it stands for another consumer already.
    fn note(&mut self, section: &Section, key: &str, place: usize, what: &str) -> bool {
        match self.0.get(what) {
            Some(first) if *first != place => {
                section.problem(key, format!("{} stands for consumers[{first}] too", quoted(what)));
                false
            }
            _ => {
                self.0.insert(what, place);
                true
            }
        }
    }
}

fn read_one(section: &Section) -> Option<Consumer> {
    let username = section.owned("username")?;
    let groups = section.texts("groups");
    if groups.iter().any(|group| group.contains(',')) {
        section.problem("groups", "has a comma in a group, which would read as two in the header");
    }
    Some(Consumer {
        id: section.text("id").unwrap_or(&username).to_owned(),
        custom_id: section.owned("custom_id"),
        groups: groups.into_iter().map(str::to_owned).collect(),
        username,
    })
}

fn read_match(section: &Section) -> Option<ConsumerMatch> {
    let claim = section.claim_path("claim");
    let any_of = match (section.value("equals"), section.has("any_of")) {
        (Some(value), false) => vec![undoubled(value)],
        (None, true) => section.items("any_of").iter().map(undoubled).collect(),
        _ => {
            section.problem_here("needs exactly one of equals and any_of");
            return None;
        }
    };
    Some(ConsumerMatch { claim: claim?, any_of })
}

/// The key `consumer` of a rule.
pub(super) fn read_rule(rule: &Section, known: &Rc<Consumers>) -> Option<ConsumerRule> {
    if !rule.has("consumer") {
        return None;
    }
    let section = rule.section("consumer");
    let by = section.claim_path("by");
    if known.by_username.is_empty() {
        rule.problem("consumer", "needs `consumers`, of which it is one");
    } else if by.is_none() && known.by_match.is_empty() {
        rule.problem("consumer", "needs `by`, since none of the consumers has `match`");
    }
    let headers = read_headers(&section.section("headers"));
    Some(ConsumerRule { by, optional: section.flag("optional"), headers, known: Rc::clone(known) })
}

fn read_headers(section: &Section) -> ConsumerHeaders {
    let name = |key: &str| match section.text(key)? {
        "none" => None,
        name => upstream_name(name).map_err(|message| section.problem(key, message)).ok(),
    };
    ConsumerHeaders {
        id: name("id"),
        username: name("username"),
        custom_id: name("custom_id"),
        credential: name("credential"),
        groups: name("groups"),
        anonymous: name("anonymous"),
    }
}

/// Header names that a rule gives to its consumer and to something else as well are reported.
pub(super) fn check_names(rule: &Section, consumer: &ConsumerRule, told: &[String]) {
    let mut names: Vec<String> = told.iter().map(|name| spelled(name)).collect();
    for name in consumer.headers.names() {
        let name_there = spelled(name);
        if names.contains(&name_there) {
            rule.problem("consumer.headers", format!("the header {name} tells something else as well in this rule"));
        }
        names.push(name_there);
    }
}
