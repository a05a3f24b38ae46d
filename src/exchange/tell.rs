//! What a rule tells of an identity, as header fields.

use crate::config::{ClaimForm, ConsumerRule, HeaderSource, Names, Rule, ToldHeader};
use crate::http::text;
use crate::jose::base64url;
use crate::words::{Claims, Identity};
use crate::world::World;
use serde_json::Value;
use std::borrow::Cow;

/// The longest value that a header gets, in bytes.
const LONGEST: usize = 8 * 1024;

/// A header field: its name and its bytes.
type Field = (String, Vec<u8>);

/// Adds the fields of `headers`: absent where what they tell is, or where it does not fit a header field (I15).
pub fn fields(world: &World, rule: &Rule, headers: &[ToldHeader], identity: &Identity, fields: &mut Vec<Field>) {
    for header in headers {
        if let Some(value) = value(&header.source, identity)
            && let Some(field) = fitting(world, rule, &header.name, &value)
        {
            fields.push(field);
        }
    }
}

/// What the service is told of the consumer that an identity is.
#[inline(never)]
pub fn consumer(world: &World, rule: &Rule, looks: &ConsumerRule, identity: &Identity) -> Vec<Field> {
    let names = &looks.headers;
    let consumer = identity.consumer.as_deref();
    let groups = match consumer {
        Some(consumer) => joined(consumer.groups.iter().map(String::as_str)),
        None => listed_groups(rule, identity),
    };
    let told: [(&Option<String>, Option<&str>); 5] = [
        (&names.id, consumer.map(|consumer| consumer.id.as_str())),
        (&names.username, consumer.map(|consumer| consumer.username.as_str())),
        (&names.custom_id, consumer.and_then(|consumer| consumer.custom_id.as_deref())),
        (&names.credential, identity.subject.as_deref().or(identity.client.as_deref())),
        (&names.groups, groups.as_deref()),
    ];
    told.into_iter().filter_map(|(name, value)| fitting(world, rule, name.as_ref()?, value?)).collect()
}

/// What the service is told of a stranger.
pub fn stranger(rule: &Rule) -> Option<Field> {
    let name = rule.consumer.as_ref()?.headers.anonymous.clone()?;
    Some((name, b"true".to_vec()))
}

/// Groups as the provider lists them, where the rule says in which claim. A name with a comma would read as two.
fn listed_groups(rule: &Rule, identity: &Identity) -> Option<String> {
    let mut claims = rule.require.groups.iter().filter_map(|groups| match &groups.names {
        Names::Claim(at) => Some(at),
        Names::Consumer => None,
    });
    let at = claims.next()?;
    match identity.sources.find(at.source, &at.claim)? {
        Value::String(name) => joined(std::iter::once(name.as_str())),
        Value::Array(names) => joined(names.iter().filter_map(Value::as_str)),
        Value::Object(members) => joined(members.keys().map(String::as_str)),
        _ => None,
    }
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.filter(|name| !name.contains(',')).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn fitting(world: &World, rule: &Rule, name: &str, value: &str) -> Option<Field> {
    if value.len() > LONGEST || !text::is_field_value(value) {
        left_out(world, rule, name);
        return None;
    }
    Some((name.to_owned(), value.as_bytes().to_vec()))
}

#[inline(never)]
fn left_out(world: &World, rule: &Rule, name: &str) {
    let line = format!("left out header {name} rule={}: its value does not fit a header field", rule.name);
    world.log(log::Level::Warn, &line);
}

fn value<'a>(source: &HeaderSource, identity: &'a Identity) -> Option<Cow<'a, str>> {
    match source {
        HeaderSource::Claim { claim, source, form } => {
            let claim = identity.sources.find(*source, claim)?;
            match (form, claim) {
                (ClaimForm::Text, Value::String(text)) => Some(Cow::Borrowed(text)),
                (ClaimForm::Text, claim) => shown(claim).map(Cow::Owned),
                (form, claim) => Some(Cow::Owned(coded(*form, claim.to_string()))),
            }
        }
        HeaderSource::Claims { source, form } => all(identity.sources.of(*source)?, *form).map(Cow::Owned),
        HeaderSource::AccessToken => identity.access_token.as_ref()?.expose_text().map(Cow::Borrowed),
        HeaderSource::IdToken => identity.id_token.as_ref()?.expose_text().map(Cow::Borrowed),
    }
}

fn all(claims: &Claims, form: ClaimForm) -> Option<String> {
    Some(coded(form, serde_json::to_string(&**claims).ok()?))
}

#[inline(never)]
fn coded(form: ClaimForm, json: String) -> String {
    match form {
        ClaimForm::Base64 => base64url::encode(json.as_bytes()),
        ClaimForm::Text | ClaimForm::Json => json,
    }
}

/// A claim as text: text as it is, numbers and truth values as JSON has them, arrays of these joined by commas, objects as
/// JSON.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let mut joined = String::new();
            for (at, item) in items.iter().filter(|item| !item.is_null()).enumerate() {
                if at > 0 {
                    joined.push(',');
                }
                match item {
                    Value::String(text) => joined.push_str(text),
                    item => joined.push_str(&shown(item).unwrap_or_default()),
                }
            }
            Some(joined)
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => Some(value.to_string()),
    }
}

#[cfg(test)]
mod tests;
