//! A client's own key, for every kind that takes one: over whatever sessions and handlers it comes, it stands for one request.

use super::case::{Case, requests};
use super::scene::Scene;
use crate::harness::Session;
use ssmglobal_ipc::*;

/// Another session of the same owner asks the same under the same key, and is answered the same; whatever else it asks under
/// that key is refused.
fn is_settled(case: &Case, other: &mut Session, key: &str) {
    let (answer, first) = (other.ask_under(Some(key), &case.request), case.answer.as_ref().expect("an answer"));
    assert_eq!((answer.kind, &answer.payload), (first.kind, &first.payload), "{}", case.name());
    let all = requests(other.state, &case.asker, |kind| kind.describe().takes_key());
    assert!(all.len() > 1 && all.contains(&case.request));
    for request in all.iter().filter(|request| **request != case.request) {
        match other.ask_under(Some(key), request).reply() {
            Reply::Failed(failure) => assert_eq!(failure.code, Code::Conflict, "{}: {request:?}", case.name()),
            reply => panic!("{}: {request:?}: {reply:?}", case.name()),
        }
    }
}

#[test]
fn a_key_stands_for_one_request_over_all_sessions_and_handlers() {
    let mut scene = Scene::new();
    let mut cases = scene.cases(|kind| kind.describe().takes_key());
    // A visitor's keys stand for nothing: there is nobody whose they are.
    cases.retain(|case| case.session.state != State::Anonymous);
    let mut others: Vec<Session> = cases.iter().map(|case| scene.another(&case.asker)).collect();
    let key_of = |place: usize| format!("key {place}");
    for (place, (case, other)) in cases.iter_mut().zip(&mut others).enumerate() {
        let key = key_of(place);
        case.number = case.session.send_under(Some(&key), &case.request);
        case.take_answer();
        assert_eq!(scene.heard(0).len(), case.heard, "{}", case.name());
        is_settled(case, other, &key);
        assert_eq!(scene.heard(0), [""; 0], "{}", case.name());
    }
    let before: Vec<Vec<Reply>> = cases.iter_mut().map(Case::view).collect();
    scene.listener.next_handler();
    let askers = cases.iter_mut().map(|case| &mut case.session);
    for session in [&mut scene.bob, &mut scene.arena].into_iter().chain(askers).chain(&mut others) {
        session.lose_link();
        session.link_up();
    }
    for (place, (case, other)) in cases.iter_mut().zip(&mut others).enumerate() {
        let key = key_of(place);
        is_settled(case, other, &key);
        let answer = case.session.ask_again(case.number, Some(&key), &case.request);
        assert_eq!(Some(&answer), case.answer.as_ref(), "{}", case.name());
        assert_eq!(scene.heard(0), [""; 0], "{}", case.name());
    }
    let after: Vec<Vec<Reply>> = cases.iter_mut().map(Case::view).collect();
    assert_eq!(after, before);
}
