//! What others are told of changes. Part of the event loop.

use super::EventLoop;
use crate::lock::lock;
use crate::state::journal::Entry;
use crate::state::news::{Audience, News};
use crate::state::session::{Session, SessionRef};
use crate::state::topic::Topic;
use crate::state::worlds::World;
use ssmglobal_ipc::{Event, ForGuest, ForGuests, GuestOut, GuestRights, Notice, Rights};
use ssmglobal_store::{PlayerId, Principal};

impl EventLoop {
    /// A transaction has news, which are kept in a row of its own. That they were told is known with the pushes, or not at all.
    pub(super) fn deliver_news(&mut self, row: i64, news: Vec<News>) {
        if self.recovery.is_on() {
            // Who may not be on any more is out at once: all else waits for those who are to hear it.
            for one in &news {
                self.take_out(one);
            }
            return self.recovery.hold_back(row, news);
        }
        self.journal.hold();
        self.tell_all(news);
        self.journal.append(&Entry::NewsDelivered { row });
        self.journal.publish();
        lock(&self.shared.kept).news_delivered(row);
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
                News::Out { who, reason } => self.put_out_of_worlds(who, &reason),
                News::Unwatched { topic, msg } => self.unwatch(topic, &msg),
                News::Renamed { who } => self.renamed(who),
            }
        }
    }

    pub(super) fn tell_audience(&mut self, to: Audience, event: Event) {
        let audience = self.audience(to);
        if let (Audience::Principal(who), true) = (to, audience.is_empty())
            && let Some(seat) = self.state.reachable(who).or_else(|| self.state.waits_for_host(who))
        {
            // Through the world that he is in, since he has no connection of his own: once, and not twice.
            let (to, event) = (self.state.party(&self.shared.memory, who), Box::new(event));
            return self.push_to_host(seat, |world| Event::ForGuest(ForGuest { world, to, event }));
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
        for (seat, guests) in self.state.hosts_of_guests() {
            let to = guests.into_iter().map(|who| self.state.party(&self.shared.memory, who)).collect();
            let event = Box::new(event.clone());
            self.push_to_host(seat, |world| Event::ForGuests(ForGuests { world, to, event }));
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
            let (player, rights) = (self.shared.memory.party(who), rights.clone());
            self.push_to_host(stay.seat, |world| Event::GuestRights(GuestRights { world, player, rights }));
        }
    }

    /// Somebody may not be on any more: he is nowhere, and every place where he was hears it. Another password does not lead out.
    fn put_out_of_worlds(&mut self, who: Principal, reason: &str) {
        if !self.shared.memory.is_barred(who) {
            return;
        }
        for stay in self.state.online.stays(who).to_vec() {
            self.state.depart(who, stay.seat);
            let (player, msg) = (self.shared.memory.party(who), reason.to_owned());
            self.push_to_host(stay.seat, |world| Event::GuestOut(GuestOut { world, player, msg }));
        }
        self.write_journal();
    }

    /// There is nothing to listen to any more: whoever did is told.
    fn unwatch(&mut self, topic: Topic, msg: &str) {
        for at in self.state.online.subscribers(topic).to_vec() {
            self.push(at, &Event::Notice(Notice { msg: msg.to_owned() }));
            if let Some(mut session) = self.state.take(at.slot) {
                self.state.unsubscribe(&mut session, at, topic);
                self.state.put(at.slot, session);
            }
        }
    }

    /// A game server has another name: its sessions stay, and so does what they have said of their worlds.
    fn renamed(&mut self, who: Principal) {
        let Some(name) = self.shared.memory.name(who) else { return };
        for at in self.state.online.sessions(who).to_vec() {
            let Some(session) = self.session_mut(at.slot) else { continue };
            let Some(identity) = &mut session.identity else { continue };
            identity.name = name.as_str().into();
            let number = session.number;
            for id in self.state.worlds.of(number) {
                let Some(said) = self.state.worlds.get(id).filter(|said| said.name != name).cloned() else { continue };
                self.state.forget_world(id);
                let (id, at) = (self.state.worlds.id_for(number, &name), self.state.worlds.time_for(&name, said.at));
                self.state.say_world(id, World { name: name.clone(), at, ..said });
            }
            let msg =
                format!("This game server is called {name} from now on. Its key is the same: AUTH {name} next time.");
            self.push(at, &Event::Notice(Notice { msg }));
        }
        self.write_journal();
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
