//! Worlds that have a licence, as far as links and deadlines have to do with them: a host's connection ends and comes back, a
//! licence changes or ends. Part of the event loop.

use super::EventLoop;
use crate::capability::hosting::Stopped;
use crate::changes::Change;
use crate::lock::read;
use crate::state::hosting::Hosting;
use crate::state::journal::Entry;
use crate::state::licences::host_terms;
use crate::state::names::{Name, fold};
use crate::state::online::Seat;
use crate::state::session::SessionRef;
use crate::work::{Asker, Write};
use ssmglobal_ipc::{Event, GuestClosed, Stop, Time, WorldStopped, growing};
use ssmglobal_store::{KeptLicence, Principal, StartedBy, WorldId};
use std::sync::Arc;
use std::time::Duration;

/// What the host of a world is told that is stopped.
fn words(stop: Stop, licence: Option<&KeptLicence>) -> String {
    match (stop, licence.and_then(|licence| licence.disabled.as_deref())) {
        (Stop::Disabled, Some(reason)) => format!("This world was disabled: {reason}"),
        (Stop::Disabled, None) => "This world was disabled.".to_owned(),
        (Stop::Said, _) => "This world was stopped.".to_owned(),
        (Stop::Expired, _) => "The licence of this world has ended. Ask the operator.".to_owned(),
        (Stop::Deleted, _) => "The licence of this world was deleted.".to_owned(),
        (Stop::Password, _) => "This world has another hosting password. HOST START with that.".to_owned(),
        (Stop::TakenOver, _) => "This world was taken over on another connection of yours.".to_owned(),
        (Stop::Lost, _) => "The host of this world did not come back in time.".to_owned(),
        (Stop::HostDisabled, _) => "This game server was disabled by the operator.".to_owned(),
    }
}

/// What has the writer keep that a world was stopped.
fn stopped(world: WorldId, at: Time) -> Write<Change> {
    Write::Change { asker: Asker::Stopped, change: Stopped { world, at }.into(), key: None, tried: None }
}

impl EventLoop {
    fn licence(&self, world: WorldId) -> Option<Arc<KeptLicence>> {
        read(&self.shared.memory.licences).get(world).cloned()
    }

    /// The name of a world that somebody is in, if he is in one.
    pub(super) fn world_name(&self, world: Option<WorldId>) -> Option<String> {
        world.and_then(|world| self.shared.memory.name(world.into()))
    }

    /// Pushes something to the session with this number, if it has a link.
    pub(super) fn push_to(&mut self, session: u64, event: &Event) {
        let slot = self.workers.by_session.get(&session).copied();
        if let Some((slot, id)) = slot.and_then(|slot| Some((slot, self.session(slot)?.id))) {
            self.push(SessionRef { slot, id }, event);
        }
    }

    /// Says something to whoever says who is in a seat. A world's host that is away, or has no link, hears it when it is back.
    pub(super) fn push_to_host(&mut self, seat: Seat, event: impl FnOnce(Option<String>) -> Event) {
        let world = match seat {
            Seat::Session(session) => return self.push_to(session, &event(None)),
            Seat::World(world) => world,
        };
        let Some(hosting) = self.state.hosted.get(world) else { return };
        let session = hosting.host.session;
        // One that is not back yet after a death of the handler is not away, and has no link either.
        let waits = hosting.away.is_some() || !self.workers.by_session.contains_key(&session);
        let event = event(self.world_name(Some(world)));
        if waits {
            let mut packed = Vec::new();
            growing::put(&mut packed, &event);
            self.journal.append(&Entry::HostBacklog { world, event: packed.clone() });
            return self.state.host_backlog.put(world, packed);
        }
        self.push_to(session, &event);
    }

    /// Tells hosts that are back what they have missed, and those in whose place they are that this is so.
    pub(super) fn tell_resumed(&mut self) {
        for (session, world) in std::mem::take(&mut self.state.replaced_hosts) {
            let name = self.world_name(Some(world)).unwrap_or_default();
            self.tell_stopped(session, world, name, Stop::TakenOver);
        }
        for world in std::mem::take(&mut self.state.resumed) {
            let waiting: Vec<Event> = self.state.host_backlog.take(world).collect();
            let host = self.state.hosted.get(world).map(|hosting| hosting.host.session);
            if let Some(session) = host.filter(|_| !waiting.is_empty()) {
                self.journal.hold();
                waiting.iter().for_each(|event| self.push_to(session, event));
                self.journal.append(&Entry::HostBacklogDelivered { world });
                self.journal.publish();
            }
        }
    }

    /// Has the writer keep which worlds were stopped, and when.
    pub(super) fn keep_stopped(&mut self) {
        for (world, at) in std::mem::take(&mut self.state.stopped) {
            self.writes.push(stopped(world, at));
        }
    }

    /// Nobody is left whose host could go on: all worlds stop.
    pub(super) fn all_stop(&mut self) {
        let now = Time::now();
        let hosted: Vec<WorldId> = self.state.hosted.iter().map(|(world, ..)| world).collect();
        self.state.stopped.extend(hosted.into_iter().map(|world| (world, now)));
    }

    fn tell_stopped(&mut self, session: u64, world: WorldId, name: String, stop: Stop) {
        let msg = words(stop, self.licence(world).as_deref());
        self.push_to(session, &Event::WorldStopped(WorldStopped { world: name, reason: stop, msg }));
    }

    /// A world is hosted no longer, and its host hears why.
    fn stop_world(&mut self, world: WorldId, name: String, stop: Stop) {
        let Some(hosting) = self.state.stop_world(world) else { return };
        self.write_journal();
        log::info!("the world {name} stops: {}", stop.as_str());
        self.tell_stopped(hosting.host.session, world, name, stop);
    }

    /// A licence is another one, or gone.
    pub(super) fn licence_changed(&mut self, world: WorldId, name: String, stop: Option<Stop>, terms: bool) {
        self.plays_changed();
        if let Some(stop) = stop {
            if matches!(stop, Stop::Disabled | Stop::Expired) {
                self.play_stop(&fold(&name));
            }
            self.stop_world(world, name, stop);
            return self.licence_listed(world);
        }
        let Some(licence) = self.licence(world) else { return self.licence_listed(world) };
        self.forget_words_like(&licence);
        let Some(hosting) = self.state.hosted.get(world).cloned() else { return self.licence_listed(world) };
        // When it ends, and whether it is in lists, may be another thing now.
        let session = hosting.host.session;
        self.state.still_host_world(&licence, hosting);
        self.guests_listed(world);
        if terms {
            self.push_to(session, &Event::WorldChanged(host_terms(&licence)));
        }
    }

    /// What a game server has said of a world whose name is licensed is shown no longer.
    fn forget_words_like(&mut self, licence: &KeptLicence) {
        let name = Name { shown: String::new(), folded: licence.folded.clone(), skeleton: licence.skeleton.clone() };
        let words = self.state.worlds.iter_after(None).filter(|(_, world)| Name::of_server(&world.name).is_like(&name));
        let names: Vec<String> = words.map(|(word, _)| word.to_owned()).collect();
        for id in names.iter().flat_map(|name| self.state.worlds.words_of(name)).collect::<Vec<_>>() {
            self.state.forget_world(id);
        }
        self.write_journal();
    }

    /// A world was started, and that is on disk.
    pub(super) fn world_started(&mut self, world: WorldId, at: Time, by: StartedBy) {
        self.state.hosted.forget_claim(world);
        let Some(licence) = self.licence(world) else { return };
        let (session, mut hosting) = (by.session, Hosting::new(by, at));
        if let Some(before) = self.state.hosted.get(world).cloned() {
            if before.away.is_none() && !before.host.is(hosting.host.server, &hosting.host.instance) {
                // Two had asked at once, and the disk was slow: the first one has it.
                return self.tell_stopped(session, world, licence.name.clone(), Stop::TakenOver);
            }
            // What is known of it stays until its host says otherwise.
            let Hosting { users, restricted, rating, map, text, closings, .. } = before;
            hosting = Hosting { users, restricted, rating, map, text, closings, ..hosting };
            if before.host.session != session {
                self.tell_stopped(before.host.session, world, licence.name.clone(), Stop::TakenOver);
            }
        }
        if !self.workers.by_session.contains_key(&session) {
            hosting.away = Some(self.grace_ends());
        }
        let name = self.shared.memory.name(hosting.host.server.into()).unwrap_or_default();
        log::info!("the world {} is hosted by {name}, at {}", licence.name, ssmglobal_ipc::clean(&hosting.place()));
        self.state.host_world(&licence, hosting);
        self.write_journal();
    }

    /// Somebody has closed a connection for good: if that was his last one, the worlds that he is in hear it that want to.
    pub(super) fn tell_closed(&mut self, who: Principal) {
        if self.state.online.is_on(who) {
            return;
        }
        for stay in self.state.online.stays(who).to_vec() {
            let Seat::World(world) = stay.seat else { continue };
            if self.state.hosted.get(world).is_some_and(|hosting| hosting.closings) {
                let player = self.state.party(&self.shared.memory, who);
                let closed = |world: Option<String>| GuestClosed { world: world.unwrap_or_default(), player };
                self.push_to_host(stay.seat, |world| Event::GuestClosed(closed(world)));
            }
        }
    }

    /// Who a session was that has lost its link: it may come back, or be over.
    pub(super) fn may_be_over(&mut self, session: u64, who: Option<Principal>) {
        if let Some(who) = who {
            self.leaving.insert(session, who);
        }
    }

    /// Sessions that have ended while no handler was there to see it, or not all were back: whoever they were has closed them.
    pub(super) fn were_closed(&mut self) {
        for (session, who) in std::mem::take(&mut self.closed_unseen) {
            self.visitor_leaves(session);
            self.was_closed(session, Some(who));
        }
    }

    /// A session is over, and whoever it was has closed it: `who`, or whom it was known to be when it lost its link.
    pub(super) fn was_closed(&mut self, session: u64, who: Option<Principal>) {
        let Some(who) = self.leaving.remove(&session).or(who) else { return };
        if self.recovery.is_on() {
            return self.closed_unseen.push((session, who));
        }
        self.state.departed.insert(who);
        self.tell_closed(who);
    }

    fn grace_ends(&self) -> Time {
        let grace = i64::try_from(self.shared.settings().worlds.grace_seconds).unwrap_or(i64::MAX);
        Time(Time::now().0.saturating_add(grace.saturating_mul(1000)))
    }

    /// The connection of a host has ended: it may come back with its worlds.
    pub(super) fn hosts_leave(&mut self, session: u64) {
        self.state.hosted.forget_claims_of(session);
        let until = self.grace_ends();
        for world in self.state.hosted.of(session) {
            let Some((licence, hosting)) = self.licence(world).zip(self.state.hosted.get(world).cloned()) else {
                continue;
            };
            if self.shared.memory.is_barred(hosting.host.server.into()) {
                self.stop_world(world, licence.name.clone(), Stop::HostDisabled);
            } else if hosting.away.is_none() {
                self.state.host_world(&licence, Hosting { away: Some(until), ..hosting });
            }
        }
        self.write_journal();
    }

    /// A session is back who it was, over another link: so is what it hosts.
    pub(super) fn hosts_return(&mut self, session: u64) {
        for world in self.state.hosted.of(session) {
            let Some((licence, hosting)) = self.licence(world).zip(self.state.hosted.get(world).cloned()) else {
                continue;
            };
            if hosting.away.is_some() {
                self.state.host_world(&licence, Hosting { away: None, ..hosting });
            }
            self.state.resumed.insert(world);
        }
        self.write_journal();
    }

    /// What the handler before this one has left: all of it goes on, but for a host that has gone since.
    pub(super) fn take_over_hostings(&mut self, left: impl IntoIterator<Item = (WorldId, Hosting)>) {
        let here: std::collections::HashSet<u64> =
            self.workers.children.values().map(|client| client.session).collect();
        let until = self.grace_ends();
        for (world, hosting) in left {
            let Some(licence) = self.licence(world) else { continue };
            self.stays_go_on(Seat::World(world));
            match hosting.away.is_some() || here.contains(&hosting.host.session) {
                true => self.state.still_host_world(&licence, hosting),
                false => self.state.host_world(&licence, Hosting { away: Some(until), ..hosting }),
            }
        }
        self.write_journal();
    }

    /// How long to wait at the most before something is to be done about a world.
    pub(super) fn world_due(&self) -> Option<Duration> {
        self.wait_until(self.state.hosted.next_due())
    }

    /// Stops the worlds whose grace or licence has ended.
    pub(super) fn stop_due(&mut self) {
        let now = Time::now();
        while !self.recovery.is_on()
            && let Some(world) = self.state.hosted.due(now)
        {
            let licence = self.licence(world);
            let stop = match &licence {
                Some(licence) if licence.has_expired(now) => Stop::Expired,
                _ => Stop::Lost,
            };
            let name = licence.map_or_else(String::new, |licence| licence.name.clone());
            self.stop_world(world, name, stop);
        }
    }
}
