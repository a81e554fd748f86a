//! Something happens while a client goes on with another worker: somebody lies, dies, is ended or is not followed. Nobody loses
//! anything by it but whoever has lied.

use crate::harness::{Backend, MOVED, PATIENCE, Process, Program, is_root};
use nix::libc::ucred;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{ControlMessage, MsgFlags, UnixCredentials, recv, send, sendmsg};
use nix::unistd::Pid;
use serde_json::json;
use ssmglobal_ipc::ctl::{Answer, Ask};
use ssmglobal_ipc::frame::{FrameReader, put_control};
use ssmglobal_ipc::handover::{Item as Kept, items};
use ssmglobal_sys::sealed::{read_sealed, sealed};
use ssmglobal_worker::moved::{COULD, MOST_DESCRIPTORS, written};
use std::io::{IoSlice, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// Where workers hand over, as only a worker has it: from the handler, which believes for a moment that this is the next
/// listener.
struct Way {
    sends: OwnedFd,
    receives: OwnedFd,
}

fn way_of_workers(backend: &mut Backend) -> Way {
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
    let way = Way { sends: fds.remove(place), receives: fds.remove(place) };
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
fn send_as(worker: i64, sends: &OwnedFd, fds: &[&OwnedFd]) {
    let raw: Vec<i32> = fds.iter().map(|fd| fd.as_raw_fd()).collect();
    let pid = i32::try_from(worker).unwrap();
    let me = UnixCredentials::from(ucred { pid, uid: 0, gid: 0 });
    let control = [ControlMessage::ScmCredentials(&me), ControlMessage::ScmRights(&raw)];
    let control = if raw.is_empty() { &control[..1] } else { &control[..] };
    sendmsg::<()>(sends.as_raw_fd(), &[IoSlice::new(b"M")], control, MsgFlags::empty(), None).expect("there is room");
}

/// What a worker would leave of a session of a program.
fn state(session: u64, state: &str, who: &str) -> OwnedFd {
    let session = json!({"number": session, "presenter": {"mode": "CLIENT"}, "state": state, "who": who});
    let left = json!({"session": session, "peers": [{}]});
    sealed("session", &written(left.to_string().as_bytes())).expect("memory")
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
    if !is_root() {
        return;
    }
    let mut backend = Backend::start();
    let mut all: Vec<Program> = ["ann", "bob", "cid", "dot", "eve"].map(|name| backend.player(name)).into();
    let Way { sends, .. } = way_of_workers(&mut backend);
    for program in &mut all {
        program.ok("PING", json!({}));
    }
    let list = backend.ctl(&["sessions", "list"])["sessions"].take();
    let row = |index: usize, what: &str| list[index][what].clone();
    let pids: Vec<i64> = (0..5).map(|index| row(index, "pid").as_i64().unwrap()).collect();
    let session = |index: usize| row(index, "session").as_u64().unwrap();
    let descriptors = Process(backend.pid()).descriptors().len();
    let pair = || ssmglobal_sys::seqpacket_pair().unwrap();
    let stream = || UnixStream::pair().unwrap();
    let not_followed =
        |mark: usize, worker: i64| backend.log().wait_after(mark, &format!("worker {worker} is not followed"));

    // No session at all, and one with too much of everything.
    let mark = backend.log().mark();
    send_as(pids[0], &sends, &[]);
    backend.log().wait_after(mark, &format!("worker {} has handed over what is no session", pids[0]));
    let (one, _two) = pair();
    send_as(pids[1], &sends, &[&one; 1 + MOST_DESCRIPTORS + 1]);
    backend.log().wait_after(mark, &format!("worker {} has handed over what is no session", pids[1]));
    // Somebody else's session, one that is too long, one that is damaged, one that could still be changed.
    let mut flipped = read_sealed(state(session(4), "Player", "root"), 1 << 20).unwrap();
    *flipped.last_mut().unwrap() ^= 0xff;
    let bad = [
        (2, state(session(0), "Player", "root")),
        (3, sealed("session", &vec![0; 2 << 20]).unwrap()),
        (4, sealed("session", &flipped).unwrap()),
    ];
    for (index, memory) in bad {
        let mark = backend.log().mark();
        let ((client, _theirs), (other, ours)) = (stream(), pair());
        send_as(pids[index], &sends, &[&client.into(), &memory, &other]);
        drop(other);
        assert_eq!(word(&ours), 0, "it could go on with that");
        not_followed(mark, pids[index]);
    }
    // Nobody's worker.
    send_as(1, &sends, &[&one, &one, &one]);
    for program in &mut all {
        program.ok("PING", json!({}));
    }
    let now = backend.ctl(&["sessions", "list"])["sessions"].take();
    let now: Vec<i64> = now.as_array().unwrap().iter().filter_map(|row| row["pid"].as_i64()).collect();
    assert_eq!(now, pids);
    assert_eq!(Process(backend.pid()).descriptors().len(), descriptors);
    assert_eq!(backend.ctl(&["status"])["clients"], 5);
}

#[test]
fn one_that_dies_before_it_has_let_go_is_followed() {
    if !is_root() {
        return;
    }
    let mut backend = Backend::start();
    let mut eve = backend.player("eve");
    let mut ann = backend.player("ann");
    let Way { sends, .. } = way_of_workers(&mut backend);
    let list = backend.ctl(&["sessions", "list"])["sessions"].take();
    let numbers = |index: usize| (list[index]["pid"].as_i64().unwrap(), list[index]["session"].as_u64().unwrap());
    let begin = |(pid, session): (i64, u64)| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_nonblocking(true).unwrap();
        let (other, mine) = ssmglobal_sys::seqpacket_pair().unwrap();
        let memory = state(session, "Anonymous", "");
        send_as(pid, &sends, &[&theirs.into(), &memory, &other]);
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
fn hand_over(backend: &Backend, receives: &OwnedFd, worker: Pid) {
    backend.signal(Signal::SIGSTOP);
    kill(worker, Signal::SIGUSR2).unwrap();
    readable(receives);
}

/// Its successor is there, and the worker stands still before it has let go.
fn stand_between(backend: &Backend, receives: &OwnedFd, worker: Pid) {
    hand_over(backend, receives, worker);
    kill(worker, Signal::SIGSTOP).unwrap();
    backend.signal(Signal::SIGCONT);
    // With its second answer the listener is through with what lay there at the first.
    for _ in 0..2 {
        // A file that is root's, and no program.
        assert_eq!(backend.ctl_fails(&["upgrade", "--binary", "/etc/passwd"]), "invalid");
    }
}

#[test]
fn whoever_is_ended_in_the_middle_of_it_is_told_why() {
    let mut backend = Backend::start();
    let mut silent = backend.program();
    let Way { receives, .. } = way_of_workers(&mut backend);
    let old = backend.only_worker().0;
    stand_between(&backend, &receives, old);
    let session = backend.ctl(&["sessions", "list"])["sessions"][0]["session"].to_string();
    backend.ctl(&["sessions", "kick", &session, "--reason", "Go home."]);
    kill(old, Signal::SIGCONT).unwrap();
    assert!(silent.wire.rest().contains("Go home."));
    backend.log().wait("Disconnected (0/");
}

#[test]
fn a_worker_that_is_not_followed_in_time_serves_on() {
    let mut backend = Backend::start();
    let mut eve = backend.player("eve");
    let Way { receives, .. } = way_of_workers(&mut backend);
    let before = backend.workers();
    hand_over(&backend, &receives, before[0].pid);
    assert_eq!(eve.ok("WHOAMI", json!({}))["player"], "eve");
    let mark = backend.log().mark();
    backend.signal(Signal::SIGCONT);
    backend.log().wait_after(mark, &format!("worker {} is not followed by another", before[0].pid));
    assert_eq!(eve.ok("WHOAMI", json!({}))["player"], "eve");
    assert_eq!(backend.workers(), before);
}

#[test]
fn a_listener_that_dies_in_the_middle_of_it_is_followed_by_one_that_knows() {
    let mut backend = Backend::start();
    let mut eve = backend.player("eve");
    let Way { receives, .. } = way_of_workers(&mut backend);
    let old = backend.only_worker().0;
    stand_between(&backend, &receives, old);
    backend.kill_listener();
    let mark = backend.log().mark();
    kill(old, Signal::SIGCONT).unwrap();
    assert_eq!(eve.ok("WHOAMI", json!({}))["player"], "eve");
    backend.log().wait_after(mark, "was found, of whom the listener could not tell any more");
    backend.next_listener();
    let list = backend.ctl(&["sessions", "list"])["sessions"].take();
    assert_eq!((list.as_array().map(Vec::len), &list[0]["who"]), (Some(1), &"eve".into()), "{list}");
    assert_ne!(list[0]["pid"], old.as_raw());
    backend.kill_handler();
    assert_eq!(eve.ok("WHOAMI", json!({}))["player"], "eve");
    backend.stop();
    assert!(eve.wire.rest().contains("The backend is going down."));
}
