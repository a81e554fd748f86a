//! Clients' own keys for RELAY SEND and TELL, which leave nothing on disk that could be kept in one transaction with them:
//! what they came to goes to the journal with them, and from there to the database. Part of the event loop.

use super::Server;
use crate::core::{Asker, Effect, Key, Look, Read, Seen, SessionRef, Write};
use crate::dispatch::{Plan, run};
use crate::journal::{Entry, owner_of};
use crate::link::ReplyTo;
use crate::results::{Outcome, lost, packed};
use ssmglobal_ipc::{Code, Reply, Request};
use ssmglobal_store::Owner;

/// Keys that may wait for the database.
const WAITING: usize = 10_000;

impl Server {
    /// Does a request that has a key, unless it was done.
    pub(super) fn start_keyed(
        &mut self,
        slot: usize,
        number: u64,
        request: Request,
        key: Box<Key>,
    ) -> Result<(), String> {
        let Some((to, at)) = self.reply_to(slot, number) else { return Ok(()) };
        if let Some(reply) = self.known(&key) {
            self.batch_reply(&to, &reply);
            return Ok(());
        }
        if self.keyed.len() >= WAITING {
            self.batch_reply(
                &to,
                &Reply::fail(Code::Busy, "Too many keys are waiting already. Try again in a moment."),
            );
            return Ok(());
        }
        let look: Look = match &request {
            Request::Tell(_) => match self.plan(slot, number, request) {
                Plan::Read(look) => Box::new(move |reader| match kept(reader, &key)? {
                    Some(reply) => Ok(Seen::Reply(reply)),
                    None => Ok(match look(reader)? {
                        Seen::Tell(player, event, reply, _) => Seen::Tell(player, event, reply, Some(key)),
                        seen => seen,
                    }),
                }),
                Plan::Now(reply) => {
                    self.batch_reply(&to, &reply);
                    return Ok(());
                }
                _ => return Ok(()),
            },
            _ => Box::new(move |reader| {
                Ok(kept(reader, &key)?.map_or_else(|| Seen::Perform(at, request, key), Seen::Reply))
            }),
        };
        to.link.started();
        if let Err(failure) = self.core.read(Read { to: to.clone(), look }) {
            self.batch_finish(&to, &failure.into());
        }
        Ok(())
    }

    fn plan(&mut self, slot: usize, number: u64, request: Request) -> Plan {
        run(self, slot, number, request)
    }

    /// The database does not know the key: the request is done now.
    pub(super) fn perform(&mut self, at: SessionRef, to: &ReplyTo, request: Request, key: Box<Key>) {
        if self.live(at).is_none() {
            return;
        }
        // Another session of the same owner may have been quicker.
        let reply = match self.known(&key) {
            Some(reply) => reply,
            None => match self.plan(at.slot, to.number, request) {
                Plan::Now(reply) => {
                    self.remember(&key, &reply);
                    reply
                }
                _ => return,
            },
        };
        self.batch_finish(to, &reply);
    }

    /// What is to be answered under a key that is known.
    pub(super) fn known(&self, key: &Key) -> Option<Reply> {
        let (digest, outcome) = self.keyed.get(&(key.owner, key.key.clone()))?;
        Some(match *digest == key.digest {
            true => outcome.reply_alone(),
            false => crate::keys::conflict().into(),
        })
    }

    /// Keeps what a request has come to under its key.
    pub(super) fn remember(&mut self, key: &Key, reply: &Reply) {
        if matches!(reply, Reply::Failed(_)) {
            return;
        }
        let (kind, payload) = packed(reply);
        let (player, id) = match key.owner {
            Owner::Player(id) => (true, id.0),
            Owner::Server(id) => (false, id.0),
        };
        let entry = Entry::Keyed { player, id, key: key.key.clone(), digest: key.digest, kind, payload };
        self.journal.append(&entry);
        self.keep_keyed(entry);
    }

    /// Takes over what the journal has kept under a key, and hands it to the writer.
    pub(super) fn keep_keyed(&mut self, entry: Entry) {
        let Entry::Keyed { player, id, key, digest, kind, payload } = entry else { return };
        let owner = owner_of(player, id);
        let outcome = Outcome::Reply(kind, payload);
        let (reply, name) = (outcome.reply_alone(), key.clone());
        self.keyed.insert((owner, key.clone()), (digest, outcome));
        let act = Box::new(move |work: &mut crate::core::Work<'_>| {
            work.effects.push(Effect::Keyed(owner, name.clone()));
            Ok(crate::core::Answer::Reply(reply.clone()))
        });
        self.writes.push(Write { asker: Asker::Nobody, act, key: Some(Box::new(Key { owner, key, digest })) });
    }
}

/// What the database has under a key.
fn kept(reader: &dyn ssmglobal_store::Reader, key: &Key) -> ssmglobal_store::Result<Option<Reply>> {
    Ok(reader.keyed(key.owner, &key.key)?.map(|kept| match kept.digest == key.digest {
        true => postcard::from_bytes::<Outcome>(&kept.answer).map_or_else(|_| lost(), |it| it.reply_alone()),
        false => crate::keys::conflict().into(),
    }))
}
