//! What no sound worker does, and what then becomes of it. Part of the event loop.
//!
//! A worker may have been taken over. It loses its session when it shows that, once and for all: its process may go on, but
//! nothing that it sends is looked at any more. Each such worker is worth one line of the log.

use super::Server;
use ssmglobal_ipc::{Event, Notice};

/// Links that one worker may make to one handler. A sound one makes a single one, or a few when it does not come to read.
const LINKS: u32 = 64;

/// By how much a request's number may be ahead of what its session has acknowledged. A sound worker has at most
/// `limits.ahead` requests open, and few numbers between them that are none.
const GAP: u64 = 1 << 16;

/// What a link has asked so far, as far as that tells a liar.
#[derive(Debug, Default)]
pub struct Order {
    /// The last request that changes something.
    last: u64,
}

impl Order {
    /// A request that changes something; everything up to `acked` has been answered and heard.
    ///
    /// # Errors
    /// Why no sound worker asks so.
    pub fn change(&mut self, number: u64, acked: u64) -> Result<(), String> {
        if number <= self.last {
            return Err("its numbers go back".into());
        }
        if number.saturating_sub(acked) > GAP {
            return Err("it takes no note of its answers".into());
        }
        self.last = number;
        Ok(())
    }
}

impl Server {
    /// The session that a worker has, as the listener says; 0 while that is not known.
    fn session_of(&self, pid: i32) -> u64 {
        self.children.get(&pid).map_or(0, |client| client.session)
    }

    /// Whether a worker may make one more link.
    pub(super) fn may_link(&mut self, pid: i32) -> bool {
        if self.banished.contains(&self.session_of(pid)) {
            return false;
        }
        let count = self.links.entry(pid).or_default();
        *count = count.saturating_add(1);
        match (*count).cmp(&LINKS) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => {
                self.distrust(pid, "it links up again and again");
                false
            }
            std::cmp::Ordering::Greater => false,
        }
    }

    /// Ends the session of a worker that breaks the rules.
    pub(super) fn distrust(&mut self, pid: i32, why: &str) {
        match self.by_pid.get(&pid).copied() {
            Some(slot) => self.banish(slot, why),
            None => self.bar(pid, why),
        }
    }

    /// Ends a session that breaks the rules.
    pub(super) fn banish(&mut self, slot: usize, why: &str) {
        let Some(session) = self.session_mut(slot).filter(|session| !session.over) else { return };
        session.over = true;
        let (pid, link) = (session.pid, session.link.clone());
        self.bar(pid, why);
        let msg = "The backend has ended this connection.".to_owned();
        self.batch.event(&link, 0, &Event::Close(Notice { msg }));
        self.dead.push(slot);
    }

    /// Its worker may not come back.
    fn bar(&mut self, pid: i32, why: &str) {
        let session = self.session_of(pid);
        let peer = match self.children.get(&pid) {
            Some(client) => ssmglobal_config::shown(client.address),
            None => format!("pid {pid}"),
        };
        if session == 0 {
            // Not known yet, or no more: further links of it are not looked at.
            self.links.insert(pid, LINKS);
        } else if !self.banished.insert(session) {
            return;
        }
        log::warn!("{peer}: the session ends: {why}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow_and_answers_are_noted() {
        let mut order = Order::default();
        // Asked again after a link was lost, in the order of their numbers.
        for (number, acked) in [(3, 2), (4, 2), (9, 2), (10, 9), (GAP + 9, 9)] {
            assert_eq!(order.change(number, acked), Ok(()));
        }
        assert!(order.change(GAP + 9, GAP + 8).is_err() && order.change(1, 0).is_err());
        assert!(order.change(2 * GAP + 11, GAP + 10).is_err());
        assert!(order.change(u64::MAX, 0).is_err());
        assert_eq!(order.change(u64::MAX, u64::MAX), Ok(()));
        assert!(Order::default().change(0, 0).is_err());
    }
}
