//! Redis over HTTP, in the form of Webdis: a command is a body, its words apart by `/`; the answer is a JSON object with
//! the command's name and what Redis said.
//!
//! Webdis tells of lists of plain texts alone, not of lists in lists, so no command is used that answers with those.

use crate::config;
use crate::words::{Reason, Refusal, Secret};
use crate::world::{CallError, Endpoint, Host, Metric, ProviderRequest, ProviderResponse};
use serde_json::Value;
use std::cell::Cell;
use std::pin::Pin;

/// How large an answer may be, in bytes.
const LARGEST: usize = 512 * 1024;
/// After so many failures in a row it is left alone for a while.
const PATIENCE: u32 = 3;
/// How long it is left alone, in milliseconds.
const REST: u64 = 500;

/// There is no answer, and what it would have been is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost(pub &'static str);

impl From<Lost> for Refusal {
    fn from(Lost(what): Lost) -> Self {
        Self::new(Reason::StoreUnavailable, format!("store: {what}"))
    }
}

/// What Redis said.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is nothing there, or nothing was written.
    Nothing,
    /// It is done.
    Done,
    /// How many.
    Number(i64),
    /// A text.
    Text(String),
    /// Texts, and where there are none.
    List(Vec<Option<String>>),
}

/// A question under way.
pub type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<T, Lost>> + 'a>>;

/// The way to Redis.
pub struct Webdis {
    settings: config::Store,
    failures: Cell<u32>,
    /// In milliseconds since the epoch.
    rests_until: Cell<u64>,
}

impl Webdis {
    /// One that nothing was asked of yet.
    pub fn new(settings: config::Store) -> Self {
        Self { settings, failures: Cell::default(), rests_until: Cell::default() }
    }

    /// How it is reached.
    pub fn settings(&self) -> &config::Store {
        &self.settings
    }

    /// Asks one thing. The words have letters, digits, `:`, `-` and `_` alone: nothing in them can mean anything else.
    ///
    /// Boxed, so that those who ask in many places do not each carry the whole of it.
    pub fn ask<'a>(&'a self, host: &'a dyn Host, words: &[&str]) -> Asking<'a, Answer> {
        let command = words.first().copied().unwrap_or_default().to_owned();
        let request = self.request(words);
        Box::pin(async move {
            if self.rests(host.now_millis()) {
                return Err(Lost("it did not answer a moment ago"));
            }
            let answer = match host.call(request).await {
                Ok(response) => read(&command, &response),
                Err(CallError::UnknownCluster) => Err(Lost("the host has no such cluster")),
                // That says nothing of Redis.
                Err(CallError::Busy) => return Err(Lost("too many calls are under way")),
                Err(CallError::NoAnswer) => Err(Lost("no answer in time")),
                Err(CallError::TooLarge) => Err(Lost("the answer is larger than any such answer has to be")),
            };
            match &answer {
                Ok(_) => self.failures.set(0),
                Err(Lost(what)) => self.failed(host, what),
            }
            answer
        })
    }

    /// Whether it is left alone. A clock that went back does not make that longer.
    fn rests(&self, now: u64) -> bool {
        let until = self.rests_until.get();
        self.failures.get() >= PATIENCE && now < until && until <= now.saturating_add(REST)
    }

    fn failed(&self, host: &dyn Host, what: &str) {
        host.count(Metric::CallsFailed(Endpoint::Store));
        if self.failures.get() == 0 {
            host.log(log::Level::Warn, &format!("{}: store: {what}", Reason::StoreUnavailable));
        }
        self.failures.set(self.failures.get().saturating_add(1));
        self.rests_until.set(host.now_millis().saturating_add(REST));
    }

    fn request(&self, words: &[&str]) -> ProviderRequest {
        let settings = &self.settings;
        let mut headers = settings.headers.clone();
        headers.push(("user-agent".to_owned(), Secret::new("oidc-proxy-wasm")));
        headers.push(("content-type".to_owned(), Secret::new("application/x-www-form-urlencoded")));
        ProviderRequest {
            endpoint: Endpoint::Store,
            cluster: settings.cluster.clone(),
            method: "POST",
            scheme: "http",
            authority: settings.authority.clone(),
            path: settings.path.clone(),
            headers,
            body: Secret::new(words.join("/")),
            timeout: settings.timeout,
            limit: LARGEST,
        }
    }
}

fn read(command: &str, response: &ProviderResponse) -> Result<Answer, Lost> {
    const STRANGE: Lost = Lost("the answer is not one of Redis");
    match response.status {
        200 => {}
        403 => return Err(Lost("the command is not allowed there")),
        _ => return Err(Lost("it cannot reach Redis")),
    }
    let members = response.json().map_err(|_| STRANGE)?;
    let said = members.get(command).filter(|_| members.len() == 1).cloned().ok_or(STRANGE)?;
    match said {
        Value::Null => Ok(Answer::Nothing),
        Value::String(text) => Ok(Answer::Text(text)),
        Value::Number(number) => number.as_i64().map(Answer::Number).ok_or(STRANGE),
        Value::Array(items) => match items.as_slice() {
            [Value::Bool(true), Value::String(_)] => Ok(Answer::Done),
            [Value::Bool(false), ..] => Err(Lost("Redis refuses the command")),
            _ => items.into_iter().map(text).collect::<Option<_>>().map(Answer::List).ok_or(STRANGE),
        },
        Value::Bool(_) | Value::Object(_) => Err(STRANGE),
    }
}

fn text(item: Value) -> Option<Option<String>> {
    match item {
        Value::Null => Some(None),
        Value::String(text) => Some(Some(text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> Result<Answer, Lost> {
        read("GET", &ProviderResponse { status, body: body.into(), ..ProviderResponse::default() })
    }

    #[test]
    fn answers_are_read_as_webdis_writes_them() {
        assert_eq!(said(200, r#"{"GET":null}"#), Ok(Answer::Nothing));
        assert_eq!(said(200, r#"{"GET":"x"}"#), Ok(Answer::Text("x".to_owned())));
        assert_eq!(said(200, r#"{"GET":[true,"OK"]}"#), Ok(Answer::Done));
        assert_eq!(said(200, r#"{"GET":7}"#), Ok(Answer::Number(7)));
        assert_eq!(said(200, r#"{"GET":-2}"#), Ok(Answer::Number(-2)));
        assert_eq!(said(200, r#"{"GET":[]}"#), Ok(Answer::List(Vec::new())));
        assert_eq!(said(200, r#"{"GET":["x",null]}"#), Ok(Answer::List(vec![Some("x".to_owned()), None])));
    }

    /// W11: errors, HTML, other commands' answers, two answers in one.
    #[test]
    fn anything_else_is_no_answer() {
        let bodies = [
            "",
            "<html>",
            "null",
            "{}",
            r#"{"SET":"x"}"#,
            r#"{"GET":"x","GET":"y"}"#,
            r#"{"GET":"x","SET":"y"}"#,
            r#"{"GET":true}"#,
            r#"{"GET":{}}"#,
            r#"{"GET":1.5}"#,
            r#"{"GET":[["x"]]}"#,
            r#"{"GET":[true]}"#,
            r#"{"GET":[false,"LOADING Redis is loading the dataset in memory"]}"#,
        ];
        for body in bodies {
            assert!(said(200, body).is_err(), "{body}");
        }
        for status in [204, 302, 403, 404, 500, 503] {
            assert!(said(status, r#"{"GET":"x"}"#).is_err(), "{status}");
        }
        assert!(said(200, r#"{"GET":"x"}"#).is_ok());
    }
}
