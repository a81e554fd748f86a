//! What the operator types at a terminal: he is asked back, and for passwords.

use crate::harness::{Backend, Terminal};

/// `ctl` at a terminal of its own.
struct Typed(Terminal);

impl Typed {
    fn at(backend: &Backend, words: &[&str]) -> Typed {
        Typed(Terminal::of(backend.ctl_command(words)))
    }

    fn answers(&mut self, question: &str, line: &str) {
        self.0.screen.wait(question);
        self.0.type_line(line);
    }

    fn ends(mut self, code: i32, said: &str) {
        self.0.screen.wait(said);
        assert_eq!(self.0.running.wait().and_then(|status| status.code()), Some(code), "{}", self.0.screen.text());
    }
}

#[test]
fn what_deletes_asks_back_at_a_terminal() {
    let backend = Backend::start();
    backend.board("sprint");
    for answer in ["no", "", "YES", "y"] {
        let mut typed = Typed::at(&backend, &["board", "delete", "sprint"]);
        typed.answers("will be deleted, for good. Type yes to do it: ", answer);
        typed.ends(1, "nothing was done");
    }
    assert_eq!(backend.ctl(&["board", "list"])["boards"][0]["board"], "sprint");
    let mut typed = Typed::at(&backend, &["board", "delete", "sprint"]);
    typed.answers("Type yes", "yes");
    typed.ends(0, "The board sprint is gone");
    backend.game_server("arena");
    let mut typed = Typed::at(&backend, &["server", "delete", "arena"]);
    typed.answers("the letters that it has sent", "yes");
    typed.ends(0, "The game server arena is gone.");
}

#[test]
fn stop_asks_back_at_a_terminal() {
    let mut backend = Backend::start();
    let mut typed = Typed::at(&backend, &["stop"]);
    typed.answers("Everything will end, and everybody will be disconnected. Type yes", "yes");
    typed.ends(0, "Everything has ended.");
    assert_eq!(backend.wait(), Some(0));
}

#[test]
fn a_new_players_password_is_asked_for_twice_without_echo() {
    let backend = Backend::start();
    let mut typed = Typed::at(&backend, &["player", "add", "alice"]);
    typed.answers("Password for alice: ", "secret-of-alice");
    typed.answers("The same again: ", "secret-of-alicf");
    typed.ends(1, "differ");
    let mut typed = Typed::at(&backend, &["player", "add", "alice"]);
    typed.answers("Password for alice: ", "secret-of-alice");
    typed.answers("The same again: ", "secret-of-alice");
    let screen = typed.0.screen.clone();
    typed.ends(0, "The player alice is registered.");
    assert!(!screen.text().contains("secret"), "{}", screen.text());
    backend.player_again("alice");
}
