//! One object of the configuration, read by the table of its keys.
//!
//! What has the wrong shape was reported by [`super::shape`]; here it reads as absent, and nothing is said twice.

use super::duration;
use super::keys::{Blanks, Key, Kind, Preset, Table};
use super::problem::{Problems, member};
use super::shape;
use crate::words::json::{Object, whole};
use crate::words::{ClaimPath, Source};
use serde_json::Value;
use std::time::Duration;

/// What every part of the loader needs: where problems go, and the variables of the VM.
pub(super) struct Context<'a> {
    /// Where problems go.
    pub problems: Problems,
    /// The value of a variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

/// An object, or what stands for one that is absent.
#[derive(Clone)]
pub(super) struct Section<'a> {
    /// Where it stands.
    pub path: String,
    /// What is shared by all sections.
    pub context: &'a Context<'a>,
    table: &'static Table,
    members: Option<&'a Object>,
}

impl<'a> Section<'a> {
    /// The object `members` at `path`.
    pub fn new(context: &'a Context<'a>, table: &'static Table, path: String, members: Option<&'a Object>) -> Self {
        Self { path, context, table, members }
    }

    /// The path of a key.
    pub fn at(&self, name: &str) -> String {
        member(&self.path, name)
    }

    /// Reports a problem with a key.
    pub fn problem(&self, name: &str, message: impl Into<String>) {
        self.context.problems.add(self.at(name), message);
    }

    /// Reports a problem with the whole object.
    pub fn problem_here(&self, message: impl Into<String>) {
        self.context.problems.add(self.path.clone(), message);
    }

    /// Whether there is an object at all.
    pub fn is_object(&self) -> bool {
        self.members.is_some()
    }

    /// Whether the key is there.
    #[inline(never)]
    pub fn has(&self, name: &str) -> bool {
        self.given(name).is_some()
    }

    /// Whether the key is there as `null`, which was reported where it must not be.
    pub fn is_null(&self, name: &str) -> bool {
        self.members.and_then(|members| members.get(name)).is_some_and(Value::is_null)
    }

    /// The value of a key as it stands; `null` counts as absent. Reports a key that must be there and is not.
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        let value = self.given(name);
        let told = self.is_null(name) && self.table.blanks == Blanks::Refused;
        if value.is_none() && !told && self.preset(name) == Some(&Preset::Required) {
            self.problem(name, "is missing");
        }
        value
    }

    /// Text or a choice.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        match (self.value(name), self.preset(name)) {
            (Some(value), _) => value.as_str().filter(|text| shape::is_text(text)),
            (None, Some(Preset::Text(text))) => Some(text),
            (None, _) => None,
        }
    }

    /// Text or a choice, for keeps.
    #[inline(never)]
    pub fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// A truth value.
    pub fn flag(&self, name: &str) -> bool {
        match (self.value(name), self.preset(name)) {
            (Some(value), _) => value.as_bool().unwrap_or_default(),
            (None, Some(Preset::Flag(flag))) => *flag,
            (None, _) => false,
        }
    }

    /// A length of time within its bounds.
    pub fn duration(&self, name: &str) -> Option<Duration> {
        let length = duration::parse(self.text(name)?)?;
        match self.key(name)?.kind {
            Kind::Duration { least, most } if (least..=most).contains(&length) => Some(length),
            _ => None,
        }
    }

    /// A whole number.
    pub fn number(&self, name: &str) -> Option<u64> {
        match (self.value(name), self.preset(name)) {
            (Some(value), _) => whole(value),
            (None, Some(Preset::Number(number))) => Some(*number),
            (None, _) => None,
        }
    }

    /// The items of a list.
    pub fn items(&self, name: &str) -> &'a [Value] {
        self.value(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A list of texts or choices.
    pub fn texts(&self, name: &str) -> Vec<&'a str> {
        match (self.has(name), self.preset(name)) {
            (false, Some(Preset::Words(words))) => words.to_vec(),
            _ => self.items(name).iter().filter_map(Value::as_str).collect(),
        }
    }

    /// A list of texts or choices, for keeps.
    #[inline(never)]
    pub fn owned_texts(&self, name: &str) -> Vec<String> {
        self.texts(name).into_iter().map(str::to_owned).collect()
    }

    /// The members of an object, without those that are `null`.
    pub fn members(&self, name: &str) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        let members = self.value(name).and_then(Value::as_object);
        members.into_iter().flatten().map(|(name, value)| (name.as_str(), value)).filter(|(_, value)| !value.is_null())
    }

    /// An object of texts.
    pub fn text_map(&self, name: &str) -> Vec<(String, String)> {
        self.members(name).filter_map(|(name, value)| Some((name.to_owned(), value.as_str()?.to_owned()))).collect()
    }

    /// A claim's place.
    pub fn claim_path(&self, name: &str) -> Option<ClaimPath> {
        claim_path(self.value(name)?)
    }

    /// Who must say a claim.
    pub fn source(&self, name: &str) -> Source {
        let named = self.text(name);
        Source::ALL.into_iter().find(|source| Some(source.name()) == named).unwrap_or_default()
    }

    /// The section under a key, empty where the key is absent.
    pub fn section(&self, name: &str) -> Section<'a> {
        let members = self.value(name).and_then(Value::as_object);
        Section::new(self.context, self.table_of(name), self.at(name), members)
    }

    /// The sections in a list.
    pub fn sections(&self, name: &str) -> Vec<Section<'a>> {
        let section = |(place, value): (usize, &'a Value)| {
            let path = format!("{}[{place}]", self.at(name));
            Section::new(self.context, self.table_of(name), path, value.as_object())
        };
        self.items(name).iter().enumerate().map(section).collect()
    }

    fn given(&self, name: &str) -> Option<&'a Value> {
        self.members?.get(name).filter(|value| !value.is_null())
    }

    fn key(&self, name: &str) -> Option<&'static Key> {
        self.table.key(name)
    }

    fn preset(&self, name: &str) -> Option<&'static Preset> {
        self.key(name).map(|key| &key.preset)
    }

    /// The table of the sections under a key; this one where the key has none.
    fn table_of(&self, name: &str) -> &'static Table {
        match self.key(name).map(|key| &key.kind) {
            Some(kind) => table_in(kind).unwrap_or(self.table),
            None => self.table,
        }
    }
}

/// The table of the sections that a kind has in it.
fn table_in(kind: &'static Kind) -> Option<&'static Table> {
    match kind {
        Kind::Section(table) => Some(table),
        Kind::Some(of) | Kind::List(of) | Kind::Map(of) | Kind::Either(_, of) => table_in(of),
        _ => None,
    }
}

/// A claim's place from a list of names.
pub(super) fn claim_path(value: &Value) -> Option<ClaimPath> {
    let names = value.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
    ClaimPath::new(names)
}
