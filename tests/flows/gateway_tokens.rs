//! Tokens that the gateway itself issues: who gets one, what it opens, how it ends.

use crate::support::*;
use Reason::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const TOKEN: &str = "/oauth/token";
const GRANT: &str = "grant_type=client_credentials";

pub fn form(path: &str, form: &str) -> Req {
    let mut request = background(path).method("POST").with("content-type", "application/x-www-form-urlencoded");
    request.body = Some(form.to_owned());
    request
}

pub fn basic(request: Req, id: &str, secret: &str) -> Req {
    request.with("authorization", format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))))
}

fn document(answer: &Answer) -> Value {
    serde_json::from_str(answer.body()).unwrap_or_else(|_| panic!("no JSON: {}", answer.body()))
}

/// A token for a client of this name and secret.
fn token(shop: &Shop, id: &str, secret: &str) -> String {
    let answer = shop.decide(&basic(form(TOKEN, GRANT), id, secret));
    assert_eq!(answer.reason(), Some(GatewayTokenIssued), "{:?}", shop.script.lines());
    document(&answer)["access_token"].as_str().unwrap().to_owned()
}

fn batch(shop: &Shop) -> String {
    token(shop, "batch", BATCH_SECRET)
}

fn error(answer: &Answer) -> (u16, String) {
    (answer.status(), document(answer)["error"].as_str().unwrap().to_owned())
}

#[test]
fn a_client_gets_a_token_that_opens_the_rule_with_no_call() {
    let shop = Shop::with_gateway_tokens(|config| {
        config["rules"][3]["require"] = json!({ "scope": ["read write"] });
        config["rules"][3]["consumer"] = json!({ "by": ["consumer"] });
        config["rules"][3]["upstream_headers"] = json!([{ "claim": ["client_id"], "name": "x-client" }]);
    });
    let answer = shop.decide(&basic(form(TOKEN, GRANT), "batch", BATCH_SECRET));
    assert_eq!((answer.reason(), answer.status()), (Some(GatewayTokenIssued), 200));
    assert_eq!(answer.header("pragma").as_deref(), Some("no-cache"));
    let said = document(&answer);
    assert_eq!(
        (&said["token_type"], &said["expires_in"], &said["scope"]),
        (&json!("Bearer"), &json!(3600), &json!("read write"))
    );
    let token = said["access_token"].as_str().unwrap();
    assert!(token.starts_with("ogt_") && !token.contains('.'));
    let answer = shop.decide(&background("/").bearer(token));
    assert_eq!(answer.reason(), None);
    assert_eq!(answer.service("x-client"), ["batch"]);
    assert_eq!(answer.service("x-consumer-username"), ["acme"]);
    assert_eq!(answer.service("authorization"), [""; 0], "it stays here");
    // Every worker with the key ring opens it, and knows no more of it than what it says.
    assert_eq!(shop.worker().decide(&background("/").bearer(token)).reason(), None);
    assert_eq!(shop.script.asked().len(), 0);
}

#[test]
fn it_ends_when_it_says_and_with_its_client_its_key_and_its_issuer() {
    let shop = Shop::with_gateway_tokens(|_| {});
    let token = batch(&shop);
    let asks = |shop: &Shop| shop.decide(&background("/").bearer(&token)).reason();
    assert_eq!(asks(&shop), None);
    let changed = |change: fn(&mut Value)| asks(&shop.reconfigured(change));
    assert_eq!(
        changed(|config| drop(config["gateway_tokens"]["clients"].as_array_mut().unwrap().remove(0))),
        Some(GatewayTokenUnreadable)
    );
    assert_eq!(
        changed(|config| config["gateway_tokens"]["secrets"] = json!(["bN5uQ1zX8wE3rT6yU9iO2pA4sD7fG0hJ"])),
        Some(GatewayTokenUnreadable)
    );
    assert_eq!(
        changed(|config| config["gateway_tokens"]["issuer"] = json!("https://other.example.com")),
        Some(GatewayTokenUnreadable)
    );
    let both = json!(["bN5uQ1zX8wE3rT6yU9iO2pA4sD7fG0hJ", "sDaE9fK2mQ7xT4vB8nL1cR6yW3zH5jP0"]);
    let rotated = shop.reconfigured(|config| config["gateway_tokens"]["secrets"] = both);
    assert_eq!(asks(&rotated), None, "a key ring rotates without breaking tokens");
    shop.script.advance(3599);
    assert_eq!(asks(&shop), None);
    shop.script.advance(1);
    assert_eq!(asks(&shop), Some(AccessTokenExpired));
    assert_eq!(asks(&shop.worker()), Some(AccessTokenExpired));
}

#[test]
fn a_token_that_was_bent_or_is_none_of_ours_opens_nothing() {
    let shop = Shop::with_gateway_tokens(|_| {});
    let token = batch(&shop);
    let asks = |token: &str| shop.decide(&background("/").bearer(token)).reason();
    for at in (0..token.len()).step_by(7) {
        let mut bent = token.clone().into_bytes();
        bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(asks(std::str::from_utf8(&bent).unwrap()), Some(GatewayTokenUnreadable), "byte {at}");
    }
    for other in ["ogt_", "ogt_AAAA", "opaque", &shop.idp.jwt(|_| {})] {
        assert_eq!(asks(other), Some(GatewayTokenUnreadable), "{other}");
    }
    assert_eq!(asks(&format!("ogt_{}", "A".repeat(30_000))), Some(GatewayTokenUnreadable));
    assert_eq!(asks(&token), None);
}

#[test]
fn it_is_for_the_audience_of_its_client() {
    let shop = Shop::with_gateway_tokens(|config| {
        config["rules"][3]["token"] = json!({ "audience": ["api"] });
        config["gateway_tokens"]["clients"][0]["audience"] = json!(["other", "api"]);
    });
    assert_eq!(shop.decide(&background("/").bearer(&batch(&shop))).reason(), None);
    let watch = token(&shop, "watch", WATCH_SECRET);
    assert_eq!(shop.decide(&background("/").bearer(&watch)).reason(), Some(AccessTokenAudience));
}

// RFC 6749 §2.3, §5.2
#[test]
fn who_does_not_show_that_it_is_the_client_gets_nothing() {
    let shop = Shop::with_gateway_tokens(|_| {});
    let ways: [(Req, &str); 12] = [
        (basic(form(TOKEN, GRANT), "batch", "another"), "invalid_client"),
        (basic(form(TOKEN, GRANT), "batch", ""), "invalid_request"),
        (basic(form(TOKEN, GRANT), "nobody", BATCH_SECRET), "invalid_client"),
        (basic(form(TOKEN, GRANT), "watch", BATCH_SECRET), "invalid_client"),
        (form(TOKEN, GRANT), "invalid_client"),
        (form(TOKEN, &format!("{GRANT}&client_id=batch")), "invalid_client"),
        (form(TOKEN, &format!("{GRANT}&client_id=batch&client_secret=another")), "invalid_client"),
        (basic(form(TOKEN, &format!("{GRANT}&client_id=watch")), "batch", BATCH_SECRET), "invalid_client"),
        (form(TOKEN, &format!("{GRANT}&client_secret={BATCH_SECRET}")), "invalid_request"),
        (
            basic(form(TOKEN, &format!("{GRANT}&client_secret={BATCH_SECRET}")), "batch", BATCH_SECRET),
            "invalid_request",
        ),
        (form(TOKEN, GRANT).with("authorization", "Basic !"), "invalid_request"),
        (form(TOKEN, &format!("{GRANT}&client_assertion=x&client_assertion_type=y")), "invalid_request"),
    ];
    for (request, expected) in ways {
        let answer = shop.decide(&request);
        let (status, reason) =
            if expected == "invalid_client" { (401, GatewayClientRefused) } else { (400, GatewayRequestMalformed) };
        assert_eq!(
            (answer.reason(), error(&answer)),
            (Some(reason), (status, expected.to_owned())),
            "{:?}",
            request.body
        );
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
    }
    let posted = form(TOKEN, &format!("{GRANT}&client_id=batch&client_secret={BATCH_SECRET}"));
    assert_eq!(shop.decide(&posted).reason(), Some(GatewayTokenIssued));
}

// RFC 6749 §3.2, §4.4.2
#[test]
fn what_is_no_request_of_this_grant_gets_nothing() {
    let shop = Shop::with_gateway_tokens(|_| {});
    let asks = |text: &str| shop.decide(&basic(form(TOKEN, text), "batch", BATCH_SECRET));
    for (text, reason, code) in [
        ("", GatewayRequestMalformed, "invalid_request"),
        ("grant_type=", GatewayRequestMalformed, "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", GatewayRequestMalformed, "invalid_request"),
        ("grant_type=client_credentials&x=%zz", GatewayRequestMalformed, "invalid_request"),
        ("grant_type=password&username=a&password=b", GatewayGrantUnsupported, "unsupported_grant_type"),
        ("grant_type=client_credentials&scope=read+admin", GatewayScopeRefused, "invalid_scope"),
        ("grant_type=client_credentials&scope=READ", GatewayScopeRefused, "invalid_scope"),
    ] {
        let answer = asks(text);
        assert_eq!((answer.reason(), error(&answer)), (Some(reason), (400, code.to_owned())), "{text}");
    }
    let answer = asks("grant_type=client_credentials&scope=read");
    assert_eq!((answer.reason(), &document(&answer)["scope"]), (Some(GatewayTokenIssued), &json!("read")));
    let request = basic(form(TOKEN, GRANT), "batch", BATCH_SECRET);
    assert_eq!(shop.decide(&request.clone().without("content-type")).reason(), Some(GatewayRequestMalformed));
    assert_eq!(shop.decide(&request.clone().method("GET")).reason(), Some(MethodNotAllowed));
    assert_eq!(shop.decide_unread(&request.clone()).reason(), Some(BodyUnreadable));
    assert_eq!(
        shop.decide(&request.to("other.example.com")).reason(),
        Some(NoRule),
        "it is on the issuer's host alone"
    );
}

#[test]
fn a_secret_is_known_by_either_hash() {
    // PBKDF2-HMAC-SHA256 of "passwd" with the salt "0123456789abcdef" and 10,000 rounds, and SHA-256 of "abc".
    let slow = "pbkdf2-sha256:10000:30313233343536373839616263646566:\
                c06e2cef620c9777e1e67751341a8b19f1db16f6a0ebd4c7a5f60cfa4fde455c";
    let fast = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let shop = Shop::with_gateway_tokens(|config| {
        config["gateway_tokens"]["clients"] = json!([
            { "client_id": "fast", "client_secret_hash": fast },
            { "client_id": "slow", "client_secret_hash": slow },
        ]);
    });
    token(&shop, "fast", "abc");
    token(&shop, "slow", "passwd");
    token(&shop, "slow", "passwd");
    let wrong = |id: &str| shop.decide(&basic(form(TOKEN, GRANT), id, "passwe")).reason();
    assert_eq!((wrong("fast"), wrong("slow")), (Some(GatewayClientRefused), Some(GatewayClientRefused)));
}

/// A shop whose client signs.
struct Signing {
    shop: Shop,
    signer: Signer,
    signed: std::cell::Cell<u32>,
}

impl Signing {
    fn new() -> Self {
        let signer = Signer::p256("batch-1", 9);
        let jwks = json!({ "keys": [signer.jwk()] });
        let shop = Shop::with_gateway_tokens(|config| {
            config["gateway_tokens"]["clients"][0].as_object_mut().unwrap().remove("client_secret");
            config["gateway_tokens"]["clients"][0]["jwks"] = jwks;
        });
        Self { shop, signer, signed: std::cell::Cell::new(0) }
    }

    /// Another assertion of the client's, with its claims bent.
    fn sign(&self, bend: &dyn Fn(&mut Value)) -> String {
        self.signed.set(self.signed.get() + 1);
        let (now, id) = (self.shop.now().as_secs(), format!("a-{}", self.signed.get()));
        let mut claims = json!({ "iss": "batch", "sub": "batch", "aud": SHOP, "jti": id, "iat": now, "exp": now + 60 });
        bend(&mut claims);
        self.signer.sign(&self.signer.header(), &claims)
    }
}

fn asserted(assertion: &str) -> Req {
    let kind = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    form(TOKEN, &format!("{GRANT}&client_assertion_type={kind}&client_assertion={assertion}"))
}

// RFC 7523 §3; one audience, and ours (CVE-2025-27370, CVE-2025-27371); once (G06).
#[test]
fn a_signed_assertion_shows_who_the_client_is_once() {
    let signing = Signing::new();
    let shop = &signing.shop;
    let asks = |assertion: &str| shop.decide(&asserted(assertion)).reason();
    let good = signing.sign(&|_| {});
    assert_eq!(asks(&good), Some(GatewayTokenIssued));
    assert_eq!(asks(&good), Some(GatewayClientRefused), "replayed");
    assert_eq!(shop.worker().decide(&asserted(&good)).reason(), Some(GatewayClientRefused), "replayed elsewhere");
    let at_endpoint = signing.sign(&|claims| claims["aud"] = json!(format!("{SHOP}{TOKEN}")));
    assert_eq!(asks(&at_endpoint), Some(GatewayTokenIssued));
    let now = shop.now().as_secs();
    let bends: [&dyn Fn(&mut Value); 12] = [
        &|claims| claims["aud"] = json!("https://other.example.com"),
        &|claims| claims["aud"] = json!([SHOP, "https://other.example.com"]),
        &|claims| claims["iss"] = json!("watch"),
        &|claims| claims["sub"] = json!("watch"),
        &|claims| claims["sub"] = json!("nobody"),
        &|claims| claims["exp"] = json!(now - 31),
        &|claims| claims["exp"] = json!(now + 331),
        &|claims| claims["nbf"] = json!(now + 60),
        &|claims| drop(claims.as_object_mut().unwrap().remove("exp")),
        &|claims| drop(claims.as_object_mut().unwrap().remove("jti")),
        &|claims| claims["jti"] = json!(""),
        &|claims| drop(claims.as_object_mut().unwrap().remove("iss")),
    ];
    for (at, bend) in bends.iter().enumerate() {
        assert_eq!(asks(&signing.sign(bend)), Some(GatewayClientRefused), "bend {at}");
    }
    let stranger = Signer::p256("batch-1", 10);
    let claims = json!({ "iss": "batch", "sub": "batch", "aud": SHOP, "jti": "s", "exp": now + 60 });
    assert_eq!(asks(&stranger.sign(&stranger.header(), &claims)), Some(GatewayClientRefused), "another key");
    assert_eq!(asks(&signing.sign(&|claims| claims["exp"] = json!(now + 330))), Some(GatewayTokenIssued));
}

// RFC 7009 §2
#[test]
fn a_client_revokes_its_own_tokens() {
    let shop = Shop::with_gateway_tokens(|_| {});
    let token = batch(&shop);
    let asks = |shop: &Shop| shop.decide(&background("/").bearer(&token)).reason();
    let other = shop.worker();
    assert_eq!((asks(&shop), asks(&other)), (None, None));
    let revokes = |id: &str, secret: &str, token: &str| {
        shop.decide(&basic(form("/oauth/revoke", &format!("token={token}")), id, secret)).reason()
    };
    assert_eq!(revokes("watch", WATCH_SECRET, &token), Some(GatewayServed));
    assert_eq!(asks(&shop), None, "another's token stays");
    assert_eq!(revokes("batch", "wrong", &token), Some(GatewayClientRefused));
    assert_eq!(asks(&shop), None);
    assert_eq!(revokes("batch", BATCH_SECRET, "unknown"), Some(GatewayServed), "RFC 7009 §2.2");
    assert_eq!(revokes("batch", BATCH_SECRET, ""), Some(GatewayRequestMalformed));
    assert_eq!(revokes("batch", BATCH_SECRET, &token), Some(GatewayServed));
    shop.script.advance(1);
    assert_eq!((asks(&shop), asks(&other)), (Some(AccessTokenRevoked), Some(AccessTokenRevoked)));
    assert_eq!(shop.decide(&background("/").bearer(&batch(&shop))).reason(), None, "a new one is good");
}

// RFC 7662 §2.2, §4
#[test]
fn a_token_is_told_to_those_who_may_know() {
    let shop = Shop::with_gateway_tokens(|_| {});
    let token = batch(&shop);
    let asks = |id: &str, secret: &str, token: &str| {
        let answer = shop.decide(&basic(form("/oauth/introspect", &format!("token={token}")), id, secret));
        assert_eq!(answer.reason(), Some(GatewayServed));
        document(&answer)
    };
    let own = asks("batch", BATCH_SECRET, &token);
    let expected = json!([true, "batch", "batch", "read write", SHOP, "acme", "Bearer"]);
    let members = ["active", "client_id", "sub", "scope", "iss", "consumer", "token_type"];
    assert_eq!(Value::from(members.map(|name| own[name].clone()).to_vec()), expected);
    assert_eq!(asks("watch", WATCH_SECRET, &token), own);
    let of_watch = self::token(&shop, "watch", WATCH_SECRET);
    let nothing = json!({ "active": false });
    assert_eq!(asks("batch", BATCH_SECRET, &of_watch), nothing, "another's");
    assert_eq!(asks("batch", BATCH_SECRET, "unknown"), nothing);
    shop.decide(&basic(form("/oauth/revoke", &format!("token={token}")), "batch", BATCH_SECRET));
    shop.script.advance(1);
    assert_eq!(asks("watch", WATCH_SECRET, &token), nothing, "revoked");
    shop.script.advance(3600);
    assert_eq!(asks("watch", WATCH_SECRET, &of_watch), nothing, "over");
    let stranger = shop.decide(&form("/oauth/introspect", &format!("token={token}")));
    assert_eq!(stranger.reason(), Some(GatewayClientRefused));
}

// RFC 8414 §2, §3
#[test]
fn the_metadata_say_what_is_where() {
    let shop = Shop::with_gateway_tokens(|_| {});
    let at = || background("/.well-known/oauth-authorization-server");
    let answer = shop.decide(&at());
    assert_eq!(answer.reason(), Some(GatewayMetadata));
    let said = document(&answer);
    assert_eq!(said["issuer"], json!(SHOP));
    assert_eq!(said["token_endpoint"], json!(format!("{SHOP}/oauth/token")));
    assert_eq!(said["revocation_endpoint"], json!(format!("{SHOP}/oauth/revoke")));
    assert_eq!(said["introspection_endpoint"], json!(format!("{SHOP}/oauth/introspect")));
    assert_eq!(said["scopes_supported"], json!(["read", "write"]));
    assert!(!answer.body().contains("batch"), "clients are not listed");
    assert_eq!(shop.decide(&at().method("HEAD")).body(), "");
    assert_eq!(shop.decide(&at().method("POST")).reason(), Some(MethodNotAllowed));
    let below = shop.reconfigured(|config| config["gateway_tokens"]["issuer"] = json!(format!("{SHOP}/jobs/")));
    let at_path = background("/.well-known/oauth-authorization-server/jobs");
    assert_eq!(below.decide(&at_path).reason(), Some(GatewayMetadata));
}

// G04: a client's secret is guessed at so often from one place, and nobody elsewhere is locked out.
#[test]
fn secrets_are_guessed_at_a_few_times() {
    let shop = Shop::with_gateway_tokens(|config| {
        config["gateway_tokens"]["guess_limit"] = json!({ "per_user": 3, "per_address": 5, "per": "minute" });
    });
    let asks = |from: &str, id: &str, secret: &str| {
        shop.script.comes_from(from);
        shop.decide(&basic(form(TOKEN, GRANT), id, secret))
    };
    for _ in 0..3 {
        assert_eq!(asks("192.0.2.1:1", "batch", "wrong").reason(), Some(GatewayClientRefused));
    }
    let refused = asks("192.0.2.1:2", "batch", "wrong");
    assert_eq!((refused.reason(), refused.header("retry-after").as_deref()), (Some(GuessedTooOften), Some("20")));
    assert_eq!(asks("192.0.2.1:2", "batch", BATCH_SECRET).reason(), Some(GuessedTooOften), "nor a lucky guess");
    assert_eq!(asks("192.0.2.2:1", "batch", BATCH_SECRET).reason(), Some(GatewayTokenIssued));
    assert_eq!(asks("192.0.2.1:3", "watch", WATCH_SECRET).reason(), Some(GatewayTokenIssued));
    assert_eq!(asks("192.0.2.1:3", "a", "wrong").reason(), Some(GatewayClientRefused));
    assert_eq!(asks("192.0.2.1:3", "b", "wrong").reason(), Some(GatewayClientRefused));
    assert_eq!(asks("192.0.2.1:3", "watch", WATCH_SECRET).reason(), Some(GuessedTooOften));
    shop.script.advance(60);
    assert_eq!(asks("192.0.2.1:4", "batch", BATCH_SECRET).reason(), Some(GatewayTokenIssued));
}
