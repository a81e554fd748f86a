//! How a session ends: by too many failed logins on one connection, which costs its address a waiting time, or because its
//! client speaks something else. Runs in a worker.

use super::Session;
use ssmglobal_ipc::{Code, Event, Notice, Reply, WorkerEnd};

impl Session<'_> {
    /// Takes note of an answer that the client has got.
    pub(super) fn count_failure(&mut self, reply: &Reply) {
        if !matches!(reply, Reply::Failed(failure) if failure.code == Code::BadLogin) {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failed_too_often() && !std::mem::replace(&mut self.ending, true) {
            let msg = "Too many tries; the connection is closed.".to_owned();
            self.show_event(&Event::Close(Notice { msg }));
        }
    }

    fn failed_too_often(&self) -> bool {
        let most = self.settings.players.failures_per_connection;
        most > 0 && self.failures >= most
    }

    /// How this session has ended, when it has.
    pub(crate) fn end(&self) -> WorkerEnd {
        match self.stranger {
            Some(protocol) => protocol.end(),
            None if self.failed_too_often() => WorkerEnd::FAILED_LOGINS,
            None => WorkerEnd::GOOD,
        }
    }
}
