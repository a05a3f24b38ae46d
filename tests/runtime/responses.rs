//! What the client gets of a service's answer.

use super::*;

/// What is taken from a service's answer with these `set-cookie` fields.
fn removed(cookies: &[&str]) -> Vec<Seen> {
    let worker = Worker::new();
    let (stream, _) = worker.page(1, "/public");
    *worker.host.fields.borrow_mut() = Headers::from_pairs(cookies.iter().map(|line| ("set-cookie", line)));
    worker.runtime.response(&stream);
    worker
        .seen(1)
        .into_iter()
        .filter(|seen| matches!(seen, Seen::Edited("response", names) if !names.is_empty()))
        .collect()
}

/// S14: sessions begin and end here; a service neither sets nor ends one, and its own cookies are its own.
#[test]
fn a_service_sets_no_cookie_of_ours() {
    let rewritten = [Seen::Edited("response", vec!["set-cookie".to_owned()])];
    for ours in
        ["__Host-oidc-1a2b3c4d=x; Path=/", "a=b\u{0}; __Host-oidc", " __Host-oidc-1a2b3c4d.1 =x", "__Host-oidc-x"]
    {
        let forged = ours.trim_start().starts_with("__Host-oidc-");
        assert_eq!(removed(&["theirs=1", ours]) == rewritten, forged, "{ours:?}");
    }
    assert!(removed(&["theirs=1", "x__Host-oidc-1=2"]).is_empty());
    assert!(removed(&[]).is_empty());
}
