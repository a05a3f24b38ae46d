//! The filter as a module wants it, and a person in front of it.

use std::time::Duration;

use integration_tests::client;
use integration_tests::envoy::Envoy;
use integration_tests::idp::CLIENT_ID;
use integration_tests::person::{Page, Person};
use integration_tests::setup::Setup;
use integration_tests::shop::{self, CALLBACK, INITIATE, cookie_line, reason, values};
use integration_tests::upstream::Upstream;
use serde_json::{Value, json};
use url::Url;

use crate::plans::{Plan, Wish};
use crate::suite::Suite;

const LOGOUT: &str = "/oauth/logout";
const LANDING: &str = "/oauth/landing";
const BACK: &str = "/oauth/back-channel";
const FRONT: &str = "/oauth/front-channel";

/// How long the suite's access tokens live, as far as the filter knows: they say nothing of it.
const LIFE: &str = "2s";
/// After so long a request renews them.
const UNTIL_RENEWED: Duration = Duration::from_millis(2500);

/// With every kind of character that a secret may have (RFC 6749 appendix A.2) and that Basic has to encode (§2.3.1).
const CLIENT_SECRET: &str = "what only the suite : knows + 100%/~&=?\"\\@";

/// The key of RFC 7515, appendix A.3.
fn key() -> Value {
    json!({
        "kty": "EC", "crv": "P-256", "kid": "A.3", "use": "sig", "alg": "ES256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

/// What the suite is to know of our client on this port.
pub fn registered(plan: &Plan, port: u16, alias: &str) -> Value {
    let url = |path: &str| format!("http://localhost:{port}{path}");
    let mut client = json!({
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": url(CALLBACK),
        // The suite wants https here, and has the person open it: what would end TLS is left out.
        "initiate_login_uri": url(INITIATE).replace("http:", "https:"),
        "post_logout_redirect_uri": url(LANDING),
    });
    // With both the suite tells both, and the front channel has its own plan.
    match plan.name.contains("front-channel") || plan.name.contains("client-logout") {
        true => {
            client["frontchannel_logout_uri"] = json!(url(FRONT));
            client["frontchannel_logout_session_required"] = json!(true);
        }
        false => client["backchannel_logout_uri"] = json!(url(BACK)),
    }
    if plan.client_auth == "private_key_jwt" {
        client["jwks"] = json!({ "keys": [key()] });
    }
    json!({ "alias": alias, "description": "oidc-proxy-wasm", "client": client })
}

/// A gate at the suite, for one module.
pub struct Gate {
    envoy: Envoy,
    upstream: Upstream,
}

impl Gate {
    /// Opens the gate that a module of a plan wants.
    pub async fn open(suite: &Suite, plan: &Plan, alias: &str, setup: Setup) -> Gate {
        let mut filter = shop::filter(setup.port, &suite.issuer(alias));
        let provider = &mut filter["providers"]["main"];
        provider["timeout"] = json!("5s");
        provider["client"]["token_endpoint_auth_method"] = json!(plan.client_auth);
        provider["client"]["client_secret"] = match plan.client_auth {
            "private_key_jwt" | "none" => Value::Null,
            _ => json!(CLIENT_SECRET),
        };
        if plan.client_auth == "private_key_jwt" {
            provider["client"]["jwk"] = key();
            provider["client"]["jwk"]["d"] = json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
        }
        if plan.name.contains("logout") {
            // As registered, by default: the suite signs logout tokens with another key of its own, too.
            provider["client"]["id_token_signed_response_alg"] = json!("RS256");
        }
        let mut setup = setup.bodies_at(BACK);
        if plan.is_by_form_post() {
            provider["response_mode"] = json!("form_post");
            setup = setup.bodies_at(CALLBACK);
        }
        let defaults = &mut filter["defaults"];
        defaults["login"]["userinfo"] = json!(true);
        // Passed on, and not configured: then a login that fails in silence would be begun once more, aloud.
        defaults["login"]["pass_params"] = json!(["max_age", "prompt"]);
        defaults["upstream_headers"] = json!([{ "token": "access_token", "name": "x-access-token" }]);
        defaults["logout"] = json!({
            "path": LOGOUT, "landing_path": LANDING, "front_channel_path": FRONT, "back_channel_path": BACK,
        });
        filter["session"]["refresh"] = json!({ "assumed_lifetime": LIFE, "before": "0s", "jitter": "0s" });
        let upstream = Upstream::start().await;
        let setup = setup.upstream(upstream.port).cluster("idp", suite.port).elsewhere("idp", &suite.host);
        Gate { envoy: Envoy::start(setup.filter(filter)).await, upstream }
    }

    /// Does what a module wants done. An error says what the person saw that should not be.
    pub async fn drive(self, suite: &Suite, module: &str, wish: Wish) -> Result<(), String> {
        let mut person = suite.person();
        match wish {
            // Not a word more: the module has what it wants, and takes everything further for a fault.
            Wish::Nothing => suite.settled(module).await,
            Wish::LogIn => self.log_in(&mut person).await,
            Wish::LogInTwice => {
                self.log_in(&mut person).await?;
                self.log_in(&mut suite.person()).await
            }
            Wish::MayLogIn(code) => {
                let page = self.arrive(&mut person, &self.url("/orders")).await;
                if page.answer.status == 200 { Ok(()) } else { refused(&page, code) }
            }
            Wish::BeRefused(code) => refused(&self.arrive(&mut person, &self.url("/orders")).await, code),
            Wish::BeRefusedInSilence(code) => {
                refused(&self.arrive(&mut person, &self.url("/orders?max_age=0&prompt=none")).await, code)
            }
            Wish::LogInFromElsewhere => {
                let page = self.arrive(&mut person, &suite.to_open(module).await?).await;
                let home = page.url.as_str() == self.url("/");
                if page.answer.status == 200 && home { Ok(()) } else { Err(sight(&page)) }
            }
            Wish::LogOut => {
                self.log_in(&mut person).await?;
                let cookies = cookie_line(&person);
                let asks = person.open(&self.url(LOGOUT)).await;
                let mut page = person.submit(&asks, &[("logout", "yes")]).await;
                if let Some(frame) = Frame::of(&page) {
                    let home = frame.show(&mut person).await?;
                    page = person.open(&home).await;
                }
                self.ended(&cookies).await?;
                let landed = page.url.path() == LANDING && page.answer.status == 200;
                if landed { Ok(()) } else { Err(sight(&page)) }
            }
            Wish::LogOutElsewhere => {
                self.log_in(&mut person).await?;
                let page = person.open(&suite.to_open(module).await?).await;
                Frame::of(&page).ok_or_else(|| sight(&page))?.show(&mut person).await?;
                self.ended(&cookie_line(&person)).await
            }
            Wish::Stay => {
                self.log_in(&mut person).await?;
                let first = self.access_token();
                tokio::time::sleep(UNTIL_RENEWED).await;
                let page = person.look(&self.url("/orders")).await;
                let second = self.access_token();
                let renewed = page.answer.status == 200 && first != second;
                if renewed { Ok(()) } else { Err(format!("the tokens were not renewed: {}", sight(&page))) }
            }
            Wish::StayAndBeRefused(code) => {
                self.log_in(&mut person).await?;
                tokio::time::sleep(UNTIL_RENEWED).await;
                // Of a page load the person would see nothing but another login.
                let url = self.url("/orders");
                let answer = person.fetch(&url).await;
                refused(&Page { url: Url::parse(&url).expect("a URL"), answer }, code)
            }
        }
    }

    /// Opens an address, goes wherever that leads, and sends a form of the provider's that sends itself in a browser.
    async fn arrive(&self, person: &mut Person, url: &str) -> Page {
        let page = person.open(url).await;
        let is_form = page.url.port() != Some(self.envoy.port) && page.answer.text().contains("submitform()");
        if is_form { person.submit(&page, &[]).await } else { page }
    }

    async fn log_in(&self, person: &mut Person) -> Result<(), String> {
        let page = self.arrive(person, &self.url("/orders")).await;
        if page.answer.status != 200 || page.url.as_str() != self.url("/orders") {
            return Err(sight(&page));
        }
        let second = person.look(&self.url("/baskets")).await;
        if second.answer.status == 200 { Ok(()) } else { Err(format!("the second page: {}", sight(&second))) }
    }

    /// The access token that the service was given last.
    fn access_token(&self) -> String {
        let seen = self.upstream.seen();
        let last = seen.last().expect("a request that has reached the service");
        values(last, "x-access-token").concat()
    }

    /// A session is over on every worker, as they all know within a second.
    async fn ended(&self, cookies: &str) -> Result<(), String> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        for _ in 0..8 {
            let ask = client::get(self.envoy.port, "/orders").header("cookie", cookies);
            let answer = ask.header("accept", "application/json").send().await;
            if reason(&answer) != Some("login_required") {
                return Err(format!("the session lives after its logout: {} {:?}", answer.status, reason(&answer)));
            }
        }
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.envoy.port)
    }
}

fn refused(page: &Page, code: &str) -> Result<(), String> {
    let is_refusal = page.answer.status >= 400 && reason(&page.answer) == Some(code);
    if is_refusal { Ok(()) } else { Err(format!("not refused with {code}: {}", sight(page))) }
}

fn sight(page: &Page) -> String {
    format!("{} {:?} at {}", page.answer.status, reason(&page.answer), page.url)
}

/// The suite's page that shows our front channel in a frame, as its script does.
struct Frame {
    frame: Url,
    then: Url,
    home: String,
}

impl Frame {
    fn of(page: &Page) -> Option<Frame> {
        let html = page.answer.text();
        let quoted = |before: &str| html.split(before).nth(1)?.split('\'').nth(1).map(meant);
        // Nor does the suite encode what it puts into this address, where a `sid` has any character.
        let frame = quoted("iframe.src =")?;
        let (path, query) = frame.split_once("?iss=")?;
        let (iss, sid) = query.split_once("&sid=")?;
        let frame = Url::parse_with_params(path, [("iss", iss), ("sid", sid)]).ok()?;
        let then = Url::parse_with_params(&quoted("let url =")?, [("loaded", "true")]).ok()?;
        Some(Frame { frame, then, home: quoted("location.href=").unwrap_or_default() })
    }

    /// Shows the frame, which browsers keep our cookies from, says so to the suite, and gives back where the page leads.
    async fn show(&self, person: &mut Person) -> Result<String, String> {
        let shown = Person::new().look(self.frame.as_str()).await;
        if reason(&shown.answer) != Some("logout_heard") {
            return Err(sight(&shown));
        }
        person.look(self.then.as_str()).await;
        Ok(self.home.clone())
    }
}

/// A text in the suite's scripts, which it escapes for a script, and then for a page as well: a browser would undo the one alone.
fn meant(text: &str) -> String {
    let entities = [("&quot;", "\""), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    let text = entities.iter().fold(text.to_owned(), |text, (entity, is)| text.replace(entity, is));
    let mut characters = text.chars();
    let next = || match characters.next()? {
        '\\' => characters.next(),
        other => Some(other),
    };
    std::iter::from_fn(next).collect()
}
