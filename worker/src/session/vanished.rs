//! Whether the client's machine is still there. The kernel asks it when nothing is said, and ends the connection when what was
//! written is not answered in time. But it would also end that of a client who answers and only has no room for more (a stopped
//! terminal), which must not be: here it is looked after as long as something waits. Runs in a worker.

use super::Session;
use std::time::{Duration, Instant};

/// Of one client.
#[derive(Debug, Default)]
pub(super) struct Contact {
    /// When to look at what was written.
    look: Option<Instant>,
    /// The kernel does not end the connection by itself now.
    lifted: bool,
    /// When a NOP was last sent.
    nop: Option<Instant>,
}

impl Contact {
    /// Of a client whom another worker has served, which may have left something undone.
    pub(super) fn taken() -> Contact {
        Contact { look: Some(Instant::now()), lifted: true, nop: None }
    }
}

impl Session<'_> {
    fn vanished(&self) -> Duration {
        Duration::from_secs(self.settings.limits.vanished_seconds)
    }

    /// Something was written.
    pub(super) fn has_written(&mut self) {
        if self.contact.look.is_none() && !self.vanished().is_zero() {
            self.contact.look = Some(Instant::now() + self.vanished() / 4);
        }
    }

    /// When to look whether the client is there, or to send something that he does not see.
    pub(super) fn contact_at(&self) -> Option<Instant> {
        self.contact.look.into_iter().chain(self.nop_at()).min()
    }

    /// When somebody who speaks telnet gets a NOP.
    fn nop_at(&self) -> Option<Instant> {
        let seconds = self.settings.limits.telnet_nop_seconds;
        let from = self.contact.nop.map_or(self.last_line, |nop| nop.max(self.last_line));
        (seconds > 0 && self.reader.speaks_telnet()).then(|| from + Duration::from_secs(seconds))
    }

    /// Looks, if it is time; gives whether it was.
    pub(super) fn look_after(&mut self, now: Instant) -> bool {
        let mut due = false;
        if self.contact.look.is_some_and(|at| at <= now) {
            due = true;
            self.look(now);
        }
        if self.nop_at().is_some_and(|at| at <= now) {
            due = true;
            self.contact.nop = Some(now);
            // What waits is as good.
            if ssmglobal_sys::flow(&self.client.stream).is_ok_and(|flow| !flow.waits) {
                self.reader.keep_alive(&mut self.client.out);
            }
        }
        due
    }

    fn look(&mut self, now: Instant) {
        let time = self.vanished();
        // Without an answer there is no such connection any more, which is said elsewhere.
        let Ok(flow) = ssmglobal_sys::flow(&self.client.stream) else {
            self.contact.look = None;
            return;
        };
        if flow.held_up != self.contact.lifted {
            let within = if flow.held_up { Duration::ZERO } else { time };
            if ssmglobal_sys::answer_within(&self.client.stream, within).is_ok() {
                self.contact.lifted = flow.held_up;
            }
        }
        if self.contact.lifted && flow.unanswered > 1 && flow.silent >= time {
            self.client.forget();
            self.ending = true;
        }
        self.contact.look = flow.waits.then(|| now + time / 4);
    }
}
