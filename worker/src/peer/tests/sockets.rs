//! Several peers at once: what one of them does or leaves undone is its own affair.

use crate::peer::contact::Contact;
use crate::peer::speech::Speech;
use crate::peer::transport::Transport;
use crate::peer::{Flushed, Input, Kept, MOST, Peer, Peers, Stack};
use mio::{Events, Poll, Token};
use nix::sys::socket::{setsockopt, sockopt};
use ssmglobal_config::Settings;
use ssmglobal_ipc::Mode;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes that the kernel keeps on each side.
const ROOM: usize = 64 << 10;

/// Two peers, and the far ends of both.
struct Scene {
    poll: Poll,
    settings: Settings,
    peers: Peers,
    other: Token,
    far: [TcpStream; 2],
}

fn pair() -> (TcpStream, mio::net::TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    far.set_read_timeout(Some(PATIENCE)).unwrap();
    let near = listener.accept().unwrap().0;
    near.set_nonblocking(true).unwrap();
    // Then the kernel does not make more room by itself.
    setsockopt(&near, sockopt::SndBuf, &ROOM).unwrap();
    setsockopt(&far, sockopt::RcvBuf, &ROOM).unwrap();
    (far, mio::net::TcpStream::from_std(near))
}

fn kept() -> Kept {
    let speech = Speech::new(Mode::Human, 80, false);
    Kept { stack: Stack::new(Transport::Plain, speech), contact: Contact::default() }
}

impl Scene {
    fn new(change: impl FnOnce(&mut Settings)) -> Scene {
        let mut settings = Settings::default();
        change(&mut settings);
        let poll = Poll::new().unwrap();
        let ((far_client, client), (far_other, other)) = (pair(), pair());
        let mut peers = Peers::new(client, kept(), &settings.limits, poll.registry()).unwrap();
        let other = peers.add(other, kept(), &settings.limits, poll.registry()).unwrap();
        Scene { poll, settings, peers, other, far: [far_client, far_other] }
    }

    fn other(&mut self) -> &mut Peer {
        self.peers.of(self.other).unwrap()
    }

    fn flush(&mut self) -> [Flushed; 2] {
        self.peers.flush(self.poll.registry(), &self.settings.limits);
        [self.peers.client.flushed(), self.other().flushed()]
    }

    /// Hands events to peers until this is so.
    fn until(&mut self, so: impl Fn(&mut Peers) -> bool) {
        let (deadline, mut events) = (Instant::now() + PATIENCE, Events::with_capacity(8));
        while !so(&mut self.peers) {
            let left = deadline.checked_duration_since(Instant::now()).expect("it comes in time");
            self.poll.poll(&mut events, Some(left)).unwrap();
            for event in &events {
                self.peers.of(event.token()).expect("a peer's token").has_event(event);
            }
            self.flush();
        }
    }

    fn say(&mut self, which: usize, text: &[u8]) {
        self.far[which].write_all(text).unwrap();
    }

    fn hear(&mut self, which: usize, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.far[which].read_exact(&mut bytes).unwrap();
        bytes
    }
}

fn lines(peer: &mut Peer) -> Vec<String> {
    let (mut line, mut lines) = (String::new(), Vec::new());
    while let Some(input) = peer.next_input(&mut line) {
        assert_eq!(input, Input::Line);
        lines.push(line.clone());
    }
    lines
}

#[test]
fn each_says_and_hears_its_own() {
    let mut scene = Scene::new(|_| {});
    scene.say(0, b"one\r\ntwo\r\nhal");
    scene.say(1, b"other\r\n");
    scene.until(|peers| peers.iter().all(Peer::may_have_said));
    assert_eq!(lines(&mut scene.peers.client), ["one", "two"]);
    assert_eq!(lines(scene.other()), ["other"]);
    assert!(!scene.peers.are_quiet(), "half a line has come");
    scene.say(0, b"f\r\n");
    scene.until(|peers| peers.client.may_have_said());
    assert_eq!(lines(&mut scene.peers.client), ["half"]);
    assert!(scene.peers.are_quiet());
    scene.peers.client.stack().write(|out| out.extend_from_slice(b"to the client"));
    scene.other().stack().write(|out| out.extend_from_slice(b"to the other"));
    assert!(!scene.peers.are_quiet());
    assert_eq!(scene.flush(), [Flushed::All; 2]);
    assert_eq!((scene.hear(0, 13), scene.hear(1, 12)), (b"to the client".to_vec(), b"to the other".to_vec()));
}

#[test]
fn one_that_does_not_read_holds_back_nobody_else_and_is_let_go_over_the_limit() {
    const LIMIT: usize = 1 << 20;
    let mut scene = Scene::new(|settings| settings.limits.queue = LIMIT);
    scene.other().stack().write(|out| out.resize(out.len() + LIMIT, b'x'));
    assert_eq!(scene.flush(), [Flushed::All, Flushed::Part]);
    assert!(scene.other().stack().is_slow() && !scene.peers.client.stack().is_slow());
    scene.peers.client.stack().write(|out| out.extend_from_slice(b"meanwhile"));
    assert_eq!(scene.flush(), [Flushed::All, Flushed::Part]);
    assert_eq!(scene.hear(0, 9), b"meanwhile");
    let waits = scene.other().stack().out().rest().len();
    scene.other().stack().write(|out| out.resize(out.len() + LIMIT + 1 - waits, b'x'));
    assert_eq!(scene.flush(), [Flushed::All, Flushed::TooMuch]);
}

#[test]
fn what_waits_goes_when_the_other_side_reads() {
    let mut scene = Scene::new(|_| {});
    let mut count = 0;
    while scene.flush()[1] == Flushed::All {
        scene.other().stack().write(|out| out.resize(out.len() + 300_000, b'x'));
        count += 300_000;
    }
    let mut far = scene.far[1].try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let mut all = vec![0; count];
        far.read_exact(&mut all).unwrap();
    });
    scene.until(|peers| peers.iter().all(|peer| peer.flushed() == Flushed::All));
    reader.join().unwrap();
    assert!(scene.peers.are_quiet());
}

#[test]
fn the_end_of_one_is_seen_when_all_that_it_said_was_read() {
    let mut scene = Scene::new(|_| {});
    scene.say(1, b"last words\r\n");
    scene.far[1].shutdown(std::net::Shutdown::Write).unwrap();
    scene.until(|peers| peers.iter().any(Peer::may_have_said));
    assert!(!scene.other().is_over());
    assert_eq!(lines(scene.other()), ["last words"]);
    scene.until(|peers| peers.iter().skip(1).all(|peer| !peer.may_have_said()));
    assert!(scene.other().is_over() && !scene.peers.client.is_over());
}

#[test]
fn silence_of_one_who_speaks_telnet_is_broken_by_what_nobody_sees() {
    let mut scene = Scene::new(|settings| {
        settings.limits.telnet_nop_seconds = 30;
        settings.limits.vanished_seconds = 0;
    });
    assert_eq!(scene.peers.due_at(&scene.settings.limits), None, "nobody has spoken telnet");
    scene.say(1, b"\xff\xf1HW\r\n");
    scene.until(|peers| peers.iter().any(Peer::may_have_said));
    let mut line = String::new();
    assert_eq!(scene.other().next_input(&mut line), Some(Input::Alive));
    assert_eq!(scene.other().next_input(&mut line), Some(Input::Line));
    assert_eq!(scene.other().next_input(&mut line), None);
    scene.flush();
    let offered = scene.hear(1, 21);
    assert_eq!(offered[..2], [0xff, 0xfd]);
    let due = scene.peers.due_at(&scene.settings.limits).unwrap();
    assert_eq!(due.duration_since(scene.other().last_line()), Duration::from_secs(30));
    assert!(!scene.peers.look_after(due - Duration::from_secs(1), &scene.settings.limits));
    assert!(scene.peers.look_after(due, &scene.settings.limits));
    assert_eq!(scene.flush(), [Flushed::All; 2]);
    assert_eq!(scene.hear(1, 2), b"\xff\xf1");
    let next = scene.peers.due_at(&scene.settings.limits).unwrap();
    assert_eq!(next.duration_since(due), Duration::from_secs(30));
}

#[test]
fn there_are_never_more_than_may_be() {
    let mut scene = Scene::new(|_| {});
    for _ in 2..MOST {
        scene.peers.add(pair().1, kept(), &scene.settings.limits, scene.poll.registry()).unwrap();
    }
    let error = scene.peers.add(pair().1, kept(), &scene.settings.limits, scene.poll.registry()).unwrap_err();
    assert_eq!((error.kind(), scene.peers.iter().count()), (ErrorKind::QuotaExceeded, MOST));
}
