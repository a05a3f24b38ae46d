//! A configuration that is refused says all that is wrong with it, and never takes effect.

use integration_tests::client::get;
use integration_tests::envoy::{Envoy, Update};
use integration_tests::person::Person;
use integration_tests::setup::Setup;
use integration_tests::shop;
use integration_tests::upstream::Upstream;
use serde_json::{Value, json};

const ISSUER: &str = "https://idp.example.com";

fn good(port: u16) -> Value {
    shop::filter(port, ISSUER)
}

/// The sentences that Envoy's log has of a refusal.
async fn sentences(setup: Setup) -> Vec<String> {
    let log = Envoy::refused(setup).await;
    let lines = log.lines().filter_map(|line| line.split_once("oidc: ")).map(|(_, said)| said.trim().to_owned());
    let mut said: Vec<_> = lines.collect();
    // Envoy tries on the main thread first, and may try once more.
    said.dedup();
    assert!(said[0].starts_with("the configuration is refused, "), "{log}");
    said
}

fn assert_says(said: &[String], parts: &[&str]) {
    for part in parts {
        assert!(said.iter().any(|line| line.contains(part)), "{part:?} is not said in {said:#?}");
    }
}

// Z01, Z02, Z05, Z06, Z09, Z12
#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_is_said_at_once() {
    let setup = Setup::new();
    let mut filter = good(setup.port);
    filter["sesion"] = filter["session"].clone();
    filter["providers"]["main"]["client"]["client_secret"] = json!({ "env": "NOT_THERE" });
    filter["providers"]["main"]["timeout"] = json!("-5s");
    filter["session"]["secrets"] = json!(["too-short"]);
    filter["rules"][2]["require"] = json!({ "scope": [] });
    filter["defaults"]["login"]["redirect_uri"] = json!("/oauth/callback");
    let said = sentences(setup.filter(filter)).await;
    assert_says(
        &said,
        &[
            "sesion: ",
            "session",
            "providers.main.client.client_secret: ",
            "NOT_THERE",
            "providers.main.timeout: ",
            "session.secrets[0]: 9 bytes, needs 32",
            "rules[2].require.scope",
            "login.redirect_uri",
        ],
    );
    assert!(!said.iter().any(|line| line.contains("too-short")), "a secret is never shown: {said:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn common_slips_get_the_sentence_that_mends_them() {
    let setup = Setup::new();
    let mut filter = good(setup.port);
    filter["providers"]["main"]["issuer"] = json!("https://idp.example.com/.well-known/openid-configuration");
    assert_says(&sentences(setup.filter(filter)).await, &["providers.main.issuer: ", "discovery"]);

    let setup = Setup::new();
    let mut filter = good(setup.port);
    filter["providers"]["main"]["issuer"] = json!("http://idp.example.com");
    assert_says(&sentences(setup.filter(filter)).await, &["providers.main.issuer: "]);

    let setup = Setup::new();
    let mut filter = good(setup.port);
    filter["rules"][2]["match"]["host"] = json!("shop.example.com");
    assert_says(&sentences(setup.filter(filter)).await, &["rules[2].login.redirect_uri: ", "outside the rule's host"]);
}

// Z07
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_configuration_lets_nobody_in() {
    for filter in [json!({}), json!({ "rules": [] }), json!({ "rules": [{ "match": null }] })] {
        let said = sentences(Setup::new().filter(filter.clone())).await;
        assert!(said.len() > 1, "{filter}: {said:?}");
    }
}

// Z12: what the operator forgot to hand to the VM.
#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_envoy_does_not_pass_on_is_named() {
    let with_variable = |setup: Setup| {
        let mut filter = good(setup.port);
        filter["session"]["secrets"] = json!([{ "env": "SESSION_KEY" }]);
        setup.filter(filter)
    };
    let said = sentences(with_variable(Setup::new())).await;
    assert_says(&said, &["session.secrets[0]: ", "SESSION_KEY", "vm_config.environment_variables"]);
    let key = integration_tests::random_hex::<32>();
    Envoy::start(with_variable(Setup::new()).env("SESSION_KEY", &key)).await;
}

// Z08
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_update_leaves_the_old_one_in_force() {
    let upstream = Upstream::start().await;
    let setup = Setup::new().upstream(upstream.port);
    let filter = good(setup.port);
    let setup = setup.filter(filter.clone());
    let mut envoy = Envoy::start_updatable(setup.clone()).await;
    let open =
        |filter: &mut Value| filter["rules"] = json!([{ "match": { "path_prefix": "/" }, "allow": "anonymous" }]);

    let mut wrong = filter.clone();
    open(&mut wrong);
    wrong["session"]["idle"] = json!("5");
    assert_eq!(envoy.update(&setup.clone().filter(wrong)).await, Update::Refused);
    assert!(envoy.log().contains("oidc: session.idle: "), "{}", envoy.log());
    assert_eq!(get(envoy.port, "/private").send().await.status, 401);
    assert_eq!(get(envoy.port, "/public").send().await.status, 200);

    // The twin, mended.
    let mut right = filter;
    open(&mut right);
    assert_eq!(envoy.update(&setup.filter(right)).await, Update::Accepted);
    let mut person = Person::new();
    let url = format!("http://localhost:{}/private", envoy.port);
    for _ in 0..50 {
        if person.look(&url).await.answer.status == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the new configuration is not in force");
}
