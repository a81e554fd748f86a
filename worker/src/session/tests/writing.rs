//! A person who is asked for something, who writes a text, or who reads a long answer.

use super::Scene;
use ssmglobal_ipc::{Event, Mode, Notice, Party, Request, State, TellArrived, Time};

fn logged_in() -> Scene {
    let mut scene = Scene::new(Mode::Human);
    scene.says("LOGIN bob hunter22\r\n");
    scene.answers(0);
    scene.said.clear();
    scene
}

fn told() -> Event {
    Event::Tell(TellArrived { from: Party::parse("ann"), body: "hi\n[notice] fake".into(), at: Time(0) })
}

impl Scene {
    /// What was said since the last time.
    fn heard(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.said)).into_owned()
    }
}

#[test]
fn what_is_pasted_into_a_text_is_text_and_nothing_else() {
    let mut scene = logged_in();
    scene.says("MAIL SEND ann SUBJECT \"Tonight\"\r\nQUIT\r\n\r\n  LOGOUT\r\n~~p\r\n..\r\n.\r\nWHOAMI\r\n");
    let [(_, Request::MailSend(send)), (_, Request::Whoami)] = &scene.open[..] else { panic!("{:?}", scene.open) };
    assert_eq!((&*send.to, &*send.body), ("ann", "QUIT\n\n  LOGOUT\n~p\n.."));
    assert_eq!(send.subject.as_deref(), Some("Tonight"));
}

#[test]
fn what_others_say_waits_until_a_text_is_written_and_what_the_backend_says_does_not() {
    let mut scene = logged_in();
    scene.says("TELL ann\r\none\r\n");
    scene.heard();
    scene.pushed(told());
    assert_eq!(scene.heard(), "");
    scene.pushed(Event::Notice(Notice { msg: "Soon.".into() }));
    let heard = scene.heard();
    assert_eq!(heard, "\r\n[tell] ann: hi\r\n  [notice] fake\r\n[notice] Soon.\r\n2: ", "and with it what waited");
    scene.pushed(told());
    scene.says("two\r\n.\r\n");
    assert_eq!(scene.heard(), "3: [tell] ann: hi\r\n  [notice] fake\r\n");
}

#[test]
fn much_that_waits_is_said_before_the_text_is_written() {
    let mut scene = logged_in();
    scene.says("TELL ann\r\n");
    scene.heard();
    let long = || Event::Tell(TellArrived { from: Party::parse("ann"), body: "x".repeat(2000), at: Time(0) });
    let pushes = (0..100).take_while(|_| {
        scene.pushed(long());
        scene.said.is_empty()
    });
    assert_eq!(pushes.count(), 16);
    assert!(scene.heard().ends_with("\r\n1: "));
}

#[test]
fn a_text_that_was_refused_is_kept_for_who_wrote_it() {
    let mut scene = logged_in();
    scene.says("TELL ann\r\nhard to write\r\n.\r\n");
    scene.answers(0);
    assert!(scene.heard().contains("What you wrote is kept"));
    scene.moves();
    // Not in front of something else.
    scene.says("MAIL SEND ann\r\n");
    assert!(scene.heard().ends_with("1: ") && scene.session.draft.text("bob", "TELL").is_some());
    scene.says("~q\r\nTELL amy\r\n");
    assert!(scene.heard().ends_with("1: hard to write\r\n2: "));
    scene.says(".\r\n");
    let [(_, Request::Tell(tell))] = &scene.open[..] else { panic!("{:?}", scene.open) };
    assert_eq!((&*tell.to, &*tell.body), ("amy", "hard to write"));
    scene.answers(0);
    // Logged out by somebody else: what he writes then is refused, and kept until he is back.
    scene.says("MAIL SEND ann\r\n~q\r\nMAIL SEND ann\r\nmine\r\n");
    scene.pushed(Event::LoggedOut(Notice { msg: "You were logged out.".into() }));
    scene.heard();
    scene.says(".\r\n");
    assert!(scene.heard().contains("Log in first") && scene.open.is_empty());
    scene.says("LOGIN bob hunter22\r\n");
    scene.answers(0);
    scene.heard();
    scene.says("MAIL SEND ann\r\n");
    assert!(scene.heard().contains("1: mine\r\n"));
    scene.says("~q\r\nMAIL SEND ann\r\nmine\r\n.\r\n");
    scene.answers(0);
    scene.says("LOGOUT\r\n");
    scene.answers(0);
    scene.session.who = "zed".into();
    scene.session.state = State::Player;
    scene.says("MAIL SEND ann\r\n");
    assert!(!scene.heard().contains("1: mine"), "nobody else gets it");
}

#[test]
fn a_password_that_will_be_refused_is_not_asked_for_again() {
    let mut scene = Scene::new(Mode::Human);
    scene.says("REGISTER\r\nzed\r\nshort\r\n");
    assert!(
        scene
            .heard()
            .replace("\r\n", " ")
            .ends_with("this one has 5. Type it again, or nothing to give up. Password: ")
    );
    scene.says("long enough\r\nlong enough\r\n");
    let [(_, Request::Register(register))] = &scene.open[..] else { panic!("{:?}", scene.open) };
    assert_eq!((&*register.name, register.password.expose()), ("zed", "long enough"));
}

#[test]
fn who_comes_after_another_does_not_get_the_rest_of_what_that_one_has_read() {
    for logged_out in [true, false] {
        let mut scene = logged_in();
        scene.says(b"\xff\xfb\x1f\xff\xfa\x1f\0\x50\0\x06\xff\xf0");
        scene.says("HELP MAIL\r\n");
        if logged_out {
            scene.pushed(Event::LoggedOut(Notice { msg: "You were logged out.".into() }));
            assert!(String::from_utf8_lossy(&scene.said).contains("logged out.\r\n> "));
        } else {
            scene.says("LOGOUT\r\n");
            scene.answers(0);
        }
        scene.heard();
        scene.says("MORE\r\n");
        assert!(scene.heard().starts_with("There is nothing more to show."));
    }
}

#[test]
fn what_is_longer_than_the_window_is_shown_page_by_page_but_not_to_who_asked_ahead() {
    let mut scene = Scene::new(Mode::Human);
    scene.says(b"\xff\xfb\x1f\xff\xfa\x1f\0\x50\0\x06\xff\xf0");
    scene.heard();
    scene.says("HELP MAIL\r\n");
    let first = scene.heard();
    assert_eq!(first.matches("\r\n").count(), 5, "{first}");
    scene.pushed(told());
    assert_eq!(scene.heard(), "");
    scene.moves();
    scene.says("\r\n");
    assert!(scene.heard().starts_with("\tMAIL"));
    scene.says("STAY\r\n");
    let heard = scene.heard();
    assert!(heard.starts_with("[tell] ann: hi\r\n") && heard.contains("logged in.\r\n> "), "{heard}");
    scene.says("MORE\r\n\r\nMORE\r\n");
    assert!(scene.heard().contains("HELP MAIL SEND explains one.\r\n> "));
    scene.says("MORE\r\n");
    assert!(scene.heard().starts_with("There is nothing more to show.\r\n> "));
    scene.says("WHOAMI\r\nHELP MAIL\r\n");
    scene.answers(0);
    assert!(scene.heard().contains("HELP MAIL SEND explains one.\r\n> "));
}
