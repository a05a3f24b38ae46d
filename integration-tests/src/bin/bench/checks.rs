//! That the rows do the work which they are measured for, and that what is fast is not careless.

use std::time::Duration;

use integration_tests::client::{self, Answer};
use serde_json::{Value, json};

use crate::authz;
use crate::field::{Field, To};
use crate::proxy::{ECHO, PERIOD};
use crate::sessions::{Age, Who};
use crate::token_checks;
use crate::tokens::Provider;

/// As in the configuration of `filters`.
const IDLE: Duration = Duration::from_secs(15 * 60);
const ABSOLUTE: Duration = Duration::from_secs(8 * 3600);
const TOUCH: Duration = Duration::from_secs(60);

/// One sentence, and whether it is true.
pub struct Check {
    /// The sentence.
    pub what: &'static str,
    /// Whether it is true.
    pub holds: bool,
}

/// Asks the proxies that were just measured.
pub async fn all(field: &Field, provider: &Provider) -> Vec<Check> {
    let mut checks = native(field).await;
    checks.extend(forwarded(field, provider).await);
    checks.extend(expiry(field).await);
    checks.push(ended_after_it_was_seen(field).await);
    checks.extend(token_checks::all(field, provider).await);
    checks
}

/// As JSON.
pub fn json(checks: &[Check]) -> Value {
    checks.iter().map(|check| json!({ "what": check.what, "holds": check.holds })).collect()
}

/// For people.
pub fn print(checks: &[Check]) {
    for check in checks {
        println!("{} {}", if check.holds { "✓" } else { "✗" }, check.what);
    }
}

/// Asks one of the proxies as a script does.
pub async fn ask(field: &Field, to: To, path: &str, headers: &[(&str, &str)]) -> Answer {
    let place = field.proxy(to).place;
    let ask = client::get(place.port, path).host(place.host()).header("sec-fetch-mode", "cors");
    headers.iter().fold(ask, |ask, (name, value)| ask.header(name, *value)).send().await
}

async fn native(field: &Field) -> Vec<Check> {
    let status = async |to| ask(field, to, "/", &[]).await.status;
    vec![
        Check { what: "jwt_authn refuses a request without a token", holds: status(To::JwtAuthn).await == 401 },
        Check {
            what: "ext_authz refuses what its service refuses",
            holds: ask(field, To::ExtAuthz, authz::REFUSED, &[]).await.status == 403,
        },
        Check { what: "oauth2 refuses a request without cookies", holds: status(To::Oauth2).await >= 300 },
        Check {
            what: "jwt_authn behind oauth2 has checked tokens",
            holds: field.proxy(To::Both).stat("jwt_authn.allowed").await > 0,
        },
    ]
}

async fn forwarded(field: &Field, provider: &Provider) -> Vec<Check> {
    let cookie = field.mint.fresh();
    let member = ask(field, To::Ours, ECHO, &[("cookie", &format!("theirs=1; {cookie}")), ("x-user", "forged")]).await;
    let saw = |answer: &Answer, name: &str| answer.header(&format!("saw-{name}")).map(str::to_owned);
    let claims = ["x-user", "x-email", "x-groups"].map(|name| saw(&member, name).unwrap_or_default());
    let stranger = field.mint.cookie(Who::Stranger, Age::default());
    let public = format!("/public{ECHO}");
    let anonymous = ask(field, To::Ours, &public, &[("cookie", &cookie), ("x-user", "forged")]).await;
    vec![
        Check {
            what: "a session's three claims reach the service, a forged one does not",
            holds: claims == ["demo", "demo@example.com", "staff,editors,reviewers"],
        },
        Check {
            what: "its access token reaches the service",
            holds: saw(&member, "authorization") == Some(format!("Bearer {}", provider.tokens.access)),
        },
        Check { what: "its cookie does not, others do", holds: saw(&member, "cookie").as_deref() == Some("theirs=1") },
        Check {
            what: "a session without the required group is refused",
            holds: ask(field, To::Ours, "/shop", &[("cookie", &stranger)]).await.status == 403,
        },
        Check {
            what: "an anonymous rule passes neither the session cookie nor a forged header on",
            holds: anonymous.status == 200
                && ["cookie", "x-user"].iter().all(|name| saw(&anonymous, name).is_none_or(|value| value == "-")),
        },
    ]
}

async fn expiry(field: &Field) -> Vec<Check> {
    let second = Duration::from_secs(1);
    let of_age = async |created, touched| {
        let cookie = field.mint.cookie(Who::Member, Age { created, touched });
        ask(field, To::Ours, "/shop", &[("cookie", &cookie)]).await
    };
    let minute = Duration::from_secs(60);
    let fresh = of_age(Duration::ZERO, Duration::ZERO).await;
    let used = of_age(TOUCH, TOUCH).await;
    vec![
        Check {
            what: "a fresh session passes as it is",
            holds: fresh.status == 200 && fresh.all("set-cookie").is_empty(),
        },
        Check {
            what: "use is written down when it is due",
            holds: used.status == 200 && used.all("set-cookie").len() == 1,
        },
        Check {
            what: "an unused session passes a minute before it ends",
            holds: of_age(IDLE, IDLE - minute).await.status == 200,
        },
        Check {
            what: "an unused session is refused after its end",
            holds: of_age(IDLE, IDLE + second).await.status == 401,
        },
        Check {
            what: "an old session passes a minute before it ends",
            holds: of_age(ABSOLUTE - minute, Duration::ZERO).await.status == 200,
        },
        Check {
            what: "an old session is refused however lately it was used",
            holds: of_age(ABSOLUTE + second, Duration::ZERO).await.status == 401,
        },
    ]
}

/// The session is seen twice, so that it is remembered, and once more after its end.
async fn ended_after_it_was_seen(field: &Field) -> Check {
    let left = Duration::from_secs(3);
    let ours = field.proxy(To::Ours);
    tokio::time::sleep(PERIOD).await;
    let before = ours.stat("oidc.sessions.cached").await;
    let cookie = field.mint.cookie(Who::Member, Age { created: IDLE, touched: IDLE - left });
    let status = async || ask(field, To::Ours, "/shop", &[("cookie", &cookie)]).await.status;
    let opened = status().await;
    let seen = status().await;
    tokio::time::sleep(left + PERIOD).await;
    let remembered = ours.stat("oidc.sessions.cached").await > before;
    Check {
        what: "a session that this worker remembers is refused after its end",
        holds: (opened, seen, status().await) == (200, 200, 401) && remembered,
    }
}
