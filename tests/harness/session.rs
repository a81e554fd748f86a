//! A session as a sound worker has it, moved by hand: what it asks is numbered over all its links, what it has heard it does not
//! take twice, and the next handler is told where it was.

use super::{Answer, Hostile, Link, Listener, request_frame};
use ssmglobal_ipc::{Carried, Event, Mode, Open, Reply, ReplyKind, Request, State, Subscription, Ticket};
use std::collections::BTreeSet;
use std::os::unix::net::UnixStream;

/// A session.
pub struct Session {
    /// Its worker.
    pub worker: Hostile,
    /// Its link.
    pub link: Link,
    /// What it is, as far as it knows.
    pub state: State,
    /// How its client spoke before what was not answered.
    pub mode: Mode,
    /// What it listens to.
    pub subscriptions: Vec<Subscription>,
    /// The smallest number that was not used yet.
    next: u64,
    /// The numbers of what was asked and not answered.
    unanswered: BTreeSet<u64>,
    ticket: Option<Ticket>,
    last_push: u64,
    pushes: Vec<Event>,
}

impl Session {
    /// One that has said nothing yet.
    pub fn new(listener: &mut Listener) -> Session {
        let worker = listener.worker();
        let link = worker.link();
        Session {
            worker,
            link,
            state: State::New,
            mode: Mode::Ask,
            subscriptions: Vec::new(),
            next: 1,
            unanswered: BTreeSet::new(),
            ticket: None,
            last_push: 0,
            pushes: Vec::new(),
        }
    }

    /// One that has begun, for a client that speaks so.
    pub fn opened(listener: &mut Listener, mode: Mode) -> Session {
        let mut session = Session::new(listener);
        session.mode = mode;
        session.say_open();
        session
    }

    /// What it says first on a link.
    pub fn open(&self) -> Open {
        let (next, ticket, last_push) = (self.next, self.ticket.clone(), self.last_push);
        Open { next, ticket, last_push, subscriptions: self.subscriptions.clone(), ..self.worker.open(self.mode) }
    }

    fn say_open(&mut self) {
        let open = Request::Open(self.open());
        let number = self.send(&open);
        self.welcome(number);
    }

    /// Another link, on which nothing was said yet.
    pub fn new_link(&mut self) {
        self.link = self.worker.link();
    }

    /// Goes on with the handler that there is now, by another link.
    pub fn link_up(&mut self) {
        self.new_link();
        self.say_open();
    }

    /// As [`Session::link_up`], without waiting for the handler; gives the number of what was said first.
    pub fn begin_link(&mut self) -> u64 {
        self.new_link();
        let open = Request::Open(self.open());
        self.send(&open)
    }

    /// The answer to what was said first.
    pub fn welcome(&mut self, number: u64) {
        let answer = self.answer(number, &Request::Open(self.open()));
        assert_eq!(answer.kind, ReplyKind::Welcome, "{:?}", answer.reply());
    }

    /// As [`Session::link_up`]; gives a hand on the handler's end.
    pub fn link_up_with_hand(&mut self) -> UnixStream {
        let (link, hand) = self.worker.link_and_other_end();
        self.link = link;
        self.say_open();
        hand
    }

    /// Takes what has come on a link that has ended, and there must be no answer to anything.
    pub fn lose_link(&mut self) {
        assert_eq!(self.take(), None);
    }

    /// Sends something new; gives its number.
    pub fn send(&mut self, request: &Request) -> u64 {
        self.send_under(None, request)
    }

    /// As [`Session::send`], under a key of the client's.
    pub fn send_under(&mut self, key: Option<&str>, request: &Request) -> u64 {
        let number = self.next;
        self.next += 1;
        self.send_again(number, key, request);
        number
    }

    /// Sends again what was sent under this number.
    pub fn send_again(&mut self, number: u64, key: Option<&str>, request: &Request) {
        if !request.kind().replies().is_empty() {
            self.unanswered.insert(number);
        }
        let acked = self.unanswered.first().map_or(self.next, |first| *first) - 1;
        let carried = Carried { acked, key: key.map(str::to_owned) };
        self.link.send(&request_frame(number, &carried, request));
    }

    /// The answer to what was sent under this number, which is the next one.
    pub fn answer(&mut self, number: u64, request: &Request) -> Answer {
        let name = request.kind().name();
        let answer = self.take().unwrap_or_else(|| panic!("{name}: the session ends"));
        assert_eq!(answer.number, number, "{name}: {answer:?}");
        self.unanswered.remove(&number);
        self.become_what(request, &answer.reply());
        answer
    }

    /// Asks something new.
    pub fn ask(&mut self, request: &Request) -> Reply {
        self.ask_under(None, request).reply()
    }

    /// Asks something that must be done.
    #[track_caller]
    pub fn done(&mut self, request: &Request) -> Reply {
        let reply = self.ask(request);
        assert!(request.kind().replies().contains(&reply.kind()), "{request:?}: {reply:?}");
        reply
    }

    /// As [`Session::ask`], under a key of the client's.
    pub fn ask_under(&mut self, key: Option<&str>, request: &Request) -> Answer {
        let number = self.send_under(key, request);
        self.answer(number, request)
    }

    /// Asks something again, under the number that it had.
    pub fn ask_again(&mut self, number: u64, key: Option<&str>, request: &Request) -> Answer {
        self.send_again(number, key, request);
        self.answer(number, request)
    }

    /// What was pushed since it was last asked for, once each; waits until it is so much.
    pub fn hear(&mut self, count: usize) -> Vec<Event> {
        self.take_pushes();
        while self.pushes.len() < count {
            assert!(self.link.read(), "the link ends, and {} of {count} were heard", self.pushes.len());
            self.take_pushes();
        }
        std::mem::take(&mut self.pushes)
    }

    fn take(&mut self) -> Option<Answer> {
        let answer = self.link.answer();
        self.take_pushes();
        answer
    }

    fn take_pushes(&mut self) {
        self.ticket = self.link.ticket.clone().or(self.ticket.take());
        for (number, event) in self.link.pushes.drain(..) {
            // One that has come already, over another link.
            if number != 0 && number <= self.last_push {
                continue;
            }
            self.last_push = self.last_push.max(number);
            self.pushes.push(event);
        }
    }

    /// What an answer makes of it.
    fn become_what(&mut self, request: &Request, reply: &Reply) {
        self.state = match (request, reply) {
            (_, Reply::LoggedIn(_)) => State::Player,
            (_, Reply::Authed(_)) => State::Server,
            (Request::Logout, Reply::Done(_)) => State::Anonymous,
            (Request::Open(Open { mode, .. }), Reply::Welcome(_)) if self.state == State::New => nobody(*mode),
            (Request::SetMode(set), Reply::Done(_)) => {
                let was_server = matches!(self.state, State::Server | State::Unproved);
                if was_server == (set.mode == Mode::Server) { self.state } else { nobody(set.mode) }
            }
            _ => self.state,
        };
    }
}

/// What a session is that speaks so and has proved nothing.
fn nobody(mode: Mode) -> State {
    match mode {
        Mode::Server => State::Unproved,
        Mode::Ask | Mode::Human | Mode::Client => State::Anonymous,
    }
}
