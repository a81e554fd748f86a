//! Lists that the client watches: how far it has come with each, and what of that which comes over the link or stands in a ring is news
//! for it. Runs in a worker.

use super::{Entry, Subscriptions};
use mio::{Registry, Token};
use ssmglobal_ipc::{List, ListChanged, Position, Topic};
use std::io;
use std::os::fd::OwnedFd;

/// What somebody who watches a list has to be told.
#[derive(Debug, PartialEq, Eq)]
pub enum Novelty {
    /// This; he has come so far then.
    New(ListChanged),
    /// Nothing: he has it.
    Known,
    /// What comes before it has not come yet.
    Ahead(ListChanged),
}

impl Subscriptions {
    /// The client has come to this position of a list, if it watches it.
    pub fn came_to(&mut self, list: List, at: Position) {
        if let Some(entry) = self.list(list) {
            entry.subscription.cursor = at;
        }
    }

    /// How far the client has come with a list that it watches.
    pub fn position_in(&self, list: List) -> Option<Position> {
        let topic = Topic::from(list);
        Some(self.iter().find(|subscription| subscription.topic.is(&topic))?.cursor)
    }

    /// A list that is watched has changed: what of that is news for the client.
    pub fn news_of(&self, mut changed: ListChanged) -> Novelty {
        let Some(cursor) = self.position_in(changed.rows.list()) else { return Novelty::New(changed) };
        if changed.at.epoch != cursor.epoch {
            return Novelty::New(changed);
        }
        if changed.at.number <= cursor.number {
            return Novelty::Known;
        }
        if changed.from > cursor.number {
            return Novelty::Ahead(changed);
        }
        // Its rows are the latest: what he has already does no harm among them.
        changed.from = cursor.number;
        Novelty::New(changed)
    }

    /// As [`Subscriptions::news_of`], of what stands in a ring: that is of one epoch.
    pub fn ring_news_of(&self, changed: ListChanged) -> Novelty {
        let cursor = self.position_in(changed.rows.list());
        if cursor.is_some_and(|cursor| cursor.epoch == changed.at.epoch) {
            self.news_of(changed)
        } else {
            Novelty::Known
        }
    }

    fn list(&mut self, list: List) -> Option<&mut Entry> {
        let topic = Topic::from(list);
        self.list.iter_mut().find(|entry| entry.subscription.topic.is(&topic))
    }

    /// The list that a ring is of.
    pub fn list_of(&self, token: Token) -> Option<List> {
        let is_it = |entry: &&Entry| entry.ring.as_ref().is_some_and(|ring| ring.token == token);
        let entry = self.list.iter().find(is_it)?;
        List::ALL.into_iter().find(|list| entry.subscription.topic.is(&Topic::from(*list)))
    }

    /// What everybody sees of a list comes from this ring from now on.
    ///
    /// # Errors
    /// As [`Subscriptions::join`]; it goes on by the link then.
    pub fn hear_by_ring(
        &mut self,
        list: List,
        position: u64,
        fds: (OwnedFd, OwnedFd),
        registry: &Registry,
    ) -> io::Result<()> {
        if self.position_in(list).is_some() {
            let ring = self.ring(position, 0, fds, registry)?;
            if let Some(entry) = self.list(list) {
                entry.replace_ring(Some(ring), registry);
            }
        }
        Ok(())
    }

    /// A list goes on by the link.
    pub fn leave_ring(&mut self, list: List, registry: &Registry) {
        if let Some(entry) = self.list(list) {
            entry.replace_ring(None, registry);
        }
    }

    /// What is new in the ring of a list.
    pub fn in_ring(&mut self, list: List) -> Vec<ListChanged> {
        let mut changes = Vec::new();
        let topic = Topic::from(list);
        let entry = self.list.iter_mut().find(|entry| entry.subscription.topic.is(&topic));
        if let Some(ring) = entry.and_then(|entry| entry.ring.as_mut()) {
            // Only the handler writes there; what cannot be read is missing like what was written over.
            ring.reader.read(&mut self.buffer, |entry| changes.extend(ListChanged::unpacked(entry.text)));
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mio::Poll;
    use ssmglobal_ipc::{ListRows, Subscription};
    use ssmglobal_sys::ring;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    fn changed(epoch: u64, from: u64, number: u64) -> ListChanged {
        ListChanged { from, at: Position { epoch, number }, rows: ListRows::Worlds(vec![]), gone: vec!["Zoo".into()] }
    }

    fn watching(epoch: u64, number: u64) -> Subscriptions {
        let mut all = Subscriptions::default();
        all.add(Subscription { topic: List::Worlds.into(), cursor: Position { epoch, number } });
        all
    }

    #[test]
    fn each_change_is_told_once_whichever_way_comes_first() {
        let mut all = watching(7, 40);
        // The ring's, from before he watched; the same by the link; what follows.
        assert_eq!(all.news_of(changed(7, 38, 42)), Novelty::New(changed(7, 40, 42)));
        all.came_to(List::Worlds, Position { epoch: 7, number: 42 });
        assert_eq!(all.news_of(changed(7, 40, 42)), Novelty::Known);
        assert_eq!(all.news_of(changed(7, 40, 41)), Novelty::Known);
        assert_eq!(all.news_of(changed(7, 44, 45)), Novelty::Ahead(changed(7, 44, 45)));
        assert_eq!(all.news_of(changed(7, 42, 44)), Novelty::New(changed(7, 42, 44)));
        // Another list than before: only the link says so.
        assert_eq!(all.news_of(changed(9, 3, 3)), Novelty::New(changed(9, 3, 3)));
        assert_eq!(all.ring_news_of(changed(9, 3, 3)), Novelty::Known);
        assert_eq!(all.ring_news_of(changed(7, 42, 44)), Novelty::New(changed(7, 42, 44)));
        // Nobody watches it.
        assert_eq!(Subscriptions::default().ring_news_of(changed(7, 42, 44)), Novelty::Known);
    }

    #[test]
    fn what_was_written_over_in_the_ring_is_seen_by_the_numbers() {
        let (poll, mut all, mut writer) = (Poll::new().unwrap(), watching(7, 0), ring::Writer::new().unwrap());
        let (wake, _theirs) = UnixStream::pair().unwrap();
        let memory = writer.fd().try_clone_to_owned().unwrap();
        assert_eq!(all.in_ring(List::Worlds), []);
        all.hear_by_ring(List::Worlds, writer.position(), (memory, wake.into()), poll.registry()).unwrap();
        let mut push = |from: u64, number: u64, name: &str| {
            let change = ListChanged { gone: vec![name.into()], ..changed(7, from, number) };
            assert!(writer.push(0, number, &change.packed()));
        };
        push(0, 1, "Zoo");
        let there = all.in_ring(List::Worlds);
        assert_eq!(there, [changed(7, 0, 1)]);
        all.came_to(List::Worlds, there[0].at);
        let long = "x".repeat(100_000);
        (1..20).for_each(|number| push(number, number + 1, &long));
        let first = all.in_ring(List::Worlds).remove(0);
        assert!(matches!(all.ring_news_of(first), Novelty::Ahead(_)));
        // By the link from now on.
        all.leave_ring(List::Worlds, poll.registry());
        push(20, 21, "Zoo");
        assert_eq!((all.in_ring(List::Worlds), all.position_in(List::Users)), (vec![], None));
        // Who does not watch it reads no ring.
        let (wake, _theirs) = UnixStream::pair().unwrap();
        let memory = writer.fd().as_fd().try_clone_to_owned().unwrap();
        all.hear_by_ring(List::Users, 0, (memory, wake.into()), poll.registry()).unwrap();
        assert_eq!(all.in_ring(List::Users), []);
    }
}
