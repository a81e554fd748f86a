//! What others are told of changes. Part of the event loop.

use super::EventLoop;
use crate::lock::lock;
use crate::state::journal::Entry;
use crate::state::news::{Audience, News};
use crate::state::session::{Session, SessionRef};
use ssmglobal_ipc::{Event, ForGuest};

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
                News::Tell { to, event } => self.tell_audience(to, event),
                News::Licence { world, name, stop, terms } => self.licence_changed(world, name, stop, terms),
                News::Started { world, at, by } => self.world_started(world, at, by),
                News::Rights { player } => self.rights_changed(player),
                News::Out { .. } => {}
            }
        }
    }

    fn tell_audience(&mut self, to: Audience, event: Event) {
        let audience = self.audience(to);
        if let (Audience::Principal(who), true) = (to, audience.is_empty())
            && let Some((session, world)) = self.state.reachable(who)
        {
            // Through the world that he is in, since he has no connection of his own: once, and not twice.
            let world = world.and_then(|world| self.shared.memory.name(world.into()));
            let (to, event) = (self.shared.memory.party(who), Box::new(event));
            return self.push_to(session, &Event::ForGuest(ForGuest { world, to, event }));
        }
        for at in audience {
            self.push(at, &event);
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
