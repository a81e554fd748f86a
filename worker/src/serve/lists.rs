//! Lists that the client watches: what everybody sees of them comes from a ring, all else over the link, and which of both is first
//! with something may be another one each time. Runs in a worker.

use super::Worker;
use super::channels::ring_of;
use super::subscriptions::Novelty;
use super::upward::Errand;
use ssmglobal_ipc::{Event, List, ListChanged, ListRing, Reply, Request};
use std::os::fd::OwnedFd;

impl Worker<'_> {
    /// Asks for the rings of all lists that are watched, over a link that knows of none.
    pub(super) fn ask_rings(&mut self) {
        for list in List::ALL {
            self.subscriptions.leave_ring(list, self.poll.registry());
            self.ask_ring(list);
        }
    }

    /// Asks for the ring of a list, if the client watches it, and for what he has not heard.
    pub(super) fn ask_ring(&mut self, list: List) {
        let Some(after) = self.subscriptions.position_in(list) else { return };
        if self.link.is_some() && !self.errands.has_ring(list) {
            let number = self.tell(&Request::ListRing(ListRing { list, after }));
            self.errands.add(number, Errand::Ring(list));
        }
    }

    /// The ring has come, or there is none for this client: then it goes on by the link.
    pub(super) fn on_ring(&mut self, list: List, reply: &Reply, fds: Vec<OwnedFd>) {
        let ringed = if let Reply::ListRinged(ringed) = reply { Some(ringed) } else { None };
        if let Some((ringed, ring)) = ringed.zip(ring_of(fds)) {
            if self.subscriptions.hear_by_ring(list, ringed.position, ring, self.poll.registry()).is_err() {
                let name = list.as_str();
                let msg =
                    format!("What changes in the list of {name} cannot be received now; LIST WATCH {name} again.");
                self.session.notice(self.client.stack(), msg);
            }
            self.read_list(list);
        }
    }

    /// A change has come over the link.
    pub(super) fn on_list(&mut self, changed: ListChanged) {
        let list = changed.rows.list();
        if self.subscriptions.position_in(list).is_some_and(|cursor| cursor.epoch != changed.at.epoch) {
            // He sees another list from here on: what its ring holds is another thing.
            self.subscriptions.leave_ring(list, self.poll.registry());
            self.show_list(changed);
            return self.ask_ring(list);
        }
        match self.subscriptions.news_of(changed) {
            Novelty::Known => {}
            Novelty::New(changed) => self.show_list(changed),
            Novelty::Ahead(changed) => {
                // What is before it is in the ring, or is gone: then the numbers tell.
                let ahead = self.take_from_ring(list);
                match self.subscriptions.news_of(changed) {
                    Novelty::Known => {}
                    Novelty::New(changed) | Novelty::Ahead(changed) => self.show_list(changed),
                }
                self.go_on_with(list, ahead);
            }
        }
    }

    /// Tells what is new in the ring of a list.
    pub(super) fn read_list(&mut self, list: List) {
        let ahead = self.take_from_ring(list);
        if ahead.is_empty() {
            return;
        }
        // What is before it may be on the link.
        self.read_all();
        self.go_on_with(list, ahead);
    }

    /// Tells what was ahead of what the client had. What is still ahead has lost what was before it: the handler has that.
    fn go_on_with(&mut self, list: List, ahead: Vec<ListChanged>) {
        for changed in ahead {
            match self.subscriptions.ring_news_of(changed) {
                Novelty::Known => {}
                Novelty::New(changed) => self.show_list(changed),
                Novelty::Ahead(_) => return self.ask_ring(list),
            }
        }
    }

    /// Tells what is new in the ring of a list; gives what is ahead of what the client has.
    fn take_from_ring(&mut self, list: List) -> Vec<ListChanged> {
        let mut ahead = Vec::new();
        for changed in self.subscriptions.in_ring(list) {
            match self.subscriptions.ring_news_of(changed) {
                Novelty::Known => {}
                Novelty::New(changed) => self.show_list(changed),
                Novelty::Ahead(changed) => ahead.push(changed),
            }
        }
        ahead
    }

    fn show_list(&mut self, changed: ListChanged) {
        self.subscriptions.came_to(changed.rows.list(), changed.at);
        self.session.tell(self.client.stack(), &Event::List(changed));
    }
}
