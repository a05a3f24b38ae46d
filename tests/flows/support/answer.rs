//! What became of a request.

use oidc_proxy_wasm::words::{HeaderEdits, Reason, Response, Verdict};

/// One verdict, seen from both sides.
#[derive(Debug)]
pub struct Answer {
    /// What was asked for, as an absolute URL.
    pub url: String,
    seen: Seen,
}

#[derive(Debug)]
enum Seen {
    /// The service got these header fields, and this body where it is another than came; the client gets these with its
    /// answer.
    ByService(Vec<(String, Vec<u8>)>, HeaderEdits, Option<String>),
    /// We answered.
    ByUs(Response, Reason),
}

impl Answer {
    /// What a verdict comes to for a request with these header fields.
    pub fn new(url: String, fields: Vec<(String, Vec<u8>)>, verdict: Verdict) -> Self {
        let seen = match verdict {
            Verdict::Forward(changes) => {
                let changes = changes.unwrap_or_default();
                Seen::ByService(edited(fields, &changes.request), changes.response, changes.body)
            }
            Verdict::Respond { response, reason } => Seen::ByUs(*response, reason),
        };
        Self { url, seen }
    }

    /// Why we answered; `None` when the request went to the service.
    pub fn reason(&self) -> Option<Reason> {
        match &self.seen {
            Seen::ByUs(_, reason) => Some(*reason),
            Seen::ByService(..) => None,
        }
    }

    /// The status of our answer; the service's is always 200.
    pub fn status(&self) -> u16 {
        match &self.seen {
            Seen::ByUs(response, _) => response.status,
            Seen::ByService(..) => 200,
        }
    }

    /// The body of our answer.
    pub fn body(&self) -> &str {
        match &self.seen {
            Seen::ByUs(response, _) => &response.body,
            Seen::ByService(..) => "",
        }
    }

    /// The values of a header field that the client gets from us.
    pub fn all(&self, name: &str) -> Vec<String> {
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
        match &self.seen {
            Seen::ByUs(response, _) => {
                response.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone()).collect()
            }
            Seen::ByService(_, late, _) => {
                let edits = late.set.iter().chain(&late.add);
                edits.filter(|(known, _)| known == name).map(|(_, value)| text(value)).collect()
            }
        }
    }

    /// The one value of a header field that the client gets.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut values = self.all(name);
        assert!(values.len() < 2, "{name} came {} times", values.len());
        values.pop()
    }

    /// Where the client is sent.
    pub fn location(&self) -> Option<String> {
        self.header("location")
    }

    /// The values of a header field that the service saw, as bytes.
    pub fn service_bytes(&self, name: &str) -> Vec<Vec<u8>> {
        let Seen::ByService(fields, ..) = &self.seen else {
            panic!("it did not reach the service: {:?} {}", self.reason(), self.url)
        };
        fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone()).collect()
    }

    /// The values of a header field that the service saw.
    pub fn service(&self, name: &str) -> Vec<String> {
        self.service_bytes(name).into_iter().map(|value| String::from_utf8(value).unwrap()).collect()
    }

    /// The body that the service got in place of the one that came.
    pub fn service_body(&self) -> Option<&str> {
        let Seen::ByService(_, _, body) = &self.seen else { panic!("it did not reach the service") };
        body.as_deref()
    }

    /// The names of all header fields that the service saw.
    pub fn service_names(&self) -> Vec<String> {
        let Seen::ByService(fields, ..) = &self.seen else { panic!("it did not reach the service") };
        fields.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Names of what is taken out of the service's answer.
    pub fn taken_from_the_answer(&self) -> Vec<String> {
        match &self.seen {
            Seen::ByService(_, late, _) => late.remove.clone(),
            Seen::ByUs(..) => Vec::new(),
        }
    }

    /// The request reached the service for this person.
    pub fn assert_served_to(&self, user: &str) {
        assert_eq!(self.reason(), None, "{}", self.url);
        assert_eq!(self.service("x-user"), [user]);
    }
}

/// Carries out header edits as the host does: take away, add, set; names in any case.
fn edited(mut fields: Vec<(String, Vec<u8>)>, edits: &HeaderEdits) -> Vec<(String, Vec<u8>)> {
    fields.retain(|(name, _)| !edits.remove.iter().any(|known| known.eq_ignore_ascii_case(name)));
    fields.extend(edits.add.iter().cloned());
    for (name, value) in &edits.set {
        fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        fields.push((name.clone(), value.clone()));
    }
    fields
}
