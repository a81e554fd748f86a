//! Connections by which is seen whether a world is there: to one that is down, until it listens, and one that is kept to one that is
//! played. Part of the event loop.

use super::wires::{Became, look};
use super::{CONNECTING, EventLoop, Purpose, preamble, write_whole};
use crate::state::plays::{Health, WorldKey};
use ssmglobal_config::play::Liveness;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// An address that does not answer is tried anew after this time.
const ANSWERS: Duration = Duration::from_secs(1);

/// For so long the connection by which a world was found to listen is kept for who comes first.
const SPARE: Duration = Duration::from_millis(250);

/// What has ended connections at once has to let one be for so long.
const STAYS: Duration = Duration::from_secs(1);

/// Nothing ends a connection that is kept but the other side.
const EVER: Duration = Duration::from_secs(3600 * 24 * 365);

/// Bytes at once that a world says to a connection that is kept, and that nobody wants to know; and how often in one turn.
const READ: usize = 16 << 10;
const READS: usize = 4;

impl EventLoop {
    /// Tries whether a world listens at this place.
    pub(super) fn play_probe(&mut self, key: &WorldKey, place: usize) {
        let Some(world) = self.state.plays.known_mut(key) else { return };
        match world.address_at(place).cloned().filter(|_| self.play.wires.has_room()) {
            Some(address) => {
                let purpose = Purpose::Probe { world: key.clone(), place, began: self.now };
                let number = self.play.wires.dial(&self.registry, &address, purpose, ANSWERS, self.now);
                self.play.probes.insert((key.clone(), place), number);
            }
            None => world.tried(place, self.now),
        }
    }

    pub(super) fn probe_wire(&mut self, number: usize, became: Became) {
        let Some(Purpose::Probe { world: key, place, began }) = self.play.wires.get(number).map(|wire| &wire.purpose)
        else {
            return;
        };
        let (key, place, began, now) = (key.clone(), *place, *began, self.now);
        let Some(world) = self.state.plays.known_mut(&key) else {
            self.play.wires.take(&self.registry, number);
            return;
        };
        match became {
            Became::Open => {
                let time = if world.is_doubtful(place) { STAYS } else { SPARE };
                world.accepted(place, false, now);
                self.play.wires.give_time(number, time, now);
            }
            Became::Spoke => world.accepted(place, true, now),
            Became::Late => {
                world.accepted(place, true, now);
                self.play_probed(&key, place, number);
            }
            Became::Ended => {
                world.vanished(place, now);
                self.play_probed(&key, place, number);
            }
            Became::Failed(_) => {
                world.failed(place, began, now);
                self.play_probed(&key, place, number);
            }
        }
        self.play_touch(&key);
    }

    /// A connection has served to try a place.
    fn play_probed(&mut self, key: &WorldKey, place: usize, number: usize) -> Option<OwnedFd> {
        self.play.probes.remove(&(key.clone(), place));
        if let Some(world) = self.state.plays.known_mut(key) {
            world.tried(place, self.now);
        }
        self.play.wires.take(&self.registry, number)?.0
    }

    /// The connection by which a world was found to listen, if it is still there: it is as good as a new one.
    pub(super) fn play_spare(&mut self, key: &WorldKey, place: usize) -> Option<OwnedFd> {
        let number = *self.play.probes.get(&(key.clone(), place))?;
        let socket = self.play.wires.get(number)?.socket()?;
        if look(socket) == Some(Became::Ended) {
            return None;
        }
        self.play_probed(key, place, number)
    }

    /// Whether the connection that is kept to a world is there.
    pub(super) fn has_heartbeat(&self, key: &WorldKey) -> bool {
        let wire = self.play.heartbeats.get(key).and_then(|number| self.play.wires.get(*number));
        wire.and_then(|wire| wire.socket()).is_some_and(|fd| look(fd) != Some(Became::Ended))
    }

    /// Opens the connection that is to be kept to a world, or lets go of it, as its terms say and whether anybody is there.
    pub(super) fn play_keep_heartbeat(&mut self, key: &WorldKey) {
        let Some(world) = self.state.plays.known(key) else { return };
        let place = world.in_use();
        let is_wanted = world.terms.liveness.contains(&Liveness::Heartbeat) && self.state.plays.has_anybody(key);
        let can_be = matches!(world.health(), Health::Up(_));
        let address = world.address().cloned();
        let kept = self.play.heartbeats.get(key).copied();
        let is_there = kept
            .and_then(|number| self.play.wires.get(number))
            .is_some_and(|wire| matches!(wire.purpose, Purpose::Heartbeat { place: at, .. } if at == place));
        if let Some(number) = kept.filter(|_| !is_wanted || !is_there) {
            self.play.heartbeats.remove(key);
            self.play.wires.take(&self.registry, number);
        }
        if let Some(address) = address.filter(|_| is_wanted && can_be && !is_there && self.play.wires.has_room()) {
            let purpose = Purpose::Heartbeat { world: key.clone(), place };
            let number = self.play.wires.dial(&self.registry, &address, purpose, CONNECTING, self.now);
            self.play.heartbeats.insert(key.clone(), number);
        }
    }

    pub(super) fn heartbeat_wire(&mut self, number: usize, became: Became) {
        let Some(wire) = self.play.wires.get(number) else { return };
        let Purpose::Heartbeat { world: key, place } = &wire.purpose else { return };
        let (key, place) = (key.clone(), *place);
        let lives = match (became, wire.socket()) {
            (Became::Open, Some(fd)) => self.play_begin_heartbeat(&key, fd),
            (Became::Spoke, Some(fd)) => match read_away(fd) {
                Read::All => true,
                Read::More => {
                    self.play.wires.again(number, Became::Spoke);
                    true
                }
                Read::Ended => false,
            },
            (Became::Late, Some(_)) => true,
            _ => false,
        };
        if lives {
            return if became == Became::Open {
                self.play.wires.give_time(number, EVER, self.now)
            };
        }
        self.play.heartbeats.remove(&key);
        self.play.wires.take(&self.registry, number);
        let is_watched = self.state.plays.has_anybody(&key);
        if let Some(world) = self.state.plays.known_mut(&key) {
            world.gone(place, is_watched, self.now);
        }
        self.play_touch(&key);
    }

    /// Says what is to be said first.
    fn play_begin_heartbeat(&self, key: &WorldKey, fd: &OwnedFd) -> bool {
        let Some(terms) = self.state.plays.known(key).map(|world| &world.terms) else { return false };
        let mut bytes = preamble::of_nobody(terms.real_address);
        if let Some(said) = &terms.heartbeat {
            said.lines().for_each(|line| bytes.extend_from_slice(format!("{line}\r\n").as_bytes()));
        }
        write_whole(fd, &bytes)
    }
}

/// What there was to be read.
enum Read {
    All,
    More,
    Ended,
}

fn read_away(fd: &OwnedFd) -> Read {
    let mut buffer = [0; READ];
    for _ in 0..READS {
        match ssmglobal_sys::read_now(fd, &mut buffer) {
            Ok(0) => return Read::Ended,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Read::All,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return Read::Ended,
        }
    }
    Read::More
}
