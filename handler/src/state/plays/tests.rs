//! A world's fail-over, its turns and its rate with a clock of the test's own; who is where, and by which words.

use super::*;
use ssmglobal_config::play::{FailBack, WorldAddress};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn address(port: u16) -> WorldAddress {
    WorldAddress::At(([127, 0, 0, 1], port).into())
}

fn played(terms: Terms) -> Played {
    Played { key: "cave".into(), name: "Cave".into(), terms: Arc::new(terms) }
}

/// A world, and the clock.
struct Scene {
    world: World,
    now: Instant,
}

impl Scene {
    fn new(addresses: u16, change: impl FnOnce(&mut Terms)) -> Scene {
        let mut terms = Terms { play: (1..=addresses).map(address).collect(), ..Terms::default() };
        change(&mut terms);
        let Played { key, name, terms } = played(terms);
        let now = Instant::now();
        Scene { world: World::new(key, name, terms, now), now }
    }

    /// What there is to do now.
    fn acts(&mut self) -> Vec<Act> {
        self.world.take_acts(self.now)
    }

    /// Until this time, each time that something is due: what there is to do. What is tried fails, but for these places.
    fn run(&mut self, until: Instant, listens: &[usize]) -> Vec<Act> {
        let mut all = Vec::new();
        loop {
            let acts = self.world.take_acts(self.now);
            for act in &acts {
                if let Act::Probe(place) = act {
                    match listens.contains(place) {
                        true => self.world.accepted(*place, true, self.now),
                        false => self.world.failed(*place, self.now, self.now),
                    }
                    self.world.tried(*place, self.now);
                }
            }
            all.extend(acts);
            match self.world.next_due(self.now) {
                Some(due) if due <= until => self.now = self.now.max(due),
                _ => {
                    self.now = until;
                    return all;
                }
            }
        }
    }

    fn goes(&mut self) {
        let in_use = self.world.in_use();
        self.world.failed(in_use, self.now, self.now);
    }
}

fn called(acts: &[Act]) -> Vec<u64> {
    acts.iter().filter_map(|act| if let Act::Call(session) = act { Some(*session) } else { None }).collect()
}

fn probes(acts: &[Act]) -> Vec<usize> {
    acts.iter().filter_map(|act| if let Act::Probe(place) = act { Some(*place) } else { None }).collect()
}

#[test]
fn one_that_is_down_is_tried_often_at_first_and_then_each_second() {
    let mut scene = Scene::new(1, |terms| terms.failover_seconds = 3600);
    let began = scene.now;
    scene.goes();
    assert_eq!(scene.acts(), [Act::Down { address: address(1) }]);
    assert_eq!(scene.world.next_due(began), None, "nobody waits");
    scene.world.wait(7, began, began);
    let tried = probes(&scene.run(began + 10 * SECOND, &[])).len();
    assert!((395..=400).contains(&tried), "{tried}");
    let tried = probes(&scene.run(began + 60 * SECOND, &[])).len();
    assert!((49..=51).contains(&tried), "{tried}");
    // One at a time.
    scene.now += SECOND;
    assert_eq!(probes(&scene.acts()), [0]);
    scene.now += SECOND;
    assert_eq!(scene.acts(), []);
    scene.world.accepted(0, true, scene.now);
    let up = Act::Up { address: address(1), after: 62 * SECOND, waiting: 1 };
    assert_eq!(scene.acts(), [up, Act::Call(7)]);
}

#[test]
fn who_has_typed_last_is_called_first_and_no_more_than_the_rate_allows() {
    let mut scene = Scene::new(1, |terms| terms.rate = 100);
    let began = scene.now;
    scene.goes();
    for session in 0..250 {
        scene.world.wait(session, began + MS * u32::try_from(session).unwrap(), began);
    }
    scene.world.leave(249);
    assert!(scene.world.is_awaited());
    scene.world.accepted(0, true, began);
    assert!(!scene.world.is_awaited());
    let first = called(&scene.run(began + SECOND, &[0]));
    assert!((100..=103).contains(&first.len()), "{}", first.len());
    assert!(first.is_sorted_by(|one, next| one > next) && first[0] == 248);
    for session in &first {
        scene.world.leave(*session);
    }
    // It goes again: the others wait on, and those who come back with them.
    scene.goes();
    let down = scene.run(began + 2 * SECOND, &[]);
    assert_eq!((called(&down), scene.world.count_waiting()), (vec![], 249 - first.len()));
    let rest = called(&scene.run(began + 4 * SECOND, &[0]));
    assert_eq!(rest.len(), 249 - first.len());
    assert!(first.iter().all(|session| !rest.contains(session)));
}

#[test]
fn who_is_called_and_does_not_come_is_called_again() {
    let mut scene = Scene::new(1, |_| {});
    let began = scene.now;
    scene.goes();
    [1, 2].into_iter().for_each(|session| scene.world.wait(session, began, began));
    scene.world.accepted(0, true, began);
    assert_eq!(called(&scene.run(began + 9 * SECOND, &[0])), [1, 2]);
    scene.world.leave(1);
    assert_eq!(called(&scene.run(began + 15 * SECOND, &[0])), [2]);
}

#[test]
fn one_that_listens_is_left_to_the_first_until_it_is_known_to_stay() {
    let mut scene = Scene::new(1, |_| {});
    let began = scene.now;
    scene.goes();
    (1..=3).for_each(|session| scene.world.wait(session, began, began));
    scene.now += 25 * MS;
    assert_eq!(probes(&scene.acts()), [0]);
    scene.world.accepted(0, false, scene.now);
    assert_eq!(scene.acts(), [Act::Call(1)]);
    scene.world.leave(1);
    // It ends what it has accepted: nobody is called before it has let one be.
    scene.world.vanished(0, scene.now);
    scene.world.wait(1, began, scene.now);
    scene.world.tried(0, scene.now);
    scene.now += 25 * MS;
    assert_eq!(scene.acts(), [Act::Probe(0)]);
    scene.world.accepted(0, false, scene.now);
    assert_eq!((scene.acts(), scene.world.is_doubtful(0)), (vec![], true));
    scene.world.accepted(0, true, scene.now);
    scene.world.tried(0, scene.now);
    let acts = scene.run(scene.now + 100 * MS, &[]);
    assert_eq!(called(&acts).len(), 3);
    // One that says nothing is taken to stay after a while.
    scene.goes();
    scene.world.wait(1, began, scene.now);
    scene.world.wait(2, began, scene.now);
    scene.now += 25 * MS;
    assert_eq!(probes(&scene.acts()), [0]);
    scene.world.accepted(0, false, scene.now);
    assert_eq!(called(&scene.acts()).len(), 1);
    let acts = scene.run(scene.now + 300 * MS, &[]);
    assert!(acts.iter().any(|act| matches!(act, Act::Up { .. })));
    assert_eq!(called(&acts).len(), 1);
}

#[test]
fn one_whose_connection_fails_where_others_come_through_brings_no_world_down() {
    let mut scene = Scene::new(1, |_| {});
    let began = scene.now;
    scene.now += SECOND;
    scene.world.accepted(0, false, scene.now);
    scene.world.failed(0, began, scene.now + 2 * SECOND);
    assert!(matches!(scene.world.health(), Health::Up(_)));
    scene.world.failed(0, scene.now + SECOND, scene.now + 3 * SECOND);
    assert!(matches!(scene.world.health(), Health::Down(_)));
}

#[test]
fn the_next_address_is_tried_after_the_time_that_is_set_and_the_first_is_back_when_it_is_well() {
    for (failback, back) in [(FailBack::New, true), (FailBack::Never, false)] {
        let mut scene = Scene::new(3, |terms| {
            (terms.failover_seconds, terms.healthy_seconds, terms.failback) = (5, 30, failback);
        });
        let began = scene.now;
        scene.goes();
        scene.world.wait(7, began, began);
        assert!(probes(&scene.run(began + 4 * SECOND, &[1, 2])).iter().all(|place| *place == 0));
        let acts = scene.run(began + 6 * SECOND, &[1, 2]);
        let to = Act::Failover { from: address(1), to: address(2), by_hand: false };
        assert!(acts.contains(&to) && called(&acts) == [7], "{acts:?}");
        assert_eq!(scene.world.address(), Some(&address(2)));
        scene.world.leave(7);
        // The first is back, but not for long.
        let well = scene.now;
        let _ = scene.run(well + 20 * SECOND, &[0]);
        let _ = scene.run(scene.now + 2 * SECOND, &[]);
        let _ = scene.run(well + 40 * SECOND, &[0]);
        assert_eq!(scene.world.in_use(), 1);
        let acts = scene.run(well + 60 * SECOND, &[0]);
        let moved = acts.iter().any(|act| matches!(act, Act::Failover { .. }));
        assert_eq!((scene.world.in_use() == 0, moved), (back, back));
    }
}

#[test]
fn what_the_operator_has_chosen_stays_until_he_chooses_the_first() {
    let mut scene = Scene::new(2, |terms| (terms.failover_seconds, terms.healthy_seconds) = (1, 1));
    let began = scene.now;
    scene.world.accepted(0, true, began);
    assert!(!scene.world.choose(Some(&address(9)), began));
    assert!(scene.world.choose(None, began) && scene.world.is_by_hand());
    assert_eq!(scene.acts(), [Act::Failover { from: address(1), to: address(2), by_hand: true }]);
    scene.goes();
    scene.world.wait(7, began, began);
    let acts = scene.run(began + 60 * SECOND, &[0]);
    assert!(probes(&acts).iter().all(|place| *place == 1) && scene.world.in_use() == 1);
    assert!(scene.world.choose(None, scene.now) && !scene.world.is_by_hand());
    let acts = scene.run(scene.now + SECOND, &[0]);
    assert_eq!((called(&acts), scene.world.in_use()), (vec![7], 0));
}

#[test]
fn addresses_that_stay_in_the_terms_stay_known() {
    let mut scene = Scene::new(2, |_| {});
    let now = scene.now;
    scene.world.choose(Some(&address(2)), now);
    let terms = Terms { play: vec![address(5), address(2)], ..Terms::default() };
    scene.world.set_terms("Cave".into(), terms.into(), now);
    assert_eq!((scene.world.in_use(), scene.world.is_by_hand()), (1, true));
    let terms = Terms { play: vec![address(6)], ..Terms::default() };
    scene.world.set_terms("Cave".into(), terms.into(), now);
    assert_eq!((scene.world.address(), scene.world.is_by_hand()), (Some(&address(6)), false));
}

fn stay(state: PlayState, player: u32, word: &str) -> Stay {
    let (word, player) = (digest(&Secret::new(word)), Some(PlayerId(player)));
    Stay { state, word, player, typed: Instant::now(), place: Some(0), shares: None, began: None, ended: None }
}

#[test]
fn who_is_where_is_known_by_session_player_and_word_until_he_leaves() {
    let mut plays = Plays::default();
    let (cave, hall): (WorldKey, WorldKey) = ("cave".into(), "hall".into());
    plays.world(&played(Terms::default()), Instant::now());
    assert!(plays.put(1, &cave, stay(PlayState::Plays, 7, "aaaa-bbbb")));
    assert!(plays.put(2, &cave, stay(PlayState::Alone, 7, "cccc-dddd")));
    assert!(plays.put(2, &hall, stay(PlayState::Waits, 7, "eeee-ffff")));
    assert!(plays.put(3, &cave, stay(PlayState::Alone, 8, "gggg-hhhh")));
    let by_word = |plays: &Plays, word: &str| plays.by_word(&Secret::new(word)).map(|(session, _)| session);
    assert_eq!(by_word(&plays, "AAAA bbbb"), Some(1));
    assert_eq!(plays.of_player(PlayerId(7), &cave).map(|(session, _)| session).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(plays.alone(PlayerId(7)), [(2, cave.clone())]);
    assert_eq!(plays.count("cave"), Count { playing: 1, waiting: 0, alone: 2 });
    // Another word in place of the first.
    assert!(plays.put(1, &cave, stay(PlayState::Waits, 7, "iiii-jjjj")));
    assert_eq!((by_word(&plays, "aaaa-bbbb"), by_word(&plays, "iiii-jjjj")), (None, Some(1)));
    plays.leave(1, "cave");
    assert_eq!(plays.ends(2).len(), 2);
    assert_eq!((by_word(&plays, "iiii-jjjj"), by_word(&plays, "cccc-dddd")), (None, None));
    assert!(plays.alone(PlayerId(7)).is_empty() && !plays.has_anybody("hall") && plays.has_anybody("cave"));
    for world in ["a", "b", "c", "d"] {
        assert!(plays.put(4, &world.into(), stay(PlayState::Plays, 9, world)));
    }
    assert!(!plays.put(4, &"e".into(), stay(PlayState::Plays, 9, "e")), "that is enough for one");
}

#[test]
fn who_shares_or_waits_to_goes_on_with_whoever_has_the_connection() {
    let mut plays = Plays::default();
    let cave: WorldKey = "cave".into();
    let guest = |state, shares, word| Stay { shares: Some(shares), ..stay(state, 7, word) };
    plays.put(1, &cave, stay(PlayState::Plays, 7, "aaaa"));
    plays.put(2, &cave, guest(PlayState::Plays, 1, "bbbb"));
    plays.put(3, &cave, guest(PlayState::Waits, 1, "cccc"));
    plays.put(4, &cave, guest(PlayState::Waits, 9, "dddd"));
    let waiting = |plays: &Plays, session| {
        plays.waiting_for(session, "cave").into_iter().map(|(session, _)| session).collect::<Vec<_>>()
    };
    assert_eq!((plays.sharers(PlayerId(7), &cave, 1), waiting(&plays, 1)), (2, vec![3]));
    // Another one goes on with the connection: one of those, or a new one.
    plays.share_with(1, Some(3), "cave");
    assert_eq!((plays.get(2, "cave").unwrap().shares, plays.get(3, "cave").unwrap().shares), (Some(3), None));
    plays.share_with(3, Some(5), "cave");
    assert_eq!(plays.get(2, "cave").unwrap().shares, Some(5));
    // Nobody does: who waits has nobody to wait for, and the others hear of it by the end of their connections.
    plays.put(6, &cave, guest(PlayState::Waits, 5, "eeee"));
    plays.share_with(5, None, "cave");
    assert_eq!((plays.get(2, "cave").unwrap().shares, plays.get(6, "cave").unwrap().shares), (Some(5), None));
    assert_eq!((waiting(&plays, 5), waiting(&plays, 9)), (vec![], vec![4]));
}
