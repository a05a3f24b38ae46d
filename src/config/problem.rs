//! One thing that is wrong with a configuration, and the list of all of them.

use std::cell::RefCell;

/// How many problems are told at once; a text with more is not a configuration.
const MAX_PROBLEMS: usize = 100;

/// A sentence for the operator: where, what was found, what is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The path of the key, as in `rules[2].login.redirect_uri`; empty for the whole text.
    pub path: String,
    /// What is wrong with it and what would mend it. Never a secret's value.
    pub message: String,
}

impl Problem {
    /// A problem at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// All problems of a configuration, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    /// One more; the same problem at the same place counts once.
    #[inline(never)]
    pub fn add(&self, path: impl Into<String>, message: impl Into<String>) {
        let problem = Problem::new(path, message);
        let mut problems = self.0.borrow_mut();
        if problems.len() < MAX_PROBLEMS && !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Problem> {
        self.0.into_inner()
    }
}

/// Text from outside as a message shows it: in quotes, escaped, cut.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

/// The path of a member: `a.b`, or `a["b.c"]` where the name is not a plain word.
pub(super) fn member(path: &str, name: &str) -> String {
    let plain = !name.is_empty()
        && name.len() <= 60
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    match (plain, path.is_empty()) {
        (true, true) => name.into(),
        (true, false) => format!("{path}.{name}"),
        (false, _) => format!("{path}[{}]", quoted(name)),
    }
}
