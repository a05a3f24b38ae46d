//! A Redis behind Webdis for tests, in memory: it understands what [`super::Store`] says to it and nothing else.

use crate::world::{CallError, ProviderRequest, ProviderResponse};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// What it says instead of an answer.
pub type Fault = Result<ProviderResponse, CallError>;

/// The Redis. Clones are the same.
#[derive(Clone, Default)]
pub struct Redis(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    entries: HashMap<String, Entry>,
    fault: Option<Fault>,
    asked: Vec<String>,
}

struct Entry {
    /// Of a list all items, of a text one.
    texts: Vec<String>,
    is_list: bool,
    until: Option<u64>,
}

impl Redis {
    /// Answers a call at `now`, in milliseconds since the epoch.
    pub fn answer(&self, now: u64, request: &ProviderRequest) -> Result<ProviderResponse, CallError> {
        let body = request.body.expose_text().unwrap_or_default().to_owned();
        let mut state = self.0.borrow_mut();
        if let Some(fault) = &state.fault {
            return fault.clone();
        }
        state.asked.push(body.clone());
        state.entries.retain(|_, entry| entry.until.is_none_or(|until| now < until));
        let words: Vec<&str> = body.split('/').collect();
        let body = match (words.first(), state.run(now, &words)) {
            (Some(command), Some(said)) => json!({ *command: said }).to_string(),
            _ => return Ok(ProviderResponse { status: 403, ..ProviderResponse::default() }),
        };
        let content_type = Some("application/json".to_owned());
        Ok(ProviderResponse { status: 200, content_type, body: body.into_bytes(), ..ProviderResponse::default() })
    }

    /// Does this instead of answering, until told otherwise.
    pub fn fails(&self, fault: Option<Fault>) {
        self.0.borrow_mut().fault = fault;
    }

    /// What it was asked so far, as `GET oidc:s:…`: the command and its first word.
    pub fn asked(&self) -> Vec<String> {
        let first_two = |asked: &String| asked.splitn(3, '/').take(2).collect::<Vec<_>>().join(" ");
        self.0.borrow().asked.iter().map(first_two).collect()
    }

    /// Everything that was ever said to it, as a leaked dump and a leaked log would show it together.
    pub fn leaked(&self) -> String {
        self.0.borrow().asked.join("\n")
    }

    /// The names of what it keeps, with when each ends.
    pub fn names(&self) -> Vec<(String, Option<u64>)> {
        self.0.borrow().entries.iter().map(|(name, entry)| (name.clone(), entry.until)).collect()
    }

    /// Puts what is under one name under another one too.
    pub fn copy(&self, from: &str, to: &str) {
        let mut state = self.0.borrow_mut();
        if let Some(entry) = state.entries.get(from) {
            let copy = Entry { texts: entry.texts.clone(), is_list: entry.is_list, until: entry.until };
            state.entries.insert(to.to_owned(), copy);
        }
    }

    /// Loses everything.
    pub fn forgets(&self) {
        self.0.borrow_mut().entries.clear();
    }
}

impl State {
    /// What Redis says to these words; `None` where it does not know them.
    fn run(&mut self, now: u64, words: &[&str]) -> Option<Value> {
        let done = || json!([true, "OK"]);
        let until = |millis: &str| Some(now.saturating_add(millis.parse().ok()?));
        let text = |entry: &Entry| entry.texts.first().cloned();
        Some(match words {
            ["MGET", keys @ ..] => keys
                .iter()
                .map(|key| json!(self.entries.get(*key).filter(|entry| !entry.is_list).and_then(text)))
                .collect::<Vec<_>>()
                .into(),
            ["SET", key, value, "PX", life, rest @ ..] => {
                match rest {
                    ["NX"] if self.entries.contains_key(*key) => return Some(Value::Null),
                    ["XX"] if !self.entries.contains_key(*key) => return Some(Value::Null),
                    ["NX" | "XX"] | [] => {}
                    _ => return None,
                }
                let entry = Entry { texts: vec![(*value).to_owned()], is_list: false, until: Some(until(life)?) };
                self.entries.insert((*key).to_owned(), entry);
                done()
            }
            ["DEL", keys @ ..] => json!(keys.iter().filter(|key| self.entries.remove(**key).is_some()).count()),
            ["PTTL", key] => match self.entries.get(*key) {
                Some(Entry { until: Some(until), .. }) => json!(until.saturating_sub(now)),
                Some(_) => json!(-1),
                None => json!(-2),
            },
            ["PEXPIRE", key, life] => match self.entries.get_mut(*key) {
                Some(entry) => {
                    entry.until = Some(until(life)?);
                    json!(1)
                }
                None => json!(0),
            },
            ["LPUSH", key, value] => {
                let list = self.entries.entry((*key).to_owned());
                let list = list.or_insert(Entry { texts: Vec::new(), is_list: true, until: None });
                list.texts.insert(0, (*value).to_owned());
                json!(list.texts.len())
            }
            ["LRANGE", key, from, to] => {
                let (from, to): (usize, usize) = (from.parse().ok()?, to.parse().ok()?);
                let count = to.saturating_add(1).saturating_sub(from);
                let list = self.entries.get(*key).map(|entry| entry.texts.as_slice()).unwrap_or_default();
                json!(list.iter().skip(from).take(count).collect::<Vec<_>>())
            }
            ["LTRIM", key, "0", to] => {
                let to: usize = to.parse().ok()?;
                if let Some(entry) = self.entries.get_mut(*key) {
                    entry.texts.truncate(to.saturating_add(1));
                }
                done()
            }
            _ => return None,
        })
    }
}
