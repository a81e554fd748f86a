//! After an upgrade idle workers let workers of the new program go on with their clients: nobody loses or gets twice what was
//! said to him, and is who he was.

use crate::harness::{
    Backend, GREETING, GameServer, PATIENCE, Person, Process, Program, Running, Wire, own_address, program_of_version,
};
use nix::libc::ucred;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{ControlMessage, MsgFlags, UnixCredentials, recv, send, sendmsg};
use nix::unistd::{Pid, geteuid};
use serde_json::{Value, json};
use ssmglobal_ipc::Mode;
use ssmglobal_ipc::ctl::{Answer, Ask};
use ssmglobal_ipc::frame::{FrameReader, put_control};
use ssmglobal_ipc::handover::{Item as Kept, items};
use ssmglobal_sys::sealed::{read_sealed, sealed};
use ssmglobal_worker::commands::State;
use ssmglobal_worker::moved::{COULD, Item, put_away};
use std::io::{IoSlice, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// Another version: as long as this one's, since it is written over it.
const OTHER: &str = "9.8.7";
const THIS: &str = env!("CARGO_PKG_VERSION");

fn of_version(backend: &Backend, version: &str) -> PathBuf {
    let path = backend.file(version);
    program_of_version(version, &path);
    path
}

fn upgrade_to(backend: &Backend, version: &str) {
    let path = of_version(backend, version);
    let done = backend.ctl(&["upgrade", "--binary", path.to_str().expect("a path")]);
    assert_eq!(done["to"], version);
}

/// Process id and version of each worker, the oldest connection first.
fn workers(backend: &Backend) -> Vec<(i64, String)> {
    let list = backend.ctl(&["sessions", "list"]);
    let row = |row: &Value| (row["pid"].as_i64().unwrap(), row["version"].as_str().unwrap().to_owned());
    list.as_array().unwrap().iter().map(row).collect()
}

/// The versions alone.
fn versions(backend: &Backend) -> Vec<String> {
    workers(backend).into_iter().map(|(_, version)| version).collect()
}

/// Waits until so many clients have moved since.
fn wait_for_moves(backend: &Backend, mark: usize, count: usize) {
    let all = |text: &str| (text.matches(MOVED).count() >= count).then_some(());
    backend.log().find_after(mark, &format!("{count} moves"), all);
}

/// What the log says of each client that has moved.
const MOVED: &str = "goes on with the client of worker";

#[test]
fn idle_workers_are_followed_and_nobody_notices() {
    let backend = Backend::plan().config("limits.clients_per_address = 6\n").start();
    let mut silent = Wire::to(backend.at());
    silent.expect(GREETING);
    let mut anyone = Program::at(&backend);
    let mut alice = Person::at(&backend).register("alice");
    let mut bob = Program::registered(&backend, "bob");
    backend.board("race");
    bob.ok("RECORD WATCH", json!({"board": "race"}));
    let mut arena = GameServer::added(&backend, "arena");
    let mut desert = GameServer::added(&backend, "desert");
    for server in [&mut arena, &mut desert] {
        server.ok("RELAY JOIN", json!({"channel": "lobby"}));
    }
    let session = bob.ok("WHOAMI", json!({}));
    let before = workers(&backend);
    for (round, version) in [OTHER, THIS, OTHER].into_iter().enumerate() {
        let mark = backend.log().mark();
        upgrade_to(&backend, version);
        wait_for_moves(&backend, mark, 6);
        assert_eq!(versions(&backend), [version; 6]);
        assert_eq!(backend.ctl(&["status"])["clients"], 6);
        assert!(Wire::to(backend.at()).rest().contains("Too many connections."));
        assert_eq!(bob.ok("WHOAMI", json!({})), session);
        bob.ok("TELL", json!({"to": "alice", "body": "still there?"}));
        alice.expect("still there?");
        alice.answer();
        assert!(alice.ask("TELL bob yes").contains("bob"));
        assert_eq!(bob.expect_event("tell")["body"], "yes");
        desert.ok("RELAY SEND", json!({"channel": "lobby", "body": round.to_string()}));
        assert_eq!(arena.expect_event("relay")["body"], round.to_string());
        anyone.ok("WHO", json!({}));
        anyone.fails("MAIL LIST", json!({}));
    }
    let after = workers(&backend);
    assert!(before.iter().all(|old| !after.contains(old)), "{before:?} {after:?}");
    silent.send("MODE CLIENT\r\n{\"cmd\": \"WHO\"}\r\n");
    silent.until("alice");
    assert!(!backend.log().text().contains("Disconnected"), "{}", backend.log().text());
    // Whoever has moved is one of the listener's own, whose end is noticed, and whom it may end.
    backend.see_off(silent);
    let list = backend.ctl(&["sessions", "list"]);
    let row = list.as_array().and_then(|rows| rows.iter().find(|row| row["who"] == "alice")).expect("alice");
    backend.ctl(&["sessions", "kick", &row["pid"].to_string()]);
    alice.wire.rest();
    backend.log().wait("Disconnected (4/");
    assert_eq!(backend.ctl(&["status"])["clients"], 4);
}

#[test]
fn whoever_is_typing_is_left_alone_until_his_line_is_done() {
    let backend = Backend::start();
    let mut alice = Person::at(&backend).register("alice");
    let mut bob = Program::registered(&backend, "bob");
    // One write: the answer tells that what stands behind the line has come too.
    alice.wire.send("WHO\r\nTELL bob half");
    alice.answer();
    bob.wire.send("{\"cmd\": \"WHO\"}\r\n{\"cmd\": ");
    bob.reply();
    let _idle = Program::at(&backend);
    let mark = backend.log().mark();
    upgrade_to(&backend, OTHER);
    wait_for_moves(&backend, mark, 1);
    assert_eq!(versions(&backend), [THIS, THIS, OTHER]);
    alice.wire.send(" of it\r\n");
    alice.answer();
    bob.send_line("\"PING\"}");
    assert_eq!(bob.reply()["state"], "OK");
    wait_for_moves(&backend, mark, 3);
    assert_eq!(bob.expect_event("tell")["body"], "half of it");
    assert!(alice.ask("WHOAMI").contains("alice"));
    assert_eq!(versions(&backend), [OTHER; 3]);
}

#[test]
fn telnet_goes_on_as_it_was_agreed() {
    let backend = Backend::start();
    let mut person = Person::at(&backend);
    // A window of 40 columns, and prompts marked by EOR.
    person.wire.send(b"\xff\xfb\x1f\xff\xfd\x19\xff\xfa\x1f\x00\x28\x00\x18\xff\xf0WHOAMI\r");
    let to_eor =
        |wire: &mut Wire| wire.take("a marked prompt", |came| came.ends_with(b"> \xff\xef").then_some(came.len()));
    assert!(
        to_eor(&mut person.wire).windows(3).any(|part| part == b"\xff\xfd\x1f"),
        "a window's size is not asked for"
    );
    let ask = |person: &mut Person| {
        person.wire.send("HELP TELL\r\n");
        to_eor(&mut person.wire)
    };
    // The LF belongs to the CR before; it would be an empty line, and one prompt more.
    person.wire.send("\n");
    let before = ask(&mut person);
    person.wire.send("WHOAMI\r");
    to_eor(&mut person.wire);
    let mark = backend.log().mark();
    upgrade_to(&backend, OTHER);
    wait_for_moves(&backend, mark, 1);
    person.wire.send("\n");
    assert_eq!(ask(&mut person), before, "nothing is offered again, and the window is as wide as it was");
}

#[test]
fn relay_messages_that_are_sent_meanwhile_arrive_in_order_and_once() {
    let backend = Backend::start();
    let mut arena = GameServer::added(&backend, "arena");
    let mut desert = GameServer::added(&backend, "desert");
    for server in [&mut arena, &mut desert] {
        server.ok("RELAY JOIN", json!({"channel": "lobby"}));
    }
    let path = of_version(&backend, OTHER);
    let mark = backend.log().mark();
    let mut asked = Running::start(&mut backend.ctl_command(&["upgrade", "--binary", path.to_str().unwrap()]));
    let (mut sent, moved) =
        (0, || backend.log().text().get(mark..).is_some_and(|text| text.matches(MOVED).count() > 1));
    while !moved() {
        sent += 1;
        assert!(sent < 1_000_000, "they never move");
        desert.ok("RELAY SEND", json!({"channel": "lobby", "body": sent.to_string()}));
    }
    assert_eq!(asked.wait().and_then(|status| status.code()), Some(0));
    desert.ok("RELAY SEND", json!({"channel": "lobby", "body": "last"}));
    for number in 1..=sent {
        assert_eq!(arena.expect_event("relay")["body"], number.to_string());
    }
    assert_eq!(arena.expect_event("relay")["body"], "last");
    arena.expect_no_event("relay");
    arena.expect_no_event("missed");
}

#[test]
fn what_somebody_listens_to_goes_with_him_to_other_workers_and_handlers() {
    let backend = Backend::start();
    backend.board("race");
    let (mut alice, mut bob) = (Program::registered(&backend, "alice"), Program::registered(&backend, "bob"));
    bob.ok("RECORD WATCH", json!({"board": "RACE"}));
    let (mut arena, mut desert) = (GameServer::added(&backend, "arena"), GameServer::added(&backend, "desert"));
    for server in [&mut arena, &mut desert] {
        server.ok("RECORD WATCH", json!({"board": "race"}));
        server.ok("RELAY JOIN", json!({"channel": "lobby"}));
    }
    for (round, version) in [OTHER, THIS].into_iter().enumerate() {
        let mark = backend.log().mark();
        upgrade_to(&backend, version);
        wait_for_moves(&backend, mark, 4);
        for kill in [false, true] {
            if kill {
                backend.kill_handler();
            }
            // A better one each time, on a board where less is better.
            let score = 10 - 2 * round - usize::from(kill);
            alice.ok("RECORD SUBMIT", json!({"board": "race", "score": score}));
            desert.ok("RELAY SEND", json!({"channel": "lobby", "body": score.to_string()}));
            for watcher in [&mut bob, &mut arena] {
                assert_eq!(watcher.expect_event("record")["score"], score);
                watcher.expect_no_event("record");
            }
            assert_eq!(arena.expect_event("relay")["body"], score.to_string());
            arena.expect_no_event("relay");
            alice.expect_no_event("record");
        }
    }
    bob.ok("RECORD UNWATCH", json!({"board": "race"}));
    arena.ok("RELAY LEAVE", json!({"channel": "lobby"}));
    arena.fails("RELAY LEAVE", json!({"channel": "lobby"}));
}

#[test]
fn whoever_asks_all_the_time_gets_every_answer_and_moves_when_he_pauses() {
    let backend = Backend::start();
    let mut alice = Program::registered(&backend, "alice");
    let path = of_version(&backend, OTHER);
    let mark = backend.log().mark();
    let mut asked = Running::start(&mut backend.ctl_command(&["upgrade", "--binary", path.to_str().unwrap()]));
    let ask = |alice: &mut Program, number: u64| {
        alice.send_line(json!({"id": number, "cmd": "SETTING SET", "args": {"key": "k", "value": "v"}}).to_string());
    };
    (1..=20).for_each(|number| ask(&mut alice, number));
    let ready = || backend.log().text().get(mark..).is_some_and(|text| text.contains("upgraded from"));
    let (mut next, mut beyond) = (21, 0);
    while beyond < 500 {
        let reply = alice.reply();
        assert_eq!((&reply["id"], &reply["data"]["version"]), (&(next - 20).into(), &(next - 20).into()), "{reply}");
        ask(&mut alice, next);
        next += 1;
        beyond += u32::from(ready());
    }
    for number in next - 20..next {
        assert_eq!(alice.reply()["data"]["version"], number);
    }
    assert_eq!(asked.wait().and_then(|status| status.code()), Some(0));
    wait_for_moves(&backend, mark, 1);
    assert_eq!(alice.ok("SETTING SET", json!({"key": "k", "value": "v"}))["version"], next);
}

#[test]
fn many_move_and_each_is_who_he_was() {
    let backend = Backend::plan().config("limits.clients_per_address = 1000\n").start();
    let mut names = Vec::new();
    let mut all: Vec<Program> = (0..300).map(|_| Program::at(&backend)).collect();
    for (number, program) in all.iter_mut().enumerate().step_by(10) {
        names.push(format!("p{number}"));
        program.ok("REGISTER", json!({"name": names.last(), "password": "secret-of-somebody"}));
    }
    let mark = backend.log().mark();
    upgrade_to(&backend, OTHER);
    wait_for_moves(&backend, mark, 300);
    for (number, program) in all.iter_mut().enumerate().step_by(10) {
        assert_eq!(program.ok("WHOAMI", json!({}))["player"], format!("p{number}"));
    }
    assert_eq!(backend.ctl(&["status"])["clients"], 300);
    assert!(!backend.log().text().contains("Disconnected"));
    drop(all);
    backend.log().wait("Disconnected (0/");
}

#[test]
fn a_client_whose_door_is_gone_stays_where_it_is() {
    let door = format!("[[door]]\naddress = \"{}:0\"\nmode = \"client\"\n", own_address());
    let backend = Backend::plan().config(&door).start();
    let at = backend.doors()[1];
    let mut guest = Wire::to(at);
    guest.expect(GREETING);
    let mut alice = Program::registered(&backend, "alice");
    backend.write_config("");
    let mark = backend.log().mark();
    upgrade_to(&backend, OTHER);
    wait_for_moves(&backend, mark, 1);
    guest.send("{\"cmd\": \"WHO\"}\r\n");
    guest.until("alice");
    alice.ok("PING", json!({}));
    assert_eq!(versions(&backend), [THIS, OTHER]);
    backend.see_off(guest);
}

#[test]
fn both_die_and_the_next_ones_know_who_has_moved() {
    let mut backend = Backend::start();
    let mut alice = Program::registered(&backend, "alice");
    let mut silent = Wire::to(backend.at());
    silent.expect(GREETING);
    let mark = backend.log().mark();
    upgrade_to(&backend, OTHER);
    wait_for_moves(&backend, mark, 2);
    let there = workers(&backend);
    backend.kill_handler();
    assert_eq!(workers(&backend), there);
    backend.kill_listener();
    alice.ok("PING", json!({}));
    // The one that a supervisor starts is of the version before: everybody moves back.
    backend.next_listener();
    wait_for_moves(&backend, 0, 2);
    assert_eq!(alice.ok("WHOAMI", json!({}))["player"], "alice");
    assert_eq!((versions(&backend), backend.ctl(&["status"])["clients"].clone()), (vec![THIS.to_owned(); 2], 2.into()));
    backend.see_off(silent);
    backend.stop();
    assert!(alice.wire.rest().contains("The backend is going down."));
}

/// Where workers hand over, as only a worker has it: from the handler, which believes for a moment that this is the next
/// listener.
fn way_of_workers(backend: &mut Backend) -> (OwnedFd, OwnedFd) {
    backend.kill_listener();
    let mut stream =
        UnixStream::connect(backend.data().join(ssmglobal_handler::CTL_SOCKET)).expect("the operator's socket");
    let mut ask = Vec::new();
    put_control(&mut ask, &Ask::Adopt);
    stream.write_all(&ask).unwrap();
    let (mut reader, mut fds) = (FrameReader::new(), Vec::new());
    loop {
        if let Some(frame) = reader.next_frame().unwrap() {
            assert!(matches!(frame.control::<Answer>(), Ok(Answer::Adopted { .. })));
            break;
        }
        readable(&stream);
        let filled = reader.fill(|buffer| {
            let received = ssmglobal_sys::receive(&stream, buffer)?;
            fds.extend(received.fds);
            Ok(received.count)
        });
        assert!(filled.unwrap().0 > 0);
    }
    let memory = fds.remove(0);
    let kept = items(&read_sealed(&memory, 1 << 20).unwrap()).unwrap();
    let place = kept.iter().find_map(|item| match item {
        // The receiving end comes next.
        Kept::Moves { sends, .. } => Some(*sends as usize),
        _ => None,
    });
    let place = place.expect("the way");
    let way = (fds.remove(place), fds.remove(place));
    let mark = backend.log().mark();
    drop((stream, fds));
    backend.log().wait_after(mark, "the listener has died");
    backend.next_listener();
    way
}

/// Waits until there is something to read, or the end.
fn readable(socket: impl AsFd) {
    let patience = PollTimeout::try_from(PATIENCE).unwrap();
    assert_eq!(poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)], patience), Ok(1));
}

/// Sends what only this worker could: root may say so.
fn send_as(worker: i64, way: &OwnedFd, fds: &[&OwnedFd]) {
    let raw: Vec<i32> = fds.iter().map(|fd| fd.as_raw_fd()).collect();
    let pid = i32::try_from(worker).unwrap();
    let me = UnixCredentials::from(ucred { pid, uid: 0, gid: 0 });
    let control = [ControlMessage::ScmCredentials(&me), ControlMessage::ScmRights(&raw)];
    let control = if raw.is_empty() { &control[..1] } else { &control[..] };
    sendmsg::<()>(way.as_raw_fd(), &[IoSlice::new(b"M")], control, MsgFlags::empty(), None).expect("there is room");
}

/// Waits for the new worker's word; 0 when it has ended.
fn word(other: &OwnedFd) -> u8 {
    let mut byte = [0];
    readable(other);
    recv(other.as_raw_fd(), &mut byte, MsgFlags::empty()).expect("a word or the end");
    byte[0]
}

#[test]
fn a_worker_that_lies_to_its_successor_changes_nothing_for_anybody() {
    if !geteuid().is_root() {
        return eprintln!("left out: only root can send what another process would");
    }
    let mut backend = Backend::start();
    let mut all: Vec<Program> =
        ["ann", "bob", "cid", "dot", "eve"].map(|name| Program::registered(&backend, name)).into();
    let (way, _) = way_of_workers(&mut backend);
    for program in &mut all {
        program.ok("PING", json!({}));
    }
    let list = backend.ctl(&["sessions", "list"]);
    let row = |index: usize, what: &str| list[index][what].clone();
    let pids: Vec<i64> = (0..5).map(|index| row(index, "pid").as_i64().unwrap()).collect();
    let session = |index: usize| row(index, "session").as_u64().unwrap();
    let state = |session: u64| {
        let who = "root".to_owned();
        let (mode, mode_there, state) = (Mode::Client, Mode::Client, State::Player);
        put_away(&[Item::Session { session, mode, mode_there, state, who }]).unwrap()
    };
    let descriptors = Process(backend.pid()).descriptors().len();
    let pair = || ssmglobal_sys::seqpacket_pair().unwrap();
    let stream = || UnixStream::pair().unwrap();
    let not_followed =
        |mark: usize, worker: i64| backend.log().wait_after(mark, &format!("worker {worker} is not followed"));

    // No session at all, and one with too much of everything.
    let mark = backend.log().mark();
    send_as(pids[0], &way, &[]);
    backend.log().wait_after(mark, &format!("worker {} has handed over what is no session", pids[0]));
    let (one, _two) = pair();
    send_as(pids[1], &way, &[&one; 5]);
    backend.log().wait_after(mark, &format!("worker {} has handed over what is no session", pids[1]));
    // Somebody else's session, one that is too long, one that is damaged, one that could still be changed.
    let mut flipped = read_sealed(state(session(4)), 1 << 20).unwrap();
    *flipped.last_mut().unwrap() ^= 0xff;
    let bad = [
        (2, state(session(0))),
        (3, sealed("session", &vec![0; 2 << 20]).unwrap()),
        (4, sealed("session", &flipped).unwrap()),
    ];
    for (index, memory) in bad {
        let mark = backend.log().mark();
        let ((client, _theirs), (other, ours)) = (stream(), pair());
        send_as(pids[index], &way, &[&client.into(), &memory, &other]);
        drop(other);
        assert_eq!(word(&ours), 0, "it could go on with that");
        not_followed(mark, pids[index]);
    }
    // Nobody's worker.
    send_as(1, &way, &[&one, &one, &one]);
    for program in &mut all {
        program.ok("PING", json!({}));
    }
    let now = backend.ctl(&["sessions", "list"]);
    let now: Vec<i64> = now.as_array().unwrap().iter().filter_map(|row| row["pid"].as_i64()).collect();
    assert_eq!(now, pids);
    assert_eq!(Process(backend.pid()).descriptors().len(), descriptors);
    assert_eq!(backend.ctl(&["status"])["clients"], 5);
}

#[test]
fn one_that_dies_before_it_has_let_go_is_followed() {
    if !geteuid().is_root() {
        return eprintln!("left out: only root can send what another process would");
    }
    let mut backend = Backend::start();
    let mut eve = Program::registered(&backend, "eve");
    let mut ann = Program::registered(&backend, "ann");
    let (way, _) = way_of_workers(&mut backend);
    let list = backend.ctl(&["sessions", "list"]);
    let numbers = |index: usize| (list[index]["pid"].as_i64().unwrap(), list[index]["session"].as_u64().unwrap());
    let begin = |(pid, session): (i64, u64)| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_nonblocking(true).unwrap();
        let (other, mine) = ssmglobal_sys::seqpacket_pair().unwrap();
        let (mode, mode_there, state) = (Mode::Client, Mode::Client, State::Anonymous);
        let memory = put_away(&[Item::Session { session, mode, mode_there, state, who: String::new() }]).unwrap();
        send_as(pid, &way, &[&theirs.into(), &memory, &other]);
        drop(other);
        assert_eq!(word(&mine), COULD);
        (ours, mine)
    };
    // She keeps her client, and says so.
    let (_client, other) = begin(numbers(1));
    send(other.as_raw_fd(), b"M", MsgFlags::empty()).unwrap();
    assert_eq!(word(&other), 0);
    assert_eq!(ann.ok("WHOAMI", json!({}))["player"], "ann");
    // She dies in the middle of it, and the other one has what she had: no login, since it came without a ticket.
    let (mut client, other) = begin(numbers(0));
    client.write_all(b"{\"cmd\": \"WHOAMI\"}\r\n").unwrap();
    let mark = backend.log().mark();
    kill(Pid::from_raw(i32::try_from(numbers(0).0).unwrap()), Signal::SIGKILL).unwrap();
    drop(other);
    backend.log().wait_after(mark, MOVED);
    client.set_nonblocking(false).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(&client), &mut line).unwrap();
    assert!(line.contains("\"OK\"") && !line.contains("eve"), "{line}");
    assert_eq!(backend.ctl(&["status"])["clients"], 2);
    drop(client);
    backend.log().wait_after(mark, "Disconnected (1/");
    eve.wire.expect_end();
}

/// The worker has handed over while its listener stood still.
fn hand_over(backend: &Backend, receives: &OwnedFd, worker: i32) {
    backend.signal(Signal::SIGSTOP);
    kill(Pid::from_raw(worker), Signal::SIGUSR2).unwrap();
    readable(receives);
}

/// Its successor is there, and the worker stands still before it has let go.
fn stand_between(backend: &Backend, receives: &OwnedFd, worker: i32) {
    hand_over(backend, receives, worker);
    kill(Pid::from_raw(worker), Signal::SIGSTOP).unwrap();
    backend.signal(Signal::SIGCONT);
    // With its second answer the listener is through with what lay there at the first.
    for _ in 0..2 {
        assert_eq!(backend.ctl_fails(&["upgrade", "--binary", "/nowhere"]), "invalid");
    }
}

#[test]
fn whoever_is_ended_in_the_middle_of_it_is_told_why() {
    let mut backend = Backend::start();
    let mut silent = Program::at(&backend);
    let (_, receives) = way_of_workers(&mut backend);
    let pid = workers(&backend)[0].0;
    let old = i32::try_from(pid).unwrap();
    stand_between(&backend, &receives, old);
    backend.ctl(&["sessions", "kick", &pid.to_string(), "--reason", "Go home."]);
    kill(Pid::from_raw(old), Signal::SIGCONT).unwrap();
    assert!(silent.wire.rest().contains("Go home."));
    backend.log().wait("Disconnected (0/");
}

#[test]
fn a_worker_that_is_not_followed_in_time_serves_on() {
    let mut backend = Backend::start();
    let mut eve = Program::registered(&backend, "eve");
    let (_, receives) = way_of_workers(&mut backend);
    let before = workers(&backend);
    hand_over(&backend, &receives, i32::try_from(before[0].0).unwrap());
    assert_eq!(eve.ok("WHOAMI", json!({}))["player"], "eve");
    let mark = backend.log().mark();
    backend.signal(Signal::SIGCONT);
    backend.log().wait_after(mark, &format!("worker {} is not followed by another", before[0].0));
    assert_eq!(eve.ok("WHOAMI", json!({}))["player"], "eve");
    assert_eq!(workers(&backend), before);
}

#[test]
fn a_listener_that_dies_in_the_middle_of_it_is_followed_by_one_that_knows() {
    let mut backend = Backend::start();
    let mut eve = Program::registered(&backend, "eve");
    let (_, receives) = way_of_workers(&mut backend);
    let old = i32::try_from(workers(&backend)[0].0).unwrap();
    stand_between(&backend, &receives, old);
    backend.kill_listener();
    let mark = backend.log().mark();
    kill(Pid::from_raw(old), Signal::SIGCONT).unwrap();
    assert_eq!(eve.ok("WHOAMI", json!({}))["player"], "eve");
    backend.log().wait_after(mark, "was found, of whom the listener could not tell any more");
    backend.next_listener();
    let list = backend.ctl(&["sessions", "list"]);
    assert_eq!((list.as_array().map(Vec::len), &list[0]["who"]), (Some(1), &"eve".into()), "{list}");
    assert_ne!(list[0]["pid"], old);
    backend.kill_handler();
    assert_eq!(eve.ok("WHOAMI", json!({}))["player"], "eve");
    backend.stop();
    assert!(eve.wire.rest().contains("The backend is going down."));
}
