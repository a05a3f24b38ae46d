use super::*;
use crate::world::script::Script;

fn ring(names: &[&str]) -> Vec<Secret> {
    names.iter().map(|name| Secret::new(name.repeat(32))).collect()
}

fn worker_of(ring: &[Secret], entries: usize) -> Revocations {
    Revocations::new(&config::Revocation { entries, max_age: Duration::from_secs(3600), tokens: true }, ring, None)
}

fn worker() -> Revocations {
    worker_of(&ring(&["a"]), 1000)
}

fn revoke(script: &Script, worker: &Revocations, word: Word, id: [u8; 16]) -> Result<(), Refusal> {
    let (world, name) = (script.world(), Name::Session(&id));
    script.run(worker.revoke_for(&world, word, name, world.now(), worker.settings.max_age)).unwrap()
}

fn denies(script: &Script, worker: &Revocations, id: [u8; 16], born: u64) -> bool {
    worker.denies(&script.world(), &[Some(Name::Session(&id))], UnixTime::from_secs(born))
}

const BEGAN: u64 = 1_799_999_000;

fn id(number: u32) -> [u8; 16] {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_le_bytes());
    id
}

// L12: at once by the worker that was told, and by the others at their next look.
#[test]
fn every_worker_of_the_host_knows_within_a_second() {
    let (script, one, two) = (Script::new(), worker(), worker());
    assert!(!denies(&script, &two, id(1), BEGAN));
    revoke(&script, &one, Word::Proven, id(1)).unwrap();
    assert!(denies(&script, &one, id(1), BEGAN));
    script.advance(1);
    assert!(denies(&script, &two, id(1), BEGAN));
    assert!(!denies(&script, &two, id(2), BEGAN), "nobody else");
    let late = worker();
    assert!(denies(&script, &late, id(1), BEGAN), "a worker that starts later reads it");
}

#[test]
fn what_began_later_stays_and_all_ends_in_time() {
    let (script, one) = (Script::new(), worker());
    let now = script.world().now().as_secs();
    revoke(&script, &one, Word::Proven, id(1)).unwrap();
    assert!(denies(&script, &one, id(1), now));
    assert!(!denies(&script, &one, id(1), now + 1));
    script.advance(3601);
    assert!(!denies(&script, &one, id(1), now));
    revoke(&script, &one, Word::Proven, id(2)).unwrap();
    assert_eq!(one.counts(&script.world()).known, 1);
}

#[test]
fn names_of_different_kinds_issuers_or_cuts_have_different_marks() {
    let worker = worker();
    let mark = |name| worker.mark(name);
    let names = [
        Name::Session(b"0123456789abcdef"),
        Name::ProviderSession { issuer: "https://a", sid: "x" },
        Name::ProviderSession { issuer: "https://ax", sid: "" },
        Name::ProviderSession { issuer: "https://b", sid: "x" },
        Name::Subject { issuer: "https://a", subject: "x" },
        Name::Token { issuer: "https://a", id: "x" },
        Name::Client { issuer: "https://a", client_id: "x" },
    ];
    for (at, name) in names.iter().enumerate() {
        assert!(names[..at].iter().all(|other| mark(*other) != mark(*name)), "{name:?}");
        assert_ne!(worker_of(&ring(&["b"]), 1000).mark(*name), mark(*name), "another secret");
    }
}

// E07: the host forgets no key, and the memory of a VM never shrinks.
#[test]
fn neither_the_worker_nor_the_host_keeps_more_than_configured() {
    let (script, one, two) = (Script::new(), worker_of(&ring(&["a"]), 256), worker_of(&ring(&["a"]), 256));
    for number in 0..2000 {
        revoke(&script, &one, Word::Proven, id(number)).unwrap();
    }
    script.advance(1);
    for worker in [&one, &two] {
        assert!(denies(&script, worker, id(1999), BEGAN));
        assert!(!denies(&script, worker, id(1), BEGAN));
        assert!(worker.counts(&script.world()).known <= 256);
    }
    assert_eq!(script.shared_keys().len(), 4, "a head of each list, and two segments");
    assert_eq!(one.counts(&script.world()).forgotten, 2000 - 256);
    assert_eq!(script.counted(Metric::RevocationForgotten), 2000 - 256);
}

// L13, E07: names that anybody may send push out none that were proven.
#[test]
fn strangers_push_out_nothing() {
    let (script, one) = (Script::new(), worker());
    revoke(&script, &one, Word::Proven, id(0)).unwrap();
    for number in 1..5000 {
        revoke(&script, &one, Word::Anyones, id(number)).unwrap();
    }
    assert!(denies(&script, &one, id(0), BEGAN));
    script.advance(1);
    let two = worker();
    assert!(denies(&script, &two, id(0), BEGAN) && denies(&script, &two, id(4999), BEGAN));
}

// S03: what was revoked before a rotation of the secrets is revoked after it.
#[test]
fn a_rotation_forgets_nothing() {
    let script = Script::new();
    revoke(&script, &worker_of(&ring(&["a"]), 1000), Word::Proven, id(1)).unwrap();
    script.advance(5);
    let turned = worker_of(&ring(&["b", "a"]), 1000);
    assert!(denies(&script, &turned, id(1), BEGAN));
    assert!(!turned.precedes(&script.world(), UnixTime::from_secs(1_800_000_000)), "the list began before");
    assert!(!denies(&script, &worker_of(&ring(&["b"]), 1000), id(1), BEGAN), "without the old secret it is lost");
}

#[test]
fn writers_that_come_in_between_lose_no_entry() {
    let (script, one, two) = (Script::new(), worker(), worker());
    revoke(&script, &one, Word::Proven, id(1)).unwrap();
    revoke(&script, &two, Word::Proven, id(2)).unwrap();
    script.outrun(3);
    revoke(&script, &one, Word::Proven, id(3)).unwrap();
    let late = worker();
    assert!([2, 3].iter().all(|number| denies(&script, &late, id(*number), BEGAN)));
    script.outrun(1000);
    let lost = revoke(&script, &one, Word::Proven, id(4)).unwrap_err();
    assert_eq!(lost.reason, Reason::RevocationUnrecorded);
    assert!(denies(&script, &one, id(4), BEGAN), "this worker knows all the same");
}

#[test]
fn where_nothing_is_shared_each_worker_goes_by_itself() {
    let script = Script::new().without_shared_data();
    let (one, two) = (worker(), worker());
    revoke(&script, &one, Word::Proven, id(1)).unwrap();
    script.advance(1);
    assert!(denies(&script, &one, id(1), BEGAN) && !denies(&script, &two, id(1), BEGAN));
}

#[test]
fn what_is_older_than_the_list_is_told() {
    let (script, one) = (Script::new(), worker());
    let now = script.world().now();
    assert!(!one.precedes(&script.world(), now));
    assert!(one.precedes(&script.world(), now.minus(Duration::from_secs(1))));
    script.advance(60);
    assert!(!worker().precedes(&script.world(), now), "a worker that starts later knows when the list began");
}
