//! Secrets as they are configured: inline or from a variable, and which of them are none.

use super::section::{Context, Section};
use crate::words::{Algorithm, Secret};
use serde_json::Value;

/// The least length of a session secret, in bytes.
pub(super) const LEAST: usize = 32;

/// More secrets than any rotation needs.
const MAX_SECRETS: usize = 16;

/// Words that stand in examples where a secret should be.
const EXAMPLES: [&str; 12] = [
    "changeme",
    "change-me",
    "change_me",
    "secret",
    "password",
    "example",
    "insecure",
    "replace",
    "0123456789",
    "1234567890",
    "abcdefgh",
    "test",
];

/// Reads text or `{ env: NAME }`. A problem names the variable and never shows a value.
pub(super) fn read(context: &Context, value: &Value, path: &str) -> Option<Secret> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Object(members) if members.len() == 1 => from_env(context, members.get("env")?.as_str()?, path)?,
        _ => return None,
    };
    if text.is_empty() {
        context.problems.add(path, "is empty");
        return None;
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        context.problems.add(path, "begins or ends with white space, or has a line break in it: take that out");
        return None;
    }
    Some(Secret::new(text))
}

/// Reads a private key: a JWK as an object, or text with a JWK or PEM in it, which may be in a variable.
pub(super) fn read_key(context: &Context, value: &Value, path: &str) -> Option<Secret> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => match members.get("env") {
            Some(Value::String(name)) if members.len() == 1 => from_env(context, name, path)?,
            Some(_) => {
                context.problems.add(path, "needs { env: NAME } with the name of one variable");
                return None;
            }
            None => value.to_string(),
        },
        _ => return None,
    };
    Some(Secret::new(text))
}

/// How long the secret of an HMAC must be, in bytes (RFC 7518 §3.2).
pub(super) const fn least_for(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Hs384 => 48,
        Algorithm::Hs512 => 64,
        _ => 32,
    }
}

fn from_env(context: &Context, name: &str, path: &str) -> Option<String> {
    if name.is_empty() {
        return None;
    }
    let name_is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !name_is_plain || name.len() > 128 {
        context.problems.add(path, "env needs the name of a variable: letters, digits and _");
        return None;
    }
    match (context.env)(name) {
        Some(text) if !text.is_empty() => Some(text),
        Some(_) => {
            context.problems.add(path, format!("the variable {name} is empty"));
            None
        }
        None => {
            let need = "the host must pass it to the VM (Envoy: vm_config.environment_variables)";
            context.problems.add(path, format!("the variable {name} is not set; {need}"));
            None
        }
    }
}

/// The key ring at `name`: secrets that nobody can guess, no two alike. What is wrong with it is reported.
pub(super) fn ring(section: &Section, name: &str) -> Vec<Secret> {
    let mut secrets: Vec<Secret> = Vec::new();
    section.value(name);
    for (place, value) in section.items(name).iter().enumerate() {
        let path = format!("{}[{place}]", section.at(name));
        let problems = &section.context.problems;
        let Some(secret) = read(section.context, value, &path) else {
            continue;
        };
        match weakness(&secret) {
            Some(weakness) => problems.add(path, weakness),
            None if secrets.contains(&secret) => problems.add(path, "stands twice among the secrets"),
            None => secrets.push(secret),
        }
    }
    if secrets.len() > MAX_SECRETS {
        section.problem(name, format!("{} secrets, needs {MAX_SECRETS} at most", secrets.len()));
    }
    secrets
}

/// What makes a session secret none: too short, or easy to guess.
pub(super) fn weakness(secret: &Secret) -> Option<String> {
    let bytes = secret.expose();
    if bytes.len() < LEAST {
        return Some(format!("{} bytes, needs {LEAST} or more: openssl rand -base64 32", bytes.len()));
    }
    let text = secret.expose_text().unwrap_or_default().to_ascii_lowercase();
    let guessable = period(bytes) <= bytes.len() / 3
        || distinct(bytes) < 8
        || EXAMPLES.iter().any(|example| text.starts_with(example) || text.matches(example).count() > 1);
    guessable.then(|| "is easy to guess, or an example's: openssl rand -base64 32 makes a good one".into())
}

/// After how many bytes the secret repeats itself; its length where it does not.
fn period(bytes: &[u8]) -> usize {
    let repeats = |period: &usize| bytes.iter().zip(bytes.iter().skip(*period)).all(|(one, other)| one == other);
    (1..bytes.len()).find(repeats).unwrap_or(bytes.len())
}

fn distinct(bytes: &[u8]) -> usize {
    (0..=u8::MAX).filter(|byte| bytes.contains(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Z02: short, default-looking and example secrets; the twin is as long and random.
    #[test]
    fn a_secret_that_can_be_guessed_is_none() {
        let weak = [
            "",
            "9fK2mQ7xT4vB8nL1cR6yW3zH5jP0sDa",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abababababababababababababababababab",
            "changemechangemechangemechangeme",
            "ChangeMe-9fK2mQ7xT4vB8nL1cR6yW3zH5jP0",
            "0123456789abcdef0123456789abcdef",
            "0123456789abcdefghijklmnopqrstuvwxyz",
            "secretsecretsecretsecretsecretsecret",
            "my-secret-secret-9fK2mQ7xT4vB8nL1cR6yW",
            "00000000000000000000000000000001",
        ];
        for text in weak {
            assert!(weakness(&Secret::new(text)).is_some(), "{text}");
        }
        assert_eq!(weakness(&Secret::new("9fK2mQ7xT4vB8nL1cR6yW3zH5jP0sDaE")), None);
    }

    #[test]
    fn no_message_shows_a_secret() {
        let short = weakness(&Secret::new("hunter2")).unwrap();
        assert_eq!(short, "7 bytes, needs 32 or more: openssl rand -base64 32");
    }
}
