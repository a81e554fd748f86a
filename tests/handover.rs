//! What the descriptions of requests promise over a death of the handler, for every request in the table
//! (`handler/ipc/src/request.rs`), also for one that is added: a change is done once and has one answer, all else is answered
//! again. How each is asked is decided in `handover/fitting.rs`.

mod case;
mod described;
mod fitting;
mod keys;
mod scene;

use crate::harness::{Answer, Listener, Session};
use case::{Case, requests, still};
use nix::sys::signal::Signal;
use scene::Scene;
use ssmglobal_ipc::*;
use std::os::unix::net::UnixStream;

/// Everybody with what he asks.
struct Everybody {
    scene: Scene,
    cases: Vec<Case>,
    /// What each could read when all was done.
    views: Vec<Vec<Reply>>,
}

impl Everybody {
    /// Whoever asks for a change that must not be done twice.
    fn who_changes_something() -> Everybody {
        Everybody::who_asks(|kind| kind.describe().is_kept())
    }

    /// Whoever asks for anything else.
    fn who_changes_nothing() -> Everybody {
        Everybody::who_asks(|kind| !kind.describe().is_kept())
    }

    fn who_asks(which: impl Fn(Kind) -> bool) -> Everybody {
        let mut scene = Scene::new();
        let mut cases = scene.cases(which);
        // What everybody hears would lie in front of the answers of others.
        cases.sort_by_key(|case| case.request.kind() == Kind::Broadcast);
        Everybody { scene, cases, views: Vec::new() }
    }

    /// Each asks, one after the other, and is answered; the two who listen hear of it once.
    fn ask(&mut self) {
        for case in &mut self.cases {
            case.send();
            case.take_answer();
            let heard = self.scene.heard(0);
            assert_eq!(heard.len(), case.heard, "{}: {heard:?}", case.name());
        }
        self.see();
    }

    /// Each takes note of what he can read.
    fn see(&mut self) {
        self.views = self.cases.iter_mut().map(Case::view).collect();
    }

    /// Each asks what he has asked before, and has the answer for the first time. The two hear of it if they have not.
    fn ask_for_the_answer(&mut self, heard_before: bool) {
        for case in &mut self.cases {
            case.send_again();
            case.take_answer();
            let (heard, count) = (self.scene.heard(0), if heard_before { 0 } else { case.heard });
            assert_eq!(heard.len(), count, "{}: {heard:?}", case.name());
        }
        self.see();
    }

    /// All have read what came before the handler's death, and go on with the next one.
    fn go_on(&mut self) {
        self.cases.iter_mut().for_each(|case| case.session.lose_link());
        self.go_on_without_what_came();
    }

    /// All go on with the next handler; those who ask have not read what came before.
    fn go_on_without_what_came(&mut self) {
        for session in [&mut self.scene.bob, &mut self.scene.arena] {
            session.lose_link();
            session.link_up();
        }
        self.cases.iter_mut().for_each(Case::link_up);
    }

    /// Each asks again, is answered with the same bytes, and nobody hears of it.
    fn ask_again(&mut self) {
        for case in &mut self.cases {
            let answer = case.session.ask_again(case.number, None, &case.request);
            assert_eq!(Some(&answer), case.answer.as_ref(), "{}: {:?}", case.name(), answer.reply());
            let heard = self.scene.heard(0);
            assert!(heard.is_empty(), "{}: {heard:?}", case.name());
        }
        for (case, before) in self.cases.iter_mut().zip(&self.views) {
            assert_eq!(case.view(), *before, "{}", case.name());
            is_who_he_was(case);
        }
    }

    /// Something further works, with which everything is acknowledged.
    fn acknowledge(&mut self) {
        let further: Vec<Request> = self.cases.iter().map(further).collect();
        let sent = self.cases.iter_mut().zip(&further).map(|(case, further)| case.session.send(further));
        let sent: Vec<u64> = sent.collect();
        for ((case, further), number) in self.cases.iter_mut().zip(further).zip(sent) {
            let answer = case.session.answer(number, &further);
            assert!(further.kind().replies().contains(&answer.kind), "{}: {:?}", case.name(), answer.reply());
        }
    }
}

/// Which player or game server a session is, where it may ask.
fn who(session: &mut Session) -> Option<(Option<String>, Option<String>)> {
    if !Kind::Whoami.describe().states.has(session.state) {
        return None;
    }
    match session.done(&Request::Whoami) {
        Reply::Whoami(whoami) => Some((whoami.player, whoami.server)),
        reply => panic!("{reply:?}"),
    }
}

/// The session is who the answer says; else who it was before.
fn is_who_he_was(case: &mut Case) {
    let expected = match (case.answer.as_ref().expect("an answer").reply(), case.asker.state) {
        (Reply::LoggedIn(it), _) => (Some(it.player), None),
        (Reply::Authed(it), _) => (None, Some(it.server)),
        (_, State::Player) => (Some(case.asker.name.clone()), None),
        (_, State::Server) => (None, Some(case.asker.name.clone())),
        (Reply::Visiting(it), _) => (Some(it.visitor.to_string()), None),
        // One who had to be a visitor for it.
        (Reply::TellDelivered(_) | Reply::WorldEntered(_), State::Anonymous) => {
            (Some(Party::Visitor(case.asker.name.clone()).to_string()), None)
        }
        (_, State::New | State::Anonymous | State::Unproved) => (None, None),
    };
    assert_eq!(who(&mut case.session), Some(expected), "{}", case.name());
}

/// Something further that the session may ask, a change if it may.
fn further(case: &Case) -> Request {
    match case.session.state {
        State::Player | State::Server => {
            let (key, value) = ("further".into(), "on".into());
            Request::SettingSet(SettingSet { key, value, version: None, public: None })
        }
        State::New => Request::Open(case.session.open()),
        State::Anonymous => Request::Whoami,
        State::Unproved => Request::SetMode(SetMode { mode: Mode::Server }),
    }
}

#[test]
fn what_was_answered_and_not_acknowledged_is_answered_as_before() {
    let mut all = Everybody::who_changes_something();
    all.ask();
    all.scene.listener.next_handler();
    all.go_on();
    all.ask_again();
    all.acknowledge();
}

#[test]
fn what_was_answered_before_a_stop_is_answered_as_before() {
    let mut all = Everybody::who_changes_something();
    all.ask();
    all.scene.listener.stop_handler();
    all.scene.listener.start_handler();
    all.go_on();
    all.ask_again();
    all.acknowledge();
}

#[test]
fn what_was_answered_is_answered_as_before_however_many_handlers_die() {
    let mut all = Everybody::who_changes_something();
    all.ask();
    // Before anybody is back, and before anybody has asked again.
    all.scene.listener.next_handler();
    all.scene.listener.next_handler();
    all.go_on();
    all.scene.listener.next_handler();
    all.go_on();
    all.ask_again();
    all.scene.listener.next_handler();
    all.go_on();
    all.ask_again();
    all.acknowledge();
}

#[test]
fn what_no_handler_has_read_is_done_once_by_the_next() {
    let mut all = Everybody::who_changes_something();
    all.scene.listener.handler.signal(Signal::SIGSTOP);
    all.cases.iter_mut().for_each(Case::send);
    all.scene.listener.next_handler();
    all.go_on();
    all.ask_for_the_answer(false);
    all.scene.listener.next_handler();
    all.go_on();
    all.ask_again();
    all.acknowledge();
}

#[test]
fn an_answer_that_its_worker_has_not_read_is_given_as_it_was() {
    let mut all = Everybody::who_changes_something();
    for case in &mut all.cases {
        case.send();
        case.session.link.wait();
        let heard = all.scene.heard(0);
        assert_eq!(heard.len(), case.heard, "{}: {heard:?}", case.name());
    }
    all.scene.listener.kill_handler();
    // The test looks at it; the session does not know.
    let unread: Vec<Option<Answer>> = all.cases.iter_mut().map(|case| case.session.link.answer()).collect();
    all.scene.listener.start_handler();
    all.go_on_without_what_came();
    all.ask_for_the_answer(true);
    for (case, unread) in all.cases.iter().zip(unread) {
        assert_eq!(case.answer, unread, "{}", case.name());
    }
    all.acknowledge();
}

/// Leaves no room for anything that the handler says on a link.
fn fill(hand: &UnixStream) {
    while ssmglobal_sys::write_now(hand, &[0; 4096]).is_ok() {}
}

#[test]
fn an_answer_that_cannot_leave_is_given_by_the_next_handler() {
    let mut all = Everybody::who_changes_something();
    for case in &mut all.cases {
        fill(&case.session.link_up_with_hand());
        case.send();
        all.scene.has_come_to_an_end();
        let heard = all.scene.heard(case.heard);
        assert_eq!(heard.len(), case.heard, "{}: {heard:?}", case.name());
    }
    let view = all.scene.view();
    all.scene.listener.next_handler();
    all.go_on_without_what_came();
    all.ask_for_the_answer(true);
    assert_eq!(all.scene.view(), view);
    all.scene.listener.next_handler();
    all.go_on();
    all.ask_again();
    all.acknowledge();
}

#[test]
fn what_was_read_before_a_change_was_read_before_it_whatever_dies() {
    let mut all = Everybody::who_changes_something();
    for at in 0..all.cases.len() {
        let case = &mut all.cases[at];
        let reads = requests(case.session.state, &case.asker, |kind| kind.describe().does == Does::ReadsMemory);
        let before: Vec<Reply> = reads.iter().map(|read| still(case.session.done(read))).collect();
        // Asked at once, and none of the answers can leave.
        fill(&case.session.link_up_with_hand());
        let numbers: Vec<u64> = reads.iter().map(|read| case.session.send(read)).collect();
        case.send();
        all.scene.has_come_to_an_end();
        let heard_before = all.scene.heard(0).len();
        all.scene.listener.next_handler();
        all.go_on_without_what_came();
        let case = &mut all.cases[at];
        for (number, read) in numbers.iter().zip(&reads) {
            case.session.send_again(*number, None, read);
        }
        case.send_again();
        let answers = reads.iter().zip(numbers).map(|(read, number)| case.session.answer(number, read).reply());
        assert_eq!(answers.map(still).collect::<Vec<_>>(), before, "{}", case.name());
        case.take_answer();
        assert_eq!(heard_before + all.scene.heard(0).len(), case.heard, "{}", case.name());
        let further = further(case);
        case.session.done(&further);
    }
}

#[test]
fn an_answer_that_is_lost_with_its_link_is_given_by_the_same_handler() {
    let mut all = Everybody::who_changes_something();
    for case in &mut all.cases {
        case.send();
        case.session.link.wait();
        let unread = case.session.link.answer();
        let heard = all.scene.heard(0);
        assert_eq!(heard.len(), case.heard, "{}: {heard:?}", case.name());
        case.session.link_up();
        // Then the handler has done whatever it does when the other link ends.
        all.scene.has_come_to_an_end();
        case.send_again();
        case.take_answer();
        assert_eq!(case.answer, unread, "{}", case.name());
        let heard = all.scene.heard(0);
        assert!(heard.is_empty(), "{}: {heard:?}", case.name());
    }
    all.see();
    // Nothing of it is forgotten before it is acknowledged.
    all.scene.listener.next_handler();
    all.go_on();
    all.ask_again();
    all.acknowledge();
}

#[test]
fn what_is_under_way_when_its_link_is_lost_is_done_once() {
    let mut all = Everybody::who_changes_something();
    for case in &mut all.cases {
        // The handler finds everything at once: the request, another link, and the request again.
        all.scene.listener.handler.signal(Signal::SIGSTOP);
        case.send();
        let first = case.session.begin_link();
        case.send_again();
        all.scene.listener.handler.signal(Signal::SIGCONT);
        case.session.welcome(first);
        case.take_answer();
        all.scene.has_come_to_an_end();
        let heard = all.scene.heard(0);
        assert_eq!(heard.len(), case.heard, "{}: {heard:?}", case.name());
    }
    all.see();
    all.scene.listener.next_handler();
    all.go_on();
    all.ask_again();
    all.acknowledge();
}

#[test]
fn what_changes_nothing_is_answered_again() {
    let mut all = Everybody::who_changes_nothing();
    all.ask();
    let before: Vec<_> = all.cases.iter_mut().map(|case| who(&mut case.session)).collect();
    all.scene.listener.next_handler();
    all.go_on();
    all.ask_for_the_answer(true);
    let after: Vec<_> = all.cases.iter_mut().map(|case| who(&mut case.session)).collect();
    assert_eq!(after, before);
    all.acknowledge();
}

#[test]
fn what_changes_nothing_and_was_not_read_is_answered_by_the_next_handler() {
    let mut all = Everybody::who_changes_nothing();
    all.scene.listener.handler.signal(Signal::SIGSTOP);
    all.cases.iter_mut().for_each(Case::send);
    all.scene.listener.next_handler();
    all.go_on();
    all.ask_for_the_answer(false);
    all.acknowledge();
}

#[test]
fn who_was_disabled_since_is_logged_out_once_he_has_his_answer() {
    let mut listener = Listener::start();
    let mut bob = Session::opened(&mut listener, Mode::Client);
    let register = |name: &str| Register { name: name.into(), password: Secret::new("secret-of-bob"), email: None };
    let request = Request::Register(register("bob"));
    // He asks, and the answer is lost with the link.
    let number = bob.send(&request);
    bob.link.wait();
    listener.kill_handler();
    listener.start_handler();
    listener.ctl(&["player", "disable", "bob"]);
    bob.link_up();
    let answer = bob.ask_again(number, None, &request);
    assert_eq!(answer.kind, ReplyKind::LoggedIn);
    let out = Event::LoggedOut(Notice { msg: "You were logged out by the operator.".into() });
    assert_eq!(bob.hear(1).last(), Some(&out));
    let refused = bob.ask(&Request::MailList(Page::default()));
    assert!(matches!(refused, Reply::Failed(Failure { code: Code::NotLoggedIn, .. })), "{refused:?}");
}
