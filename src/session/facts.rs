//! What is told of a session in headers (`session.headers`).

use super::Content;
use crate::config::{self, SessionFact};
use crate::jose::base64url;
use crate::words::UnixTime;

/// Header fields that tell of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// For the service.
    pub request: Vec<(String, Vec<u8>)>,
    /// For the client.
    pub response: Vec<(String, Vec<u8>)>,
}

impl Facts {
    /// What is to be told of a session at `now`.
    pub fn of(content: &Content, settings: &config::Session, now: UnixTime) -> Self {
        let fields = |facts: &[SessionFact]| {
            let field =
                |fact: &SessionFact| (fact.header().to_owned(), value(*fact, content, settings, now).into_bytes());
            facts.iter().map(field).collect()
        };
        Self { request: fields(&settings.headers.request), response: fields(&settings.headers.response) }
    }
}

fn value(fact: SessionFact, content: &Content, settings: &config::Session, now: UnixTime) -> String {
    let lives = settings.lives_of(content.remembered);
    let left = |end: UnixTime| end.since(now).as_secs().to_string();
    match fact {
        SessionFact::Id => base64url::encode(&content.sid),
        // What a header cannot carry is told in a form that it can; a subject is ASCII (OIDC Core §2).
        SessionFact::Subject => content.subject.chars().filter(char::is_ascii_graphic).collect(),
        SessionFact::Timeout => left(content.ends(settings)),
        SessionFact::Idle => left(content.touched.plus(lives.idle)),
        SessionFact::Absolute => left(content.created.plus(lives.absolute)),
    }
}
