//! What capabilities plan, carried out. Part of the event loop.

use super::EventLoop;
use crate::capability::Plan;
use crate::changes::Change;
use crate::link::ReplyTo;
use crate::state::audit::Happened;
use crate::state::journal::{ClientKey, Entry, Settled};
use crate::state::session::SessionRef;
use crate::work::{Asker, Hash, Read, Volatile, Write};
use ssmglobal_ipc::frame::put_reply;
use ssmglobal_ipc::{Failure, Reply};

impl EventLoop {
    /// Does what was planned.
    ///
    /// # Errors
    /// Why no sound worker asks so.
    pub(super) fn carry_out(
        &mut self,
        at: SessionRef,
        to: ReplyTo,
        plan: Plan<Change>,
        key: Option<Box<ClientKey>>,
    ) -> Result<(), String> {
        match plan {
            Plan::Reply(reply) => self.batch.reply(&to, &reply),
            Plan::Nothing => {}
            Plan::Evict(why) => return Err(why),
            Plan::WithDescriptors(reply, fds) => {
                to.link.put_with_fds(|out| put_reply(out, to.number, &reply), fds);
                self.batch.is_answered(&to);
            }
            Plan::Change(change, tried) => {
                to.link.started();
                self.writes.push(Write::Change { asker: Asker::Session(at, to), change, key, tried });
            }
            Plan::Look(look) => {
                self.give(to, |to, shared| shared.read(Read { asker: Asker::Session(at, to), look, key }))
            }
            Plan::Hash(hashing, tried, then) => {
                self.give(to, |to, shared| shared.hash(Hash { asker: Asker::Session(at, to), hashing, tried, then }));
            }
            Plan::Volatile(volatile) => {
                let settled = self.settle(&to, volatile, key);
                self.answer_settled(&to, settled);
            }
            Plan::Publish(message) => self.send(at, to, message, key),
            Plan::Open(open) => {
                if let Some(reply) = self.open(at.slot, to.number, open)? {
                    self.batch.reply(&to, &reply);
                }
            }
            Plan::Play(wish) => self.play_wish(at, &to, wish),
            Plan::SetMode(mode) => {
                if self.set_mode(at.slot, mode) {
                    self.give_ticket(at.slot);
                }
                self.batch.reply(&to, &done());
            }
            Plan::Visit(name) => self.become_visitor(at, &to, &name),
            Plan::Logout => {
                self.note_of(at, &Happened::Logout { reason: "asked" });
                self.end_passes(at.slot);
                self.become_nobody(at.slot);
                self.give_ticket(at.slot);
                self.batch.reply(&to, &done());
            }
        }
        Ok(())
    }

    /// Gives a request to another thread.
    fn give(&mut self, to: ReplyTo, give: impl FnOnce(ReplyTo, &crate::changes::Shared) -> Result<(), Failure>) {
        to.link.started();
        if let Err(failure) = give(to.clone(), &self.shared) {
            self.batch.finish(&to, &failure.into());
        }
    }

    /// A change in memory: what it has come to and what others are told become part of the journal together.
    pub(super) fn settle(&mut self, to: &ReplyTo, volatile: Volatile, key: Option<Box<ClientKey>>) -> Settled {
        let Volatile { reply, news, entries } = volatile;
        let settled = Settled::new(to.link.asked().0, to.number, &reply, key.map(|key| *key));
        self.journal.hold();
        self.journal.append(&Entry::Done(settled.clone()));
        for entry in &entries {
            self.journal.append(entry);
        }
        self.tell_all(news);
        self.journal.publish();
        settled
    }

    /// Keeps what a change in memory has come to, for who asks again.
    fn keep_answer(&mut self, settled: Settled) {
        self.keep_key(&settled);
        self.answered.add(settled);
    }

    /// A change in memory that had to read first.
    pub(super) fn finish_volatile(
        &mut self,
        at: SessionRef,
        to: &ReplyTo,
        volatile: Volatile,
        key: Option<Box<ClientKey>>,
    ) {
        if self.state.live(at).is_none() {
            return self.batch.finish(to, &volatile.reply);
        }
        // Another session of the same owner may have been quicker.
        let known = key.as_ref().and_then(|key| self.pending.known(key));
        match known {
            Some(reply) => self.batch.finish(to, &reply),
            None => {
                let settled = self.settle(to, volatile, key);
                self.finish_settled(to, settled);
            }
        }
    }

    /// A change in memory that was made at once: the answer goes out and is kept.
    pub(super) fn answer_settled(&mut self, to: &ReplyTo, settled: Settled) {
        self.batch.reply_packed(to, settled.kind, &settled.payload);
        self.keep_answer(settled);
    }

    /// A change in memory that another thread had looked at for: the answer goes out and is kept.
    pub(super) fn finish_settled(&mut self, to: &ReplyTo, settled: Settled) {
        self.batch.finish_packed(to, settled.kind, &settled.payload);
        self.keep_answer(settled);
    }
}

fn done() -> Reply {
    Reply::Done(ssmglobal_ipc::Done {})
}
