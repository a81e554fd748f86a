//! After a death of the handler: nothing is answered before all sessions that were here are back, so that nobody sees a
//! list without somebody who never left, or is told that a neighbour is not there. Part of the event loop.

use super::Server;
use crate::core::SessionRef;
use ssmglobal_ipc::Event;
use std::time::{Duration, Instant};

/// Who is not back after this time is not waited for any longer.
const PATIENCE: Duration = Duration::from_millis(250);

impl Server {
    /// Takes over what was left, and begins to wait for those who were linked.
    pub(super) fn begin_gathering(&mut self) {
        let backlog = self.core.settings().relay.backlog;
        for channel in std::mem::take(&mut self.found.channels) {
            if let Err(error) = self.hub.restore(channel, backlog) {
                log::error!("a relay channel cannot be taken over: {error}");
            }
        }
        let linked = std::mem::take(&mut self.found.linked);
        let here = self.children.values().map(|client| client.session);
        self.expected = here.filter(|session| linked.contains(session)).collect();
        // Those came while the listener's word was read.
        self.expected.retain(|session| !self.by_session.contains_key(session));
        self.gathering = (!self.expected.is_empty()).then(|| Instant::now() + PATIENCE);
    }

    /// How long to wait at the most.
    pub(super) fn gathering_ends(&self) -> Option<Duration> {
        self.gathering.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// Goes on when all are back.
    pub(super) fn gather(&mut self) {
        let Some(until) = self.gathering else { return };
        if !self.expected.is_empty() && Instant::now() < until {
            return;
        }
        if !self.expected.is_empty() {
            log::info!("{} sessions have not come back yet", self.expected.len());
        }
        self.gathering = None;
        for slot in 0..self.sessions.len() {
            self.resume(slot);
        }
    }

    /// Pushes once more what the handler before this one may not have sent.
    pub fn push_again(&mut self, at: SessionRef, number: u64, event: &Event) {
        if let Some(link) = self.live(at).map(|session| session.link.clone()) {
            self.batch.event(&link, number, event);
        }
    }
}
