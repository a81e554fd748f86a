//! Passes: words that are good once, for one game server and one player, for a minute. Only a digest of each is here and in the
//! journal, which takes them to the next handler. Lives in the event loop.

use super::journal::Entry;
use blake2::digest::consts::U16;
use blake2::{Blake2b, Digest};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::{Secret, Time};
use ssmglobal_store::{PlayerId, ServerId};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// How long a pass is good, milliseconds.
pub const GOOD: i64 = 60_000;

/// How long it is known after that, so that it can be said why it is not good.
const KNOWN: i64 = 60_000;

/// Passes at once.
const MOST: usize = 100_000;

/// Wrong passes of one game server within [`WINDOW`] …
const WRONG: u32 = 20;

/// … after which it has to wait for the rest of it, milliseconds.
const WINDOW: i64 = 60_000;

/// What a pass begins with: so that one is seen for what it is, also by what writes the log.
pub const FRONT: &str = "pass-";

/// Letters and digits that are not taken for each other.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Of a pass.
pub type PassDigest = [u8; 16];

/// A pass, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPass {
    /// Of the word.
    pub digest: PassDigest,
    /// Whose.
    pub player: PlayerId,
    /// His epoch: what is proved by the pass holds as long as that.
    pub epoch: u32,
    /// For whom.
    pub server: ServerId,
    /// Where he was when he got it.
    pub address: Option<IpAddr>,
    /// When he got it.
    pub given: Time,
    /// It was shown already.
    pub used: bool,
}

/// Why a pass is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotGood {
    /// There is none like that.
    Unknown,
    /// It is for another game server.
    Elsewhere,
    /// It was shown before.
    Used,
    /// Its time is over, or its player has logged out since.
    Ended,
    /// Its player was at another address.
    OtherAddress,
    /// This game server has shown too many that were not good.
    Slow {
        /// To wait.
        seconds: u32,
        /// It was not told so yet.
        first: bool,
    },
}

/// All of them.
#[derive(Debug, Default)]
pub struct Passes {
    held: HashMap<PassDigest, HeldPass>,
    by_age: BTreeSet<(Time, PassDigest)>,
    /// The newest one of a player for a game server.
    newest: BTreeMap<(PlayerId, ServerId), PassDigest>,
    wrong: HashMap<ServerId, Wrong>,
}

/// What a game server has shown that was not good.
#[derive(Clone, Copy, Debug)]
struct Wrong {
    since: Time,
    count: u32,
    /// It was told to wait.
    told: bool,
}

/// The word that these random bytes make.
fn word(random: [u8; 12]) -> String {
    let mut word = String::from(FRONT);
    for (place, byte) in random.into_iter().enumerate() {
        if place > 0 && place % 4 == 0 {
            word.push('-');
        }
        word.push(LETTERS.get(usize::from(byte) % LETTERS.len()).map_or('0', |letter| char::from(*letter)));
    }
    word
}

/// What is kept of a word, however it was typed.
fn digest(word: &str) -> PassDigest {
    let mut hash = Blake2b::<U16>::new();
    for byte in word.bytes().filter(u8::is_ascii_alphanumeric) {
        hash.update([byte.to_ascii_lowercase()]);
    }
    hash.finalize().into()
}

impl Passes {
    /// A new pass, in place of one that this player has for this game server; nothing when there are too many. `random` is what
    /// nobody can know.
    pub fn give(
        &mut self,
        (player, epoch): (PlayerId, u32),
        server: ServerId,
        address: Option<IpAddr>,
        now: Time,
        random: [u8; 12],
    ) -> Option<(Secret, Entry)> {
        self.forget_old(now);
        if let Some(before) = self.newest.get(&(player, server)).copied() {
            self.remove(&before);
        }
        if self.held.len() >= MOST {
            return None;
        }
        let word = Secret::new(word(random));
        let pass = HeldPass { digest: digest(word.expose()), player, epoch, server, address, given: now, used: false };
        self.keep(pass.clone());
        Some((word, Entry::Pass(pass)))
    }

    /// Whose pass this is, which a game server was shown; it is good no more then.
    ///
    /// # Errors
    /// Why it is not good.
    pub fn redeem(
        &mut self,
        word: &Secret,
        server: ServerId,
        address: Option<IpAddr>,
        now: Time,
    ) -> Result<(HeldPass, Entry), NotGood> {
        self.forget_old(now);
        if let Some(slow) = self.waits(server, now) {
            return Err(slow);
        }
        self.look(word, server, address, now).inspect_err(|_| self.was_wrong(server, now))
    }

    fn look(
        &mut self,
        word: &Secret,
        server: ServerId,
        address: Option<IpAddr>,
        now: Time,
    ) -> Result<(HeldPass, Entry), NotGood> {
        let pass = self.held.get_mut(&digest(word.expose())).ok_or(NotGood::Unknown)?;
        if pass.server != server {
            return Err(NotGood::Elsewhere);
        }
        if pass.used {
            return Err(NotGood::Used);
        }
        if pass.given.0 + GOOD < now.0 {
            return Err(NotGood::Ended);
        }
        if address.is_some() && address != pass.address {
            return Err(NotGood::OtherAddress);
        }
        pass.used = true;
        Ok((pass.clone(), Entry::Pass(pass.clone())))
    }

    /// A player's passes are good no more.
    pub fn end(&mut self, player: PlayerId) -> Vec<Entry> {
        let mut ended = Vec::new();
        for digest in self.newest.range((player, ServerId(0))..=(player, ServerId(u32::MAX))).map(|(_, digest)| digest)
        {
            if let Some(pass) = self.held.get_mut(digest).filter(|pass| !pass.used) {
                // As if it had been shown.
                pass.used = true;
                ended.push(Entry::Pass(pass.clone()));
            }
        }
        ended
    }

    /// Takes over what a handler before this one has left.
    pub fn restore(&mut self, left: Vec<HeldPass>, now: Time) {
        left.into_iter().for_each(|pass| self.keep(pass));
        self.forget_old(now);
    }

    /// Whether this is still the last word on a pass.
    pub fn keeps(&self, pass: &HeldPass) -> bool {
        self.held.get(&pass.digest) == Some(pass)
    }

    fn keep(&mut self, pass: HeldPass) {
        self.by_age.insert((pass.given, pass.digest));
        self.newest.insert((pass.player, pass.server), pass.digest);
        self.held.insert(pass.digest, pass);
    }

    fn remove(&mut self, digest: &PassDigest) {
        let Some(pass) = self.held.remove(digest) else { return };
        self.by_age.remove(&(pass.given, pass.digest));
        if self.newest.get(&(pass.player, pass.server)) == Some(digest) {
            self.newest.remove(&(pass.player, pass.server));
        }
    }

    fn forget_old(&mut self, now: Time) {
        while let Some((given, digest)) = self.by_age.first().copied()
            && given.0 + GOOD + KNOWN < now.0
        {
            self.remove(&digest);
        }
    }

    fn waits(&mut self, server: ServerId, now: Time) -> Option<NotGood> {
        let wrong = self.wrong.get_mut(&server)?;
        let left = wrong.since.0 + WINDOW - now.0;
        if wrong.count < WRONG || left <= 0 {
            return None;
        }
        let first = !std::mem::replace(&mut wrong.told, true);
        Some(NotGood::Slow { seconds: u32::try_from(left / 1000 + 1).unwrap_or(u32::MAX), first })
    }

    fn was_wrong(&mut self, server: ServerId, now: Time) {
        let fresh = Wrong { since: now, count: 0, told: false };
        let wrong = self.wrong.entry(server).or_insert(fresh);
        if wrong.since.0 + WINDOW <= now.0 {
            *wrong = fresh;
        }
        wrong.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: PlayerId = PlayerId(1);
    const ARENA: ServerId = ServerId(1);
    const CASTLE: ServerId = ServerId(2);

    fn random(first: u8) -> [u8; 12] {
        let mut bytes = [7; 12];
        bytes[0] = first;
        bytes
    }

    fn at(seconds: i64) -> Time {
        Time(seconds * 1000)
    }

    fn given(passes: &mut Passes, server: ServerId, now: Time, first: u8) -> Secret {
        passes.give((ALICE, 3), server, Some([192, 0, 2, 7].into()), now, random(first)).unwrap().0
    }

    fn redeemed(passes: &mut Passes, word: &Secret, server: ServerId, now: Time) -> Result<PlayerId, NotGood> {
        passes.redeem(word, server, None, now).map(|(pass, _)| pass.player)
    }

    #[test]
    fn a_pass_is_good_once_for_whom_it_was_made_and_for_a_minute() {
        let mut passes = Passes::default();
        let first = given(&mut passes, ARENA, at(0), 1);
        assert_eq!(first.expose(), "pass-1777-7777-7777");
        assert_eq!(redeemed(&mut passes, &first, CASTLE, at(1)), Err(NotGood::Elsewhere));
        // However it is typed.
        assert_eq!(redeemed(&mut passes, &Secret::new("PASS 1777 7777 7777"), ARENA, at(60)), Ok(ALICE));
        assert_eq!(redeemed(&mut passes, &first, ARENA, at(60)), Err(NotGood::Used));
        let late = given(&mut passes, ARENA, at(100), 2);
        assert_eq!(redeemed(&mut passes, &late, ARENA, at(161)), Err(NotGood::Ended));
        assert_eq!(redeemed(&mut passes, &late, ARENA, at(221)), Err(NotGood::Unknown));
        assert!(passes.held.is_empty() && passes.by_age.is_empty() && passes.newest.is_empty());
    }

    #[test]
    fn the_newest_one_counts_and_logging_out_ends_it() {
        let mut passes = Passes::default();
        let (first, other) = (given(&mut passes, ARENA, at(0), 1), given(&mut passes, CASTLE, at(0), 2));
        let second = given(&mut passes, ARENA, at(1), 3);
        assert_eq!(redeemed(&mut passes, &first, ARENA, at(1)), Err(NotGood::Unknown));
        assert_eq!(passes.end(PlayerId(9)), []);
        assert_eq!(passes.end(ALICE).len(), 2);
        assert_eq!(redeemed(&mut passes, &second, ARENA, at(1)), Err(NotGood::Used));
        assert_eq!(redeemed(&mut passes, &other, CASTLE, at(1)), Err(NotGood::Used));
    }

    #[test]
    fn an_address_counts_where_it_is_given() {
        let mut passes = Passes::default();
        let word = given(&mut passes, ARENA, at(0), 1);
        let from = |passes: &mut Passes, last| passes.redeem(&word, ARENA, Some([192, 0, 2, last].into()), at(1));
        assert_eq!(from(&mut passes, 8), Err(NotGood::OtherAddress));
        assert!(from(&mut passes, 7).is_ok());
    }

    #[test]
    fn who_shows_many_that_are_not_good_has_to_wait() {
        let mut passes = Passes::default();
        let word = given(&mut passes, ARENA, at(30), 1);
        for _ in 0..20 {
            assert_eq!(redeemed(&mut passes, &Secret::new("pass-x"), ARENA, at(31)), Err(NotGood::Unknown));
        }
        for first in [true, false] {
            let slow = NotGood::Slow { seconds: 51, first };
            assert_eq!(redeemed(&mut passes, &word, ARENA, at(41)), Err(slow));
        }
        assert_eq!(redeemed(&mut passes, &word, CASTLE, at(41)), Err(NotGood::Elsewhere), "only that one");
        let word = given(&mut passes, ARENA, at(91), 2);
        assert_eq!(redeemed(&mut passes, &word, ARENA, at(91)), Ok(ALICE));
    }

    #[test]
    fn the_next_handler_knows_what_was_given_and_what_was_used() {
        let mut passes = Passes::default();
        let words = [given(&mut passes, ARENA, at(0), 1), given(&mut passes, CASTLE, at(0), 2)];
        passes.redeem(&words[0], ARENA, None, at(1)).unwrap();
        let mut next = Passes::default();
        next.restore(passes.held.into_values().collect(), at(2));
        assert_eq!(redeemed(&mut next, &words[0], ARENA, at(2)), Err(NotGood::Used));
        assert_eq!(redeemed(&mut next, &words[1], CASTLE, at(2)), Ok(ALICE));
    }
}
