//! Passes: words that are good once, for one place and one holder, for a minute. A place is a game server, or a world that has a
//! licence. Only a digest of each is here and in the journal, which takes them to the next handler. Lives in the event loop.
//!
//! One that was shown is remembered for longer: by it is known who has identified himself where.

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
        /// It was not told so yet.
        first: bool,
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
    /// The newest one of a holder for a place that was not shown.
    newest: BTreeMap<(Principal, Principal), PassDigest>,
    /// The last one that was.
    shown: BTreeMap<(Principal, Principal), PassDigest>,
    /// Those that were shown and in whose place another one was since, with where they were good, in that order.
    used: VecDeque<(PassDigest, Principal)>,
    wrong: HashMap<ServerId, Wrong>,
}

/// What a game server has shown that was not good.
#[derive(Clone, Copy, Debug)]
struct Wrong {
    window: Window,
    /// It was told to wait.
    told_to_wait: bool,
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
    /// A new pass, in place of one that this holder has for this place and has not shown; nothing when there are too many.
    /// `random` is what nobody can know.
    pub fn give(&mut self, of: Wanted, now: Time, random: [u8; 12]) -> Option<(Secret, HeldPass)> {
        self.forget_old(now);
        if let Some(before) = self.newest.get(&(of.holder, of.place)).copied() {
            self.remove(&before);
        }
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
        let nobody = Principal { kind: ssmglobal_store::PrincipalKind::Player, id: 0 };
        let of = |pairs: &BTreeMap<(Principal, Principal), PassDigest>| -> Vec<PassDigest> {
            let his = pairs.range((was, nobody)..).take_while(|((holder, _), _)| *holder == was);
            his.map(|(_, digest)| *digest).collect()
        };
        let digests = [of(&self.newest), of(&self.shown)].concat();
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
        let nobody = Principal { kind: ssmglobal_store::PrincipalKind::Player, id: 0 };
        let his = self.newest.range((holder, nobody)..).take_while(|((other, _), _)| *other == holder);
        let his: Vec<PassDigest> = his.map(|(_, digest)| *digest).collect();
        his.into_iter().filter_map(|digest| self.change(digest, PassState::Ended)).collect()
    }

    /// Takes over what a handler before this one has left, in the order in which it was said.
    pub fn restore(&mut self, left: Vec<HeldPass>, now: Time) {
        for pass in left {
            self.remove(&pass.digest);
            self.keep(pass);
        }
        self.forget_old(now);
    }

    /// Whether this is still the last word on a pass.
    pub fn keeps(&self, pass: &HeldPass) -> bool {
        self.held.get(&pass.digest) == Some(pass)
    }

    fn change(&mut self, digest: PassDigest, state: PassState) -> Option<HeldPass> {
        let mut pass = self.remove(&digest)?;
        pass.state = state;
        self.keep(pass.clone());
        Some(pass)
    }

    fn keep(&mut self, pass: HeldPass) {
        self.by_age.insert(pass.age());
        let before = match pass.state {
            PassState::Given => self.newest.insert(pass.pair(), pass.digest),
            PassState::Shown => self.shown.insert(pass.pair(), pass.digest),
            PassState::Ended => None,
        };
        // One in whose place it is says nothing more.
        if let Some(before) = before.filter(|before| *before != pass.digest)
            && let Some(before) = self.held.remove(&before)
        {
            self.by_age.remove(&before.age());
            if before.state == PassState::Shown {
                if self.used.len() >= USED {
                    self.used.pop_front();
                }
                self.used.push_back((before.digest, before.of.place));
            }
        }
        self.held.insert(pass.digest, pass);
    }

    fn remove(&mut self, digest: &PassDigest) -> Option<HeldPass> {
        let pass = self.held.remove(digest)?;
        self.by_age.remove(&pass.age());
        for of_pair in [&mut self.newest, &mut self.shown] {
            if of_pair.get(&pass.pair()) == Some(digest) {
                of_pair.remove(&pass.pair());
            }
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
        let wrong = self.wrong.get_mut(&server)?;
        let wait = wrong.window.wait(at, WRONG, WINDOW);
        if wait.is_zero() {
            return None;
        }
        let first = !std::mem::replace(&mut wrong.told_to_wait, true);
        Some(PassError::Slow { seconds: u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1), first })
    }

    fn was_wrong(&mut self, server: ServerId, at: Instant) {
        let wrong = self.wrong.entry(server).or_insert_with(|| Wrong { window: Window::new(at), told_to_wait: false });
        if at.saturating_duration_since(wrong.window.began()) >= WINDOW {
            wrong.told_to_wait = false;
        }
        wrong.window.add(at, WINDOW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmglobal_store::{PlayerId, WorldId};

    const ALICE: Principal = Principal { kind: ssmglobal_store::PrincipalKind::Player, id: 1 };
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

    fn wanted(place: impl Into<Principal>) -> Wanted {
        let (address, since) = (Some([192, 0, 2, 7].into()), Time(0));
        let (checked, language, charset) = (false, None, None);
        Wanted { holder: ALICE, epoch: 3, place: place.into(), address, checked, since, language, charset }
    }

    /// Passes, and when it began.
    struct TimedPasses(Passes, Instant);

    impl TimedPasses {
        fn new() -> TimedPasses {
            TimedPasses(Passes::default(), Instant::now())
        }

        fn given(&mut self, place: impl Into<Principal>, now: Time, first: u8) -> Secret {
            self.0.give(wanted(place), now, random(first)).unwrap().0
        }

        fn shown(
            &mut self,
            word: &Secret,
            server: ServerId,
            address: Option<u8>,
            now: Time,
        ) -> Result<HeldPass, PassError> {
            let is_here = |place: Principal| place == server.into() || place == WorldId(server.0).into();
            let address = address.map(|last| [192, 0, 2, last].into());
            let moment = self.1 + Duration::from_millis(now.0.unsigned_abs());
            self.0.redeem(word, &ShownTo { server, is_here: &is_here, address }, now, moment)
        }

        fn redeemed(&mut self, word: &Secret, server: ServerId, now: Time) -> Result<Principal, PassError> {
            self.shown(word, server, None, now).map(|pass| pass.of.holder)
        }

        fn is_empty(&self) -> bool {
            self.0.held.is_empty() && self.0.by_age.is_empty() && self.0.newest.is_empty() && self.0.shown.is_empty()
        }
    }

    #[test]
    fn a_pass_is_good_once_for_whom_it_was_made_and_for_a_minute() {
        let mut passes = TimedPasses::new();
        let first = passes.given(ARENA, at(0), 1);
        assert_eq!(first.expose(), "pass-1777-7777-7777");
        assert_eq!(passes.redeemed(&first, CASTLE, at(1)), Err(PassError::Elsewhere));
        // However it is typed.
        assert_eq!(passes.redeemed(&Secret::new("PASS 1777 7777 7777"), ARENA, at(60)), Ok(ALICE));
        assert_eq!(passes.redeemed(&first, ARENA, at(60)), Err(PassError::Used));
        let late = passes.given(ARENA, at(100), 2);
        assert_eq!(passes.redeemed(&late, ARENA, at(161)), Err(PassError::Ended));
        assert_eq!(passes.redeemed(&late, ARENA, at(221)), Err(PassError::Unknown));
        // That it was shown is known for a day.
        assert_eq!(passes.redeemed(&first, ARENA, at(24 * 3600)), Err(PassError::Used));
        assert_eq!(passes.redeemed(&first, ARENA, at(24 * 3600 + 61)), Err(PassError::Unknown));
        assert!(passes.is_empty());
    }

    #[test]
    fn the_newest_one_counts_and_logging_out_ends_it() {
        let mut passes = TimedPasses::new();
        let (first, other) = (passes.given(ARENA, at(0), 1), passes.given(CASTLE, at(0), 2));
        let second = passes.given(ARENA, at(1), 3);
        assert_eq!(passes.redeemed(&first, ARENA, at(1)), Err(PassError::Unknown));
        assert_eq!(passes.0.end(PlayerId(9).into()), []);
        assert_eq!(passes.0.end(ALICE).len(), 2);
        assert_eq!(passes.redeemed(&second, ARENA, at(1)), Err(PassError::Ended));
        assert_eq!(passes.redeemed(&other, CASTLE, at(1)), Err(PassError::Ended));
        assert!(!passes.0.is_identified(ALICE, 3, ARENA.into(), at(1)));
    }

    #[test]
    fn who_has_shown_one_is_known_there_until_his_epoch_grows() {
        let mut passes = TimedPasses::new();
        let word = passes.given(WorldId(1), at(0), 1);
        let known =
            |passes: &TimedPasses, epoch, place: Principal, now| passes.0.is_identified(ALICE, epoch, place, now);
        assert!(!known(&passes, 3, WorldId(1).into(), at(1)), "it was not shown yet");
        passes.redeemed(&word, ARENA, at(1)).unwrap();
        // Also while he asks for another one.
        passes.given(WorldId(1), at(2), 2);
        assert!(known(&passes, 3, WorldId(1).into(), at(3)));
        assert!(!known(&passes, 4, WorldId(1).into(), at(3)) && !known(&passes, 3, ARENA.into(), at(3)));
        assert!(!known(&passes, 3, WorldId(1).into(), at(25 * 3600)));
        assert_eq!(passes.0.shown_here(&word, |_| true).map(|pass| pass.of.holder), Some(ALICE));
        assert!(passes.0.shown_here(&word, |place| place == ARENA.into()).is_none());
        // In another way.
        assert!(passes.0.identify(wanted(CASTLE), at(4), random(9)).is_some());
        assert!(known(&passes, 3, CASTLE.into(), at(5)));
    }

    #[test]
    fn an_address_counts_where_it_is_given_and_must_be_where_the_place_says_so() {
        let mut passes = TimedPasses::new();
        let word = passes.given(ARENA, at(0), 1);
        assert_eq!(passes.shown(&word, ARENA, Some(8), at(1)), Err(PassError::OtherAddress));
        assert!(passes.shown(&word, ARENA, Some(7), at(1)).is_ok());
        let checked = Wanted { checked: true, ..wanted(WorldId(1)) };
        let (word, _) = passes.0.give(checked, at(0), random(2)).unwrap();
        assert_eq!(passes.shown(&word, ARENA, None, at(1)), Err(PassError::NoAddress));
        assert!(passes.shown(&word, ARENA, Some(7), at(1)).is_ok());
        // Where it does not count it is not looked at.
        let anywhere = Wanted { address: None, ..wanted(WorldId(1)) };
        let (word, _) = passes.0.give(anywhere, at(0), random(3)).unwrap();
        assert!(passes.shown(&word, ARENA, Some(8), at(1)).is_ok());
    }

    #[test]
    fn who_shows_many_that_are_not_good_has_to_wait() {
        let mut passes = TimedPasses::new();
        let word = passes.given(ARENA, at(30), 1);
        for _ in 0..20 {
            assert_eq!(passes.redeemed(&Secret::new("pass-x"), ARENA, at(31)), Err(PassError::Unknown));
        }
        for first in [true, false] {
            let slow = PassError::Slow { seconds: 51, first };
            assert_eq!(passes.redeemed(&word, ARENA, at(41)), Err(slow));
        }
        assert_eq!(passes.redeemed(&word, CASTLE, at(41)), Err(PassError::Elsewhere), "only that one");
        let word = passes.given(ARENA, at(91), 2);
        assert_eq!(passes.redeemed(&word, ARENA, at(91)), Ok(ALICE));
    }

    #[test]
    fn the_next_handler_knows_what_was_given_and_what_was_used() {
        let mut passes = TimedPasses::new();
        let words = [passes.given(ARENA, at(0), 1), passes.given(CASTLE, at(0), 2)];
        passes.redeemed(&words[0], ARENA, at(1)).unwrap();
        let mut next = TimedPasses::new();
        next.0.restore(passes.0.held.into_values().collect(), at(2));
        assert_eq!(next.redeemed(&words[0], ARENA, at(2)), Err(PassError::Used));
        assert!(next.0.is_identified(ALICE, 3, ARENA.into(), at(2)));
        assert_eq!(next.redeemed(&words[1], CASTLE, at(2)), Ok(ALICE));
    }

    #[test]
    fn the_next_handler_knows_which_pass_has_taken_the_place_of_which() {
        let (mut passes, mut said) = (TimedPasses::new(), Vec::new());
        let give = |passes: &mut TimedPasses, said: &mut Vec<HeldPass>, first| {
            let (word, pass) = passes.0.give(wanted(ARENA), at(0), random(first)).unwrap();
            said.push(pass);
            word
        };
        // The last one that was shown, one that was never shown, and the one in its place, which was.
        let older = give(&mut passes, &mut said, 1);
        said.push(passes.shown(&older, ARENA, None, at(1)).unwrap());
        let replaced = give(&mut passes, &mut said, 2);
        let shown = give(&mut passes, &mut said, 3);
        said.push(passes.shown(&shown, ARENA, None, at(1)).unwrap());
        let newest = give(&mut passes, &mut said, 4);
        let mut next = TimedPasses::new();
        next.0.restore(said, at(2));
        for passes in [&mut passes, &mut next] {
            assert_eq!(passes.redeemed(&older, ARENA, at(2)), Err(PassError::Used));
            assert_eq!(passes.redeemed(&replaced, ARENA, at(2)), Err(PassError::Unknown));
            assert_eq!(passes.redeemed(&shown, ARENA, at(2)), Err(PassError::Used));
            assert_eq!(passes.redeemed(&newest, ARENA, at(2)), Ok(ALICE));
        }
    }

    #[test]
    fn the_oldest_that_were_shown_make_room() {
        let mut passes = Passes::default();
        let of = |id: u32| Wanted { holder: PlayerId(id).into(), ..wanted(ARENA) };
        let bytes = |id: u32| {
            let mut bytes = [0; 12];
            id.to_be_bytes().iter().enumerate().for_each(|(place, byte)| {
                (bytes[2 * place], bytes[2 * place + 1]) = (byte >> 4, byte & 15);
            });
            bytes
        };
        for id in 0..MOST as u32 {
            assert!(passes.identify(of(id), Time(i64::from(id)), bytes(id)).is_some());
        }
        let now = Time(MOST as i64);
        let known = |passes: &Passes, id: u32| passes.is_identified(PlayerId(id).into(), 3, ARENA.into(), now);
        assert!(known(&passes, 0));
        assert!(passes.give(of(MOST as u32), now, bytes(MOST as u32)).is_some());
        assert!(!known(&passes, 0) && known(&passes, 1));
    }
}
