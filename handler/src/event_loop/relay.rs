//! Messages on relay channels: sent at once, or, where the mark on disk does not allow their number yet, when the writer has
//! moved it. Part of the event loop.

use super::EventLoop;
use crate::capability::relay::MoveMark;
use crate::link::ReplyTo;
use crate::state::bus::Outgoing;
use crate::state::journal::{ClientKey, Settled};
use crate::state::session::SessionRef;
use crate::work::{Asker, Write};
use ssmglobal_ipc::{Code, Failure, Reply};

/// A message that waits for the mark. A session has one at a time, as it counts as in flight.
pub struct UnnumberedMessage {
    at: SessionRef,
    to: ReplyTo,
    message: Outgoing,
    key: Option<Box<ClientKey>>,
}

impl EventLoop {
    /// Sends a message.
    pub(super) fn send(&mut self, at: SessionRef, to: ReplyTo, message: Outgoing, key: Option<Box<ClientKey>>) {
        if !self.state.bus.may_publish(message.channel) {
            to.link.started();
            return self.wait_for_mark(UnnumberedMessage { at, to, message, key });
        }
        match self.publish(&to, message, key) {
            Ok(settled) => self.answer_settled(&to, settled),
            Err(failure) => self.batch.reply(&to, &failure.into()),
        }
    }

    /// Sends a message that has waited for something.
    pub(super) fn finish_send(&mut self, at: SessionRef, to: &ReplyTo, message: Outgoing, key: Option<Box<ClientKey>>) {
        if !self.state.bus.may_publish(message.channel) {
            return self.wait_for_mark(UnnumberedMessage { at, to: to.clone(), message, key });
        }
        match self.publish(to, message, key) {
            Ok(settled) => self.finish_settled(to, settled),
            Err(failure) => self.batch.finish(to, &failure.into()),
        }
    }

    fn wait_for_mark(&mut self, waiting: UnnumberedMessage) {
        self.state.bus.numbers.insist();
        self.unnumbered.push(waiting);
    }

    /// The mark was moved so far, or could not be moved.
    pub(super) fn mark_moved(&mut self, mark: Option<u64>) {
        let waiting = std::mem::take(&mut self.unnumbered);
        self.state.bus.numbers.moved(mark);
        for UnnumberedMessage { at, to, message, key } in waiting {
            // Another session of the same owner may have been quicker.
            let known = key.as_ref().and_then(|key| self.pending.known(key));
            match (known, mark) {
                (Some(reply), _) => self.batch.finish(&to, &reply),
                (None, Some(_)) if self.state.live(at).is_some() => self.finish_send(at, &to, message, key),
                // Nobody hears it, or it cannot be sent.
                (None, _) => self.batch.finish(&to, &no_number()),
            }
        }
    }

    /// Has the writer move the mark, if that is due.
    pub(super) fn move_mark(&mut self) {
        if let Some(upto) = self.state.bus.mark_wanted() {
            self.state.bus.numbers.moving();
            let (asker, change) = (Asker::Relay(upto), MoveMark { upto }.into());
            self.shared.write_own(Write::Change { asker, change, key: None, tried: None });
        }
    }

    /// A message on a channel: it, its answer and what its sender is told are one entry of the journal.
    ///
    /// # Errors
    /// The channel is gone.
    fn publish(&mut self, to: &ReplyTo, message: Outgoing, key: Option<Box<ClientKey>>) -> Result<Settled, Failure> {
        let backlog = self.shared.settings().relay.backlog;
        let settle = |reply: &Reply| Settled::new(to.link.asked().0, to.number, reply, key.map(|key| *key));
        let settled = self.state.bus.publish(&mut self.journal, message, backlog, settle);
        settled.ok_or_else(|| Failure::new(Code::Unavailable, "The channel is gone. Try again."))
    }
}

fn no_number() -> Reply {
    Reply::fail(Code::Unavailable, "This cannot be sent at the moment: its number cannot be saved. Try again later.")
}
