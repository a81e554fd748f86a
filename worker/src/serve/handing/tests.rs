//! A world that compresses: what it says is the same however it comes, and in whichever worker.

use super::*;
use crate::peer::Stack;
use crate::peer::between::Between;
use crate::play::Heard;
use mio::{Events, Poll};
use ssmglobal_telnet::Deflater;
use std::io::Write;
use std::os::fd::BorrowedFd;

const WILL_MCCP2: &[u8] = b"\xff\xfb\x56";
const DO_MCCP2: &[u8] = b"\xff\xfd\x56";
const BEGINS: &[u8] = b"\xff\xfa\x56\xff\xf0";

/// Bytes that a world says at once.
const MOST: usize = 16 << 10;

/// One who plays a world, whose end is the test's.
struct Scene {
    poll: Poll,
    playing: Playing,
    stack: Stack,
    world: std::os::unix::net::UnixStream,
    /// What was shown.
    shown: Vec<u8>,
    /// The most that was read at once.
    largest: usize,
}

impl Scene {
    fn new() -> Scene {
        let poll = Poll::new().unwrap();
        let (ours, world) = std::os::unix::net::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let mut peer = WorldPeer::new(ours.into(), &Limits::default(), poll.registry()).unwrap();
        let (mut playing, mut stack) = (Playing::new(Play::default()), Stack::default());
        stack.play(Some(Between::new(false)));
        playing.play.connected(true, &mut stack, peer.out().bytes(), Instant::now());
        playing.world = Some(peer);
        Scene { poll, playing, stack, world, shown: Vec::new(), largest: 0 }
    }

    /// One read of what the world has said; gives whether there was any.
    fn reads(&mut self) -> bool {
        let world = self.playing.world.as_mut().unwrap();
        if !world.read() {
            return false;
        }
        let (mut said, out) = world.parts();
        self.largest = self.largest.max(said.len());
        let heard = self.playing.play.said(&mut said, &mut self.stack, out, Instant::now());
        let left = said.len();
        world.leaves(left);
        if heard.contains(&Heard::Compressed) {
            world.begin_inflating();
        }
        self.shown.extend_from_slice(self.stack.out().rest());
        self.stack.out().clear();
        true
    }

    /// The world says this, and all of it is read.
    fn hears(&mut self, said: &[u8]) {
        self.world.write_all(said).unwrap();
        let mut events = Events::with_capacity(8);
        self.poll.poll(&mut events, Some(PATIENCE)).unwrap();
        let world = self.playing.world.as_mut().unwrap();
        events.iter().for_each(|event| world.has_event(event));
        while self.reads() {}
    }

    fn damaged(&mut self) -> bool {
        self.playing.world.as_mut().unwrap().take_damage()
    }

    fn state(&self) -> Vec<u8> {
        serde_json::to_vec(&handed(&self.playing)).unwrap()
    }

    /// Another worker goes on.
    fn moves(&mut self) {
        assert!(self.playing.is_quiet());
        let state = self.state();
        let copy = |fd: BorrowedFd<'_>| fd.try_clone_to_owned().unwrap();
        let fds: Vec<OwnedFd> = descriptors(&self.playing).map(copy).collect();
        self.playing.close_world(self.poll.registry());
        let handed = serde_json::from_slice(&state).unwrap();
        self.playing = take(handed, &mut fds.into_iter(), &Limits::default(), self.poll.registry()).unwrap();
    }
}

/// What a world says that compresses twice, and what is to be shown of it.
fn talk() -> (Vec<u8>, &'static [u8]) {
    let (mut first, mut second) = (Deflater::new(), Deflater::new());
    let mut said = [b"Hello.\r\n", WILL_MCCP2, b"Plain.\r\n", BEGINS].concat();
    first.write(b"One, one, one.\r\nTw", &mut said);
    first.write(b"o.\r\n\xff\xff", &mut said);
    first.finish(&mut said);
    said.extend_from_slice(b"\r\nPlain again.\r\n");
    said.extend_from_slice(BEGINS);
    second.write(b"Three, three, three.\r\n", &mut said);
    (said, b"Hello.\r\nPlain.\r\nOne, one, one.\r\nTwo.\r\n\xc3\xbf\r\nPlain again.\r\nThree, three, three.\r\n")
}

#[test]
fn however_a_world_is_split_and_wherever_one_moves_the_same_is_shown() {
    let (said, expected) = talk();
    for at in 1..said.len() {
        let mut scene = Scene::new();
        let (head, tail) = said.split_at(at);
        scene.hears(head);
        scene.moves();
        scene.hears(tail);
        let shown = String::from_utf8_lossy(&scene.shown).into_owned();
        assert_eq!(shown.replace('\u{fffd}', "ÿ").as_bytes(), expected, "split at {at}");
    }
}

#[test]
fn byte_for_byte_it_is_the_same_too_and_the_world_is_answered_once() {
    let (said, expected) = talk();
    let mut scene = Scene::new();
    said.chunks(1).for_each(|byte| scene.hears(byte));
    let shown = String::from_utf8_lossy(&scene.shown).into_owned();
    assert_eq!(shown.replace('\u{fffd}', "ÿ").as_bytes(), expected);
    assert_eq!(scene.playing.world.as_ref().unwrap().kept().rest(), DO_MCCP2);
}

#[test]
fn a_bomb_comes_as_slowly_as_anything_and_moves_in_between() {
    let mut said = [WILL_MCCP2, BEGINS].concat();
    Deflater::new().write(&vec![b' '; 4 << 20], &mut said);
    assert!(said.len() < 64 << 10);
    let mut scene = Scene::new();
    scene.world.write_all(&said).unwrap();
    for _ in 0..20 {
        assert!(scene.reads());
    }
    assert!(scene.playing.may_have_said());
    assert!(scene.largest <= MOST && scene.state().len() < 512 << 10, "{} at once", scene.largest);
    scene.moves();
    scene.shown.clear();
    while scene.reads() {}
    assert!(scene.shown.len() > 3 << 20 && scene.largest <= MOST);
}

#[test]
fn what_is_damaged_or_compressed_twice_ends_the_connection_behind_what_stands_before() {
    let stream = |text: &[u8]| {
        let mut said = [WILL_MCCP2, BEGINS].concat();
        Deflater::new().write(text, &mut said);
        said
    };
    let damaged = [&stream(b"Whole.\r\n")[..], b"\xff\xff\xff\xff\xff\xff"].concat();
    let twice = stream(&[b"Whole.\r\n", BEGINS, b"more"].concat());
    for said in [damaged, twice] {
        let mut scene = Scene::new();
        scene.hears(&said);
        assert_eq!(scene.shown, b"Whole.\r\n");
        assert!(scene.damaged() && !scene.damaged());
        assert!(!scene.reads() && scene.playing.world.as_ref().unwrap().is_over());
    }
}

#[test]
fn the_program_before_is_read_and_does_not_take_what_is_compressed_for_text() {
    #[derive(Deserialize)]
    struct Before {
        world: bool,
    }
    let mut scene = Scene::new();
    scene.hears(b"Hello.\r\n");
    assert!(serde_json::from_slice::<Before>(&scene.state()).is_ok_and(|before| before.world));
    let handed: Handed = serde_json::from_str(r#"{"world": true, "to_world": "aGk="}"#).unwrap();
    assert!(matches!(handed.world, Wire::Plain(true)));
    scene.hears(&[WILL_MCCP2, BEGINS].concat());
    assert!(serde_json::from_slice::<Before>(&scene.state()).is_err());
}

#[test]
fn a_world_that_may_not_compress_is_told_so() {
    let mut scene = Scene::new();
    scene.playing.play.is_damaged();
    let world = scene.playing.world.as_mut().unwrap();
    scene.playing.play.connected(true, &mut scene.stack, world.out().bytes(), Instant::now());
    scene.hears(WILL_MCCP2);
    assert_eq!(scene.playing.world.as_ref().unwrap().kept().rest(), b"\xff\xfe\x56");
}

#[test]
fn what_is_handed_over_can_be_read_or_stays_where_it_is() {
    let play = Play::default();
    let put = |bytes: usize| {
        let mut out = Outbox::default();
        out.bytes().resize(bytes, b'x');
        put_away(&Handed { play: &play, world: Wire::Plain(true), to_world: Some(&out), page: false, sharers: 0 })
    };
    let handed: Handed = serde_json::from_slice(&read_sealed(put(1000).unwrap(), super::MOST).unwrap()).unwrap();
    assert_eq!(handed.to_world.unwrap().rest(), [b'x'; 1000]);
    assert_eq!(put(super::MOST + 1).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
}
