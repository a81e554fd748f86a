//! Who a session is: how it comes to be somebody, and nobody again, and the tickets that say so to the next handler. Part of the
//! event loop.

use super::EventLoop;
use crate::link::ReplyTo;
use crate::lock::lock;
use crate::state::journal::Entry;
use crate::state::online::Seat;
use crate::state::passes::Wanted;
use crate::state::session::{Identity, Proof, SessionRef};
use ssmglobal_ipc::{Event, Mode, Notice, Reply, ReplyKind, State, Time};
use ssmglobal_store::{Principal, PrincipalKind, ServerId};

/// Why somebody is logged out of whom the operator wants no more, and who could not be told then.
const OPERATOR: &str = "You were logged out by the operator.";

/// Why somebody is logged out who has proved himself by what was changed since.
const CHANGED: &str =
    "You were logged out, since your password was changed or the operator wanted it so. Log in again.";

/// The same of a game server.
const ROTATED: &str = "The key of this game server was changed, or the operator has shut it out. AUTH again.";

impl EventLoop {
    /// A session has proved who it is; then the answer goes out.
    pub(super) fn proved(&mut self, at: SessionRef, to: &ReplyTo, proof: Proof, reply: &Reply) {
        let holds = self.shared.memory.holds(proof);
        if holds {
            let is_renewed = self.become_somebody(at, to.number, proof, reply.kind() as u16);
            if let Some(session) = self.state.live(at).filter(|session| session.who() == Some(proof.who)) {
                let did = if is_renewed { "has changed the password" } else { "logged in" };
                log::info!("{}: {} {did}.", session.peer(), session.name().unwrap_or_default());
            }
        }
        self.batch.finish(to, reply);
        if !holds {
            self.log_out(at, self.why_out(proof.who));
        }
    }

    /// Whether what a request has proved, that is asked again, makes its session somebody: not when it has logged out since,
    /// or what it had proved holds no longer.
    pub(super) fn still_proves(&self, session: u64, number: u64, proof: Proof) -> bool {
        self.shared.memory.holds(proof) && self.voided.get(&session).is_none_or(|upto| number > *upto)
    }

    /// A session is somebody else from now on, by what it has asked under a number, and its worker has a ticket that says so.
    /// Gives whether it is who it was, under another epoch: by an answer that says nothing but that its password is another
    /// one, nobody comes in.
    pub(super) fn become_somebody(&mut self, at: SessionRef, number: u64, proof: Proof, kind: u16) -> bool {
        let Proof { who, epoch } = proof;
        let (Some(name), Some(session)) = (self.shared.memory.name(who), self.state.live(at)) else { return false };
        let (of, before) = (session.number, session.who());
        if kind == ReplyKind::Done as u16 {
            if before == Some(who) {
                self.renew(at, epoch);
            }
            return true;
        }
        self.revoke(at.slot);
        self.forget_identity(at.slot);
        self.enter(at, Identity { who, epoch, name: name.into() }, Time::now());
        // What it has proved before this goes, and this stays.
        if self.voided.get(&of).is_some_and(|upto| number <= *upto) {
            self.void(of, number.saturating_sub(1));
        }
        self.give_ticket(at.slot);
        false
    }

    /// What a session has proved: it may have changed its password, and not know yet that this is done.
    pub(super) fn renewed(&self, session: u64, said: Proof) -> Proof {
        let kept = lock(&self.shared.kept).proof_of(session);
        let newer = kept.filter(|(number, proof)| {
            proof.who == said.who && proof.epoch > said.epoch && self.still_proves(session, *number, *proof)
        });
        newer.map_or(said, |(_, proof)| proof)
    }

    /// Whether a session has itself changed what it is proved by, over a link that it has lost since: then it stays who it is.
    pub(super) fn is_renewed(&mut self, at: SessionRef, said: Proof) -> bool {
        let number = self.state.live(at).map_or(0, |session| session.number);
        let proof = self.renewed(number, said);
        if proof != said {
            self.renew(at, proof.epoch);
        }
        proof != said
    }

    /// A session is under another epoch who it was.
    fn renew(&mut self, at: SessionRef, epoch: u32) {
        if let Some(identity) = self.session_mut(at.slot).and_then(|session| session.identity.as_mut()) {
            identity.epoch = epoch;
        }
        self.give_ticket(at.slot);
    }

    /// What somebody is told who cannot be told why exactly.
    pub(super) fn why_out(&self, who: Principal) -> &'static str {
        match who.kind {
            _ if self.shared.memory.is_barred(who) => OPERATOR,
            PrincipalKind::Server => ROTATED,
            PrincipalKind::Player
            | PrincipalKind::World
            | PrincipalKind::Visitor
            | PrincipalKind::Bot
            | PrincipalKind::Channel
            | PrincipalKind::Backend => CHANGED,
        }
    }

    /// Answers to a session's requests up to this number prove nothing any more, for this handler and those after it.
    fn void(&mut self, session: u64, upto: u64) {
        self.voided.insert(session, upto);
        self.journal.append(&Entry::Voided { session, upto });
    }

    /// A session is somebody from now on, who proved it at `proved`.
    pub(super) fn enter(&mut self, at: SessionRef, identity: Identity, proved: Time) {
        let proved = self.after_revoked(at, proved);
        self.state.enter(&identity, at);
        self.look_at_watches(at.slot);
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
            self.state.empty(Seat::Session(session.number));
            for world in self.state.worlds.of(session.number) {
                self.state.forget_world(world);
            }
            self.hosts_leave(session.number);
        }
        self.state.put(slot, session);
        self.look_at_watches(slot);
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

    /// A player has typed his password at a game server, and it was right: he is known there, as if he had shown a pass.
    pub(super) fn identified_at(&mut self, server: ServerId, name: &str) {
        let Ok((player, _)) = self.shared.memory.player_named(name) else { return };
        let (holder, now) = (Principal::from(player), Time::now());
        let mut random = [0; 12];
        if getrandom::fill(&mut random).is_err() {
            return;
        }
        let wanted = Wanted {
            holder,
            epoch: self.shared.memory.epoch(holder),
            place: server.into(),
            address: None,
            checked: false,
            since: now,
            language: None,
            charset: None,
        };
        if let Some(pass) = self.state.passes.identify(wanted, now, random) {
            self.journal.append(&Entry::Held((&pass).into()));
        }
    }

    /// The passes of whoever a session is are good no more: he logs out.
    pub(super) fn end_passes(&mut self, slot: usize) {
        if let Some(who) = self.session(slot).and_then(|session| session.who()) {
            for pass in self.state.passes.end(who) {
                self.journal.append(&Entry::Held((&pass).into()));
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
        let last = lock(&self.shared.kept).last_of(session);
        self.void(session, last);
    }

    /// A time that a ticket may say which is to hold.
    fn after_revoked(&self, at: SessionRef, proved: Time) -> Time {
        let revoked = self.state.live(at).and_then(|session| self.revoked.get(&session.number));
        revoked.map_or(proved, |upto| proved.max(Time(upto.0 + 1)))
    }

    /// Gives a session's worker a ticket that says who it is now.
    pub(super) fn give_ticket(&mut self, slot: usize) {
        let Some(session) = self.session(slot).filter(|session| session.number != 0) else { return };
        let ticket = self.tickets.seal(session.number, session.proof(), session.proved);
        let at = SessionRef { slot, id: session.id };
        self.tell(at, 0, &Event::Ticket(ticket));
    }
}
