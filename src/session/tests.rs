//! Sessions and logins as a browser sees them.

use super::content::tests::content;
use super::login::{Beginning, Found, Looping, Return};
use super::*;
use crate::http::cookie::SameSite;
use crate::words::Secret;
use crate::world::script::Script;
use std::time::Duration;

pub fn settings() -> config::Session {
    config::Session {
        secrets: vec![Secret::new([1; 32])],
        cookie: config::CookieSettings {
            name: "__Host-oidc".to_owned(),
            same_site: SameSite::Lax,
            domain: None,
            path: "/".to_owned(),
        },
        lives: config::Lives { idle: Duration::from_secs(900), absolute: Duration::from_secs(3600) },
        remember: None,
        touch: Duration::from_secs(60),
        partition: "default".to_owned(),
        bind: Vec::new(),
        headers: config::SessionHeaders::default(),
        budget: 12_288,
        keep_claims: Vec::new(),
        refresh: config::Refresh {
            is_on: true,
            before: Duration::from_secs(60),
            jitter: Duration::from_secs(20),
            grace: Duration::from_secs(30),
            assumed_lifetime: Duration::from_secs(300),
            backoff: Duration::from_secs(5),
        },
        accept_older_sessions: true,
    }
}

fn sessions_of(settings: config::Session, issuer: &str, redirect_uri: &str) -> Sessions {
    let kept = Kept {
        all: false,
        needed: vec![ClaimPath::new(vec!["groups".to_owned()]).unwrap()],
        wished: vec![ClaimPath::new(vec!["email".to_owned()]).unwrap()],
    };
    let redirect_uri = Url::parse(redirect_uri).unwrap();
    let partition = settings.partition.clone();
    Sessions::new(
        &Rc::new(settings),
        &Owner { issuer, client_id: "shop", redirect_uri: &redirect_uri, partition: &partition },
        kept,
        &OpenedSessions::default(),
    )
}

fn sessions() -> Sessions {
    sessions_of(settings(), "https://idp.example.com", "https://shop.example.com/cb")
}

/// What a browser keeps of `set-cookie` values.
fn jar(mut kept: Vec<(String, String)>, set: &[String]) -> Vec<(String, String)> {
    for line in set {
        let (name, rest) = line.split_once('=').unwrap();
        kept.retain(|(known, _)| known != name);
        if !line.contains("Max-Age=0") {
            kept.push((name.to_owned(), rest.split(';').next().unwrap().to_owned()));
        }
    }
    kept
}

fn headers(jar: &[(String, String)]) -> Headers {
    Headers::from_pairs(jar.iter().map(|(name, value)| ("cookie", format!("{name}={value}"))))
}

fn logged_in(sessions: &Sessions, world: &World) -> Vec<(String, String)> {
    jar(Vec::new(), &sessions.set(world, &content(), &Headers::default()).unwrap())
}

#[test]
fn a_session_comes_back_from_its_cookies_and_then_from_the_cache() {
    let (script, sessions) = (Script::new(), sessions());
    let cookies = headers(&logged_in(&sessions, &script.world()));
    for _ in 0..3 {
        let opened = sessions.open(&script.world(), &cookies).unwrap();
        opened.count(&script.world());
        assert_eq!(&*opened.content.subject, "alice");
    }
    assert_eq!((script.counted(Metric::SessionsOpened), script.counted(Metric::SessionsCached)), (1, 2));
}

// S02, S04: another host, another provider, another partition, another secret.
#[test]
fn a_session_opens_where_it_belongs_and_nowhere_else() {
    let script = Script::new();
    let cookies = logged_in(&sessions(), &script.world());
    let elsewhere = [
        sessions_of(settings(), "https://idp.example.com/", "https://shop.example.com/cb"),
        sessions_of(settings(), "https://idp.example.com", "https://pay.example.com/cb"),
        sessions_of(
            config::Session { partition: "other".to_owned(), ..settings() },
            "https://idp.example.com",
            "https://shop.example.com/cb",
        ),
        sessions_of(
            config::Session { secrets: vec![Secret::new([2; 32])], ..settings() },
            "https://idp.example.com",
            "https://shop.example.com/cb",
        ),
    ];
    for other in elsewhere {
        let rename = |name: &str| name.replace(&*sessions().names.session, &other.names.session);
        let renamed: Vec<_> = cookies.iter().map(|(name, value)| (rename(name), value.clone())).collect();
        assert!(other.open(&script.world(), &headers(&renamed)).is_none());
    }
    assert!(sessions().open(&script.world(), &headers(&cookies)).is_some());
}

// S11: over the budget the ID token goes first, then claims that no rule reads, then the login.
#[test]
fn a_session_keeps_within_its_budget_in_the_stated_order() {
    let script = Script::new();
    let sessions = sessions_of(
        config::Session { budget: 4_096, ..settings() },
        "https://idp.example.com",
        "https://shop.example.com/cb",
    );
    let large = |bytes: usize| Some(Secret::new("x".repeat(bytes)));
    let kept = |content: &Content| {
        let set = sessions.set(&script.world(), content, &Headers::default())?;
        Ok::<_, Refusal>(sessions.open(&script.world(), &headers(&jar(Vec::new(), &set))).unwrap().content.clone())
    };
    let all = kept(&Content { id_token: large(1_000).map(Rc::new), ..content() }).unwrap();
    assert!(all.id_token.is_some() && all.claims.contains_key("email"));
    assert_eq!(script.counted(Metric::SessionsCut), 0);
    let cut = kept(&Content { id_token: large(3_000).map(Rc::new), ..content() }).unwrap();
    assert!(cut.id_token.is_none() && cut.claims.contains_key("email"));
    let mut claims = (*content().claims).clone();
    claims.insert("email".to_owned(), "x".repeat(3_000).into());
    let cut = kept(&Content { id_token: large(9).map(Rc::new), claims: Rc::new(claims), ..content() }).unwrap();
    assert!(cut.id_token.is_none() && !cut.claims.contains_key("email") && cut.claims.contains_key("groups"));
    assert_eq!(script.counted(Metric::SessionsCut), 2);
    let refused = kept(&Content { refresh_token: large(4_000), ..content() });
    assert_eq!(refused.err().map(|refusal| refusal.reason), Some(Reason::SessionTooLarge));
}

#[test]
fn a_shorter_session_leaves_no_cookie_of_the_longer_one_behind() {
    let (script, sessions) = (Script::new(), sessions());
    let long = Content { refresh_token: Some(Secret::new("x".repeat(8_000))), ..content() };
    let before = jar(Vec::new(), &sessions.set(&script.world(), &long, &Headers::default()).unwrap());
    assert_eq!(before.len(), 3);
    let after = jar(before.clone(), &sessions.set(&script.world(), &content(), &headers(&before)).unwrap());
    assert_eq!(after.len(), 1);
    assert!(jar(before.clone(), &sessions.end(&headers(&before))).is_empty());
}

// S06, Q2: two sessions in one request belong to nobody; two states of one session are that session.
#[test]
fn two_sessions_under_one_name_are_none() {
    let (script, sessions) = (Script::new(), sessions());
    let mine = logged_in(&sessions, &script.world());
    let other = Content { sid: [8; 16], ..content() };
    let theirs = jar(Vec::new(), &sessions.set(&script.world(), &other, &Headers::default()).unwrap());
    assert!(sessions.open(&script.world(), &headers(&[mine.clone(), theirs].concat())).is_none());
    let later = Content { touched: UnixTime::from_secs(1_200), ..content() };
    let later = jar(Vec::new(), &sessions.set(&script.world(), &later, &Headers::default()).unwrap());
    let opened = sessions.open(&script.world(), &headers(&[later, mine].concat())).unwrap();
    assert_eq!(opened.content.touched.as_secs(), 1_200);
}

fn begin(
    sessions: &Sessions,
    script: &Script,
    jar: &[(String, String)],
) -> Result<(super::login::Login, Vec<String>), Looping> {
    let beginning = Beginning { rule: "shop", target: "/cart?x=1", by: Return::Navigation, round: 0, remember: false };
    sessions.begin_login(&script.world(), &headers(jar), &beginning)
}

// C03: two tabs, two logins, each its own.
#[test]
fn logins_of_two_tabs_do_not_disturb_each_other() {
    let (script, sessions) = (Script::new(), sessions());
    let (one, set) = begin(&sessions, &script, &[]).unwrap();
    let cookies = jar(Vec::new(), &set);
    let (two, set) = begin(&sessions, &script, &cookies).unwrap();
    let cookies = headers(&jar(cookies, &set));
    for login in [&one, &two] {
        assert_eq!(
            sessions.find_login(script.world().now(), &cookies, &login.state),
            Found::Waiting(Box::new(login.clone()))
        );
    }
    assert_ne!(one.nonce, one.state);
}

// C04: one character changed, cut, another case.
#[test]
fn only_the_very_state_finds_its_login() {
    let (script, sessions) = (Script::new(), sessions());
    let (login, set) = begin(&sessions, &script, &[]).unwrap();
    let cookies = headers(&jar(Vec::new(), &set));
    let find = |state: &str| sessions.find_login(script.world().now(), &cookies, state);
    for at in 0..login.state.len() {
        let mut bent = login.state.clone();
        let other = if bent.as_bytes()[at] == b'A' { "B" } else { "A" };
        bent.replace_range(at..=at, other);
        assert_eq!(find(&bent), Found::Unknown, "character {at}");
        assert_eq!(find(&login.state[..at]), Found::Unknown, "cut at {at}");
    }
    assert_eq!(find(&format!("{}A", login.state)), Found::Unknown);
    assert_eq!(sessions.find_login(script.world().now(), &Headers::default(), &login.state), Found::Unknown);
    assert!(matches!(find(&login.state), Found::Waiting(_)));
}

// C05, C07.
#[test]
fn a_login_expires_and_is_remembered_for_a_while_when_done() {
    let (script, sessions) = (Script::new(), sessions());
    let (login, set) = begin(&sessions, &script, &[]).unwrap();
    let waiting = headers(&jar(Vec::new(), &set));
    let start = script.world().now();
    let at = |seconds, cookies| sessions.find_login(start.plus(Duration::from_secs(seconds)), cookies, &login.state);
    assert!(matches!(at(599, &waiting), Found::Waiting(_)));
    assert!(matches!(at(600, &waiting), Found::Expired(_)));
    let done = sessions.login_done(&script.world(), &login, Return::Navigation).unwrap();
    let done = headers(&jar(Vec::new(), &[done]));
    let Found::Done(remembered) = at(119, &done) else { panic!("it is forgotten") };
    assert_eq!((remembered.verifier.as_str(), remembered.target.as_str()), ("", "/cart?x=1"));
    assert!(matches!(at(120, &done), Found::Expired(_)));
}

// C27 (envoyproxy/gateway#9820): twenty tabs leave six cookies, and the newest login is among them.
#[test]
fn twenty_tabs_leave_a_handful_of_cookies() {
    let (script, sessions) = (Script::new(), sessions());
    let mut cookies = Vec::new();
    let mut last = None;
    for _ in 0..20 {
        script.advance(1);
        let (login, set) = begin(&sessions, &script, &cookies).unwrap();
        cookies = jar(cookies, &set);
        last = Some(login);
    }
    assert_eq!(cookies.len(), 6);
    let last = last.unwrap();
    assert!(matches!(sessions.find_login(script.world().now(), &headers(&cookies), &last.state), Found::Waiting(_)));
}

// S25: a browser that loses the session again and again is told, not sent round.
#[test]
fn three_logins_done_within_a_minute_break_the_loop() {
    let (script, sessions) = (Script::new(), sessions());
    let mut cookies = Vec::new();
    for _ in 0..3 {
        let (login, set) = begin(&sessions, &script, &cookies).unwrap();
        cookies = jar(cookies, &set);
        cookies = jar(cookies, &[sessions.login_done(&script.world(), &login, Return::Navigation).unwrap()]);
    }
    assert_eq!(begin(&sessions, &script, &cookies).err(), Some(Looping));
    script.advance(61);
    assert!(begin(&sessions, &script, &cookies).is_ok());
}

// O05.
#[test]
fn a_long_return_path_is_cut() {
    let (script, sessions) = (Script::new(), sessions());
    for (target, kept) in [
        (format!("/p?{}", "q".repeat(8_000)), "/p".to_owned()),
        (format!("/{}", "p".repeat(8_000)), "/".to_owned()),
        (format!("/{}", "p".repeat(1_000)), format!("/{}", "p".repeat(1_000))),
    ] {
        let beginning = Beginning { rule: "shop", target: &target, by: Return::Navigation, round: 0, remember: false };
        let (login, set) = sessions.begin_login(&script.world(), &Headers::default(), &beginning).unwrap();
        assert_eq!(login.target, kept);
        assert!(set.iter().all(|line| line.len() < 4_096));
    }
}

// B4: a POST from the provider's page brings only such a cookie along.
#[test]
fn a_foreign_post_needs_a_cookie_without_same_site() {
    let (script, sessions) = (Script::new(), sessions());
    let beginning = Beginning { rule: "shop", target: "/", by: Return::ForeignPost, round: 0, remember: false };
    let (_, set) = sessions.begin_login(&script.world(), &Headers::default(), &beginning).unwrap();
    assert!(set[0].contains("; Secure; SameSite=None"), "{}", set[0]);
    let (_, set) = begin(&sessions, &script, &[]).unwrap();
    assert!(set[0].contains("; HttpOnly; Secure; SameSite=Lax"), "{}", set[0]);
}

/// Cookies of each format that was ever sealed, by when it came, with what a filter that did not know better left out.
const FORMATS: [(&str, &str, bool); 2] = [
    (
        "0.1, first",
        "116LbfkgkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCdGOnlRD4vlHMQyW5sBf4hQzIaVZtvd4OpqicUmZ7gLocezx1Pihv8WVFnEj3RZ7dAPYIuHrs-\
         JXEfrlqRFC-9xdUeFVF6kaAVz1xWwJ5Te11Tv4-PqMeTi38iBUJfsQDIf9QKB0lMVOz1hdkmV3IovkbQCBmBikELxivgwj9ym29vnq32ohIKQ44n\
         FGpd4GSi_l281PQv_-PXXuQwY",
        false,
    ),
    (
        "0.1, with the login's origin and the token's birth",
        "116LbfkgkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCdGOnlRD4vlHMQyW5sBf4hQzIaVZtvd4OpqicUmZ7gLocezx1Pihv8WVFnEj3R\
         Z7dAPYIuHrs-JXEfrlqRFC-9xdUeFVF6kaAVz1xWwJ5Te11Tv4-PqMeTi38iBUJfsQDIf9QKB0lMVOz1hdkmV3IovkbQCBmBikEL\
         xivgwj9ym29vnq32ohIKQ44nFGpdUdbGeGkNPEz7nBHxUM5D0nevrN0eC_5J50XyLQD8cs7etvqsvLANcOoZJyMzOI",
        true,
    ),
];

/// What was sealed before an upgrade opens after it.
#[test]
fn a_cookie_of_each_format_opens() {
    for (format, value, has_origin) in FORMATS {
        let this = sessions();
        let request = Headers::from_pairs([("cookie", format!("{}={value}", this.names.session))]);
        let opened = this.open(&Script::new().world(), &request).unwrap_or_else(|| panic!("{format} does not open"));
        let (found, written) = (&opened.content, content());
        assert_eq!((found.sid, &found.subject, &found.claims), (written.sid, &written.subject, &written.claims));
        assert_eq!(found.refresh_token, written.refresh_token);
        let origin = if has_origin { written.origin } else { Origin::default() };
        assert_eq!((&found.origin, found.remembered), (&origin, has_origin), "{format}");
    }
}
