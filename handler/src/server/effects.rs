//! What other threads leave for the event loop to do, after a commit for instance: who a session is now, whom to tell. Part
//! of the event loop.

use super::Server;
use crate::core::{Effect, Identity, SessionRef};
use crate::journal::done_with;
use crate::session::Session;
use ssmglobal_ipc::{Event, Mode, Notice, State};
use ssmglobal_store::Owner;
use std::time::Instant;

impl Server {
    /// Does what other threads have left to do.
    pub(super) fn take_effects(&mut self) {
        loop {
            let (effects, quiet) = self.core.take_effects();
            if effects.is_empty() && quiet.is_empty() {
                return;
            }
            // That they were told is known with the pushes or not at all.
            self.journal.hold();
            for effect in effects {
                self.effect(effect);
            }
            self.journal.publish();
            for slot in quiet {
                self.resume(slot);
            }
        }
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        if self.gathering.is_some() && matches!(effect, Effect::Push(..) | Effect::First(..) | Effect::Told(_)) {
            return self.untold.push(effect);
        }
        match effect {
            Effect::Proved { .. } => crate::players::proved(self, effect),
            Effect::Tried(tried, good) => self.throttle.tried(&tried, good, Instant::now()),
            Effect::Push(player, event) => {
                for at in self.hub.players.get(&player).cloned().unwrap_or_default() {
                    self.push(at, &event);
                }
            }
            Effect::Perform(at, to, request, key) => {
                // A channel's ring shows a message to others at once: it must be in the journal before.
                self.journal.publish();
                self.perform(at, &to, request, key);
                self.journal.hold();
            }
            Effect::Keyed(owner, key) => drop(self.keyed.remove(&(owner, key))),
            Effect::Tell(player, event, to, reply, key) => {
                if let Some(reply) = key.as_ref().and_then(|key| self.known(key)) {
                    return self.batch.finish(&to, &reply);
                }
                for at in self.hub.players.get(&player).cloned().unwrap_or_default() {
                    self.push(at, &event);
                }
                self.journal.append(&done_with(to.link.asked().0, to.number, &reply));
                if let Some(key) = key {
                    self.remember(&key, &reply);
                }
                self.batch.finish(&to, &reply);
            }
            Effect::First(board, event) => {
                for at in self.hub.watchers.get(&board).cloned().unwrap_or_default() {
                    self.push(at, &event);
                }
            }
            Effect::PlayerOut(player, reason) => {
                for at in self.hub.players.get(&player).cloned().unwrap_or_default() {
                    self.log_out(at, &reason);
                }
                self.barred.insert(Owner::Player(player));
            }
            Effect::ServerOut(id, reason) => {
                self.barred.insert(Owner::Server(id));
                let of =
                    |session: &Session| matches!(&session.identity, Some(Identity::Server(other, _)) if *other == id);
                let all = self.sessions.iter().enumerate();
                let all = all
                    .filter_map(|(slot, session)| session.as_ref().filter(|session| of(session)).map(|s| (slot, s.id)));
                for (slot, id) in all.collect::<Vec<_>>() {
                    self.log_out(SessionRef { slot, id }, &reason);
                }
            }
            Effect::Told(row) => self.journal.told(row),
            Effect::Allowed(owner) => drop(self.barred.remove(&owner)),
            Effect::Operator(operator, answer) => self.answer_operator(operator, &answer),
        }
    }

    /// Takes a login back.
    fn log_out(&mut self, at: SessionRef, reason: &str) {
        self.push(at, &Event::LoggedOut(Notice { msg: reason.to_owned() }));
        self.revoke(at.slot);
        self.forget_identity(at.slot);
        if let Some(session) = self.session_mut(at.slot) {
            session.state = if session.mode == Mode::Server { State::Unproved } else { State::Anonymous };
            session.logged_out = true;
        }
        self.give_ticket(at.slot);
    }
}
