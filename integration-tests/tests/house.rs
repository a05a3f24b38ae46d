//! The house itself: Envoy starts with the built filter and traffic of every kind gets through a rule that lets it.

use http_body_util::BodyExt;
use integration_tests::client::{ask, echo_over_upgrade, get, raw};
use integration_tests::envoy::{Envoy, Update};
use integration_tests::setup::Setup;
use integration_tests::upstream::Upstream;
use serde_json::{Value, json};

fn open_house() -> Value {
    json!({ "rules": [{ "name": "all", "match": { "path_prefix": "/" }, "allow": "anonymous" }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_reach_the_upstream_through_two_workers() {
    let upstream = Upstream::start().await;
    let envoy = Envoy::start(Setup::new().filter(open_house()).upstream(upstream.port)).await;
    for number in 0..20 {
        let answer = get(envoy.port, &format!("/things?number={number}")).header("x-colour", "blue").send().await;
        assert_eq!(answer.status, 200);
        let seen = answer.json();
        assert_eq!(seen["path"], format!("/things?number={number}"));
        assert!(seen["headers"].as_array().unwrap().contains(&json!(["x-colour", "blue"])));
    }
    assert_eq!(upstream.seen().len(), 20);
    // One VM on the main thread, one on each worker.
    assert!(envoy.stat("wasm.envoy.wasm.runtime.v8.active").await >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_is_no_text_harms_nobody() {
    let upstream = Upstream::start().await;
    let envoy = Envoy::start(Setup::new().filter(open_house()).upstream(upstream.port)).await;
    let answer = get(envoy.port, "/").header("x-name", b"J\xf6rg").header("cookie", b"a=\xff\xfe").send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(upstream.seen()[0].headers["x-name"].as_bytes(), b"J\xf6rg");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_and_its_trailers_arrive_whole() {
    let upstream = Upstream::start().await;
    let envoy = Envoy::start(Setup::new().filter(open_house()).upstream_http2(upstream.port)).await;
    let answer = ask("POST", envoy.port, "/upload").body(vec![b'x'; 5_000_000]).send().await;
    assert_eq!(answer.json()["body_length"], 5_000_000);
    let ask = ask("POST", envoy.port, "/upload").chunks(&[b"one", b"two"]).trailer("x-checksum", "abc").http2();
    let seen = ask.send().await.json();
    assert_eq!((&seen["body_length"], &seen["trailers"]), (&json!(6), &json!([["x-checksum", "abc"]])));
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_pass() {
    let upstream = Upstream::start().await;
    let envoy = Envoy::start(Setup::new().filter(open_house()).upstream(upstream.port)).await;
    assert_eq!(get(envoy.port, "/events").send().await.text(), "data: 1\n\ndata: 2\n\ndata: 3\n\n");
    let upgrade = get(envoy.port, "/socket").header("connection", "upgrade").header("upgrade", "websocket");
    let response = upgrade.open().await.unwrap();
    assert_eq!(response.status(), 101);
    assert_eq!(echo_over_upgrade(response, b"ping").await.unwrap(), b"ping");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grpc_stream_talks_both_ways() {
    let upstream = Upstream::start().await;
    let envoy = Envoy::start(Setup::new().filter(open_house()).upstream_http2(upstream.port)).await;
    let call = ask("POST", envoy.port, "/pkg.Service/Talk").http2();
    let call = call.header("content-type", "application/grpc").header("te", "trailers");
    let (sender, response) = call.open_with().await.unwrap();
    let mut body = response.into_body();
    for word in ["first", "second"] {
        sender.send(word.into()).unwrap();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), word);
    }
    drop(sender);
    let trailers = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(trailers["grpc-status"], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_is_cleaned_by_envoy_only_where_it_should_be() {
    let upstream = Upstream::start().await;
    let envoy = Envoy::start(Setup::new().filter(open_house()).upstream(upstream.port)).await;
    let line = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let answer = raw(envoy.port, line("/public/%2e%2e/private").as_bytes()).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    assert_eq!(upstream.seen()[0].path, "/private");
    let answer = raw(envoy.port, line("/public%2fprivate").as_bytes()).await;
    assert!(answer.starts_with(b"HTTP/1.1 400"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_instance_stands_where_bodies_are_read() {
    let upstream = Upstream::start().await;
    let setup = Setup::new().filter(open_house()).upstream(upstream.port).bodies_at("/oauth/callback");
    let envoy = Envoy::start(setup).await;
    for path in ["/oauth/callback", "/elsewhere"] {
        let answer = ask("POST", envoy.port, path).form(&[("state", "x")]).send().await;
        assert_eq!((answer.status, answer.json()["body_length"].as_u64()), (200, Some(7)), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_can_change_while_envoy_runs() {
    let upstream = Upstream::start().await;
    let setup = Setup::new().filter(open_house()).upstream(upstream.port);
    let mut envoy = Envoy::start_updatable(setup.clone()).await;
    let next = setup.without_envoys_cleaning();
    assert_eq!(envoy.update(&next).await, Update::Accepted);
    assert_eq!(get(envoy.port, "/").send().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_envoy_refuses_leaves_the_old_one() {
    let setup = Setup::new().filter(open_house());
    let mut envoy = Envoy::start_updatable(setup.clone()).await;
    // Its cluster came with the bootstrap of another Envoy, not of this one.
    assert_eq!(envoy.update(&setup.upstream(1)).await, Update::Refused);
    assert_eq!(get(envoy.port, "/").send().await.text(), "upstream");
}

#[tokio::test(flavor = "multi_thread")]
async fn envoy_does_not_start_with_what_it_refuses() {
    // A Struct is an object: this is refused before the filter sees it.
    let log = Envoy::refused(Setup::new().filter(json!("text"))).await;
    assert!(log.contains("google.protobuf.Struct"), "{log}");
}
