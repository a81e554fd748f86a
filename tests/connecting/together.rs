//! A player who comes to his world by another connection, and what of him the next handler is told.

use super::*;
use ssmglobal_config::play::{FailBack, Sessions};
use std::os::unix::net::UnixStream;

/// What a worker is to do with its connection, and the way to the other one.
#[track_caller]
fn ordered(link: &mut Link) -> (PlayDo, Option<OwnedFd>) {
    match pushed(link) {
        Event::PlayOrder(PlayOrder { world, what }) if world == CAVE => (what, link.descriptors.pop_front()),
        other => panic!("{other:?}"),
    }
}

/// The two workers can say something to each other.
fn meet(one: OwnedFd, other: OwnedFd) {
    let (mut one, mut other) = (UnixStream::from(one), UnixStream::from(other));
    for stream in [&one, &other] {
        stream.set_nonblocking(false).expect("a socket");
    }
    says(&mut one, "state");
    hears(&mut other, b"state");
    says(&mut other, "thanks");
    hears(&mut one, b"thanks");
}

fn at(state: PlayState, word: &Secret) -> Request {
    Request::PlayAt(PlayAt { world: CAVE.into(), state, word: word.clone(), idle: 0 })
}

fn scene(mode: Sessions) -> (World, Listener) {
    let game = World::new();
    let address = game.address();
    (game, Listener::start_with(world(&[address], |cave| cave.sessions = Some(mode))))
}

fn login(link: &mut Link, name: &str) {
    link.done(&Request::Login(Login { name: name.into(), password: Secret::new("long enough") }));
}

#[test]
fn where_one_plays_by_one_connection_the_new_one_takes_over() {
    let (_game, mut listener) = scene(Sessions::One);
    let workers = [(); 2].map(|()| listener.worker());
    let mut old = player(&workers[0], "bob");
    let (_stream, word) = plays(&mut old);
    let mut new = workers[1].opened(Mode::Human);
    login(&mut new, "bob");
    let (said, fd) = started(&mut new, &start(false));
    assert_eq!(said.how, PlayHow::TakenOver);
    assert_ne!(said.word, word, "the old word has served");
    let (what, way) = ordered(&mut old);
    assert_eq!(what, PlayDo::HandOver);
    meet(way.expect("a way"), fd.expect("a way"));
    // Whoever has left it has nothing to say of it.
    old.done(&Request::PlayLeft(PlayLeft { world: CAVE.into() }));
    assert!(matches!(new.ask(&at(PlayState::Plays, &said.word)), Some(Reply::Done(_))));
}

#[test]
fn where_a_game_is_shared_both_have_it_and_where_each_has_his_own_nobody_is_asked() {
    let (game, mut listener) = scene(Sessions::Shared);
    let workers = [(); 3].map(|()| listener.worker());
    let mut first = player(&workers[0], "bob");
    let _stream = plays(&mut first);
    let mut second = workers[1].opened(Mode::Human);
    login(&mut second, "bob");
    let (said, fd) = started(&mut second, &start(false));
    assert_eq!(said.how, PlayHow::Shared);
    let (what, way) = ordered(&mut first);
    assert_eq!(what, PlayDo::Share);
    meet(way.expect("a way"), fd.expect("a way"));
    listener.set(world(&[game.address()], |cave| cave.sessions = Some(Sessions::Many)));
    let mut third = workers[2].opened(Mode::Human);
    login(&mut third, "bob");
    let _stream = plays(&mut third);
    assert!(first.is_silent() && second.is_silent());
}

#[test]
fn a_game_that_is_kept_is_gone_on_with_after_login_and_by_its_word() {
    let (_game, mut listener) = scene(Sessions::Many);
    listener.set(|settings| settings.players.identity = ssmglobal_config::Identity::Refuse);
    let workers = [(); 3].map(|()| listener.worker());
    let mut old = player(&workers[0], "bob");
    let (_stream, word) = plays(&mut old);
    old.done(&at(PlayState::Alone, &word));
    // He is not kept out by himself, and told at once that his game is there.
    let mut new = workers[1].opened(Mode::Human);
    login(&mut new, "bob");
    assert_eq!(pushed(&mut new), Event::PlayReturn(PlayReturn { world: CAVE.into() }));
    let (said, fd) = started(&mut new, &start(false));
    assert_eq!(said.how, PlayHow::TakenOver);
    let (what, way) = ordered(&mut old);
    assert_eq!(what, PlayDo::HandOver);
    meet(way.expect("a way"), fd.expect("a way"));
    // By the word goes on who is nobody as well, however he types it.
    let mut nobody = workers[2].opened(Mode::Human);
    let typed = Secret::new(said.word.expose().replace('-', " ").to_ascii_uppercase());
    let (third, fd) = started(&mut nobody, &start_with(Some(typed), false));
    assert_eq!((third.how, ordered(&mut new).0), (PlayHow::TakenOver, PlayDo::HandOver));
    assert!(fd.is_some());
    // It is good once.
    let again = nobody.ask(&start_with(Some(said.word), false));
    assert!(matches!(again, Some(Reply::Failed(Failure { code: Code::NotFound, .. }))), "{again:?}");
}

#[test]
fn who_is_back_before_his_old_connection_is_seen_to_be_broken_is_told_then() {
    let (_game, mut listener) = scene(Sessions::Many);
    let workers = [(); 2].map(|()| listener.worker());
    let mut old = player(&workers[0], "bob");
    let (_stream, word) = plays(&mut old);
    let mut new = workers[1].opened(Mode::Human);
    login(&mut new, "bob");
    old.done(&at(PlayState::Alone, &word));
    assert_eq!(pushed(&mut new), Event::PlayReturn(PlayReturn { world: CAVE.into() }));
}

#[test]
fn the_next_handler_goes_on_with_who_plays_and_who_waits() {
    let game = World::new();
    let address = game.address();
    let mut listener = Listener::start_with(world(&[address], |_| {}));
    let workers = [(); 2].map(|()| listener.worker());
    let (mut bob, mut ann) = (player(&workers[0], "bob"), player(&workers[1], "ann"));
    let ((_stream, bobs), (_other, anns)) = (plays(&mut bob), plays(&mut ann));
    game.dies();
    assert_eq!(ended(&mut ann), PlayEnd::Down);
    let tickets = [bob.ticket.clone(), ann.ticket.clone()];
    listener.next_handler();
    let mut again = workers
        .iter()
        .zip(tickets)
        .map(|(worker, ticket)| worker.opened_with(Open { ticket, ..worker.open(Mode::Human) }));
    let (mut bob, mut ann) = (again.next().expect("bob"), again.next().expect("ann"));
    bob.done(&at(PlayState::Plays, &bobs));
    ann.done(&at(PlayState::Waits, &anns));
    listener.handler.stderr.wait("event=world-down");
    let _game = World::at(address);
    is_called(&mut ann);
    assert!(bob.is_silent());
    // And he is still he: his word is the same.
    assert_eq!(plays(&mut ann).1, anns);
}

#[test]
fn another_address_is_used_where_the_first_does_not_answer_and_the_first_again_when_it_is_well() {
    let (first, second) = (World::new(), World::new());
    let addresses = [first.address(), second.address()];
    let soon = |cave: &mut WorldSettings| {
        (cave.failover_seconds, cave.healthy_seconds) = (Some(1), Some(1));
        cave.failback = Some(FailBack::All);
    };
    let mut listener = Listener::start_with(world(&addresses, soon));
    let mut bob = player(&listener.worker(), "bob");
    let _stream = plays(&mut bob);
    drop(first.accept());
    let at = first.dies();
    assert_eq!(ended(&mut bob), PlayEnd::Down);
    is_called(&mut bob);
    let log = &listener.handler.stderr;
    log.wait("event=failover");
    let (mut stream, _) = plays(&mut bob);
    says(&mut second.accept(), "Second.\r\n");
    hears(&mut stream, b"Second.\r\n");
    let _first = World::at(at);
    // All go back, each by asking for another connection.
    assert_eq!(ordered(&mut bob).0, PlayDo::Renew);
    let (stream, _) = plays(&mut bob);
    assert_eq!(stream.peer_addr().expect("an address"), at);
}
