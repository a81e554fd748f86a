//! Requests as they come in: each is begun when nothing of its session is before it, in the order that the session may expect. Part of
//! the event loop.

use super::EventLoop;
use crate::capability::{Call, Plan};
use crate::changes::Change;
use crate::dispatch::{self, Refused};
use crate::link::ReplyTo;
use crate::lock::read;
use crate::state::journal::ClientKey;
use crate::state::session::{Asked, SessionRef};
use crate::work::Outcome;
use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use ssmglobal_ipc::frame::Frame;
use ssmglobal_ipc::{AskedBy, Carried, Code, Does, Done, Failure, Kind, Lane, Reply, ReplyKind, Request, Right};
use ssmglobal_store::PrincipalKind;

/// Requests of one session that may wait for others of its own. A worker keeps to fewer.
const AHEAD: usize = 16_384;

/// Changes of one session that the writer has at once; the next ones wait in their session, so that nobody fills the
/// writer's queue alone.
const IN_FLIGHT: u32 = 1024;

impl EventLoop {
    /// A request has come.
    ///
    /// # Errors
    /// Why no sound worker asks so.
    pub(super) fn request(&mut self, slot: usize, frame: Frame<'_>, carried: Option<Carried>) -> Result<(), String> {
        let number = frame.number;
        let Some(kind) = frame.request_kind() else {
            // A newer worker; what it wants is not known here, and that is no crime.
            let Some((_, to)) = self.reply_to(slot, number, self.now, None) else { return Ok(()) };
            self.batch.reply(&to, &Reply::fail(Code::UnknownCommand, "The backend does not know this command yet."));
            return Ok(());
        };
        let request = Request::decode(kind, frame.payload).map_err(|error| format!("{} with {error}", kind.name()))?;
        let described = kind.describe();
        if described.is_kept() != carried.is_some() {
            return Err(format!("{} came as what it is not", kind.name()));
        }
        // What a worker asks by itself, and when it comes back, is no word of its client's.
        let own = described.asked_by == AskedBy::Worker || self.recovery.is_on();
        let Some(session) = self.state.session_mut(slot) else { return Ok(()) };
        if !own {
            session.last = self.now;
        }
        let mut key = None;
        if let Some(carried) = carried {
            session.order.change(number, carried.acked)?;
            if carried.key.as_ref().is_some_and(|key| key.len() > crate::work::LONGEST_KEY) {
                return Err("its client's key is too long".into());
            }
            session.link.acknowledged(carried.acked);
            self.answered.acknowledged(session.number, carried.acked);
            let carried = carried.key.filter(|_| described.takes_key());
            key = carried.map(|key| Box::new((key, digest(kind, frame.payload))));
        }
        let asked = Asked { number, request, key, size: frame.payload.len(), since: self.now };
        if session.waiting.is_empty() && self.may_start(slot, &asked.request) {
            return self.start(slot, asked);
        }
        let Some(session) = self.session_mut(slot) else { return Ok(()) };
        if session.waiting.len() >= AHEAD {
            return Err("it asks more than it may".into());
        }
        session.waiting_bytes += asked.size;
        session.waiting.push_back(asked);
        if !session.link.wait_for_quiet() {
            self.resume(slot);
        }
        Ok(())
    }

    /// Whether a request can start now without overtaking others of its session.
    fn may_start(&self, slot: usize, request: &Request) -> bool {
        let Some(session) = self.session(slot) else { return false };
        let described = request.kind().describe();
        if self.recovery.is_on() && described.waits_for_others() {
            return false;
        }
        // Answers that the worker has not taken could not be given again as they were, should this process die after a
        // change.
        if described.is_kept() {
            if session.read_in == self.turn {
                // Those of this turn have not left yet. A link that fails is noticed by whoever reads it.
                let _ = session.link.flush();
            }
            if session.link.wait_for_room() {
                return false;
            }
        }
        match (session.link.in_flight(), described.lane()) {
            (0, _) => true,
            (some, Lane::Write) => some < IN_FLIGHT && session.lane == Lane::Write,
            (_, Lane::Inline | Lane::Exclusive) => false,
        }
    }

    /// Goes on with what a session has waiting, as far as that can start.
    pub(super) fn resume(&mut self, slot: usize) {
        loop {
            let Some(session) = self.session(slot).filter(|session| !session.over) else { return };
            let Some(asked) = session.waiting.front() else { return };
            if !self.may_start(slot, &asked.request) {
                if self.recovery.is_on() || session.link.is_stuck() || session.link.wait_for_quiet() {
                    return;
                }
                continue;
            }
            let Some(session) = self.session_mut(slot) else { return };
            let Some(asked) = session.waiting.pop_front() else { return };
            let was_full = session.is_full();
            session.waiting_bytes -= asked.size;
            if was_full && !session.is_full() {
                self.unread.push(slot);
            }
            if let Err(why) = self.start(slot, asked) {
                return self.evict(slot, &why);
            }
        }
    }

    /// Begins a request: it is repeated, refused, or done as its capability plans.
    ///
    /// # Errors
    /// Why no sound worker asks so.
    pub(super) fn start(&mut self, slot: usize, asked: Asked) -> Result<(), String> {
        let Asked { number, request, key, since, .. } = asked;
        let kind = request.kind();
        let described = kind.describe();
        let Some((at, to)) = self.reply_to(slot, number, since, Some(kind)) else { return Ok(()) };
        let Some(session) = self.session_mut(slot) else { return Ok(()) };
        let repeated = number < session.first_new;
        // First: what it has come to may be that the session is somebody else now, who may not ask it.
        if repeated && described.is_kept() && self.repeat(at, &to) {
            return Ok(());
        }
        self.counts.request(kind);
        let Some(session) = self.state.session_mut(slot) else { return Ok(()) };
        session.lane = described.lane();
        if !described.is_kept() {
            session.read_in = self.turn;
        }
        // What a visitor does is not kept, and neither is that he did it.
        let owner = session.who().filter(|who| who.kind != PrincipalKind::Visitor);
        let key = owner.zip(key).map(|(owner, key)| Box::new(ClientKey { owner, key: key.0, digest: key.1 }));
        match dispatch::may(session, &self.shared.memory, kind) {
            Ok(()) => {}
            // What may not be done any more may have been done under its key.
            Err(Refused::Failure(failure)) => {
                return match key {
                    Some(key) if described.does == Does::Volatile => {
                        self.start_keyed(at, to, request, key);
                        Ok(())
                    }
                    Some(key) => self.carry_out(at, to, Plan::Change(Change::Refused(failure), None), Some(key)),
                    None => {
                        self.has_denied(at, kind);
                        self.refuse(&to, failure)
                    }
                };
            }
            // It is nobody already: a handler before this one has done it, or the operator.
            Err(_) if kind == Kind::Logout && (repeated || session.logged_out) => {
                self.batch.reply(&to, &Reply::Done(Done {}));
                return Ok(());
            }
            Err(Refused::LoggedOut) => {
                let msg = "You were logged out before this was done. Log in first.";
                return self.refuse(&to, Failure::new(Code::NotLoggedIn, msg));
            }
            Err(Refused::NotPermitted) => return Err(format!("{} is not permitted to it", kind.name())),
        }
        if matches!(described.right, Right::Operator | Right::Broadcast) {
            let whose = session.whose();
            self.asked_by_right(&whose, &request);
        }
        if described.is_kept() {
            self.answered.changes(to.link.asked().0);
        }
        match key {
            Some(key) if described.does == Does::Volatile => {
                self.start_keyed(at, to, request, key);
                Ok(())
            }
            key => self.plan(at, to, request, key),
        }
    }

    fn refuse(&mut self, to: &ReplyTo, failure: Failure) -> Result<(), String> {
        self.batch.reply(to, &failure.into());
        Ok(())
    }

    /// Asks the capability and does what it plans.
    ///
    /// # Errors
    /// Why no sound worker asks so.
    pub(super) fn plan(
        &mut self,
        at: SessionRef,
        to: ReplyTo,
        request: Request,
        key: Option<Box<ClientKey>>,
    ) -> Result<(), String> {
        let player = self.logs_in(&request);
        let Some(mut plan) = self.plan_of(at, request) else { return Ok(()) };
        // What has a key is refused by the writer.
        if key.is_none()
            && let Plan::Reply(Reply::Failed(failure)) = &plan
        {
            self.has_refused(at, &to, player, failure);
        }
        if key.is_some()
            && let Plan::Reply(Reply::Failed(failure)) = plan
        {
            // What may not be done any more may have been done under its key: the writer knows.
            plan = Plan::Change(Change::Refused(failure), None);
        }
        self.carry_out(at, to, plan, key)
    }

    /// Lends the session and the state to the capability; nothing when the session is gone.
    pub(super) fn plan_of(&mut self, at: SessionRef, request: Request) -> Option<Plan<Change>> {
        let mut session = self.state.take(at.slot)?;
        let settings = read(&self.shared.settings);
        let (state, memory) = (&mut self.state, &self.shared.memory);
        let plan = dispatch::run(Call { session: &mut session, at, state, memory, settings: &settings }, request);
        drop(settings);
        self.state.put(at.slot, session);
        self.write_journal();
        Some(plan)
    }

    /// Answers a request that a handler before this one has done; false when none has.
    fn repeat(&mut self, at: SessionRef, to: &ReplyTo) -> bool {
        let (session, _) = to.link.asked();
        let kept = crate::lock::lock(&self.shared.kept).find(session, to.number).cloned();
        if let Some(Outcome { kind, payload, proves }) = kept {
            // Who the session is, is decided anew: it may have logged out since, or what it had proved holds no longer.
            let void = proves.filter(|proof| !self.still_proves(session, to.number, *proof));
            if let (Some(proof), None) = (proves, void) {
                let was = self.state.live(at).and_then(|session| session.who());
                self.become_somebody(at, to.number, proof, kind);
                if kind == ReplyKind::LoggedIn as u16 {
                    self.came_in(at, was, proof.who);
                }
            }
            self.batch.reply_packed(to, kind, &payload);
            if let Some(proof) = void {
                self.log_out(at, self.why_out(proof.who));
            }
            return true;
        }
        let Some(settled) = self.answered.find(session, to.number) else { return false };
        self.batch.reply_packed(to, settled.kind, &settled.payload);
        true
    }
}

/// Of what is asked under a client's key.
fn digest(kind: Kind, payload: &[u8]) -> [u8; 32] {
    Blake2b::<U32>::new().chain_update((kind as u16).to_le_bytes()).chain_update(payload).finalize().into()
}
