//! Whether connections to a world have ended together. One that ends alone has its player's reasons; of several within a moment the
//! world is the reason, also where it listens again at once. Lives in the event loop; pure, the clock comes from outside.

use super::{Played, Plays, Stay, World};
use ssmglobal_config::play::Sessions;
use ssmglobal_ipc::PlayState;
use ssmglobal_store::PlayerId;
use std::time::{Duration, Instant};

/// Ends that are no further apart have one reason.
const MOMENT: Duration = Duration::from_secs(1);

/// Whose connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Session(u64),
    /// Where several of one player's see one game, which ends for all of them when he quits.
    Player(PlayerId),
}

impl Whose {
    fn new(session: u64, stay: &Stay, world: &World) -> Whose {
        match stay.player {
            Some(player) if world.terms.sessions == Sessions::Shared => Whose::Player(player),
            Some(_) | None => Whose::Session(session),
        }
    }
}

/// The last ends at one address.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    /// Of two: more need not be known to tell that one was not alone.
    last: [Option<(Whose, Instant)>; 2],
    /// When the first was of the last two moments in which there were any.
    firsts: [Option<Instant>; 2],
}

impl Ends {
    fn add(&mut self, whose: Whose, now: Instant) {
        let [last, before] = self.last;
        let other = last.filter(|(other, _)| *other != whose).or(before.filter(|(other, _)| *other != whose));
        self.last = [Some((whose, now)), other];
        let [first, _] = self.firsts;
        if first.is_none_or(|first| now.saturating_duration_since(first) > MOMENT) {
            self.firsts = [Some(now), first];
        }
    }
}

/// What else has ended in the moment in which a connection has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// Nothing.
    Nothing,
    /// Others have, and there are some that have not, as far as their workers have said.
    Some,
    /// All that there were when the first of them ended.
    All {
        /// When that was.
        first: Instant,
    },
}

impl Plays {
    /// The connection of a session has ended, which it had at this place.
    pub fn has_ended(&mut self, session: u64, world: &Played, place: usize, now: Instant) {
        let Some(stay) = self.stay_mut(session, &world.key) else { return };
        let ended = *stay.ended.get_or_insert(now);
        let stay = stay.clone();
        // Who shares another's has none of his own.
        if stay.shares.is_none() {
            let world = self.world(world, now);
            let whose = Whose::new(session, &stay, world);
            world.ends_at(place).into_iter().for_each(|ends| ends.add(whose, ended));
        }
    }

    /// Those who have been told why had reasons of their own: others have stayed. They count for nobody who comes after them.
    pub fn have_quit(&mut self, world: &str, place: usize) {
        if let Some(ends) = self.known_mut(world).and_then(|world| world.ends_at(place)) {
            *ends = Ends::default();
        }
    }

    /// What has ended together with the connections of these sessions, which have asked why theirs has.
    pub fn together(&self, askers: &[u64], world: &str, place: usize) -> Together {
        let Some(world) = self.known(world) else { return Together::Nothing };
        let of_askers = || askers.iter().filter_map(|session| self.get(*session, &world.key));
        let Some(first) = of_askers().filter_map(|stay| stay.ended).min() else { return Together::Nothing };
        // What has ended before theirs began had another reason.
        let began = of_askers().filter_map(|stay| stay.began).max();
        let since = first.checked_sub(MOMENT).into_iter().chain(began).max().unwrap_or(first);
        let there = || {
            let is_there = |stay: &Stay| stay.place.unwrap_or(world.in_use()) == place && stay.shares.is_none();
            self.at(&world.key).filter(move |(_, stay)| is_there(stay))
        };
        let asked = there().filter_map(|(session, stay)| Some((Whose::new(session, stay, world), stay.ended?)));
        let last = world.last_ends(place);
        let answered = last.into_iter().flat_map(|ends| ends.last).flatten();
        let firsts = last.into_iter().flat_map(|ends| ends.firsts).flatten();
        let mut ended = asked.chain(answered).filter(|(_, at)| *at >= since);
        let Some((whose, mut first)) = ended.next() else { return Together::Nothing };
        let mut is_alone = true;
        for (other, at) in ended {
            is_alone &= other == whose;
            first = first.min(at);
        }
        if is_alone {
            return Together::Nothing;
        }
        let first = firsts.filter(|at| *at >= since).fold(first, Instant::min);
        // Who has come since says nothing of what there was before.
        let stays = |(session, stay): (u64, &Stay)| {
            stay.ended.is_none()
                && stay.state != PlayState::Waits
                && !world.is_waiting(session)
                && stay.began.is_none_or(|began| began <= first)
        };
        if there().any(stays) { Together::Some } else { Together::All { first } }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{WorldKey, digest};
    use super::*;
    use ssmglobal_config::play::{Terms, WorldAddress};
    use ssmglobal_ipc::Secret;
    use std::sync::Arc;

    const MS: Duration = Duration::from_millis(1);

    /// A world at two addresses, and the clock.
    struct Scene {
        plays: Plays,
        world: Played,
        now: Instant,
    }

    impl Scene {
        /// With these sessions in it, each of a player of its own.
        fn new(sessions: impl IntoIterator<Item = u64>) -> Scene {
            Scene::of(Terms::default(), sessions)
        }

        fn of(terms: Terms, sessions: impl IntoIterator<Item = u64>) -> Scene {
            let play = (1..=2).map(|port| WorldAddress::At(([127, 0, 0, 1], port).into())).collect();
            let terms = Arc::new(Terms { play, ..terms });
            let world = Played { key: WorldKey::from("cave"), name: "Cave".into(), terms };
            let mut scene = Scene { plays: Plays::default(), world, now: Instant::now() };
            sessions.into_iter().for_each(|session| scene.comes(session, |_| {}));
            scene.passes(3600 * 1000);
            scene
        }

        fn passes(&mut self, ms: u32) {
            self.now += ms * MS;
        }

        fn comes(&mut self, session: u64, change: impl FnOnce(&mut Stay)) {
            let mut stay = Stay {
                state: PlayState::Plays,
                word: digest(&Secret::new(session.to_string())),
                player: Some(PlayerId(u32::try_from(session).unwrap())),
                typed: self.now,
                place: Some(0),
                shares: None,
                began: Some(self.now),
                ended: None,
            };
            change(&mut stay);
            self.plays.world(&self.world, self.now);
            assert!(self.plays.put(session, &self.world.key, stay));
        }

        /// A connection ends, and another one looks: what has ended together with it?
        fn ends(&mut self, session: u64) -> Together {
            let place = self.plays.get(session, "cave").and_then(|stay| stay.place).unwrap_or(0);
            self.plays.has_ended(session, &self.world, place, self.now);
            self.plays.together(&[session], "cave", place)
        }

        fn looks(&self, sessions: &[u64]) -> Together {
            self.plays.together(sessions, "cave", 0)
        }

        /// The answer is that he has quit.
        fn has_quit(&mut self, session: u64) {
            self.plays.leave(session, "cave");
        }
    }

    #[test]
    fn one_who_quits_alone_has_quit_whoever_is_left() {
        let mut scene = Scene::new([1]);
        assert_eq!(scene.ends(1), Together::Nothing);
        let mut scene = Scene::new(1..=3);
        assert_eq!(scene.ends(2), Together::Nothing);
        // He asks again, over another link.
        scene.passes(10);
        assert_eq!(scene.ends(2), Together::Nothing);
        scene.has_quit(2);
        scene.passes(1001);
        assert_eq!(scene.ends(1), Together::Nothing);
        scene.has_quit(1);
        scene.passes(1001);
        assert_eq!(scene.ends(3), Together::Nothing);
    }

    #[test]
    fn a_world_that_has_lost_all_within_a_moment_has_gone() {
        for count in 2..5 {
            let mut scene = Scene::new(1..=count);
            let first = scene.now;
            for session in 1..count {
                let expected = if session == 1 { Together::Nothing } else { Together::Some };
                assert_eq!(scene.ends(session), expected);
                scene.passes(200);
            }
            assert_eq!(scene.ends(count), Together::All { first });
            assert_eq!(scene.looks(&[1]), Together::All { first });
        }
    }

    #[test]
    fn whoever_was_answered_counts_too() {
        let mut scene = Scene::new(1..=3);
        let first = scene.now;
        assert_eq!(scene.ends(1), Together::Nothing);
        scene.has_quit(1);
        scene.passes(900);
        assert_eq!(scene.ends(2), Together::Some);
        scene.passes(50);
        assert_eq!(scene.ends(3), Together::All { first });
        assert_eq!(scene.looks(&[2]), Together::All { first });
    }

    #[test]
    fn of_several_who_quit_in_one_moment_nobody_is_brought_back_as_long_as_one_stays() {
        let mut scene = Scene::new(1..=3);
        scene.ends(1);
        assert_eq!(scene.ends(2), Together::Some);
        // One whose connection is kept for him stays too; and where it is not known when one has come, he was there.
        let mut scene = Scene::new(1..=2);
        scene.comes(3, |stay| (stay.state, stay.began, stay.place) = (PlayState::Alone, None, None));
        scene.ends(1);
        assert_eq!(scene.ends(2), Together::Some);
    }

    #[test]
    fn who_has_quit_while_others_stayed_counts_for_nobody_after_him() {
        let mut scene = Scene::new(1..=3);
        scene.ends(1);
        scene.has_quit(1);
        assert_eq!(scene.ends(2), Together::Some);
        scene.passes(200);
        scene.has_quit(2);
        scene.plays.have_quit("cave", 0);
        assert_eq!(scene.ends(3), Together::Nothing);
    }

    #[test]
    fn who_is_elsewhere_waits_or_has_come_since_says_nothing() {
        let mut scene = Scene::new(1..=2);
        scene.comes(3, |stay| stay.place = Some(1));
        scene.comes(4, |stay| (stay.state, stay.place) = (PlayState::Waits, None));
        scene.passes(10);
        let first = scene.now;
        assert_eq!(scene.ends(1), Together::Nothing);
        scene.passes(10);
        scene.comes(5, |_| {});
        // He was there before, and is back.
        scene.comes(1, |_| {});
        scene.passes(10);
        assert_eq!(scene.ends(2), Together::All { first });
        assert_eq!(scene.ends(3), Together::Nothing, "he was at another address");
    }

    #[test]
    fn whose_worker_is_late_is_not_thrown_out_by_those_who_are_back_already() {
        let mut scene = Scene::new(1..=6);
        let first = scene.now;
        for session in 1..=6 {
            let expected = if session == 1 { Together::Nothing } else { Together::Some };
            assert_eq!(scene.ends(session), if session == 6 { Together::All { first } } else { expected });
            scene.passes(20);
            scene.comes(session, |_| {});
            scene.passes(20);
        }
    }

    #[test]
    fn who_quits_when_the_world_has_just_come_back_has_quit() {
        let mut scene = Scene::new(1..=2);
        scene.ends(1);
        scene.ends(2);
        scene.passes(30);
        (1..=2).for_each(|session| scene.comes(session, |_| {}));
        scene.passes(100);
        assert_eq!(scene.ends(1), Together::Nothing);
        // And when it goes again instead, it has gone again.
        let first = scene.now;
        assert_eq!(scene.ends(2), Together::All { first });
    }

    #[test]
    fn who_shares_has_no_connection_of_his_own() {
        let terms = || Terms { sessions: Sessions::Shared, ..Terms::default() };
        let mut scene = Scene::of(terms(), [1]);
        scene.comes(2, |stay| (stay.player, stay.shares) = (Some(PlayerId(1)), Some(1)));
        assert_eq!((scene.ends(1), scene.ends(2)), (Together::Nothing, Together::Nothing));
        // A handler that comes next does not know that he shares.
        let mut scene = Scene::of(terms(), [1]);
        scene.comes(2, |stay| stay.player = Some(PlayerId(1)));
        scene.ends(1);
        assert_eq!(scene.ends(2), Together::Nothing);
        let mut scene = Scene::of(terms(), [1, 2]);
        let first = scene.now;
        scene.ends(1);
        assert_eq!(scene.ends(2), Together::All { first });
    }

    #[test]
    fn little_is_remembered_of_many() {
        let mut ends = Ends::default();
        let now = Instant::now();
        for session in [1, 2, 3, 3, 3, 2, 2] {
            ends.add(Whose::Session(session), now);
        }
        assert_eq!(ends.last, [Some((Whose::Session(2), now)), Some((Whose::Session(3), now))]);
    }
}
