//! A world that goes elsewhere, takes its time, or changes its mind; and we ourselves at each moment of it.

use super::{Played, played_with, wide};
use crate::harness::worlds::codes::option::SGA;
use crate::harness::worlds::{Connection, Cut, End, Kind, StrictClient, Told, World};
use crate::harness::{Backend, MOVED};
use std::net::TcpListener;

const DOWN: &str = "zoo is down.";
const BACK: &str = "you are in it as before.";

fn echoes(client: &mut StrictClient, text: &str) {
    client.types(&format!("echo {text}"));
    client.until(&format!("{text}\n"));
}

/// A world with two addresses, of which the first one serves; the other one, with this key of how one gets there.
fn two(keys: &str) -> (Played, World) {
    let (first, second) = (World::start(Kind::Mush), World::plan(Kind::Mush).make());
    let plan = Backend::plan();
    let config = format!(
        "[world.zoo]\nplay = [\"{}\", \"{}\"]\nkind = \"tinymux\"\n{keys}\n[[door]]\naddress = \"{}:4201\"\nworld = \"zoo\"\n",
        first.address(),
        second.address(),
        plan.address()
    );
    let backend = plan.config(&config).start();
    let door = backend.doors()[1];
    (Played { world: first, door, prompt: door, backend }, second)
}

#[test]
fn who_plays_is_at_the_next_address_when_the_first_is_gone() {
    for seconds in [0, 1] {
        let (played, mut other) = two(&format!("failover_seconds = {seconds}"));
        let mut client = played.inside("bob", wide());
        played.world.crashes(Cut::Reset);
        client.until(DOWN);
        client.types("echo kept");
        client.until("1 line kept for zoo.");
        other.starts();
        client.until(BACK);
        client.until("kept\n");
        assert_eq!(other.player("bob").lines()[1..], ["echo kept"]);
        played.backend.log().wait("event=failover");
    }
}

#[test]
fn back_at_the_first_address_is_who_comes_or_everybody_or_nobody_as_it_is_set() {
    for failback in ["new", "all", "never"] {
        let (mut played, mut other) =
            two(&format!("failover_seconds = 0\nhealthy_seconds = 1\nfailback = \"{failback}\""));
        let mut client = played.inside("bob", wide());
        played.world.crashes(Cut::Reset);
        client.until(DOWN);
        other.starts();
        client.until(BACK);
        let log = played.backend.log();
        log.wait("event=failover");
        let mark = log.mark();
        played.world.starts();
        let first = played.world.address();
        match failback {
            "never" => _ = played.backend.ctl(&["world", "failover", "zoo", &first]),
            _ => log.wait_after(mark, "event=failover"),
        }
        if failback == "all" {
            client.until(BACK);
            played.world.player_from(1, "bob");
            other.player("bob").ends();
        }
        echoes(&mut client, "hello");
        let mut second = played.inside("al", wide());
        echoes(&mut second, "here");
        played.world.player("al");
        let left = usize::from(failback != "all");
        assert_eq!(other.connected(), left, "{failback}");
    }
}

#[test]
fn the_operator_moves_who_waits() {
    let (played, mut other) = two("failover_seconds = 3600");
    let mut client = played.inside("bob", wide());
    played.world.crashes(Cut::Reset);
    client.until(DOWN);
    other.starts();
    played.backend.ctl(&["world", "failover", "zoo"]);
    client.until(BACK);
    echoes(&mut client, "hello");
    assert_eq!(other.connected(), 1);
}

#[test]
fn a_world_that_listens_and_says_nothing_for_a_while_has_him_in_when_it_speaks() {
    for kind in [Kind::Mush, Kind::Evennia] {
        let mut played = played_with(kind, "", "");
        let mut client = played.inside("bob", wide());
        played.world.crashes(Cut::Reset);
        client.until(DOWN);
        client.types("echo kept");
        client.until("1 line kept for zoo.");
        let before = played.world.count();
        played.world.starts_asleep();
        played.world.connection(before);
        client.types("//hw");
        client.until("Hello, world!");
        played.world.wakes();
        client.until(BACK);
        client.until("kept\n");
    }
}

#[test]
fn a_world_that_ends_whatever_connects_is_down_until_it_does_not() {
    let mut played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", wide());
    played.world.crashes(Cut::Reset);
    client.until(DOWN);
    client.types("echo kept");
    client.until("1 line kept for zoo.");
    let proxy = TcpListener::bind(played.world.at()).unwrap();
    (0..10).for_each(|_| drop(proxy.accept().unwrap()));
    drop(proxy);
    client.types("echo more");
    client.until("2 lines kept for zoo.");
    played.world.starts();
    client.until(BACK);
    client.until("kept\n");
    client.until("more\n");
    let shown = client.shown();
    assert_eq!(shown.matches("is back").count(), 1, "{shown}");
}

/// These play, and stand behind a prompt of the world.
fn at_a_prompt(played: &Played, names: &[&str]) -> Vec<StrictClient> {
    let inside = |name: &&str| {
        let mut client = played.inside(name, wide());
        played.world.says(&played.world.player(name), b"Well? ");
        client.until("Well? ");
        client
    };
    names.iter().map(inside).collect()
}

#[test]
fn two_restarts_within_a_moment_are_one_absence_or_two_and_nobody_is_lost() {
    let mut played = played_with(Kind::Mush, "", "");
    let mut clients = at_a_prompt(&played, &["al", "bob", "eve"]);
    for _ in 0..3 {
        played.world.crashes(Cut::Reset);
        // What accepts and says nothing shows for a second nothing of what it is.
        played.world.starts_asleep();
    }
    played.world.crashes(Cut::Fin);
    for client in &mut clients {
        client.until(DOWN);
        client.types("echo at last");
        client.until("kept for zoo.");
    }
    played.world.starts();
    played.world.wakes();
    for client in &mut clients {
        client.until("at last\n");
        echoes(client, "here");
    }
}

#[test]
fn a_world_that_listens_again_before_anybody_looks_has_all_back() {
    for (cut, names) in [(Cut::Reset, &["al", "bob", "eve"][..]), (Cut::Fin, &["al", "bob"])] {
        let mut played = played_with(Kind::Mush, "", "");
        let mut clients = at_a_prompt(&played, names);
        played.world.crashes(cut);
        played.world.starts_asleep();
        // The line's end is ours: this worker has asked why the connection has ended.
        clients.iter_mut().for_each(|client| _ = client.until("\n"));
        played.world.connection(names.len());
        played.world.wakes();
        for client in &mut clients {
            client.until(BACK);
            echoes(client, "here");
            let shown = client.shown();
            assert_eq!((shown.matches(DOWN).count(), shown.matches("is back").count()), (1, 1), "{shown}");
        }
        assert_eq!(played.backend.log().text().matches("event=world-down").count(), 1);
    }
}

#[test]
fn who_quits_is_out_and_whoever_stays_notices_nothing() {
    let played = played_with(Kind::Mush, "", "");
    let mut clients = at_a_prompt(&played, &["al", "bob", "eve", "zoe"]);
    for quitting in [1, 2] {
        // One alone, then two in the same moment.
        let mut leaves: Vec<StrictClient> = clients.drain(..quitting).collect();
        leaves.iter_mut().for_each(|client| client.types("quit"));
        for client in &mut leaves {
            let last = client.rest();
            assert!(!last.contains("[notice]"), "{last}");
        }
    }
    let mut zoe = clients.remove(0);
    echoes(&mut zoe, "here");
    assert!(!zoe.shown().contains("[notice]"), "{}", zoe.shown());
    assert!(!played.backend.log().text().contains("event=world-down"));
}

#[test]
fn a_world_that_dies_while_it_logs_him_in_has_him_back_the_next_time() {
    let mut played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", wide());
    for _ in 0..3 {
        played.world.crashes(Cut::Reset);
        client.until(DOWN);
        let before = played.world.count();
        played.world.starts_asleep();
        played.world.connection(before);
        played.world.crashes(Cut::Reset);
        played.world.starts();
        played.world.wakes();
        client.until(BACK);
        echoes(&mut client, "here");
    }
}

/// Waits until all is answered that the world has asked since it was told so much; gives how much it was told then.
fn answered(kind: Kind, told: &Connection, mark: usize) -> usize {
    // A MUSH does that itself for who does it.
    let all = kind.offers().iter().copied().chain([(End::Ours, SGA)]);
    for offer in all {
        let is_about = |told: &Told| matches!(told, Told::Agreed(end, option, _) if (*end, *option) == offer);
        told.wait(&format!("an answer to {offer:?}"), |all| all[mark..].iter().any(is_about).then_some(()));
    }
    told.told().len()
}

#[test]
fn a_warm_restart_that_negotiates_anew_passes_unseen() {
    for kind in [Kind::Mush, Kind::Evennia] {
        let played = played_with(kind, "", "");
        let mut client = played.inside("bob", wide().letting_offer_again());
        let told = played.world.player("bob");
        let mut mark = 0;
        for round in 1..4 {
            // Each program has an answer to each of its questions, and no more than that.
            mark = answered(kind, &told, mark);
            played.world.restarts_warmly();
            client.until("The world restarts.\n");
            echoes(&mut client, "as before");
            client.resizes(100 + round, 40);
            told.sees_window(100 + round, 40);
        }
        assert_eq!(played.world.count(), 1);
        assert_eq!(played.world.fault(), None);
    }
}

#[test]
fn a_world_that_restarts_again_before_it_has_heard_an_answer_has_him_as_before() {
    for kind in [Kind::Mush, Kind::Evennia] {
        let played = played_with(kind, "", "");
        let mut client = played.inside("bob", wide().letting_offer_again());
        let told = played.world.player("bob");
        answered(kind, &told, 0);
        played.world.sleeps();
        for _ in 0..3 {
            played.world.restarts_warmly();
            // Who reads this has answered what was asked before it.
            client.until("The world restarts.\n");
        }
        played.world.wakes();
        echoes(&mut client, "as before");
        client.resizes(101, 40);
        told.sees_window(101, 40);
        assert_eq!(played.world.fault(), None);
    }
}

#[test]
fn the_handler_dies_when_a_world_was_asked_for() {
    let played = played_with(Kind::Mush, "", "");
    let mut client = None;
    played.backend.over_the_death_of_the_handler(|| client = Some(played.client(wide())));
    let mut client = client.unwrap();
    client.until("<password>");
    client.types("connect bob secret-of-bob");
    client.until("Limbo\n");
}

#[test]
fn the_handler_dies_when_it_was_asked_why_a_connection_has_ended() {
    let mut played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", wide());
    played.backend.over_the_death_of_the_handler(|| played.world.crashes(Cut::Reset));
    client.until(DOWN);
    played.world.starts();
    client.until(BACK);
    echoes(&mut client, "here");
}

/// One whose world has accepted him again and says nothing yet.
fn between_death_and_life() -> (Played, StrictClient) {
    let mut played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", wide());
    played.world.crashes(Cut::Reset);
    client.until(DOWN);
    client.types("echo kept");
    client.until("1 line kept for zoo.");
    let before = played.world.count();
    played.world.starts_asleep();
    played.world.connection(before);
    (played, client)
}

#[test]
fn handler_and_listener_die_while_he_is_being_logged_in_again() {
    let (mut played, mut client) = between_death_and_life();
    played.backend.kill_handler();
    played.backend.kill_listener();
    played.backend.next_listener();
    played.world.wakes();
    client.until(BACK);
    client.until("kept\n");
    echoes(&mut client, "here");
}

#[test]
fn everything_is_upgraded_while_he_is_being_logged_in_again() {
    let (played, mut client) = between_death_and_life();
    played.backend.upgrade_to("9.9.9");
    played.backend.log().wait(MOVED);
    played.world.wakes();
    client.until(BACK);
    client.until("kept\n");
    echoes(&mut client, "here");
}

#[test]
fn handler_and_listener_die_while_he_waits() {
    let mut played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", wide());
    played.world.crashes(Cut::Reset);
    client.until(DOWN);
    played.backend.kill_handler();
    client.types("echo kept");
    client.until("1 line kept for zoo.");
    played.backend.kill_listener();
    played.backend.next_listener();
    played.world.starts();
    client.until(BACK);
    client.until("kept\n");
    played.backend.kill_handler();
    echoes(&mut client, "here");
}

#[test]
fn an_upgrade_within_a_line_of_the_world_passes_unseen() {
    let played = played_with(Kind::Mush, "", "");
    let mut client = played.inside("bob", wide());
    let told = played.world.player("bob");
    played.world.says(&told, b"one half and ");
    client.until("one half and ");
    played.backend.upgrade_to("9.9.9");
    played.backend.log().wait(MOVED);
    played.world.says(&told, b"the other\r\n");
    client.until("the other\n");
    echoes(&mut client, "here");
    let shown = client.shown();
    assert!(shown.ends_with("Limbo\none half and the other\nhere\n"), "{shown}");
}
