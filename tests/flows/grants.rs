//! Refresh tokens, passwords and client credentials that callers bring (conformance §10, attacks group G): what is asked for
//! with them, what is taken of the answer, and how long it lasts.

use crate::support::*;
use oidc_proxy_wasm::exchange::{self, Begun};
use oidc_proxy_wasm::world::Metric;

/// With the characters that Basic and forms are hard on (G02).
const CLIENT: (&str, &str) = ("bat:ch+%& é", "s:e%c+r&é =t");
const USER: (&str, &str) = ("alice", "wön:der+ %");

/// A shop with these methods whose provider knows a user and a client, and gives JWTs or opaque tokens.
fn shop(methods: &[&str], jwts: bool, members: Value) -> Shop {
    let audience = if jwts { json!(["api"]) } else { json!("any") };
    let mut rule = json!({ "methods": methods, "token": { "audience": audience } });
    rule.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let shop = Shop::api(rule);
    ready(&shop.idp, jwts);
    shop
}

fn ready(idp: &Idp, jwts: bool) {
    idp.knows_user(USER.0, USER.1);
    idp.knows_client_by("batch", "secret-of-batch");
    if jwts {
        idp.gives_jwts();
    }
}

fn by_password() -> Req {
    background("/x").basic(USER.0, USER.1)
}

fn by_client() -> Req {
    background("/x").basic("batch", "secret-of-batch")
}

/// The fields of the last token request, and its `Authorization`.
fn sent(shop: &Shop) -> (Vec<(String, String)>, String) {
    let asked = shop.script.asked();
    let call = asked.iter().rfind(|call| call.endpoint == Endpoint::Token).unwrap();
    let fields = oidc_proxy_wasm::http::form::parse(call.body.expose_text().unwrap()).unwrap();
    let shown = call.headers.iter().find(|(name, _)| name == "authorization");
    (fields, shown.map_or(String::new(), |(_, value)| value.expose_text().unwrap().to_owned()))
}

fn tokens_asked(shop: &Shop) -> usize {
    shop.calls(Endpoint::Token)
}

/// G1, G2 (RFC 6749 §4.3, §4.4, §6): each credential passes, once is asked, and the token travels on in its place.
#[test]
fn each_credential_is_traded_once_and_its_token_goes_on() {
    for jwts in [true, false] {
        for method in ["refresh_token", "password", "client_credentials"] {
            let shop = shop(
                &[method],
                jwts,
                json!({ "upstream_headers": [{ "claim": ["preferred_username"], "name": "x-user" }] }),
            );
            let token = shop.idp.refresh_token();
            let request = match method {
                "refresh_token" => background("/x").with("refresh-token", &token),
                "password" => by_password(),
                _ => by_client(),
            };
            let mut seen = Vec::new();
            for _ in 0..3 {
                let answer = shop.decide(&request);
                assert_eq!(answer.reason(), None, "{method} {jwts}: {:?}", shop.script.lines());
                seen.push(answer.service("authorization"));
                assert!(answer.service("refresh-token").is_empty());
                assert!(answer.all("set-cookie").is_empty());
            }
            assert!(seen[0][0].starts_with("Bearer ") && seen.iter().all(|token| *token == seen[0]), "{seen:?}");
            assert_eq!(tokens_asked(&shop), 1, "{method} {jwts}");
            assert_eq!(shop.script.counted(Metric::GrantsCached), 2);
        }
    }
}

/// G02 (RFC 6749 §2.3.1): whatever is in them, the originals come out at the provider; and a wrong one is refused.
#[test]
fn odd_characters_reach_the_provider_as_they_are() {
    for (name, secret) in [CLIENT, ("a", ":: : ::"), ("%41", "%42%42%42"), ("+", "&=&= +")] {
        let shop = shop(&["client_credentials"], true, json!({}));
        shop.idp.knows_client_by(name, secret);
        // RFC 7617 §2: a name with a colon cannot be written as Basic, and is another one.
        let expected = name.contains(':').then_some(Reason::CredentialRefused);
        assert_eq!(shop.decide(&background("/x").basic(name, secret)).reason(), expected, "{name}");
        assert_eq!(
            shop.decide(&background("/x").basic(name, &format!("{secret}x"))).reason(),
            Some(Reason::CredentialRefused)
        );
    }
    let shop = shop(&["password"], true, json!({}));
    assert_eq!(shop.decide(&by_password()).reason(), None);
}

/// G01 (RFC 7617 §2): what is not one name and one secret is refused, and nobody is asked about it.
#[test]
fn malformed_basic_is_refused_and_nobody_is_asked() {
    for methods in [&["password"][..], &["client_credentials"], &["password", "client_credentials"]] {
        let shop = shop(methods, true, json!({}));
        let odd: [&[u8]; 9] = [b"alice", b"", b":", b":wonder", b"alice:", b"a\xff:b", b"a\0:b", b"a:b\r\n", b"a:\x01"];
        let encoded = odd.map(|pair| format!("Basic {}", base64(pair)));
        let spelt = ["Basic", "Basic ?", "Basic YTpi=", "Basic YTpi YTpi"].map(str::to_owned);
        let long = format!("Basic {}", base64(&[b"a:".as_slice(), &[b'x'; 65_536]].concat()));
        for value in encoded.into_iter().chain(spelt).chain([long]) {
            let answer = shop.decide(&background("/x").with("authorization", &value));
            assert_eq!(answer.reason(), Some(Reason::BasicMalformed), "{:.60}", value);
            assert_eq!(answer.status(), 401);
            assert_eq!(answer.all("www-authenticate"), [r#"Basic realm="shop.example.com", charset="UTF-8""#]);
        }
        let twice = by_client().basic("batch", "secret-of-batch");
        assert_eq!(shop.decide(&twice).reason(), Some(Reason::BasicMalformed));
        assert_eq!(shop.script.calls(), Vec::<String>::new());
        let good = if methods[0] == "password" { by_password() } else { by_client() };
        assert_eq!(shop.decide(&good).reason(), None);
    }
}

fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// G2 (RFC 6749 §4.4): never our own secret, neither in a field nor in the form.
#[test]
fn a_client_is_the_client_and_we_are_not() {
    let shop = Shop::with(|config| {
        config["bodies"] = json!("readable");
        config["providers"]["main"]["token_params"] = json!({ "tenant": "t1" });
        let rule = config["rules"][3].as_object_mut().unwrap();
        rule.insert("methods".to_owned(), json!(["client_credentials"]));
        rule.insert("token".to_owned(), json!({ "audience": ["api"] }));
        rule.insert("credentials".to_owned(), json!({ "client_credentials": ["basic", "form"] }));
        rule.insert("grants".to_owned(), json!({ "scope": "orders:read", "params": { "resource": "https://api" } }));
    });
    ready(&shop.idp, true);
    shop.idp.takes_assertion("ey.assertion.x");
    let of =
        |fields: &[(&str, &str)]| fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>();
    let common = [("scope", "orders:read"), ("resource", "https://api"), ("tenant", "t1")];

    assert_eq!(shop.decide(&by_client()).reason(), None);
    let (fields, shown) = sent(&shop);
    assert_eq!(fields, of(&[&[("grant_type", "client_credentials")][..], &common].concat()));
    assert_eq!(shown, format!("Basic {}", base64(b"batch:secret-of-batch")));

    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let form = format!("a=1&client_assertion_type={}&client_assertion=ey.assertion.x&b=%zz", kind.replace(':', "%3A"));
    let request = Req { body: Some(form), ..background("/x").method("POST") };
    let request = request.with("content-type", "application/x-www-form-urlencoded");
    let answer = shop.decide(&request);
    assert_eq!((answer.reason(), answer.service_body()), (None, Some("a=1&b=%zz")));
    let (fields, shown) = sent(&shop);
    let assertion =
        [("grant_type", "client_credentials"), ("client_assertion_type", kind), ("client_assertion", "ey.assertion.x")];
    assert_eq!(fields, of(&[&assertion[..], &common].concat()));
    assert_eq!(shown, "");
    // RFC 7523 §2.2: another kind of assertion, another assertion, and none.
    for (from, to, reason) in [
        ("jwt-bearer", "saml2-bearer", Reason::CredentialMalformed),
        ("ey.assertion.x", "ey.assertion.y", Reason::CredentialRefused),
        ("ey.assertion.x", "", Reason::CredentialMalformed),
        ("client_assertion=ey.assertion.x", "c=1", Reason::CredentialRequired),
    ] {
        let bent = Req { body: request.body.as_ref().map(|body| body.replace(from, to)), ..request.clone() };
        assert_eq!(shop.decide(&bent).reason(), Some(reason), "{to}");
    }
}

/// Conformance S2, G1: what was used is gone from wherever it was, and the rest is as it came.
#[test]
fn what_was_used_is_kept_from_the_service() {
    for hide in [true, false] {
        let shop = Shop::with(|config| {
            config["bodies"] = json!("readable");
            let rule = config["rules"][3].as_object_mut().unwrap();
            rule.insert("methods".to_owned(), json!(["refresh_token", "password", "client_credentials"]));
            rule.insert("token".to_owned(), json!({ "audience": ["api"] }));
            let refresh = json!([{ "header": "x-refresh" }, { "cookie": "refresh" }, "query", "form"]);
            let secrets = json!(["basic", "form"]);
            let places =
                json!({ "refresh_token": refresh, "password": secrets, "client_credentials": secrets, "hide": hide });
            rule.insert("credentials".to_owned(), places);
        });
        ready(&shop.idp, true);
        let token = shop.idp.refresh_token();
        let form = |body: String| {
            let request = background("/x?a=1&b=%zz").method("POST").with("cookie", "e=1");
            Req { body: Some(body), ..request.with("content-type", "application/x-www-form-urlencoded") }
        };
        let plain = || form("c=1&d=+".to_owned());
        let by_form = |fields: &str| form(format!("c=1&{fields}&d=+"));
        let cases = [
            plain().with("x-refresh", &token),
            plain().with("x-refresh", format!("bEarer  {token} ")),
            plain().without("cookie").with("cookie", format!("e=1; refresh={token}")),
            Req { path: format!("/x?a=1&refresh_token={token}&b=%zz"), ..plain() },
            by_form(&format!("refresh_token={token}")),
            plain().basic(USER.0, USER.1),
            by_form("username=alice&password=w%C3%B6n%3Ader%2B+%25"),
            by_form("client_id=batch&client_secret=secret-of-batch"),
        ];
        for request in cases {
            let answer = shop.decide(&request);
            assert_eq!(answer.reason(), None, "{} {:?}", request.path, shop.script.lines());
            let seen = [answer.service(":path"), answer.service("cookie"), answer.service("x-refresh")];
            let body = answer.service_body().or(request.body.as_deref()).unwrap();
            if hide {
                assert_eq!(seen, [vec!["/x?a=1&b=%zz".to_owned()], vec!["e=1".to_owned()], vec![]]);
                assert_eq!(body, "c=1&d=+");
            } else {
                assert_eq!(answer.service(":path"), std::slice::from_ref(&request.path));
                assert_eq!(answer.service_body(), None);
            }
            let caching = request.path.contains("refresh_token").then(|| "private".to_owned());
            assert_eq!(answer.header("cache-control"), caching);
        }
    }
}

/// B12 for refresh tokens: what is none is refused, and nobody is asked. The first place that has one counts.
#[test]
fn a_malformed_refresh_token_is_refused() {
    let places = json!({ "refresh_token": [{ "header": "refresh-token" }, "query"] });
    let shop = shop(&["refresh_token"], true, json!({ "credentials": places }));
    let token = shop.idp.refresh_token();
    for (value, reason) in [
        ("", Reason::CredentialMalformed),
        ("Bearer ", Reason::CredentialMalformed),
        ("a\tb", Reason::CredentialMalformed),
        ("é", Reason::CredentialMalformed),
        (&"x".repeat(20_000), Reason::CredentialMalformed),
    ] {
        assert_eq!(shop.decide(&background("/x").with("refresh-token", value)).reason(), Some(reason), "{value:.20}");
    }
    let twice = background("/x").with("refresh-token", &token).with("refresh-token", &token);
    assert_eq!(shop.decide(&twice).reason(), Some(Reason::CredentialRepeated));
    assert_eq!(shop.script.calls(), Vec::<String>::new());
    let both = background(&format!("/x?refresh_token={token}")).with("refresh-token", "another");
    assert_eq!(shop.decide(&both).reason(), Some(Reason::CredentialRefused));
    assert_eq!(shop.decide(&background("/x").with("refresh-token", &token)).reason(), None);
    // RFC 6749 appendix A.17: a space is a character of it, and only the provider knows whether this one is its own.
    let spaced = background("/x").with("refresh-token", "a b");
    assert_eq!(shop.decide(&spaced).reason(), Some(Reason::CredentialRefused));
    assert!(sent(&shop).0.contains(&("refresh_token".to_owned(), "a b".to_owned())));
}

/// G08 (RFC 6749 §5.1, §7.1): a token of another type is none that we could send on.
#[test]
fn a_token_of_another_type_is_none() {
    for (kind, good) in [
        (json!("mac"), false),
        (json!("N_A"), false),
        (json!(5), false),
        (json!(null), false),
        (json!("DPoP"), false),
        (json!("bEARER"), true),
    ] {
        let shop = shop(&["client_credentials"], true, json!({}));
        let bent = kind.clone();
        shop.idp.tokens(move |answer| answer["token_type"] = bent.clone());
        let expected = (!good).then_some(Reason::GrantInvalid);
        assert_eq!(shop.decide(&by_client()).reason(), expected, "{kind}");
    }
}

/// G09: an access token that is none.
#[test]
fn an_answer_without_a_token_is_none() {
    let huge = "x".repeat(200_000);
    for (token, reason) in [
        (json!(""), Reason::GrantInvalid),
        (json!(["t"]), Reason::GrantInvalid),
        (json!(null), Reason::GrantInvalid),
        (json!("a\nb"), Reason::GrantInvalid),
        (json!("x".repeat(40_000)), Reason::GrantInvalid),
        (json!(huge), Reason::TokenUnavailable),
    ] {
        for method in ["password", "client_credentials"] {
            let shop = shop(&[method], false, json!({}));
            let bent = token.clone();
            shop.idp.tokens(move |answer| answer["access_token"] = bent.clone());
            let request = if method == "password" { by_password() } else { by_client() };
            assert_eq!(shop.decide(&request).reason(), Some(reason), "{method}");
            // The twin: a moment later it is a good one.
            shop.idp.tokens(|_| {});
            shop.script.advance(2);
            assert_eq!(shop.decide(&request).reason(), None, "{method}");
        }
    }
}

/// What the rule asks of an access token holds for one that was traded (RFC 9068 §4), and nothing is let through on trust.
#[test]
fn a_traded_jwt_is_judged_as_any_other() {
    type Bend = fn(&mut Value);
    let cases: [(Bend, Reason); 5] = [
        (|claims| claims["aud"] = json!("other"), Reason::AccessTokenAudience),
        (|claims| claims["iss"] = json!("https://evil.example"), Reason::AccessTokenIssuer),
        (|claims| claims["exp"] = json!(1_000_000_000), Reason::AccessTokenExpired),
        (|claims| claims["cnf"] = json!({ "jkt": "x" }), Reason::BindingUnsupported),
        (|claims| claims["sub"] = json!(7), Reason::AccessTokenClaims),
    ];
    for (bend, reason) in cases {
        let shop = shop(&["client_credentials"], false, json!({ "token": { "audience": ["api"] } }));
        let (bad, good) = (shop.idp.jwt(bend), shop.idp.jwt(|_| {}));
        shop.idp.tokens(move |answer| answer["access_token"] = json!(bad));
        assert_eq!(shop.decide(&by_client()).reason(), Some(reason));
        shop.idp.tokens(move |answer| answer["access_token"] = json!(good));
        let fresh =
            shop.reconfigured(|config| config["session"]["secrets"] = json!(["vB8nL1cR6yW3zH5jP0sDaE9fK2mQ7xT4"]));
        assert_eq!(fresh.decide(&by_client()).reason(), None);
    }
}

/// An opaque token is the provider's word that the credential is good. Whom it is for, introspection alone says.
#[test]
fn an_opaque_token_is_for_us_by_introspection_alone() {
    let narrow = json!({ "token": { "audience": ["api"] } });
    let plain = shop(&["client_credentials"], false, narrow.clone());
    assert_eq!(plain.decide(&by_client()).reason(), Some(Reason::AccessTokenAudience));
    let mut asking = narrow;
    asking["enrich"] = json!(["introspection"]);
    let asking = shop(&["client_credentials"], false, asking);
    let answer = asking.decide(&by_client());
    answer.assert_served_to("batch");
    asking.idp.introspection(|said| said["aud"] = json!("other"));
    asking.script.advance(61);
    assert_eq!(asking.decide(&by_client()).reason(), Some(Reason::AccessTokenAudience));
    let any = shop(&["client_credentials"], false, json!({ "upstream_headers": [] }));
    assert_eq!(any.decide(&by_client()).reason(), None);
}

/// An ID token that comes along is verified as at a login, but for the nonce; and it is about the same person.
#[test]
fn an_id_token_beside_it_must_be_good() {
    type Bend = fn(&mut Value);
    let cases: [(Bend, Option<Reason>); 5] = [
        (|_| {}, None),
        (|claims| claims["aud"] = json!("other"), Some(Reason::GrantInvalid)),
        (|claims| claims["exp"] = json!(1_000_000_000), Some(Reason::GrantInvalid)),
        (|claims| claims["iss"] = json!("https://evil.example"), Some(Reason::GrantInvalid)),
        (|claims| claims["sub"] = json!("u-2"), Some(Reason::AccessTokenClaims)),
    ];
    for (bend, reason) in cases {
        let headers = json!([{ "token": "id_token", "name": "x-id" }, { "claim": ["email"], "source": "id_token", "name": "x-mail" }]);
        let members = json!({ "grants": { "scope": "openid email" }, "upstream_headers": headers });
        let shop = shop(&["password"], true, members);
        shop.idp.claims(bend);
        let answer = shop.decide(&by_password());
        assert_eq!(answer.reason(), reason);
        if reason.is_none() {
            assert_eq!(answer.service("x-mail"), ["alice@example.com"]);
            assert_eq!(answer.service("x-id").len(), 1);
        }
    }
}

/// G2 (RFC 6749 §4.4.3): a client gets neither an ID token nor a refresh token, whatever the provider says.
#[test]
fn a_client_s_id_token_and_refresh_token_are_passed_over() {
    let members = json!({
        "methods": ["refresh_token", "client_credentials"],
        "grants": { "return_refresh_token": "x-new" },
        "upstream_headers": [{ "token": "id_token", "name": "x-id" }],
    });
    let shop = shop(&["refresh_token", "client_credentials"], true, members);
    shop.idp.tokens(|answer| {
        answer["id_token"] = json!("no.id.token");
        answer["refresh_token"] = json!("rt-of-a-client");
    });
    let answer = shop.decide(&by_client());
    assert_eq!((answer.reason(), answer.header("x-new")), (None, None));
    assert!(answer.service("x-id").is_empty());
    // The twin: with a refresh token, both are looked at.
    let token = shop.idp.refresh_token();
    let answer = shop.decide(&background("/x").with("refresh-token", token));
    assert_eq!(answer.reason(), Some(Reason::GrantInvalid));
}

/// G03: the same user with another password is another credential.
#[test]
fn another_password_is_asked_about_and_gets_no_other_s_answer() {
    let shop = shop(&["password"], true, json!({}));
    assert_eq!(shop.decide(&by_password()).reason(), None);
    assert_eq!(shop.decide(&background("/x").basic(USER.0, "other")).reason(), Some(Reason::CredentialRefused));
    assert_eq!(tokens_asked(&shop), 2);
    // The same bytes cut otherwise, too.
    let (name, secret) = ("ali", format!("ce:{}", USER.1));
    assert_eq!(shop.decide(&background("/x").basic(name, &secret)).reason(), Some(Reason::CredentialRefused));
    assert_eq!(tokens_asked(&shop), 3);
    assert_eq!(shop.decide(&by_password()).reason(), None);
    assert_eq!(tokens_asked(&shop), 3);
}

/// G05 (conformance S11): a session decides before a refresh token, and the one's tokens are not the other's.
#[test]
fn a_session_comes_before_a_refresh_token() {
    let shop = Shop::with(|config| {
        let rule = config["rules"][3].as_object_mut().unwrap();
        rule.insert("methods".to_owned(), json!(["session", "refresh_token", "authorization_code"]));
    });
    let mut browser = shop.guest();
    shop.idp.logs_in("u-2", "bob");
    let token = shop.idp.refresh_token();
    let before = tokens_asked(&shop);
    let both = browser.send(&background("/x").with("refresh-token", &token));
    both.assert_served_to("alice");
    assert_eq!(tokens_asked(&shop), before);
    let alone = shop.decide(&background("/x").with("refresh-token", &token));
    alone.assert_served_to("bob");
    assert_ne!(alone.service("authorization"), both.service("authorization"));
    browser.send(&background("/x").with("refresh-token", &token)).assert_served_to("alice");
}

/// G10: no grant leaves a session, on a rule that keeps some.
#[test]
fn a_grant_never_sets_a_cookie() {
    let methods = ["session", "refresh_token", "password", "client_credentials", "authorization_code"];
    let shop = shop(&methods, true, json!({}));
    let token = shop.idp.refresh_token();
    for request in
        [by_password(), by_client(), get("/x").basic(USER.0, USER.1), background("/x").with("refresh-token", token)]
    {
        let answer = shop.decide(&request);
        assert_eq!((answer.reason(), answer.all("set-cookie")), (None, Vec::new()));
    }
    // The twin: a login does.
    assert!(!shop.guest().jar.0.is_empty());
}

/// A refresh token that the provider rotates goes back to its sender, each time that the old one comes; else it is lost.
#[test]
fn a_rotated_refresh_token_goes_back_to_its_sender() {
    for returned in [true, false] {
        let grants = if returned { json!({ "return_refresh_token": "x-new" }) } else { json!({}) };
        let shop = shop(&["refresh_token"], true, json!({ "grants": grants }));
        shop.idp.rotates_refresh_tokens();
        let token = shop.idp.refresh_token();
        let request = background("/x").with("refresh-token", &token);
        let answers: Vec<Answer> = (0..3).map(|_| shop.decide(&request)).collect();
        assert!(answers.iter().all(|answer| answer.reason().is_none()));
        assert_eq!(tokens_asked(&shop), 1);
        let new = answers[0].header("x-new");
        assert!(answers.iter().all(|answer| answer.header("x-new") == new));
        assert_eq!(new.is_some(), returned);
        assert_eq!(answers[0].header("cache-control"), returned.then(|| "no-store".to_owned()));
        assert_eq!(answers[0].taken_from_the_answer().contains(&"x-new".to_owned()), returned);
        shop.script.advance(300);
        assert_eq!(shop.decide(&request).reason(), Some(Reason::CredentialRefused), "it works once");
        if let Some(new) = new {
            let fresh = shop.worker();
            shop.script.advance(11);
            // Reuse of the first one has ended its line (RFC 9700 §4.14.2).
            let answer = fresh.decide(&background("/x").with("refresh-token", new));
            assert_eq!(answer.reason(), Some(Reason::CredentialRefused));
        }
    }
    let shop = shop(&["refresh_token"], true, json!({ "grants": { "return_refresh_token": "x-new" } }));
    shop.idp.rotates_refresh_tokens();
    let first = shop.idp.refresh_token();
    let new = shop.decide(&background("/x").with("refresh-token", first)).header("x-new").unwrap();
    assert_eq!(shop.decide(&background("/x").with("refresh-token", new)).reason(), None);
}

/// Tokens are used for their life less the margin; one that says that it has none is used once.
#[test]
fn tokens_are_used_for_their_life_less_a_margin() {
    let life = |seconds: Value| {
        let shop = shop(&["client_credentials"], false, json!({}));
        shop.idp.tokens(move |answer| {
            answer["expires_in"] = seconds.clone();
            if seconds.is_null() {
                answer.as_object_mut().unwrap().remove("expires_in");
            }
        });
        assert_eq!(shop.decide(&by_client()).reason(), None);
        let span = (0..2000).find(|_| {
            shop.script.advance(1);
            shop.decide(&by_client());
            tokens_asked(&shop) > 1
        });
        span.unwrap() + 1
    };
    for (said, used) in [
        (json!(300), 290),
        (json!("300"), 290),
        (json!(11), 1),
        (json!(10), 1),
        (json!(1), 1),
        (json!(0), 1),
        (json!(-5), 1),
        (json!("0"), 1),
        (json!(null), 290),
    ] {
        assert_eq!(life(said.clone()), used, "{said}");
    }
    let shop = shop(&["client_credentials"], false, json!({}));
    shop.idp.tokens(|answer| answer["expires_in"] = json!(0));
    for asked in 1..4 {
        assert_eq!(shop.decide(&by_client()).reason(), None);
        assert_eq!(tokens_asked(&shop), asked, "no second is granted to it");
    }
}

/// A credential that is wrong is known as such for a while, to every worker, and then asked about again.
#[test]
fn a_wrong_credential_is_remembered_for_a_while() {
    let shop = shop(&["password"], true, json!({}));
    let other = shop.worker();
    let wrong = background("/x").basic(USER.0, "tomorrow's");
    for _ in 0..5 {
        assert_eq!(shop.decide(&wrong).reason(), Some(Reason::CredentialRefused));
        assert_eq!(other.decide(&wrong).reason(), Some(Reason::CredentialRefused));
    }
    assert_eq!(tokens_asked(&shop), 1);
    shop.idp.knows_user(USER.0, "tomorrow's");
    shop.script.advance(9);
    assert_eq!(shop.decide(&wrong).reason(), Some(Reason::CredentialRefused));
    shop.script.advance(1);
    assert_eq!(shop.decide(&wrong).reason(), None);
}

/// Keys were changed: tokens that no longer verify are dropped, and others asked for once.
#[test]
fn tokens_that_no_longer_verify_are_asked_for_again_once() {
    let first = shop(&["bearer", "client_credentials"], true, json!({}));
    let second = first.worker();
    for worker in [&first, &second] {
        assert_eq!(worker.decide(&by_client()).reason(), None);
    }
    assert_eq!(tokens_asked(&first), 1);
    first.idp.rotates_to(Signer::p256("two", 2));
    first.script.advance(31);
    // By a token of the new key both learn that the old one is published no more.
    let new = first.idp.jwt(|_| {});
    for worker in [&first, &second] {
        assert_eq!(worker.decide(&background("/x").bearer(&new)).reason(), None);
    }
    for worker in [&first, &second] {
        assert_eq!(worker.decide(&by_client()).reason(), None);
        assert_eq!(tokens_asked(&first), 2, "one more for both workers");
    }
    // And when the provider itself lies about its keys, it is asked once for each request and no more.
    first.idp.signs_with(Signer::p256("two", 3));
    first.script.advance(300);
    let before = tokens_asked(&first);
    assert_eq!(first.decide(&by_client()).reason(), Some(Reason::AccessTokenSignature));
    assert_eq!(tokens_asked(&first), before + 1);
}

/// 200 requests at once with one new credential, over two workers: one call, and none fails.
#[test]
fn a_burst_makes_one_call_for_all_workers() {
    for wrong in [false, true] {
        let first = shop(&["client_credentials"], true, json!({}));
        let second = first.worker();
        let request = if wrong { background("/x").basic("batch", "wrong") } else { by_client() };
        let answers = first.decide_among(&[&first, &second], &vec![request; 200]);
        let expected = wrong.then_some(Reason::CredentialRefused);
        assert!(answers.iter().all(|answer| answer.reason() == expected));
        assert_eq!(tokens_asked(&first), 1);
    }
}

/// A worker that is lost while it asks for all: another one does when its lease has lapsed.
#[test]
fn a_lost_worker_is_waited_for_no_longer_than_its_call_may_take() {
    let first = shop(&["client_credentials"], true, json!({}));
    assert_eq!(first.decide(&background("/x").basic("other", "wrong")).reason(), Some(Reason::CredentialRefused));
    let second = first.worker();
    let world = first.script.world();
    let seen = oidc_proxy_wasm::words::Request::new(oidc_proxy_wasm::words::Headers::from_pairs(by_client().fields()));
    {
        let mut lost = Box::pin(exchange::decide(&first.gate, &world, &seen, Begun::default()));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(lost.as_mut().poll(&mut context).is_pending());
        first.script.step();
    }
    first.script.lose_tasks();
    let before = first.now();
    assert_eq!(second.decide(&by_client()).reason(), None);
    let waited = first.now().since(before).as_secs();
    assert!((5..=8).contains(&waited), "{waited} s");
    assert_eq!(tokens_asked(&first), 3);
}

use std::future::Future;

/// The provider is down: what is known goes on, what is new is told why.
#[test]
fn while_the_provider_is_down_what_is_known_goes_on() {
    for (reply, reason) in [
        (Reply::nothing(), Reason::TokenUnavailable),
        (Reply::of(503, "text/plain", "later"), Reason::TokenUnavailable),
        (Reply::of(500, "text/plain", "oops"), Reason::TokenUnavailable),
        (Reply::of(200, "text/html", "<p>hello</p>"), Reason::GrantInvalid),
        (Reply::of(429, "text/plain", "enough"), Reason::TokenUnavailable),
    ] {
        let shop = shop(&["client_credentials"], true, json!({}));
        shop.idp.knows_client_by("other", "another-secret");
        assert_eq!(shop.decide(&by_client()).reason(), None);
        shop.idp.replies(Endpoint::Token, reply);
        for _ in 0..3 {
            assert_eq!(shop.decide(&by_client()).reason(), None);
            let answer = shop.decide(&background("/x").basic("other", "another-secret"));
            assert_eq!((answer.reason(), answer.status()), (Some(reason), 503));
            assert_eq!(answer.all("www-authenticate"), Vec::<String>::new());
        }
        shop.idp.recovers();
        shop.script.advance(5);
        assert_eq!(shop.decide(&background("/x").basic("other", "another-secret")).reason(), None);
    }
}

/// What the provider says of our client or of what the rule asks for is not the caller's fault; and what one caller brings
/// about keeps no other one waiting.
#[test]
fn errors_are_told_apart_by_whose_they_are() {
    let error = |code: &str| Reply::json(400, &json!({ "error": code }));
    for (method, code, reason) in [
        ("password", "invalid_grant", Reason::CredentialRefused),
        ("password", "mfa_required", Reason::CredentialRefused),
        ("password", "invalid_client", Reason::ClientRefused),
        ("password", "unauthorized_client", Reason::GrantRefused),
        ("password", "unsupported_grant_type", Reason::GrantRefused),
        ("password", "invalid_scope", Reason::GrantRefused),
        ("password", "server_error", Reason::TokenUnavailable),
        ("client_credentials", "invalid_client", Reason::CredentialRefused),
        ("client_credentials", "unauthorized_client", Reason::CredentialRefused),
        ("client_credentials", "invalid_scope", Reason::CredentialRefused),
        ("client_credentials", "unsupported_grant_type", Reason::GrantRefused),
        ("client_credentials", "invalid_request", Reason::GrantRefused),
    ] {
        let shop = shop(&[method], true, json!({}));
        shop.idp.replies(Endpoint::Token, error(code));
        let (request, other) = match method {
            "password" => (background("/x").basic("mallory", "x"), by_password()),
            _ => (background("/x").basic("mallory", "x"), by_client()),
        };
        assert_eq!(shop.decide(&request).reason(), Some(reason), "{method} {code}");
        shop.idp.recovers();
        let expected = (reason == Reason::ClientRefused).then_some(reason);
        assert_eq!(shop.decide(&other).reason(), expected, "{method} {code}");
    }
    // Without a word, and by the status alone.
    for (method, reason) in [("password", Reason::ClientRefused), ("client_credentials", Reason::CredentialRefused)] {
        let shop = shop(&[method], true, json!({}));
        shop.idp.replies(Endpoint::Token, Reply::of(401, "text/plain", "no"));
        assert_eq!(shop.decide(&by_client()).reason(), Some(reason));
    }
}

/// Where Basic may be either: a user first, then a client, and what it turned out to be is remembered.
#[test]
fn basic_is_a_user_s_first_and_then_a_client_s() {
    let methods = ["password", "client_credentials"];
    let shop = shop(&methods, true, json!({}));
    shop.decide(&by_password()).assert_served_to("alice");
    assert_eq!(tokens_asked(&shop), 1);
    shop.decide(&by_client()).assert_served_to("batch");
    assert_eq!(tokens_asked(&shop), 3, "a password that was refused, and then the client");
    shop.decide(&by_client()).assert_served_to("batch");
    assert_eq!(tokens_asked(&shop), 3);
    let other = shop.worker();
    other.decide(&by_client()).assert_served_to("batch");
    other.decide(&by_password()).assert_served_to("alice");
    assert_eq!(tokens_asked(&shop), 3, "what one worker knows another does");
    // When its token has ended, it is still known to be a client's: no user's password is tried again.
    shop.script.advance(300);
    shop.decide(&by_client()).assert_served_to("batch");
    assert_eq!(tokens_asked(&shop), 4);
    // A wrong secret costs two.
    assert_eq!(shop.decide(&background("/x").basic("batch", "wrong")).reason(), Some(Reason::CredentialRefused));
    assert_eq!(tokens_asked(&shop), 6);
    assert_eq!(shop.decide(&background("/x").basic("batch", "wrong")).reason(), Some(Reason::CredentialRefused));
    assert_eq!(tokens_asked(&shop), 6);
    // A client whose secret was changed is refused, and asked about in the fixed order from then on.
    shop.script.advance(300);
    shop.idp.knows_client_by("batch", "a-new-secret");
    assert_eq!(shop.decide(&by_client()).reason(), Some(Reason::CredentialRefused));
    assert_eq!(tokens_asked(&shop), 7);
}

/// One credential and another rule's scope are another question.
#[test]
fn what_is_asked_for_is_part_of_what_is_remembered() {
    let with = |grants: Value| {
        move |config: &mut Value| {
            let rule = config["rules"][3].as_object_mut().unwrap();
            rule.insert("grants".to_owned(), grants);
        }
    };
    let one = shop(&["client_credentials"], true, json!({ "grants": { "scope": "a" } }));
    assert_eq!(one.decide(&by_client()).reason(), None);
    let others = [json!({ "scope": "a b" }), json!({ "scope": "a", "params": { "x": "1" } }), json!({})];
    for (asked, grants) in others.into_iter().enumerate() {
        assert_eq!(one.reconfigured(with(grants)).decide(&by_client()).reason(), None);
        assert_eq!(tokens_asked(&one), asked + 2);
    }
    assert_eq!(one.worker().decide(&by_client()).reason(), None);
    assert_eq!(tokens_asked(&one), 4);
}

/// What workers leave each other is sealed: neither names nor secrets nor tokens can be read there.
#[test]
fn nothing_can_be_read_of_what_workers_share() {
    use oidc_proxy_wasm::world::Host;
    let shop = shop(&["password", "client_credentials"], false, json!({}));
    assert_eq!(shop.decide(&by_client()).reason(), None);
    assert_eq!(shop.decide(&by_password()).reason(), None);
    let shared: Vec<Vec<u8>> =
        shop.script.shared_keys().iter().filter_map(|key| shop.script.shared(key)).map(|(value, _)| value).collect();
    assert!(shared.len() >= 2);
    for secret in ["batch", "secret-of-batch", "alice", USER.1, "opaque-"] {
        let found = |value: &Vec<u8>| value.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!shared.iter().any(found), "{secret}");
    }
}

/// RFC 9110 §11.6.1, RFC 7617 §2.1: whoever may show a name and a secret is told so, after better ways; and people's browsers,
/// which would ask for a password by themselves, are not.
#[test]
fn challenges_name_what_is_taken() {
    let told = |methods: &[&str]| shop(methods, true, json!({})).decide(&background("/x")).all("www-authenticate");
    let (basic, bearer) = (r#"Basic realm="shop.example.com", charset="UTF-8""#, r#"Bearer realm="shop.example.com""#);
    assert_eq!(told(&["password"]), [basic]);
    assert_eq!(told(&["client_credentials"]), [basic]);
    assert_eq!(told(&["bearer", "client_credentials"]), [bearer, basic]);
    assert_eq!(told(&["bearer"]), [bearer]);
    assert_eq!(told(&["refresh_token"]), [bearer]);
    assert_eq!(told(&["session", "password", "authorization_code"]), [bearer]);
    let shop = shop(&["bearer", "client_credentials"], true, json!({}));
    let refused = shop.decide(&background("/x").basic("batch", "wrong"));
    assert_eq!(refused.all("www-authenticate"), [bearer, basic], "no token was bad");
}

/// `login.action: tokens`: the tokens that were asked for and no others, to nobody's cache; and never otherwise.
#[test]
fn a_login_may_answer_with_its_tokens() {
    let login = |login: Value| {
        let shop = Shop::with(|config| {
            config["defaults"]["login"].as_object_mut().unwrap().extend(login.as_object().unwrap().clone());
        });
        shop.idp.gives_refresh_tokens();
        let mut browser = shop.browser();
        let callback = browser.until_callback("/x");
        let answer = browser.send(&callback);
        let again = browser.send(&callback);
        assert!(!again.body().contains("token\":"), "a callback gives tokens once");
        browser.get("/x").assert_served_to("alice");
        answer
    };
    let names = ["access_token", "expires_in", "id_token", "refresh_token", "scope", "token_type"];
    for (tokens, expected) in [
        (json!({}), &names[2..3]),
        (json!({ "tokens": ["refresh_token"] }), &names[3..4]),
        (json!({ "tokens": ["access_token", "id_token", "refresh_token"] }), &names[..]),
    ] {
        let mut settings = tokens;
        settings["action"] = json!("tokens");
        let answer = login(settings);
        assert_eq!((answer.reason(), answer.status()), (Some(Reason::LoginTokens), 200));
        let members: serde_json::Map<String, Value> = serde_json::from_str(answer.body()).unwrap();
        let mut found: Vec<&str> = members.keys().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
        assert_eq!(answer.header("content-type").as_deref(), Some("application/json"));
    }
    let redirected = login(json!({}));
    assert_eq!((redirected.reason(), redirected.body()), (Some(Reason::LoginDone), ""));
}
