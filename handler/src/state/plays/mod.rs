//! Who plays where: what workers have said of their connections to worlds, and by which words players go on. Lives in the event loop;
//! pure, the clock comes from outside.

use blake2::digest::consts::U16;
use blake2::{Blake2b, Digest};
mod ends;
#[cfg(test)]
mod tests;
mod world;

pub use ends::Together;
pub use world::{Act, Health, World};

use super::throttle::Tried;
use ssmglobal_config::play::Terms;
use ssmglobal_ipc::{PlayState, Secret, Time};
use ssmglobal_store::PlayerId;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

/// Worlds that one session can be at.
const WORLDS: usize = 4;

/// Sessions that share the connection of another.
pub const SHARERS: usize = 8;

/// Letters of a word. Two that are taken for each other are not both among them.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A world's name, folded.
pub type WorldKey = Arc<str>;

/// A world that is played through us.
#[derive(Clone, Debug)]
pub struct Played {
    /// Its name, folded.
    pub key: WorldKey,
    /// As it is written.
    pub name: Arc<str>,
    /// How it is played.
    pub terms: Arc<Terms>,
}

/// What a worker says or wants of a world.
#[derive(Debug)]
pub enum Wish {
    /// A connection.
    Start {
        /// Where to.
        world: Played,
        /// When its player first came there.
        since: Time,
        /// The session in whose place he is from now on, by the word that he has shown.
        from: Option<u64>,
        /// A word that was shown, and whether it is good.
        tried: Option<(Box<Tried>, bool)>,
        /// His connection has ended before, with the world.
        again: bool,
    },
    /// Why the connection has ended.
    Ended {
        /// Of this world.
        world: Played,
    },
    /// That it is there in this way.
    At {
        /// Where.
        world: Played,
        /// How.
        state: PlayState,
        /// The word by which he goes on.
        word: Secret,
        /// Seconds since something was typed.
        idle: u64,
    },
    /// That it is there no longer.
    Left {
        /// Which one.
        key: WorldKey,
    },
}

/// What is kept of a word.
pub type WordDigest = [u8; 16];

/// The word that these bytes make, of which nobody can know any: 60 bits, in groups.
pub fn word(random: &[u8; 12]) -> Secret {
    let mut word = String::new();
    for (place, byte) in random.iter().enumerate() {
        if place > 0 && place % 4 == 0 {
            word.push('-');
        }
        word.push(LETTERS.get(usize::from(*byte) % LETTERS.len()).map_or('0', |letter| char::from(*letter)));
    }
    Secret::new(word)
}

/// What is kept of a word, however it was typed.
pub fn digest(word: &Secret) -> WordDigest {
    let mut hash = Blake2b::<U16>::new();
    for byte in word.expose().bytes().filter(u8::is_ascii_alphanumeric) {
        hash.update([byte.to_ascii_lowercase()]);
    }
    hash.finalize().into()
}

/// A session at a world.
#[derive(Clone, Debug)]
pub struct Stay {
    /// How it is there.
    pub state: PlayState,
    /// What is kept of the word by which it is gone on with.
    pub word: WordDigest,
    /// Whose it is; nothing where nobody has logged in.
    pub player: Option<PlayerId>,
    /// When something was last typed.
    pub typed: Instant,
    /// At which of the world's addresses it is, where that is known.
    pub place: Option<usize>,
    /// The session whose connection it shares.
    pub shares: Option<u64>,
    /// When its connection was made, where that is known.
    pub began: Option<Instant>,
    /// When that has ended, as long as nobody knows why.
    pub ended: Option<Instant>,
}

/// How many are at a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Who play.
    pub playing: usize,
    /// Who wait for it.
    pub waiting: usize,
    /// Whose own connection is broken.
    pub alone: usize,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Plays {
    worlds: BTreeMap<WorldKey, World>,
    stays: HashMap<u64, Vec<(WorldKey, Stay)>>,
    words: HashMap<WordDigest, (u64, WorldKey)>,
    players: BTreeSet<(PlayerId, WorldKey, u64)>,
    members: BTreeMap<WorldKey, BTreeSet<u64>>,
}

impl Plays {
    /// A world, as it is played from now on.
    pub fn world(&mut self, played: &Played, now: Instant) -> &mut World {
        let Played { key, name, terms } = played;
        let world =
            self.worlds.entry(key.clone()).or_insert_with(|| World::new(key.clone(), name.clone(), terms.clone(), now));
        world.set_terms(name.clone(), terms.clone(), now);
        world
    }

    /// A world that somebody has played since this handler is there.
    pub fn known(&self, key: &str) -> Option<&World> {
        self.worlds.get(key)
    }

    /// As [`Plays::known`].
    pub fn known_mut(&mut self, key: &str) -> Option<&mut World> {
        self.worlds.get_mut(key)
    }

    /// All of those.
    pub fn worlds(&self) -> impl Iterator<Item = &World> {
        self.worlds.values()
    }

    /// A session is at a world in this way from now on; false when it is at too many.
    pub fn put(&mut self, session: u64, world: &WorldKey, stay: Stay) -> bool {
        let others = self.stays.get(&session).map_or(0, |stays| stays.iter().filter(|(at, _)| at != world).count());
        if others >= WORLDS {
            return false;
        }
        self.take(session, world);
        self.words.insert(stay.word, (session, world.clone()));
        self.players.extend(stay.player.map(|player| (player, world.clone(), session)));
        self.members.entry(world.clone()).or_default().insert(session);
        self.stays.entry(session).or_default().push((world.clone(), stay));
        true
    }

    /// How a session is at a world.
    pub fn get(&self, session: u64, world: &str) -> Option<&Stay> {
        self.stays.get(&session)?.iter().find(|(other, _)| &**other == world).map(|(_, stay)| stay)
    }

    fn stay_mut(&mut self, session: u64, world: &str) -> Option<&mut Stay> {
        let stays = self.stays.get_mut(&session)?;
        stays.iter_mut().find(|(other, _)| &**other == world).map(|(_, stay)| stay)
    }

    fn take(&mut self, session: u64, world: &str) -> Option<Stay> {
        let stays = self.stays.get_mut(&session)?;
        let at = stays.iter().position(|(other, _)| &**other == world)?;
        let (key, stay) = stays.swap_remove(at);
        if stays.is_empty() {
            self.stays.remove(&session);
        }
        self.words.remove(&stay.word);
        if let Some(player) = stay.player {
            self.players.remove(&(player, key.clone(), session));
        }
        if let Some(members) = self.members.get_mut(&key) {
            members.remove(&session);
            if members.is_empty() {
                self.members.remove(&key);
            }
        }
        Some(stay)
    }

    /// A session is at a world no longer; gives how it was.
    pub fn leave(&mut self, session: u64, world: &str) -> Option<Stay> {
        if let Some(world) = self.worlds.get_mut(world) {
            world.leave(session);
        }
        self.take(session, world)
    }

    /// A session is over; gives where it was.
    pub fn ends(&mut self, session: u64) -> Vec<WorldKey> {
        let at: Vec<WorldKey> = self.stays.get(&session).into_iter().flatten().map(|(key, _)| key.clone()).collect();
        for key in &at {
            self.leave(session, key);
        }
        at
    }

    /// Where the player is who goes on by a word.
    pub fn by_word(&self, word: &Secret) -> Option<(u64, &WorldKey)> {
        self.words.get(&digest(word)).map(|(session, world)| (*session, world))
    }

    /// By which sessions a player is at a world.
    pub fn of_player(&self, player: PlayerId, world: &WorldKey) -> impl Iterator<Item = (u64, &Stay)> {
        let range = (player, world.clone(), 0)..=(player, world.clone(), u64::MAX);
        self.players.range(range).filter_map(|(_, world, session)| Some((*session, self.get(*session, world)?)))
    }

    /// Where a player's connections to worlds are kept for him, as his own are broken.
    pub fn alone(&self, player: PlayerId) -> Vec<(u64, WorldKey)> {
        let his = self.players.range((player, "".into(), 0)..).take_while(|(other, ..)| *other == player);
        let is_alone = |(_, world, session): &&(PlayerId, WorldKey, u64)| {
            self.get(*session, world).is_some_and(|stay| stay.state == PlayState::Alone)
        };
        his.filter(is_alone).map(|(_, world, session)| (*session, world.clone())).collect()
    }

    /// Whether a session is kept for a player whose own connection is broken.
    pub fn is_alone(&self, session: u64) -> bool {
        self.stays.get(&session).into_iter().flatten().any(|(_, stay)| stay.state == PlayState::Alone)
    }

    /// The sessions at a world.
    pub fn at(&self, world: &str) -> impl Iterator<Item = (u64, &Stay)> {
        let members = self.members.get(world).into_iter().flatten();
        members.filter_map(move |session| Some((*session, self.get(*session, world)?)))
    }

    /// Whether anybody is at a world.
    pub fn has_anybody(&self, world: &str) -> bool {
        self.members.contains_key(world)
    }

    /// How many other sessions of a player share the connection of one of his.
    pub fn sharers(&self, player: PlayerId, world: &WorldKey, session: u64) -> usize {
        self.of_player(player, world).filter(|(_, stay)| stay.shares == Some(session)).count()
    }

    /// Who waits, with when he has last typed, to share the connection of a session, should that get one.
    pub fn waiting_for(&self, session: u64, world: &str) -> Vec<(u64, Instant)> {
        let waits = |stay: &Stay| stay.shares == Some(session) && stay.state == PlayState::Waits;
        self.at(world).filter(|(_, stay)| waits(stay)).map(|(other, stay)| (other, stay.typed)).collect()
    }

    /// Who shares the connection of a session, or is to, shares that of another one; of none, those who wait do not wait for it.
    pub fn share_with(&mut self, session: u64, another: Option<u64>, world: &str) {
        let others: Vec<u64> = self.at(world).map(|(other, _)| other).collect();
        for other in others {
            let shares =
                |stay: &Stay| stay.shares == Some(session) && (another.is_some() || stay.state == PlayState::Waits);
            if let Some(stay) = self.stay_mut(other, world).filter(|stay| shares(stay)) {
                stay.shares = another.filter(|another| *another != other);
            }
        }
    }

    /// How many are at a world.
    pub fn count(&self, world: &str) -> Count {
        let mut count = Count::default();
        for (_, stay) in self.at(world) {
            match stay.state {
                PlayState::Plays => count.playing += 1,
                PlayState::Waits => count.waiting += 1,
                PlayState::Alone => count.alone += 1,
            }
        }
        count
    }
}
