//! Reads where several hosts keep what they share.

use super::section::Section;
use super::{OnLoss, Store, addresses, secrets};
use crate::http::host;

/// Reads `store`; `None` where there is none, or where something was wrong with it, which is then reported.
pub(super) fn read(top: &Section) -> Option<Store> {
    // An empty one is told of where it stands.
    top.value("store")?.as_object().filter(|members| !members.is_empty())?;
    if !top.has("session") {
        top.problem("session", "is missing: what the store holds is sealed with session.secrets");
    }
    let store = top.section("store");
    store.value("redis_http")?.as_object()?;
    let redis = store.section("redis_http");
    let (authority, path, prefix) = (redis.text("authority")?, redis.text("path_prefix")?, redis.text("prefix")?);
    if host(authority).is_none() {
        redis.problem("authority", "is no host, with a port or without");
    }
    if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'?' && byte != b'#') {
        redis.problem("path_prefix", "is no path: it begins with / and has no query");
    }
    // Whatever is said to Redis has these characters alone, so that nothing need be escaped (attack W12).
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":-_".contains(&byte);
    if prefix.len() > 64 || !prefix.bytes().all(plain) {
        redis.problem("prefix", "has letters, digits, :, - and _ alone, 64 at most");
    }
    Some(Store {
        cluster: redis.owned("cluster")?,
        authority: authority.to_owned(),
        path: path.to_owned(),
        prefix: prefix.to_owned(),
        timeout: redis.duration("timeout")?,
        on_loss: if redis.text("on_failure")? == "local" { OnLoss::Local } else { OnLoss::Deny },
        headers: read_headers(&redis),
    })
}

fn read_headers(redis: &Section) -> Vec<(String, crate::words::Secret)> {
    let mut headers = Vec::new();
    for (name, value) in redis.members("headers") {
        let path = super::problem::member(&redis.at("headers"), name);
        let problems = &redis.context.problems;
        let Some(secret) = secrets::read(redis.context, value, &path) else { continue };
        match addresses::header_name(name) {
            Err(message) => problems.add(path, message),
            Ok(_) if !addresses::is_field_value(secret.expose()) => {
                problems.add(path, "has visible ASCII characters alone");
            }
            Ok(name) => headers.push((name, secret)),
        }
    }
    headers
}
