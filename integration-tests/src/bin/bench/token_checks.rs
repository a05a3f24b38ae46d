//! That access tokens that were seen are still judged, and that what native filters refuse was no easier.

use std::time::Duration;

use integration_tests::signer::Signer;
use serde_json::{Value, json};

use crate::api::path;
use crate::checks::{Check, ask};
use crate::field::{Field, To};
use crate::proxy::{ECHO, PERIOD};
use crate::tokens::{OPAQUE, Provider, Signed, now};

const ALL: [Signed; 4] = [Signed::Rs256, Signed::Ps256, Signed::Es256, Signed::EdDsa];
/// How long a token lives that is to end during a check.
const SHORT: Duration = Duration::from_secs(3);

/// Asks the proxies that were just measured.
pub async fn all(field: &Field, provider: &Provider) -> Vec<Check> {
    let mut checks = worked(field).await;
    checks.push(claims_arrive(field, provider).await);
    checks.extend(signatures(field, provider).await);
    checks.extend(audience_and_groups(field, provider).await);
    checks.push(ended_after_it_was_seen(field, provider).await);
    checks.extend(introspected(field, provider).await);
    // As it was before.
    provider.say(&provider.active());
    checks
}

async fn status(field: &Field, to: To, path: &str, token: &str) -> u16 {
    ask(field, to, path, &[("authorization", &format!("Bearer {token}"))]).await.status
}

/// That the rows did what they are called after.
async fn worked(field: &Field) -> Vec<Check> {
    tokio::time::sleep(PERIOD).await;
    let count = async |to, name: &str| field.proxy(to).stat(&format!("oidc\\.{name}$")).await;
    let answered = |to| async move { field.proxy(to).stat("^http.gate.downstream_rq_2xx").await };
    let verified = count(To::Forgetful, "tokens.verified").await;
    vec![
        Check {
            what: "every token of the rows `not seen before` was verified",
            holds: verified > 0
                && verified == answered(To::Forgetful).await
                && count(To::Forgetful, "tokens.cached").await == 0,
        },
        Check {
            what: "the tokens of the rows `seen` were verified once, and asked about once",
            holds: count(To::Api, "tokens.verified").await == 1 && count(To::Api, "calls.introspection").await == 1,
        },
        Check {
            what: "the last of 1,000 rules let its bearers and strangers through, and only that",
            holds: count(To::Many, "rule.last.forwarded.bearer").await > 0
                && count(To::Many, "rule.last.forwarded.*").await == answered(To::Many).await,
        },
    ]
}

async fn claims_arrive(field: &Field, provider: &Provider) -> Check {
    let mut holds = true;
    for (below, token) in [(path::ORDERS, &*provider.tokens.access), (path::OPAQUE, OPAQUE)] {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", &*bearer), ("x-user", "forged")];
        let answer = ask(field, To::Api, &format!("{below}{ECHO}"), &headers).await;
        let saw = ["x-user", "x-email", "x-groups", "authorization"]
            .map(|name| answer.header(&format!("saw-{name}")).unwrap_or("-"));
        holds &= saw == ["demo", "demo@example.com", "staff,editors,reviewers", "-"];
    }
    Check { what: "a token's three claims reach the service, a forged one and the token do not", holds }
}

/// Each token is seen before it is spoilt, and seen again afterwards.
async fn signatures(field: &Field, provider: &Provider) -> Vec<Check> {
    let (mut native, mut ours, mut strangers) = (true, true, true);
    for signed in ALL {
        let token = provider.access_token(signed);
        let wrong = spoilt(&token);
        let mut header = provider.signer(signed).header();
        let stranger = Signer::es256("stranger");
        let unknown = stranger.sign(&stranger.header(), &provider.claims());
        header["alg"] = json!("ES256");
        let disguised = stranger.sign(&header, &provider.claims());
        native &= status(field, To::JwtAuthn, "/", &token).await == 200
            && status(field, To::JwtAuthn, "/", &wrong).await == 401;
        for (token, expected) in [(&token, 200), (&token, 200), (&wrong, 401), (&wrong, 401), (&token, 200)] {
            ours &= status(field, To::Api, path::ORDERS, token).await == expected;
        }
        for token in [&unknown, &disguised, &unknown, &disguised] {
            strangers &= status(field, To::Api, path::ORDERS, token).await == 401;
        }
    }
    vec![
        Check {
            what: "jwt_authn refuses a wrong signature, of each algorithm that it is measured with",
            holds: native,
        },
        Check { what: "a token that was seen is refused with another signature, of each algorithm", holds: ours },
        Check {
            what: "a stranger's signature is refused, under its own key id and under a known one",
            holds: strangers,
        },
    ]
}

async fn audience_and_groups(field: &Field, provider: &Provider) -> Vec<Check> {
    let seen = &provider.tokens.access;
    let signer = provider.signer(Signed::Rs256);
    let mut claims = provider.claims();
    claims["groups"] = json!(["guests"]);
    let stranger = signer.sign(&signer.header(), &claims);
    let mut twice = Vec::new();
    for token in [seen, &stranger, &stranger] {
        let path = if token == seen { path::STOCK } else { path::ORDERS };
        twice.push(status(field, To::Api, path, token).await);
    }
    vec![
        Check {
            what: "a token that was seen is refused where it is for another audience",
            holds: status(field, To::Api, path::ORDERS, seen).await == 200 && twice.first() == Some(&401),
        },
        Check {
            what: "a token without the required group is refused, seen or not",
            holds: twice.ends_with(&[403, 403]),
        },
    ]
}

async fn ended_after_it_was_seen(field: &Field, provider: &Provider) -> Check {
    let signer = provider.signer(Signed::Rs256);
    let mut claims = provider.claims();
    claims["exp"] = json!(now() + SHORT.as_secs());
    let token = signer.sign(&signer.header(), &claims);
    let cached = || field.proxy(To::Api).stat("oidc\\.tokens\\.cached$");
    tokio::time::sleep(PERIOD).await;
    let before = cached().await;
    let opened = status(field, To::Api, path::ORDERS, &token).await;
    let seen = status(field, To::Api, path::ORDERS, &token).await;
    tokio::time::sleep(SHORT + PERIOD).await;
    let remembered = cached().await > before;
    Check {
        what: "a token that this worker remembers is refused after its end",
        holds: (opened, seen, status(field, To::Api, path::ORDERS, &token).await) == (200, 200, 401) && remembered,
    }
}

async fn introspected(field: &Field, provider: &Provider) -> Vec<Check> {
    let opaque = async |path, token| status(field, To::Api, path, token).await;
    let said = |member: &str, value: Value| {
        let mut answer = provider.active();
        answer[member] = value;
        provider.say(&answer);
    };
    said("exp", json!(now() + SHORT.as_secs()));
    let ends = (opaque(path::OPAQUE, "ends").await, opaque(path::OPAQUE, "ends").await);
    said("active", json!(false));
    let dead = (opaque(path::OPAQUE, "dead").await, opaque(path::OPAQUE, "dead").await);
    said("aud", json!("https://elsewhere.example.com"));
    let elsewhere = (opaque(path::OPAQUE, "elsewhere").await, opaque(path::OPAQUE, "elsewhere").await);
    tokio::time::sleep(SHORT + Duration::from_secs(1)).await;
    // Its cache is over, so it is asked about again: the provider says what it said before.
    said("exp", json!(now().saturating_sub(1)));
    let ended = opaque(path::OPAQUE, "ends").await;
    let known = (opaque(path::OPAQUE, OPAQUE).await, opaque(path::OPAQUE_STOCK, OPAQUE).await);
    vec![
        Check { what: "an introspected token is refused after its end", holds: (ends, ended) == ((200, 200), 401) },
        Check { what: "a token that its provider calls inactive is refused", holds: dead == (401, 401) },
        Check {
            what: "an introspected token for another audience is refused, seen or not",
            holds: elsewhere == (401, 401) && known == (200, 401),
        },
    ]
}

/// The same token with one bit of its signature turned, in the middle: the last character of a base64url text may have
/// bits that mean nothing.
fn spoilt(token: &str) -> String {
    let (message, signature) = token.rsplit_once('.').expect("a JWT");
    let (before, after) = signature.split_at(signature.len() / 2);
    let other = if after.starts_with('A') { 'B' } else { 'A' };
    format!("{message}.{before}{other}{}", after.get(1..).unwrap_or_default())
}
