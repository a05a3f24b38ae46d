//! Reads what the gateway itself issues, and to whom.

use super::addresses::{self, PlainHttp};
use super::problem::quoted;
use super::section::Section;
use super::{Consumers, GatewayClient, GatewayTokens, SecretHash, grants_reader, matching, secrets};
use crate::words::Secret;
use sha2::{Digest, Sha256};
use std::ops::RangeInclusive;

/// How many rounds of PBKDF2 are worth their name, and do not hold up a worker for too long.
const ROUNDS: RangeInclusive<u32> = 10_000..=100_000;
/// Bytes of a salt, at least (RFC 8018 §4.1 asks for 8, and NIST SP 800-132 for 16).
const SALT: usize = 16;

/// The section; `None` where there is none, or where something in it was wrong, which is then reported.
pub(super) fn read(top: &Section, consumers: &Consumers) -> Option<GatewayTokens> {
    if !top.has("gateway_tokens") {
        return None;
    }
    let section = top.section("gateway_tokens");
    let path = |key: &str| section.text(key).and_then(|path| matching::canonical(&section, key, path));
    let (token, revocation_path, introspection_path) =
        (path("path"), path("revocation_path"), path("introspection_path"));
    let url = read_issuer(&section);
    let ring = secrets::ring(&section, "secrets");
    let clients = read_clients(&section, consumers);
    Some(GatewayTokens {
        issuer: section.owned("issuer")?,
        url: url?,
        path: token?,
        revocation_path,
        introspection_path,
        secrets: ring,
        lifetime: section.duration("lifetime")?,
        guess_limit: grants_reader::guess_limit(&section)?,
        clients,
    })
}

fn read_issuer(section: &Section) -> Option<crate::http::Url> {
    let url = addresses::url(section.text("issuer")?, PlainHttp::OnLoopback);
    let url = url.map_err(|message| section.problem("issuer", message)).ok()?;
    if url.query().is_some() {
        section.problem("issuer", "has a query, which an issuer does not have (RFC 8414 §2)");
    }
    Some(url)
}

fn read_clients(section: &Section, consumers: &Consumers) -> Vec<GatewayClient> {
    let mut clients: Vec<GatewayClient> = Vec::new();
    for client in section.sections("clients").iter().filter_map(|client| read_client(client, consumers)) {
        if clients.iter().any(|other| other.client_id == client.client_id) {
            section.problem("clients", format!("has {} twice", quoted(&client.client_id)));
        }
        clients.push(client);
    }
    clients
}

fn read_client(client: &Section, consumers: &Consumers) -> Option<GatewayClient> {
    let client_id = client.text("client_id")?;
    if client_id.len() > 256 || !addresses::is_field_value(client_id.as_bytes()) {
        client.problem("client_id", "has 1 to 256 visible ASCII characters (RFC 6749 appendix A.1)");
    }
    let plain = client.value("client_secret").and_then(|value| {
        let secret = secrets::read(client.context, value, &client.at("client_secret"))?;
        if let Some(weakness) = secrets::weakness(&secret) {
            client.problem("client_secret", weakness);
        }
        Some(of_plain(&secret))
    });
    let hashed = client.text("client_secret_hash").and_then(|text| {
        let hash = read_hash(text);
        if hash.is_none() {
            let form = "is neither sha256:HEX of 32 bytes nor pbkdf2-sha256:ROUNDS:SALT_HEX:HASH_HEX with 10000 to 100000 \
                        rounds, a salt of 16 bytes or more and a hash of 32";
            client.problem("client_secret_hash", form);
        }
        hash
    });
    let proofs = ["client_secret", "client_secret_hash", "jwks"];
    if !proofs.iter().any(|key| client.has(key)) {
        client.problem_here("has nothing to show: it needs client_secret, client_secret_hash, or jwks");
    }
    let consumer = client.text("consumer");
    if let Some(name) = consumer.filter(|name| consumers.by_username.get(name).is_none()) {
        client.problem("consumer", format!("{} is the username of none of the consumers", quoted(name)));
    }
    let scope: Vec<String> =
        client.text("scope").into_iter().flat_map(str::split_whitespace).map(str::to_owned).collect();
    if scope.iter().any(|value| !is_scope(value)) {
        client.problem("scope", "has a character that no scope has (RFC 6749 §3.3)");
    }
    Some(GatewayClient {
        client_id: client_id.to_owned(),
        secrets: plain.into_iter().chain(hashed).collect(),
        jwks: client.value("jwks").map(ToString::to_string),
        scope,
        audience: client.owned_texts("audience"),
        consumer: consumer.map(str::to_owned),
        introspects: client.flag("introspect"),
    })
}

fn is_scope(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

fn of_plain(secret: &Secret) -> SecretHash {
    SecretHash::Sha256(Sha256::digest(secret.expose()).into())
}

fn read_hash(text: &str) -> Option<SecretHash> {
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        ["sha256", hash] => Some(SecretHash::Sha256(bytes(hash)?.try_into().ok()?)),
        ["pbkdf2-sha256", rounds, salt, hash] => Some(SecretHash::Pbkdf2 {
            rounds: rounds.parse().ok().filter(|rounds| ROUNDS.contains(rounds))?,
            salt: bytes(salt).filter(|salt| salt.len() >= SALT)?,
            hash: bytes(hash)?.try_into().ok()?,
        }),
        _ => None,
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| Some(digit(high)? << 4 | digit(low)?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}
