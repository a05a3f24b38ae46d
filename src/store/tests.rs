//! The store over a scripted Redis, with several hosts on it.

use super::scripted::Redis;
use super::*;
use crate::config::OnLoss;
use crate::words::Reason;
use crate::world::script::Script;
use crate::world::{CallError, Endpoint, Metric, ProviderResponse};
use std::cell::RefCell;

fn settings() -> config::Store {
    config::Store {
        cluster: "webdis".to_owned(),
        authority: "webdis".to_owned(),
        path: "/".to_owned(),
        prefix: "oidc:".to_owned(),
        timeout: Duration::from_millis(200),
        on_loss: OnLoss::Deny,
        headers: vec![("authorization".to_owned(), Secret::new("Basic eA=="))],
    }
}

/// One host on a Redis that others may use as well.
struct Side {
    script: Script,
    host: Rc<dyn Host>,
    store: Rc<Store>,
    heard: Rc<Heard>,
    journal: Rc<Journal>,
}

#[derive(Default)]
struct Heard(RefCell<Vec<(usize, u8)>>);

impl Sink for Heard {
    fn take_in(&self, _: &dyn Host, list: usize, news: Vec<Vec<u8>>) {
        self.0.borrow_mut().extend(news.iter().map(|plain| (list, plain[0])));
    }
}

impl Side {
    fn on(redis: &Redis) -> Self {
        Self::with(redis, settings(), 5000)
    }

    fn with(redis: &Redis, settings: config::Store, entries: usize) -> Self {
        let (script, redis) = (Script::new(), redis.clone());
        let clock = script.clone();
        script.answer(move |request| redis.answer(clock.now_millis(), request));
        let store = Rc::new(Store::new(&settings, &[Secret::new([7; 32])]));
        let journal = Rc::new(Journal::new(&store, [entries, 8], Duration::from_secs(3600)));
        // What hosts draw by chance is not the same.
        script.fill_random(&mut [0; 32][..usize::from(redis_number())]);
        Self { host: Rc::new(script.clone()), script, store, heard: Rc::default(), journal }
    }

    fn sink(&self) -> Rc<dyn Sink> {
        Rc::clone(&self.heard) as _
    }

    fn is_fresh(&self) -> bool {
        self.journal.is_fresh(&self.host, &self.sink())
    }

    fn catches_up(&self) -> Result<(), crate::words::Refusal> {
        self.script.run(self.journal.catch_up(&self.host, &self.sink())).unwrap()
    }

    fn revokes(&self, mark: u8) -> Result<(), Lost> {
        self.script.run(self.journal.append(&*self.host, 0, &[mark])).unwrap()
    }

    /// The marks that it heard of since it was asked last.
    fn heard(&self) -> Vec<u8> {
        self.heard.0.take().iter().filter(|(list, _)| *list == 0).map(|(_, mark)| *mark).collect()
    }
}

/// Another number for each host of a test.
fn redis_number() -> u8 {
    thread_local!(static NUMBER: std::cell::Cell<u8> = const { std::cell::Cell::new(0) });
    NUMBER.with(|number| number.replace((number.get() + 1) % 32))
}

async fn entry(store: &Store, host: &dyn Host, key: &Key) -> Result<Option<Vec<u8>>, Lost> {
    Ok(store.get_all(host, std::slice::from_ref(key)).await?.pop().flatten())
}

const LIFE: Duration = Duration::from_secs(60);

#[test]
fn what_one_host_keeps_another_finds_until_it_ends() {
    let redis = Redis::default();
    let (one, two) = (Side::on(&redis), Side::on(&redis));
    let key = one.store.key(Kind::Answer, &[b"a/b%2f../\r\n", b"c"]);
    let get = |side: &Side| side.script.run(entry(&side.store, &*side.host, &key)).unwrap();
    assert_eq!(get(&two), Ok(None));
    one.script.run(one.store.set(&*one.host, &key, b"plain", LIFE, Place::Any)).unwrap().unwrap();
    assert_eq!((get(&one), get(&two)), (Ok(Some(b"plain".to_vec())), Ok(Some(b"plain".to_vec()))));
    two.script.advance(61);
    assert_eq!(get(&two), Ok(None));
    let call = &one.script.asked()[0];
    assert_eq!((call.method, call.path.as_str(), call.endpoint), ("POST", "/", Endpoint::Store));
    assert!(call.headers.contains(&("authorization".to_owned(), Secret::new("Basic eA=="))));
}

#[test]
fn what_is_written_kept_and_deleted_says_what_was_there() {
    let side = Side::on(&Redis::default());
    let (store, host, key) = (&side.store, &*side.host, side.store.key(Kind::Session, &[b"x"]));
    let set = |plain: &[u8], place| side.script.run(store.set(host, &key, plain, LIFE, place)).unwrap();
    let left = || (side.script.run(store.left(host, &key)).unwrap().unwrap() + 999) / 1000;
    let keep = |life| side.script.run(store.keep(host, &key, life)).unwrap();
    assert_eq!((set(b"0", Place::Taken), left()), (Ok(false), 0));
    assert_eq!((set(b"1", Place::Free), set(b"2", Place::Free)), (Ok(true), Ok(false)));
    assert_eq!(side.script.run(entry(store, host, &key)).unwrap(), Ok(Some(b"1".to_vec())));
    assert_eq!((set(b"3", Place::Taken), left()), (Ok(true), 60));
    assert_eq!((keep(LIFE * 2), left()), (Ok(1), 120));
    let keys = [key.part("other"), key.clone()];
    let both = [None, Some(b"3".to_vec())];
    assert_eq!(side.script.run(store.get_all(host, &keys)).unwrap(), Ok(both.to_vec()));
    assert_eq!(side.script.run(store.delete(host, &keys)).unwrap(), Ok(1));
    assert_eq!((keep(LIFE), left()), (Ok(0), 0));
    assert_eq!(set(&[0; LARGEST], Place::Any), Ok(true));
    assert!(set(&[0; LARGEST + 1], Place::Any).is_err());
}

/// W12: whatever a name is made of, Redis sees the prefix, a letter and a hash.
#[test]
fn names_are_hashed() {
    let store = Side::on(&Redis::default()).store;
    for name in ["alice", "a/b", "../..", "a%2fb", "a\r\nFLUSHALL", "a.raw", ""] {
        let key = store.key(Kind::Answer, &[name.as_bytes()]);
        let hash = key.0.strip_prefix("oidc:a:").unwrap();
        assert_eq!(hash.len(), 43);
        assert!(hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{name:?}");
    }
    assert_ne!(store.key(Kind::Answer, &[b"a"]), store.key(Kind::Session, &[b"a"]));
}

/// W11: one failure is one failure; after three in a row it is not asked for half a second, and then once more.
#[test]
fn a_store_that_is_down_is_left_alone_for_a_while() {
    let redis = Redis::default();
    let side = Side::on(&redis);
    let key = side.store.key(Kind::Answer, &[b"x"]);
    let get = || side.script.run(entry(&side.store, &*side.host, &key)).unwrap();
    redis.fails(Some(Err(CallError::NoAnswer)));
    (0..10).for_each(|_| assert!(get().is_err()));
    assert_eq!(side.script.asked().len(), 3);
    assert_eq!(side.script.counted(Metric::CallsFailed(Endpoint::Store)), 3);
    assert_eq!(side.script.lines().len(), 1, "one line, not one for each request");
    redis.fails(None);
    assert!(get().is_err());
    side.script.advance(1);
    assert_eq!((get(), get()), (Ok(None), Ok(None)));
    redis.fails(Some(Ok(ProviderResponse { status: 503, ..ProviderResponse::default() })));
    assert!(get().is_err());
    redis.fails(None);
    assert_eq!(get(), Ok(None));
    // W09: a clock that went back does not keep it away.
    redis.fails(Some(Err(CallError::NoAnswer)));
    (0..3).for_each(|_| assert!(get().is_err()));
    redis.fails(None);
    side.script.turn_back(3600);
    assert_eq!(get(), Ok(None));
}

/// What one host revokes the others know before they decide anything that is half a second younger.
#[test]
fn what_one_host_revokes_all_others_hear_of() {
    let redis = Redis::default();
    let (one, two) = (Side::on(&redis), Side::on(&redis));
    assert!(!two.is_fresh(), "nobody decides before the journal was read");
    two.catches_up().unwrap();
    assert!(two.is_fresh());
    one.revokes(1).unwrap();
    one.revokes(2).unwrap();
    two.script.advance(1);
    assert!(!two.is_fresh());
    two.catches_up().unwrap();
    assert_eq!(two.heard(), [1, 2]);
    two.script.advance(1);
    two.catches_up().unwrap();
    assert!(two.heard().is_empty(), "nothing is new");
    one.revokes(3).unwrap();
    two.script.advance(1);
    two.catches_up().unwrap();
    assert_eq!(two.heard().last(), Some(&3));
    // One that starts now hears of everything.
    let three = Side::on(&redis);
    three.catches_up().unwrap();
    assert_eq!(three.heard(), [1, 2, 3]);
    // W09: after the clock went back nobody knows how late it is.
    three.script.turn_back(10);
    assert!(!three.is_fresh());
}

/// While requests come, the journal is read ahead: none of them waits.
#[test]
fn a_busy_worker_never_waits_and_asks_no_more_than_needed() {
    let redis = Redis::default();
    let (one, two) = (Side::on(&redis), Side::on(&redis));
    two.catches_up().unwrap();
    let began = two.script.now_millis();
    let mut late = None;
    for step in 0..1000 {
        assert!(two.is_fresh(), "step {step}");
        two.script.run(two.host.sleep(Duration::from_millis(5)));
        if step == 500 {
            one.revokes(9).unwrap();
        }
        if late.is_none() && !two.heard.0.borrow().is_empty() {
            late = Some(step - 500);
        }
    }
    assert!(late.is_some_and(|late| (0..=60).contains(&late)), "{late:?} steps of 5 ms");
    let took = two.script.now_millis() - began;
    let asked = u64::try_from(two.script.asked().len()).unwrap();
    assert!(asked <= 2 * (took / 250 + 3), "{asked} calls in {took} ms");
}

#[test]
fn a_long_journal_is_read_whole_and_kept_within_its_bound() {
    let redis = Redis::default();
    let one = Side::with(&redis, settings(), 3000);
    for number in 0..3500_u32 {
        one.revokes(u8::try_from(number % 251).unwrap()).unwrap();
    }
    let two = Side::with(&redis, settings(), 3000);
    two.catches_up().unwrap();
    let expected: Vec<u8> = (500..3500_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
    assert_eq!(two.heard(), expected);
    assert_eq!(two.script.asked().len(), 5, "four pages, and a look at the other list");
}

/// W11 for the journal: with `deny` nobody passes who cannot know, with `local` what is known here holds.
#[test]
fn a_journal_that_cannot_be_read_closes_the_door_or_leaves_what_is_known() {
    let redis = Redis::default();
    let deny = Side::on(&redis);
    let local = Side::with(&redis, config::Store { on_loss: OnLoss::Local, ..settings() }, 100);
    redis.fails(Some(Err(CallError::NoAnswer)));
    assert_eq!(deny.catches_up().unwrap_err().reason, Reason::StoreUnavailable);
    assert!(local.catches_up().is_ok());
    // Who revokes is told in either case that not everybody may know.
    assert!(deny.revokes(1).is_err());
    assert!(local.revokes(1).is_err());
    redis.fails(None);
    for side in [&deny, &local] {
        side.script.advance(1);
        assert!(side.catches_up().is_ok());
        assert!(side.is_fresh());
    }
}

/// Entries of another key ring, and what somebody else put there, are passed over.
#[test]
fn strange_entries_harm_nothing() {
    let redis = Redis::default();
    let one = Side::on(&redis);
    let stranger = Rc::new(Store::new(&settings(), &[Secret::new([8; 32])]));
    let strange = Journal::new(&stranger, [100, 8], LIFE);
    one.revokes(1).unwrap();
    one.script.run(strange.append(&*one.host, 0, &[66])).unwrap().unwrap();
    one.revokes(2).unwrap();
    let two = Side::on(&redis);
    two.catches_up().unwrap();
    assert_eq!(two.heard(), [1, 2]);
}

/// L13: what strangers may revoke pushes out nothing else: it has a list of its own.
#[test]
fn each_list_has_its_own_bound() {
    let redis = Redis::default();
    let one = Side::on(&redis);
    one.revokes(1).unwrap();
    for number in 0..20 {
        one.script.run(one.journal.append(&*one.host, 1, &[number])).unwrap().unwrap();
    }
    let two = Side::on(&redis);
    two.catches_up().unwrap();
    let expected: Vec<(usize, u8)> = [(0, 1)].into_iter().chain((12..20).map(|number| (1, number))).collect();
    assert_eq!(two.heard.0.take(), expected);
}
