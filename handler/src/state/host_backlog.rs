//! What hosts of worlds are to hear that are away: it waits for them as long as their worlds do. In memory; the journal takes it to the
//! next handler. Lives in the event loop.

use hashbrown::HashMap;
use ssmglobal_ipc::{Event, growing};
use ssmglobal_store::WorldId;
use std::collections::VecDeque;

/// Events that wait for one host. The oldest make room.
const MOST: usize = 10_000;

/// The events that wait, by world.
#[derive(Debug, Default)]
pub struct HostBacklog {
    /// As they stand in the journal.
    of: HashMap<WorldId, VecDeque<Vec<u8>>>,
}

impl HostBacklog {
    /// A world's host is to hear this event, packed.
    pub fn put(&mut self, world: WorldId, event: Vec<u8>) {
        let events = self.of.entry(world).or_default();
        if events.len() >= MOST {
            events.pop_front();
        }
        events.push_back(event);
    }

    /// All that a world's host is to hear, in order. Nothing waits for it then.
    pub fn take(&mut self, world: WorldId) -> impl Iterator<Item = Event> + use<> {
        self.of.remove(&world).into_iter().flatten().filter_map(|event| growing::get(&event).ok())
    }

    /// Whether this waits for a world's host.
    pub fn has(&self, world: WorldId, event: &[u8]) -> bool {
        self.of.get(&world).is_some_and(|events| events.iter().any(|other| other == event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmglobal_ipc::Notice;

    #[test]
    fn what_waits_is_there_once_in_order_and_has_a_bound() {
        let (zoo, moon) = (WorldId(1), WorldId(2));
        let event = |n: usize| Event::Notice(Notice { msg: n.to_string() });
        let packed = |n: usize| {
            let mut bytes = Vec::new();
            growing::put(&mut bytes, &event(n));
            bytes
        };
        let mut backlog = HostBacklog::default();
        (0..MOST + 2).for_each(|n| backlog.put(zoo, packed(n)));
        backlog.put(moon, packed(7));
        assert!(!backlog.has(zoo, &packed(1)) && backlog.has(zoo, &packed(2)) && !backlog.has(moon, &packed(2)));
        assert_eq!(backlog.take(zoo).collect::<Vec<_>>(), (2..MOST + 2).map(event).collect::<Vec<_>>());
        assert_eq!((backlog.take(zoo).count(), backlog.take(moon).count(), backlog.of.len()), (0, 1, 0));
    }
}
