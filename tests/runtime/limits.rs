//! Limits over a real host's clock and calls.

use super::*;
use std::time::Duration;

/// A shop that lets strangers in, this often.
fn limited(limit: &Value) -> Worker {
    let mut config = config();
    config["rules"][1]["allow"] = json!("optional");
    config["rules"][1]["rate_limit"] = limit.clone();
    Worker::with(&config, Fake::default())
}

const PASSED: (Flow, Phase) = (Flow::Continue, Phase::Forwarded);
const REFUSED: (Flow, Phase) = (Flow::Pause, Phase::Answered);

/// Buckets go by milliseconds: at ten a second one comes back in a tenth of it.
#[test]
fn a_bucket_refills_within_the_second() {
    let worker = limited(&json!({ "default": 10, "per": "second", "burst": 1 }));
    let asks = |id| {
        let (stream, flow) = worker.page(id, "/");
        (flow, stream.phase.get())
    };
    assert_eq!((asks(1), asks(2)), (PASSED, REFUSED));
    assert_eq!(worker.seen(2), [Seen::Answered(429, "rate_limited".to_owned())]);
    worker.host.pass(Duration::from_millis(99));
    assert_eq!(asks(3), REFUSED);
    worker.host.pass(Duration::from_millis(1));
    assert_eq!(asks(4), PASSED);
}

/// While the service is asked the request waits, and goes on by its word; one whose client has gone is nobody's.
#[test]
fn a_request_waits_for_the_service_s_word() {
    let worker = limited(&json!({ "service": { "cluster": "limits", "domain": "shop" } }));
    let (stream, flow) = worker.page(1, "/");
    assert_eq!((flow, stream.phase.get()), (Flow::Pause, Phase::Undecided));
    let token = worker.host.last_token();
    let (gone, _) = worker.page(2, "/");
    let other = worker.host.last_token();
    worker.runtime.gone(&gone);
    worker.host.close(2);
    let granted = || ProviderResponse {
        content_type: Some("application/grpc".to_owned()),
        grpc_status: Some("0".to_owned()),
        body: b"\0\0\0\0\x02\x08\x01".to_vec(),
        ..metadata()
    };
    worker.host.gives(Some(granted()));
    worker.runtime.call_answered(None, other, 3, granted().body.len());
    assert_eq!((worker.seen(2), gone.phase.get()), (vec![], Phase::Undecided));
    worker.host.act_on(1);
    worker.host.gives(Some(granted()));
    worker.runtime.call_answered(Some(1), token, 3, granted().body.len());
    assert_eq!(stream.phase.get(), Phase::Forwarded);
    assert!(worker.seen(1).contains(&Seen::Resumed));
}
