//! Who a session is: how it comes to be somebody, and nobody again, and the tickets that say so to the next handler. Part of the
//! event loop.

use super::EventLoop;
use crate::capability::slow_down;
use crate::link::ReplyTo;
use crate::lock::lock;
use crate::state::audit::Happened;
use crate::state::journal::Entry;
use crate::state::names::Name;
use crate::state::online::Seat;
use crate::state::passes::{PassState, Wanted, random};
use crate::state::session::{Identity, Proof, SessionRef};
use crate::state::visitors::{Visitor, principal};
use ssmglobal_config::Identity as OneAtATime;
use ssmglobal_ipc::{
    Code, Event, Failure, GuestRegistered, Mode, Notice, Party, Reply, ReplyKind, State, Time, Visiting,
};
use ssmglobal_store::{Principal, PrincipalKind, ServerId, WorldId};
use std::collections::BTreeSet;
use std::time::Instant;

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
            let was = self.state.live(at).and_then(|session| session.who());
            self.become_somebody(at, to.number, proof, reply.kind() as u16);
            if reply.kind() == ReplyKind::LoggedIn {
                self.came_in(at, was, proof.who);
            }
            self.has_proved(at, to, proof, reply.kind());
        }
        self.batch.finish(to, reply);
        if !holds {
            self.log_out(at, self.why_out(proof.who));
        }
    }

    /// A session has logged in, or registered. Others hear of it when all are back.
    pub(super) fn came_in(&mut self, at: SessionRef, was: Option<Principal>, who: Principal) {
        match self.recovery.is_on() {
            true => self.recovery.came_in.push((at, was, who)),
            false => self.has_come_in(at, was, who),
        }
    }

    /// What follows for others when a session has logged in: it is done again where the handler before this one has died over it.
    pub(super) fn has_come_in(&mut self, at: SessionRef, was: Option<Principal>, who: Principal) {
        if self.state.live(at).and_then(|session| session.who()) == Some(who) {
            self.stays_as(was, who);
            self.take_over(at, who);
            if let Some(player) = who.as_player() {
                self.play_returns(at, player);
            }
        }
    }

    /// A player is on by a new connection: the ones before are nobody's from now on, where there is to be one at a time.
    fn take_over(&mut self, at: SessionRef, who: Principal) {
        let Some(player) = who.as_player() else { return };
        // One whose client is gone, and that keeps a game for him, is his until he goes on with that.
        let keeps = |other: &SessionRef| {
            self.state.live(*other).is_some_and(|session| self.state.plays.is_alone(session.number))
        };
        let others = self.state.online.sessions(who).iter().copied().filter(|other| *other != at && !keeps(other));
        let others: Vec<SessionRef> = others.collect();
        if others.is_empty() || self.shared.settings().players.identity == OneAtATime::Many {
            return;
        }
        self.state.player_takeovers.add(player, Instant::now());
        for other in others {
            self.taken_over(other, "You are on by another connection now. This one stays, logged out.");
        }
    }

    /// Whoever a session was is on by another one now.
    fn taken_over(&mut self, at: SessionRef, msg: &str) {
        self.push(at, &Event::TakenOver(Notice { msg: msg.to_owned() }));
        self.note_of(at, &Happened::Logout { reason: "taken-over" });
        self.become_nobody(at.slot);
        if let Some(session) = self.session_mut(at.slot) {
            session.logged_out = true;
        }
        self.give_ticket(at.slot);
    }

    /// A visitor has become a player: wherever he is, he is there as that from now on.
    fn stays_as(&mut self, was: Option<Principal>, player: Principal) {
        let Some(was) = was.filter(|was| was.kind == PrincipalKind::Visitor) else { return };
        let Some(name) = self.shared.memory.name(player) else { return };
        let before = self.state.party(&self.shared.memory, was);
        // What he has shown, or has not shown yet, is the player's.
        let epoch = self.shared.memory.epoch(player);
        let passes = self.state.passes.go_over(was, player, epoch);
        let shown = passes.iter().filter(|pass| pass.state == PassState::Shown).map(|pass| pass.of.place);
        let mut seats: BTreeSet<Seat> = shown.filter_map(|place| self.seat_of(place)).collect();
        for pass in &passes {
            self.journal.append(&Entry::Held(pass.into()));
        }
        for stay in self.state.online.stays(was).to_vec() {
            self.state.depart(was, stay.seat);
            self.state.arrive(player, &name.as_str().into(), stay);
            seats.insert(stay.seat);
        }
        for seat in seats {
            let (visitor, player, number) = (before.clone(), name.clone(), player.id);
            self.push_to_host(seat, |world| Event::GuestRegistered(GuestRegistered { world, visitor, player, number }));
        }
        self.state.visitors.registered(was.id, player.id, Time::now());
        self.state.forget_visitor(was.id);
        self.write_journal();
    }

    /// By what it is said that somebody is in a place: only worlds and game servers are places.
    fn seat_of(&self, place: Principal) -> Option<Seat> {
        match (place.as_server(), self.state.online.sessions(place).first()) {
            (Some(_), at) => Some(Seat::Session(self.state.live(*at?)?.number)),
            (None, _) => Some(Seat::World(WorldId(place.id))),
        }
    }

    /// A session is a visitor's of this name from now on, which is his or nobody's.
    pub(super) fn become_visitor(&mut self, at: SessionRef, to: &ReplyTo, name: &Name) {
        let Some(session) = self.state.live(at) else { return };
        let (number, before, now) = (session.number, session.who(), Time::now());
        let network = session.address.map(|address| ssmglobal_config::network(address.ip()));
        let his = self.state.visitors.like(name).map(|(id, visitor)| (id, visitor.clone()));
        let is_gone = |(id, it): &(u32, Visitor)| {
            it.session.is_none() && it.until <= now && self.state.online.stays(principal(*id)).is_empty()
        };
        let gone = his.as_ref().is_some_and(is_gone);
        let other = his.as_ref().and_then(|(id, it)| Some((*id, it.session.filter(|other| *other != number)?)));
        if let Some(failure) = other.and_then(|(id, other)| self.is_visiting(id, other)) {
            return self.batch.reply(to, &failure.into());
        }
        let id = match his {
            Some((id, visitor)) if !gone => {
                let other = visitor.session.filter(|other| *other != number);
                self.state.visitors.put(id, Visitor { session: Some(number), address: network, ..visitor });
                self.state.note_visitor(id);
                let other = other.and_then(|other| self.workers.by_session.get(&other).copied());
                if let Some((slot, session)) = other.and_then(|slot| Some((slot, self.session(slot)?.id))) {
                    self.state.visitor_takeovers.add(id, Instant::now());
                    self.taken_over(SessionRef { slot, id: session }, "You are on by another connection now.");
                }
                Some(id)
            }
            his => {
                if let Some((id, _)) = his {
                    self.state.forget_visitor(id);
                }
                self.state.visit(name, number, network, now)
            }
        };
        let Some(id) = id else {
            let msg = "There are too many visitors. Try again later, or REGISTER.";
            return self.batch.reply(to, &Reply::fail(Code::Busy, msg));
        };
        // As he was called before, where he comes back.
        let shown = self.state.visitors.get(id).map_or_else(|| name.shown.clone(), |visitor| visitor.name.clone());
        let who = principal(id);
        if before != Some(who) {
            self.revoke(at.slot);
            self.forget_identity(at.slot);
            if let Some(before) = before.filter(|before| before.kind == PrincipalKind::Visitor) {
                self.goes_by_another_name(before);
            }
            self.enter(at, Identity { who, epoch: 0, name: shown.as_str().into() }, now);
            self.give_ticket(at.slot);
            self.note_of(at, &Happened::Visit {});
        }
        self.write_journal();
        self.batch.reply(to, &Reply::Visiting(Visiting { visitor: Party::Visitor(shown) }));
    }

    /// Why a visitor may not be on by another connection in place of this one.
    fn is_visiting(&self, id: u32, session: u64) -> Option<Failure> {
        let (settings, now) = (self.shared.settings(), Instant::now());
        match settings.players.identity {
            // Of one name there is one visitor.
            OneAtATime::Takeover | OneAtATime::Many => {
                let wait = self.state.visitor_takeovers.wait(id, now);
                (!wait.is_zero()).then(|| slow_down("Two programs take this visitor over from each other.", wait))
            }
            OneAtATime::Refuse => {
                let other = self.workers.by_session.get(&session).and_then(|slot| self.session(*slot))?;
                let lives = other.lives(settings.limits.vanished_seconds, now);
                let msg = "This visitor is on already, on another connection. Choose another name.";
                lives.then(|| Failure::new(Code::AlreadyOn, msg))
            }
        }
    }

    /// A visitor is another one from now on. Where he is in a world he stays there by the name that he came with.
    fn goes_by_another_name(&mut self, before: Principal) {
        if self.state.online.stays(before).is_empty() {
            return self.state.forget_visitor(before.id);
        }
        self.state.visitors.let_go(before.id, Time::now());
        self.state.note_visitor(before.id);
        self.tell_closed(before);
    }

    /// Whether somebody is still a visitor by this session; also who is none.
    pub(super) fn still_visits(&self, who: Principal, session: u64) -> bool {
        who.kind != PrincipalKind::Visitor
            || self.state.visitors.get(who.id).is_some_and(|visitor| visitor.session == Some(session))
    }

    /// A visitor's session is over, or somebody else's: his name is kept for a while, since he may be on his way to a world.
    pub(super) fn visitor_leaves(&mut self, session: u64) {
        if let Some((id, _)) = self.state.visitors.leave(session, Time::now()) {
            self.state.note_visitor(id);
            self.write_journal();
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
        // What it has proved before this goes, and this stays: at no moment does the journal say that it is gone as well.
        self.revoke_before(at.slot, number);
        self.forget_identity(at.slot);
        self.enter(at, Identity { who, epoch, name: name.into() }, Time::now());
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
        let who = identity.who;
        let Some(session) = self.session_mut(at.slot) else { return };
        session.state = state;
        session.identity = Some(identity);
        session.proved = proved;
        session.logged_out = false;
        let number = session.number;
        if matches!(who.kind, PrincipalKind::Player | PrincipalKind::Visitor) {
            self.login_begins(number, who, proved);
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
        let was = session.identity.is_some().then(|| session.whose());
        if anew {
            if let Some(whose) = was {
                self.note(&whose, &Happened::Logout { reason: "mode" });
            }
            self.become_nobody(slot);
        }
        anew
    }

    /// A session is nobody from now on, for this handler and those after it.
    pub(super) fn become_nobody(&mut self, slot: usize) {
        self.revoke(slot);
        let was = self.session(slot).and_then(|session| Some((session.number, session.who()?)));
        self.forget_identity(slot);
        // Not of a session that is just coming back to be the visitor that it was.
        if let Some((number, _)) = was.filter(|(_, who)| who.kind == PrincipalKind::Visitor) {
            self.visitor_leaves(number);
        }
        if let Some(session) = self.session_mut(slot) {
            session.state = if session.mode == Mode::Server { State::Unproved } else { State::Anonymous };
        }
    }

    /// A player has typed his password at a game server, and it was right: he is known there, as if he had shown a pass.
    pub(super) fn identified_at(&mut self, server: ServerId, name: &str) {
        if let Some(player) = self.shared.memory.find_player(name) {
            self.identified_as(player.into(), server.into());
        }
    }

    fn identified_as(&mut self, holder: Principal, place: Principal) {
        let now = Time::now();
        let Some(random) = random() else { return };
        let wanted = Wanted {
            holder,
            epoch: self.shared.memory.epoch(holder),
            place,
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
        self.note_of(at, &Happened::Logout { reason: "put-out" });
        self.put_out(at, &Event::LoggedOut(Notice { msg: reason.to_owned() }));
    }

    /// Takes a login back, and tells it by this event.
    pub(super) fn put_out(&mut self, at: SessionRef, event: &Event) {
        self.end_passes(at.slot);
        self.push(at, event);
        self.become_nobody(at.slot);
        if let Some(session) = self.session_mut(at.slot) {
            session.logged_out = true;
        }
        self.give_ticket(at.slot);
    }

    /// What tickets have said so far of who a session is holds no longer, for this handler and those after it.
    fn revoke(&mut self, slot: usize) {
        self.revoke_before(slot, u64::MAX);
    }

    /// As [`EventLoop::revoke`], but what it has proved by the request with this number still holds.
    fn revoke_before(&mut self, slot: usize, number: u64) {
        let Some(session) = self.session(slot).filter(|session| session.identity.is_some()) else { return };
        let (session, upto) = (session.number, session.proved);
        self.revoked.insert(session, upto);
        self.journal.append(&Entry::Revoked { session, upto });
        let last = lock(&self.shared.kept).last_of(session);
        self.void(session, last.min(number.saturating_sub(1)));
        self.login_ends(session);
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
