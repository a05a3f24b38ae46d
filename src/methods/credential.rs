//! The access token that a request carries: where it is looked for, and how it is kept from the service (RFC 6750 §2).

use crate::config::{Place, Rule, TokenForm};
use crate::http::cookie;
use crate::http::form;
use crate::jose::MAX_TOKEN;
use crate::words::{Reason, Refusal, Request, Secret};
use crate::world::World;
use std::borrow::Cow;
use std::rc::Rc;

/// The parameter that carries a token in a query or a form.
const PARAMETER: &str = "access_token";
/// The largest form in which a token is looked for, in bytes.
const LARGEST_FORM: usize = 64 * 1024;

/// An access token, as a request carries it. Nothing is known of it but its spelling.
pub struct Presented<'a> {
    /// The token.
    pub token: Cow<'a, str>,
    /// How it is kept from the service.
    pub hiding: Hiding,
}

impl Presented<'_> {
    /// The token for the service, where the rule hands it on in a place of its own.
    pub fn sent_on(&self, rule: &Rule) -> Option<Rc<Secret>> {
        rule.access_token.as_ref().filter(|form| **form != TokenForm::None)?;
        Some(Rc::new(Secret::new(&*self.token)))
    }
}

/// How the token that was used is kept from the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hiding {
    /// The header field of this name goes.
    Header(String),
    /// The cookie of this name goes.
    Cookie(String),
    /// The target becomes this.
    Target(String),
    /// The body becomes this.
    Body(String),
}

/// The one access token that a request carries where the rule looks; several are refused.
pub async fn presented<'a>(world: &World, rule: &Rule, request: &'a Request) -> Result<Option<Presented<'a>>, Refusal> {
    let mut found = None;
    for place in &rule.credentials.bearer {
        let here = match place {
            Place::Authorization => authorization(request)?,
            Place::Header(name) => header(request, name)?,
            Place::Cookie(name) => in_cookie(request, name)?,
            Place::Query => query(request)?,
            Place::Form => in_form(world, request).await?,
        };
        if here.is_some() && found.is_some() {
            return Err(repeated("in two places"));
        }
        found = here.or(found);
    }
    match found {
        Some(presented) if presented.token.len() > MAX_TOKEN || !is_token68(&presented.token) => {
            Err(malformed("the access token has characters that none has, or too many (RFC 6750 §2.1)"))
        }
        found => Ok(found),
    }
}

/// `Authorization` is one field with one credential; another scheme than `Bearer` is none that we know.
fn authorization(request: &Request) -> Result<Option<Presented<'_>>, Refusal> {
    let Some(value) = request.headers.one("authorization").map_err(|_| repeated("Authorization came twice"))? else {
        return Ok(None);
    };
    let (scheme, rest) = match value.iter().position(|byte| *byte == b' ') {
        Some(at) => value.split_at_checked(at).unwrap_or((value, b"")),
        None => (value, b"".as_slice()),
    };
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Ok(None);
    }
    let token = text(rest.trim_ascii())?;
    Ok(Some(Presented { token: Cow::Borrowed(token), hiding: Hiding::Header("authorization".to_owned()) }))
}

fn header<'a>(request: &'a Request, name: &str) -> Result<Option<Presented<'a>>, Refusal> {
    let mut values = request.headers.all_named(name);
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(repeated("the header that carries it came twice"));
    }
    let Some(value) = first else { return Ok(None) };
    Ok(Some(Presented { token: Cow::Borrowed(text(value)?), hiding: Hiding::Header(name.to_owned()) }))
}

fn in_cookie<'a>(request: &'a Request, name: &str) -> Result<Option<Presented<'a>>, Refusal> {
    let mut values = cookie::all(&request.headers).filter(|(known, _)| *known == name.as_bytes());
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(repeated("the cookie that carries it came twice"));
    }
    let Some((_, value)) = first else { return Ok(None) };
    Ok(Some(Presented { token: Cow::Borrowed(text(value)?), hiding: Hiding::Cookie(name.to_owned()) }))
}

fn query(request: &Request) -> Result<Option<Presented<'_>>, Refusal> {
    let target = request.target().unwrap_or_default();
    let Some((path, query)) = target.split_once('?') else { return Ok(None) };
    let Some((token, rest)) = parameter(query)? else { return Ok(None) };
    let target = if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") };
    Ok(Some(Presented { token: Cow::Owned(token), hiding: Hiding::Target(target) }))
}

/// A form counts where its content type says so and the method has a body (RFC 6750 §2.2); anything else is not looked at.
async fn in_form<'a>(world: &World, request: &'a Request) -> Result<Option<Presented<'a>>, Refusal> {
    if matches!(request.method(), Some("GET" | "HEAD")) || !form::is_form(request) {
        return Ok(None);
    }
    let body = world.body(LARGEST_FORM).await.map_err(|error| error.refusal("the forms of this rule"))?;
    // What is no text has no token in it that we would take.
    let Ok(body) = String::from_utf8(body) else { return Ok(None) };
    let Some((token, rest)) = parameter(&body)? else { return Ok(None) };
    Ok(Some(Presented { token: Cow::Owned(token), hiding: Hiding::Body(rest) }))
}

/// The token among the fields of a query or form, and the others as they were spelt. Only names are decoded: what the
/// others hold is the service's business.
fn parameter(fields: &str) -> Result<Option<(String, String)>, Refusal> {
    let (ours, others): (Vec<&str>, Vec<&str>) = fields.split('&').partition(|field| {
        let name = field.split('=').next().unwrap_or_default();
        name == PARAMETER || form::parse(name).is_ok_and(|decoded| decoded.iter().any(|(name, _)| name == PARAMETER))
    });
    match ours.as_slice() {
        [] => Ok(None),
        [field] => {
            let mut decoded = form::parse(field).map_err(|_| malformed("the parameter has a broken escape"))?;
            Ok(decoded.pop().map(|(_, token)| (token, others.join("&"))))
        }
        _ => Err(repeated("the parameter came twice")),
    }
}

fn text(value: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(value).map_err(|_| malformed("the access token is not ASCII"))
}

/// RFC 9110 §11.2; at least one character.
fn is_token68(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

fn repeated(detail: &str) -> Refusal {
    Refusal::new(Reason::CredentialRepeated, detail)
}

fn malformed(detail: &str) -> Refusal {
    Refusal::new(Reason::CredentialMalformed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    // B12: escapes, quotes, non-ASCII, NUL, padding in the middle.
    #[test]
    fn a_token_has_the_characters_of_one() {
        for token in ["abc", "a.b-c_d~e+f/g==", "0"] {
            assert!(is_token68(token), "{token}");
        }
        for token in ["", "=", "a=b", "a%20", "\"a\"", "a b", "a,b", "ä", "a\0", "a\n"] {
            assert!(!is_token68(token), "{token:?}");
        }
    }

    // B06: what is left of a query is as it was, whatever it holds.
    #[test]
    fn the_parameter_goes_and_the_others_stay_as_they_were() {
        let cut = |query| parameter(query).map_err(|refusal| refusal.reason);
        assert_eq!(cut("a=%zz&access_token=t&b=1+2"), Ok(Some(("t".to_owned(), "a=%zz&b=1+2".to_owned()))));
        assert_eq!(cut("access%5Ftoken=t"), Ok(Some(("t".to_owned(), String::new()))));
        assert_eq!(cut("xaccess_token=t&a"), Ok(None));
        assert_eq!(cut("access_token=t&access_token=t"), Err(Reason::CredentialRepeated));
        assert_eq!(cut("access_token=t&access%5ftoken=u"), Err(Reason::CredentialRepeated));
        assert_eq!(cut("access_token=%2"), Err(Reason::CredentialMalformed));
    }
}
