//! Clients' own keys for changes in memory, which leave nothing on disk that could be kept in one transaction with them: what they
//! came to goes to the journal with them, and from there to the database by a change of its own. Part of the event loop.

use super::EventLoop;
use crate::capability::Plan;
use crate::changes::Change;
use crate::dispatch::{self, Refused};
use crate::link::ReplyTo;
use crate::state::journal::{ClientKey, Settled};
use crate::state::session::SessionRef;
use crate::work::{Asker, Look, Read, ReadOutcome, Write, conflict, known};
use ssmglobal_ipc::{Code, Reply, Request};
use ssmglobal_store::Principal;
use std::collections::HashMap;

/// Keys that may wait for the database.
const WAITING: usize = 10_000;

/// What requests under a client's key came to, until it is in the database.
#[derive(Default)]
pub struct Pending {
    settled: HashMap<(Principal, String), ([u8; 32], Settled)>,
}

impl Pending {
    /// What is to be answered under a key that is known.
    pub fn known(&self, key: &ClientKey) -> Option<Reply> {
        let (digest, settled) = self.settled.get(&(key.owner, key.key.clone()))?;
        Some(if *digest == key.digest { settled.reply() } else { conflict().into() })
    }

    /// It is in the database.
    pub fn is_saved(&mut self, owner: Principal, key: String) {
        self.settled.remove(&(owner, key));
    }

    /// Whether a key waits for the database.
    pub fn waits(&self, key: &ClientKey) -> bool {
        self.settled.contains_key(&(key.owner, key.key.clone()))
    }
}

impl EventLoop {
    /// Does a request that has a key, unless it was done: the database is asked first.
    pub(super) fn start_keyed(&mut self, at: SessionRef, to: ReplyTo, request: Request, key: Box<ClientKey>) {
        if let Some(reply) = self.pending.known(&key) {
            return self.batch.reply(&to, &reply);
        }
        if self.pending.settled.len() >= WAITING {
            let busy = Reply::fail(Code::Busy, "Too many keys are waiting already. Try again in a moment.");
            return self.batch.reply(&to, &busy);
        }
        let wanted = ClientKey::clone(&key);
        let look: Look = Box::new(move |reader| {
            Ok(known(reader, &wanted)?.map_or(ReadOutcome::UnknownKey(request), ReadOutcome::Reply))
        });
        to.link.started();
        let job = Read { asker: Asker::Session(at, to.clone()), look, key: Some(key) };
        if let Err(failure) = self.shared.read(job) {
            self.batch.finish(&to, &failure.into());
        }
    }

    /// The database does not know the key: the request is done now.
    pub(super) fn do_keyed(&mut self, at: SessionRef, to: &ReplyTo, request: Request, key: Box<ClientKey>) {
        // Another session of the same owner may have been quicker.
        if let Some(reply) = self.pending.known(&key) {
            return self.batch.finish(to, &reply);
        }
        // A right may have been revoked while the database was asked.
        let may = self.state.live(at).map(|session| dispatch::may(session, &self.shared.memory, request.kind()));
        if let Some(Err(Refused::Failure(failure))) = may {
            self.has_denied(at, request.kind());
            return self.batch.finish(to, &failure.into());
        }
        let reply = match self.plan_of(at, request) {
            Some(Plan::Volatile(volatile)) => {
                let settled = self.settle(to, volatile, Some(key));
                return self.finish_settled(to, settled);
            }
            Some(Plan::Publish(message)) => return self.finish_send(at, to, message, Some(key)),
            Some(Plan::Reply(reply)) => {
                if let Reply::Failed(failure) = &reply {
                    self.has_refused(at, to, None, failure);
                }
                reply
            }
            Some(Plan::Look(look)) => {
                let job = Read { asker: Asker::Session(at, to.clone()), look, key: Some(key) };
                return match self.shared.read(job) {
                    Ok(()) => {}
                    Err(failure) => self.batch.finish(to, &failure.into()),
                };
            }
            // The session is gone, or the capability plans what is no change in memory.
            _ => Reply::fail(Code::Unavailable, "This cannot be done at the moment. Try again later."),
        };
        self.batch.finish(to, &reply);
    }

    /// Keeps what a request has come to under its key, and hands it to the writer.
    pub(super) fn keep_key(&mut self, settled: &Settled) {
        let Some(key) = settled.key.clone() else { return };
        let asker = Asker::Keyed(key.owner, key.key.clone());
        let change = Change::Known(settled.reply());
        self.pending.settled.insert((key.owner, key.key.clone()), (key.digest, settled.clone()));
        self.writes.push(Write::Change { asker, change, key: Some(Box::new(key)), tried: None });
    }
}
