//! Passes: words that are good once, for one place and one holder, for a minute. A place is a game server, or a world that has a
//! licence. Only a digest of each is here and in the journal, which takes them to the next handler. Lives in the event loop.
//!
//! One that was shown is remembered for longer: by it is known who has identified himself where.

#[cfg(test)]
mod tests;

use super::session::Session;
use super::window::Window;
use blake2::digest::consts::U16;
use blake2::{Blake2b, Digest};
use hashbrown::HashMap;
use ssmglobal_ipc::{Secret, Time};
use ssmglobal_store::{Principal, ServerId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How long a pass is good, milliseconds.
pub const GOOD: i64 = 60_000;

/// How long it is known after that, so that it can be said why it is not good.
const KNOWN: i64 = 60_000;

/// For how long somebody is known at a place where he has shown one, milliseconds.
const IDENTIFIED: i64 = 24 * 3600 * 1000;

/// Passes that one holder has for one place and has not shown, where each is for a connection of its own.
const BESIDE: usize = 8;

/// Passes at once. Of those that were shown the oldest make room.
const MOST: usize = 200_000;

/// Passes of which only that they were used is known.
const USED: usize = 1000;

/// Wrong passes of one game server within [`WINDOW`] …
const WRONG: u32 = 20;

/// … after which it has to wait for the rest of it.
const WINDOW: Duration = Duration::from_secs(60);

/// What a pass begins with: so that one is seen for what it is, also by what writes the log.
pub const FRONT: &str = "pass-";

/// Letters and digits that are not taken for each other.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The first of all places.
const FIRST: Principal = Principal { kind: ssmglobal_store::PrincipalKind::Player, id: 0 };

/// Of a pass.
pub type PassDigest = [u8; 16];

/// What has become of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassState {
    /// It was not shown yet.
    Given,
    /// It was shown.
    Shown,
    /// It holds no longer: its holder has logged out.
    Ended,
}

/// Who gets a pass, and where it is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The player or visitor who gets it.
    pub holder: Principal,
    /// His epoch: what is proved by the pass holds as long as that.
    pub epoch: u32,
    /// The game server or the world.
    pub place: Principal,
    /// Where he is, where that counts.
    pub address: Option<IpAddr>,
    /// Whether the place has to say where he comes from.
    pub checked: bool,
    /// Since when he is on.
    pub since: Time,
    /// What he speaks, where he has said so.
    pub language: Option<String>,
    /// In which letters he reads, where he has said so.
    pub charset: Option<String>,
}

impl Wanted {
    /// A pass for a place, of whom a session is.
    pub fn by(session: &Session, holder: Principal, place: Principal) -> Wanted {
        Wanted {
            holder,
            epoch: session.identity.as_ref().map_or(0, |identity| identity.epoch),
            place,
            address: session.address.map(|address| address.ip().to_canonical()),
            checked: false,
            since: session.proved,
            language: None,
            charset: None,
        }
    }
}

/// A pass, as it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPass {
    /// Of the word.
    pub digest: PassDigest,
    /// Whose, and where it is good.
    pub of: Wanted,
    /// When he got it.
    pub given: Time,
    /// What has become of it.
    pub state: PassState,
}

impl HeldPass {
    /// Until when it is known.
    fn due(&self) -> Time {
        let known = match self.state {
            PassState::Given | PassState::Ended => GOOD + KNOWN,
            PassState::Shown => IDENTIFIED,
        };
        Time(self.given.0.saturating_add(known))
    }

    fn age(&self) -> (bool, Time, PassDigest) {
        (self.state == PassState::Shown, self.due(), self.digest)
    }

    fn pair(&self) -> (Principal, Principal) {
        (self.of.holder, self.of.place)
    }
}

/// Why a pass is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassError {
    /// There is none like that.
    Unknown,
    /// It is for another place.
    Elsewhere,
    /// It was shown before.
    Used,
    /// Its time is over, or its holder has logged out since.
    Ended,
    /// Its holder was at another address.
    OtherAddress,
    /// Where its holder comes from has to be said here.
    NoAddress,
    /// This game server has shown too many that were not good.
    Slow {
        /// How many seconds it has to wait.
        seconds: u32,
    },
}

/// Who is shown a pass.
pub struct ShownTo<'a> {
    /// The game server.
    pub server: ServerId,
    /// Whether a place is one of its own, and the one that it speaks of, if it speaks of one.
    pub is_here: &'a dyn Fn(Principal) -> bool,
    /// Where the holder comes from, as it says.
    pub address: Option<IpAddr>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Passes {
    held: HashMap<PassDigest, HeldPass>,
    /// Those that were shown behind the others, each by when it is forgotten.
    by_age: BTreeSet<(bool, Time, PassDigest)>,
    /// Those of a holder for a place that were not shown.
    given: BTreeSet<(Principal, Principal, PassDigest)>,
    /// The last one that was.
    shown: BTreeMap<(Principal, Principal), PassDigest>,
    /// Those that were shown and in whose place another one was since, with where they were good, in that order.
    used: VecDeque<(PassDigest, Principal)>,
    /// What game servers have shown that was not good.
    wrong: HashMap<ServerId, Window>,
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

/// What nobody can know, for a word; nothing where the kernel has none to give, which the log says.
pub fn random() -> Option<[u8; 12]> {
    let mut random = [0; 12];
    match getrandom::fill(&mut random) {
        Ok(()) => Some(random),
        Err(error) => {
            log::error!("no pass can be made: {error}");
            None
        }
    }
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
    /// A new pass, in place of what this holder has for this place and has not shown; nothing when there are too many. `random` is
    /// what nobody can know.
    pub fn give(&mut self, of: Wanted, now: Time, random: [u8; 12]) -> Option<(Secret, HeldPass)> {
        self.remove_given((of.holder, of.place));
        self.make(of, now, random)
    }

    /// The same beside what he has for this place, as several connections of his are each let in by one. Should this process die, the
    /// next one knows the last of them.
    pub fn give_beside(&mut self, of: Wanted, now: Time, random: [u8; 12]) -> Option<(Secret, HeldPass)> {
        let pair = (of.holder, of.place);
        if self.given_of(pair).count() >= BESIDE {
            self.remove_given(pair);
        }
        self.make(of, now, random)
    }

    fn make(&mut self, of: Wanted, now: Time, random: [u8; 12]) -> Option<(Secret, HeldPass)> {
        self.forget_old(now);
        if !self.has_room() {
            return None;
        }
        let word = Secret::new(word(random));
        let pass = HeldPass { digest: digest(word.expose()), of, given: now, state: PassState::Given };
        self.keep(pass.clone());
        Some((word, pass))
    }

    /// Somebody has proved who he is at a place in another way. `random` names it.
    pub fn identify(&mut self, of: Wanted, now: Time, random: [u8; 12]) -> Option<HeldPass> {
        let (_, pass) = self.give(of, now, random)?;
        Some(self.change(pass.digest, PassState::Shown).unwrap_or(pass))
    }

    /// Whose pass this is, which a place was shown; it is good no more then.
    ///
    /// # Errors
    /// Why it is not good.
    pub fn redeem(&mut self, word: &Secret, to: &ShownTo<'_>, now: Time, at: Instant) -> Result<HeldPass, PassError> {
        self.forget_old(now);
        if let Some(slow) = self.waits(to.server, at) {
            return Err(slow);
        }
        let good = self.look(word, to, now).inspect_err(|_| self.was_wrong(to.server, at))?;
        self.change(good, PassState::Shown).ok_or(PassError::Unknown)
    }

    fn look(&self, word: &Secret, to: &ShownTo<'_>, now: Time) -> Result<PassDigest, PassError> {
        let word = digest(word.expose());
        let Some(pass) = self.held.get(&word) else {
            let used = self.used.iter().any(|(other, place)| *other == word && (to.is_here)(*place));
            return Err(if used { PassError::Used } else { PassError::Unknown });
        };
        if !(to.is_here)(pass.of.place) {
            return Err(PassError::Elsewhere);
        }
        match pass.state {
            PassState::Shown => return Err(PassError::Used),
            PassState::Ended => return Err(PassError::Ended),
            PassState::Given => {}
        }
        if pass.given.0 + GOOD < now.0 {
            return Err(PassError::Ended);
        }
        match to.address {
            None if pass.of.checked => Err(PassError::NoAddress),
            Some(address) if pass.of.address.is_some_and(|other| other != address) => Err(PassError::OtherAddress),
            _ => Ok(pass.digest),
        }
    }

    /// The holder of a pass that was shown at a place which is known, by its word.
    pub fn shown_here(&self, word: &Secret, is_here: impl Fn(Principal) -> bool) -> Option<&HeldPass> {
        let pass = self.held.get(&digest(word.expose()))?;
        (pass.state == PassState::Shown && is_here(pass.of.place)).then_some(pass)
    }

    /// Whether somebody has identified himself at a place, under the epoch that he has.
    pub fn is_identified(&self, holder: Principal, epoch: u32, place: Principal, now: Time) -> bool {
        let pass = self.shown.get(&(holder, place)).and_then(|digest| self.held.get(digest));
        pass.is_some_and(|pass| pass.of.epoch == epoch && pass.due() > now)
    }

    /// A visitor is a player from now on: so is the holder of what he has, shown or not. Gives those.
    pub fn go_over(&mut self, was: Principal, now: Principal, epoch: u32) -> Vec<HeldPass> {
        let shown = self.shown.range((was, FIRST)..).take_while(|((holder, _), _)| *holder == was);
        let shown = shown.map(|(_, digest)| *digest);
        let digests: Vec<PassDigest> = self.given_to(was).chain(shown).collect();
        let his = digests.iter().filter_map(|digest| self.remove(digest)).collect::<Vec<_>>();
        his.into_iter()
            .map(|pass| {
                let pass = HeldPass { of: Wanted { holder: now, epoch, ..pass.of.clone() }, ..pass };
                self.keep(pass.clone());
                pass
            })
            .collect()
    }

    /// The one of this word, whatever has become of it.
    pub fn find(&self, word: &Secret) -> Option<&HeldPass> {
        self.held.get(&digest(word.expose()))
    }

    /// What a holder has not shown yet holds no longer.
    pub fn end(&mut self, holder: Principal) -> Vec<HeldPass> {
        let his: Vec<PassDigest> = self.given_to(holder).collect();
        his.into_iter().filter_map(|digest| self.change(digest, PassState::Ended)).collect()
    }

    /// Takes over what a handler before this one has left, in the order in which it was said.
    pub fn restore(&mut self, left: Vec<HeldPass>, now: Time) {
        for pass in left {
            self.remove(&pass.digest);
            if pass.state == PassState::Given {
                self.remove_given(pass.pair());
            }
            self.keep(pass);
        }
        self.forget_old(now);
    }

    /// Whether this is still the last word on a pass.
    pub fn keeps(&self, pass: &HeldPass) -> bool {
        self.held.get(&pass.digest) == Some(pass)
    }

    /// What a holder has not shown yet, wherever it is good.
    fn given_to(&self, holder: Principal) -> impl Iterator<Item = PassDigest> {
        let his = self.given.range((holder, FIRST, [0; 16])..).take_while(move |(other, ..)| *other == holder);
        his.map(|(.., digest)| *digest)
    }

    /// What a holder has for a place and has not shown yet.
    fn given_of(&self, (holder, place): (Principal, Principal)) -> impl Iterator<Item = PassDigest> {
        self.given.range((holder, place, [0; 16])..=(holder, place, [u8::MAX; 16])).map(|(.., digest)| *digest)
    }

    fn remove_given(&mut self, pair: (Principal, Principal)) {
        for digest in self.given_of(pair).collect::<Vec<_>>() {
            self.remove(&digest);
        }
    }

    fn change(&mut self, digest: PassDigest, state: PassState) -> Option<HeldPass> {
        let mut pass = self.remove(&digest)?;
        pass.state = state;
        self.keep(pass.clone());
        Some(pass)
    }

    fn keep(&mut self, pass: HeldPass) {
        self.by_age.insert(pass.age());
        let (holder, place) = pass.pair();
        let before = match pass.state {
            PassState::Given => {
                self.given.insert((holder, place, pass.digest));
                None
            }
            PassState::Shown => self.shown.insert((holder, place), pass.digest),
            PassState::Ended => None,
        };
        // One in whose place it is says nothing more.
        if let Some(before) = before.filter(|before| *before != pass.digest)
            && let Some(before) = self.held.remove(&before)
        {
            self.by_age.remove(&before.age());
            if self.used.len() >= USED {
                self.used.pop_front();
            }
            self.used.push_back((before.digest, before.of.place));
        }
        self.held.insert(pass.digest, pass);
    }

    fn remove(&mut self, digest: &PassDigest) -> Option<HeldPass> {
        let pass = self.held.remove(digest)?;
        self.by_age.remove(&pass.age());
        let (holder, place) = pass.pair();
        self.given.remove(&(holder, place, *digest));
        if self.shown.get(&(holder, place)) == Some(digest) {
            self.shown.remove(&(holder, place));
        }
        Some(pass)
    }

    fn has_room(&mut self) -> bool {
        if self.held.len() < MOST {
            return true;
        }
        let oldest = self.by_age.range((true, Time(i64::MIN), [0; 16])..).next().copied();
        oldest.is_some_and(|(_, _, digest)| self.remove(&digest).is_some())
    }

    fn forget_old(&mut self, now: Time) {
        for shown in [false, true] {
            while let Some((_, due, digest)) = self.by_age.range((shown, Time(i64::MIN), [0; 16])..).next().copied()
                && due < now
            {
                self.remove(&digest);
            }
        }
    }

    fn waits(&mut self, server: ServerId, at: Instant) -> Option<PassError> {
        let wait = self.wrong.get(&server)?.wait(at, WRONG, WINDOW);
        if wait.is_zero() {
            return None;
        }
        Some(PassError::Slow { seconds: u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1) })
    }

    fn was_wrong(&mut self, server: ServerId, at: Instant) {
        self.wrong.entry(server).or_insert_with(|| Window::new(at)).add(at, WINDOW);
    }
}
