use super::*;
use crate::http::form;
use crate::jose::testing::{header, token};
use crate::provider::testing::*;
use crate::words::Algorithm::{EdDsa, Es256, Hs256};
use crate::world::CallError;
use crate::world::script::Script;
use serde_json::json;
use std::cell::RefCell;

/// What the endpoint answers from now on.
type Answering = Rc<RefCell<Result<ProviderResponse, CallError>>>;

fn shop_with(change: impl FnOnce(&mut Value)) -> (Script, Answering, Worker) {
    let (script, answering) = (Script::new(), Rc::new(RefCell::new(Err(CallError::NoAnswer))));
    let answers: Answering = Rc::clone(&answering);
    script.answer(move |request| match request.path.as_str() {
        "/jwks" => Ok(json_answer(jwks(&[main_key()]))),
        _ => answers.borrow().clone(),
    });
    let worker = Worker::new(&script, &config(change));
    (script, answering, worker)
}

fn shop() -> (Script, Answering, Worker) {
    shop_with(|_| {})
}

fn says(answering: &Answering, answer: impl ToString) {
    *answering.borrow_mut() = Ok(json_answer(answer.to_string()));
}

impl Worker {
    fn introspects(&self, token: &str) -> Result<Rc<Introspected>, Reason> {
        let world = self.script.world();
        let main = self.providers.first().unwrap();
        self.script.run(main.introspect(&world, token)).unwrap().map_err(|refusal| refusal.reason)
    }

    /// How often the endpoint was asked.
    fn asked(&self) -> usize {
        self.script.calls().iter().filter(|call| *call == "POST /introspect").count()
    }
}

/// What becomes of a token about which the endpoint says this.
fn judged(answer: impl ToString) -> Option<Reason> {
    let (_, answering, worker) = shop();
    says(&answering, answer);
    worker.introspects("t").err()
}

fn active(change: &Value) -> Value {
    let mut answer = claims(&Script::new(), change);
    answer["active"] = json!(true);
    answer
}

#[test]
fn the_request_is_that_of_rfc_7662() {
    let (script, answering, worker) = shop_with(|config| {
        config["providers"]["main"]["request_headers"] = json!({ "x-api-key": "k" });
        config["providers"]["main"]["introspection_params"] = json!({ "resource": "api" });
    });
    says(&answering, active(&json!({ "plan": "gold", "salary": 7, "client_id": "app", "scope": "a  b" })));
    let said = worker.introspects("opaque&t=1").unwrap();
    assert_eq!((&*said.issuer, said.subject.as_deref(), said.client.as_deref()), (ISSUER, Some("alice"), Some("app")));
    assert_eq!((&*said.scope, said.claims.get("plan"), said.claims.get("salary")), ("a b", Some(&json!("gold")), None));
    assert_eq!(why(said.judge(&for_api())), None);
    let request = script.asked().pop().unwrap();
    let fields = form::parse(request.body.expose_text().unwrap()).unwrap();
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let hint = field("token_type_hint", "access_token");
    assert_eq!(fields, [field("token", "opaque&t=1"), hint, field("resource", "api")]);
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["x-api-key", "accept", "user-agent", "content-type", "authorization"]);
}

#[test]
fn the_hint_is_the_operator_s_to_choose() {
    let (script, answering, worker) = shop_with(|config| {
        config["providers"]["main"]["introspection_params"] = json!({ "token_type_hint": "requesting_party_token" });
    });
    says(&answering, active(&json!({})));
    assert!(worker.introspects("t").is_ok());
    let body = script.asked().pop().unwrap().body;
    assert_eq!(body.expose_text(), Some("token=t&token_type_hint=requesting_party_token"));
}

// I01 (RFC 7662 §2.2)
#[test]
fn only_active_true_is_active() {
    for active in [r#""true""#, "1", "null", "[true]", "false", "{}"] {
        assert_eq!(judged(format!(r#"{{"active":{active}}}"#)), Some(Reason::AccessTokenInactive), "{active}");
    }
    assert_eq!(judged("{}"), Some(Reason::AccessTokenInactive));
    assert_eq!(judged(r#"{"active":true}"#), None);
}

// I02, I04: what is not said is not there.
#[test]
fn a_bare_answer_will_do_only_where_nothing_is_asked_for() {
    let (_, answering, worker) = shop();
    says(&answering, json!({ "active": true }));
    let said = worker.introspects("t").unwrap();
    assert_eq!((&*said.issuer, said.subject.as_deref(), &*said.scope), (ISSUER, None, ""));
    assert_eq!(why(said.judge(&for_api())), Some(Reason::AccessTokenAudience));
    assert_eq!(why(said.judge(&config::TokenRules { audience: None, ..for_api() })), None);
}

// I03, J27
#[test]
fn an_active_token_is_judged_by_its_times_all_the_same() {
    let now = 1_800_000_000;
    for (change, expected) in [
        (json!({ "exp": now - 31 }), Some(Reason::AccessTokenExpired)),
        (json!({ "exp": now - 29 }), None),
        (json!({ "nbf": now + 60 }), Some(Reason::AccessTokenNotYetValid)),
        (json!({ "iat": now + 60 }), Some(Reason::AccessTokenNotYetValid)),
        (json!({ "nbf": now + 5, "iat": now + 5 }), None),
        (json!({ "exp": "9999999999" }), Some(Reason::IntrospectionInvalid)),
        (json!({ "exp": 1e300 }), Some(Reason::IntrospectionInvalid)),
        (json!({ "nbf": true }), Some(Reason::IntrospectionInvalid)),
        (json!({ "exp": null }), None),
    ] {
        assert_eq!(judged(active(&change)), expected, "{change}");
    }
    assert_eq!(judged(r#"{"active":true,"exp":null}"#), Some(Reason::IntrospectionInvalid));
}

// I04 (CVE-2025-46647), I05, I15, I21
#[test]
fn issuer_audience_type_and_binding_are_judged_where_they_are_said() {
    for (change, expected) in [
        (json!({ "iss": OTHER }), Some(Reason::AccessTokenIssuer)),
        (json!({ "iss": "https://idp.example/" }), Some(Reason::AccessTokenIssuer)),
        (json!({ "iss": [ISSUER] }), Some(Reason::IntrospectionInvalid)),
        (json!({ "iss": null }), None),
        (json!({ "aud": 7 }), Some(Reason::IntrospectionInvalid)),
        (json!({ "aud": ["x", "api"] }), None),
        (json!({ "scope": 7 }), Some(Reason::IntrospectionInvalid)),
        (json!({ "scope": ["a", "b"] }), None),
        (json!({ "sub": "a\r\nx: y" }), Some(Reason::IntrospectionInvalid)),
        (json!({ "client_id": 7 }), Some(Reason::IntrospectionInvalid)),
        // Refresh and ID tokens are active too, to some.
        (json!({ "token_use": "refresh_token" }), Some(Reason::AccessTokenType)),
        (json!({ "typ": "ID" }), Some(Reason::AccessTokenType)),
        (json!({ "typ": "Bearer" }), None),
    ] {
        assert_eq!(judged(active(&change)), expected, "{change}");
    }
    for (length, expected) in [(60_000, Reason::IntrospectionInvalid), (70_000, Reason::IntrospectionUnavailable)] {
        assert!(judged(active(&json!({ "sub": "a".repeat(length) }))) == Some(expected), "{length}");
    }
    assert_eq!(judged(r#"{"active":true,"sub":null,"scope":null,"client_id":null}"#), None);
    for (change, expected) in [
        (json!({ "aud": "other" }), Some(Reason::AccessTokenAudience)),
        (json!({ "aud": "api2" }), Some(Reason::AccessTokenAudience)),
        (json!({ "aud": ["other", "api"] }), None),
        (json!({ "cnf": { "jkt": "x" } }), Some(Reason::BindingUnsupported)),
        (json!({ "cnf": { "x5t#S256": "x" } }), Some(Reason::BindingUnsupported)),
        (json!({ "token_type": "DPoP" }), Some(Reason::BindingUnsupported)),
        (json!({ "token_type": "mac" }), Some(Reason::AccessTokenType)),
        (json!({ "token_type": "Bearer" }), None),
    ] {
        let (_, answering, worker) = shop();
        says(&answering, active(&change));
        assert_eq!(why(worker.introspects("t").unwrap().judge(&for_api())), expected, "{change}");
    }
}

// I06
#[test]
fn what_is_not_one_json_object_is_no_answer() {
    for body in ["[]", r#""x""#, "null", "", "{} x", r#"{"active":true,"active":true}"#, "\u{feff}{}"] {
        assert_eq!(judged(body), Some(Reason::IntrospectionInvalid), "{body}");
    }
    let (_, answering, worker) = shop();
    *answering.borrow_mut() = Ok(answer(200, "text/html", r#"{"active":true}"#));
    assert_eq!(worker.introspects("t").err(), Some(Reason::IntrospectionInvalid));
}

/// oidc-provider says so of JWTs that it signed itself.
#[test]
fn a_token_of_a_kind_that_the_endpoint_does_not_know_is_not_active() {
    for (error, expected) in
        [("unsupported_token_type", Reason::AccessTokenInactive), ("invalid_request", Reason::IntrospectionInvalid)]
    {
        let (_, answering, worker) = shop();
        *answering.borrow_mut() = Ok(answer(400, "application/json", json!({ "error": error }).to_string()));
        assert_eq!(worker.introspects("t").err(), Some(expected), "{error}");
    }
}

// I07, I08, V04
#[test]
fn each_status_has_its_reason_and_none_opens() {
    let body = r#"{"active":true}"#;
    for status in (100..600).filter(|status| *status != 200) {
        let (_, answering, worker) = shop();
        *answering.borrow_mut() = Ok(answer(status, "application/json", body));
        let expected = match status {
            401 | 403 => Reason::IntrospectionRefused,
            429 | 500..=599 => Reason::IntrospectionUnavailable,
            _ => Reason::IntrospectionInvalid,
        };
        assert_eq!(worker.introspects("t").err(), Some(expected), "{status}");
    }
    let (_, answering, worker) = shop();
    *answering.borrow_mut() = Ok(answer(400, "application/json", r#"{"error":"invalid_client"}"#));
    assert_eq!(worker.introspects("t").err(), Some(Reason::IntrospectionRefused));
}

// I07, I08: no storm, and nothing of it is remembered as the token's fault.
#[test]
fn a_provider_that_fails_is_left_alone_for_a_moment() {
    for failure in [Err(CallError::NoAnswer), Ok(answer(429, "text/plain", "")), Ok(answer(401, "text/plain", ""))] {
        let (script, answering, worker) = shop();
        says(&answering, active(&json!({})));
        assert!(worker.introspects("known").is_ok());
        *answering.borrow_mut() = failure;
        for token in ["a", "b", "a", "c"] {
            let reason = worker.introspects(token).err().unwrap();
            assert_eq!(reason.status(), 503);
            assert!(worker.introspects("known").is_ok(), "tokens that are known go on");
        }
        assert_eq!(worker.asked(), 2);
        says(&answering, active(&json!({})));
        script.advance(2);
        assert!(worker.introspects("a").is_ok());
    }
}

// V04: some providers stumble over a token; no stranger may take introspection away from everybody by it.
#[test]
fn a_token_that_a_provider_stumbles_over_keeps_no_other_one_waiting() {
    for failure in [answer(500, "text/plain", ""), json_answer("[]"), json_answer(" ".repeat(70_000))] {
        let (script, answering, worker) = shop();
        *answering.borrow_mut() = Ok(failure);
        for _ in 0..3 {
            assert!(worker.introspects("odd").is_err());
        }
        assert_eq!(worker.asked(), 1, "not asked again at once");
        says(&answering, active(&json!({})));
        assert!(worker.introspects("other").is_ok());
        script.advance(1);
        assert!(worker.introspects("odd").is_ok());
    }
}

// I10
#[test]
fn an_answer_lives_its_time_and_never_past_the_token_s_end() {
    for (exp, lives) in [(600, 60), (40, 40)] {
        let (script, answering, worker) = shop();
        says(&answering, active(&json!({ "exp": script_now() + exp })));
        assert!(worker.introspects("t").is_ok());
        says(&answering, json!({ "active": false }));
        script.advance(lives - 1);
        assert!(worker.introspects("t").is_ok());
        script.advance(1);
        assert_eq!(worker.introspects("t").err(), Some(Reason::AccessTokenInactive));
        assert_eq!(worker.asked(), 2);
        // And the bad one lives ten seconds.
        says(&answering, active(&json!({})));
        script.advance(9);
        assert_eq!(worker.introspects("t").err(), Some(Reason::AccessTokenInactive));
        script.advance(1);
        assert!(worker.introspects("t").is_ok());
        assert_eq!((worker.asked(), script.counted(Metric::IntrospectionCached)), (3, 2));
    }
}

fn script_now() -> u64 {
    Script::new().world().now().as_secs()
}

// I12
#[test]
fn who_asks_what_is_being_asked_waits_for_the_same_answer() {
    let (script, answering, worker) = shop();
    says(&answering, active(&json!({})));
    let world = script.world();
    let main = worker.providers.first().unwrap();
    let asked = |token: &'static str| Box::pin(main.introspect(&world, token)) as _;
    let outcomes = together(&script, vec![asked("t"), asked("t"), asked("u"), asked("t")]);
    assert!(outcomes.into_iter().all(|outcome: Result<_, Refusal>| outcome.is_ok()));
    assert_eq!(worker.asked(), 2);
}

// B13: whoever began a question may go; the others get their answer.
#[test]
fn a_question_outlives_who_asked_first() {
    let (script, answering, worker) = shop();
    says(&answering, active(&json!({})));
    let world = script.world();
    let main = worker.providers.first().unwrap();
    let mut first = Box::pin(main.introspect(&world, "t"));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(first.as_mut().poll(&mut context).is_pending());
    drop(first);
    assert!(worker.introspects("t").is_ok());
    assert_eq!(worker.asked(), 1);
}

#[test]
fn what_one_worker_was_told_the_others_know() {
    let (script, answering, one) = shop();
    let two = Worker::new(&script, &config(|_| {}));
    says(&answering, active(&json!({ "plan": "gold", "salary": 7, "cnf": { "jkt": "x" } })));
    assert!(one.introspects("good").is_ok());
    let said = two.introspects("good").unwrap();
    assert_eq!((said.claims.get("plan"), said.claims.get("salary")), (Some(&json!("gold")), None));
    assert_eq!(why(said.judge(&for_api())), Some(Reason::BindingUnsupported), "a binding is not lost on the way");
    says(&answering, json!({ "active": false }));
    assert_eq!(one.introspects("bad").err(), Some(Reason::AccessTokenInactive));
    assert_eq!(two.introspects("bad").err(), Some(Reason::AccessTokenInactive));
    assert_eq!((one.asked(), script.counted(Metric::IntrospectionCached)), (2, 2));
    // What the first worker was told ends when it ends there.
    script.advance(60);
    says(&answering, active(&json!({})));
    assert!(two.introspects("good").is_ok());
    assert_eq!(two.asked(), 3);
    // Nobody who reads the shared data learns of whom it speaks.
    assert!(script.shared_keys().iter().all(|key| !key.contains("good/t") && !key.contains("alice")));
}

// I04, I11: one provider's word on a token is not another's.
#[test]
fn what_one_provider_says_of_a_token_is_not_what_another_one_says() {
    let (script, answering, worker) = shop();
    says(&answering, json!({ "active": true }));
    assert!(worker.introspects("t").is_ok());
    says(&answering, json!({ "active": false }));
    let world = script.world();
    let other = script.run(worker.providers[1].introspect(&world, "t")).unwrap();
    assert_eq!(why(other), Some(Reason::AccessTokenInactive));
    assert_eq!(worker.asked(), 2);
}

// I11: rules that keep other claims do not read each other's answers.
#[test]
fn workers_that_keep_other_claims_do_not_share() {
    let (script, answering, one) = shop();
    let reads_more = config(|config| config["rules"][0]["upstream_headers"][0]["claim"] = json!(["salary"]));
    let two = Worker::new(&script, &reads_more);
    says(&answering, active(&json!({ "plan": "gold", "salary": 7 })));
    assert!(one.introspects("t").is_ok());
    assert_eq!(two.introspects("t").unwrap().claims.get("salary"), Some(&json!(7)));
    assert_eq!(one.asked(), 2);
}

#[test]
fn large_answers_stay_with_the_worker_and_a_host_without_shared_data_does_too() {
    let (script, answering, one) = shop();
    let two = Worker::new(&script, &config(|_| {}));
    says(&answering, active(&json!({ "plan": "x".repeat(5000) })));
    assert!(one.introspects("t").is_ok() && one.introspects("t").is_ok());
    assert!(two.introspects("t").is_ok());
    assert_eq!(one.asked(), 2);
}

// I09, E03, E07: strangers' tokens fill no memory, neither ours nor the host's.
#[test]
fn ten_thousand_unknown_tokens_stay_within_the_bounds() {
    let (script, answering, worker) =
        shop_with(|config| config["cache"] = json!({ "introspection": { "entries": 100 } }));
    says(&answering, active(&json!({})));
    assert!(worker.introspects("good").is_ok());
    says(&answering, json!({ "active": false }));
    for token in 0..10_000_u32 {
        assert_eq!(worker.introspects(&format!("t{token}")).err(), Some(Reason::AccessTokenInactive));
    }
    assert!(worker.introspects("good").is_ok(), "bad answers push no good ones out");
    assert!(script.shared_keys().len() <= 257, "{}", script.shared_keys().len());
    let (good, bad) = worker.memories.introspection.len();
    assert!((1..=100).contains(&good) && bad <= 100, "{good} {bad}");
}

/// A signed answer of `main`, with these members beside `token_introspection`.
fn signed(script: &Script, typ: &str, change: &Value) -> ProviderResponse {
    let now = script.world().now().as_secs();
    let mut members = json!({ "iss": ISSUER, "aud": "gate", "iat": now, "token_introspection": active(&json!({})) });
    members.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let header = format!(r#"{{"alg":"EdDSA","kid":"ed","typ":"{typ}"}}"#);
    answer(200, SIGNED, token(EdDsa, &header, &members.to_string()))
}

fn signing(config: &mut Value) {
    config["providers"]["main"]["introspection_accept"] = json!("jwt");
}

// I13, I14 (RFC 9701 §5)
#[test]
fn a_signed_answer_counts_by_its_signature_and_its_one_member() {
    const TYP: &str = "token-introspection+jwt";
    let judged = |response: ProviderResponse| {
        let (_, answering, worker) = shop_with(signing);
        *answering.borrow_mut() = Ok(response);
        worker.introspects("t").err()
    };
    let script = Script::new();
    let change = |change: &Value| judged(signed(&script, TYP, change));
    assert_eq!(change(&json!({})), None);
    assert_eq!(change(&json!({ "aud": ["gate", "x"] })), None);
    let invalid = Some(Reason::IntrospectionInvalid);
    for typ in ["JWT", "at+jwt", "logout+jwt", ""] {
        assert_eq!(judged(signed(&script, typ, &json!({}))), invalid, "{typ}");
    }
    assert_eq!(judged(signed(&script, &format!("application/{TYP}"), &json!({}))), None);
    for wrong in [
        json!({ "iss": OTHER }),
        json!({ "aud": "other" }),
        json!({ "aud": null }),
        json!({ "iat": null }),
        json!({ "iat": script.world().now().as_secs() + 60 }),
        json!({ "exp": script.world().now().as_secs() - 60 }),
        json!({ "token_introspection": true }),
        json!({ "token_introspection": null, "active": true }),
    ] {
        assert_eq!(change(&wrong), invalid, "{wrong}");
    }
    assert_eq!(
        change(&json!({ "token_introspection": { "sub": "a" }, "active": true })),
        Some(Reason::AccessTokenInactive)
    );
    // Another key, a shared secret, no signature, and plain JSON.
    let members = json!({ "iss": ISSUER, "aud": "gate", "iat": 1, "token_introspection": { "active": true } });
    for algorithm in [Es256, Hs256] {
        let header = header(algorithm).replace('}', &format!(r#","typ":"{TYP}"}}"#));
        assert_eq!(judged(answer(200, SIGNED, token(algorithm, &header, &members.to_string()))), invalid);
    }
    let Ok(good) = String::from_utf8(signed(&script, TYP, &json!({})).body) else { panic!("a token is text") };
    let (message, _) = good.rsplit_once('.').unwrap();
    assert_eq!(judged(answer(200, SIGNED, format!("{message}."))), invalid);
    assert_eq!(judged(json_answer(r#"{"active":true}"#)), invalid);
    assert_eq!(judged(answer(200, "application/json", good.clone())), invalid);
    // The reverse: signed where plain is configured.
    let (_, answering, worker) = shop();
    *answering.borrow_mut() = Ok(answer(200, SIGNED, good));
    assert_eq!(worker.introspects("t").err(), invalid);
}

#[test]
fn a_signed_answer_is_asked_for_by_its_type() {
    let (script, answering, worker) = shop_with(signing);
    *answering.borrow_mut() = Ok(signed(&script, "token-introspection+jwt", &json!({})));
    assert!(worker.introspects("t").is_ok());
    let asked = script.asked();
    let request = asked.iter().find(|request| request.endpoint == Endpoint::Introspection).unwrap();
    let accepts: Vec<_> = request.headers.iter().filter(|(name, _)| name == "accept").collect();
    assert_eq!(accepts, [&("accept".to_owned(), Secret::new(SIGNED))]);
}

#[test]
fn a_provider_without_the_endpoint_says_so() {
    let (_, _, worker) = shop_with(|config| {
        let metadata = config["providers"]["main"]["metadata"].as_object_mut().unwrap();
        metadata.remove("introspection_endpoint");
        metadata.remove("userinfo_endpoint");
    });
    assert_eq!(worker.introspects("t").err(), Some(Reason::EndpointMissing));
    let world = worker.script.world();
    let userinfo = worker.script.run(worker.providers[0].ask_userinfo(&world, "t")).unwrap();
    assert_eq!(why(userinfo), Some(Reason::EndpointMissing));
}

#[test]
fn nothing_secret_is_in_the_log_or_in_a_refusal() {
    let (script, answering, worker) = shop();
    *answering.borrow_mut() = Ok(answer(401, "application/json", r#"{"error":"invalid_client SECRETTOKEN"}"#));
    let world = script.world();
    let refusal = script.run(worker.providers[0].introspect(&world, "SECRETTOKEN")).unwrap().unwrap_err();
    assert!(!script.lines().is_empty());
    let told = format!("{:?} {}", script.lines(), refusal.detail());
    assert!(!told.contains("SECRETTOKEN") && !told.contains("0123456789abcdef"), "{told}");
}
