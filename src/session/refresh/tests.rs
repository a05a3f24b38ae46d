//! Every order in which two workers can refresh one session, with a crash at every step, answers that come late, and a logout
//! in between. Each run plays the leader's own code over a table and a provider of the test; where the order matters, a run
//! takes the next way that none before it took.

use super::hosts::Hosts;
use super::leader::{Ending, Errand, Lead, Terms};
use super::protocol::{Key, Record, State, Step, ends_session, step};
use super::table::{Found, Table, millis};
use crate::config;
use crate::provider::token::NotRefreshed;
use crate::session::Content;
use crate::session::content::tests::content;
use crate::store::scripted::Redis;
use crate::store::{Lost, Store};
use crate::words::{Reason, Refusal, Secret, UnixTime};
use crate::world::script::Script;
use crate::world::{
    CallError, Hash, Host, HostCheck, LocalFuture, Metric, NotWritten, ProviderRequest, ProviderResponse, Version,
};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

const KEY: Key = [9; 16];
/// How often one host comes between two steps of the other, where each step has several of its own: more would take days.
const TURNS: usize = 3;
const CALL: Duration = Duration::from_secs(5);

/// Which way each run takes at each fork.
#[derive(Default)]
struct Ways {
    taken: RefCell<Vec<(usize, usize)>>,
    at: Cell<usize>,
}

impl Ways {
    /// One of `count` ways.
    fn choose(&self, count: usize) -> usize {
        let (mut taken, at) = (self.taken.borrow_mut(), self.at.get());
        self.at.set(at + 1);
        if at == taken.len() {
            taken.push((0, count));
        }
        assert_eq!(taken[at].1, count, "a run is not repeatable");
        taken[at].0
    }

    /// Turns to the next run; `false` when all were taken.
    fn next(&self) -> bool {
        self.at.set(0);
        let mut taken = self.taken.borrow_mut();
        while let Some((way, count)) = taken.pop() {
            if way + 1 < count {
                taken.push((way + 1, count));
                return true;
            }
        }
        false
    }
}

/// What both workers see.
struct Scene {
    script: Script,
    /// Where the workers meet, if they are of several hosts.
    redis: Option<Redis>,
    record: RefCell<Option<Record>>,
    version: Cell<u32>,
    /// How many steps were made: a poll that makes none waits.
    steps: Cell<usize>,
    /// How often the refresh token was shown, and how often the provider refused it.
    shown: Cell<u32>,
    refused: Cell<u32>,
    /// The provider is away for the first who asks.
    is_away: Cell<bool>,
    revoked: Cell<bool>,
    /// A leader has seen that the session is revoked.
    seen_revoked: Cell<bool>,
}

impl Scene {
    /// One step of whoever waits here.
    fn turn(self: &Rc<Self>) -> impl Future<Output = ()> + use<> {
        let (this, mut waited) = (Rc::clone(self), false);
        poll_fn(move |_| {
            this.steps.set(this.steps.get() + 1);
            if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
        })
    }
}

/// A host of its own, which takes a step for each call.
struct Stepping(Rc<Scene>);

impl Host for Stepping {
    fn now(&self) -> UnixTime {
        self.0.script.now()
    }

    fn now_millis(&self) -> u64 {
        self.0.script.now_millis()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.0.script.fill_random(bytes);
    }

    fn call(&self, request: ProviderRequest) -> LocalFuture<Result<ProviderResponse, CallError>> {
        let scene = Rc::clone(&self.0);
        Box::pin(async move {
            scene.turn().await;
            let redis = scene.redis.as_ref().ok_or(CallError::NoAnswer)?;
            redis.answer(scene.script.now_millis(), &request)
        })
    }

    fn sleep(&self, span: Duration) -> LocalFuture<()> {
        self.0.script.sleep(span)
    }

    fn spawn(&self, work: LocalFuture<()>) {
        self.0.script.spawn(work);
    }

    fn verify_signature(&self, _: Hash, _: &[u8], _: &[u8], _: &[u8]) -> HostCheck {
        HostCheck::Unable
    }

    fn shared(&self, _: &str) -> Option<(Vec<u8>, Version)> {
        None
    }

    fn share(&self, _: &str, _: &[u8], _: Version) -> Result<(), NotWritten> {
        Err(NotWritten)
    }

    fn count(&self, metric: Metric) {
        self.0.script.count(metric);
    }

    fn log(&self, level: log::Level, line: &str) {
        self.0.script.log(level, line);
    }
}

/// The table of a worker.
fn table(scene: &Rc<Scene>) -> Rc<dyn Table> {
    if scene.redis.is_none() {
        return Rc::new(Board(Rc::clone(scene)));
    }
    let settings = config::Store {
        cluster: "webdis".to_owned(),
        authority: "webdis".to_owned(),
        path: "/".to_owned(),
        prefix: "oidc:".to_owned(),
        timeout: Duration::from_millis(200),
        on_loss: config::OnLoss::Deny,
        headers: Vec::new(),
    };
    let ring = [Secret::new([1; 32])];
    Rc::new(Hosts::new(&Rc::new(Store::new(&settings, &ring)), &ring))
}

struct Board(Rc<Scene>);

impl Table for Board {
    fn read(&self, _: &Rc<dyn Host>, _: Key) -> LocalFuture<Result<Found, Lost>> {
        let scene = Rc::clone(&self.0);
        Box::pin(async move {
            scene.turn().await;
            let version = scene.version.get();
            Ok((scene.record.borrow().clone(), if version == 0 { Version::NEW } else { Version(version) }))
        })
    }

    fn swap(&self, _: &Rc<dyn Host>, _: Key, record: Record, read: Version) -> LocalFuture<Result<(), NotWritten>> {
        let scene = Rc::clone(&self.0);
        Box::pin(async move {
            scene.turn().await;
            let version = scene.version.get();
            if read != if version == 0 { Version::NEW } else { Version(version) } {
                return Err(NotWritten);
            }
            scene.version.set(version + 1);
            *scene.record.borrow_mut() = Some(record);
            Ok(())
        })
    }
}

/// A provider that rotates, and finds out about a second use.
struct Provider(Rc<Scene>);

impl Errand for Provider {
    type Tokens = ();

    async fn ask(&self) -> Result<(), NotRefreshed> {
        let scene = &self.0;
        scene.turn().await;
        if scene.is_away.replace(false) {
            scene.turn().await;
            return Err(NotRefreshed::Trouble(Reason::RefreshUnavailable.into()));
        }
        let shown = scene.shown.replace(scene.shown.get() + 1);
        // The answer travels.
        scene.turn().await;
        if shown > 0 {
            scene.refused.set(scene.refused.get() + 1);
            return Err(NotRefreshed::Over);
        }
        Ok(())
    }

    async fn judge(&self, (): ()) -> Result<Rc<Content>, Refusal> {
        self.0.turn().await;
        Ok(Rc::new(Content { generation: 4, ..content() }))
    }

    fn is_revoked(&self, _: &Content) -> bool {
        let revoked = self.0.revoked.get();
        self.0.seen_revoked.set(self.0.seen_revoked.get() || revoked);
        revoked
    }
}

/// How a request fared.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Renewed,
    Failed(Reason),
    Unavailable,
}

/// A request that comes to one worker with the old cookie, and waits.
async fn request(scene: Rc<Scene>) -> Fate {
    let (host, table): (Rc<dyn Host>, _) = (Rc::new(Stepping(Rc::clone(&scene))), table(&scene));
    let patience = millis(&*host) + 8_000;
    loop {
        let (record, version) = table.read(&host, KEY).await.unwrap();
        match step(record.as_ref(), millis(&*host)) {
            Step::Follow(bytes) => {
                assert_eq!(Content::read(&bytes).unwrap().generation, 4);
                return Fate::Renewed;
            }
            Step::Failed(reason) => return Fate::Failed(reason),
            Step::Wait => {}
            Step::Lead(attempt) => {
                let hour = Duration::from_secs(3600);
                let terms = Terms { call: CALL, backoff: CALL, done: hour, ended: hour };
                let (host, table, errand) = (Rc::clone(&host), Rc::clone(&table), Provider(Rc::clone(&scene)));
                let lead = Lead { host, table, key: KEY, attempt, version, terms, errand };
                match lead.run().await {
                    Ending::Done(_) => return Fate::Renewed,
                    Ending::Failed(reason) => return Fate::Failed(reason),
                    Ending::Elsewhere => {}
                }
            }
        }
        if millis(&*host) > patience {
            return Fate::Unavailable;
        }
        host.sleep(Duration::from_millis(25)).await;
    }
}

/// What may go wrong in a run, each at most once.
#[derive(Clone, Copy)]
struct Troubles {
    hosts: bool,
    crash: bool,
    late: bool,
    logout: bool,
    away: bool,
}

/// Plays one run. Says whether a crash, and whether a lapse of a lease, happened in it.
fn play(ways: &Ways, mut left: Troubles) -> bool {
    let scene = Rc::new(Scene {
        script: Script::new(),
        redis: left.hosts.then(Redis::default),
        record: RefCell::default(),
        version: Cell::new(0),
        steps: Cell::new(0),
        shown: Cell::new(0),
        refused: Cell::new(0),
        is_away: Cell::new(left.away),
        revoked: Cell::new(false),
        seen_revoked: Cell::new(false),
    });
    let mut workers: Vec<Option<LocalFuture<Fate>>> = vec![];
    for _ in 0..2 {
        workers.push(Some(Box::pin(request(Rc::clone(&scene)))));
    }
    let mut fates = Vec::new();
    let (mut crashed, mut lapsed) = (false, false);
    let mut context = Context::from_waker(Waker::noop());
    let mut waits = [false; 2];
    let (mut last, mut turns) = (0, if left.hosts { TURNS } else { usize::MAX });
    while workers.iter().any(Option::is_some) {
        // Whoever waits for time takes no step before some has passed.
        let mut ready: Vec<usize> = (0..2).filter(|at| workers[*at].is_some() && !waits[*at]).collect();
        if turns == 0 && ready.contains(&last) {
            ready = vec![last];
        }
        if ready.is_empty() {
            scene.script.advance(1);
            waits = [false; 2];
            continue;
        }
        let extras = [left.crash && workers[0].is_some(), left.late, left.logout];
        let way = ways.choose(ready.len() + extras.iter().filter(|extra| **extra).count());
        if let Some(at) = ready.get(way) {
            if ready.len() > 1 && *at != last {
                turns -= 1;
            }
            last = *at;
            let before = scene.steps.get();
            if let Poll::Ready(fate) = workers[*at].as_mut().unwrap().as_mut().poll(&mut context) {
                workers[*at] = None;
                fates.push(fate);
            } else {
                waits[*at] = scene.steps.get() == before;
            }
            continue;
        }
        let extra = extras.iter().enumerate().filter(|(_, extra)| **extra).nth(way - ready.len()).unwrap().0;
        match extra {
            0 => {
                (left.crash, crashed) = (false, true);
                workers[0] = None;
            }
            1 => {
                (left.late, lapsed) = (false, true);
                scene.script.advance(8);
                waits = [false; 2];
            }
            _ => {
                left.logout = false;
                scene.revoked.set(true);
            }
        }
    }
    judge(&scene, &fates, crashed, lapsed);
    crashed || lapsed
}

fn judge(scene: &Rc<Scene>, fates: &[Fate], crashed: bool, lapsed: bool) {
    let told = format!("{fates:?} crashed={crashed} lapsed={lapsed} shown={}", scene.shown.get());
    // Used once while the workers live and answers come in time; once more where a worker or an answer was lost.
    assert!(scene.shown.get() <= if crashed || lapsed { 2 } else { 1 }, "{told}");
    let provider_ended_it = scene.refused.get() > 0;
    for fate in fates {
        if let Fate::Failed(reason) = fate
            && ends_session(*reason)
        {
            assert!(provider_ended_it || scene.seen_revoked.get(), "a session is lost: {told}");
        }
        if !crashed && !lapsed && scene.shown.get() == 1 && !scene.seen_revoked.get() {
            let away = Fate::Failed(Reason::RefreshUnavailable);
            assert!([Fate::Renewed, away].contains(fate), "{told}");
        }
        assert!(*fate != Fate::Unavailable || crashed || lapsed, "{told}");
    }
    let host: Rc<dyn Host> = Rc::new(Stepping(Rc::clone(scene)));
    let (record, _) = scene.script.run(table(scene).read(&host, KEY)).unwrap().unwrap();
    if let Some(Record { state: State::Done { .. }, .. }) = record {
        assert!(scene.shown.get() >= 1, "{told}");
        assert!(!scene.seen_revoked.get() || lapsed || crashed, "a session that was logged out goes on: {told}");
    }
}

fn explore(troubles: Troubles) -> usize {
    let ways = Ways::default();
    let mut runs = 0;
    loop {
        play(&ways, troubles);
        runs += 1;
        if !ways.next() {
            return runs;
        }
    }
}

const NONE: Troubles = Troubles { hosts: false, crash: false, late: false, logout: false, away: false };

#[test]
fn two_workers_refresh_once_in_every_order() {
    assert!(explore(NONE) > 100);
    assert!(explore(Troubles { away: true, ..NONE }) > 100);
}

#[test]
fn a_crash_at_every_step_loses_no_session_but_by_the_provider_s_word() {
    assert!(explore(Troubles { crash: true, ..NONE }) > 1_000);
}

#[test]
fn a_late_answer_at_every_step_loses_no_session_but_by_the_provider_s_word() {
    assert!(explore(Troubles { late: true, ..NONE }) > 1_000);
}

#[test]
fn a_logout_at_every_step_is_not_undone() {
    assert!(explore(Troubles { logout: true, ..NONE }) > 1_000);
}

#[test]
fn a_crash_and_a_late_answer_together() {
    assert!(explore(Troubles { crash: true, late: true, ..NONE }) > 10_000);
}

/// The same over a store: what Redis is told are steps of their own, and nothing is compared before it is written.
const HOSTS: Troubles = Troubles { hosts: true, ..NONE };

#[test]
fn two_hosts_refresh_once_in_every_order() {
    assert!(explore(HOSTS) > 50);
    assert!(explore(Troubles { away: true, ..HOSTS }) > 50);
}

#[test]
fn a_crash_of_a_host_at_every_step_loses_no_session_but_by_the_provider_s_word() {
    assert!(explore(Troubles { crash: true, ..HOSTS }) > 500);
}

#[test]
fn a_late_answer_to_a_host_loses_no_session_but_by_the_provider_s_word() {
    assert!(explore(Troubles { late: true, ..HOSTS }) > 500);
}

#[test]
fn a_logout_at_another_host_is_not_undone() {
    assert!(explore(Troubles { logout: true, ..HOSTS }) > 500);
}
