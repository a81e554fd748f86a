//! The programs that people use, each at a terminal of its own: what they show, and what arrives of what is typed.

use crate::harness::{Backend, Log, Terminal, installed};
use nix::pty::Winsize;
use std::net::SocketAddr;
use std::process::Command;
use tempfile::TempDir;

/// A backend with a door for people.
fn with_door() -> (Backend, SocketAddr) {
    let plan = Backend::plan();
    let door = format!("[[door]]\naddress = \"{}:0\"\nmode = \"human\"\n", plan.address());
    let backend = plan.config(&door).start();
    let at = backend.doors()[1];
    (backend, at)
}

/// One of the programs.
struct Client {
    terminal: Terminal,
    /// Where it looks for its settings.
    _home: TempDir,
}

impl Client {
    fn start(program: &str, args: &[String], home: TempDir) -> Option<Client> {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let mut command = Command::new(installed(program)?);
        command.args(args).current_dir(home.path()).env("LC_ALL", "C.UTF-8").env("HOME", home.path());
        Some(Client { terminal: Terminal::sized(command, Some(&size)), _home: home })
    }

    /// Debian's telnet, or nc.
    fn plain(program: &str, at: SocketAddr) -> Option<Client> {
        Client::start(program, &[at.ip().to_string(), at.port().to_string()], home())
    }

    fn tintin(at: SocketAddr) -> Option<Client> {
        let session = format!("#session a {} {}", at.ip(), at.port());
        Client::start("tt++", &["-G".into(), "-e".into(), session], home())
    }

    fn tinyfugue(at: SocketAddr) -> Option<Client> {
        let args = ["-n".into(), "-f".into(), at.ip().to_string(), at.port().to_string()];
        Client::start("tf5", &args, home())
    }

    fn kbtin(at: SocketAddr) -> Option<Client> {
        let home = home();
        let settings = home.path().join("settings");
        std::fs::write(&settings, format!("#session {{a}} {{{} {}}}\n", at.ip(), at.port())).expect("a file");
        Client::start("KBtin", &[settings.display().to_string()], home)
    }

    /// Presses these keys; gives where the screen was then.
    fn press(&mut self, keys: &str) -> usize {
        let mark = self.terminal.screen.mark();
        self.terminal.press(keys);
        mark
    }

    /// Types a line, and waits for this to be shown behind it.
    fn ask(&mut self, line: &str, answer: &str) {
        let mark = self.press(&format!("{line}\r"));
        self.terminal.screen.wait_after(mark, answer);
    }

    /// Registers, with a password that is asked for.
    fn register(&mut self, name: &str) {
        self.ask(&format!("REGISTER {name}"), "Password: ");
        self.ask(&format!("secret-of-{name}"), "Again: ");
        self.ask(&format!("secret-of-{name}"), "registered and logged in");
    }
}

fn home() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

/// The rows of a screen on which this was written, without colours: LF goes down and CR to the left, and nothing does both.
fn rows(written: &str) -> Vec<String> {
    let (mut rows, mut column) = (vec![String::new()], 0_usize);
    let mut rest = written.chars();
    while let Some(c) = rest.next() {
        match c {
            '\r' => column = 0,
            '\n' => rows.push(String::new()),
            '\u{8}' => column = column.saturating_sub(1),
            '\u{1b}' => _ = rest.find(char::is_ascii_alphabetic),
            _ => {
                let mut row: Vec<char> = rows.pop().unwrap_or_default().chars().collect();
                row.resize(row.len().max(column + 1), ' ');
                row[column] = c;
                column += 1;
                rows.push(row.into_iter().collect());
            }
        }
    }
    rows
}

fn shows_row(screen: &Log, row: &str) {
    let shown = rows(&screen.text());
    assert!(shown.iter().any(|shown| shown == row), "{row:?} is no row of {shown:#?}");
}

const LETTERS: &str = "x Ünïcödé y, Straße, čau, 日本";

#[test]
fn debians_telnet_sends_and_shows_letters_as_they_were_typed() {
    let (_backend, at) = with_door();
    let Some(mut telnet) = Client::plain("telnet", at) else { return };
    telnet.terminal.screen.wait("> ");
    telnet.register("alice");
    telnet.ask(&format!("tell alice {LETTERS}"), "Told alice.");
    telnet.ask("", "> ");
    // What it shows of a line's end goes down only, since it was told that all comes as it is.
    shows_row(&telnet.terminal.screen, &format!("[tell] alice: {LETTERS}"));
    shows_row(&telnet.terminal.screen, "Told alice.");
    let screen = telnet.terminal.screen.text();
    assert!(!screen.contains("secret-of-alice") && !screen.contains('\u{fffd}'), "{screen}");
    telnet.ask("QUIT", "Connection closed");
}

#[test]
fn a_line_that_debians_telnet_cuts_before_it_was_asked_for_all_bits_runs_no_command() {
    let (backend, at) = with_door();
    let main = backend.at();
    for (at, mode) in [(at, None), (main, Some("MODE HUMAN"))] {
        let Some(mut telnet) = Client::plain("telnet", at) else { return };
        telnet.terminal.screen.wait(if mode.is_some() { "CONNECTED" } else { "> " });
        if let Some(mode) = mode {
            telnet.ask(mode, "> ");
        }
        // The second byte of Ü is its key for a break.
        telnet.ask("tell bob ÜQUIT", "cut that line within a letter.");
        telnet.ask("tell bob ÜQUIT", "Say who you are first");
        telnet.ask("HW", "Hello, world!");
    }
}

#[test]
fn arrow_keys_at_debians_telnet_are_no_text() {
    let (_backend, at) = with_door();
    let Some(mut telnet) = Client::plain("telnet", at) else { return };
    telnet.terminal.screen.wait("> ");
    telnet.ask("\u{1b}[A", "Arrow keys do nothing here");
    telnet.ask("H\u{1b}[D\u{1b}[3~W\u{1b}OC", "Hello, world!");
    let screen = telnet.terminal.screen.text();
    assert!(!screen.contains("ERROR"), "{screen}");
}

#[test]
fn tintin_is_negotiated_with_and_sends_letters_as_they_were_typed() {
    let (_backend, at) = with_door();
    let Some(mut tintin) = Client::tintin(at) else { return };
    tintin.terminal.screen.wait("Welcome");
    tintin.register("alice");
    // It has told by then that it is an xterm.
    tintin.ask(&format!("tell alice {LETTERS}"), &format!("\u{1b}[36m[tell]\u{1b}[0m alice: {LETTERS}"));
    let screen = tintin.terminal.screen.text();
    assert!(!screen.contains("secret-of-alice") && !screen.contains('\u{fffd}'), "{screen}");
    tintin.ask("QUIT", "#SESSION 'a' DIED.");
}

#[test]
fn kbtin_is_negotiated_with_and_sends_letters_as_they_were_typed() {
    let (_backend, at) = with_door();
    let Some(mut kbtin) = Client::kbtin(at) else { return };
    kbtin.terminal.screen.wait("Welcome");
    kbtin.register("alice");
    kbtin.ask(&format!("tell alice {LETTERS}"), &format!("[tell] alice: {LETTERS}"));
    let screen = kbtin.terminal.screen.text();
    assert!(!screen.contains("secret-of-alice") && !screen.contains('\u{fffd}'), "{screen}");
}

#[test]
fn tinyfugue_is_negotiated_with_and_its_passwords_are_not_shown() {
    let (_backend, at) = with_door();
    let Some(mut tinyfugue) = Client::tinyfugue(at) else { return };
    tinyfugue.terminal.screen.wait("Welcome");
    tinyfugue.register("alice");
    tinyfugue.ask("tell alice plain words", "[tell] alice: plain words");
    let screen = tinyfugue.terminal.screen.text();
    assert!(!screen.contains("secret-of-alice") && !screen.contains('\u{fffd}'), "{screen}");
    tinyfugue.ask("QUIT", "closed by foreign host");
}

#[test]
fn nc_sees_no_telnet_not_even_where_a_password_is_asked_for() {
    let (backend, at) = with_door();
    for (at, mode) in [(at, None), (backend.at(), Some("MODE HUMAN"))] {
        let Some(mut nc) = Client::plain("nc", at) else { return };
        nc.terminal.screen.wait(if mode.is_some() { "CONNECTED" } else { "> " });
        if let Some(mode) = mode {
            nc.ask(mode, "> ");
        }
        let name = if mode.is_some() { "bob" } else { "alice" };
        nc.register(name);
        nc.ask(&format!("tell {name} {LETTERS}"), &format!("[tell] {name}: {LETTERS}"));
        let screen = nc.terminal.screen.text();
        assert!(!screen.contains('\u{fffd}'), "a byte that is no text was shown: {screen}");
    }
}
