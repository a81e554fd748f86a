//! How worlds do that are played, for the operator, and what he decides of them. Part of the event loop.

use super::EventLoop;
use crate::capability::play::played;
use crate::state::memory::no_such_world;
use crate::state::names::fold;
use crate::state::plays::{Health, World};
use crate::state::terms::worlds_played;
use ssmglobal_config::play::WorldAddress;
use ssmglobal_ipc::ctl::Answer;
use ssmglobal_ipc::{Code, Failure, PlayedRow, PlayedState, Time, nearest};
use std::time::Instant;

/// When that was, as people say it.
fn at(moment: Instant) -> Time {
    let ago = i64::try_from(moment.elapsed().as_millis()).unwrap_or(i64::MAX);
    Time(Time::now().0.saturating_sub(ago))
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

impl EventLoop {
    /// All worlds that are played through us, by name.
    pub(in crate::event_loop) fn played_rows(&mut self) -> Vec<PlayedRow> {
        let settings = self.shared.settings();
        let names = worlds_played(&self.shared.memory, &settings);
        names.into_iter().filter_map(|name| self.played_row(&name)).collect()
    }

    fn played_row(&mut self, name: &str) -> Option<PlayedRow> {
        let played = played(&self.shared.memory, &self.shared.settings(), name)?;
        let key = played.key.clone();
        let counted = self.state.plays.count(&key);
        let world: &World = self.state.plays.world(&played, self.now);
        let (state, since) = match world.health() {
            Health::Unknown => (PlayedState::Unknown, None),
            Health::Up(since) => (PlayedState::Up, Some(since)),
            Health::Down(since) | Health::Trial { down: since, .. } => (PlayedState::Down, Some(since)),
        };
        Some(PlayedRow {
            world: world.name.to_string(),
            state,
            since: since.map(at),
            address: world.address().map_or_else(String::new, ToString::to_string),
            chosen: world.is_by_hand(),
            addresses: world.terms.play.iter().map(ToString::to_string).collect(),
            playing: count(counted.playing),
            waiting: count(counted.waiting),
            alone: count(counted.alone),
        })
    }

    /// The operator wants another address of a world to be used, or the next one.
    pub(in crate::event_loop) fn play_choose(&mut self, name: &str, address: Option<&str>) -> Result<Answer, Failure> {
        let settings = self.shared.settings();
        let Some(played) = played(&self.shared.memory, &settings, name) else {
            let worlds = worlds_played(&self.shared.memory, &settings);
            let meant = nearest(name, worlds.iter().map(String::as_str)).map(str::to_owned);
            let failure = match self.shared.memory.licence_named(&fold(name)) {
                Ok(licence) => Failure::new(Code::NotFound, format!("{} is not played through us.", licence.name)),
                Err(_) => no_such_world(name),
            };
            return Err(self.shared.memory.guesses.guess(failure, || meant));
        };
        let known = || played.terms.play.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let none =
            || Failure::new(Code::NotFound, format!("That is no address of {}. It has {}.", played.name, known()));
        let address = address.map(str::parse::<WorldAddress>).transpose().map_err(|_| none())?;
        if !self.state.plays.world(&played, self.now).choose(address.as_ref(), self.now) {
            return Err(none());
        }
        self.play_touch(&played.key);
        Ok(Answer::Played(self.played_row(&played.name).into_iter().collect()))
    }
}
