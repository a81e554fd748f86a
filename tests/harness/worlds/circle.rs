//! A real world: tbaMUD, which descends from CircleMUD and DikuMUD, where one was built.

use super::profile::Profile;
use super::strict::StrictClient;
use crate::harness::{Running, own_address, run};
use nix::sys::signal::Signal;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// The variable that names the directory of one that was built: `bin/circle` and `lib` are in it.
const PLACE: &str = "SSMGLOBAL_TBAMUD";

/// The last line of its log before it serves.
const READY: &str = "Entering game loop.";

/// A tbaMUD; it ends when dropped.
pub struct Circle {
    program: PathBuf,
    /// Its copy of the world and of those who play it.
    dir: TempDir,
    at: SocketAddr,
    running: Option<Running>,
}

impl Circle {
    /// Starts one with a new world; `None`, with a word, where there is none.
    pub fn start() -> Option<Circle> {
        let Some(place) = std::env::var_os(PLACE).map(PathBuf::from) else {
            eprintln!("left out: no {PLACE} names a tbaMUD");
            return None;
        };
        let dir = TempDir::new().expect("a temporary directory");
        run(Command::new("cp").arg("-r").arg(place.join("lib")).arg(dir.path()), b"").succeeds();
        let ip = own_address();
        std::fs::write(dir.path().join("lib/etc/config"), format!("DFLT_IP = {ip}\n")).expect("its config");
        let at = TcpListener::bind((ip.as_str(), 0)).and_then(|free| free.local_addr()).expect("a port");
        let mut circle = Circle { program: place.join("bin/circle"), dir, at, running: None };
        circle.starts();
        Some(circle)
    }

    /// Where it listens.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// Starts it with what it has written down, and waits until it listens.
    pub fn starts(&mut self) {
        let mut command = Command::new(&self.program);
        command.args(["-q", &self.at.port().to_string()]).current_dir(self.dir.path());
        let running = Running::start(&mut command);
        running.stderr.wait(READY);
        self.running = Some(running);
    }

    /// Makes characters with the passwords `of-NAME`, of which it takes ten letters.
    pub fn has(&self, names: &[&str]) {
        for name in names {
            let mut client = StrictClient::to(self.at, Profile::telnet());
            let password = format!("of-{name}");
            for (asked, answer) in [
                ("known? ", *name),
                ("(Y/N)? ", "y"),
                (": ", &password),
                (": ", &password),
                ("(M/F)? ", "m"),
                ("Class: ", "w"),
                ("RETURN: ", ""),
                ("choice: ", "1"),
                ("> ", "quit"),
                ("choice: ", "0"),
            ] {
                client.until(asked);
                client.types(answer);
            }
            client.rest();
        }
    }

    /// Is killed.
    pub fn is_killed(&mut self) {
        self.running.as_ref().expect("it runs").signal_all(Signal::SIGKILL);
        self.running = None;
    }
}
