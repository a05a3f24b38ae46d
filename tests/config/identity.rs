//! What a rule asks of an identity, and what it tells of it.

use super::*;
use oidc_proxy_wasm::config::{ClaimForm, ClaimTest, HeaderSource, Names, Rule, TextForm};
use oidc_proxy_wasm::words::{ClaimPath, Source};
use std::rc::Rc;

fn rule(config: &Value) -> Rule {
    Rc::unwrap_or_clone(loaded(config).rules.pop().unwrap())
}

const REQUIRE: &str = "/rules/1/require";

fn claim(extra: Value) -> Value {
    let mut entry = json!({ "claim": ["a"] });
    entry.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    json!({ "claims": [entry] })
}

#[test]
fn a_claim_rule_has_one_test() {
    for right in [
        json!({ "equals": 1 }),
        json!({ "any_of": [1, "x"] }),
        json!({ "all_of": ["x", true] }),
        json!({ "none_of": ["x"] }),
        json!({ "present": true }),
        json!({ "present": false }),
        json!({ "at_least": 1 }),
        json!({ "at_most": -1.5 }),
        json!({ "at_least": 1, "at_most": 1 }),
    ] {
        let mut two = right.clone();
        two["equals"] = json!(2);
        two["all_of"] = json!([1]);
        twins(
            REQUIRE,
            claim(two),
            "needs exactly one of equals, any_of, all_of, none_of, present, and at_least or at_most",
            claim(right),
        );
    }
    let right = || claim(json!({ "present": true }));
    twins(REQUIRE, claim(json!({})), "needs exactly one of equals, any_of", right());
    twins(REQUIRE, claim(json!({ "present": true, "at_most": 1 })), "needs exactly one of", right());
    twins(REQUIRE, claim(json!({ "present": "yes" })), "present: found text, needs true or false", right());
    twins(REQUIRE, claim(json!({ "all_of": [] })), "all_of: is an empty list", right());
    twins(REQUIRE, claim(json!({ "none_of": null })), "none_of: is null", claim(json!({ "none_of": [1] })));
}

#[test]
fn a_range_has_two_ends_in_order() {
    let right = || claim(json!({ "at_least": 2, "at_most": 2.5 }));
    twins(REQUIRE, claim(json!({ "at_least": "2" })), "at_least: found text, needs a number", right());
    twins(REQUIRE, claim(json!({ "at_least": 3, "at_most": 2 })), "is more than at_most", right());
    let require = rule(&with(shop(), REQUIRE, claim(json!({ "at_least": 2 })))).require;
    assert!(matches!(require.claims[0].test, ClaimTest::Range { least: 2.0, most: f64::MAX }));
}

#[test]
fn values_between_spaces_have_none_inside() {
    let spaced = |mut test: Value| {
        test["space_separated"] = json!(true);
        claim(test)
    };
    let right = || spaced(json!({ "all_of": ["a", "b"] }));
    twins(REQUIRE, spaced(json!({ "all_of": ["a b"] })), "contradicts a wanted value that has a space", right());
    twins(REQUIRE, spaced(json!({ "equals": "a b" })), "contradicts a wanted value", spaced(json!({ "equals": "a" })));
    twins(REQUIRE, spaced(json!({ "present": true })), "goes with equals, any_of", claim(json!({ "present": true })));
    twins(REQUIRE, spaced(json!({ "at_most": 1 })), "goes with equals, any_of", right());
    let form = |require: Value| rule(&with(shop(), REQUIRE, require)).require.claims[0].text;
    assert_eq!(form(right()), TextForm::SpaceSeparated);
    assert_eq!(form(claim(json!({ "all_of": ["a b"] }))), TextForm::Whole);
}

#[test]
fn what_is_forbidden_is_a_claim_with_or_without_a_source() {
    let at = format!("{REQUIRE}/forbidden_claims");
    let right = || json!([["suspended"], { "claim": ["locked"], "source": "userinfo" }]);
    twins(&at, json!([]), "forbidden_claims: is an empty list", right());
    twins(&at, json!([[]]), "forbidden_claims[0]: is an empty list", right());
    twins(&at, json!(["suspended"]), "found text, needs an object", right());
    twins(&at, json!([{ "source": "userinfo" }]), "claim: is missing", right());
    twins(&at, json!([{ "claim": ["a"], "source": "idtoken" }]), "nearest is \"id_token\"", right());
    let forbidden = rule(&with(shop(), &at, right())).require.forbidden_claims;
    let sources: Vec<Source> = forbidden.iter().map(|at| at.source).collect();
    assert_eq!(sources, [Source::Any, Source::Userinfo]);
}

#[test]
fn groups_are_denied_where_it_is_said_how_they_are_listed() {
    let right = || json!({ "groups_denied": ["guests"], "groups": { "claim": ["groups"] } });
    twins(REQUIRE, json!({ "groups_denied": ["guests"] }), "needs groups.claim, which says where", right());
    twins(
        REQUIRE,
        json!({ "groups_denied": [], "groups": { "claim": ["groups"], "any_of": ["a"] } }),
        "empty list",
        right(),
    );
    twins(REQUIRE, json!({ "groups": { "claim": ["groups"] } }), "groups.any_of: is missing", right());
    twins(REQUIRE, json!({ "groups": { "any_of": ["a"] } }), "groups.claim: is missing", right());
    twins(REQUIRE, json!({ "roles": { "claim": ["a"] } }), "roles.any_of: is missing", right());
    // Where `defaults` say how groups are listed, the rule need not.
    let above = with(shop(), "/defaults/require/groups", json!({ "claim": ["groups"], "any_of": ["staff"] }));
    assert_eq!(rule(&with(above, REQUIRE, json!({ "groups_denied": ["guests"] }))).require.groups_denied, ["guests"]);
}

#[test]
fn groups_of_the_consumer_need_one() {
    let groups = |value: Value| json!({ "groups": value });
    let right = groups(json!({ "source": "consumer", "any_of": ["partners"] }));
    let claimed = groups(json!({ "claim": ["groups"], "any_of": ["partners"] }));
    twins(REQUIRE, right.clone(), "source: is consumer, which needs `consumer` in the rule", claimed);
    let both = groups(json!({ "source": "consumer", "claim": ["groups"], "any_of": ["partners"] }));
    twins_in(acme(), REQUIRE, both, "claim: contradicts source: consumer", right.clone());
    let roles = json!({ "roles": { "source": "consumer", "any_of": ["partners"] } });
    twins_in(acme(), REQUIRE, roles, "has groups and no roles", right.clone());
    let require = rule(&with(acme(), REQUIRE, right)).require;
    assert!(matches!(require.groups[0].names, Names::Consumer));
}

/// A03.
#[test]
fn email_domains_are_exact() {
    let at = format!("{REQUIRE}/email_domains");
    for wrong in
        ["@good.com", "*.good.com", "a@good.com", ".good.com", "good.com.", "gööd.com", "good com", "https://good.com"]
    {
        twins(&at, json!([wrong]), "is no domain: write it as in example.com", json!(["good.com", "xn--gd-fkaa.com"]));
    }
    assert_eq!(rule(&with(shop(), &at, json!(["Good.COM"]))).require.email_domains, [["good.com"]]);
}

/// The shop with consumers, and a rule that looks for them.
fn acme() -> Value {
    let consumers = json!([
        { "username": "acme", "custom_id": "17", "match": { "claim": ["azp"], "equals": "acme-app" }, "groups": ["partners"] },
        { "username": "initech", "custom_id": "18", "match": { "claim": ["azp"], "any_of": ["tps", "tps2"] } },
    ]);
    with(with(shop(), "/consumers", consumers), "/rules/1/consumer", json!({ "by": ["azp"] }))
}

#[test]
fn no_two_consumers_could_both_be_meant() {
    for (at, wrong, sentence, right) in [
        (
            "/consumers/1/username",
            json!("acme"),
            "consumers[1].username: \"acme\" stands for consumers[0] too",
            json!("acme2"),
        ),
        (
            "/consumers/1/username",
            json!("17"),
            "consumers[1].username: \"17\" stands for consumers[0] too",
            json!("19"),
        ),
        ("/consumers/1/custom_id", json!("17"), "consumers[1].custom_id: \"17\" stands for", json!("19")),
        ("/consumers/1/custom_id", json!("acme"), "consumers[1].custom_id: \"acme\" stands for", json!("initech")),
        ("/consumers/1/id", json!("acme"), "consumers[1].id: \"acme\" stands for", json!("i-2")),
        ("/consumers/1/match/any_of", json!(["x", "acme-app"]), "consumers[1].match: ", json!(["x", "acme app"])),
        ("/consumers/1/groups", json!(["a, b"]), "has a comma in a group", json!(["a b"])),
        (
            "/consumers/1/match",
            json!({ "claim": ["a"] }),
            "needs exactly one of equals and any_of",
            json!({ "claim": ["a"], "equals": 1 }),
        ),
        ("/consumers/1/match/claim", json!([]), "is an empty list", json!(["azp"])),
        ("/consumers/1/username", json!(""), "is empty", json!("x")),
    ] {
        twins_in(acme(), at, wrong, sentence, right);
    }
    assert!(problem(&without(acme(), "/consumers/1/username")).contains("consumers[1].username: is missing"));
}

#[test]
fn a_rule_that_looks_for_a_consumer_can_find_one() {
    let at = "/rules/1/consumer";
    let right = || json!({ "by": ["azp"], "optional": true });
    twins_in(acme(), at, json!({}), "is empty and asks for nothing", right());
    twins_in(acme(), at, json!({ "by": null }), "by: is null", right());
    twins_in(acme(), at, json!({ "by": "azp" }), "write [\"azp\"]", right());
    assert!(problem(&without(acme(), "/consumers")).contains("consumer: needs `consumers`, of which it is one"));
    let unmatched = without(without(acme(), "/consumers/0/match"), "/consumers/1/match");
    twins_in(
        unmatched,
        at,
        json!({ "optional": true }),
        "needs `by`, since none of the consumers has `match`",
        right(),
    );
    loaded(&with(acme(), at, json!({ "optional": false })));
}

/// H01, H12: no client sets what a rule says about consumers.
#[test]
fn the_headers_about_a_consumer_are_ours() {
    let at = "/rules/1/consumer/headers";
    let asserted = |config: &Value| loaded(config).asserted_headers;
    let usual = [
        "x-anonymous-consumer",
        "x-authenticated-groups",
        "x-consumer-custom-id",
        "x-consumer-id",
        "x-consumer-username",
        "x-credential-identifier",
    ];
    assert_eq!(asserted(&acme()), usual);
    let named = asserted(&with(acme(), at, json!({ "id": "none", "username": "X_App" })));
    let renamed =
        ["x-anonymous-consumer", "x-app", "x-authenticated-groups", "x-consumer-custom-id", "x-credential-identifier"];
    assert_eq!(named, renamed);
    twins_in(
        acme(),
        at,
        json!({ "id": "Host" }),
        "headers.id: the header host belongs to HTTP",
        json!({ "id": "x-id" }),
    );
    twins_in(
        acme(),
        at,
        json!({ "id": "X-Consumer-Username" }),
        "tells something else as well",
        json!({ "id": "x-id" }),
    );
    twins_in(acme(), at, json!({ "id": "Authorization" }), "carries the access token", json!({ "id": "x-id" }));
    let told = json!([{ "claim": ["sub"], "name": "X-Consumer_Id" }]);
    twins_in(
        acme(),
        "/rules/1/upstream_headers",
        told,
        "x-consumer-id tells something else",
        json!([{ "claim": ["sub"], "name": "x-user" }]),
    );
}

#[test]
fn headers_tell_claims_claim_sets_and_tokens() {
    for (at, names_of_tokens) in
        [("/rules/1/upstream_headers", "access_token"), ("/rules/1/response_headers", "id_token")]
    {
        let right = || {
            json!([
                { "claim": ["sub"], "name": "x-user", "source": "userinfo", "as": "base64" },
                { "claims": "id_token", "name": "x-claims" },
                { "claims": "userinfo", "name": "x-userinfo", "as": "base64" },
                { "token": names_of_tokens, "name": "x-token" },
            ])
        };
        for (wrong, sentence) in [
            (json!([{ "name": "x-user" }]), "needs exactly one of claim, claims and token"),
            (json!([{ "claim": ["a"], "claims": "id_token", "name": "x-user" }]), "needs exactly one of"),
            (json!([{ "claims": "any", "name": "x-user" }]), "is not one of id_token"),
            (json!([{ "claims": "id_token", "name": "x-user", "as": "text" }]), "one of json, base64"),
            (
                json!([{ "claims": "id_token", "name": "x-user", "source": "userinfo" }]),
                "source: goes with claim alone",
            ),
            (json!([{ "claims": "id_token" }]), "name: is missing"),
            (json!([{ "claim": ["a"], "name": "x-user", "as": "bearer" }]), "one of text, json, base64"),
            (json!([{ "token": "id_token" }]), "name: is missing"),
            (json!([{ "token": "id_token", "name": "x-user", "as": "json" }]), "a token is told as it is"),
            (json!([{ "claim": ["a"], "name": "x-a" }, { "claims": "id_token", "name": "X_A" }]), "stands twice"),
            (json!([{ "claim": ["a"], "name": "Content-Length" }]), "belongs to HTTP"),
        ] {
            twins(at, wrong, sentence, right());
        }
    }
    let response = "/rules/1/response_headers";
    twins(response, json!([{ "claim": ["a"], "name": "Location" }]), "means something else in an answer", json!([]));
    twins(
        response,
        json!([{ "token": "access_token", "as": "bearer", "name": "x-a" }]),
        "a token is told as it is",
        json!([]),
    );
    let headers = json!([{ "claim": ["a"], "name": "X-A", "as": "json" }, { "claims": "userinfo", "name": "x-b" }]);
    let read = rule(&with(shop(), response, headers)).response_headers;
    assert!(matches!(read[0].source, HeaderSource::Claim { form: ClaimForm::Json, source: Source::Any, .. }));
    assert!(matches!(read[1].source, HeaderSource::Claims { form: ClaimForm::Json, source: Source::Userinfo }));
}

/// What the service and the client learn is not what a client may say; what it learns from us it may send.
#[test]
fn only_what_the_service_is_told_is_kept_from_clients() {
    let both = with(shop(), "/rules/1/response_headers", json!([{ "claim": ["a"], "name": "x-told" }]));
    let both = with(both, "/rules/1/upstream_headers", json!([{ "claims": "id_token", "name": "X_Claims" }]));
    assert_eq!(loaded(&both).asserted_headers, ["x-claims"]);
}

/// A rule with every key that reads a claim says that it reads it: sessions keep nothing else.
#[test]
fn every_claim_that_is_read_is_known() {
    let config = with(
        acme(),
        REQUIRE,
        json!({
            "audience": ["api"],
            "groups": { "claim": ["groups", "x"], "any_of": ["a"] },
            "roles": { "claim": ["roles"], "any_of": ["a"] },
            "claims": [{ "claim": ["one"], "present": true }, { "claim": ["two"], "at_most": 1 }],
            "forbidden_claims": [["suspended"], { "claim": ["locked"], "source": "id_token" }],
            "email_domains": ["example.com"],
            "groups_denied": ["guests"],
        }),
    );
    let config = with(config, "/rules/1/consumer", json!({ "by": ["app"] }));
    let config = with(config, "/rules/1/upstream_headers", json!([{ "claim": ["name"], "name": "x-name" }]));
    let config = with(config, "/rules/1/response_headers", json!([{ "claim": ["locale"], "name": "x-locale" }]));
    let config = with(config, "/defaults/require/claims", json!([{ "claim": ["tenant"], "present": true }]));
    let read = |config: &Value| {
        let mut roots: Vec<String> =
            rule(config).claims_read().iter().map(|path| ClaimPath::root(path).to_owned()).collect();
        roots.sort();
        roots
    };
    let besides = [
        "aud",
        "email",
        "email_verified",
        "groups",
        "locale",
        "locked",
        "name",
        "one",
        "roles",
        "suspended",
        "tenant",
        "two",
    ];
    let expected = |own: &'static [&'static str]| {
        let mut all: Vec<&str> = besides.iter().chain(own).copied().collect();
        all.sort_unstable();
        all
    };
    assert_eq!(read(&config), expected(&["app"]));
    // Without `by`, it is what the consumers match by.
    let matched = with(config, "/rules/1/consumer", json!({ "optional": true }));
    assert_eq!(read(&matched), expected(&["azp", "azp"]));
    assert!(!rule(&matched).tells_all(Source::IdToken));
    let all = with(matched, "/rules/1/response_headers", json!([{ "claims": "id_token", "name": "x-claims" }]));
    assert!(rule(&all).tells_all(Source::IdToken));
}
