//! A client's socket: what it says and hears, and what becomes of one that does not read, ends or is silent.

use crate::peer::contact::Contact;
use crate::peer::speech::Speech;
use crate::peer::transport::Transport;
use crate::peer::{CLIENT, Flushed, Input, Kept, Peer, Stack};
use mio::{Events, Poll};
use nix::sys::socket::{setsockopt, sockopt};
use ssmglobal_config::Settings;
use ssmglobal_ipc::Mode;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes that the kernel keeps on each side.
const ROOM: usize = 64 << 10;

/// A client, and its far end.
struct Scene {
    poll: Poll,
    settings: Settings,
    client: Peer,
    far: TcpStream,
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

impl Scene {
    fn new(change: impl FnOnce(&mut Settings)) -> Scene {
        let mut settings = Settings::default();
        change(&mut settings);
        let poll = Poll::new().unwrap();
        let (far, client) = pair();
        let stack = Stack::new(Transport::Plain, Speech::new(Mode::Human, 80, false));
        let kept = Kept { stack, contact: Contact::default() };
        let client = Peer::new(client, kept, &settings.limits, poll.registry()).unwrap();
        Scene { poll, settings, client, far }
    }

    fn flush(&mut self) -> Flushed {
        self.client.flush(self.poll.registry(), &self.settings.limits);
        self.client.flushed()
    }

    /// Hands events to it until this is so.
    fn until(&mut self, so: impl Fn(&Peer) -> bool) {
        let (deadline, mut events) = (Instant::now() + PATIENCE, Events::with_capacity(8));
        while !so(&self.client) {
            let left = deadline.checked_duration_since(Instant::now()).expect("it comes in time");
            self.poll.poll(&mut events, Some(left)).unwrap();
            for event in &events {
                assert_eq!(event.token(), CLIENT);
                self.client.has_event(event);
            }
            self.flush();
        }
    }

    fn say(&mut self, text: &[u8]) {
        self.far.write_all(text).unwrap();
    }

    fn write(&mut self, bytes: usize) {
        self.client.stack().write(|out| out.resize(out.len() + bytes, b'x'));
    }

    fn hear(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.far.read_exact(&mut bytes).unwrap();
        bytes
    }

    fn lines(&mut self) -> Vec<String> {
        let (mut line, mut lines) = (String::new(), Vec::new());
        while let Some(input) = self.client.next_input(&mut line) {
            assert_eq!(input, Input::Line);
            lines.push(line.clone());
        }
        lines
    }
}

#[test]
fn it_says_and_hears_and_is_quiet_when_nothing_was_begun() {
    let mut scene = Scene::new(|_| {});
    scene.say(b"one\r\ntwo\r\nhal");
    scene.until(Peer::may_have_said);
    assert_eq!(scene.lines(), ["one", "two"]);
    assert!(!scene.client.is_quiet(), "half a line has come");
    scene.say(b"f\r\n");
    scene.until(Peer::may_have_said);
    assert_eq!(scene.lines(), ["half"]);
    assert!(scene.client.is_quiet());
    scene.client.stack().write(|out| out.extend_from_slice(b"to the client"));
    assert!(!scene.client.is_quiet());
    assert_eq!(scene.flush(), Flushed::All);
    assert_eq!(scene.hear(13), b"to the client");
}

#[test]
fn one_that_does_not_read_is_slow_and_is_let_go_over_the_limit() {
    const LIMIT: usize = 1 << 20;
    let mut scene = Scene::new(|settings| settings.limits.queue = LIMIT);
    scene.write(LIMIT);
    assert_eq!(scene.flush(), Flushed::Part);
    assert!(scene.client.stack().is_slow());
    let waits = scene.client.stack().out().rest().len();
    scene.write(LIMIT + 1 - waits);
    assert_eq!(scene.flush(), Flushed::TooMuch);
}

#[test]
fn what_waits_goes_when_the_other_side_reads() {
    let mut scene = Scene::new(|_| {});
    let mut count = 0;
    while scene.flush() == Flushed::All {
        scene.write(300_000);
        count += 300_000;
    }
    let mut far = scene.far.try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let mut all = vec![0; count];
        far.read_exact(&mut all).unwrap();
    });
    scene.until(|client| client.flushed() == Flushed::All);
    reader.join().unwrap();
    assert!(scene.client.is_quiet());
}

#[test]
fn its_end_is_seen_when_all_that_it_said_was_read() {
    let mut scene = Scene::new(|_| {});
    scene.say(b"last words\r\n");
    scene.far.shutdown(std::net::Shutdown::Write).unwrap();
    scene.until(Peer::may_have_said);
    assert!(!scene.client.is_over());
    assert_eq!(scene.lines(), ["last words"]);
    scene.until(|client| !client.may_have_said());
    assert!(scene.client.is_over());
}

#[test]
fn silence_of_one_who_speaks_telnet_is_broken_by_what_nobody_sees() {
    let mut scene = Scene::new(|settings| {
        settings.limits.telnet_nop_seconds = 30;
        settings.limits.vanished_seconds = 0;
    });
    assert_eq!(scene.client.due_at(&scene.settings.limits), None, "nobody has spoken telnet");
    scene.say(b"\xff\xf1HW\r\n");
    scene.until(Peer::may_have_said);
    let mut line = String::new();
    assert_eq!(scene.client.next_input(&mut line), Some(Input::Alive));
    assert_eq!(scene.client.next_input(&mut line), Some(Input::Line));
    assert_eq!(scene.client.next_input(&mut line), None);
    scene.flush();
    let offered = scene.hear(21);
    assert_eq!(offered[..2], [0xff, 0xfd]);
    let due = scene.client.due_at(&scene.settings.limits).unwrap();
    assert_eq!(due.duration_since(scene.client.last_line()), Duration::from_secs(30));
    assert!(!scene.client.look_after(due - Duration::from_secs(1), &scene.settings.limits));
    assert!(scene.client.look_after(due, &scene.settings.limits));
    assert_eq!(scene.flush(), Flushed::All);
    assert_eq!(scene.hear(2), b"\xff\xf1");
    let next = scene.client.due_at(&scene.settings.limits).unwrap();
    assert_eq!(next.duration_since(due), Duration::from_secs(30));
}
