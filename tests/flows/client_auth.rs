//! How the filter proves to the provider who it is (issue 6 §3): assertions, a secret of its own making, TLS, several clients.

use crate::support::*;
use oidc_proxy_wasm::exchange::Gate;
use oidc_proxy_wasm::jose::{Jwks, Jws, Keys};
use oidc_proxy_wasm::words::Secret;
use oidc_proxy_wasm::world::script::Script;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// RFC 7515 §A.3: anybody knows it.
const D: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
/// The secret of `client_secret_jwt`.
const LONG: &str = "cR6yW3zH5jP0sDaE9fK2mQ7xT4vB8nL1";

fn key(kid: &str, d: &str) -> Value {
    json!({ "kty": "EC", "crv": "P-256", "kid": kid, "d": d })
}

/// A client that proves itself by its private key, and shows the public one at `/oauth/jwks`.
pub fn by_key(config: &mut Value) {
    let provider = &mut config["providers"]["main"];
    provider["client"] =
        json!({ "client_id": "shop", "token_endpoint_auth_method": "private_key_jwt", "jwk": key("k1", D) });
    provider["jwks_path"] = json!("/oauth/jwks");
}

fn client(change: impl FnOnce(&mut Value)) -> Shop {
    Shop::with(|config| {
        by_key(config);
        change(&mut config["providers"]["main"]["client"]);
    })
}

fn refused(config: impl FnOnce(&mut Value)) -> String {
    let mut whole = Shop::new().configuration();
    config(&mut whole);
    let problems = Gate::load(whole.to_string().as_bytes(), &|_| None).err().expect("it loads");
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// What the gate shows at its JWK set path.
fn published(shop: &Shop) -> Value {
    serde_json::from_str(shop.decide(&get("/oauth/jwks")).body()).unwrap()
}

/// The claims of an assertion whose signature is by a published key.
fn verified(shop: &Script, keys: &Value, assertion: &str) -> Option<Value> {
    let jws = Jws::parse(assertion).ok()?;
    let keys = Jwks::parse(keys.to_string().as_bytes()).unwrap();
    jws.check(shop, Keys::Public(&keys)).ok()?;
    serde_json::from_slice(jws.payload()).ok()
}

/// Every assertion that came so far.
fn assertions(shop: &Shop) -> Vec<String> {
    let calls = shop.script.asked();
    calls.iter().filter_map(|call| fields(call.body.expose_text().unwrap()).remove("client_assertion")).collect()
}

fn fields(body: &str) -> HashMap<String, String> {
    oidc_proxy_wasm::http::form::parse(body).unwrap_or_default().into_iter().collect()
}

/// A provider as strict as RFC 7523 §3 and OIDC Core §9 are: one audience, no assertion twice, none that lives long.
fn judging(shop: &Shop) -> Rc<RefCell<Vec<Value>>> {
    let (script, keys, seen) = (shop.script.clone(), published(shop), Rc::new(RefCell::new(Vec::<Value>::new())));
    let noted = Rc::clone(&seen);
    shop.idp.knows_us_by(move |request, fields| {
        let Some(claims) = fields.get("client_assertion").and_then(|it| verified(&script, &keys, it)) else {
            return false;
        };
        let now = oidc_proxy_wasm::world::Host::now(&script).as_secs();
        let (issued, expires) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
        let fresh = issued <= now && now < expires && expires - issued <= 300;
        let ours = claims["iss"] == "shop" && claims["sub"] == "shop" && fields["client_id"] == "shop";
        let new = seen.borrow().iter().all(|earlier| earlier["jti"] != claims["jti"]);
        let alone =
            !fields.contains_key("client_secret") && request.headers.iter().all(|(name, _)| name != "authorization");
        let kind = fields["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let fits = fresh && ours && new && alone && kind && claims["aud"] == ISSUER;
        seen.borrow_mut().push(claims);
        fits
    });
    noted
}

/// G06: `aud` is the issuer and nothing else, `jti` is new for each call, `exp` is soon. Codes, refresh tokens, introspection
/// and revocation are all asked about with one of its own.
#[test]
fn each_call_has_an_assertion_of_its_own_for_the_issuer() {
    let shop = Shop::with(|config| {
        by_key(config);
        config["rules"][3]["require"] = json!({ "reverify": "introspection" });
        config["defaults"]["logout"] = json!({ "path": "/logout", "revoke": true });
    });
    let seen = judging(&shop);
    shop.idp.gives_refresh_tokens();
    let mut guest = shop.guest();
    shop.script.advance(301);
    guest.get("/").assert_served_to("alice");
    guest.send(&own_post("/logout"));
    shop.script.settle();
    let calls: Vec<Endpoint> = shop.script.asked().iter().map(|call| call.endpoint).collect();
    for endpoint in [Endpoint::Token, Endpoint::Introspection, Endpoint::Revocation] {
        assert!(calls.contains(&endpoint), "{endpoint:?} {calls:?}");
    }
    let mut ids: Vec<String> = seen.borrow().iter().map(|claims| claims["jti"].as_str().unwrap().to_owned()).collect();
    assert!(ids.len() >= 4 && ids.iter().all(|id| id.len() >= 20), "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), seen.borrow().len());
    assert!(seen.borrow().iter().all(|claims| claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap() == 60));
}

/// G06's twins: a provider that wants any of it otherwise refuses, and that is the operator's affair.
#[test]
fn an_assertion_that_the_provider_does_not_take_is_the_operator_s_fault() {
    for (change, taken) in [
        (json!({}), true),
        (json!({ "assertion_audience": format!("{ISSUER}/token") }), false),
        (json!({ "jwk": key("k1", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8") }), false),
    ] {
        let shop = client(|_| {});
        judging(&shop);
        let shop = shop.reconfigured(|config| {
            let client = config["providers"]["main"]["client"].as_object_mut().unwrap();
            client.extend(change.as_object().unwrap().clone());
        });
        let answer = shop.browser().open("/");
        assert_eq!(answer.reason(), (!taken).then_some(Reason::ClientRefused), "{change}");
    }
}

/// G07, CVE-2025-27370: an evil provider names the honest one's token endpoint as its own. What we send there is for the evil
/// issuer, and the honest one refuses it; at the honest issuer's own login it takes what we send.
#[test]
fn an_assertion_is_for_the_issuer_that_was_configured_whatever_the_metadata_say() {
    let evil = "https://evil.example";
    let honest_endpoint = format!("{ISSUER}/token");
    let shop = client(|_| {});
    judging(&shop);
    let (endpoint, audience) = (honest_endpoint.clone(), evil);
    let misled = shop.reconfigured(|config| {
        let provider = &mut config["providers"]["main"];
        provider["issuer"] = json!(evil);
        provider["clusters"] = json!({ "idp.example.com": "idp" });
    });
    shop.idp.metadata(|metadata| {
        metadata["issuer"] = json!(evil);
        metadata["token_endpoint"] = json!(endpoint);
        metadata["authorization_response_iss_parameter_supported"] = json!(false);
    });
    shop.idp.response(|response| response.retain(|(name, _)| name != "iss"));
    assert_eq!(misled.browser().open("/").reason(), Some(Reason::ClientRefused));
    let sent = assertions(&misled);
    let claims = verified(&misled.script, &published(&misled), sent.last().unwrap()).unwrap();
    assert_eq!(claims["aud"], audience);

    shop.idp.metadata(|metadata| metadata["issuer"] = json!(ISSUER));
    shop.worker().guest();
}

/// RFC 9700 §2.5: what the provider announces does not talk us into a weaker method.
#[test]
fn metadata_do_not_choose_the_method() {
    let shop = client(|_| {});
    judging(&shop);
    shop.idp
        .metadata(|metadata| metadata["token_endpoint_auth_methods_supported"] = json!(["none", "client_secret_post"]));
    shop.guest();
    assert_eq!(assertions(&shop).len(), 1);
}

#[test]
fn a_secret_signs_too() {
    for (algorithm, secret) in
        [(None, LONG.to_owned()), (Some("HS384"), LONG.repeat(2)), (Some("HS512"), LONG.repeat(2))]
    {
        let shop = Shop::with(|config| {
            let client = &mut config["providers"]["main"]["client"];
            client["client_secret"] = json!(secret);
            client["token_endpoint_auth_method"] = json!("client_secret_jwt");
            if let Some(algorithm) = algorithm {
                client["token_endpoint_auth_signing_alg"] = json!(algorithm);
            }
        });
        let script = shop.script.clone();
        shop.idp.knows_us_by(move |_, fields| {
            let jws = Jws::parse(&fields["client_assertion"]).unwrap();
            let claims: Value = serde_json::from_slice(jws.payload()).unwrap();
            jws.algorithm().name() == algorithm.unwrap_or("HS256")
                && jws.check(&script, Keys::Secret(&Secret::new(secret.as_str()))).is_ok()
                && (&claims["aud"], &claims["sub"]) == (&json!(ISSUER), &json!("shop"))
                && !fields.contains_key("client_secret")
        });
        shop.guest();
    }
}

/// Introspection and revocation know us in ways of their own.
#[test]
fn each_endpoint_may_have_its_own_method() {
    let shop = client(|client| {
        client["client_secret"] = json!(LONG);
        client["introspection_endpoint_auth_method"] = json!("client_secret_post");
        client["revocation_endpoint_auth_method"] = json!("client_secret_basic");
    });
    let shop = shop.reconfigured(|config| {
        config["rules"][3]["require"] = json!({ "reverify": "introspection" });
        config["defaults"]["logout"] = json!({ "path": "/logout", "revoke": true });
    });
    shop.idp.knows_us_by(|request, fields| {
        let (basic, body) =
            (request.headers.iter().any(|(name, _)| name == "authorization"), |name| fields.contains_key(name));
        let sent = (basic, body("client_secret"), body("client_assertion"));
        match request.endpoint {
            Endpoint::Introspection => sent == (false, true, false),
            _ => sent == (false, false, true),
        }
    });
    let mut guest = shop.guest();
    guest.send(&own_post("/logout"));
    shop.script.settle();
    let revoked = shop.script.asked().into_iter().find(|call| call.endpoint == Endpoint::Revocation).unwrap();
    assert!(revoked.headers.iter().any(|(name, _)| name == "authorization"));
    assert!(!revoked.body.expose_text().unwrap().contains("client_"));
}

/// Apple's: a secret that we sign, used until half of its hour is over.
#[test]
fn a_signed_secret_is_made_anew_before_it_ends_and_not_for_each_call() {
    let shop = Shop::with(|config| {
        config["providers"]["main"]["client"] = json!({
            "client_id": "shop", "token_endpoint_auth_method": "client_secret_post", "jwk": key("k1", D),
            "signed_secret": { "issuer": "TEAM123456", "kid": "KEY1234567" },
        });
        config["providers"]["main"]["jwks_path"] = json!("/oauth/jwks");
    });
    let (script, mut keys, seen) = (shop.script.clone(), published(&shop), Rc::new(RefCell::new(Vec::new())));
    keys["keys"][0]["kid"] = json!("KEY1234567");
    let noted = Rc::clone(&seen);
    shop.idp.knows_us_by(move |_, fields| {
        let secret = &fields["client_secret"];
        let claims = verified(&script, &keys, secret).unwrap();
        let now = oidc_proxy_wasm::world::Host::now(&script).as_secs();
        noted.borrow_mut().push(secret.clone());
        assert_eq!(Jws::parse(secret).unwrap().kid(), Some("KEY1234567"));
        claims["iss"] == "TEAM123456"
            && (&claims["sub"], &claims["aud"]) == (&json!("shop"), &json!("https://appleid.apple.com"))
            && claims["exp"].as_u64().unwrap() > now + 60
            && !fields.contains_key("client_assertion")
    });
    for wait in [0, 1799, 2, 3600] {
        shop.script.advance(wait);
        shop.guest();
    }
    let seen = seen.borrow();
    assert!(seen[0] == seen[1] && seen[1] != seen[2] && seen[2] != seen[3]);
    // A clock that was set back must not keep a secret from the future.
    shop.script.turn_back(100_000);
    drop(seen);
    shop.guest();
}

/// RFC 8705 §2, §5: the connection says who we are, and the endpoints are those for such connections; userinfo is not.
#[test]
fn by_tls_the_client_only_names_itself_at_the_aliases() {
    for method in ["tls_client_auth", "self_signed_tls_client_auth"] {
        for aliased in [true, false] {
            let shop = Shop::with(|config| {
                let provider = &mut config["providers"]["main"];
                provider["client"] = json!({ "client_id": "shop", "token_endpoint_auth_method": method });
                provider["clusters"] = json!({ "mtls.example.com": "idp" });
                config["defaults"]["login"]["userinfo"] = json!(true);
                config["rules"][3]["require"] = json!({ "reverify": "introspection" });
                config["defaults"]["logout"] = json!({ "path": "/logout", "revoke": true });
            });
            if aliased {
                let alias = |name: &str| json!(format!("https://mtls.example.com/{name}"));
                shop.idp.metadata(|metadata| {
                    metadata["mtls_endpoint_aliases"] = json!({
                        "token_endpoint": alias("token"), "introspection_endpoint": alias("introspect"),
                        "revocation_endpoint": alias("revoke"), "userinfo_endpoint": alias("userinfo"),
                    });
                });
            }
            shop.idp.knows_us_by(|request, fields| {
                fields["client_id"] == "shop"
                    && fields.keys().all(|name| !name.starts_with("client_") || name == "client_id")
                    && request.headers.iter().all(|(name, _)| name != "authorization")
            });
            let mut guest = shop.guest();
            guest.send(&own_post("/logout"));
            shop.script.settle();
            for call in shop.script.asked() {
                let ours = matches!(call.endpoint, Endpoint::Token | Endpoint::Introspection | Endpoint::Revocation);
                let expected = if ours && aliased { "mtls.example.com" } else { "idp.example.com" };
                assert_eq!(call.authority, expected, "{:?}", call.endpoint);
            }
        }
    }
}

/// An alias is a host as any other: without a cluster of its own it gets nothing.
#[test]
fn an_alias_without_a_cluster_is_not_called() {
    for (clusters, reason) in
        [(json!({}), Some(Reason::EndpointWithoutCluster)), (json!({ "mtls.example.com": "idp" }), None)]
    {
        let shop = Shop::with(|config| {
            let provider = &mut config["providers"]["main"];
            provider["client"] = json!({ "client_id": "shop", "token_endpoint_auth_method": "tls_client_auth" });
            provider["clusters"] = clusters;
        });
        shop.idp.metadata(|metadata| {
            metadata["mtls_endpoint_aliases"] = json!({ "token_endpoint": "https://mtls.example.com/token" });
        });
        shop.idp.knows_us_by(|_, _| true);
        assert_eq!(shop.browser().open("/").reason(), reason);
    }
}

/// Aliases are for those who come by certificate; broken ones break the document for them alone.
#[test]
fn aliases_are_nothing_to_other_clients_and_must_have_their_form() {
    let shop = Shop::new();
    shop.idp.metadata(|metadata| {
        metadata["mtls_endpoint_aliases"] = json!({ "token_endpoint": "https://mtls.example.com/token" })
    });
    shop.guest();
    for (aliases, reason) in [
        (json!([]), Some(Reason::DiscoveryInvalid)),
        (json!({ "token_endpoint": 5 }), Some(Reason::DiscoveryInvalid)),
        (json!({ "token_endpoint": "http://idp.example.com/token" }), Some(Reason::DiscoveryInvalid)),
        (json!({ "token_endpoint": "https://idp.example.com/token" }), None),
    ] {
        let shop = Shop::with(|config| {
            let client = &mut config["providers"]["main"]["client"];
            *client = json!({ "client_id": "shop", "token_endpoint_auth_method": "tls_client_auth" });
        });
        shop.idp.knows_us_by(|_, _| true);
        shop.idp.metadata(|metadata| metadata["mtls_endpoint_aliases"] = aliases.clone());
        assert_eq!(shop.browser().open("/").reason(), reason, "{aliases}");
    }
}

#[test]
fn the_key_set_is_public_in_its_order_and_cacheable() {
    let shop = client(|client| {
        let members = client.as_object_mut().unwrap();
        members.remove("jwk");
        let nameless = json!({ "kty": "EC", "crv": "P-256", "d": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" });
        members.insert("jwks".to_owned(), json!([key("now", D), nameless.to_string()]));
    });
    let answer = shop.decide(&get("/oauth/jwks").to("elsewhere.example"));
    assert_eq!((answer.reason(), answer.status()), (Some(Reason::ClientKeys), 200));
    assert_eq!(answer.header("content-type").as_deref(), Some("application/jwk-set+json"));
    assert_eq!(answer.header("cache-control").as_deref(), Some("public, max-age=300"));
    let keys = published(&shop);
    let keys = keys["keys"].as_array().unwrap();
    assert_eq!(
        (keys.len(), &keys[0]["kid"], &keys[0]["use"], &keys[0]["alg"]),
        (2, &json!("now"), &json!("sig"), &json!("ES256"))
    );
    // RFC 7515 §A.3.
    assert_eq!(keys[0]["x"], "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    // RFC 7638: whoever has no name gets one that its public half says.
    assert_eq!(keys[1]["kid"].as_str().unwrap().len(), 43);
    assert!(keys.iter().all(|key| key.get("d").is_none()));
    let mut head = get("/oauth/jwks");
    head.method = "HEAD".to_owned();
    assert_eq!((shop.decide(&head).status(), shop.decide(&head).body()), (200, ""));
    let answer = shop.decide(&post("/oauth/jwks", ""));
    assert_eq!(
        (answer.reason(), answer.header("allow").as_deref()),
        (Some(Reason::MethodNotAllowed), Some("GET, HEAD"))
    );
    assert_eq!(shop.script.calls(), Vec::<String>::new());
}

/// Rotation: the next key is shown before it signs, and a provider that saw it takes what it signs without asking again.
#[test]
fn a_key_is_known_before_it_signs() {
    let next = || key("next", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    let shop = client(|client| {
        client.as_object_mut().unwrap().remove("jwk");
        client["jwks"] = json!([key("now", D), next()]);
    });
    judging(&shop);
    let shifted =
        shop.reconfigured(|config| config["providers"]["main"]["client"]["jwks"] = json!([next(), key("now", D)]));
    for (shop, kid) in [(&shop, "now"), (&shifted, "next")] {
        shop.guest();
        assert_eq!(Jws::parse(assertions(shop).last().unwrap()).unwrap().kid(), Some(kid));
    }
}

#[test]
fn the_header_says_what_the_configuration_says() {
    let shop = client(|client| {
        client["assertion_typ"] = json!("client-authentication+jwt");
        client["jwk"]["x5t"] = json!("dGhpcw");
    });
    judging(&shop);
    shop.guest();
    let header = assertions(&shop).remove(0);
    let header = oidc_proxy_wasm::jose::base64url::decode(header.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header, json!({ "alg": "ES256", "typ": "client-authentication+jwt", "kid": "k1", "x5t": "dGhpcw" }));
}

/// What only the key itself can tell is found at the load as well, with the key's place and never its text.
#[test]
fn a_key_that_cannot_sign_refuses_the_load() {
    let with = |jwk: Value| {
        refused(|config| {
            by_key(config);
            config["providers"]["main"]["client"]["jwk"] = jwk;
        })
    };
    let mut encrypting = key("k1", D);
    encrypting["use"] = json!("enc");
    let mut public = key("k1", D);
    public.as_object_mut().unwrap().remove("d");
    for (jwk, sentence) in [
        (json!("hunter2-hunter2"), "is no private key"),
        (public, "is a public key"),
        (encrypting, "says by its use"),
        (json!("-----BEGIN PRIVATE KEY-----\nhunter2-hunter2\n-----END PRIVATE KEY-----"), "is no private key"),
    ] {
        let found = with(jwk);
        assert!(found.starts_with("providers.main.client.jwk: ") && found.contains(sentence), "{found}");
        assert!(!found.contains("hunter2") && !found.contains(D), "{found}");
    }
    let second = refused(|config| {
        by_key(config);
        let client = config["providers"]["main"]["client"].as_object_mut().unwrap();
        client.remove("jwk");
        client.insert("jwks".to_owned(), json!([key("k1", D), "no"]));
    });
    assert!(second.starts_with("providers.main.client.jwks[1]: "), "{second}");
    let other = refused(|config| {
        by_key(config);
        config["providers"]["main"]["client"]["token_endpoint_auth_signing_alg"] = json!("RS256");
    });
    assert!(
        other.contains("token_endpoint_auth_signing_alg: RS256 is nothing that the key can do, such as ES256"),
        "{other}"
    );
}

/// Several clients at one provider: each rule has its own, with its own callback, sessions and logout.
#[test]
fn rules_choose_among_several_clients_of_one_provider() {
    let shop = Shop::with(|config| {
        let mut admin = config["providers"]["main"].clone();
        admin["client"] = json!({ "client_id": "admin", "client_secret": LONG });
        config["providers"]["admin"] = admin;
        config["defaults"]["provider"] = json!("main");
        config["defaults"]["logout"] = json!({ "path": "/logout", "end_session": false });
        let rule = json!({
            "name": "admin", "match": { "host": "shop.example.com", "path_prefix": "/admin" }, "provider": "admin",
            "login": { "redirect_uri": format!("{SHOP}/admin/callback"), "scope": "openid" },
            "logout": { "path": "/admin/logout", "end_session": false },
        });
        config["rules"].as_array_mut().unwrap().insert(0, rule);
    });
    let clients = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&clients);
    shop.idp.knows_us_by(move |request, fields| {
        let basic = request.headers.iter().find(|(name, _)| name == "authorization").unwrap().1.expose_text().unwrap();
        seen.borrow_mut().push((basic.to_owned(), fields["redirect_uri"].clone()));
        true
    });
    let mut browser = shop.browser();
    // The provider says `aud: shop` unless it is told otherwise.
    assert_eq!(browser.open("/").reason(), None);
    assert_eq!(
        browser.open("/admin").reason(),
        Some(Reason::IdTokenAudience),
        "a token for one client is no login of another's"
    );
    shop.idp.claims(|claims| claims["aud"] = json!("admin"));
    assert_eq!(browser.open("/admin").reason(), None);
    assert_eq!(browser.get("/").reason(), None);
    assert_eq!(browser.session_cookies().len(), 2, "{:?}", browser.cookies());
    let clients = clients.borrow();
    assert_eq!(clients[0].1, format!("{SHOP}{CALLBACK}"));
    assert_eq!(clients[2].1, format!("{SHOP}/admin/callback"));
    assert_ne!(clients[0].0, clients[2].0);
    // Out of one is not out of the other.
    browser.send(&own_post("/admin/logout"));
    assert_eq!(browser.session_cookies().len(), 1);
    assert_eq!(browser.get("/").reason(), None);
    assert_eq!(browser.get("/admin").reason(), Some(Reason::LoginStarted));
}

/// A form of the shop's own.
fn own_post(path: &str) -> Req {
    let mut request = post(path, "").without("sec-fetch-site").with("sec-fetch-site", "same-origin");
    request.cross_site = false;
    request
}
