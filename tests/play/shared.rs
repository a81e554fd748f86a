//! Several connections of one player see one game: each types in it, and none of them holds up or throws out the others.

use super::{Played, played_with, wide};
use crate::harness::MOVED;
use crate::harness::worlds::codes::option::ECHO;
use crate::harness::worlds::{Connection, Cut, End, Kind, StrictClient};
use nix::sys::signal::{Signal, kill};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const LEFT: &str = "his others go on in zoo";

/// A player who has logged in to us and to the world, and so many further connections of him that see the same.
fn shared(keys: &str, others: usize) -> (Played, StrictClient, Vec<StrictClient>) {
    let played = played_with(Kind::Mush, &format!("sessions = \"shared\"\n{keys}"), "");
    let first = played.known(wide());
    let others = (0..others).map(|_| another(&played)).collect();
    (played, first, others)
}

/// One more connection of him, that sees the end of what was said before.
fn another(played: &Played) -> StrictClient {
    let mut client = StrictClient::to(played.prompt, wide());
    client.until("> ");
    client.types("LOGIN bob secret-of-bob");
    client.until("> ");
    client.types("PLAY zoo");
    client.until("Limbo\n");
    client
}

/// What each of them types is answered to all of them.
#[track_caller]
fn each_is_heard<'a>(clients: impl IntoIterator<Item = &'a mut StrictClient>, what: &str) {
    let mut clients: Vec<&mut StrictClient> = clients.into_iter().collect();
    for number in 0..clients.len() {
        clients[number].types(&format!("echo {what} of {number}"));
        clients.iter_mut().for_each(|client| drop(client.until(&format!("{what} of {number}\n"))));
    }
}

fn bob(played: &Played) -> Connection {
    played.world.player("bob")
}

#[test]
fn three_connections_see_the_same_and_what_each_types_goes_to_the_world_once() {
    let (played, mut first, mut others) = shared("", 2);
    each_is_heard(std::iter::once(&mut first).chain(&mut others), "round one");
    each_is_heard(others.iter_mut().chain([&mut first]), "round two");
    let said: Vec<String> = bob(&played).lines().into_iter().filter(|line| line.starts_with("echo")).collect();
    let expected = ["one of 0", "one of 1", "one of 2", "two of 0", "two of 1", "two of 2"];
    assert_eq!(said, expected.map(|what| format!("echo round {what}")));
    assert_eq!(played.world.count(), 1, "there is one connection to the world");
    // What is for us stays with whoever has typed it.
    others[0].types("//hw");
    others[0].until("Hello, world!");
    others[0].types("////for the world");
    bob(&played).hears("//for the world");
    assert!(!first.shown().contains("Hello, world!"));
}

#[test]
fn letters_prompts_and_hidden_input_are_the_same_for_all() {
    let (played, mut first, mut others) = shared("charset = \"latin-1\"", 1);
    let (second, told) = (&mut others[0], bob(&played));
    played.world.says(&told, b"gr\xf6\xdfer\r\n");
    first.until("größer\n");
    second.until("größer\n");
    played.world.prompts(&told, b"Password: ");
    played.world.hides(&told, true);
    assert_eq!((first.prompt().as_str(), second.prompt().as_str()), ("Password: ", "Password: "));
    second.agreed(End::Theirs, ECHO, true);
    // Who comes while it is hidden is told so.
    let third = another(&played);
    third.agreed(End::Theirs, ECHO, true);
    second.types("//secret");
    told.hears("//secret");
    played.world.hides(&told, false);
    second.agreed(End::Theirs, ECHO, false);
    third.agreed(End::Theirs, ECHO, false);
}

#[test]
fn one_that_is_killed_or_hangs_up_or_leaves_changes_nothing_for_the_others() {
    let (played, mut first, mut others) = shared("", 4);
    let newest = played.backend.workers().pop().unwrap();
    kill(newest.pid, Signal::SIGKILL).unwrap();
    others.pop().unwrap().rest();
    each_is_heard(std::iter::once(&mut first).chain(&mut others), "without the killed one");
    others.pop().unwrap().hangs_up();
    each_is_heard(std::iter::once(&mut first).chain(&mut others), "without the one that hung up");
    let mut leaves = others.pop().unwrap();
    leaves.types("//quit");
    leaves.until("You have left zoo.");
    leaves.types("HW");
    leaves.until("Hello, world!");
    each_is_heard(std::iter::once(&mut first).chain(&mut others), "without the one that left");
    leaves.types("PLAY zoo");
    leaves.until("without the one that left of 1\n");
    each_is_heard([&mut first, &mut leaves], "with it again");
    assert_eq!(played.world.count(), 1);
}

/// A connection that types this, and reads only as far as its game has begun.
fn raw(played: &Played, types: &[u8]) -> TcpStream {
    let mut client = TcpStream::connect(played.prompt).unwrap();
    client.write_all(types).unwrap();
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while !seen.ends_with(b"Limbo\r\n") {
        client.read_exact(&mut byte).unwrap();
        seen.push(byte[0]);
    }
    client
}

/// The same, who reads no further.
fn lazy(played: &Played, types: &[u8]) -> TcpStream {
    let client = raw(played, types);
    // Not the megabytes that the kernel would take for one who is on the same machine.
    nix::sys::socket::setsockopt(&client, nix::sys::socket::sockopt::RcvBuf, &4096).unwrap();
    client
}

#[test]
fn one_that_does_not_read_loses_its_share_and_the_others_see_every_line() {
    let (played, mut first, mut others) = shared("", 1);
    let lazy = lazy(&played, b"LOGIN bob secret-of-bob\r\nPLAY zoo\r\n");
    first.types("spam 200000");
    for client in [&mut first, &mut others[0]] {
        sees_all_lines(client);
    }
    played.backend.log().wait("another connection of this player does not read; it shares zoo no more");
    each_is_heard([&mut first, &mut others[0]], "afterwards");
    drop(lazy);
}

/// It gets 200,000 lines, each once and in order.
#[track_caller]
fn sees_all_lines(client: &mut StrictClient) {
    let text = client.until("line 200000 of 200000\n");
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("line ")).collect();
    assert_eq!(lines.len(), 200_000);
    assert!(lines.iter().enumerate().all(|(at, line)| *line == format!("line {} of 200000", at + 1)));
}

#[test]
fn the_one_that_began_does_not_read_and_the_others_go_on_without_it() {
    let played = played_with(Kind::Mush, "sessions = \"shared\"", "[limits]\nqueue = 65536\n");
    let lazy = lazy(&played, b"REGISTER bob secret-of-bob\r\nPLAY zoo\r\nconnect bob secret-of-bob\r\n");
    let mut others = [another(&played), another(&played)];
    others[0].types("spam 200000");
    others.iter_mut().for_each(sees_all_lines);
    played.backend.log().wait(LEFT);
    each_is_heard(&mut others, "afterwards");
    drop(lazy);
    assert_eq!(played.world.count(), 1);
}

#[test]
fn who_quits_the_world_has_quit_it_for_all() {
    let (_played, mut first, mut others) = shared("", 1);
    others[0].types("quit");
    for client in [&mut first, &mut others[0]] {
        let shown = client.until("You have left zoo.");
        assert!(shown.contains("*** Disconnected ***\n") && !shown.contains("is down"), "{shown}");
    }
}

#[test]
fn a_flood_of_one_holds_up_none_of_the_others() {
    let (played, mut first, mut others) = shared("", 1);
    let mut floods = raw(&played, b"LOGIN bob secret-of-bob\r\nPLAY zoo\r\n");
    let ends = Arc::new(AtomicBool::new(false));
    let flood = std::thread::spawn({
        let ends = ends.clone();
        move || {
            // So much ahead that something of it always waits, and not so much that it buries who reads slowly.
            let (mut ahead, mut room) = (0, [0; 16 << 10]);
            while !ends.load(Ordering::Relaxed) {
                floods.write_all("echo x\r\n".repeat(1000).as_bytes()).unwrap();
                ahead += 1000_usize;
                while ahead > 4000 {
                    let count = floods.read(&mut room).unwrap();
                    assert!(count > 0, "it ends");
                    ahead = ahead.saturating_sub(room[..count].iter().filter(|byte| **byte == b'\n').count());
                }
            }
            floods
        }
    });
    first.until("\nx\n");
    first.types("echo from the first");
    others[0].types("echo from the second");
    // It floods until both were answered.
    first.until("from the first\n");
    others[0].until("from the second\n");
    ends.store(true, Ordering::Relaxed);
    let mut floods = flood.join().unwrap();
    floods.write_all(b"echo the end of it\r\n").unwrap();
    first.until("the end of it\n");
    floods.shutdown(Shutdown::Both).unwrap();
    assert_eq!(played.world.count(), 1);
}

#[test]
fn the_one_that_began_hangs_up_or_leaves_first_and_the_others_play_on() {
    for leaves in [false, true] {
        let (played, mut first, mut others) = shared("grace_seconds = 1", 2);
        if leaves {
            first.types("//quit");
            first.until("You have left zoo to your other connections, which go on in it. This one ends.");
            first.rest();
            played.backend.log().wait(LEFT);
        } else {
            first.hangs_up();
            played.backend.log().wait("his place in zoo is kept");
        }
        each_is_heard(&mut others, "alone");
        // The last one but one sees nothing of that, and with the last one the time begins for which the game is kept.
        others.pop().unwrap().hangs_up();
        each_is_heard(&mut others, "more alone");
        let told = bob(&played);
        drop(others);
        told.ends();
        assert_eq!(played.world.count(), 1);
    }
}

#[test]
fn who_comes_when_the_one_that_began_is_gone_goes_on_in_its_place_with_the_others() {
    let (played, first, mut others) = shared("", 2);
    first.hangs_up();
    played.backend.log().wait("his place in zoo is kept");
    let mut next = StrictClient::to(played.prompt, wide());
    next.until("> ");
    next.types("LOGIN bob secret-of-bob");
    next.until("You are back in zoo.");
    each_is_heard(others.iter_mut().chain([&mut next]), "behind it");
    let mut last = StrictClient::to(played.prompt, wide());
    last.until("> ");
    last.types("LOGIN bob secret-of-bob");
    last.until("> ");
    last.types("PLAY zoo");
    last.until("behind it of 2\n");
    each_is_heard(others.iter_mut().chain([&mut next, &mut last]), "and one more");
    assert_eq!(played.world.count(), 1);
}

#[test]
fn the_one_that_began_does_not_play_another_world_under_the_others() {
    let (_played, mut first, mut others) = shared("", 1);
    first.types("//play zoo");
    first.until("Other connections of yours are in this game by this one.");
    each_is_heard([&mut first, &mut others[0]], "still there");
}

/// The world goes down and comes back: all of them are in it, by one login.
fn goes_and_comes(played: &mut Played, first: &mut StrictClient, others: &mut [StrictClient]) {
    let before = played.world.count();
    played.world.crashes(Cut::Reset);
    first.until("zoo is down.");
    for other in &mut *others {
        other.until("zoo is down.");
        other.types("echo kept");
        other.until("1 line kept for zoo.");
    }
    played.world.starts();
    first.until("you are in it as before.");
    for other in &mut *others {
        other.until("zoo is back.");
    }
    for _ in 0..others.len() {
        first.until("kept\n");
    }
    each_is_heard(std::iter::once(first).chain(others), "after that");
    assert_eq!(played.world.count(), before + 1, "there is one connection to the world");
}

#[test]
fn a_world_that_comes_back_is_one_game_for_all_of_them_again() {
    let (mut played, mut first, mut others) = shared("", 2);
    for _ in 0..3 {
        goes_and_comes(&mut played, &mut first, &mut others);
    }
}

#[test]
fn a_connection_that_comes_while_the_world_is_down_shares_the_game_when_it_is_back() {
    let (mut played, mut first, _) = shared("", 0);
    played.world.crashes(Cut::Reset);
    first.until("zoo is down.");
    let mut second = StrictClient::to(played.prompt, wide());
    second.until("> ");
    second.types("LOGIN bob secret-of-bob");
    second.until("> ");
    second.types("PLAY zoo");
    second.until("zoo is not there at the moment.");
    played.world.starts();
    first.until("you are in it as before.");
    second.until("zoo is back.");
    each_is_heard([&mut first, &mut second], "back");
    assert_eq!(played.world.count(), 2);
}

#[test]
fn who_waits_to_share_plays_himself_when_the_one_that_began_is_gone_meanwhile() {
    let (mut played, mut first, mut others) = shared("", 1);
    played.world.crashes(Cut::Reset);
    first.until("zoo is down.");
    others[0].until("zoo is down.");
    first.types("//quit");
    first.until("You have left zoo.");
    played.world.starts();
    others[0].until("zoo is back.");
    others[0].until("<password>");
    others[0].types("connect bob secret-of-bob");
    others[0].until("Limbo\n");
}

#[test]
fn the_handler_dies_and_none_of_them_notices() {
    let (mut played, mut first, mut others) = shared("", 2);
    let all = |first: &mut StrictClient, others: &mut Vec<StrictClient>, what: &str| {
        each_is_heard(std::iter::once(first).chain(others), what);
    };
    played.backend.while_the_handler_stands_still(|| all(&mut first, &mut others, "in the meantime"));
    played.backend.kill_handler();
    all(&mut first, &mut others, "behind it");
    // The next one brings all of them back to one game.
    goes_and_comes(&mut played, &mut first, &mut others);
}

#[test]
fn all_of_them_move_in_an_upgrade_and_are_one_game_behind_it() {
    let (mut played, mut first, mut others) = shared("", 2);
    let before: Vec<_> = played.backend.workers().into_iter().map(|worker| worker.pid).collect();
    played.backend.upgrade_to("9.9.9");
    let log = played.backend.log();
    log.find_after(0, "three moves", |text| (text.matches(MOVED).count() >= before.len()).then_some(()));
    let after: Vec<_> = played.backend.workers().into_iter().map(|worker| worker.pid).collect();
    assert!(after.len() == 3 && after.iter().all(|pid| !before.contains(pid)));
    each_is_heard(std::iter::once(&mut first).chain(&mut others), "moved");
    goes_and_comes(&mut played, &mut first, &mut others);
}

#[test]
fn a_game_that_is_kept_for_others_moves_without_a_client() {
    let (played, mut first, mut others) = shared("", 1);
    first.types("//quit");
    first.rest();
    played.backend.log().wait(LEFT);
    played.backend.upgrade_to("9.9.9");
    let log = played.backend.log();
    log.find_after(0, "two moves", |text| (text.matches(MOVED).count() >= 2).then_some(()));
    each_is_heard(&mut others, "moved");
    assert_eq!(played.world.count(), 1);
}
