//! A terminal with a program on it, as a person has it: what it shows, and a keyboard.

use super::{Log, Running};
use nix::pty::openpty;
use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};

/// Whether this program is there; says so where it is not.
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|dir| dir.join(program).exists());
    if !found {
        eprintln!("left out: {program} is not there");
    }
    found
}

/// A program at a terminal of its own; it ends when this is dropped.
pub struct Terminal {
    keyboard: File,
    /// All that was shown.
    pub screen: Log,
    /// The program.
    pub running: Running,
}

impl Terminal {
    /// Starts it there.
    pub fn of(mut command: Command) -> Terminal {
        let pty = openpty(None, None).expect("a terminal");
        let slave = || Stdio::from(pty.slave.try_clone().expect("a descriptor"));
        command.env("TERM", "xterm").stdin(slave()).stdout(slave()).stderr(slave());
        let running = Running::on_terminal(&mut command);
        drop(command);
        drop(pty.slave);
        let keyboard = File::from(pty.master);
        let screen = Log::collect(keyboard.try_clone().expect("a descriptor"));
        Terminal { keyboard, screen, running }
    }

    /// Types a line; gives where the screen was then.
    pub fn type_line(&mut self, line: &str) -> usize {
        let mark = self.screen.mark();
        self.keyboard.write_all(format!("{line}\n").as_bytes()).expect("it is read");
        mark
    }
}
