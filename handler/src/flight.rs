//! What of a session is given to other threads and not answered yet, over whatever links it was asked: a session whose link is
//! lost goes on with another one only when it is known what that has come to. Shared by the event loop and the other threads.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

/// One session's.
#[derive(Debug, Default)]
pub struct Flight {
    count: AtomicU32,
    /// The event loop holds requests back until nothing is in flight.
    waiting: AtomicBool,
    /// Where the event loop keeps the session.
    slot: AtomicUsize,
}

impl Flight {
    /// The session is in this slot from now on.
    pub fn is_in(&self, slot: usize) {
        self.slot.store(slot, Ordering::SeqCst);
    }

    /// The session's slot.
    pub fn slot(&self) -> usize {
        self.slot.load(Ordering::SeqCst)
    }

    /// Requests given to other threads and not answered yet.
    pub fn count(&self) -> u32 {
        self.count.load(Ordering::SeqCst)
    }

    /// One more request is given to another thread.
    pub fn started(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// A request given to another thread is done; gives whether the event loop waits for that.
    pub fn finished(&self) -> bool {
        self.count.fetch_sub(1, Ordering::SeqCst) == 1 && self.waiting.swap(false, Ordering::SeqCst)
    }

    /// The event loop wants to be woken when nothing is in flight any more. False: that is so already.
    pub fn wait_for_quiet(&self) -> bool {
        self.waiting.store(true, Ordering::SeqCst);
        if self.count() == 0 {
            self.waiting.store(false, Ordering::SeqCst);
            return false;
        }
        true
    }
}
