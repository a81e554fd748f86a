//! A terminal with a program on it, as a person has it: what it shows, and a keyboard.

use super::{Log, Running};
use nix::pty::{Winsize, openpty};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Where a program is; says so where it is not. Debian puts games where not every user looks.
pub fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain(["/usr/games", "/usr/sbin"].map(PathBuf::from));
    let found = dirs.map(|dir| dir.join(program)).find(|path| path.exists());
    if found.is_none() {
        eprintln!("left out: {program} is not there");
    }
    found
}

/// Whether this program is there.
pub fn is_installed(program: &str) -> bool {
    installed(program).is_some()
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
    pub fn of(command: Command) -> Terminal {
        Terminal::sized(command, None)
    }

    /// Starts it at a terminal of this size.
    pub fn sized(mut command: Command, size: Option<&Winsize>) -> Terminal {
        let pty = openpty(size, None).expect("a terminal");
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
        self.press(&format!("{line}\n"));
        mark
    }

    /// Has another size from now on, and tells the program, as the kernel does for one that has it to itself.
    pub fn resizes(&self, columns: u16, rows: u16) {
        let mut command = Command::new("stty");
        command.args(["cols", &columns.to_string(), "rows", &rows.to_string()]);
        let keyboard = self.keyboard.try_clone().expect("a descriptor");
        assert!(command.stdin(keyboard).status().expect("stty").success());
        self.running.signal(nix::sys::signal::Signal::SIGWINCH);
    }

    /// Presses these keys.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("it is read");
    }
}
