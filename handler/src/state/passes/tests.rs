//! Passes in their time: good once, for whom they are, and no longer than that.

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
        self.0.held.is_empty() && self.0.by_age.is_empty() && self.0.given.is_empty() && self.0.shown.is_empty()
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
fn several_connections_of_one_holder_are_each_let_in_by_a_pass_of_their_own() {
    let mut passes = TimedPasses::new();
    let beside = |passes: &mut TimedPasses, first| passes.0.give_beside(wanted(ARENA), at(0), random(first)).unwrap().0;
    let words: Vec<Secret> = (0..8).map(|first| beside(&mut passes, first)).collect();
    assert_eq!(passes.redeemed(&words[3], ARENA, at(1)), Ok(ALICE));
    assert_eq!(passes.redeemed(&words[0], ARENA, at(1)), Ok(ALICE));
    assert_eq!(passes.redeemed(&words[3], ARENA, at(1)), Err(PassError::Used));
    // What he asks for himself counts alone.
    let asked = passes.given(ARENA, at(1), 20);
    assert_eq!(passes.redeemed(&words[5], ARENA, at(1)), Err(PassError::Unknown));
    let words: Vec<Secret> = (0..7).map(|first| beside(&mut passes, first + 8)).collect();
    assert_eq!(passes.redeemed(&asked, ARENA, at(1)), Ok(ALICE));
    // Logging out ends all of them, and there are not more than so many.
    beside(&mut passes, 21);
    let last = beside(&mut passes, 22);
    assert_eq!(passes.redeemed(&words[6], ARENA, at(1)), Err(PassError::Unknown));
    let other = beside(&mut passes, 23);
    assert_eq!(passes.0.end(ALICE).len(), 2);
    for word in [last, other] {
        assert_eq!(passes.redeemed(&word, ARENA, at(1)), Err(PassError::Ended));
    }
}

#[test]
fn who_has_shown_one_is_known_there_until_his_epoch_grows() {
    let mut passes = TimedPasses::new();
    let word = passes.given(WorldId(1), at(0), 1);
    let known = |passes: &TimedPasses, epoch, place: Principal, now| passes.0.is_identified(ALICE, epoch, place, now);
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
    assert_eq!(passes.redeemed(&word, ARENA, at(41)), Err(PassError::Slow { seconds: 51 }));
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
