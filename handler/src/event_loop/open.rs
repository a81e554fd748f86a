//! How a session begins at this handler: anew, or where the handler before this one has left it. Part of the event loop.

use super::EventLoop;
use crate::state::journal::Entry;
use crate::state::online::Seat;
use crate::state::session::{Identity, Proof, SessionRef};
use crate::state::tickets::Sealed;
use crate::state::topic::Topic;
use ssmglobal_ipc::control::METRICS_DOOR;
use ssmglobal_ipc::{Event, Notice, Open, Reply, Subscription, Time, Welcome};
use std::time::{Duration, Instant};

impl EventLoop {
    /// The first request on a link. Nothing is answered while the listener's word of its worker is on its way.
    ///
    /// # Errors
    /// Why no sound worker says so.
    pub(super) fn open(&mut self, slot: usize, number: u64, open: Open) -> Result<Option<Reply>, String> {
        let Some(session) = self.session_mut(slot) else { return Ok(None) };
        let pid = session.pid;
        if !self.workers.children.contains_key(&pid) {
            self.find_unreported(pid, open.session);
        }
        if self.workers.children.get(&pid).is_some_and(|client| client.door == METRICS_DOOR) {
            return Err("it came in where nobody has a session".into());
        }
        let there = self.workers.children.get(&pid).cloned();
        let Some(session) = self.session_mut(slot) else { return Ok(None) };
        match there {
            Some(client) if client.session == open.session => {
                (session.address, session.door, session.since) = (Some(client.address), Some(client.door), client.at);
            }
            Some(client) if client.session > open.session => return Err("it claims another's session".into()),
            // What is known of the process id is of one before.
            _ => {
                session.held = Some((number, open));
                return Ok(None);
            }
        }
        if self.workers.evicted.contains(&open.session) {
            return Err("it was ended before".into());
        }
        let sealed = match open.ticket.as_ref().map(|ticket| self.tickets.open(ticket, open.session)) {
            None => Sealed { who: None, proved: Time::default() },
            Some(Some(sealed)) => sealed,
            Some(None) => return Err("its ticket is not one of its session".into()),
        };
        self.begin(slot, &open, sealed);
        Ok(Some(Reply::Welcome(Welcome { session: open.session })))
    }

    fn begin(&mut self, slot: usize, open: &Open, sealed: Sealed) {
        self.leaving.remove(&open.session);
        if let Some(before) = self.workers.by_session.insert(open.session, slot) {
            self.replaced(before);
        }
        let Some(session) = self.state.session_mut(slot) else { return };
        let at = SessionRef { slot, id: session.id };
        session.number = open.session;
        session.link.belongs_to(open.session, self.answered.flight(open.session));
        session.first_new = open.next;
        let now = Instant::now();
        session.last = now.checked_sub(Duration::from_secs(open.idle)).unwrap_or(now);
        self.set_mode(slot, open.mode);
        self.go_on_as(at, open.session, sealed);
        if self.session(slot).is_some_and(|session| session.identity.is_none()) {
            // The handler before this one may have died before it could say so.
            self.login_ends(open.session);
        }
        if open.ticket.is_none() {
            self.give_ticket(slot);
        }
        self.journal.append(&Entry::Linked { session: open.session });
        for (number, event) in self.recovery.returned(open.session) {
            if number > open.last_push {
                self.tell(at, number, &event);
            }
        }
        self.listen_again(at, &open.subscriptions);
    }

    /// The session is who it was, unless that holds no longer.
    fn go_on_as(&mut self, at: SessionRef, number: u64, sealed: Sealed) {
        let Some(said) = sealed.who else { return };
        let Some(name) = self.state.name(&self.shared.memory, said.who) else { return };
        let revoked = self.revoked.get(&number).is_some_and(|upto| sealed.proved <= *upto);
        let Proof { who, epoch } = self.renewed(number, said);
        if !revoked && self.shared.memory.holds(Proof { who, epoch }) && self.still_visits(who, number) {
            self.stays_go_on(Seat::Session(number));
            for (id, world) in self.recovery.worlds_of(number) {
                self.state.still_say_world(id, world);
            }
            self.enter(at, Identity { who, epoch, name: name.into() }, sealed.proved);
            self.hosts_return(number);
            if epoch != said.epoch {
                self.give_ticket(at.slot);
            }
            return;
        }
        self.hosts_leave(number);
        // Whoever was logged out before: the word of that is on its way to the worker, or is asked for again.
        if !revoked {
            self.push(at, &Event::LoggedOut(Notice { msg: self.why_out(who).to_owned() }));
        }
        self.give_ticket(at.slot);
        if let Some(session) = self.session_mut(at.slot) {
            session.logged_out = true;
        }
    }

    /// Who was there before the handler died still is.
    pub(super) fn stays_go_on(&mut self, seat: Seat) {
        for (who, name, stay) in self.recovery.stays_of(seat) {
            let name = self.state.name(&self.shared.memory, who).unwrap_or(name);
            if !name.is_empty() {
                self.state.still_arrive(who, &name.into(), stay);
            }
        }
    }

    /// The session listens to what it has listened to before.
    fn listen_again(&mut self, at: SessionRef, subscriptions: &[Subscription]) {
        let Some(mut session) = self.state.take(at.slot) else { return };
        let settings = self.shared.settings();
        for subscription in subscriptions {
            let found = self.topic(&subscription.topic);
            // Who has lost what he has proved to be does not listen any more to what that was for.
            let found = found.filter(|topic| !topic.ends_with_identity() || session.identity.is_some());
            let found = found.filter(|topic| session.is_listening_enough(*topic, &settings).is_none());
            if let Some(topic) = found {
                self.state.subscribe(&mut session, at, topic);
                self.watch_again(&mut session, topic, subscription.cursor);
            }
        }
        self.state.put(at.slot, session);
    }

    /// What is meant by a topic's name, if it is there.
    fn topic(&self, topic: &ssmglobal_ipc::Topic) -> Option<Topic> {
        match topic {
            ssmglobal_ipc::Topic::Board(name) => {
                let boards = crate::lock::read(&self.shared.memory.boards);
                boards.find(name).map(|ranking| Topic::Board(ranking.board.id))
            }
            ssmglobal_ipc::Topic::Universe => Some(Topic::Universe),
            ssmglobal_ipc::Topic::Properties(of) => self.shared.memory.named(of).ok().map(Topic::Properties),
            ssmglobal_ipc::Topic::Channel(name) => self.state.bus.named(name).map(|channel| Topic::Channel(channel.id)),
            ssmglobal_ipc::Topic::Worlds => Some(Topic::Worlds),
            ssmglobal_ipc::Topic::Users => Some(Topic::Users),
        }
    }

    /// A session goes on in another slot.
    fn replaced(&mut self, slot: usize) {
        if let Some(before) = self.session_mut(slot) {
            before.number = 0;
            self.dead.push(slot);
        }
    }
}
