//! The browser comes back with something else than an answer to its login (attacks C01 to C17, C22 to C28).
//!
//! Each test ends with the same browser's login that goes well, or says why not: the twin of what was refused.

use crate::support::*;
use Reason::*;

/// A callback that was refused: nobody asked the provider for tokens, no session came of it, and the same browser can log
/// in after all.
fn refused(shop: &Shop, browser: &mut Browser<'_>, request: &Req, reason: Reason) {
    let before = shop.calls(Endpoint::Token);
    let answer = browser.send(request);
    assert_eq!(answer.reason(), Some(reason), "{}", request.path);
    assert!((400..500).contains(&answer.status()));
    assert_eq!(shop.calls(Endpoint::Token), before, "F0: the code is not used");
    assert_eq!(browser.session_cookies(), [""; 0]);
}

fn at(query: &str) -> Req {
    get(&format!("{CALLBACK}?{query}"))
}

/// C01 (CVE-2023-27496): every subset of the parameters, each also empty.
#[test]
fn only_a_code_with_its_state_and_iss_is_an_answer() {
    let shop = Shop::new();
    for subset in 0..64_u32 {
        let mut browser = shop.browser();
        let good = browser.until_callback("/cart");
        let fields: Vec<(String, String)> =
            oidc_proxy_wasm::http::form::parse(good.path.split_once('?').unwrap().1).unwrap();
        let value = |name: &str| fields.iter().find(|(known, _)| known == name).unwrap().1.clone();
        let (has, empty) = (|bit: u32| subset & (1 << bit) != 0, subset & 32 != 0);
        let mut params = Vec::new();
        for (bit, name) in ["code", "state", "iss"].into_iter().enumerate() {
            match has(bit as u32) {
                true => params.push((name, value(name))),
                false if empty => params.push((name, String::new())),
                false => {}
            }
        }
        if has(3) {
            params.push(("error", "access_denied".to_owned()));
        }
        if has(4) {
            params.push(("session_state", "x".to_owned()));
        }
        let query = oidc_proxy_wasm::http::form::write(params.iter().map(|(name, value)| (*name, value.as_str())));
        let (code, state, iss, error) = (has(0), has(1), has(2), has(3));
        let reason = match (state, iss) {
            (false, _) => CallbackMalformed,
            (true, false) => CallbackIssuerMismatch,
            (true, true) if code && !error => LoginDone,
            (true, true) if error && !code => LoginRefused,
            (true, true) => CallbackMalformed,
        };
        if reason == LoginDone {
            assert_eq!(browser.send(&at(&query)).reason(), Some(LoginDone), "{query}");
        } else {
            refused(&shop, &mut browser, &at(&query), reason);
        }
    }
}

/// C01: each parameter that has a say, twice.
#[test]
fn a_parameter_twice_is_no_answer() {
    let shop = Shop::new();
    for name in ["code", "state", "iss", "error"] {
        let mut browser = shop.browser();
        let good = browser.until_callback("/");
        let twice = get(&format!("{}&{name}=x&{name}=y", good.path));
        refused(&shop, &mut browser, &twice, CallbackMalformed);
        // Unknown ones may come as often as they like.
        let harmless = get(&format!("{}&x{name}=x&x{name}=y", good.path));
        assert_eq!(browser.send(&harmless).reason(), Some(LoginDone));
    }
}

/// C02 (CVE-2026-81888, CVE-2026-66884): a good-looking state that this browser did not begin with.
#[test]
fn a_callback_without_its_cookie_asks_nothing_of_the_provider() {
    let shop = Shop::new();
    let mut browser = shop.browser();
    let good = browser.until_callback("/");
    let mut other = shop.browser();
    refused(&shop, &mut other, &good, LoginUnknown);
    other.until_callback("/");
    refused(&shop, &mut other, &good, LoginUnknown);
    assert_eq!(browser.send(&good).reason(), Some(LoginDone));
}

/// C04.
#[test]
fn a_bent_state_is_unknown() {
    let shop = Shop::new();
    let mut browser = shop.browser();
    let good = browser.until_callback("/");
    let state = shop.idp.asked()[0]["state"].clone();
    let first = if state.starts_with('A') { "B" } else { "A" };
    let flipped = format!("{first}{}", &state[1..]);
    let last = if state.ends_with('A') { "B" } else { "A" };
    for bent in [
        flipped,
        format!("{}{last}", &state[..state.len() - 1]),
        state[..state.len() - 1].to_owned(),
        state[..8].to_owned(),
        format!("{state}A"),
        state.to_lowercase(),
        "\u{e9}".repeat(16),
    ] {
        let encoded = oidc_proxy_wasm::http::form::encode(&bent);
        refused(&shop, &mut browser, &get(&good.path.replace(&state, &encoded)), LoginUnknown);
    }
    assert_eq!(browser.send(&good).reason(), Some(LoginDone));
}

/// C05: home, without a second exchange.
#[test]
fn a_callback_that_comes_again_goes_home() {
    let shop = Shop::new();
    let mut browser = shop.browser();
    let good = browser.until_callback("/cart");
    assert_eq!(browser.send(&good).reason(), Some(LoginDone));
    let again = browser.send(&good);
    assert_eq!((again.reason(), again.location()), (Some(LoginDoneBefore), Some(format!("{SHOP}/cart"))));
    assert_eq!(shop.calls(Endpoint::Token), 1);
    browser.get("/cart").assert_served_to("alice");
}

/// C06: at most one exchange more, and the provider refuses it.
#[test]
fn a_callback_with_its_cookie_put_back_gets_no_session() {
    let shop = Shop::new();
    let mut browser = shop.browser();
    let good = browser.until_callback("/");
    let mut restored = browser.clone();
    assert_eq!(browser.send(&good).reason(), Some(LoginDone));
    assert_eq!(restored.send(&good).reason(), Some(TokenRefused));
    assert_eq!(restored.session_cookies(), [""; 0]);
    assert_eq!(shop.calls(Endpoint::Token), 2);
    // Its login is over: the same again does not even ask.
    refused(&shop, &mut restored, &good, LoginUnknown);
}

/// C07: ten minutes.
#[test]
fn a_login_that_took_too_long_is_told_where_to_begin_again() {
    for (seconds, reason) in [(599, LoginDone), (600, LoginExpired)] {
        let shop = Shop::new();
        // The browser's cookie would be gone as well; an attacker's is not.
        let mut browser = shop.browser();
        let good = browser.until_callback("/cart");
        let cookie = browser.jar.field(shop.now(), &good).unwrap();
        shop.script.advance(seconds);
        let answer = shop.decide(&good.with("cookie", cookie));
        assert_eq!(answer.reason(), Some(reason));
        assert_eq!(answer.body().contains("href=\"https://shop.example.com/cart\""), reason == LoginExpired);
    }
}

/// C08 (RFC 9207 §2.4): byte for byte, in success and in error.
#[test]
fn iss_is_compared_before_anything_is_used() {
    let wrong = [
        "https://idp.example.com/",
        "https://IDP.example.com",
        "https://idp.example.com:443",
        "http://idp.example.com",
        "https://evil.example",
    ];
    let shop = Shop::new();
    for iss in wrong {
        for with in ["code", "error"] {
            let wrong_iss = iss.to_owned();
            shop.idp.response(move |params| {
                params[2].1.clone_from(&wrong_iss);
                with.clone_into(&mut params[0].0);
            });
            let mut browser = shop.browser();
            let callback = browser.until_callback("/");
            refused(&shop, &mut browser, &callback, CallbackIssuerMismatch);
        }
    }
    shop.idp.response(|params| drop(params.remove(2)));
    let mut browser = shop.browser();
    let callback = browser.until_callback("/");
    refused(&shop, &mut browser, &callback, CallbackIssuerMismatch);
    shop.idp.response(|_| {});
    shop.guest();
    // Where it is not announced, it may be absent; one that comes is compared all the same.
    let shop = Shop::new();
    shop.idp.metadata(|metadata| {
        metadata.as_object_mut().unwrap().remove("authorization_response_iss_parameter_supported");
    });
    shop.idp.response(|params| drop(params.remove(2)));
    shop.guest();
    shop.idp.response(|params| params[2].1.push('/'));
    let mut browser = shop.browser();
    let callback = browser.until_callback("/");
    refused(&shop, &mut browser, &callback, CallbackIssuerMismatch);
}

/// C10 (CVE-2019-1010247), C11: nothing of it on the page or, raw, in the log.
#[test]
fn what_the_provider_says_of_an_error_does_not_reach_the_page() {
    for description in
        ["<script>alert(1)</script>", "a\r\nset-cookie: x=1", "\u{202e}evil", &"x".repeat(20_000), "\0\u{7f}"]
    {
        let shop = Shop::new();
        let text = description.to_owned();
        shop.idp.response(move |params| {
            params[0] = ("error".to_owned(), "access_denied".to_owned());
            params.push(("error_description".to_owned(), text.clone()));
        });
        let answer = shop.browser().open("/");
        let reason = answer.reason();
        assert!(reason == Some(LoginRefused) || reason == Some(CallbackMalformed), "{reason:?}");
        assert!(!answer.body().contains("script") && !answer.body().contains("evil"));
        assert!(answer.body().len() < 8_000);
        assert!(shop.script.lines().iter().all(|line| line.len() < 1_000 && !line.contains(char::is_control)));
    }
}

/// C10 the same for the code itself, which is logged: cut and harmless.
#[test]
fn an_unknown_error_is_logged_cut_and_escaped() {
    for error in ["<script>\u{202e}", &"e".repeat(4_000)] {
        let shop = Shop::new();
        let text = error.to_owned();
        shop.idp.response(move |params| params[0] = ("error".to_owned(), text.clone()));
        let answer = shop.browser().open("/");
        assert_eq!(answer.reason(), Some(ProviderError));
        assert!(!answer.body().contains("script"));
        assert!(shop.script.lines().iter().all(|line| line.len() < 400 && !line.contains('\u{202e}')));
    }
}

/// C13: a code that is none.
#[test]
fn a_code_of_impossible_shape_is_no_code() {
    let shop = Shop::new();
    for code in ["%ff", "%zz", "%", "%00", &"c".repeat(65_536), ""] {
        let mut browser = shop.browser();
        let good = browser.until_callback("/");
        let rest = good.path.split_once('&').unwrap().1;
        refused(&shop, &mut browser, &at(&format!("code={code}&{rest}")), CallbackMalformed);
    }
}

/// C14: tokens in the front channel are not used.
#[test]
fn tokens_in_the_query_are_not_used() {
    let shop = Shop::new();
    shop.idp.response(|params| {
        params[0].0 = "id_token".to_owned();
        params.push(("access_token".to_owned(), "at-front".to_owned()));
    });
    let mut browser = shop.browser();
    let callback = browser.until_callback("/");
    refused(&shop, &mut browser, &callback, CallbackMalformed);
    shop.idp.response(|params| params.push(("access_token".to_owned(), "at-front".to_owned())));
    let page = shop.browser().open("/");
    assert!(!page.service("authorization")[0].contains("at-front"));
}

/// C15: what stands in the fragment never arrives; the log says so.
#[test]
fn a_callback_without_a_query_says_what_may_be_wrong() {
    let shop = Shop::new();
    let mut browser = shop.browser();
    browser.until_callback("/");
    refused(&shop, &mut browser, &get(CALLBACK), CallbackMalformed);
    assert!(shop.script.lines().iter().any(|line| line.contains("fragment")));
}

/// C16: exactly the path; everything else falls under its rule.
#[test]
fn only_the_very_path_is_the_callback() {
    for path in ["/oauth/callbackX", "/oauth/callback/", "/oauth/callback;x", "/oauth", "/OAuth/callback"] {
        let shop = Shop::new();
        let good = shop.browser().until_callback("/");
        let path = good.path.replace(CALLBACK, path);
        assert_eq!(shop.browser().get(&path).reason(), Some(LoginStarted), "{path}");
    }
    for path in ["//oauth/callback", "/./oauth/callback", "/oauth/%2e/callback", "/oauth\\callback"] {
        let shop = Shop::new();
        let good = shop.browser().until_callback("/");
        let path = good.path.replace(CALLBACK, path);
        assert_eq!(shop.browser().get(&path).reason(), Some(PathAmbiguous), "{path}");
    }
    // Another spelling of the same path is the same path.
    let shop = Shop::new();
    let mut browser = shop.browser();
    let good = browser.until_callback("/");
    assert_eq!(browser.get(&good.path.replace("/oauth/callback", "/%6fauth/callback")).reason(), Some(LoginDone));
}

/// C17.
#[test]
fn the_callback_is_on_its_own_host_alone() {
    let shop = Shop::with(|config| {
        let open = json!({ "name": "blog", "match": { "host": "blog.example.com" }, "allow": "anonymous" });
        config["rules"].as_array_mut().unwrap().push(open);
    });
    let mut browser = shop.browser();
    let good = browser.until_callback("/");
    let cookie = browser.jar.field(shop.now(), &good).unwrap();
    let elsewhere = good.clone().to("blog.example.com").with("cookie", &cookie);
    let answer = shop.decide(&elsewhere);
    assert_eq!(answer.reason(), None, "an ordinary path there");
    assert_eq!(answer.service("cookie"), [""; 0], "and our cookies do not go along");
    let unknown = good.clone().to("other.example.com").with("cookie", &cookie);
    assert_eq!(shop.decide(&unknown).reason(), Some(NoRule));
    assert_eq!(shop.calls(Endpoint::Token), 0);
    assert_eq!(browser.send(&good).reason(), Some(LoginDone));
}

/// C24 (RFC 9700 §4.5): somebody else's code in one's own login. PKCE and nonce each stop it.
#[test]
fn another_login_s_code_is_refused() {
    let shop = Shop::new();
    let victim = shop.browser().until_callback("/");
    let mut attacker = shop.browser();
    let own = attacker.until_callback("/");
    let code = |request: &Req| request.path.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned();
    let injected = own.path.replace(&code(&own), &code(&victim));
    assert_eq!(attacker.get(&injected).reason(), Some(TokenRefused));
    assert_eq!(attacker.session_cookies(), [""; 0]);
}

/// C25 (RFC 7636 §4.1).
#[test]
fn no_state_nonce_or_challenge_comes_twice() {
    let shop = Shop::new();
    for _ in 0..1_000 {
        shop.browser().until_callback("/");
    }
    for name in ["state", "nonce", "code_challenge"] {
        let mut values: Vec<String> = shop.idp.asked().iter().map(|params| params[name].clone()).collect();
        values.sort();
        values.dedup();
        assert_eq!(values.len(), 1_000, "{name}");
    }
}

/// C28: names of our cookies as parameters mean nothing.
#[test]
fn cookie_names_as_parameters_mean_nothing() {
    let shop = Shop::new();
    let name = shop.guest().session_cookies()[0].to_owned();
    let mut browser = shop.browser();
    let good = browser.until_callback("/cart");
    let answer = browser.get(&format!("{}&{name}=1a&{name}.1=x", good.path));
    assert_eq!((answer.reason(), answer.location()), (Some(LoginDone), Some(format!("{SHOP}/cart"))));
}
