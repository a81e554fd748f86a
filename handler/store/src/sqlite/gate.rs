//! Lets the checkpoint in between two transactions of the writer. Both wait for an event, neither polls. Runs in the
//! handler.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct State {
    held: bool,
    /// Someone is waiting in [`Gate::enter_first`]: the writer, which comes again at once, steps back.
    asked: bool,
}

/// Held by whoever may write to the database files.
#[derive(Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the writer, at the start of a transaction.
    pub(super) fn enter(&self) {
        let mut state =
            self.changed.wait_while(self.lock(), |s| s.held || s.asked).unwrap_or_else(PoisonError::into_inner);
        state.held = true;
    }

    /// For the checkpoint: the next one to enter. One caller at a time.
    pub(super) fn enter_first(&self) {
        let mut state = self.lock();
        state.asked = true;
        let mut state = self.changed.wait_while(state, |s| s.held).unwrap_or_else(PoisonError::into_inner);
        state.asked = false;
        state.held = true;
    }

    /// Ends what `enter` or `enter_first` began.
    pub(super) fn leave(&self) {
        self.lock().held = false;
        self.changed.notify_all();
    }
}
