//! How worlds do that are played, for the operator, and what he decides of them. Part of the event loop.

use super::EventLoop;
use crate::capability::play::played;
use crate::state::memory::no_such_world;
use crate::state::names::fold;
use crate::state::plays::{Health, Played, World};
use crate::state::terms::{said_of, worlds_played};
use ssmglobal_config::play::WorldAddress;
use ssmglobal_config::{Key, Kind, WORLD_KEYS};
use ssmglobal_ipc::ctl::Answer;
use ssmglobal_ipc::numbers::{WORLDS, WorldNumbers};
use ssmglobal_ipc::{Code, Failure, PlayedRow, PlayedState, PlayedTerms, Time, nearest};
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

    /// How many play each of them, by name, and how it does.
    pub(in crate::event_loop) fn world_numbers(&self) -> Vec<WorldNumbers> {
        let settings = self.shared.settings();
        let names = worlds_played(&self.shared.memory, &settings);
        names.into_iter().take(WORLDS).map(|name| self.numbers_of_world(name)).collect()
    }

    fn numbers_of_world(&self, name: String) -> WorldNumbers {
        let key = fold(&name);
        let known = self.state.plays.known(&key);
        let up = known.and_then(|world| match world.health() {
            Health::Unknown => None,
            Health::Up(_) => Some(true),
            Health::Down(_) | Health::Trial { .. } => Some(false),
        });
        let counted = self.state.plays.count(&key);
        let [playing, waiting, alone] = [counted.playing, counted.waiting, counted.alone].map(|many| many as u64);
        let counts = known.map(World::counts).unwrap_or_default();
        WorldNumbers { world: name, up, playing, waiting, alone, downs: counts.downs, returns: counts.returns }
    }

    /// How a world is played, for the operator's command, which looks at it by itself.
    pub(in crate::event_loop) fn played_terms(&self, name: &str) -> Result<Answer, Failure> {
        let settings = self.shared.settings();
        let played = self.play_named(name)?;
        let said = said_of(&self.shared.memory, &settings, &played.name).unwrap_or_default();
        let mut terms = (*played.terms).clone();
        // A login, perhaps.
        terms.heartbeat = None;
        let in_file = WORLD_KEYS.iter().filter(|key| key.text(&said.file).is_some());
        Ok(Answer::PlayedTerms(PlayedTerms {
            world: played.name.to_string(),
            kind: said.together().kind.unwrap_or(Kind::Plain).to_string(),
            terms: serde_json::to_string(&terms).unwrap_or_default(),
            licensed: said.world.is_some(),
            in_file: in_file.map(Key::name).map(str::to_owned).collect(),
        }))
    }

    /// The world of this name that is played through us.
    fn play_named(&self, name: &str) -> Result<Played, Failure> {
        let settings = self.shared.settings();
        played(&self.shared.memory, &settings, name).ok_or_else(|| {
            let worlds = worlds_played(&self.shared.memory, &settings);
            let meant = nearest(name, worlds.iter().map(String::as_str)).map(str::to_owned);
            let failure = match self.shared.memory.licence_named(&fold(name)) {
                Ok(licence) => Failure::new(Code::NotFound, format!("{} is not played through us.", licence.name)),
                Err(_) => no_such_world(name),
            };
            self.shared.memory.guesses.guess(failure, || meant)
        })
    }

    /// The operator wants another address of a world to be used, or the next one.
    pub(in crate::event_loop) fn play_choose(&mut self, name: &str, address: Option<&str>) -> Result<Answer, Failure> {
        let played = self.play_named(name)?;
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
