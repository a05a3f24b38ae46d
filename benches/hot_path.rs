//! What the decision on one request costs in instructions, natively: `tools/instructions.sh` runs it under callgrind.
//!
//! `hot_path CASE COUNT` decides COUNT requests of one kind. The difference between two counts is free of what only the
//! start costs, and the same on every machine, which no stopwatch is.

use ed25519_dalek::{Signer, SigningKey};
use oidc_proxy_wasm::config;
use oidc_proxy_wasm::exchange::{self, Begun, Gate};
use oidc_proxy_wasm::session::{Content, Kept, OpenedSessions, Origin, Owner, Sessions};
use oidc_proxy_wasm::words::{Headers, Request, Secret, Verdict};
use oidc_proxy_wasm::world::ProviderResponse;
use oidc_proxy_wasm::world::script::Script;
use serde_json::{Value, json};
use std::rc::Rc;
use std::time::Duration;

const ISSUER: &str = "https://idp.example.com";
const OPAQUE: &str = "2YotnFZFEjr1zCsicMWpAA.mF_9.B5f-4.1JqM";

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(case), Some(count)) = (arguments.next(), arguments.next()) else {
        return println!("{}", CASES.join("\n"));
    };
    let count: usize = count.parse().expect("a number of requests");
    let gate = Gate::load(configuration().to_string().as_bytes(), &|_| None).unwrap_or_else(|why| panic!("{why:?}"));
    let script = Script::new();
    script.answer(|_| Ok(introspected()));
    let request = request(&case, &script);
    for _ in 0..count {
        // As the host hands it over.
        let headers = Headers::from_wire(request.clone().into()).expect("a map of header fields");
        let request = Request::new(headers);
        let world = script.world();
        let mut begun = Begun::default();
        let verdict = exchange::at_once(&gate, &world, &request, &mut begun)
            .unwrap_or_else(|| script.run(exchange::decide(&gate, &world, &request, begun)).expect("it ends"));
        let forwarded = matches!(verdict, Verdict::Forward(_));
        assert!(forwarded != (case == "refused"), "{case}: {verdict:?}");
        std::hint::black_box(verdict);
    }
}

/// Of tokens: all requests but the first bring one that was seen.
const CASES: [&str; 5] = ["anonymous", "session", "bearer", "introspected", "refused"];

fn request(case: &str, script: &Script) -> Vec<u8> {
    let mut fields = vec![
        (":authority", "shop.example.com".to_owned()),
        (":method", "GET".to_owned()),
        (":scheme", "https".to_owned()),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned()),
        ("accept", "application/json".to_owned()),
        ("x-forwarded-for", "192.0.2.7".to_owned()),
        ("x-forwarded-proto", "https".to_owned()),
        ("x-request-id", "6f1d7a52-6c3b-4d0e-9a51-0d9c5d1c2b3a".to_owned()),
    ];
    match case {
        "anonymous" => fields.push((":path", "/public/page".to_owned())),
        "session" => fields.extend([(":path", "/shop/cart".to_owned()), ("cookie", cookie(script))]),
        "bearer" => {
            fields.extend([(":path", "/api/orders".to_owned()), ("authorization", format!("Bearer {}", token(script)))])
        }
        "introspected" => {
            fields.extend([(":path", "/jobs/1".to_owned()), ("authorization", format!("Bearer {OPAQUE}"))]);
        }
        "refused" => fields.push((":path", "/api/orders".to_owned())),
        _ => panic!("no case {case}: {CASES:?}"),
    }
    Headers::to_wire(fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())))
}

fn configuration() -> Value {
    let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
    let told = json!([
        { "claim": ["preferred_username"], "name": "x-user" },
        { "claim": ["email"], "name": "x-email" },
        { "claim": ["groups"], "name": "x-groups" },
    ]);
    let require = json!({ "groups": { "claim": ["groups"], "any_of": ["staff"] } });
    json!({
        "providers": { "main": {
            "issuer": ISSUER,
            "cluster": "idp",
            "metadata": {
                "authorization_endpoint": format!("{ISSUER}/authorize"),
                "token_endpoint": format!("{ISSUER}/token"),
                "introspection_endpoint": format!("{ISSUER}/introspect"),
            },
            "jwks": { "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "1", "x": encode(key.as_bytes()) }] },
            "client": { "client_id": "shop", "client_secret": "cR6yW3zH5jP0sDaE9fK2mQ7xT4vB8nL1" },
        } },
        "rules": [
            { "name": "public", "match": { "path_prefix": "/public" }, "allow": "anonymous" },
            {
                "name": "api",
                "match": { "path_prefix": "/api" },
                "methods": ["bearer"],
                "token": { "audience": ["https://api.example.com"] },
                "require": require,
                "upstream_headers": told,
            },
            {
                "name": "jobs",
                "match": { "path_prefix": "/jobs" },
                "methods": ["introspection"],
                "token": { "audience": ["https://api.example.com"] },
                "require": require,
                "upstream_headers": told,
            },
            {
                "name": "shop",
                "match": { "host": "shop.example.com", "path_prefix": "/" },
                "login": { "redirect_uri": "https://shop.example.com/oauth/callback" },
                "require": require,
                "upstream_headers": told,
            },
        ],
        "session": { "secrets": ["9fK2mQ7xT4vB8nL1cR6yW3zH5jP0sDaE"] },
    })
}

fn claims() -> Value {
    json!({
        "sub": "person-1", "preferred_username": "demo", "email": "demo@example.com",
        "groups": ["staff", "editors", "reviewers"],
    })
}

/// A session with two JWTs of the usual size, as its cookies carry it: about 2.7 KB.
fn cookie(script: &Script) -> String {
    let config = config::load(configuration().to_string().as_bytes(), &|_| None).expect("it loads");
    let login = config.rules.iter().find_map(|rule| rule.login.as_ref()).expect("a login");
    let owner = Owner { issuer: ISSUER, client_id: "shop", redirect_uri: &login.redirect_uri, partition: "default" };
    let settings = config.session.expect("sessions");
    let sessions = Sessions::new(&settings, &owner, Kept::default(), &OpenedSessions::default());
    let now = script.world().now();
    let jwt = format!("{0}.{1}.{2}", encode(&[1; 60]), encode(&[2; 520]), encode(&[3; 256]));
    let content = Content {
        sid: [1; 16],
        generation: 0,
        created: now,
        touched: now,
        subject: "person-1".into(),
        scope: "openid profile email".into(),
        claims: Rc::new(claims().as_object().cloned().expect("an object")),
        access_token: Some(Rc::new(Secret::new(jwt.as_str()))),
        access_born: now,
        access_expires: now.plus(Duration::from_secs(3600)),
        refresh_token: None,
        id_token: Some(Rc::new(Secret::new(jwt))),
        origin: Origin::default(),
        remembered: false,
    };
    let lines = sessions.set(&script.world(), &content, &Headers::default());
    let lines = lines.unwrap_or_else(|refusal| panic!("the session: {}", refusal.detail()));
    lines.iter().filter_map(|line| line.split(';').next()).collect::<Vec<_>>().join("; ")
}

/// What the provider says of [`OPAQUE`].
fn introspected() -> ProviderResponse {
    let mut answer = claims();
    answer["active"] = json!(true);
    answer["iss"] = json!(ISSUER);
    answer["aud"] = json!("https://api.example.com");
    answer["client_id"] = json!("app");
    answer["scope"] = json!("openid profile email orders:read orders:write");
    ProviderResponse {
        status: 200,
        content_type: Some("application/json".to_owned()),
        cache_control: None,
        grpc_status: None,
        body: answer.to_string().into_bytes(),
    }
}

/// An access token of the usual size, signed with Ed25519.
fn token(script: &Script) -> String {
    let now = script.world().now().as_secs();
    let mut payload = claims();
    payload["iss"] = json!(ISSUER);
    payload["aud"] = json!("https://api.example.com");
    payload["iat"] = json!(now);
    payload["exp"] = json!(now + 3600);
    payload["jti"] = json!("0d9c5d1c-2b3a-6f1d-7a52-6c3b4d0e9a51");
    payload["client_id"] = json!("app");
    payload["scope"] = json!("openid profile email orders:read orders:write");
    let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "1" });
    let message = format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload.to_string().as_bytes()));
    let signature = SigningKey::from_bytes(&[7; 32]).sign(message.as_bytes());
    format!("{message}.{}", encode(&signature.to_bytes()))
}

fn encode(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
