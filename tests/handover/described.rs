//! What the descriptions say of replies, rights and others, for every request in the table.

use super::case::{Case, requests};
use super::scene::Scene;
use crate::harness::{Session, samples, wait_readable};
use nix::sys::signal::Signal;
use ssmglobal_ipc::*;

#[test]
fn every_sample_is_answered_as_its_kind_is_or_refused() {
    let mut scene = Scene::new();
    // That of Open claims somebody else's session, and waits until that is there.
    for mut case in scene.cases(|kind| !kind.replies().is_empty() && kind != Kind::Open) {
        let sample = samples().into_iter().find(|sample| sample.kind() == case.request.kind());
        case.request = sample.expect("a sample");
        let reply = case.session.ask(&case.request).kind();
        match is_refused(case.request.kind(), case.asker.state) {
            true => assert_eq!(reply, ReplyKind::Failed, "{}", case.name()),
            false => assert!(case.request.kind().replies().contains(&reply), "{}: {reply:?}", case.name()),
        }
    }
}

/// Whether the sample of a kind is refused in the scene, as it was recorded: it asks for what is not there, for a name that is
/// taken, or in the name of somebody else.
fn is_refused(kind: Kind, state: State) -> bool {
    let of_nobody = [
        Kind::Register,
        Kind::Visitor,
        Kind::Auth,
        Kind::RecordTop,
        Kind::MailList,
        Kind::MailListSent,
        Kind::MailRead,
        Kind::MailReply,
        Kind::MailForward,
        Kind::MailDelete,
        Kind::RelaySend,
        Kind::PassRedeem,
        Kind::Present,
        Kind::WorldEnter,
        Kind::WorldShow,
        Kind::WorldAdd,
        Kind::WorldChange,
        Kind::WorldPassword,
        Kind::WorldPlay,
        Kind::WorldDisable,
        Kind::WorldEnable,
        Kind::WorldDelete,
        Kind::HostStart,
        Kind::HostSay,
        Kind::HostStop,
        Kind::PropertyGet,
        Kind::PropertySet,
        Kind::PropertyDelete,
        Kind::PropertyWatch,
        Kind::PropertyUnwatch,
        Kind::PlayStart,
        Kind::PlayAt,
    ];
    of_nobody.contains(&kind) || (kind, state) == (Kind::RecordSubmit, State::Player)
}

#[test]
fn who_lacks_a_right_is_refused_what_needs_it_and_nothing_else() {
    let mut scene = Scene::new();
    let cases = scene.cases(|_| true);
    scene.listener.set(|settings| settings.players.registration = false);
    for mut case in cases {
        case.send();
        match case.request.kind().describe().right {
            // Who asks has been granted that.
            Right::None | Right::Operator | Right::Broadcast => case.take_answer(),
            Right::Registration => {
                let answer = case.session.answer(case.number, &case.request).reply();
                let Reply::Failed(failure) = &answer else { panic!("{}: {answer:?}", case.name()) };
                assert_eq!(failure.code, Code::Denied, "{}", case.name());
                scene.listener.set(|settings| settings.players.registration = true);
                case.session.done(&case.request);
                scene.listener.set(|settings| settings.players.registration = false);
            }
        }
    }
}

/// What a session does that comes back: it begins its link and asks, before there is a handler.
fn begin(case: &mut Case) -> u64 {
    let first = case.session.begin_link();
    case.send();
    first
}

#[test]
fn what_has_to_do_with_others_waits_until_all_are_back_and_nothing_else_does() {
    let mut scene = Scene::new();
    let asked = |kind: Kind| !kind.replies().is_empty() && kind != Kind::Open;
    let mut waits = scene.cases(|kind| asked(kind) && kind.describe().waits_for_others());
    let mut apart = scene.cases(|kind| asked(kind) && !kind.describe().waits_for_others());
    let mut missing = Session::opened(&mut scene.listener, Mode::Client);
    scene.listener.hold_handler();
    // All but the one are on their way back and ask, those first who have to do with others.
    let hear = [scene.bob.begin_link(), scene.arena.begin_link()];
    let firsts: Vec<u64> = waits.iter_mut().chain(&mut apart).map(begin).collect();
    let _dying = scene.listener.next_handler_beside();
    scene.bob.welcome(hear[0]);
    scene.arena.welcome(hear[1]);
    for (case, first) in waits.iter_mut().chain(&mut apart).zip(firsts) {
        case.session.welcome(first);
    }
    apart.iter_mut().for_each(Case::take_answer);
    // Neither is anybody told what was done.
    let sessions = waits.iter().map(|case| &case.session);
    assert!(sessions.chain([&scene.bob, &scene.arena]).all(|session| session.link.is_silent()));
    missing.link_up();
    waits.iter_mut().for_each(Case::take_answer);
    // Scores of one transaction are told as one: how many of them go together is the writer's affair.
    let told = |kind: Kind| kind != Kind::RecordSubmit;
    let counted = waits.iter().chain(&apart).filter(|case| told(case.request.kind())).map(|case| case.heard);
    let heard = scene.heard(0).into_iter().filter(|heard| !heard.starts_with("Record("));
    assert_eq!(heard.count(), counted.sum::<usize>());
}

#[test]
fn a_message_that_has_waited_for_others_wakes_who_listens() {
    let mut scene = Scene::new();
    let (mut last, asker) = scene.asker(State::Server);
    let send = requests(State::Server, &asker, |kind| kind == Kind::RelaySend).remove(0);
    scene.listener.next_handler();
    scene.bob.link_up();
    scene.arena.link_up();
    let wake = scene.ring();
    // With the last one who is back comes the message, and then nothing that could wake the handler.
    scene.listener.handler.signal(Signal::SIGSTOP);
    let first = last.begin_link();
    let number = last.send(&send);
    scene.listener.handler.signal(Signal::SIGCONT);
    last.welcome(first);
    assert_eq!(last.answer(number, &send).kind, ReplyKind::RelaySent);
    wait_readable(wake);
}
