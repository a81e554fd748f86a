//! Who plays where: what workers have said of their connections to worlds, and by which words players go on. Lives in the event loop;
//! pure, the clock comes from outside.

use blake2::digest::consts::U16;
use blake2::{Blake2b, Digest};
use ssmglobal_config::play::Terms;
use ssmglobal_ipc::{PlayState, Secret, Time};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// Worlds that one session can be at.
pub const WORLDS: usize = 4;

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
#[derive(Clone, Debug)]
pub enum Wish {
    /// A connection.
    Start {
        /// Where to.
        world: Played,
        /// When its player first came there.
        since: Time,
        /// The word by which he goes on.
        word: Option<Secret>,
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
    /// By which word it is gone on with.
    pub word: WordDigest,
    /// When something was last typed.
    pub typed: Instant,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Plays {
    stays: HashMap<u64, Vec<(WorldKey, Stay)>>,
    words: HashMap<WordDigest, (u64, WorldKey)>,
}

impl Plays {
    /// A session is at a world in this way from now on; false when it is at too many.
    pub fn put(&mut self, session: u64, world: &WorldKey, stay: Stay) -> bool {
        let stays = self.stays.entry(session).or_default();
        let is_full = stays.len() >= WORLDS;
        let place = stays.iter().position(|(other, _)| other == world);
        match place.and_then(|place| stays.get_mut(place)) {
            Some((_, before)) => {
                self.words.remove(&before.word);
                *before = stay.clone();
            }
            None if is_full => return false,
            None => stays.push((world.clone(), stay.clone())),
        }
        self.words.insert(stay.word, (session, world.clone()));
        true
    }

    /// How a session is at a world.
    pub fn get(&self, session: u64, world: &str) -> Option<&Stay> {
        self.stays.get(&session)?.iter().find(|(other, _)| &**other == world).map(|(_, stay)| stay)
    }

    /// How many sessions are at a world, without this one.
    pub fn count(&self, world: &str, without: u64) -> usize {
        let others = self.stays.iter().filter(|(session, _)| **session != without);
        others.filter(|(_, stays)| stays.iter().any(|(other, _)| &**other == world)).count()
    }

    /// A session is at a world no longer.
    pub fn leave(&mut self, session: u64, world: &str) -> Option<Stay> {
        let stays = self.stays.get_mut(&session)?;
        let at = stays.iter().position(|(other, _)| &**other == world)?;
        let (_, stay) = stays.swap_remove(at);
        if stays.is_empty() {
            self.stays.remove(&session);
        }
        self.words.remove(&stay.word);
        Some(stay)
    }

    /// A session is over.
    pub fn ends(&mut self, session: u64) {
        for (_, stay) in self.stays.remove(&session).unwrap_or_default() {
            self.words.remove(&stay.word);
        }
    }
}
