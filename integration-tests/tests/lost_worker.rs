//! A worker is lost while it refreshes a session: in a build of the filter that panics when the provider tells it to. The
//! lease lapses, another worker takes over, and the provider's word on the second use of the refresh token counts.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use integration_tests::client::{Answer, get};
use integration_tests::hostile::{Endpoint, Trick};
use integration_tests::person::Person;
use integration_tests::shop::{Shop, cookie_line, reason, values};
use integration_tests::{may_panic_when_told, root};
use serde_json::json;

/// How long the first access token lives: it is renewed after half of that, and a lease lapses after 3 s.
const LIFE: Duration = Duration::from_secs(12);

/// After how long Envoy ends a request that nobody answers any more.
const IDLE: &str = "5s";

fn panicking_module() -> PathBuf {
    let built = Command::new(root().join("tools/wasm-panics.sh")).output().expect("tools/wasm-panics.sh runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let module = PathBuf::from(String::from_utf8_lossy(&built.stdout).trim());
    assert!(may_panic_when_told(&module), "the twin of what is asserted of the product");
    module
}

struct Scene {
    shop: Shop,
    cookies: String,
    /// When the first access token came, or a little earlier.
    born: Instant,
}

/// What the token endpoint says to a refresh.
fn says(token: &str, scope: &str) -> Trick {
    let answer = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": scope });
    Trick::Answer(200, "application/json", answer.to_string())
}

impl Scene {
    /// Somebody has logged in at a provider that will tell a worker to panic.
    async fn open(before: &str) -> Scene {
        let configure = |filter: &mut serde_json::Value| {
            filter["providers"]["main"]["timeout"] = json!("1s");
            filter["session"]["refresh"] = json!({ "before": before });
        };
        let shop = Shop::open_with(configure, |setup| setup.panicking(panicking_module()).idle_timeout(IDLE)).await;
        shop.idp.edit(Endpoint::Token, |answer| {
            answer["refresh_token"] = json!("only-once");
            answer["expires_in"] = json!(LIFE.as_secs());
        });
        let born = Instant::now();
        let cookies = cookie_line(&shop.customer().await);
        shop.idp.play(Endpoint::Token, says("lost", "openid panic"));
        Scene { shop, cookies, born }
    }

    fn panics(&self) -> usize {
        self.shop.envoy.log().matches("Uncaught RuntimeError").count()
    }

    /// One request over a connection of its own, which is answered within a second.
    async fn ask(&self) -> Answer {
        let ask =
            get(self.shop.envoy.port, "/page").header("cookie", &self.cookies).header("accept", "application/json");
        tokio::time::timeout(Duration::from_secs(1), ask.send()).await.expect("nobody hangs")
    }

    /// Requests all the while, which are all served, until something has come about. One that is under way in the VM at the
    /// moment of its panic gets Envoy's 503.
    async fn served_until(&self, done: impl Fn() -> bool) {
        while !done() {
            assert!(self.born.elapsed() < LIFE, "it does not come about:\n{}", self.shop.envoy.log());
            let before = self.panics();
            let answer = self.ask().await;
            let is_in_the_midst = before == 0 && self.panics() == 1 && (answer.status, reason(&answer)) == (503, None);
            assert!(answer.status == 200 || is_in_the_midst, "{answer:?}\n{}", self.shop.envoy.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn service_has_seen(&self, token: &str) -> bool {
        let wanted = format!("Bearer {token}");
        self.shop.upstream.seen().iter().any(|seen| values(seen, "authorization") == [wanted.as_str()])
    }

    fn token_calls(&self) -> usize {
        self.shop.idp.count(Endpoint::Token)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_worker_takes_over_and_the_session_lives() {
    let scene = Scene::open("60s").await;
    scene.served_until(|| scene.panics() > 0).await;
    scene.shop.idp.play(Endpoint::Token, says("second", "openid"));
    scene.served_until(|| scene.service_has_seen("second")).await;
    assert!(!scene.service_has_seen("lost"));
    assert_eq!((scene.panics(), scene.token_calls()), (1, 3), "the login, the lost one, the one that took over");
    assert_eq!(scene.shop.envoy.counted("refreshes.taken_over").await, 1);
    tokio::time::sleep(LIFE.saturating_sub(scene.born.elapsed())).await;
    assert_eq!(scene.ask().await.status, 200);
}

/// The twin: the provider had rotated for the worker that was lost, and refuses the second use. Then the session ends with
/// its access token, and no earlier.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_was_lost_with_its_worker_ends_the_session_with_its_access_token() {
    let scene = Scene::open("60s").await;
    scene.served_until(|| scene.panics() > 0).await;
    scene.shop.idp.repent();
    scene.served_until(|| scene.token_calls() == 3).await;
    scene.served_until(|| scene.born.elapsed() + Duration::from_secs(1) > LIFE).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let answer = scene.ask().await;
    assert_eq!((answer.status, reason(&answer)), (401, Some("refresh_lost")), "{answer:?}");
    assert_eq!((scene.panics(), scene.token_calls()), (1, 3), "nobody asks again");
    let page = Person::new().open(&scene.shop.url("/")).await;
    assert_eq!(page.answer.status, 200, "a login afterwards is good");
}

/// Whoever waits on the other worker is served, and so is whoever comes again. A host has forgotten the requests that waited
/// on the lost one: its `stream_idle_timeout` answers them.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_served_by_the_other_worker_or_ended_by_envoy() {
    let scene = Scene::open("0s").await;
    tokio::time::sleep(LIFE.saturating_sub(scene.born.elapsed()) + Duration::from_secs(1)).await;
    let begun = Instant::now();
    let ask = get(scene.shop.envoy.port, "/page").header("cookie", &scene.cookies).header("accept", "application/json");
    let waiting: Vec<_> = (0..32).map(|_| tokio::spawn(ask.clone().send())).collect();
    while scene.panics() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(3), "{}", scene.shop.envoy.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    scene.shop.idp.play(Endpoint::Token, says("second", "openid"));
    let mut served = 0;
    for one in waiting {
        let answer = tokio::time::timeout(Duration::from_secs(10).saturating_sub(begun.elapsed()), one).await;
        let answer = answer.expect("nobody hangs").unwrap();
        match answer.status {
            200 => served += 1,
            status => assert_eq!((status, reason(&answer)), (503, None), "{answer:?}"),
        }
    }
    assert!((1..32).contains(&served), "{served} of 32");
    assert_eq!((scene.panics(), scene.token_calls()), (1, 3), "the login, the lost one, the one that took over");
    for _ in 0..16 {
        assert_eq!(scene.ask().await.status, 200);
    }
}
