//! Access tokens of several providers on one rule: no key ever verifies another's `iss` (J33, J44, K14, issue 4 §1).

use crate::support::*;

const OTHER: &str = "https://login.other.example";

/// A rule for tokens of both providers, whose keys go by the same name.
fn shop() -> Shop {
    Shop::with(|config| {
        config["providers"]["other"] = json!({
            "issuer": OTHER,
            "cluster": "idp",
            "metadata": { "authorization_endpoint": format!("{OTHER}/a"), "token_endpoint": format!("{OTHER}/t") },
            "jwks": { "keys": [others().jwk()] },
            "client": { "client_id": "shop-there", "client_secret": "a-secret-of-ours-at-the-other-one" },
        });
        config["defaults"]["provider"] = json!("main");
        let rule = config["rules"][3].as_object_mut().unwrap();
        rule.insert("provider".to_owned(), json!(["main", "other"]));
        rule.insert("methods".to_owned(), json!(["bearer"]));
        rule.insert("token".to_owned(), json!({ "audience": ["api"] }));
        let only = json!({
            "name": "one", "match": { "host": "shop.example.com", "path_prefix": "/one" }, "provider": "main",
            "methods": ["bearer"], "token": { "audience": ["api"] },
        });
        config["rules"].as_array_mut().unwrap().insert(0, only);
    })
}

fn others() -> Signer {
    Signer::p256("one", 9)
}

/// A token that says `issuer`, signed with this key.
fn token(shop: &Shop, signer: &Signer, issuer: &str) -> String {
    let now = shop.now().as_secs();
    let claims = json!({
        "iss": issuer, "sub": "u-9", "aud": "api", "iat": now, "exp": now + 300, "preferred_username": "alice",
    });
    signer.sign(&signer.header(), &claims)
}

fn ours() -> Signer {
    Signer::p256("one", 1)
}

#[test]
fn tokens_of_each_pass() {
    let shop = shop();
    for _ in 0..2 {
        shop.decide(&background("/").bearer(&token(&shop, &ours(), ISSUER))).assert_served_to("alice");
        shop.decide(&background("/").bearer(&token(&shop, &others(), OTHER))).assert_served_to("alice");
    }
    assert_eq!(shop.script.calls(), ["GET /.well-known/openid-configuration", "GET /jwks"]);
}

/// J33, K14: the key is that of whom the token names; another's good signature is a bad one.
#[test]
fn no_provider_s_key_verifies_another_s_issuer() {
    let shop = shop();
    // Each key is known before it is misused, and each good token remembered.
    tokens_that_pass(&shop);
    for (signer, issuer) in [(ours(), OTHER), (others(), ISSUER)] {
        for signer in [signer.clone(), signer.nameless()] {
            let answer = shop.decide(&background("/").bearer(&token(&shop, &signer, issuer)));
            assert_eq!(answer.reason(), Some(Reason::AccessTokenSignature), "{issuer}");
        }
    }
    tokens_that_pass(&shop);
}

fn tokens_that_pass(shop: &Shop) {
    for (signer, issuer) in [(ours(), ISSUER), (others(), OTHER)] {
        shop.decide(&background("/").bearer(&token(shop, &signer, issuer))).assert_served_to("alice");
    }
}

/// J33: who is named is compared byte for byte, and nobody is asked about a stranger.
#[test]
fn an_issuer_that_nobody_is_is_refused() {
    let shop = shop();
    for issuer in
        ["https://evil.example", "https://idp.example.com/", "https://IDP.example.com", "https://idp.example.co", ""]
    {
        for signer in [ours(), others()] {
            let answer = shop.decide(&background("/").bearer(&token(&shop, &signer, issuer)));
            assert_eq!(answer.reason(), Some(Reason::AccessTokenIssuer), "{issuer}");
        }
    }
    assert_eq!(shop.script.calls(), Vec::<String>::new());
    tokens_that_pass(&shop);
}

/// J44: a token that was verified for one rule is not good for a rule of another provider.
#[test]
fn a_rule_takes_its_own_providers_tokens_alone() {
    let shop = shop();
    tokens_that_pass(&shop);
    let theirs = token(&shop, &others(), OTHER);
    assert_eq!(shop.decide(&background("/one").bearer(&theirs)).reason(), Some(Reason::AccessTokenIssuer));
    shop.decide(&background("/one").bearer(&token(&shop, &ours(), ISSUER))).assert_served_to("alice");
}

/// One that is down does not stand in the other's way.
#[test]
fn one_provider_s_outage_is_not_another_s() {
    let shop = shop();
    shop.idp.replies_always(&Reply::nothing());
    let answer = shop.decide(&background("/").bearer(&token(&shop, &ours(), ISSUER)));
    assert_eq!(answer.reason(), Some(Reason::DiscoveryUnavailable));
    shop.decide(&background("/").bearer(&token(&shop, &others(), OTHER))).assert_served_to("alice");
}
