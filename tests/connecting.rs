//! Worlds that are played through the backend, as the handler has them: it connects workers, sees whether a world is there, calls back
//! who waits, and brings two workers of one player together. The worlds are sockets of the test, the workers are played.

mod ends;
mod forged;
mod tickets;
mod together;

use crate::harness::{Hostile, Link, Listener, PATIENCE};
use ssmglobal_config::play::{RealAddress, WorldAddress};
use ssmglobal_config::{Settings, WorldSettings};
use ssmglobal_ipc::*;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;

/// The world's name.
const CAVE: &str = "Cave";

/// A world that listens, until it is dropped.
struct World(TcpListener);

impl World {
    fn new() -> World {
        World::at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    fn at(address: SocketAddr) -> World {
        World(TcpListener::bind(address).expect("an address"))
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("an address")
    }

    /// The next connection.
    fn accept(&self) -> TcpStream {
        crate::harness::wait_readable(&self.0);
        let stream = self.0.accept().expect("a connection").0;
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream
    }

    /// It dies; gives where it was.
    fn dies(self) -> SocketAddr {
        self.address()
    }
}

/// A world at these addresses, in the settings.
fn world(at: &[SocketAddr], change: impl FnOnce(&mut WorldSettings)) -> impl FnOnce(&mut Settings) {
    let play = at.iter().copied().map(WorldAddress::At).collect();
    let mut cave = WorldSettings { play: Some(play), ..WorldSettings::default() };
    change(&mut cave);
    move |settings| {
        settings.world.insert(CAVE.into(), cave);
    }
}

fn start(again: bool) -> Request {
    start_with(None, again)
}

fn start_with(word: Option<Secret>, again: bool) -> Request {
    Request::PlayStart(PlayStart { world: "cave".into(), since: Time(1_700_000_000_000), word, again })
}

/// Asks for a connection; gives the answer, and what it has brought.
#[track_caller]
fn started(link: &mut Link, request: &Request) -> (PlayStarted, Option<OwnedFd>) {
    match link.done(request) {
        Reply::PlayStarted(started) => (started, link.descriptors.pop_front()),
        other => panic!("{other:?}"),
    }
}

/// As [`started`], where it is connected at once.
#[track_caller]
fn plays(link: &mut Link) -> (TcpStream, Secret) {
    let (started, fd) = started(link, &start(false));
    assert_eq!((started.world.as_str(), started.how), (CAVE, PlayHow::New));
    (TcpStream::from(fd.expect("a descriptor")), started.word)
}

/// Why the connection has ended.
#[track_caller]
fn ended(link: &mut Link) -> PlayEnd {
    match link.done(&Request::PlayEnded(PlayEnded { world: "cave".into() })) {
        Reply::PlayVerdict(PlayVerdict { world, end }) if world == CAVE => end,
        other => panic!("{other:?}"),
    }
}

/// Waits until something is pushed.
fn pushed(link: &mut Link) -> Event {
    while link.pushes.is_empty() {
        assert!(link.read(), "the link has ended");
    }
    link.pushes.pop_front().expect("a push").1
}

/// Waits until it is its turn.
#[track_caller]
fn is_called(link: &mut Link) {
    assert_eq!(pushed(link), Event::PlayReady(PlayReady { world: CAVE.into() }));
}

fn says(stream: &mut impl Write, text: &str) {
    stream.write_all(text.as_bytes()).expect("it reads");
}

#[track_caller]
fn hears(stream: &mut impl Read, text: &[u8]) {
    let mut bytes = vec![0; text.len()];
    stream.read_exact(&mut bytes).expect("it is said");
    assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(text));
}

/// Somebody who has registered.
fn player(worker: &Hostile, name: &str) -> Link {
    worker.registered(name)
}

#[test]
fn a_player_is_connected_and_his_world_is_told_where_he_comes_from() {
    let game = World::new();
    let mut listener = Listener::start_with(world(&[game.address()], |_| {}));
    let worker = listener.worker();
    let mut bob = player(&worker, "bob");
    let from = worker.address;
    let ways = [
        (RealAddress::None, String::new()),
        (
            RealAddress::ProxyV1,
            format!("PROXY TCP4 {} 127.0.0.1 {} {}\r\n", from.ip(), from.port(), game.address().port()),
        ),
        (RealAddress::RemoteHost, format!("@remotehost {}=1700000000\r\n", from.ip())),
    ];
    for (way, line) in ways {
        listener.set(world(&[game.address()], |cave| cave.real_address = Some(way)));
        let (mut player, _) = plays(&mut bob);
        let mut world = game.accept();
        says(&mut player, "look\r\n");
        hears(&mut world, format!("{line}look\r\n").as_bytes());
        says(&mut world, "A cave.\r\n");
        hears(&mut player, b"A cave.\r\n");
    }
}

#[test]
fn a_world_behind_a_unix_socket_is_told_by_its_first_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("game.sock");
    let game = UnixListener::bind(&path).expect("a socket");
    let mut listener = Listener::start_with(|settings| {
        let play = Some(vec![WorldAddress::Unix(path)]);
        let real_address = Some(RealAddress::IpHost);
        settings.world.insert(CAVE.into(), WorldSettings { play, real_address, ..WorldSettings::default() });
    });
    let worker = listener.worker();
    let mut bob = player(&worker, "bob");
    let (_, fd) = started(&mut bob, &start(false));
    assert!(fd.is_some());
    let mut world = game.accept().expect("a connection").0;
    hears(&mut world, format!("{0}^{0}\r\n", worker.address.ip()).as_bytes());
}

#[test]
fn who_waits_is_called_when_the_world_listens_and_gets_the_connection_that_found_it() {
    let at = World::new().dies();
    let mut listener = Listener::start_with(world(&[at], |_| {}));
    let mut bob = player(&listener.worker(), "bob");
    let (started, fd) = started(&mut bob, &start(false));
    assert_eq!((started.how, fd.is_some()), (PlayHow::Waits, false));
    listener.handler.stderr.wait("event=world-down");
    let game = World::at(at);
    is_called(&mut bob);
    let (mut player, word) = plays(&mut bob);
    assert_eq!(word, started.word);
    let mut world = game.accept();
    says(&mut world, "Welcome.\r\n");
    hears(&mut player, b"Welcome.\r\n");
    listener.handler.stderr.wait("event=world-up");
    game.0.set_nonblocking(true).expect("a socket");
    assert!(game.0.accept().is_err(), "there was no other");
}

#[test]
fn many_come_back_each_on_his_own_and_who_has_typed_last_first() {
    const MANY: usize = 60;
    let at = World::new().dies();
    let mut listener = Listener::start_with(world(&[at], |cave| cave.rate = Some(200)));
    let workers: Vec<Hostile> = (0..MANY).map(|_| listener.worker()).collect();
    let mut links: Vec<Link> = workers.iter().enumerate().map(|(n, worker)| player(worker, &format!("p{n}"))).collect();
    for (n, link) in links.iter_mut().enumerate() {
        let (started, _) = started(link, &start(true));
        assert_eq!(started.how, PlayHow::Waits);
        // The last ones have typed last.
        let idle = (MANY - n) as u64 * 10;
        let said = PlayAt { world: CAVE.into(), state: PlayState::Waits, word: started.word, idle };
        link.done(&Request::PlayAt(said));
    }
    let game = World::at(at);
    is_called(&mut links[MANY - 1]);
    // He does not come, and nobody waits for him; and one has gone.
    drop(links.pop());
    links[MANY - 5].done(&Request::PlayLeft(PlayLeft { world: CAVE.into() }));
    let mut called = Vec::new();
    while called.len() < MANY - 2 {
        Link::wait_for_one(&links.iter().collect::<Vec<_>>());
        for (n, link) in links.iter_mut().enumerate() {
            while !link.is_silent() && link.pushes.is_empty() {
                assert!(link.read());
            }
            if link.pushes.pop_front().is_some() {
                called.push(n);
                drop(plays(link));
            }
        }
    }
    assert!(!called.contains(&(MANY - 5)));
    // Those of one moment are read in any order.
    let early = called[..20].iter().filter(|n| **n >= MANY / 2).count();
    assert!(early >= 18, "{called:?}");
    drop(game);
}
