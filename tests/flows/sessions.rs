//! Sessions in the browser's cookies, through decide (attacks S01 to S16, S23 to S26, W09; conformance section 7).

use crate::support::*;
use Reason::*;

/// A request with these cookies and no others.
fn with_cookies(cookies: &[(String, String)]) -> Req {
    let field: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    background("/").with("cookie", field.join("; "))
}

/// S01 (CVE-2026-47775), S09: each character of the cookie changed; always the same answer.
#[test]
fn a_session_of_which_any_character_changed_is_none() {
    let shop = Shop::new();
    let session = shop.guest().session();
    let value = &session[0].1;
    for at in 0..value.len() {
        let other = if value.as_bytes()[at] == b'A' { "B" } else { "A" };
        let mut bent = session.clone();
        bent[0].1.replace_range(at..=at, other);
        let answer = shop.decide(&with_cookies(&bent));
        assert_eq!((answer.reason(), answer.all("set-cookie").len()), (Some(LoginRequired), 0), "character {at}");
    }
    for bent in [format!("\"{value}\""), value.replace('-', "%2D") + "%3D", value[1..].to_owned(), value.repeat(2)] {
        assert_eq!(shop.decide(&with_cookies(&[(session[0].0.clone(), bent)])).reason(), Some(LoginRequired));
    }
    shop.decide(&with_cookies(&session)).assert_served_to("alice");
}

/// S02, S04: another provider, client, partition or secret; the name changed to fit.
#[test]
fn a_session_opens_in_its_own_deployment_alone() {
    let shop = Shop::new();
    let session = shop.guest().session();
    let changes: [fn(&mut Value); 5] = [
        |config| config["providers"]["main"]["issuer"] = json!("https://idp.example.com/"),
        |config| config["providers"]["main"]["client"]["client_id"] = json!("shop2"),
        |config| config["session"]["partition"] = json!("other"),
        |config| config["session"]["secrets"] = json!(["vB8nL1cR6yW3zH5jP0sDaE9fK2mQ7xT4"]),
        |config| {
            config["defaults"]["login"]["redirect_uri"] = json!("https://pay.example.com/oauth/callback");
            for rule in config["rules"].as_array_mut().unwrap() {
                if rule["match"]["host"].is_string() {
                    rule["match"]["host"] = json!("pay.example.com");
                }
            }
        },
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let other = shop.reconfigured(change);
        // Its own cookie's name, learnt from a login that it begins.
        let host = if at == 4 { "pay.example.com" } else { "shop.example.com" };
        let begun = other.decide(&get("/").to(host));
        let name = begun.all("set-cookie").first().map(|line| line.split("-login.").next().unwrap().to_owned());
        let name = name.unwrap_or_else(|| session[0].0.clone());
        let answer = other.decide(&with_cookies(&[(name.clone(), session[0].1.clone())]).to(host));
        assert_eq!(answer.reason(), Some(LoginRequired), "{at} {name}");
        assert_eq!(other.decide(&with_cookies(&session).to(host)).reason(), Some(LoginRequired), "{at}");
    }
    shop.worker().decide(&with_cookies(&session)).assert_served_to("alice");
}

/// S03, DESIGN §5: a new secret is first added last, then moved first; the old one is taken out when its time is over.
#[test]
fn secrets_rotate_over_two_hosts_at_different_steps() {
    const OLD: &str = "9fK2mQ7xT4vB8nL1cR6yW3zH5jP0sDaE";
    const NEW: &str = "vB8nL1cR6yW3zH5jP0sDaE9fK2mQ7xT4";
    let before = Shop::new();
    let at_step = |secrets: Value| before.reconfigured(|config| config["session"]["secrets"] = secrets.clone());
    let (added, moved, done) = (at_step(json!([OLD, NEW])), at_step(json!([NEW, OLD])), at_step(json!([NEW])));
    let sealed_by = |shop: &Shop| shop.guest().session();
    for (sealer, openers, strangers) in [
        (&before, vec![&before, &added, &moved], vec![&done]),
        (&added, vec![&before, &added, &moved], vec![&done]),
        (&moved, vec![&added, &moved, &done], vec![&before]),
        (&done, vec![&added, &moved, &done], vec![&before]),
    ] {
        let session = sealed_by(sealer);
        openers.iter().for_each(|shop| shop.decide(&with_cookies(&session)).assert_served_to("alice"));
        for stranger in strangers {
            assert_eq!(stranger.decide(&with_cookies(&session)).reason(), Some(LoginRequired));
        }
    }
    // A login begun before the step ends well after it.
    let mut browser = before.browser();
    let callback = browser.until_callback("/");
    assert_eq!(browser.at(&moved).send(&callback).reason(), Some(LoginDone));
}

/// S05 (CVE-2023-28625), W03: fields that are no cookies harm nobody.
#[test]
fn strange_cookie_fields_are_no_session_and_no_harm() {
    let shop = Shop::new();
    let session = shop.guest().session();
    let good = format!("{}={}", session[0].0, session[0].1);
    let name = &session[0].0;
    let strange: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b";;".to_vec(),
        b"=".to_vec(),
        b"a".to_vec(),
        b" ; =x".to_vec(),
        b"x".repeat(65_536),
        b"a=\0b".to_vec(),
        b"a=\xff\xfe".to_vec(),
        b"\xff=\xfe".to_vec(),
        name.clone().into_bytes(),
        format!("{name}=").into_bytes(),
        format!("{name}=1").into_bytes(),
        format!("{name}=1z").into_bytes(),
        format!("{name}=1\u{e9}").into_bytes(),
        format!("{name}.-99999999=x; {name}.99999999999=x").into_bytes(),
    ];
    for field in strange {
        let shown = String::from_utf8_lossy(&field).chars().take(40).collect::<String>();
        let answer = shop.decide(&background("/").with("cookie", &field));
        assert_eq!((answer.reason(), answer.all("set-cookie").len()), (Some(LoginRequired), 0), "{shown:?}");
        let beside = shop.decide(&background("/").with("cookie", &field).with("cookie", &good));
        beside.assert_served_to("alice");
    }
}

/// S06, Q2: a forged copy before or behind; and two sessions that both open.
#[test]
fn a_tossed_cookie_neither_hides_nor_replaces_the_session() {
    let shop = Shop::new();
    let mine = shop.guest().session();
    shop.idp.logs_in("u-2", "mallory");
    let theirs = shop.guest().session();
    let forged = vec![(mine[0].0.clone(), format!("11{}", "A".repeat(300)))];
    for cookies in [[forged.clone(), mine.clone()].concat(), [mine.clone(), forged].concat()] {
        shop.decide(&with_cookies(&cookies)).assert_served_to("alice");
    }
    for cookies in [[theirs.clone(), mine.clone()].concat(), [mine.clone(), theirs].concat()] {
        assert_eq!(shop.decide(&with_cookies(&cookies)).reason(), Some(LoginRequired));
    }
}

fn large(shop: &Shop) -> Vec<(String, String)> {
    shop.idp.tokens(|answer| answer["refresh_token"] = json!("r".repeat(5_000)));
    shop.guest().session()
}

/// S07 (CVE-2024-24814), S08.
#[test]
fn parts_that_do_not_belong_together_are_no_session() {
    let shop = Shop::new();
    let (one, two) = (large(&shop), large(&shop));
    assert!(one.len() > 1 && one.len() == two.len());
    for at in 0..one.len() {
        let mut gap = one.clone();
        gap.remove(at);
        let mut mixed = one.clone();
        mixed[at] = two[at].clone();
        for broken in [gap, mixed] {
            let answer = shop.decide(&with_cookies(&broken));
            assert_eq!((answer.reason(), answer.all("set-cookie").len()), (Some(LoginRequired), 0), "part {at}");
        }
    }
    let mut backwards = one.clone();
    backwards.reverse();
    shop.decide(&with_cookies(&backwards)).assert_served_to("alice");
}

/// S10: to the second. The basic shop: idle 15 min, absolute 8 h.
#[test]
fn a_session_ends_on_the_second() {
    for (seconds, served) in [(899, true), (900, false)] {
        let shop = Shop::new();
        let session = shop.guest().session();
        shop.script.advance(seconds);
        let answer = shop.decide(&with_cookies(&session));
        assert_eq!(answer.reason().is_none(), served, "idle for {seconds} s");
    }
    let shop = Shop::new();
    let mut guest = shop.guest();
    for _ in 0..479 {
        shop.script.advance(60);
        guest.get("/").assert_served_to("alice");
    }
    shop.script.advance(59);
    assert_eq!(guest.get("/").reason(), None, "a second before its eight hours");
    shop.script.advance(1);
    assert_eq!(guest.get("/").reason(), Some(LoginStarted));
}

/// Activity is written down once a minute; the answer that does so is not kept by caches.
#[test]
fn use_is_written_down_once_a_minute() {
    let shop = Shop::new();
    let mut guest = shop.guest();
    for (pause, written) in [(0, 0), (59, 0), (1, 1), (1, 0), (59, 1)] {
        shop.script.advance(pause);
        let answer = guest.get("/");
        assert_eq!(answer.all("set-cookie").len(), written, "{pause}");
        assert_eq!(answer.header("cache-control"), (written == 1).then(|| "no-store".to_owned()));
    }
    // The cookie from before it is still this session: two tabs may race.
    assert_eq!(guest.session_cookies().len(), 1);
}

/// S11 (envoy#27875): what does not fit goes in a stated order, and a login that cannot fit says so and is over.
#[test]
fn a_session_over_its_budget_is_cut_or_refused_but_never_in_circles() {
    let cut = Shop::with(|config| {
        config["session"]["budget"] = json!(4096);
        config["session"]["keep_claims"] = json!([["address"]]);
    });
    cut.idp.claims(|claims| claims["address"] = json!("x".repeat(4_000)));
    let mut guest = cut.guest();
    assert!(guest.session().iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() <= 4096);
    guest.get("/").assert_served_to("alice");

    let refused = Shop::with(|config| config["session"]["budget"] = json!(4096));
    refused.idp.tokens(|answer| answer["refresh_token"] = json!("r".repeat(8_000)));
    let mut browser = refused.browser();
    let answer = browser.open("/");
    assert_eq!((answer.reason(), answer.status(), browser.cookies().len()), (Some(SessionTooLarge), 500, 0));
}

/// A budget that was lowered while a session lives: it goes on as it is, and ends when it would without use.
#[test]
fn a_session_that_outgrew_a_lowered_budget_lives_to_its_end() {
    let roomy = Shop::new();
    roomy.idp.tokens(|answer| answer["refresh_token"] = json!("r".repeat(5_000)));
    let guest = roomy.guest();
    let tight = roomy.reconfigured(|config| config["session"]["budget"] = json!(4096));
    let mut guest = guest.at(&tight);
    tight.script.advance(60);
    let answer = guest.get("/");
    answer.assert_served_to("alice");
    assert!(answer.all("set-cookie").is_empty());
    tight.script.advance(14 * 60);
    assert_eq!(guest.get("/").reason(), Some(LoginStarted));
}

/// S12 (CVE-2025-55162): what is deleted goes, as browsers delete: same name, path and domain.
#[test]
fn a_smaller_session_leaves_nothing_of_the_larger_one() {
    let shop = Shop::new();
    shop.idp.tokens(|answer| answer["refresh_token"] = json!("r".repeat(5_000)));
    let mut browser = shop.browser();
    let callback = browser.until_callback("/");
    browser.open("/");
    assert!(browser.session_cookies().len() > 1);
    shop.idp.tokens(|_| {});
    assert_eq!(browser.send(&callback).reason(), Some(LoginDone));
    assert_eq!(browser.session_cookies().len(), 1);
    browser.get("/").assert_served_to("alice");
}

/// S13: the service sees none of our cookies, and all others as they came, in their order.
#[test]
fn own_cookies_do_not_travel_to_the_service() {
    let shop = Shop::new();
    let guest = shop.guest();
    let ours = guest.jar.field(shop.now(), &get("/")).unwrap();
    let name = guest.session_cookies()[0].to_owned();
    let theirs = format!("a=1; ref={name}; b=\"2\"; {name}x=theirs? ; =; odd");
    for path in ["/", "/public", "/maybe"] {
        let request = get(path).with("cookie", "first=1").with("cookie", format!("{ours}; {theirs}"));
        let seen = shop.decide(&request).service("cookie");
        let all = seen.join("; ");
        assert!(!all.contains(&format!("{name}=")) && !all.contains("-login."), "{all}");
        for kept in ["first=1", "a=1", &format!("ref={name}"), "b=\"2\"", "odd"] {
            assert!(all.contains(kept), "{kept} in {all}");
        }
        assert!(all.find("first=1") < all.find("a=1") && all.find("a=1") < all.find("b=\"2\""), "{all}");
    }
    assert_eq!(shop.decide(&get("/").with("cookie", &ours)).service("cookie"), [""; 0]);
    let none_of_ours = "a=1;b=2;; c";
    assert_eq!(shop.decide(&get("/public").with("cookie", none_of_ours)).service("cookie"), [none_of_ours]);
}

/// S15: a cookie that somebody else slipped in is that somebody's session; a login replaces it.
#[test]
fn a_fixated_session_is_the_attacker_s_own_and_ends_with_a_login() {
    let shop = Shop::new();
    shop.idp.logs_in("u-666", "mallory");
    let fixated = shop.guest();
    let mut victim = fixated.clone();
    victim.get("/").assert_served_to("mallory");
    shop.idp.logs_in("u-1", "alice");
    victim.jar.0.retain(|cookie| cookie.name.contains("-login."));
    victim.open("/").assert_served_to("alice");
    let mut attacker = fixated;
    attacker.get("/").assert_served_to("mallory");
}

/// S23 (traefikoidc#67): a life that is none is the assumed one; the token is not sent on after it.
#[test]
fn odd_lives_of_an_access_token_are_the_assumed_one() {
    for life in [Value::Null, json!(0), json!(-5), json!(1e18), json!("abc"), json!("0"), json!(1e300), json!(0.5)] {
        let shop = Shop::new();
        let odd = life.clone();
        shop.idp.tokens(move |answer| answer["expires_in"] = odd.clone());
        let mut guest = shop.guest();
        for (pause, sent) in [(299, 1), (1, 0)] {
            shop.script.advance(pause);
            let page = guest.get("/");
            page.assert_served_to("alice");
            assert_eq!(page.service("authorization").len(), sent, "{life}");
        }
        assert_eq!(shop.script.calls().len(), 3, "{life}");
    }
    for (life, seconds) in [(json!(60), 60), (json!("60"), 60), (json!(60.9), 60)] {
        let shop = Shop::new();
        shop.idp.tokens(move |answer| answer["expires_in"] = life.clone());
        let mut guest = shop.guest();
        shop.script.advance(seconds - 1);
        assert_eq!(guest.get("/").service("authorization").len(), 1);
        shop.script.advance(1);
        assert_eq!(guest.get("/").service("authorization").len(), 0);
    }
}

/// S25: a browser that loses its session each time is told why, not sent round; and after a while it may try again.
#[test]
fn a_login_loop_is_broken_and_named() {
    let shop = Shop::new();
    let mut browser = shop.browser();
    let lose = |browser: &mut Browser<'_>| browser.jar.0.retain(|cookie| cookie.name.contains("-login."));
    for _ in 0..3 {
        browser.open("/").assert_served_to("alice");
        lose(&mut browser);
    }
    let answer = browser.open("/");
    assert_eq!((answer.reason(), answer.status()), (Some(LoginLoop), 400));
    assert!(answer.body().contains("accepts cookies"));
    shop.script.advance(61);
    browser.open("/").assert_served_to("alice");
}

/// S26: over plain HTTP the browser keeps none of our cookies: a page that says so, no circle.
#[test]
fn over_plain_http_a_login_ends_with_a_page() {
    let shop = Shop::new();
    let mut browser = shop.browser();
    let answer = browser.follow(get("/").over_http());
    assert_eq!(answer.reason(), Some(LoginUnknown));
    assert_eq!(browser.steps, [Some(LoginStarted)]);
}

/// W09: the clock goes back by an hour.
#[test]
fn a_clock_that_goes_back_neither_ends_nor_lengthens_a_session() {
    let shop = Shop::new();
    let mut guest = shop.guest();
    shop.script.turn_back(3600);
    guest.get("/").assert_served_to("alice");
    shop.script.advance(3600 + 899);
    guest.get("/").assert_served_to("alice");
    shop.script.advance(900);
    assert_eq!(guest.get("/").reason(), Some(LoginStarted));
}

/// S16 (CVE-2021-32791), as far as a seeded host can show it: no two seals begin alike.
#[test]
fn no_two_seals_have_the_same_nonce() {
    let shop = Shop::new();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..50 {
        let browser = shop.guest();
        for cookie in &browser.jar.0 {
            assert!(seen.insert(cookie.value.chars().take(40).collect::<String>()), "{}", cookie.name);
        }
    }
}
