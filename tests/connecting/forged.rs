//! What a worker says that was taken over gives it nothing.

use super::*;

#[track_caller]
fn refused(link: &mut Link, request: Request, code: Code) -> String {
    match link.ask(&request) {
        Some(Reply::Failed(failure)) if failure.code == code => failure.msg,
        other => panic!("{request:?}: {other:?}"),
    }
}

#[test]
fn who_has_never_been_at_a_world_is_told_nothing_of_it() {
    let game = World::new();
    let mut listener = Listener::start_with(world(&[game.address()], |_| {}));
    let workers = [(); 2].map(|()| listener.worker());
    let (mut bob, mut mallory) = (player(&workers[0], "bob"), player(&workers[1], "mallory"));
    let (_bob_plays, word) = plays(&mut bob);
    for word in ["", "aaaa-aaaa-aaaa", word.expose()] {
        for state in [PlayState::Plays, PlayState::Waits, PlayState::Alone] {
            let said = PlayAt { world: CAVE.into(), state, word: Secret::new(word), idle: 0 };
            refused(&mut mallory, Request::PlayAt(said), Code::NotFound);
        }
    }
    // He hears the same of a world that is there, and is called by none.
    assert_eq!(ended(&mut mallory), PlayEnd::Down);
    let start = PlayStart { world: "kave".into(), since: Time(0), word: None, again: true };
    let msg = refused(&mut mallory, Request::PlayStart(start), Code::NotFound);
    assert!(msg.contains("Did you mean Cave?"), "{msg}");
    // Not even for bob has anything changed.
    let said = PlayAt { world: CAVE.into(), state: PlayState::Plays, word, idle: 3 };
    assert!(matches!(bob.ask(&Request::PlayAt(said)), Some(Reply::Done(_))));
    assert!(mallory.descriptors.is_empty() && mallory.pushes.is_empty() && bob.pushes.is_empty());
}

#[test]
fn words_that_are_guessed_count_as_failed_tries_of_the_address() {
    let game = World::new();
    let mut listener = Listener::start_with(world(&[game.address()], |_| {}));
    let workers = [(); 2].map(|()| listener.worker());
    let mut bob = player(&workers[0], "bob");
    let (_bob_plays, word) = plays(&mut bob);
    let mut mallory = workers[1].opened(Mode::Human);
    let guess = || start_with(Some(Secret::new("aaaa-bbbb-cccc")), false);
    let mut tries = 0;
    loop {
        match mallory.ask(&guess()) {
            Some(Reply::Failed(Failure { code: Code::NotFound, .. })) => tries += 1,
            Some(Reply::Failed(Failure { code: Code::SlowDown, .. })) => break,
            other => panic!("{other:?}"),
        }
        assert!(tries < 50, "nothing slows it down");
    }
    // Not even the right one is taken then.
    refused(&mut mallory, start_with(Some(word), false), Code::SlowDown);
    assert!(mallory.descriptors.is_empty() && bob.is_silent());
    listener.handler.stderr.wait("event=word-failed");
}

#[test]
fn who_is_nobody_is_let_in_only_by_a_door_of_the_world() {
    let game = World::new();
    let mut listener = Listener::start_with(world(&[game.address()], |_| {}));
    let worker = listener.worker();
    let mut nobody = worker.opened(Mode::Human);
    refused(&mut nobody, start(false), Code::NotLoggedIn);
    refused(&mut nobody, start(true), Code::NotLoggedIn);
    assert!(nobody.descriptors.is_empty());
}
