//! Whether a player has quit, or his world is down. Part of the event loop.
//!
//! The world is looked at by one connection for all who ask in the same turn, which is begun after they have asked: what was there
//! before says nothing. One that is there may be another than it was: so it counts, too, who else has lost his connection.

use super::wires::Became;
use super::{Asker, CONNECTING, EventLoop, Purpose, preamble, write_whole};
use crate::state::plays::{Played, Stay, Together, WorldKey};
use ssmglobal_config::play::Liveness;
use ssmglobal_ipc::{PlayEnd, PlayState, PlayVerdict, Reply};
use std::collections::HashMap;
use std::time::Duration;

/// A world that accepts a connection and does not end it within this time is there.
const STAYS: Duration = Duration::from_secs(1);

/// What else a world is known by to live has so long to end with it.
const ENDS_WITH_IT: Duration = Duration::from_millis(200);

/// Connections that look at one world at once. Who asks further waits for one of them to be over.
const AT_ONCE: u32 = 8;

/// Who has asked since the last connection was begun.
#[derive(Default)]
pub(super) struct Questions {
    asked: HashMap<(WorldKey, usize), (Played, HashMap<u64, Asker>)>,
    looking: HashMap<(WorldKey, usize), u32>,
}

impl Questions {
    fn may_begin(&self, at: &(WorldKey, usize)) -> bool {
        self.looking.get(at).is_none_or(|count| *count < AT_ONCE)
    }

    /// Whether a connection can be begun for somebody.
    pub fn are_to_be_asked(&self) -> bool {
        self.asked.keys().any(|at| self.may_begin(at))
    }

    fn is_over(&mut self, at: &(WorldKey, usize)) {
        if let Some(count) = self.looking.get_mut(at) {
            *count -= 1;
            if *count == 0 {
                self.looking.remove(at);
            }
        }
    }
}

impl EventLoop {
    /// The connection of a session has ended: why is answered when it is known.
    pub(super) fn play_ended(&mut self, asker: Asker, world: Played) {
        let at = self.state.plays.world(&world, self.now);
        let (in_use, is_awaited) = (at.in_use(), at.is_awaited());
        let place = self.state.plays.get(asker.session, &world.key).and_then(|stay| stay.place).unwrap_or(in_use);
        self.state.plays.has_ended(asker.session, &world, place, self.now);
        // The prober has found nobody there, and tells when it does.
        if place == in_use && is_awaited {
            return self.play_verdict(&asker, &world, PlayEnd::Down);
        }
        let asked = self.play.questions.asked.entry((world.key.clone(), place));
        asked.or_insert_with(|| (world, HashMap::new())).1.insert(asker.session, asker);
    }

    /// Begins to look at worlds about which somebody has asked.
    pub(super) fn play_ask(&mut self) {
        let questions = &mut self.play.questions;
        let at: Vec<(WorldKey, usize)> = questions.asked.keys().filter(|at| questions.may_begin(at)).cloned().collect();
        for at in at {
            let Some((world, askers)) = self.play.questions.asked.remove(&at) else { continue };
            let address = self.state.plays.world(&world, self.now).address_at(at.1).cloned();
            let askers: Vec<Asker> = askers.into_values().collect();
            match address.filter(|_| self.play.wires.has_room()) {
                Some(address) => {
                    *self.play.questions.looking.entry(at.clone()).or_default() += 1;
                    let purpose = Purpose::Verdict { askers, world, place: at.1, began: self.now, again: false };
                    self.play.wires.dial(&self.registry, &address, purpose, CONNECTING, self.now);
                }
                None => askers.iter().for_each(|asker| self.play_verdict(asker, &world, PlayEnd::Down)),
            }
        }
    }

    /// Whether a world is known to live by something else than that it accepts connections.
    fn lives_otherwise(&self, world: &Played) -> bool {
        world.terms.liveness.iter().any(|by| match by {
            Liveness::Server => self.has_game_server(&world.name),
            Liveness::Heartbeat => self.has_heartbeat(&world.key),
            Liveness::Tcp => false,
        })
    }

    /// Whether the game server of a world's name is connected, or somebody hosts the world of that name.
    fn has_game_server(&self, name: &str) -> bool {
        let memory = &self.shared.memory;
        let server = memory.server_named(name).is_ok_and(|(server, _)| self.state.online.is_on(server.into()));
        let licence = crate::lock::read(&memory.licences).named(name).map(|licence| licence.id);
        server || licence.and_then(|id| self.state.hosted.get(id)).is_some_and(|hosting| hosting.away.is_none())
    }

    pub(super) fn verdict_wire(&mut self, number: usize, became: Became) {
        let Some(wire) = self.play.wires.get(number) else { return };
        let Purpose::Verdict { world, place, began, again, .. } = &wire.purpose else { return };
        let (world, place, began) = (world.clone(), *place, *began);
        // It was there before: what its connection comes to now is looked at for the others only.
        let became = if *again && became == Became::Ended { Became::Late } else { became };
        let by_tcp = world.terms.liveness.contains(&Liveness::Tcp);
        let lives = self.lives_otherwise(&world);
        let mut first = None;
        let end = match became {
            Became::Open => {
                let preamble = preamble::of_nobody(world.terms.real_address);
                let written = wire.socket().is_some_and(|fd| write_whole(fd, &preamble));
                let time = if lives || !written { ENDS_WITH_IT } else { STAYS };
                return self.play.wires.give_time(number, time, self.now);
            }
            Became::Failed(_) => PlayEnd::Down,
            Became::Spoke | Became::Late if by_tcp => match self.verdict_together(number, &world, lives, became) {
                Some(Together::All { first: at }) => {
                    first = Some(at);
                    PlayEnd::Down
                }
                Some(Together::Some) => {
                    self.state.plays.have_quit(&world.key, place);
                    PlayEnd::Quit
                }
                Some(Together::Nothing) => PlayEnd::Quit,
                None => return,
            },
            // What it says decides nothing: it is waited whether the rest ends with the connection.
            Became::Spoke if lives => return,
            Became::Spoke | Became::Late | Became::Ended => {
                if lives {
                    PlayEnd::Quit
                } else {
                    PlayEnd::Down
                }
            }
        };
        let Some((_, Purpose::Verdict { askers, .. })) = self.play.wires.take(&self.registry, number) else { return };
        self.play.questions.is_over(&(world.key.clone(), place));
        let at = self.state.plays.world(&world, self.now);
        match (end, became) {
            (PlayEnd::Quit, _) => at.accepted(place, true, self.now),
            (PlayEnd::Down, Became::Ended) => at.vanished(place, self.now),
            (PlayEnd::Down, Became::Failed(_)) => at.failed(place, began, self.now),
            (PlayEnd::Down, _) => match first {
                Some(first) => at.restarted(place, first, self.now),
                None => at.gone(place, false, self.now),
            },
        }
        for asker in &askers {
            self.play_verdict(asker, &world, end);
        }
        self.play_touch(&world.key);
    }

    /// A world is there that has lost these connections. What else it has lost with them decides whether it is the same: none until
    /// those had time to say so whose workers have not.
    fn verdict_together(&mut self, number: usize, world: &Played, lives: bool, became: Became) -> Option<Together> {
        let Some(Purpose::Verdict { askers, place, again, .. }) = self.play.wires.purpose_mut(number) else {
            return None;
        };
        let sessions: Vec<u64> = askers.iter().map(|asker| asker.session).collect();
        match self.state.plays.together(&sessions, &world.key, *place) {
            Together::Nothing => return Some(Together::Nothing),
            all @ Together::All { .. } if !lives => return Some(all),
            Together::All { .. } | Together::Some if *again => {
                return (became == Became::Late).then_some(Together::Some);
            }
            Together::All { .. } | Together::Some => *again = true,
        }
        self.play.wires.give_time(number, ENDS_WITH_IT, self.now);
        None
    }

    /// Answers why the connection of a session has ended. Where its world is down, it waits from now on.
    fn play_verdict(&mut self, asker: &Asker, world: &Played, end: PlayEnd) {
        let stay = self.state.plays.get(asker.session, &world.key).cloned();
        match (end, stay) {
            (PlayEnd::Quit, _) => {
                self.state.plays.leave(asker.session, &world.key);
                self.play_orphans(asker.session, &world.key);
            }
            (PlayEnd::Down, Some(stay)) => {
                let typed = stay.typed;
                let state = if stay.state == PlayState::Alone { PlayState::Alone } else { PlayState::Waits };
                // Whose connection he has shared waits too, as far as that is known, and is asked for the next one.
                let shares = stay.shares.filter(|with| self.state.plays.get(*with, &world.key).is_some());
                let stay = Stay { state, place: None, shares, began: None, ended: None, ..stay };
                self.state.plays.put(asker.session, &world.key, stay);
                self.state.plays.world(world, self.now).wait(asker.session, typed, self.now);
            }
            // It has left meanwhile.
            (PlayEnd::Down, None) => {}
        }
        self.play_touch(&world.key);
        let verdict = PlayVerdict { world: world.name.to_string(), end };
        self.batch.reply(&asker.to, &Reply::PlayVerdict(verdict));
    }
}
