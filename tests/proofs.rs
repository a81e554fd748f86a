//! What somebody has proved holds until something ends it, whatever a worker that was taken over says of the time before.

use crate::harness::{Link, Listener, request_frame};
use ssmglobal_ipc::*;

/// What ends what somebody has proved.
#[derive(Clone, Copy, Debug)]
enum Ends {
    Logout,
    Mode,
    Disable,
    Password,
    Key,
}

const ENDS: [Ends; 5] = [Ends::Logout, Ends::Mode, Ends::Disable, Ends::Password, Ends::Key];

impl Ends {
    fn mode(self) -> Mode {
        if matches!(self, Ends::Key) { Mode::Server } else { Mode::Client }
    }

    /// Proves to be mallory, or the game server arena.
    fn login(self, secret: &Secret) -> Request {
        match self {
            Ends::Key => Request::Auth(Auth { name: "arena".into(), key: secret.clone() }),
            _ => Request::Login(Login { name: "mallory".into(), password: secret.clone() }),
        }
    }

    /// The answer to a proof that is good.
    fn proved(self) -> ReplyKind {
        if matches!(self, Ends::Key) { ReplyKind::Authed } else { ReplyKind::LoggedIn }
    }

    /// Does what ends it; what its own session asks goes over its link, if it has one.
    fn come(self, listener: &Listener, link: Option<&mut Link>) {
        let asked = |link: Option<&mut Link>, request| {
            let reply = link.expect("a link").ask(&request);
            assert!(matches!(reply, Some(Reply::Done(_))), "{reply:?}");
        };
        match self {
            Ends::Logout => asked(link, Request::Logout),
            Ends::Mode => asked(link, Request::SetMode(SetMode { mode: Mode::Server })),
            Ends::Disable => {
                listener.ctl(&["player", "disable", "mallory", "--reason", "spam"]);
                listener.ctl(&["player", "enable", "mallory"]);
            }
            Ends::Password => listener.set_password("mallory", "long enough"),
            Ends::Key => drop(listener.ctl(&["server", "rotate-key", "arena"])),
        }
    }

    /// The session is nobody now.
    fn has_ended(self, link: &mut Link, when: &str) {
        match self.mode() {
            // A game server that has not proved anything may not even ask.
            Mode::Server => {
                let refused = link.ask(&Request::Whoami);
                assert!(matches!(refused, Some(Reply::Failed(_))), "{self:?}, {when}: {refused:?}");
            }
            _ => assert_eq!(who(link), None, "{self:?}, {when}"),
        }
    }
}

/// Who a link's session is.
fn who(link: &mut Link) -> Option<String> {
    match link.ask(&Request::Whoami) {
        Some(Reply::Whoami(whoami)) => whoami.player.or(whoami.server),
        Some(Reply::Failed(failure)) => panic!("{failure:?}"),
        reply => panic!("{reply:?}"),
    }
}

#[test]
fn an_answer_that_nobody_has_acknowledged_proves_nothing_again() {
    let mut listener = Listener::start();
    let mut worker = listener.worker();
    drop(worker.registered("mallory"));
    listener.game_server("arena");
    for (ends, dies) in ENDS.into_iter().flat_map(|ends| [(ends, false), (ends, true)]) {
        let secret = match ends {
            Ends::Key => Secret::new(listener.ctl(&["server", "rotate-key", "arena"])["key"].as_str().unwrap()),
            _ => Secret::new("long enough"),
        };
        listener.join(&mut worker);
        let mut link = worker.opened(ends.mode());
        let never = Carried { acked: 1, key: None };
        link.send(&request_frame(2, &never, &ends.login(&secret)));
        let first = link.answer().expect("an answer");
        link.next = 3;
        assert_eq!(first.kind, ends.proved(), "{ends:?}: {first:?}");
        ends.come(&listener, Some(&mut link));
        let mode = if matches!(ends, Ends::Mode) { Mode::Client } else { ends.mode() };
        // The session says whatever it likes of what was done before.
        let ticket = link.ticket.clone();
        if dies {
            listener.next_handler();
        }
        let open = Open { next: 1000, ticket, ..worker.open(mode) };
        let mut again = worker.opened_with(open);
        again.send(&request_frame(2, &never, &ends.login(&Secret::new("whatever"))));
        again.answer().expect("an answer");
        ends.has_ended(&mut again, if dies { "after a death" } else { "with the same handler" });
    }
}

#[test]
fn a_ticket_from_before_is_worth_nothing_after_what_has_ended_it() {
    let mut listener = Listener::start();
    let mut worker = listener.worker();
    drop(worker.registered("mallory"));
    listener.game_server("arena");
    for ends in [Ends::Disable, Ends::Password, Ends::Key] {
        let secret = match ends {
            Ends::Key => Secret::new(listener.ctl(&["server", "rotate-key", "arena"])["key"].as_str().unwrap()),
            _ => Secret::new("long enough"),
        };
        listener.join(&mut worker);
        let mut link = worker.opened(ends.mode());
        let reply = link.ask(&ends.login(&secret)).expect("an answer");
        assert_eq!(reply.kind(), ends.proved(), "{ends:?}: {reply:?}");
        who(&mut link);
        let ticket = link.ticket.clone();
        // It has no link meanwhile, by which it could be logged out.
        listener.next_handler();
        ends.come(&listener, None);
        let open = Open { next: 9, ticket, ..worker.open(ends.mode()) };
        let mut again = worker.opened_with(open);
        ends.has_ended(&mut again, "after a death");
    }
}

#[test]
fn who_has_proved_to_be_somebody_else_is_that_wherever_the_handler_has_died_over_it() {
    let mut listener = Listener::start();
    let worker = listener.worker();
    let mut link = worker.registered("alice");
    who(&mut link);
    let before = listener.left().end();
    let ticket = link.ticket.clone();
    let register = Register { name: "bob".into(), password: Secret::new("long enough"), email: None };
    let asked = link.frame(&Request::Register(register));
    link.send(&asked);
    assert!(matches!(link.reply(), Some(Reply::LoggedIn(_))));
    listener.kill_handler();
    let left = listener.left();
    let ends = left.ends_since(before);
    assert!(ends.len() > 2, "nothing was written: {ends:?}");
    for end in ends {
        listener.leave(&left, end);
        listener.start_handler();
        // Neither the answer nor another ticket has come.
        let open = Open { next: 100, ticket: ticket.clone(), ..worker.open(Mode::Client) };
        let mut link = worker.opened_with(open);
        link.send(&asked);
        let reply = link.reply();
        assert!(matches!(reply, Some(Reply::LoggedIn(_))), "{reply:?}");
        link.next = 100;
        assert_eq!(who(&mut link), Some("bob".to_owned()), "it has died at {end}, where it began at {before}");
        listener.kill_handler();
    }
}
