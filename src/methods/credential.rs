//! The tokens that a request carries: where they are looked for, and how they are kept from the service (RFC 6750 §2).

use super::Unproven;
use crate::config::{Place, Rule, TokenForm};
use crate::http::cookie;
use crate::http::{Bytes, form};
use crate::jose::MAX_TOKEN;
use crate::words::{Reason, Refusal, Request, Secret};
use crate::world::World;
use std::borrow::Cow;
use std::rc::Rc;

/// The parameter that carries an access token in a query or a form.
const PARAMETER: &str = "access_token";
/// The one that carries a refresh token.
const REFRESH_PARAMETER: &str = "refresh_token";
/// The largest form in which a credential is looked for, in bytes.
const LARGEST_FORM: usize = 64 * 1024;
/// The longest refresh token that is traded, in bytes.
const LONGEST_REFRESH_TOKEN: usize = 16 * 1024;

/// A token, as a request carries it. Nothing is known of it but its spelling.
pub struct Presented<'a> {
    /// The token.
    pub token: Cow<'a, str>,
    /// How it is kept from the service.
    pub hiding: Hiding,
}

impl Presented<'_> {
    /// Refuses what no token looks like. One that is known need not be asked.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.token.len() > MAX_TOKEN || !is_token68(&self.token) {
            return Err(malformed("the access token has characters that none has, or too many (RFC 6750 §2.1)"));
        }
        Ok(())
    }

    /// The token for the service, where the rule hands it on in a place of its own, or exchanges it.
    pub fn sent_on(&self, rule: &Rule) -> Option<Rc<Secret>> {
        let is_handed_on = rule.access_token.as_ref().is_some_and(|form| *form != TokenForm::None);
        (is_handed_on || rule.token.exchange.is_some()).then_some(())?;
        Some(Rc::new(Secret::new(&*self.token)))
    }
}

/// How the credential that was used is kept from the service.
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
    let in_form = match rule.credentials.bearer.contains(&Place::Form) {
        // Boxed, as all that waits: the future of a request that just passes stays small.
        true => Box::pin(token_in_form(world, request, PARAMETER)).await?,
        false => None,
    };
    let presented = presented_besides(in_form, rule, request)?;
    presented.as_ref().map_or(Ok(()), Presented::check)?;
    Ok(presented)
}

/// The same where no body has to be waited for; not yet checked.
pub fn presented_at_once<'a>(rule: &Rule, request: &'a Request) -> Result<Option<Presented<'a>>, Unproven> {
    if rule.credentials.bearer.contains(&Place::Form) {
        return Err(Unproven::Waits);
    }
    Ok(presented_besides(None, rule, request)?)
}

/// The access token of the header fields and the target, or the one `in_form`.
fn presented_besides<'a>(
    in_form: Option<Presented<'a>>,
    rule: &Rule,
    request: &'a Request,
) -> Result<Option<Presented<'a>>, Refusal> {
    let mut found = in_form;
    for place in &rule.credentials.bearer {
        let here = match place {
            Place::Authorization => authorization(request)?,
            Place::Header(name) => header(request, name)?,
            Place::Cookie(name) => in_cookie(request, name)?,
            Place::Query => query(request, PARAMETER)?,
            Place::Form => None,
        };
        if here.is_some() {
            if found.is_some() {
                return Err(repeated("in two places"));
            }
            found = here;
        }
    }
    Ok(found)
}

/// The refresh token that a request carries where the rule looks; the first that is found counts.
pub async fn refresh_token<'a>(
    world: &World,
    rule: &Rule,
    request: &'a Request,
) -> Result<Option<Presented<'a>>, Refusal> {
    for place in &rule.credentials.refresh_token {
        let here = match place {
            Place::Authorization => None,
            Place::Header(name) => header(request, name)?.map(without_scheme),
            Place::Cookie(name) => in_cookie(request, name)?,
            Place::Query => query(request, REFRESH_PARAMETER)?,
            Place::Form => token_in_form(world, request, REFRESH_PARAMETER).await?,
        };
        let Some(presented) = here else { continue };
        // VSCHAR of RFC 6749 appendix A.17.
        let fits = (1..=LONGEST_REFRESH_TOKEN).contains(&presented.token.len());
        if !fits || !presented.token.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(malformed("the refresh token has characters that none has, or too many"));
        }
        return Ok(Some(presented));
    }
    Ok(None)
}

/// Callers may write a scheme before it, as before an access token.
fn without_scheme(presented: Presented<'_>) -> Presented<'_> {
    const SCHEME: &str = "bearer ";
    let has_scheme = presented.token.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME));
    if !has_scheme {
        return presented;
    }
    let token = presented.token.get(SCHEME.len()..).unwrap_or_default().trim().to_owned();
    Presented { token: Cow::Owned(token), ..presented }
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
    let value = match *cookie::named(&request.headers, name) {
        [] => return Ok(None),
        [value] => value,
        _ => return Err(repeated("the cookie that carries it came twice")),
    };
    Ok(Some(Presented { token: Cow::Borrowed(text(value)?), hiding: Hiding::Cookie(name.to_owned()) }))
}

fn query<'a>(request: &'a Request, name: &str) -> Result<Option<Presented<'a>>, Refusal> {
    let target = request.target().unwrap_or_default();
    let Some((path, query)) = target.split_once('?') else { return Ok(None) };
    let Some((token, rest)) = parameter(query, name)? else { return Ok(None) };
    let target = if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") };
    Ok(Some(Presented { token: Cow::Owned(token), hiding: Hiding::Target(target) }))
}

async fn token_in_form<'a>(world: &World, request: &Request, name: &str) -> Result<Option<Presented<'a>>, Refusal> {
    let Some((mut values, rest)) = in_form(world, request, &[name]).await? else { return Ok(None) };
    let token = values.pop().flatten();
    Ok(token.map(|token| Presented { token: Cow::Owned(token), hiding: Hiding::Body(rest) }))
}

/// The fields of these names in a form body, and the others as they were spelt; `None` when it has none of them.
///
/// A form counts where its content type says so and the method has a body (RFC 6750 §2.2); anything else is not looked at.
pub async fn in_form(world: &World, request: &Request, names: &[&str]) -> Result<Option<Cut>, Refusal> {
    if matches!(request.method(), Some("GET" | "HEAD")) || !form::is_form(request) {
        return Ok(None);
    }
    let body = world.body(LARGEST_FORM).await.map_err(|error| error.refusal("the forms of this rule"))?;
    // What is no text has no credential in it that we would take.
    let Ok(body) = String::from_utf8(body) else { return Ok(None) };
    cut(&body, names)
}

/// The token among the fields of a query, and the others as they were spelt.
fn parameter(fields: &str, name: &str) -> Result<Option<(String, String)>, Refusal> {
    Ok(cut(fields, &[name])?.and_then(|(mut values, rest)| Some((values.pop().flatten()?, rest))))
}

/// The values of the fields that were looked for, in the order of their names, and the others as they were spelt.
pub type Cut = (Vec<Option<String>>, String);

/// Takes the fields of these names out of a query or form. Only names are decoded: what the others hold is the service's
/// business.
fn cut(fields: &str, names: &[&str]) -> Result<Option<Cut>, Refusal> {
    let place = |field: &str| {
        let name = field.split('=').next().unwrap_or_default();
        let is = |known: &&str| {
            name == *known || form::parse(name).is_ok_and(|decoded| decoded.iter().any(|(name, _)| name == known))
        };
        names.iter().position(is)
    };
    let mut values: Vec<Option<String>> = names.iter().map(|_| None).collect();
    let mut others = Vec::new();
    for field in fields.split('&') {
        let Some(value) = place(field).and_then(|place| values.get_mut(place)) else {
            others.push(field);
            continue;
        };
        if value.is_some() {
            return Err(repeated("the parameter came twice"));
        }
        let mut decoded = form::parse(field).map_err(|_| malformed("the parameter has a broken escape"))?;
        *value = decoded.pop().map(|(_, value)| value);
    }
    Ok(values.iter().any(Option::is_some).then(|| (values, others.join("&"))))
}

fn text(value: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(value).map_err(|_| malformed("the token is not ASCII"))
}

/// The characters of a token before its padding; a token is kilobytes, and this is asked of each request's.
static TOKEN68: Bytes = Bytes::letters_digits_and(b"-._~+/");

/// RFC 9110 §11.2; at least one character.
fn is_token68(token: &str) -> bool {
    let mut body = token.as_bytes();
    while let [start @ .., b'='] = body {
        body = start;
    }
    !body.is_empty() && TOKEN68.hold(body)
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
        let cut = |query| parameter(query, PARAMETER).map_err(|refusal| refusal.reason);
        assert_eq!(cut("a=%zz&access_token=t&b=1+2"), Ok(Some(("t".to_owned(), "a=%zz&b=1+2".to_owned()))));
        assert_eq!(cut("access%5Ftoken=t"), Ok(Some(("t".to_owned(), String::new()))));
        assert_eq!(cut("xaccess_token=t&a"), Ok(None));
        assert_eq!(cut("access_token=t&access_token=t"), Err(Reason::CredentialRepeated));
        assert_eq!(cut("access_token=t&access%5ftoken=u"), Err(Reason::CredentialRepeated));
        assert_eq!(cut("access_token=%2"), Err(Reason::CredentialMalformed));
    }
}
