use super::*;
use crate::provider::testing::*;
use crate::world::CallError;
use crate::world::script::Script;
use serde_json::{Value, json};
use std::cell::RefCell;

type Answering = Rc<RefCell<Result<ProviderResponse, CallError>>>;

fn shop() -> (Script, Answering, Worker) {
    let (script, answering) = (Script::new(), Rc::new(RefCell::new(Ok(json_answer(r#"{"sub":"alice"}"#)))));
    let answers: Answering = Rc::clone(&answering);
    script.answer(move |_| answers.borrow().clone());
    let worker = Worker::new(&script, &config(|_| {}));
    (script, answering, worker)
}

impl Worker {
    fn userinfo(&self, token: &str) -> Result<Rc<UserinfoAnswer>, Reason> {
        let world = self.script.world();
        let main = self.providers.first().unwrap();
        self.script.run(main.ask_userinfo(&world, token)).unwrap().map_err(|refusal| refusal.reason)
    }
}

fn judged(response: ProviderResponse) -> Option<Reason> {
    let (_, answering, worker) = shop();
    *answering.borrow_mut() = Ok(response);
    worker.userinfo("t").err()
}

#[test]
fn the_endpoint_is_asked_once_and_its_answer_remembered_for_all_workers() {
    let (script, answering, one) = shop();
    let two = Worker::new(&script, &config(|_| {}));
    *answering.borrow_mut() = Ok(json_answer(r#"{"sub":"alice","plan":"gold","salary":7}"#));
    for worker in [&one, &one, &two] {
        let known = worker.userinfo("t").unwrap();
        assert_eq!((&*known.issuer, &*known.subject), (ISSUER, "alice"));
        assert_eq!(Value::from((*known.claims).clone()), json!({ "plan": "gold" }));
    }
    assert_eq!(script.calls(), ["GET /userinfo"]);
    assert_eq!(script.counted(Metric::UserinfoCached), 2);
    let asked = script.asked().pop().unwrap();
    assert!(asked.headers.contains(&("authorization".to_owned(), Secret::new("Bearer t"))));
    script.advance(300);
    assert!(one.userinfo("t").is_ok());
    assert_eq!(script.calls().len(), 2);
}

#[test]
fn a_token_that_the_endpoint_refuses_is_refused_for_a_while() {
    for status in [401, 403] {
        let (script, answering, worker) = shop();
        let good = answering.replace(Ok(answer(status, "application/json", "{}")));
        for _ in 0..2 {
            assert_eq!(worker.userinfo("t").err(), Some(Reason::AccessTokenInactive));
        }
        assert_eq!(script.calls().len(), 1);
        *answering.borrow_mut() = good;
        script.advance(10);
        assert!(worker.userinfo("t").is_ok());
    }
}

// I06, I16, I17, V04
#[test]
fn what_is_no_answer_opens_nothing() {
    for body in ["[]", "null", "", r#""x""#, "{}", r#"{"sub":7}"#, r#"{"sub":""}"#, r#"{"sub":"a","sub":"b"}"#] {
        assert_eq!(judged(json_answer(body)), Some(Reason::UserinfoUnavailable), "{body}");
    }
    let sub = r#"{"sub":"alice"}"#;
    for content_type in ["application/jwt", "text/html"] {
        assert_eq!(judged(answer(200, content_type, sub)), Some(Reason::UserinfoUnavailable), "{content_type}");
    }
    for status in (100..600).filter(|status| ![200, 401, 403].contains(status)) {
        let expected = Reason::UserinfoUnavailable;
        assert_eq!(judged(answer(status, "application/json", sub)), Some(expected), "{status}");
    }
    assert_eq!(judged(json_answer(sub)), None);
}

#[test]
fn a_token_that_cannot_stand_in_a_header_makes_no_call() {
    let (script, _, worker) = shop();
    for token in ["", "a b", "a\r\nx: y", "é", &"t".repeat(MAX_TOKEN + 1)] {
        assert_eq!(worker.userinfo(token).err(), Some(Reason::AccessTokenMalformed));
    }
    assert_eq!(script.calls().len(), 0);
}
