//! All that the event loop knows of more than one session and that capabilities may see and change.

use super::bus::Bus;
use super::journal::Entry;
use super::online::Online;
use super::session::{Session, SessionRef};
use super::throttle::Throttle;
use super::topic::{ChannelId, Topic};
use super::worlds::{World, WorldId, Worlds};
use std::io;

/// All of it.
#[derive(Default)]
pub struct State {
    /// By slot.
    sessions: Vec<Option<Box<Session>>>,
    free: Vec<usize>,
    last: u64,
    /// Who is on and who listens to what.
    pub online: Online,
    /// Channels with their messages.
    pub bus: Bus,
    /// What is said of worlds.
    pub worlds: Worlds,
    /// Failed logins.
    pub throttle: Throttle,
    /// What the journal is to know of what was changed here. The event loop writes it before anything else happens.
    pub unwritten: Vec<Entry>,
}

impl State {
    /// Takes a free slot, and the number that tells its session apart.
    pub fn reserve(&mut self) -> SessionRef {
        self.last += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.sessions.push(None);
            self.sessions.len() - 1
        });
        SessionRef { slot, id: self.last }
    }

    /// Nothing came of a slot, or its session has ended.
    pub fn release(&mut self, slot: usize) {
        self.free.push(slot);
    }

    /// Puts a session into its slot.
    pub fn put(&mut self, slot: usize, session: Box<Session>) {
        if let Some(place) = self.sessions.get_mut(slot) {
            *place = Some(session);
        }
    }

    /// Takes a session out of its slot.
    pub fn take(&mut self, slot: usize) -> Option<Box<Session>> {
        self.sessions.get_mut(slot)?.take()
    }

    /// The session in a slot.
    pub fn session(&self, slot: usize) -> Option<&Session> {
        self.sessions.get(slot)?.as_deref()
    }

    /// The session in a slot.
    pub fn session_mut(&mut self, slot: usize) -> Option<&mut Session> {
        self.sessions.get_mut(slot)?.as_deref_mut()
    }

    /// The session, if it is still the one meant.
    pub fn live(&self, at: SessionRef) -> Option<&Session> {
        self.session(at.slot).filter(|session| session.id == at.id)
    }

    /// All slots that there are.
    pub fn slots(&self) -> std::ops::Range<usize> {
        0..self.sessions.len()
    }

    /// A session listens to something, if it does not already.
    pub fn subscribe(&mut self, session: &mut Session, at: SessionRef, topic: Topic) {
        if !session.subscriptions.contains(&topic) {
            session.subscriptions.push(topic);
            self.online.subscribe(topic, at);
        }
    }

    /// A session does not listen to something any more; gives whether it did.
    pub fn unsubscribe(&mut self, session: &mut Session, at: SessionRef, topic: Topic) -> bool {
        let before = session.subscriptions.len();
        session.subscriptions.retain(|other| *other != topic);
        let did = session.subscriptions.len() < before;
        if did {
            self.online.unsubscribe(topic, at);
        }
        did
    }

    /// How many sessions are on a channel.
    pub fn members(&self, topic: Topic) -> u32 {
        u32::try_from(self.online.subscribers(topic).len()).unwrap_or(u32::MAX)
    }

    /// Makes a channel; nothing when there are too many. See [`Bus::make`].
    ///
    /// # Errors
    /// The kernel's, when there is no memory or no descriptor left.
    pub fn make_channel(&mut self, name: &str, most: usize) -> io::Result<Option<ChannelId>> {
        let online = &self.online;
        let is_used = |id| !online.subscribers(Topic::Channel(id)).is_empty();
        self.bus.make(&mut self.unwritten, name, most, is_used)
    }

    /// What is said of a world from now on.
    pub fn say_world(&mut self, id: WorldId, world: World) {
        self.unwritten.push(Entry::World { id: id.0, said: (&world).into() });
        self.worlds.put(id, world);
    }

    /// Nothing is said of a world any more.
    pub fn forget_world(&mut self, id: WorldId) {
        if self.worlds.remove(id) {
            self.unwritten.push(Entry::NoWorld { id: id.0 });
        }
    }
}
