//! What the operator types at a terminal: he is asked back, and for passwords.

use crate::harness::{Backend, Log, Running};
use nix::pty::openpty;
use std::fs::File;
use std::io::Write;
use std::process::Stdio;

/// `ctl` at a terminal of its own.
struct Typed {
    keyboard: File,
    screen: Log,
    running: Running,
}

impl Typed {
    fn at(backend: &Backend, words: &[&str]) -> Typed {
        let pty = openpty(None, None).expect("a terminal");
        let slave = || Stdio::from(pty.slave.try_clone().expect("a descriptor"));
        let mut command = backend.ctl_command(words);
        command.stdin(slave()).stdout(slave()).stderr(slave());
        let running = Running::on_terminal(&mut command);
        drop(command);
        drop(pty.slave);
        let keyboard = File::from(pty.master);
        let screen = Log::collect(keyboard.try_clone().expect("a descriptor"));
        Typed { keyboard, screen, running }
    }

    fn answers(&mut self, question: &str, line: &str) {
        self.screen.wait(question);
        self.keyboard.write_all(format!("{line}\n").as_bytes()).expect("it is read");
    }

    fn ends(mut self, code: i32, said: &str) {
        self.screen.wait(said);
        assert_eq!(self.running.wait().and_then(|status| status.code()), Some(code), "{}", self.screen.text());
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
    let screen = typed.screen.clone();
    typed.ends(0, "The player alice is registered.");
    assert!(!screen.text().contains("secret"), "{}", screen.text());
    backend.player_again("alice");
}
