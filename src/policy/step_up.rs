//! How strongly and how lately the user authenticated (RFC 9470, OIDC Core §2 `acr`, `auth_time`).

use crate::config::TokenRules;
use crate::words::{Reason, Refusal, UnixTime};
use serde_json::Value;
use std::time::Duration;

/// Refuses an authentication that is weaker or older than the rule asks for; what is not said counts as neither.
///
/// `claim` looks a claim up; `skew` is how far the provider's clock may be from ours.
pub fn step_up<'a>(
    rules: &TokenRules,
    claim: impl Fn(&str) -> Option<&'a Value>,
    now: UnixTime,
    skew: Duration,
) -> Result<(), Refusal> {
    if !rules.acr_values.is_empty() {
        let acr = claim("acr").and_then(Value::as_str);
        if !acr.is_some_and(|acr| rules.acr_values.iter().any(|wanted| wanted == acr)) {
            return Err(Refusal::new(Reason::AuthenticationWeak, format!("acr is {acr:?}")));
        }
    }
    if let Some(max_age) = rules.max_age {
        let earliest = now.minus(max_age).minus(skew);
        let authenticated = claim("auth_time").and_then(Value::as_f64);
        if !authenticated.is_some_and(|time| time >= earliest.as_secs() as f64) {
            let detail = match authenticated {
                Some(time) => format!("auth_time is {}, needs {} at least", time as i64, earliest.as_secs()),
                None => "there is no auth_time".to_owned(),
            };
            return Err(Refusal::new(Reason::AuthenticationOld, detail));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: UnixTime = UnixTime::from_secs(10_000);

    fn verdict(rules: &TokenRules, claims: &Value) -> Option<Reason> {
        let found = step_up(rules, |name| claims.get(name), NOW, Duration::from_secs(30));
        found.err().map(|refusal| refusal.reason)
    }

    // B19: too weak, not said, of another type.
    #[test]
    fn acr_is_one_of_those_asked_for() {
        let rules = TokenRules { acr_values: vec!["gold".to_owned(), "silver".to_owned()], ..TokenRules::default() };
        assert_eq!(verdict(&rules, &json!({ "acr": "silver" })), None);
        for acr in [json!("bronze"), json!("Gold"), json!(["gold"]), json!(null), json!(1)] {
            assert_eq!(verdict(&rules, &json!({ "acr": acr })), Some(Reason::AuthenticationWeak), "{acr}");
        }
        assert_eq!(verdict(&rules, &json!({})), Some(Reason::AuthenticationWeak));
        assert_eq!(verdict(&TokenRules::default(), &json!({})), None);
    }

    // B19: too old, give or take the skew.
    #[test]
    fn the_authentication_is_no_older_than_asked_for() {
        let rules = TokenRules { max_age: Some(Duration::from_secs(600)), ..TokenRules::default() };
        assert_eq!(verdict(&rules, &json!({ "auth_time": 9_370 })), None);
        for time in [json!(9_369), json!("9999"), json!(null)] {
            assert_eq!(verdict(&rules, &json!({ "auth_time": time })), Some(Reason::AuthenticationOld), "{time}");
        }
        assert_eq!(verdict(&rules, &json!({})), Some(Reason::AuthenticationOld));
    }
}
