//! Why a connection to a world has ended.

use super::*;
use ssmglobal_config::play::Liveness;
use std::time::{Duration, Instant};

#[test]
fn who_quits_and_whose_world_is_down_are_told_apart() {
    let game = World::new();
    let mut listener = Listener::start_with(world(&[game.address()], |_| {}));
    let mut bob = player(&listener.worker(), "bob");
    drop(plays(&mut bob));
    drop(game.accept());
    // A world that greets is there at once.
    let asked = Request::PlayEnded(PlayEnded { world: CAVE.into() });
    let frame = bob.frame(&asked);
    bob.send(&frame);
    says(&mut game.accept(), "Welcome.\r\n");
    let verdict = PlayVerdict { world: CAVE.into(), end: PlayEnd::Quit };
    assert_eq!(bob.reply(), Some(Reply::PlayVerdict(verdict)));
    // One that says nothing is, when it lets the connection be.
    drop(plays(&mut bob));
    assert_eq!(ended(&mut bob), PlayEnd::Quit);
    // Whoever has quit is not there any more, and nobody looks for him.
    game.0.set_nonblocking(true).expect("a socket");
    while game.0.accept().is_ok() {}
    assert_eq!(ended(&mut bob), PlayEnd::Down);
    assert!(game.0.accept().is_err());
    drop(plays(&mut bob));
    let at = game.dies();
    assert_eq!(ended(&mut bob), PlayEnd::Down);
    let _game = World::at(at);
    is_called(&mut bob);
}

#[test]
fn a_world_that_ends_what_it_accepts_is_down_until_it_lets_it_be() {
    let game = World::new();
    let mut listener = Listener::start_with(world(&[game.address()], |_| {}));
    let mut bob = player(&listener.worker(), "bob");
    drop(plays(&mut bob));
    drop(game.accept());
    let frame = bob.frame(&Request::PlayEnded(PlayEnded { world: CAVE.into() }));
    bob.send(&frame);
    drop(game.accept());
    let verdict = PlayVerdict { world: CAVE.into(), end: PlayEnd::Down };
    assert_eq!(bob.reply(), Some(Reply::PlayVerdict(verdict)));
    // Nobody is called as long as that is so.
    for _ in 0..5 {
        drop(game.accept());
    }
    assert!(bob.is_silent());
    let began = Instant::now();
    let _kept = game.accept();
    is_called(&mut bob);
    assert!(began.elapsed() >= Duration::from_millis(900), "it may have ended that as well");
}

#[test]
fn many_who_ask_at_once_are_answered_by_few_connections() {
    let game = World::new();
    let mut listener = Listener::start_with(world(&[game.address()], |_| {}));
    let workers: Vec<Hostile> = (0..21).map(|_| listener.worker()).collect();
    let mut links: Vec<Link> = workers.iter().enumerate().map(|(n, worker)| player(worker, &format!("p{n}"))).collect();
    for link in &mut links {
        drop(plays(link));
        drop(game.accept());
    }
    // One of them goes on, so that the world has not gone.
    let _stays = links.pop();
    listener.hold_handler();
    for link in &mut links {
        let frame = link.frame(&Request::PlayEnded(PlayEnded { world: CAVE.into() }));
        link.send(&frame);
    }
    listener.handler.signal(nix::sys::signal::Signal::SIGCONT);
    says(&mut game.accept(), "Welcome.\r\n");
    for link in &mut links {
        assert!(matches!(link.reply(), Some(Reply::PlayVerdict(PlayVerdict { end: PlayEnd::Quit, .. }))));
    }
    game.0.set_nonblocking(true).expect("a socket");
    assert!(game.0.accept().is_err(), "one was enough");
}

#[test]
fn a_game_server_that_is_connected_says_that_its_world_lives() {
    let game = World::new();
    // Nothing but its game server counts: what it accepts it ends.
    let by_server = |cave: &mut WorldSettings| cave.liveness = Some(vec![Liveness::Server]);
    let mut listener = Listener::start_with(world(&[game.address()], by_server));
    let key = listener.game_server("cave");
    let workers = [(); 2].map(|()| listener.worker());
    let mut bob = player(&workers[0], "bob");
    let mut server = workers[1].opened(Mode::Server);
    server.done(&Request::Auth(Auth { name: "cave".into(), key }));
    drop(plays(&mut bob));
    assert_eq!(ended(&mut bob), PlayEnd::Quit);
    drop(plays(&mut bob));
    drop(server);
    listener.end(&workers[1]);
    assert_eq!(ended(&mut bob), PlayEnd::Down);
}

#[test]
fn a_connection_is_kept_to_a_world_and_its_end_is_that_of_the_world() {
    let game = World::new();
    let heartbeat = |cave: &mut WorldSettings| {
        cave.liveness = Some(vec![Liveness::Heartbeat]);
        cave.heartbeat = Some("connect watcher secret".to_owned().into());
    };
    let mut listener = Listener::start_with(world(&[game.address()], heartbeat));
    let mut bob = player(&listener.worker(), "bob");
    let (_bob_plays, _) = plays(&mut bob);
    let _his = game.accept();
    let mut kept = game.accept();
    hears(&mut kept, b"connect watcher secret\r\n");
    assert_eq!(ended(&mut bob), PlayEnd::Quit);
    let (_bob_plays, _) = plays(&mut bob);
    let at = game.dies();
    drop(kept);
    listener.handler.stderr.wait("event=world-down");
    assert_eq!(ended(&mut bob), PlayEnd::Down);
    let game = World::at(at);
    is_called(&mut bob);
    let _bob_plays = plays(&mut bob);
    let _his = game.accept();
    // It comes back with the world.
    let mut kept = game.accept();
    hears(&mut kept, b"connect watcher secret\r\n");
    assert!(!listener.handler.stderr.text().contains("secret"));
}
