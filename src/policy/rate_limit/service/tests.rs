//! What is asked of a rate limit service, and each thing that it may answer.

use super::*;
use crate::config::OnFailure;
use crate::world::script::Script;
use std::time::Duration;

fn service() -> RateLimitService {
    RateLimitService {
        cluster: "limits".to_owned(),
        authority: "ratelimit".to_owned(),
        domain: "shop".to_owned(),
        key: "user".to_owned(),
        timeout: Duration::from_millis(200),
        on_failure: OnFailure::Deny,
    }
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&[0][..], &u32::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

fn grpc(body: Vec<u8>) -> ProviderResponse {
    ProviderResponse {
        status: 200,
        content_type: Some("application/grpc".to_owned()),
        grpc_status: Some("0".to_owned()),
        body,
        ..ProviderResponse::default()
    }
}

/// What a service that answers this message said.
fn answer(message: &Message) -> Result<Said, &'static str> {
    read(&grpc(framed(message.as_ref())))
}

fn code(code: u64) -> Message {
    Message::default().number(1, code)
}

fn status(limit: &Message, remaining: u64, reset: Option<&Message>) -> Message {
    let status = Message::default().number(1, 1).bytes(2, limit).number(3, remaining);
    match reset {
        Some(reset) => status.bytes(4, reset),
        None => status,
    }
}

fn per_minute(limit: u64) -> Message {
    Message::default().number(1, limit).number(2, 2)
}

/// The message by hand, after the numbers in `rls.proto` and `ratelimit.proto`.
#[test]
fn the_question_is_one_descriptor() {
    let asked = request(&service(), "api", "alice", Some((600, Period::Minute)));
    let entries = [&b"\x0a\x0b\x0a\x04rule\x12\x03api"[..], b"\x0a\x0d\x0a\x04user\x12\x05alice"].concat();
    let message = [&b"\x0a\x04shop\x12\x23"[..], &entries, b"\x12\x05\x08\xd8\x04\x10\x02\x18\x01"].concat();
    assert_eq!(asked.body.expose(), framed(&message));
    assert_eq!((asked.method, asked.cluster.as_str(), asked.authority.as_str()), ("POST", "limits", "ratelimit"));
    assert_eq!(asked.path, "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit");
    assert_eq!((asked.timeout, asked.endpoint), (Duration::from_millis(200), Endpoint::RateLimit));
    let header = |name: &str| {
        let found = asked.headers.iter().find(|(known, _)| known == name);
        found.and_then(|(_, value)| value.expose_text()).map(str::to_owned)
    };
    assert_eq!(header("content-type").as_deref(), Some("application/grpc"));
    assert_eq!(header("te").as_deref(), Some("trailers"));
    let without = request(&service(), "api", "alice", None);
    assert_eq!(without.body.len() + 7, asked.body.len(), "no limit of the rule's own");
}

#[test]
fn a_limit_is_sent_with_its_unit() {
    for (per, unit) in [(Period::Second, 1), (Period::Minute, 2), (Period::Hour, 3), (Period::Day, 4)] {
        let asked = request(&service(), "api", "alice", Some((10_000_000, per)));
        let limit = Message::default().bytes(2, Message::default().number(1, 10_000_000).number(2, unit));
        let body = asked.body.expose();
        assert!(body.windows(limit.as_ref().len()).any(|window| window == limit.as_ref()), "{per:?}");
    }
}

#[test]
fn an_answer_lets_pass_or_not_and_says_what_is_left() {
    assert_eq!(answer(&code(1)), Ok(Said::Granted(None)));
    let reset = Message::default().number(1, 12).number(2, 1);
    let quota = Quota { limit: 600, window: Some(60), remaining: 599, reset: 13 };
    let granted = code(1).bytes(2, status(&per_minute(600), 599, Some(&reset)));
    assert_eq!(answer(&granted), Ok(Said::Granted(Some(quota))));
    let refused = code(2).bytes(2, status(&per_minute(600), 0, Some(&reset)));
    let quota = Quota { remaining: 0, ..quota };
    assert_eq!(answer(&refused), Ok(Said::Refused { wait: 13, quota: Some(quota) }));
    // Without a time, the period; without a limit, a second.
    let refused = code(2).bytes(2, status(&per_minute(600), 0, None));
    assert_eq!(answer(&refused), Ok(Said::Refused { wait: 60, quota: Some(Quota { reset: 60, ..quota }) }));
    assert_eq!(answer(&code(2)), Ok(Said::Refused { wait: 1, quota: None }));
    // A month has no fixed length: no window.
    let month = status(&Message::default().number(1, 9).number(2, 5), 8, Some(&reset));
    let quota = Quota { limit: 9, window: None, remaining: 8, reset: 13 };
    assert_eq!(answer(&code(1).bytes(2, month)), Ok(Said::Granted(Some(quota))));
}

#[test]
fn what_a_later_version_says_besides_is_skipped() {
    let status = status(&per_minute(600).bytes(3, "name"), 599, None).bytes(5, "quota");
    let message = code(1).bytes(2, status).bytes(3, "header").bytes(5, "body").number(90, 7);
    assert!(matches!(answer(&message), Ok(Said::Granted(Some(_)))));
}

#[test]
fn an_answer_that_is_none_is_a_failure() {
    let ok = code(1);
    let good = || grpc(framed(ok.as_ref()));
    assert_eq!(read(&good()), Ok(Said::Granted(None)));
    let proto = ProviderResponse { content_type: Some("application/grpc+proto".to_owned()), ..good() };
    assert_eq!(read(&proto), Ok(Said::Granted(None)));
    // A host that shows no trailers, and a body that is whole.
    assert!(read(&ProviderResponse { grpc_status: None, ..good() }).is_ok());
    let bent = [
        ProviderResponse { status: 503, ..good() },
        ProviderResponse { status: 204, ..good() },
        ProviderResponse { content_type: None, ..good() },
        ProviderResponse { content_type: Some("text/html".to_owned()), ..good() },
        ProviderResponse { content_type: Some("application/grpc-web".to_owned()), ..good() },
        ProviderResponse { grpc_status: Some("14".to_owned()), ..good() },
        ProviderResponse { grpc_status: Some("".to_owned()), ..good() },
        ProviderResponse { grpc_status: Some("00".to_owned()), ..good() },
        ProviderResponse { body: Vec::new(), ..good() },
        ProviderResponse { body: ok.as_ref().to_vec(), ..good() },
        ProviderResponse { body: [framed(ok.as_ref()), framed(ok.as_ref())].concat(), ..good() },
        ProviderResponse { body: framed(ok.as_ref())[..6].to_vec(), ..good() },
        ProviderResponse { body: [&[1][..], &framed(ok.as_ref())[1..]].concat(), ..good() },
        ProviderResponse { body: [framed(ok.as_ref()), vec![0]].concat(), ..good() },
    ];
    for (place, response) in bent.iter().enumerate() {
        assert!(read(response).is_err(), "{place}: {response:?}");
    }
}

#[test]
fn a_message_that_says_nothing_usable_is_a_failure() {
    let whole = || status(&per_minute(600), 599, None);
    assert!(answer(&code(1).bytes(2, whole())).is_ok());
    let bent = [
        Message::default(),
        code(0),
        code(3),
        Message::default().bytes(1, "OK"),
        Message::default().bytes(2, whole()),
        code(1).bytes(2, whole()).bytes(2, whole()),
        code(1).number(2, 1),
        code(1).bytes(2, b"\xff"),
        code(1).bytes(2, Message::default().number(2, 600)),
        code(1).bytes(2, Message::default().number(3, u64::MAX)),
        code(1).bytes(2, Message::default().bytes(2, Message::default().number(1, 1 << 40))),
        code(1).bytes(2, Message::default().bytes(4, Message::default().number(1, u64::MAX))),
        code(1).bytes(2, Message::default().bytes(4, Message::default().number(1, 40_000_000))),
        code(1).bytes(2, Message::default().bytes(4, Message::default().bytes(1, "x"))),
    ];
    for (place, message) in bent.iter().enumerate() {
        assert_eq!(answer(message), Err("the answer is not a rate limit response"), "{place}");
    }
}

#[test]
fn no_answer_is_told_apart_for_the_operator() {
    let ask = |outcome: Result<ProviderResponse, CallError>| {
        let script = Script::new();
        script.answer(move |_| outcome.clone());
        let (world, service) = (script.world(), service());
        let said = script.run(ask(&world, &service, "api", "alice", None)).unwrap();
        (said.is_ok(), said.err(), script.counted(Metric::CallsFailed(Endpoint::RateLimit)))
    };
    assert_eq!(ask(Ok(grpc(framed(code(1).as_ref())))), (true, None, 0));
    assert_eq!(ask(Err(CallError::NoAnswer)), (false, Some("no answer in time"), 1));
    assert_eq!(ask(Err(CallError::UnknownCluster)), (false, Some("the host has no such cluster"), 1));
    assert_eq!(ask(Err(CallError::Busy)), (false, Some("too many calls are under way"), 1));
    let large = Some("the answer is larger than any such answer has to be");
    assert_eq!(ask(Ok(grpc(framed(&[0; LARGEST])))), (false, large, 1));
    assert_eq!(ask(Ok(grpc(Vec::new()))), (false, Some("the answer is not one whole message"), 1));
}
