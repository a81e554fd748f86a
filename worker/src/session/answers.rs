//! What is asked of the handler and what it says: answers in the order of their questions, pushes, relay messages. Runs in
//! a worker.

use super::{LINK, Session, prompt};
use crate::commands::Command;
use crate::link::Came;
use crate::queue::Waiting;
use crate::render::{Asked, human, json};
use mio::Token;
use ssmglobal_ipc::frame::Class;
use ssmglobal_ipc::{Code, Event, Failure, Mode, Notice, RelayFetch, RelayFetched, RelayJoined, Reply, Request, State};
use std::os::fd::OwnedFd;

impl Session<'_> {
    /// Asks the handler.
    pub(super) fn ask(&mut self, command: &'static Command, request: Request, id: Option<&str>, key: Option<&str>) {
        if !self.linked() {
            let failure =
                Failure::new(Code::Unavailable, "The backend cannot be reached at the moment. Try again later.");
            return self.refuse(id, &failure);
        }
        let asked = Asked { kind: request.kind(), done: command.done };
        let left = match &request {
            Request::RelayLeave(leave) => self.relay.leave(&leave.channel, self.poll.registry()),
            _ => false,
        };
        let number = self.send(request, key, left);
        if asked.kind.describe().is_barrier() {
            self.barrier = Some(number);
        }
        let people = self.mode == Mode::Human;
        self.queue.ask(Waiting { number, asked, id: id.map(Into::into), people });
    }

    /// Sends a request that is asked again should the handler die over it; gives its number.
    pub(super) fn send(&mut self, request: Request, key: Option<&str>, left: bool) -> u64 {
        let number = self.sent.number();
        let first = self.sent.since().is_none();
        if let Some(link) = &mut self.link {
            link.answered &= !first;
            link.ask(number, &request, self.sent.acked().min(number - 1), key);
        }
        self.sent.add(number, request, key, self.last_line, left);
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
            let Some(frame) = link.reader.next_frame()? else { return Ok(()) };
            match frame.class {
                Class::Reply => {
                    let (number, reply) = (frame.number, frame.reply()?);
                    self.on_reply(number, &reply);
                }
                Class::Event => {
                    let (number, event) = (frame.number, frame.event()?);
                    self.on_event(number, event);
                }
                Class::Request | Class::Change | Class::Control => {}
            }
        }
    }

    pub(super) fn on_reply(&mut self, number: u64, reply: &Reply) {
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
            return self.on_rejoined(channel, reply);
        }
        match reply {
            Reply::Welcome(_) => {
                self.lost = None;
                if let Some(link) = &mut self.link {
                    link.welcome = true;
                }
            }
            Reply::LoggedIn(login) => self.become_somebody(State::Player, &login.player),
            Reply::Authed(authed) => {
                self.become_somebody(State::Server, &authed.server);
                self.reader.set_limit(self.door.server_line);
            }
            Reply::Done(_) if matches!(&sent, Some(sent) if sent.request == Request::Logout) => self.become_nobody(),
            Reply::RelayFetched(fetched) => return self.on_fetched(number, fetched),
            _ => {}
        }
        self.answer(number, reply);
        self.count_failure(reply);
        match sent.map(|sent| sent.request) {
            Some(Request::RelayJoin(join)) => self.on_joined(reply, join.since),
            // Of a join that was still on its way when the client asked to leave.
            Some(Request::RelayLeave(leave)) if !matches!(reply, Reply::Failed(_)) => {
                self.relay.leave(&leave.channel, self.poll.registry());
            }
            Some(Request::SetMode(set)) => self.mode_there = set.mode,
            Some(Request::RecordWatch(watch)) if !matches!(reply, Reply::Failed(_)) => {
                self.watches.retain(|board| !board.eq_ignore_ascii_case(&watch.board));
                self.watches.push(watch.board);
            }
            Some(Request::RecordUnwatch(watch)) if !matches!(reply, Reply::Failed(_)) => {
                self.watches.retain(|board| !board.eq_ignore_ascii_case(&watch.board));
            }
            _ => {}
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
                human::reply(out, waiting.asked, reply, look);
                prompt(out, reader);
            } else {
                json::reply(out, waiting.id.as_deref(), waiting.asked, reply);
            }
        });
        self.prompted = self.mode == Mode::Human;
    }

    /// The descriptors that came with the answer to a RELAY JOIN.
    fn ring_of<'r>(&mut self, reply: &'r Reply) -> Option<(&'r RelayJoined, Option<(OwnedFd, OwnedFd)>)> {
        let link = self.link.as_mut()?;
        link.joins = link.joins.saturating_sub(1);
        let Reply::RelayJoined(joined) = reply else { return None };
        Some((joined, link.fds.pop_front().zip(link.fds.pop_front())))
    }

    fn on_joined(&mut self, reply: &Reply, since: Option<u64>) {
        let Some((joined, fds)) = self.ring_of(reply) else { return };
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

    /// A channel goes on where the link before this one has left it; `channel` is none when it was left meanwhile.
    fn on_rejoined(&mut self, channel: Option<String>, reply: &Reply) {
        let came = self.ring_of(reply);
        let Some(channel) = channel else { return };
        let joined = came.and_then(|(joined, fds)| Some((joined, fds?)));
        let out = &mut self.client.out;
        match joined.map(|(joined, fds)| self.relay.rejoin(joined, fds, self.poll.registry(), out)) {
            Some(Ok(fetch)) => {
                self.fetch(fetch);
                self.relay.read_all(self.session, &mut self.client.out);
            }
            _ => {
                self.relay.leave(&channel, self.poll.registry());
                let msg = format!("You are not on the channel {channel} any more. RELAY JOIN it again.");
                self.show_event(&Event::Notice(Notice { msg }));
            }
        }
    }

    pub(super) fn fetch(&mut self, fetch: Option<RelayFetch>) {
        if let Some(fetch) = fetch {
            let channel = fetch.channel.clone();
            let number = self.tell(&Request::RelayFetch(fetch));
            self.fetches.push((number, channel));
        }
    }

    pub(super) fn on_fetched(&mut self, number: u64, fetched: &RelayFetched) {
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
        self.show_event(&event);
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
