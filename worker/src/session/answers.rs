//! What the handler says: the link to it, answers in the order of their questions, pushes, relay messages. Runs in a
//! worker.

use super::{DESK, LINK, Session, prompt};
use crate::commands::{Command, State};
use crate::link::{Came, Link};
use crate::queue::Waiting;
use crate::render::{human, json};
use mio::unix::SourceFd;
use mio::{Interest, Token};
use ssmglobal_ipc::frame::Class;
use ssmglobal_ipc::{Code, Event, Failure, Mode, Notice, Reply, Request};
use std::os::fd::AsRawFd;

impl Session<'_> {
    /// Asks the handler.
    pub(super) fn ask(&mut self, command: &'static Command, request: &Request, id: Option<&str>) {
        let Some(link) = self.linked() else {
            let failure =
                Failure::new(Code::Unavailable, "The backend cannot be reached at the moment. Try again later.");
            return self.refuse(id, &failure);
        };
        let number = link.ask(request);
        match request {
            Request::RelayJoin(join) => self.joins.push_back(join.since),
            Request::Register(_) | Request::Login(_) | Request::Logout | Request::Auth(_) => {
                self.barrier = Some(number)
            }
            Request::RecordWatch(_) => self.watching = true,
            Request::RelayLeave(leave) => self.relay.leave(&leave.channel, self.poll.registry()),
            _ => {}
        }
        let people = self.mode == Mode::Human;
        self.queue.ask(Waiting { number, command, id: id.map(Into::into), people });
    }

    /// The link, made now if there was none.
    pub(super) fn linked(&mut self) -> Option<&mut Link> {
        if self.link.is_none() {
            self.link = Link::open(self.desk, self.mode, self.poll.registry(), LINK).ok();
            self.watch_desk();
        }
        self.link.as_mut()
    }

    /// The front desk had no room: waits for it.
    pub(super) fn watch_desk(&mut self) {
        if !self.desk_watched && self.link.as_ref().is_some_and(Link::waits_for_desk) {
            let mut desk = SourceFd(&self.desk.as_raw_fd());
            self.desk_watched = self.poll.registry().register(&mut desk, DESK, Interest::WRITABLE).is_ok();
        }
    }

    pub(super) fn hand_over(&mut self) {
        if let Some(link) = &mut self.link
            && link.hand_over(self.desk).is_err()
        {
            self.link_lost();
        }
    }

    pub(super) fn flush_link(&mut self) {
        if let Some(link) = &mut self.link
            && link.flush(self.poll.registry(), LINK).is_err()
        {
            self.link_lost();
        }
    }

    /// The handler is gone. What it has not answered is not known to be done.
    pub(super) fn link_lost(&mut self) {
        let Some(link) = self.link.take() else { return };
        link.close(self.poll.registry());
        let msg = "The backend was restarted before it answered. Look whether it was done, then try again.";
        for number in self.queue.numbers() {
            self.answer(number, &Reply::fail(Code::Unavailable, msg));
        }
        self.barrier = None;
        self.joins.clear();
        self.fetches.clear();
        let again = match self.state {
            State::Player => "LOGIN again",
            State::Server => "AUTH again",
            _ if self.watching => "RECORD WATCH again what you watched",
            _ => return,
        };
        if self.state != State::Anonymous {
            self.become_nobody();
        }
        self.watching = false;
        let msg = format!("The backend was restarted; everything is saved. Please {again}.");
        self.show_event(&Event::Notice(Notice { msg }));
    }

    pub(super) fn read_link(&mut self) {
        loop {
            let Some(link) = &mut self.link else { return };
            let came = link.fill();
            if self.frames().is_err() || came == Came::Gone {
                return self.link_lost();
            }
            if came == Came::Nothing {
                return;
            }
        }
    }

    pub(super) fn frames(&mut self) -> Result<(), ssmglobal_ipc::frame::DecodeError> {
        loop {
            let Some(link) = &mut self.link else { return Ok(()) };
            let Some(frame) = link.reader.next_frame()? else { return Ok(()) };
            match frame.class {
                Class::Reply => {
                    let (number, reply) = (frame.number, frame.reply()?);
                    self.on_reply(number, &reply);
                }
                Class::Event => {
                    let event = frame.event()?;
                    self.on_event(&event);
                }
                Class::Request | Class::Control => {}
            }
        }
    }

    pub(super) fn on_reply(&mut self, number: u64, reply: &Reply) {
        if self.barrier == Some(number) {
            self.barrier = None;
        }
        match reply {
            Reply::Welcome(welcome) => self.session = welcome.session,
            Reply::LoggedIn(login) => self.become_somebody(State::Player, &login.player),
            Reply::Authed(authed) => {
                self.become_somebody(State::Server, &authed.server);
                self.reader.set_limit(self.door.server_line);
            }
            Reply::Done(_) if self.queue.find(number).is_some_and(|waiting| waiting.command.name == "LOGOUT") => {
                self.become_nobody();
            }
            Reply::RelayFetched(fetched) => return self.on_fetched(number, fetched),
            _ => {}
        }
        let join = self.queue.find(number).is_some_and(|waiting| waiting.command.name == "RELAY JOIN");
        self.answer(number, reply);
        if join {
            self.on_joined(reply);
        }
    }

    pub(super) fn become_somebody(&mut self, state: State, name: &str) {
        self.state = state;
        name.clone_into(&mut self.who);
        self.show_title();
    }

    /// Shows the answer to a question, in its turn.
    pub(super) fn answer(&mut self, number: u64, reply: &Reply) {
        let (look, reader) = (self.reader.look(), &self.reader);
        self.queue.answer(number, &mut self.client.out, |out, waiting| {
            if waiting.people {
                human::reply(out, Some(waiting.command), reply, look);
                prompt(out, reader);
            } else {
                json::reply(out, waiting.id.as_deref(), Some(waiting.command), reply);
            }
        });
        self.prompted = self.mode == Mode::Human;
    }

    pub(super) fn on_joined(&mut self, reply: &Reply) {
        let since = self.joins.pop_front().flatten();
        let Some(link) = &mut self.link else { return };
        link.joins = link.joins.saturating_sub(1);
        let Reply::RelayJoined(joined) = reply else { return };
        let fds = link.fds.pop_front().zip(link.fds.pop_front());
        let fetch = match fds.map(|fds| self.relay.join(joined, since, fds, self.poll.registry())) {
            Some(Ok(fetch)) => fetch,
            _ => {
                let msg = format!("Messages on {} cannot be received; RELAY LEAVE it and try again.", joined.channel);
                return self.show_event(&Event::Notice(Notice { msg }));
            }
        };
        self.fetch(fetch);
        self.relay.read_all(self.session, &mut self.client.out);
    }

    pub(super) fn fetch(&mut self, fetch: Option<ssmglobal_ipc::RelayFetch>) {
        if let Some((link, fetch)) = self.link.as_mut().zip(fetch) {
            let channel = fetch.channel.clone();
            let number = link.ask(&Request::RelayFetch(fetch));
            self.fetches.push((number, channel));
        }
    }

    pub(super) fn on_fetched(&mut self, number: u64, fetched: &ssmglobal_ipc::RelayFetched) {
        let Some(index) = self.fetches.iter().position(|(other, _)| *other == number) else { return };
        let (_, channel) = self.fetches.swap_remove(index);
        let next = self.relay.fetched(&channel, fetched, &mut self.client.out);
        let done = next.is_none();
        self.fetch(next);
        if done {
            self.relay.read_all(self.session, &mut self.client.out);
        }
    }

    pub(super) fn read_ring(&mut self, token: Token) {
        if self.client.is_slow() {
            self.relay.waits = true;
        } else {
            self.relay.read(token, self.session, &mut self.client.out);
        }
    }

    pub(super) fn on_event(&mut self, event: &Event) {
        self.show_event(event);
        match event {
            Event::Close(_) => self.ending = true,
            Event::LoggedOut(_) => self.become_nobody(),
            _ => {}
        }
    }

    /// Shows a push; a person's prompt comes again behind it.
    pub(super) fn show_event(&mut self, event: &Event) {
        let out = &mut self.client.out;
        match self.mode {
            Mode::Human => {
                if self.prompted || self.asking.is_some() {
                    out.extend_from_slice(b"\r\n");
                }
                human::event(out, event, self.reader.look());
                match &self.asking {
                    Some(_) => self.ask_secret(),
                    None if self.queue.is_empty() => {
                        prompt(out, &self.reader);
                        self.prompted = true;
                    }
                    None => {}
                }
            }
            // It waits for a greeting's answer; only the end is worth a word.
            Mode::Ask if !matches!(event, Event::Close(_)) => {}
            Mode::Ask | Mode::Client | Mode::Server => json::event(out, event),
        }
    }
}
