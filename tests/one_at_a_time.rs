//! A player who is on and logs in on another connection: what becomes of the one before is the operator's to say.

use crate::harness::{Backend, is_slowed_down};
use serde_json::json;

/// A backend that says so what becomes of a second connection.
fn backend(identity: &str) -> Backend {
    Backend::plan().environment("SSMGLOBAL_PLAYERS_IDENTITY", identity).start()
}

#[test]
fn the_new_connection_takes_over_and_the_old_one_stays_logged_out() {
    let backend = backend("takeover");
    let mut first = backend.player("bob");
    let mut person = backend.terminal();
    person.ask("login bob secret-of-bob");
    let said = first.expect_event("taken_over");
    assert_eq!(said["msg"], "You are on by another connection now. This one stays, logged out.");
    assert_eq!(first.fails("MAIL LIST", json!({})), "not_logged_in");
    // What is for him reaches him once, where he is.
    let mut alice = backend.player("alice");
    alice.ok("TELL", json!({"to": "bob", "body": "hi"}));
    assert!(person.answer().contains("[tell] alice: hi"));
    first.expect_no_event("tell");
    // The same over a death of the handler: the old one is nobody, the new one is he.
    backend.kill_handler();
    assert_eq!(first.ok("WHOAMI", json!({}))["player"], json!(null));
    person.says("whoami").sees("You are bob");
    // And a person is told as well.
    first.login("bob");
    person.expect("[taken_over] You are on by another connection now.");
    // On the same connection it is no second one.
    first.login("bob");
    first.expect_no_event("taken_over");
}

#[test]
fn two_programs_with_one_password_are_slowed_down() {
    let backend = backend("takeover");
    let mut programs = [backend.player("bob"), backend.program()];
    for turn in 1..=5 {
        programs[turn % 2].login("bob");
    }
    let refused = programs[0].ask("LOGIN", json!({"name": "bob", "password": "secret-of-bob"}));
    is_slowed_down(&refused, 60);
    assert_eq!(programs[1].ok("WHOAMI", json!({}))["player"], "bob");
}

#[test]
fn where_it_is_refused_the_old_connection_stays_and_a_dead_one_gives_way() {
    let backend = backend("refuse");
    let mut first = backend.player("bob");
    let mut second = backend.program();
    let again = json!({"name": "bob", "password": "secret-of-bob"});
    assert_eq!(second.fails("LOGIN", again.clone()), "already_on");
    // His password is not even looked at: nobody can try others meanwhile.
    assert_eq!(second.fails("LOGIN", json!({"name": "bob", "password": "wrong"})), "already_on");
    assert_eq!(first.ok("WHOAMI", json!({}))["player"], "bob");
    first.ok("LOGOUT", json!({}));
    second.login("bob");
    backend.see_off(second.wire);
    first.login("bob");
}

#[test]
fn the_setting_holds_from_the_next_login_on() {
    let backend =
        Backend::plan().config("players.identity = \"refuse\"\n").environment("SSMGLOBAL_PLAYERS_IDENTITY", "many");
    let backend = backend.start();
    let mut first = backend.player("bob");
    let mut second = backend.player_again("bob");
    for program in [&mut first, &mut second] {
        program.expect_no_event("taken_over");
        assert_eq!(program.ok("WHOAMI", json!({}))["player"], "bob", "the environment counts more than the file");
    }
}
