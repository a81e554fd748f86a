//! The lists beside what they follow, over a death of the handler, a day, and a quarter of a second.

use super::*;
use crate::state::State;
use crate::state::hosting::Host;
use crate::state::journal::Journal;
use crate::state::mirror::View;
use crate::state::online::{Seat, Stay};
use crate::state::session::{Identity, SessionRef};
use crate::testing::licence;
use ssmglobal_store::{PlayerId, ServerId, StartedBy};
use ssmglobal_sys::memory;
use std::os::fd::OwnedFd;

const BOB: PlayerId = PlayerId(7);

fn zoo() -> KeptLicence {
    licence(1, "Zoo", BOB)
}

fn hosting(users: u32) -> Hosting {
    let by = StartedBy { session: 3, server: ServerId(1), instance: "a".into(), address: "10.0.0.1".into(), port: 7 };
    let host = Host { session: 3, server: ServerId(1), instance: "a".into() };
    Hosting { host, users, ..Hosting::new(by, Time(5)) }
}

fn word(name: &str, text: &str) -> World {
    let (name, text) = (name.to_owned(), text.to_owned());
    World { host: 3, name, address: String::new(), map: String::new(), players: 1, max: 8, text, at: Time(5) }
}

fn somebody(id: u32, name: &str) -> Identity {
    Identity { who: PlayerId(id).into(), epoch: 0, name: name.into() }
}

fn at(slot: usize) -> SessionRef {
    SessionRef { slot, id: slot as u64 }
}

/// A handler with its journal.
struct Handler {
    state: State,
    journal: Journal,
    licences: Licences,
    now: Time,
}

impl Handler {
    fn over(fd: &OwnedFd, began: u64) -> Handler {
        let journal = Journal::open(fd).unwrap();
        let mut state = State::new(began);
        let (worlds, users) = journal.recover().mirrors;
        state.mirrors.restore(worlds, users);
        state.unwritten.extend(state.mirrors.begun());
        let mut licences = Licences::default();
        licences.put(zoo());
        Handler { state, journal, licences, now: Time::now() }
    }

    /// All are back.
    fn begin(&mut self) {
        let State { mirrors, hosted, worlds, online, unwritten, .. } = &mut self.state;
        mirrors.begin(hosted, worlds, online, &self.licences, self.now);
        mirrors.take_notes(unwritten);
        self.write();
    }

    fn write(&mut self) {
        for entry in self.state.unwritten.drain(..) {
            self.journal.append(&entry);
        }
    }

    fn changed(&self, worlds: u64, users: u64) -> [(Vec<&str>, Vec<&str>); 2] {
        let mirrors = &self.state.mirrors;
        let worlds = mirrors.worlds.page(View::Everybody, worlds, 0, 100);
        let users = mirrors.users.page(View::Everybody, users, 0, 100);
        // What is compared at once is changed in any order.
        let sorted = |mut keys: Vec<_>| {
            keys.sort_unstable();
            keys
        };
        [
            (sorted(worlds.rows.into_iter().map(|(key, ..)| key).collect()), sorted(worlds.gone)),
            (sorted(users.rows.into_iter().map(|(key, ..)| key).collect()), sorted(users.gone)),
        ]
    }

    fn last(&self) -> [u64; 2] {
        List::ALL.map(|list| self.state.mirrors.last(list))
    }
}

#[test]
fn the_next_handler_changes_what_is_another_thing_and_nothing_else() {
    let fd = memory::make("test").unwrap();
    let mut first = Handler::over(&fd, 5);
    first.begin();
    first.state.host_world(&zoo(), hosting(4));
    let ids = ["arena", "castle"].map(|name| {
        let id = first.state.worlds.id_for(3, name);
        first.state.say_world(id, word(name, "one"));
        id
    });
    let (bob, alice, carol) = (somebody(7, "bob"), somebody(8, "alice"), somebody(9, "carol"));
    for (slot, one) in [&bob, &alice, &carol].into_iter().enumerate() {
        first.state.enter(one, at(slot));
    }
    let stay = Stay { seat: Seat::Session(3), place: ServerId(1).into(), since: Time(5), identified: false };
    first.state.arrive(alice.who, &alice.name, stay);
    first.write();
    let [worlds, users] = first.last();
    let epoch = first.state.mirrors.worlds.epoch();
    drop(first);

    // Everything is as it was, but that castle and carol have gone, and that it is known in another order.
    let mut second = Handler::over(&fd, 6);
    let back = |handler: &mut Handler| {
        handler.state.enter(&alice, at(0));
        handler.state.enter(&bob, at(1));
        handler.state.still_arrive(alice.who, &alice.name, stay);
        handler.state.still_say_world(ids[0], word("arena", "one"));
        handler.state.still_host_world(&zoo(), hosting(4));
    };
    back(&mut second);
    assert_eq!(second.last(), [worlds, users], "nothing is said before all are back");
    second.begin();
    assert_eq!(second.changed(worlds, users), [(vec![], vec!["castle"]), (vec![], vec!["carol"])]);
    assert_eq!(second.state.mirrors.worlds.epoch(), epoch);
    let [worlds, users] = second.last();
    drop(second);

    // The world has stopped while nobody was there, and bob is not back yet.
    let mut third = Handler::over(&fd, 7);
    third.state.enter(&alice, at(0));
    third.state.still_arrive(alice.who, &alice.name, stay);
    third.state.still_say_world(ids[0], word("arena", "two"));
    third.begin();
    assert_eq!(third.changed(worlds, users), [(vec!["Zoo", "arena"], vec![]), (vec![], vec!["bob"])]);
    assert_eq!(third.state.mirrors.next_due(), Some(goes(third.now)));
    third.state.enter(&bob, at(1));
    assert_eq!(third.changed(worlds, users)[1], (vec!["bob"], vec![]));
    third.write();
    drop(third);

    // Its licence has gone.
    let mut fourth = Handler::over(&fd, 8);
    fourth.licences = Licences::default();
    let [worlds, _] = fourth.last();
    back(&mut fourth);
    fourth.state.hosted.remove(WorldId(1));
    fourth.begin();
    assert_eq!(fourth.changed(worlds, 0)[0], (vec!["arena"], vec!["Zoo"]));
    assert_eq!(fourth.state.mirrors.next_due(), None);
}

#[test]
fn a_world_that_was_stopped_goes_after_a_day_unless_it_is_hosted_again() {
    let fd = memory::make("test").unwrap();
    let mut handler = Handler::over(&fd, 5);
    handler.begin();
    let stopped = |handler: &Handler| handler.state.mirrors.worlds.get("Zoo").map(|(_, row)| row.stopped.is_some());
    handler.state.host_world(&zoo(), hosting(4));
    handler.state.stop_world(WorldId(1));
    assert_eq!(stopped(&handler), Some(true));
    handler.state.host_world(&zoo(), hosting(5));
    assert_eq!((stopped(&handler), handler.state.mirrors.next_due()), (Some(false), None));
    handler.state.stop_world(WorldId(1));
    let licence = KeptLicence { users: 12, comment: "closed".into(), listed: false, ..zoo() };
    handler.state.mirrors.licence_changed(&licence);
    let (scope, row) = handler.state.mirrors.worlds.get("Zoo").unwrap();
    assert_eq!((scope, row.max, row.users, &*row.description), (Scope::Of(BOB), 12, 0, "closed"));
    let due = handler.state.mirrors.next_due().unwrap();
    handler.state.mirrors.forget_stopped(Time(due.0 - 1));
    assert_eq!(stopped(&handler), Some(true));
    handler.state.mirrors.forget_stopped(due);
    assert_eq!((stopped(&handler), handler.state.mirrors.next_due()), (None, None));
    assert!(handler.state.mirrors.by_licence.is_empty());
    handler.state.mirrors.licence_changed(&licence);
    assert_eq!(stopped(&handler), None, "nobody has hosted it");
}

#[test]
fn what_game_servers_say_is_shown_where_no_licence_is_needed() {
    let fd = memory::make("test").unwrap();
    let mut handler = Handler::over(&fd, 5);
    handler.begin();
    let id = handler.state.worlds.id_for(3, "arena");
    handler.state.say_world(id, word("arena", "one"));
    let State { mirrors, worlds, .. } = &mut handler.state;
    for (shown, count) in [(true, 1), (false, 0), (false, 0), (true, 1)] {
        mirrors.show_unlicensed(shown, worlds);
        assert_eq!(mirrors.worlds.iter().count(), count);
    }
}

#[test]
fn a_visitor_and_a_player_of_one_name_are_two_and_a_game_server_is_nobody() {
    let who = |kind| Principal { kind, id: 7 };
    assert_eq!(key_of(who(PrincipalKind::Player), "bob").as_deref(), Some("bob"));
    assert_eq!(key_of(who(PrincipalKind::Visitor), "bob").as_deref(), Some("visitor:bob"));
    assert_eq!(key_of(who(PrincipalKind::Server), "bob"), None);
}

#[test]
fn the_first_change_is_told_at_once_and_what_follows_together() {
    let fd = memory::make("test").unwrap();
    let mut handler = Handler::over(&fd, 5);
    let (now, list) = (Instant::now(), List::Users);
    handler.state.enter(&somebody(7, "bob"), at(0));
    assert_eq!(handler.state.mirrors.wait(list, now), None, "not all are back");
    handler.begin();
    assert_eq!(handler.state.mirrors.wait(list, now), Some(Duration::ZERO));
    handler.state.mirrors.telling(list, now, true);
    assert_eq!(handler.state.mirrors.wait(list, now), None);
    handler.state.enter(&somebody(8, "alice"), at(1));
    let later = now + Duration::from_millis(100);
    assert_eq!(handler.state.mirrors.wait(list, later), Some(Duration::from_millis(150)));
    assert_eq!(handler.state.mirrors.wait(list, now + TOGETHER), Some(Duration::ZERO));
    handler.state.mirrors.telling(list, later, false);
    handler.state.mirrors.look_again(list);
    assert_eq!(handler.state.mirrors.wait(list, later), Some(Duration::ZERO), "nobody was told");
    assert_eq!(handler.state.mirrors.wait(List::Worlds, later), None);
}
