//! Who a session is: how it comes to be somebody, and nobody again, and the tickets that say so to the next handler. Part of the
//! event loop.

use super::EventLoop;
use crate::link::ReplyTo;
use crate::state::journal::Entry;
use crate::state::session::{Identity, SessionRef};
use ssmglobal_ipc::{Event, Mode, Notice, Reply, State, Time};
use ssmglobal_store::{Principal, PrincipalKind};

/// Why somebody is logged out who was disabled while nobody could tell him.
pub(super) const OPERATOR: &str = "You were logged out by the operator.";

impl EventLoop {
    /// A session has proved who it is; then the answer goes out.
    pub(super) fn proved(&mut self, at: SessionRef, to: &ReplyTo, who: Principal, reply: &Reply) {
        if self.become_somebody(at, who, Time::now())
            && let Some(session) = self.session(at.slot)
        {
            log::info!("{}: {} logged in.", session.peer(), session.name().unwrap_or_default());
        }
        self.batch.finish(to, reply);
    }

    /// A session is somebody else from now on, and its worker has a ticket that says so; false when either is gone.
    pub(super) fn become_somebody(&mut self, at: SessionRef, who: Principal, proved: Time) -> bool {
        let Some(name) = self.shared.memory.name(who) else { return false };
        if self.state.live(at).is_none() {
            return false;
        }
        self.forget_identity(at.slot);
        self.enter(at, Identity { who, name: name.into() }, proved);
        self.give_ticket(at.slot);
        true
    }

    /// A session is somebody from now on, who proved it at `proved`.
    pub(super) fn enter(&mut self, at: SessionRef, identity: Identity, proved: Time) {
        let proved = self.after_revoked(at, proved);
        self.state.enter(&identity, at);
        let state = match identity.who.kind {
            PrincipalKind::Player => State::Player,
            PrincipalKind::Server => State::Server,
            // Nobody proves to be one of these yet.
            PrincipalKind::World
            | PrincipalKind::Visitor
            | PrincipalKind::Bot
            | PrincipalKind::Channel
            | PrincipalKind::Backend => State::Anonymous,
        };
        if let Some(session) = self.session_mut(at.slot) {
            session.state = state;
            session.identity = Some(identity);
            session.proved = proved;
            session.logged_out = false;
        }
    }

    /// The session is nobody any more: out of every list.
    pub(super) fn forget_identity(&mut self, slot: usize) {
        let Some(mut session) = self.state.take(slot) else { return };
        let at = SessionRef { slot, id: session.id };
        if let Some(identity) = session.identity.take() {
            self.state.leave(&identity, at);
            for topic in session.subscriptions.clone().into_iter().filter(|topic| topic.ends_with_identity()) {
                self.state.unsubscribe(&mut session, at, topic);
            }
            for player in self.state.online.guests(session.number).collect::<Vec<_>>() {
                self.state.depart(player, session.number);
            }
            for world in self.state.worlds.of(session.number) {
                self.state.forget_world(world);
            }
        }
        self.state.put(slot, session);
        self.write_journal();
    }

    /// How a session speaks from now on. Between game servers and others it takes another identity: gives whether the
    /// session is nobody now.
    pub(super) fn set_mode(&mut self, slot: usize, mode: Mode) -> bool {
        let Some(session) = self.session_mut(slot) else { return false };
        let was_server = matches!(session.state, State::Server | State::Unproved);
        let is_server = mode == Mode::Server;
        session.mode = mode;
        let anew = session.state == State::New || was_server != is_server;
        if anew {
            self.become_nobody(slot);
        }
        anew
    }

    /// A session is nobody from now on, for this handler and those after it.
    pub(super) fn become_nobody(&mut self, slot: usize) {
        self.revoke(slot);
        self.forget_identity(slot);
        if let Some(session) = self.session_mut(slot) {
            session.state = if session.mode == Mode::Server { State::Unproved } else { State::Anonymous };
        }
    }

    /// The passes of whoever a session is are good no more: he logs out.
    pub(super) fn end_passes(&mut self, slot: usize) {
        if let Some(player) = self.session(slot).and_then(|session| session.who()).and_then(Principal::as_player) {
            for entry in self.state.passes.end(player) {
                self.journal.append(&entry);
            }
        }
    }

    /// Takes a login back.
    pub(super) fn log_out(&mut self, at: SessionRef, reason: &str) {
        self.end_passes(at.slot);
        self.push(at, &Event::LoggedOut(Notice { msg: reason.to_owned() }));
        self.become_nobody(at.slot);
        if let Some(session) = self.session_mut(at.slot) {
            session.logged_out = true;
        }
        self.give_ticket(at.slot);
    }

    /// What tickets have said so far of who a session is holds no longer, for this handler and those after it.
    fn revoke(&mut self, slot: usize) {
        let Some(session) = self.session(slot).filter(|session| session.identity.is_some()) else { return };
        let (session, upto) = (session.number, session.proved);
        self.revoked.insert(session, upto);
        self.journal.append(&Entry::Revoked { session, upto });
    }

    /// A time that a ticket may say which is to hold.
    fn after_revoked(&self, at: SessionRef, proved: Time) -> Time {
        let revoked = self.state.live(at).and_then(|session| self.revoked.get(&session.number));
        revoked.map_or(proved, |upto| proved.max(Time(upto.0 + 1)))
    }

    /// Gives a session's worker a ticket that says who it is now.
    pub(super) fn give_ticket(&mut self, slot: usize) {
        let Some(session) = self.session(slot).filter(|session| session.number != 0) else { return };
        let ticket = self.tickets.seal(session.number, session.who(), session.proved);
        let at = SessionRef { slot, id: session.id };
        self.tell(at, 0, &Event::Ticket(ticket));
    }
}
