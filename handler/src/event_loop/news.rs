//! What others are told of changes. Part of the event loop.

use super::EventLoop;
use crate::lock::lock;
use crate::state::journal::Entry;
use crate::state::news::{Audience, News};
use crate::state::session::{Session, SessionRef};
use ssmglobal_ipc::{Event, ForGuest, ForGuests, GuestRights, Rights};
use ssmglobal_store::{PlayerId, Principal};

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
                News::Rights { player } => {
                    self.tell_rights(player);
                    self.rights_changed(player);
                }
                News::Limited { player } => self.limit_changed(player),
                News::Counted { session, since } => drop(self.login_counted(session, since)),
                News::Universe => self.universe_changed(),
                News::Property { holder, changed, read, push, by } => {
                    self.property_changed(holder, changed, read, (push, by));
                }
                News::Out { .. } => {}
            }
        }
    }

    pub(super) fn tell_audience(&mut self, to: Audience, event: Event) {
        let audience = self.audience(to);
        if let (Audience::Principal(who), true) = (to, audience.is_empty())
            && let Some((session, world)) = self.state.reachable(who)
        {
            // Through the world that he is in, since he has no connection of his own: once, and not twice.
            let world = self.world_name(world);
            let (to, event) = (self.state.party(&self.shared.memory, who), Box::new(event));
            return self.push_to(session, &Event::ForGuest(ForGuest { world, to, event }));
        }
        if to == Audience::Everyone {
            self.tell_guests(&event);
        }
        for at in audience {
            self.push(at, &event);
        }
    }

    /// Those who have no connection of their own hear it where they are.
    fn tell_guests(&mut self, event: &Event) {
        for ((session, world), guests) in self.state.hosts_of_guests() {
            let world = self.world_name(world);
            let to = guests.into_iter().map(|who| self.state.party(&self.shared.memory, who)).collect();
            self.push_to(session, &Event::ForGuests(ForGuests { world, to, event: Box::new(event.clone()) }));
        }
    }

    /// A player has other rights: he hears it, and so does every place where he is.
    fn tell_rights(&mut self, player: PlayerId) {
        let (who, rights) = (Principal::from(player), self.shared.memory.rights_of(player));
        let name = self.shared.memory.name(who).unwrap_or_default();
        for at in self.state.online.sessions(who).to_vec() {
            self.push(at, &Event::Rights(Rights { player: name.clone(), rights: rights.clone() }));
        }
        for stay in self.state.online.stays(who).to_vec() {
            if let Some((session, world)) = self.state.host_of(stay.seat) {
                let world = self.world_name(world);
                let (player, rights) = (self.shared.memory.party(who), rights.clone());
                self.push_to(session, &Event::GuestRights(GuestRights { world, player, rights }));
            }
        }
    }

    fn audience(&self, to: Audience) -> Vec<SessionRef> {
        match to {
            Audience::Principal(who) => self.state.online.sessions(who).to_vec(),
            Audience::Topic(topic) => self.state.online.subscribers(topic).to_vec(),
            Audience::Everyone => self.state.everyone(),
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
