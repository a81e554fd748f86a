//! What no sound worker does, and what then becomes of it. Part of the event loop.
//!
//! A worker may have been taken over. It loses its session when it shows that, once and for all: its process may go on, but
//! nothing that it sends is looked at any more. Each such worker is worth one line of the log.

use super::EventLoop;
use ssmglobal_ipc::{Event, Notice};

/// Links that one worker may make to one handler. A sound one makes a single one, or a few when it does not come to read.
const LINKS: u32 = 64;

impl EventLoop {
    /// Whether a worker may make one more link.
    pub(super) fn may_link(&mut self, pid: i32) -> bool {
        if self.workers.evicted.contains(&self.workers.session_of(pid)) {
            return false;
        }
        let count = self.workers.links.entry(pid).or_default();
        *count = count.saturating_add(1);
        match (*count).cmp(&LINKS) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => {
                self.evict_worker(pid, "it links up again and again");
                false
            }
            std::cmp::Ordering::Greater => false,
        }
    }

    /// Ends the session of a worker that breaks the rules.
    pub(super) fn evict_worker(&mut self, pid: i32, why: &str) {
        match self.workers.by_pid.get(&pid).copied() {
            Some(slot) => self.evict(slot, why),
            None => self.shut_out(pid, why),
        }
    }

    /// Ends a session that breaks the rules.
    pub(super) fn evict(&mut self, slot: usize, why: &str) {
        let Some(session) = self.session_mut(slot).filter(|session| !session.over) else { return };
        session.over = true;
        let (pid, link) = (session.pid, session.link.clone());
        self.shut_out(pid, why);
        let msg = "The backend has ended this connection.".to_owned();
        self.batch.event(&link, 0, &Event::Close(Notice { msg }));
        self.dead.push(slot);
    }

    /// Its worker may not come back.
    fn shut_out(&mut self, pid: i32, why: &str) {
        let session = self.workers.session_of(pid);
        let peer = self.workers.peer(pid);
        if session == 0 {
            // Not known yet, or no more: further links of it are not looked at.
            self.workers.links.insert(pid, LINKS);
        } else if !self.workers.evicted.insert(session) {
            return;
        } else {
            self.workers.told.insert(session, "evicted");
        }
        log::warn!("{peer}: the session ends: {why}");
    }
}
