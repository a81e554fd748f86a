//! After a death of the handler: nothing that sees or tells others is done before all sessions that were here are back, so
//! that nobody sees a list without somebody who never left, or is told that a neighbour is not there. Part of the event loop.

use super::Server;
use crate::core::{Effect, read};
use crate::link::lock;
use ssmglobal_ipc::{Event, MailArrived, MailSent, Reply};
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
        for entry in std::mem::take(&mut self.found.keyed) {
            self.keep_keyed(entry);
        }
        self.done_before = {
            let mut results = lock(&self.core.results);
            results.were_upto(self.found.told);
            (results.behind(self.found.told), results.newest())
        };
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
        self.tell_again();
        for slot in 0..self.sessions.len() {
            self.resume(slot);
        }
        self.resume_operators();
    }

    /// Pushes what the handler before this one has done and not come to tell: that a letter has arrived, that a board has a
    /// new first place.
    fn tell_again(&mut self) {
        self.journal.hold();
        let core = self.core.clone();
        let (outcomes, newest) = std::mem::take(&mut self.done_before);
        let boards = read(&core.boards);
        for outcome in outcomes {
            if let Some((board, order)) = outcome.improved()
                && let Some(ranking) = boards.get(board).filter(|it| it.first().is_some_and(|it| it.order == order))
                // Who was first before is not known any more.
                && let Some(effect) = crate::records::new_first(&core, ranking, None)
            {
                self.effect(effect);
            }
            if let (Reply::MailSent(sent), _) = outcome.told(&core, &boards) {
                self.push_mail(&sent);
            }
        }
        // Else the one after this handler would say it once more.
        self.journal.told(newest);
        for effect in std::mem::take(&mut self.untold) {
            self.effect(effect);
        }
        self.journal.publish();
    }

    fn push_mail(&mut self, sent: &MailSent) {
        let Some(to) = read(&self.core.directory).find(&sent.to).filter(|id| self.hub.players.contains_key(id)) else {
            return;
        };
        let reader = &self.operators.reader;
        let found = reader.mail(to, sent.id).and_then(|mail| Ok(mail.zip(Some(reader.mailbox(to)?.1))));
        match found {
            Ok(Some((mail, unread))) => {
                let event = MailArrived { id: sent.id, from: mail.from, subject: mail.subject, unread };
                self.effect(Effect::Push(to, Event::Mail(event)));
            }
            Ok(None) => {}
            Err(error) => log::error!("a letter cannot be told again: {error}"),
        }
    }
}
