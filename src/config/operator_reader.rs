//! Reads who may operate: the endpoint's keys are those of a rule that takes access tokens.

use super::keys::RULE;
use super::rule_reader::{self, NamedProvider, Written};
use super::section::Section;
use super::{Consumers, Operator, matching};
use crate::words::json::{self, Object};
use serde_json::Value;
use std::rc::Rc;

/// The operator's endpoint; `None` where there is none, or where something was wrong with it, which is then reported.
pub(super) fn read(top: &Section, providers: &[NamedProvider]) -> Option<Operator> {
    let members = top.value("operator")?.as_object()?;
    let section = top.section("operator");
    let path = section.text("path").and_then(|path| matching::canonical(&section, "path", path));
    section.value("require");
    // What shape has reported is left out here.
    let is_of_rule = |name: &str, value: &Value| name != "path" && !value.is_null() && RULE.key(name).is_some();
    let mut members = json::filtered(members, &is_of_rule);
    members.insert("name".to_owned(), Value::from("operator"));
    members.insert("methods".to_owned(), Value::from(vec!["bearer"]));
    let empty = Object::new();
    let own = Section::new(top.context, &RULE, "operator".to_owned(), Some(&members));
    let defaults = Section::new(top.context, &RULE, "operator".to_owned(), Some(&empty));
    let consumers = Rc::new(Consumers::default());
    let written = Written { place: 0, own: &own, merged: &own, defaults: &defaults, providers, consumers: &consumers };
    Some(Operator { rule: Rc::new(rule_reader::read(&written)?), path: path? })
}
