//! What is asked of the handler and what it says: answers in the order of their questions, and pushes. Runs in a worker.

use super::lines::put_question;
use super::resume::{GONE, Unlinked};
use super::{LINK, Session, prompt};
use crate::commands::Command;
use crate::link::Came;
use crate::queue::Waiting;
use crate::render::{Asked, human, json};
use ssmglobal_ipc::frame::Class;
use ssmglobal_ipc::{Code, Event, Failure, ListWatched, Mode, Position, Reply, Request, State, Subscription, Topic};
use std::os::fd::OwnedFd;
use std::time::Instant;

impl Session<'_> {
    /// Asks the handler.
    pub(super) fn ask(&mut self, command: &'static Command, request: Request, id: Option<&str>, key: Option<&str>) {
        match self.linked() {
            Ok(()) => {}
            Err(Unlinked::Deserted) => {
                self.refuse(id, &Failure::new(Code::Unavailable, GONE));
                return self.deserted();
            }
            Err(Unlinked::Busy) => {
                let failure =
                    Failure::new(Code::Unavailable, "The backend cannot be reached at the moment. Try again later.");
                return self.refuse(id, &failure);
            }
        }
        let asked = Asked { kind: request.kind(), done: command.done(&request) };
        let number = self.send(request, key);
        if asked.kind.describe().is_barrier() {
            self.barrier = Some(number);
        }
        let people = self.mode == Mode::Human;
        self.queue.ask(Waiting { number, asked, id: id.map(Into::into), people });
    }

    /// Sends a request that is asked again should the handler die over it; gives its number.
    pub(super) fn send(&mut self, request: Request, key: Option<&str>) -> u64 {
        let number = self.sent.number();
        let first = self.sent.since().is_none();
        if let Some(link) = &mut self.link {
            link.answered &= !first;
            link.ask(number, &request, self.sent.acked().min(number - 1), key);
        }
        self.sent.add(number, request, key, self.last_line);
        number
    }

    pub(super) fn hand_over(&mut self) {
        if let Some(link) = &mut self.link
            && link.hand_over(self.desk).is_err()
        {
            self.link_lost();
        }
        self.leave_desk();
    }

    pub(super) fn flush_link(&mut self) {
        // Again over the next link: nothing else would wake this process to send what is asked once more.
        while let Some(link) = &mut self.link
            && link.flush(self.poll.registry(), LINK).is_err()
        {
            // What it has said before its end is still there.
            self.read_all();
            self.link_lost();
        }
    }

    pub(super) fn read_link(&mut self, ended: bool) {
        if let Some(link) = &mut self.link {
            link.ended |= ended;
        }
        if self.read_all() == Came::Gone {
            self.link_lost();
        }
    }

    /// Reads what the handler has said; gives whether it is gone.
    pub(super) fn read_all(&mut self) -> Came {
        loop {
            let Some(link) = &mut self.link else { return Came::Nothing };
            let came = link.fill();
            if self.frames().is_err() {
                return Came::Gone;
            }
            if came != Came::More {
                return came;
            }
        }
    }

    pub(super) fn frames(&mut self) -> Result<(), ssmglobal_ipc::DecodeError> {
        loop {
            let Some(link) = &mut self.link else { return Ok(()) };
            let Some((frame, fds)) = link.next_frame()? else { return Ok(()) };
            match frame.class {
                Class::Reply => {
                    let (number, reply) = (frame.number, frame.reply()?);
                    self.on_reply(number, &reply, fds);
                }
                Class::Event => {
                    let (number, event) = (frame.number, frame.event()?);
                    self.on_event(number, event);
                }
                Class::Request | Class::Change | Class::Control => {}
            }
        }
    }

    pub(super) fn on_reply(&mut self, number: u64, reply: &Reply, fds: Vec<OwnedFd>) {
        if self.barrier == Some(number) {
            self.barrier = None;
        }
        let sent = self.sent.answered(number);
        if sent.is_some()
            && let Some(link) = &mut self.link
        {
            link.answered = true;
        }
        // What was asked later has not waited so long yet.
        self.delayed = self.delayed.filter(|told| self.sent.since().is_some_and(|since| since < *told));
        if let Some(index) = self.rejoins.iter().position(|(other, _)| *other == number) {
            let (_, channel) = self.rejoins.swap_remove(index);
            return self.on_rejoined(channel, reply, fds);
        }
        if let Some(index) = self.rings.iter().position(|(other, _)| *other == number) {
            let (_, list) = self.rings.swap_remove(index);
            return self.on_ring(list, reply, fds);
        }
        if let Reply::RelayFetched(fetched) = reply {
            return self.on_fetched(number, fetched);
        }
        let request = sent.map(|sent| sent.request);
        self.take_effect(reply, request.as_ref());
        self.answer(number, reply);
        self.count_failure(reply);
        if let Some(request) = request {
            self.on_answered(request, reply, fds);
        }
    }

    /// What an answer changes before the client sees it.
    fn take_effect(&mut self, reply: &Reply, request: Option<&Request>) {
        match (reply, request) {
            (Reply::Welcome(_), _) => {
                self.lost = None;
                if let Some(link) = &mut self.link {
                    link.welcome = true;
                }
            }
            (Reply::LoggedIn(login), _) => self.become_somebody(State::Player, &login.player),
            (Reply::Authed(authed), _) => {
                self.become_somebody(State::Server, &authed.server);
                self.reader.set_limit(self.door.server_line);
            }
            (Reply::Done(_), Some(Request::Logout)) => self.become_nobody(),
            (Reply::Visiting(visiting), _) => self.become_somebody(State::Anonymous, &visiting.visitor.to_string()),
            _ => {}
        }
    }

    /// What else there is to do about an answer that the client has got.
    fn on_answered(&mut self, request: Request, reply: &Reply, fds: Vec<OwnedFd>) {
        let (done, registry) = (!matches!(reply, Reply::Failed(_)), self.poll.registry());
        match request {
            // Also if it has failed: nothing further comes for it.
            Request::RelayJoin(join) => self.on_joined(reply, join.since, fds),
            Request::SetMode(set) => self.mode_there = set.mode,
            Request::RecordWatch(watch) if done => {
                let (topic, cursor) = (Topic::Board(watch.board), Position::default());
                self.subscriptions.add(Subscription { topic, cursor });
            }
            Request::UniverseWatch if done => {
                self.subscriptions.add(Subscription { topic: Topic::Universe, cursor: Position::default() });
            }
            Request::UniverseUnwatch if done => _ = self.subscriptions.remove(&Topic::Universe, registry),
            Request::RecordUnwatch(watch) if done => {
                _ = self.subscriptions.remove(&Topic::Board(watch.board), registry)
            }
            Request::PropertyWatch(watch) if done => {
                let (topic, cursor) = (Topic::Properties(watch.of), Position::default());
                self.subscriptions.add(Subscription { topic, cursor });
            }
            Request::PropertyUnwatch(watch) if done => {
                _ = self.subscriptions.remove(&Topic::Properties(watch.of), registry)
            }
            Request::ListWatch(_) => {
                if let Reply::ListWatched(ListWatched { list, at }) = *reply {
                    self.subscriptions.add(Subscription { topic: list.into(), cursor: at });
                    self.subscriptions.came_to(list, at);
                    self.ask_ring(list);
                }
            }
            Request::ListUnwatch(unwatch) if done => _ = self.subscriptions.remove(&unwatch.list.into(), registry),
            // Its watch goes on from there.
            Request::ListWorlds(_) | Request::ListUsers(_) => {
                if let Reply::Listed(listed) = reply
                    && !listed.more
                {
                    self.subscriptions.came_to(listed.rows.list(), listed.at);
                }
            }
            Request::RelayLeave(leave) if done => {
                _ = self.subscriptions.remove(&Topic::Channel(leave.channel), registry)
            }
            _ => {}
        }
    }

    pub(super) fn become_somebody(&mut self, state: State, name: &str) {
        self.state = state;
        self.alive = Instant::now();
        name.clone_into(&mut self.who);
        self.show_title();
    }

    /// Shows the answer to a question, in its turn.
    pub(super) fn answer(&mut self, number: u64, reply: &Reply) {
        let (look, reader) = (self.reader.look(), &self.reader);
        self.queue.answer(number, &mut self.client.out, |out, waiting| {
            if waiting.people {
                human::reply(out, waiting.asked, reply, look);
                prompt(out, reader);
            } else {
                json::reply(out, waiting.id.as_deref(), waiting.asked, reply);
            }
        });
        self.prompted = self.mode == Mode::Human;
    }

    fn on_event(&mut self, number: u64, event: Event) {
        // One handler had it on its way, and the next one says it again.
        if number != 0 && number <= self.heard {
            return;
        }
        self.heard = self.heard.max(number);
        if let Event::Ticket(ticket) = event {
            self.ticket = Some(ticket);
            return;
        }
        if let Event::List(changed) = event {
            return self.on_list(changed);
        }
        self.show_event(&event);
        match event {
            Event::Close(_) => self.ending = true,
            Event::LoggedOut(_) | Event::TakenOver(_) => self.become_nobody(),
            _ => {}
        }
    }

    /// Shows a push; a person's prompt comes again behind it.
    pub(super) fn show_event(&mut self, event: &Event) {
        // What is open is answered first, and a question for a secret comes in its turn.
        let question = self.question().filter(|_| self.queue.is_empty());
        let out = &mut self.client.out;
        match self.mode {
            Mode::Human => {
                if self.prompted || question.is_some() {
                    out.extend_from_slice(b"\r\n");
                }
                human::event(out, event, self.reader.look());
                match question {
                    Some(question) => put_question(out, question, &self.reader),
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
