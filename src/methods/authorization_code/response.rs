//! The authorization response: RFC 6749 §4.1.2, RFC 9207, Form Post Response Mode.

use crate::config::ResponseMode;
use crate::http::form;
use crate::words::{Reason, Refusal, Request};
use crate::world::World;

/// The largest form that is read, in bytes.
const LARGEST: usize = 32 * 1024;
/// The longest value of a parameter that has a say.
const LONGEST: usize = 4096;

/// The parameters that have a say, each at most once. An empty one counts as absent (RFC 6749 §3.1), an unknown one is
/// ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorizationResponse {
    /// The code.
    pub code: Option<String>,
    /// Which login it answers.
    pub state: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// Who answers.
    pub iss: Option<String>,
}

/// Reads the response that a callback brings.
pub async fn read(world: &World, request: &Request, mode: ResponseMode) -> Result<AuthorizationResponse, Refusal> {
    match (mode, request.method()) {
        (ResponseMode::Query, Some("GET")) => parse(request.query().unwrap_or_default()),
        (ResponseMode::FormPost, Some("POST")) => parse(&form_body(world, request).await?),
        _ => Err(Reason::CallbackWrongMode.into()),
    }
}

async fn form_body(world: &World, request: &Request) -> Result<String, Refusal> {
    if !form::is_form(request) {
        return Err(Refusal::new(Reason::CallbackMalformed, "the POST is no form by its content type"));
    }
    let body = world.body(LARGEST).await.map_err(|error| error.refusal("this path"))?;
    String::from_utf8(body).map_err(|_| Refusal::new(Reason::CallbackMalformed, "the form is not UTF-8"))
}

fn parse(text: &str) -> Result<AuthorizationResponse, Refusal> {
    let malformed = |what: &str| Refusal::new(Reason::CallbackMalformed, what);
    if text.is_empty() {
        return Err(malformed("no parameters; does the provider answer in the fragment?"));
    }
    if text.len() > LARGEST {
        return Err(malformed("more parameters than any answer needs"));
    }
    let fields = form::parse(text).map_err(|_| malformed("the parameters are no form"))?;
    let mut response = AuthorizationResponse::default();
    let mut seen = Vec::new();
    for (name, value) in fields {
        let slot = match name.as_str() {
            "code" => &mut response.code,
            "state" => &mut response.state,
            "error" => &mut response.error,
            "iss" => &mut response.iss,
            _ => continue,
        };
        if seen.contains(&name) {
            return Err(malformed(&format!("{name} stands there twice")));
        }
        // A code is VSCHAR (RFC 6749 §A.11). The others are compared, or shown tamed.
        let fits = name != "code" || value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if value.len() > LONGEST || !fits {
            return Err(malformed(&format!("{name} is longer than any, or holds what it cannot")));
        }
        *slot = Some(value).filter(|value| !value.is_empty());
        seen.push(name);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> Option<Reason> {
        parse(text).err().map(|refusal| refusal.reason)
    }

    // C01 (CVE-2023-27496), C13, C28.
    #[test]
    fn each_parameter_that_has_a_say_stands_there_once() {
        for name in ["code", "state", "error", "iss"] {
            assert_eq!(reason(&format!("{name}=a")), None);
            assert_eq!(reason(&format!("{name}=a&{name}=a")), Some(Reason::CallbackMalformed), "{name}");
            assert_eq!(reason(&format!("{name}=&{name}=a")), Some(Reason::CallbackMalformed), "{name}");
            assert_eq!(reason(&format!("{name}={}", "a".repeat(LONGEST + 1))), Some(Reason::CallbackMalformed));
        }
        for text in ["", "code=%ff", "code=%zz", "code=%00"] {
            assert_eq!(reason(text), Some(Reason::CallbackMalformed), "{text:?}");
        }
    }

    #[test]
    fn unknown_parameters_are_ignored_and_empty_ones_absent() {
        let response =
            parse("code=&session_state=x&session_state=y&state=s&__Host-oidc=1&error_description=%3Cb").unwrap();
        assert_eq!(response, AuthorizationResponse { state: Some("s".to_owned()), ..Default::default() });
    }
}
