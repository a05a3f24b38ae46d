//! Every reason there is, reached. A new one without a way to it fails here; so does a way that leads elsewhere.

use crate::gateway_tokens::{basic, form};
use crate::support::*;
use oidc_proxy_wasm::exchange;
use oidc_proxy_wasm::words::{UnixTime, Verdict};
use oidc_proxy_wasm::world::{
    Hash, Host, HostCheck, LocalFuture, Metric, NotWritten, ProviderRequest, ProviderResponse, Version, World,
    script::Script,
};
use std::rc::Rc;
use std::time::Duration;

/// What a browser sees that opens the shop.
fn opens(prepare: impl Fn(&Shop)) -> Answer {
    let shop = Shop::new();
    prepare(&shop);
    shop.browser().open("/")
}

fn opens_with(change: impl Fn(&mut Value), prepare: impl Fn(&Shop)) -> Answer {
    let shop = Shop::with(change);
    prepare(&shop);
    shop.browser().open("/")
}

fn asks(request: &Req) -> Answer {
    Shop::new().decide(request)
}

fn claims(bend: impl Fn(&mut Value) + Clone + 'static) -> Answer {
    opens(|shop| shop.idp.claims(bend.clone()))
}

fn tokens(bend: impl Fn(&mut Value) + Clone + 'static) -> Answer {
    opens(|shop| shop.idp.tokens(bend.clone()))
}

fn replies(endpoint: Endpoint, reply: &Reply) -> Answer {
    let userinfo = |config: &mut Value| config["defaults"]["login"]["userinfo"] = json!(true);
    opens_with(userinfo, |shop| shop.idp.replies(endpoint, reply.clone()))
}

fn requires(require: &Value) -> Answer {
    opens_with(|config| config["rules"][3]["require"] = require.clone(), |_| {})
}

fn callback_error(error: &'static str) -> Answer {
    opens(|shop| shop.idp.response(move |params| params[0] = ("error".to_owned(), error.to_owned())))
}

/// What becomes of this token where a rule with these members takes such.
fn shows(rule: Value, token: impl Fn(&Shop) -> String) -> Answer {
    let shop = Shop::api(rule);
    let token = token(&shop);
    shop.decide(&background("/").bearer(&token))
}

fn shows_header(name: &str, value: &str) -> Answer {
    shows(json!({}), |shop| shop.idp.jwt_with(|header| header[name] = json!(value), |_| {}))
}

fn shows_claim(name: &str, value: &Value) -> Answer {
    shows(json!({}), |shop| shop.idp.jwt(|claims| claims[name] = value.clone()))
}

/// What becomes of a request where a rule takes passwords.
fn trades(request: &Req, prepare: impl Fn(&Shop)) -> Answer {
    let shop = Shop::api(json!({ "methods": ["password"] }));
    prepare(&shop);
    shop.decide(request)
}

fn introspection() -> Value {
    json!({ "methods": ["introspection"] })
}

fn introspected(prepare: impl Fn(&Shop)) -> Answer {
    shows(introspection(), |shop| {
        prepare(shop);
        shop.idp.opaque(|_| {})
    })
}

fn resource_metadata(method: &str) -> Answer {
    let resource = json!({ "audience": ["api"], "resource": "https://shop.example.com/v1" });
    let request = background("/.well-known/oauth-protected-resource/v1").method(method);
    Shop::api(json!({ "token": resource })).decide(&request)
}

fn logs_out(request: &Req) -> Answer {
    Shop::with_logout().decide(request)
}

/// What the provider is answered to this logout token.
fn tells(header: impl Fn(&mut Value), claims: impl Fn(&mut Value)) -> Answer {
    let shop = Shop::with_logout();
    shop.tells(&shop.idp.logout_token_with(header, claims))
}

/// What the gateway's own token endpoint says to this.
fn grants(id: &str, request: &str) -> Answer {
    Shop::with_gateway_tokens(|_| {}).decide(&basic(form("/oauth/token", request), id, BATCH_SECRET))
}

/// The shortest way to each reason.
fn way_to(reason: Reason) -> Answer {
    let html = Reply::of(200, "text/html", "<p>maintenance</p>");
    match reason {
        Reason::LoginStarted => asks(&get("/")),
        Reason::LoginDone => with_callback(|_, browser, callback| browser.send(&callback)),
        Reason::LoginDoneBefore => with_callback(|_, browser, callback| {
            browser.send(&callback);
            browser.send(&callback)
        }),

        Reason::LoginTokens => {
            let tokens = |config: &mut Value| config["defaults"]["login"]["action"] = json!("tokens");
            let shop = Shop::with(tokens);
            let mut browser = shop.browser();
            let callback = browser.until_callback("/");
            browser.send(&callback)
        }

        Reason::CredentialRequired => trades(&background("/"), |_| {}),
        Reason::BasicMalformed => trades(&background("/").with("authorization", "Basic ?"), |_| {}),
        Reason::CredentialRefused => trades(&background("/").basic("alice", "wrong"), |_| {}),
        Reason::GuessedTooOften => {
            let limit = json!({ "methods": ["password"], "guess_limit": { "per_user": 1 } });
            let shop = Shop::api(limit);
            shop.decide(&background("/").basic("alice", "wrong"));
            shop.decide(&background("/").basic("alice", "wronger"))
        }
        Reason::GrantRefused => trades(&background("/").basic("alice", "wonder"), |shop| {
            shop.idp.replies(Endpoint::Token, Reply::json(400, &json!({ "error": "unsupported_grant_type" })));
        }),
        Reason::GrantInvalid => trades(&background("/").basic("alice", "wonder"), |shop| {
            shop.idp.replies(Endpoint::Token, html.clone());
        }),

        Reason::LogoutStarted => Shop::with_logout().guest().get("/oauth/logout"),
        Reason::LogoutDone => {
            let local = |config: &mut Value| config["defaults"]["logout"]["end_session"] = json!(false);
            Shop::with_logout().reconfigured(local).browser().get("/oauth/logout")
        }
        Reason::LogoutLanded => Shop::with_landing().browser().get("/oauth/bye?state=other"),
        Reason::LogoutAsked => logs_out(&get("/oauth/logout").without("sec-fetch-site")),
        Reason::LogoutElsewhere => {
            logs_out(&post("/oauth/logout", "").without("sec-fetch-site").with("sec-fetch-site", "cross-site"))
        }
        Reason::LogoutHeard => logs_out(&get("/oauth/front")),
        Reason::LogoutTold => tells(|_| {}, |_| {}),
        Reason::LogoutTokenMalformed => logs_out(&post("/oauth/back", "")),
        Reason::LogoutTokenAlgorithm => tells(|header| header["alg"] = json!("HS256"), |_| {}),
        Reason::LogoutTokenType => tells(|header| header["typ"] = json!("at+jwt"), |_| {}),
        Reason::LogoutTokenKeyUnknown => tells(|header| header["kid"] = json!("two"), |_| {}),
        Reason::LogoutTokenSignature => {
            let shop = Shop::with_logout();
            shop.guest();
            shop.idp.signs_with(Signer::p256("one", 2));
            shop.tells(&shop.idp.logout_token(|_| {}))
        }
        Reason::LogoutTokenIssuer => tells(|_| {}, |claims| claims["iss"] = json!("https://evil.example")),
        Reason::LogoutTokenAudience => tells(|_| {}, |claims| claims["aud"] = json!("other")),
        Reason::LogoutTokenExpired => tells(|_| {}, |claims| claims["exp"] = json!(1_000_000_000)),
        Reason::LogoutTokenNotYetValid => tells(|_| {}, |claims| claims["nbf"] = json!(2_000_000_000)),
        Reason::LogoutTokenClaims => tells(|_| {}, |claims| claims["nonce"] = json!("n")),
        Reason::LogoutTokenReplayed => {
            let shop = Shop::with_logout();
            let token = shop.idp.logout_token(|_| {});
            shop.tells(&token);
            shop.tells(&token)
        }
        Reason::RevocationUnrecorded => {
            let shop = Shop::with_logout();
            let token = shop.idp.logout_token(|_| {});
            shop.guest();
            shop.script.outrun(10_000);
            shop.tells(&token)
        }
        Reason::AccessTokenRevoked => {
            let shop = Shop::with_operator();
            let token = shop.idp.jwt(|_| {});
            shop.operates("action=revoke&sub=u-1");
            shop.decide(&background("/api").bearer(&token))
        }
        Reason::GatewayTokenIssued => grants("batch", "grant_type=client_credentials"),
        Reason::GatewayClientRefused => grants("nobody", "grant_type=client_credentials"),
        Reason::GatewayRequestMalformed => grants("batch", ""),
        Reason::GatewayGrantUnsupported => grants("batch", "grant_type=password"),
        Reason::GatewayScopeRefused => grants("batch", "grant_type=client_credentials&scope=admin"),
        Reason::GatewayServed => {
            let shop = Shop::with_gateway_tokens(|_| {});
            shop.decide(&basic(form("/oauth/introspect", "token=x"), "batch", BATCH_SECRET))
        }
        Reason::GatewayMetadata => {
            Shop::with_gateway_tokens(|_| {}).decide(&get("/.well-known/oauth-authorization-server"))
        }
        Reason::GatewayTokenUnreadable => Shop::with_gateway_tokens(|_| {}).decide(&background("/").bearer("ogt_AAAA")),
        Reason::ExchangeRefused => {
            let token = json!({ "audience": ["api"], "exchange": { "audience": ["forbidden"] } });
            shows(json!({ "token": token }), |shop| shop.idp.jwt(|_| {}))
        }
        Reason::OperatorServed => Shop::with_operator().operates("action=revoke&sub=u-1"),
        Reason::OperatorMalformed => Shop::with_operator().operates("action=revoke"),

        Reason::RequestMalformed => asks(&get("/").to("")),
        Reason::PathAmbiguous => asks(&get("/../x")),
        Reason::NoRule => asks(&get("/").to("other.example")),
        Reason::RuleForbids => asks(&get("/closed")),
        Reason::LoginRequired => asks(&background("/")),
        Reason::ScopeMissing => requires(&json!({ "scope": ["admin"] })),
        Reason::GroupMissing => requires(&json!({ "groups": { "claim": ["groups"], "any_of": ["staff"] } })),
        Reason::RoleMissing => requires(&json!({ "roles": { "claim": ["roles"], "any_of": ["editor"] } })),
        Reason::ClaimRefused => requires(&json!({ "claims": [{ "claim": ["email"], "equals": "b@example.com" }] })),

        Reason::RateLimited => {
            let limit = json!({ "default": 1, "per": "day" });
            let shop = Shop::with(|config| config["defaults"]["rate_limit"] = limit);
            shop.guest().get("/")
        }
        Reason::RateLimitUnavailable => {
            let service = json!({ "cluster": "limits", "domain": "shop" });
            opens_with(|config| config["defaults"]["rate_limit"] = json!({ "service": service }), |_| {})
        }

        Reason::AudienceMissing => requires(&json!({ "audience": ["https://api.example.com"] })),
        Reason::ClaimForbidden => requires(&json!({ "forbidden_claims": [["email"]] })),
        Reason::EmailRefused => requires(&json!({ "email_domains": ["example.com"] })),
        Reason::GroupDenied => {
            requires(&json!({ "groups": { "claim": ["email"] }, "groups_denied": ["alice@example.com"] }))
        }
        Reason::ConsumerUnknown => {
            let acme = |config: &mut Value| {
                config["consumers"] = json!([{ "username": "acme" }]);
                config["rules"][3]["consumer"] = json!({ "by": ["sub"] });
            };
            opens_with(acme, |_| {})
        }

        Reason::CallbackMalformed => asks(&get(CALLBACK)),
        Reason::CallbackWrongMode => asks(&get(CALLBACK).method("PUT")),
        Reason::LoginUnknown => asks(&get(&format!("{CALLBACK}?state=0123456789&code=c"))),
        Reason::LoginExpired => with_callback(|shop, browser, callback| {
            let cookie = browser.jar.field(shop.now(), &callback).unwrap();
            shop.script.advance(601);
            shop.decide(&callback.with("cookie", cookie))
        }),
        Reason::LoginLoop => login_loop(),
        Reason::InitiateRefused => {
            let shop = Shop::with(|config| config["defaults"]["login"]["initiate_path"] = json!("/oauth/initiate"));
            shop.browser().get("/oauth/initiate?iss=https://evil.example")
        }
        Reason::LoginRefused => callback_error("access_denied"),

        Reason::ProviderError => callback_error("server_error"),
        Reason::CallbackIssuerMismatch => opens(|shop| shop.idp.response(|params| params[2].1.push('/'))),
        Reason::DiscoveryUnavailable => replies(Endpoint::Discovery, &Reply::nothing()),
        Reason::DiscoveryInvalid => replies(Endpoint::Discovery, &html),
        Reason::DiscoveryIssuerMismatch => {
            opens(|shop| shop.idp.metadata(|metadata| metadata["issuer"] = json!("https://evil.example")))
        }
        Reason::JwksUnavailable => replies(Endpoint::Jwks, &Reply::nothing()),
        Reason::JwksInvalid => replies(Endpoint::Jwks, &html),
        Reason::TokenUnavailable => replies(Endpoint::Token, &Reply::nothing()),
        Reason::TokenRefused => replies(Endpoint::Token, &Reply::json(400, &json!({ "error": "invalid_grant" }))),
        Reason::TokenInvalid => replies(Endpoint::Token, &html),
        Reason::UserinfoUnavailable => replies(Endpoint::Userinfo, &Reply::nothing()),
        Reason::UserinfoRefused => replies(Endpoint::Userinfo, &Reply::json(401, &json!({ "error": "invalid_token" }))),
        Reason::UserinfoInvalid => replies(Endpoint::Userinfo, &html),
        Reason::UserinfoSubjectMismatch => replies(Endpoint::Userinfo, &Reply::json(200, &json!({ "sub": "u-2" }))),
        Reason::IdTokenMissing => tokens(|answer| drop(answer.as_object_mut().unwrap().remove("id_token"))),
        Reason::IdTokenMalformed => tokens(|answer| answer["id_token"] = json!("x.y")),
        Reason::IdTokenAlgorithm => opens_with(
            |config| config["providers"]["main"]["client"]["id_token_signed_response_alg"] = json!("RS256"),
            |_| {},
        ),
        Reason::IdTokenType => opens(|shop| shop.idp.header(|header| header["typ"] = json!("at+jwt"))),
        Reason::IdTokenKeyUnknown => opens(|shop| shop.idp.signs_with(Signer::p256("two", 2))),
        Reason::IdTokenSignature => opens(|shop| shop.idp.signs_with(Signer::p256("one", 2))),
        Reason::IdTokenIssuer => claims(|claims| claims["iss"] = json!("https://evil.example")),
        Reason::IdTokenAudience => claims(|claims| claims["aud"] = json!("other")),
        Reason::IdTokenExpired => claims(|claims| claims["exp"] = json!(1_000_000_000)),
        Reason::IdTokenNotYetValid => claims(|claims| claims["iat"] = json!(claims["exp"])),
        Reason::IdTokenClaims => claims(|claims| claims["sub"] = json!(7)),
        Reason::NonceMismatch => claims(|claims| claims["nonce"] = json!("other")),
        Reason::AccessTokenHash => claims(|claims| claims["at_hash"] = json!("other")),

        Reason::ClientRefused => replies(Endpoint::Token, &Reply::json(401, &json!({ "error": "invalid_client" }))),
        Reason::EndpointWithoutCluster => opens(|shop| {
            shop.idp.metadata(|metadata| metadata["token_endpoint"] = json!("https://elsewhere.example/token"));
        }),
        Reason::StoreUnavailable => {
            let shop = Shop::with_store(json!({}));
            shop.idp.redis().fails(Some(Reply::nothing().0));
            shop.decide(&background("/"))
        }
        Reason::ClusterUnknown => replies(Endpoint::Discovery, &Reply::failed(CallError::UnknownCluster)),
        Reason::BodyUnreadable => {
            let form = Shop::with_form_post();
            form.decide_unread(&post(CALLBACK, "code=c&state=s"))
        }
        Reason::SessionTooLarge => opens_with(
            |config| config["session"]["budget"] = json!(4096),
            |shop| shop.idp.tokens(|answer| answer["refresh_token"] = json!("r".repeat(8_000))),
        ),

        Reason::BodyTooLarge => Shop::with_form_post().decide(&post(CALLBACK, &"x".repeat(1024 * 1024))),
        Reason::ProviderBusy => replies(Endpoint::Token, &Reply::failed(CallError::Busy)),
        Reason::Unconfigured => {
            let Verdict::Respond { response, reason } = exchange::unconfigured() else { panic!("it lets through") };
            Answer::new(SHOP.to_owned(), Vec::new(), Verdict::Respond { response, reason })
        }
        Reason::AccessTokenRequired => Shop::api(json!({})).decide(&background("/")),
        Reason::CredentialMalformed => shows(json!({}), |_| "a b".to_owned()),
        Reason::CredentialRepeated => Shop::api(json!({})).decide(&background("/").bearer("a").bearer("b")),
        Reason::AccessTokenMalformed => shows(json!({}), |_| "opaque".to_owned()),
        Reason::AccessTokenAlgorithm => shows_header("alg", "HS256"),
        Reason::AccessTokenType => shows_header("typ", "logout+jwt"),
        Reason::AccessTokenKeyUnknown => shows_header("kid", "two"),
        Reason::AccessTokenSignature => shows(json!({}), |shop| {
            let token = shop.idp.jwt(|_| {});
            shop.idp.rotates_to(Signer::p256("one", 2));
            token
        }),
        Reason::AccessTokenIssuer => shows_claim("iss", &json!("https://evil.example")),
        Reason::AccessTokenAudience => shows_claim("aud", &json!("other")),
        Reason::AccessTokenExpired => shows_claim("exp", &json!(1_000_000_000)),
        Reason::AccessTokenNotYetValid => shows_claim("nbf", &json!(2_000_000_000)),
        Reason::AccessTokenClaims => shows_claim("sub", &json!(7)),
        Reason::BindingUnsupported => shows_claim("cnf", &json!({ "jkt": "x" })),
        Reason::AuthenticationWeak => {
            let strong = json!({ "token": { "audience": ["api"], "acr_values": ["gold"] } });
            shows(strong, |shop| shop.idp.jwt(|_| {}))
        }
        Reason::AuthenticationOld => {
            let late = json!({ "token": { "audience": ["api"], "max_age": "10m" } });
            shows(late, |shop| shop.idp.jwt(|_| {}))
        }
        Reason::ResourceMetadata => resource_metadata("GET"),
        Reason::ClientKeys => Shop::with(super::client_auth::by_key).decide(&get("/oauth/jwks")),
        Reason::SessionInfo => {
            let shop = Shop::with(|config| config["defaults"]["session_info_path"] = json!("/oauth/session"));
            shop.guest().get("/oauth/session")
        }
        Reason::MethodNotAllowed => resource_metadata("POST"),
        Reason::AccessTokenInactive => shows(introspection(), |_| "unknown".to_owned()),
        Reason::IntrospectionUnavailable => introspected(|shop| {
            shop.idp.replies(Endpoint::Introspection, Reply::nothing());
        }),
        Reason::IntrospectionInvalid => introspected(|shop| shop.idp.replies(Endpoint::Introspection, html.clone())),
        Reason::IntrospectionRefused => introspected(|shop| {
            shop.idp.replies(Endpoint::Introspection, Reply::json(401, &json!({ "error": "invalid_client" })));
        }),
        Reason::EndpointMissing => introspected(|shop| {
            shop.idp.metadata(|metadata| drop(metadata.as_object_mut().unwrap().remove("introspection_endpoint")));
        }),
        Reason::RefreshUnavailable => refreshed(|shop| shop.idp.replies(Endpoint::Token, Reply::nothing())),
        Reason::RefreshRefused => refreshed(|shop| shop.idp.ends_all_logins()),
        Reason::RefreshInvalid => refreshed(|shop| shop.idp.logs_in("u-2", "mallory")),
        Reason::RefreshLost => {
            let shop = Shop::new();
            shop.idp.rotates_refresh_tokens();
            let guest = shop.guest();
            shop.script.advance(241);
            shop.is_quick.set(true);
            guest.clone().get("/").assert_served_to("alice");
            // The provider is asked, and the worker that asked is lost.
            shop.script.step();
            assert_eq!(shop.calls(Endpoint::Token), 2);
            shop.script.lose_tasks();
            shop.script.advance(59);
            guest.at(&shop.worker()).send(&background("/"))
        }

        Reason::FlightLost => {
            let shop = Shop::new();
            let world = World::new(Rc::new(Forgetful(shop.script.clone())), Rc::new(NoBody));
            shop.decide_in(&world, &get("/"))
        }
    }
}

/// What a script gets whose access token has ended, after this has happened.
fn refreshed(prepare: impl Fn(&Shop)) -> Answer {
    let shop = Shop::new();
    shop.idp.rotates_refresh_tokens();
    let mut guest = shop.guest();
    shop.script.advance(300);
    prepare(&shop);
    guest.send(&background("/"))
}

fn with_callback(then: impl Fn(&Shop, &mut Browser<'_>, Req) -> Answer) -> Answer {
    let shop = Shop::new();
    let mut browser = shop.browser();
    let callback = browser.until_callback("/");
    then(&shop, &mut browser, callback)
}

/// Something eats the session's cookie, and leaves those of the logins.
fn login_loop() -> Answer {
    let shop = Shop::new();
    let mut browser = shop.browser();
    loop {
        let answer = browser.get("/");
        if answer.reason() != Some(Reason::LoginStarted) {
            return answer;
        }
        let callback = browser.next(&answer.location().unwrap());
        browser.send(&callback);
        browser.jar.0.retain(|cookie| cookie.name.contains("-login."));
        assert!(shop.calls(Endpoint::Token) < 10, "it goes on for ever");
    }
}

#[test]
fn every_reason_is_reached_and_its_answer_is_as_the_reference_says() {
    for reason in Reason::ALL {
        let answer = way_to(*reason);
        assert_eq!(answer.reason(), Some(*reason));
        assert_eq!(answer.status(), reason.status(), "{reason}");
        assert_eq!(answer.header("retry-after").is_some(), matches!(reason.status(), 429 | 503), "{reason}");
        // W2: 400, and a challenge all the same.
        let is_challenged = matches!(reason, Reason::CredentialMalformed | Reason::CredentialRepeated);
        assert_eq!(answer.header("www-authenticate").is_some(), is_challenged || reason.status() == 401, "{reason}");
    }
}

/// A host that loses what is spawned, as one would that ends its root while streams still wait.
struct Forgetful(Script);

impl Host for Forgetful {
    fn now(&self) -> UnixTime {
        self.0.now()
    }
    fn fill_random(&self, bytes: &mut [u8]) {
        self.0.fill_random(bytes);
    }
    fn call(&self, request: ProviderRequest) -> LocalFuture<Result<ProviderResponse, CallError>> {
        self.0.call(request)
    }
    fn sleep(&self, span: Duration) -> LocalFuture<()> {
        self.0.sleep(span)
    }
    fn spawn(&self, work: LocalFuture<()>) {
        drop(work);
    }
    fn verify_signature(&self, hash: Hash, spki: &[u8], message: &[u8], signature: &[u8]) -> HostCheck {
        self.0.verify_signature(hash, spki, message, signature)
    }
    fn shared(&self, key: &str) -> Option<(Vec<u8>, Version)> {
        self.0.shared(key)
    }
    fn share(&self, key: &str, value: &[u8], version: Version) -> Result<(), NotWritten> {
        self.0.share(key, value, version)
    }
    fn count(&self, metric: Metric) {
        self.0.count(metric);
    }
    fn log(&self, level: log::Level, line: &str) {
        self.0.log(level, line);
    }
}

struct NoBody;

impl oidc_proxy_wasm::world::Body for NoBody {
    fn read(self: Rc<Self>, _: usize) -> LocalFuture<Result<Vec<u8>, oidc_proxy_wasm::world::BodyError>> {
        Box::pin(std::future::ready(Err(oidc_proxy_wasm::world::BodyError::Unreadable)))
    }
}
