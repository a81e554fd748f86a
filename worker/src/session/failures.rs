//! How a session ends: by too many failed logins on one connection, which costs its address a waiting time, or because its
//! client speaks something else. Runs in a worker; pure.

use super::Session;
use crate::peer::Stack;
use ssmglobal_config::Settings;
use ssmglobal_ipc::{Code, Reply, WorkerEnd};

impl Session {
    /// Takes note of an answer that the client has got.
    pub(super) fn count_failure(&mut self, reply: &Reply, to: &mut Stack, settings: &Settings) {
        if !matches!(reply, Reply::Failed(failure) if failure.code == Code::BadLogin) {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failed_too_often(settings) {
            self.close(to, "Too many tries; the connection is closed.".to_owned(), WorkerEnd::FAILED_LOGINS);
        }
    }

    fn failed_too_often(&self, settings: &Settings) -> bool {
        let most = settings.players.failures_per_connection;
        most > 0 && self.failures >= most
    }

    /// How it has ended, when it has.
    pub fn how_ended(&self, settings: &Settings) -> WorkerEnd {
        match self.stranger {
            Some(protocol) => protocol.end(),
            None if self.failed_too_often(settings) => WorkerEnd::FAILED_LOGINS,
            None => self.end.unwrap_or(WorkerEnd::GOOD),
        }
    }
}
