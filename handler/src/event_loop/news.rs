//! What others are told of changes. Part of the event loop.

use super::EventLoop;
use crate::lock::lock;
use crate::state::journal::Entry;
use crate::state::news::{Audience, News};
use crate::state::session::{Session, SessionRef};

impl EventLoop {
    /// A transaction has news, which are kept in a row of its own. That they were told is known with the pushes, or not at all.
    pub(super) fn hear(&mut self, row: i64, news: Vec<News>) {
        if self.recovery.is_on() {
            // Who may not be on any more is out at once: all else waits for those who are to hear it.
            for one in &news {
                self.take_out(one);
            }
            return self.recovery.hold_back(row, news);
        }
        self.journal.hold();
        self.tell_all(news);
        self.journal.append(&Entry::NewsTold { row });
        self.journal.publish();
        lock(&self.shared.kept).told(row);
    }

    /// Tells all who are meant.
    pub(super) fn tell_all(&mut self, news: Vec<News>) {
        for one in news {
            self.take_out(&one);
            match one {
                News::Tell { to, event } => {
                    for at in self.audience(to) {
                        self.push(at, &event);
                    }
                }
                News::Licence { world, name, stop, terms } => self.licence_changed(world, name, stop, terms),
                News::Started { world, at, by } => self.world_started(world, at, by),
                News::Limited { player } => self.limit_changed(player),
                News::Counted { session, since } => drop(self.login_counted(session, since)),
                News::Out { .. } => {}
            }
        }
    }

    fn audience(&self, to: Audience) -> Vec<SessionRef> {
        match to {
            Audience::Principal(who) => self.state.online.sessions(who).to_vec(),
            Audience::Topic(topic) => self.state.online.subscribers(topic).to_vec(),
        }
    }

    fn take_out(&mut self, news: &News) {
        if let News::Out { who, reason } = news {
            for at in self.state.online.sessions(*who).to_vec() {
                // One that has proved it since stays, and so does the one that has changed what it is proved by.
                let Some(proof) = self.state.live(at).and_then(Session::proof) else { continue };
                if !self.shared.memory.holds(proof) && !self.is_renewed(at, proof) {
                    self.log_out(at, reason);
                }
            }
        }
    }
}
