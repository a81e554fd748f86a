//! A real world: Debian's TinyMUX, installed for one test.

use super::profile::Profile;
use super::strict::StrictClient;
use crate::harness::{Running, installed, own_address, run};
use nix::sys::signal::Signal;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// The last line of its log before it serves.
const READY: &str = "DNS lookup slave started";

/// A TinyMUX; it ends when dropped.
pub struct TinyMux {
    dir: TempDir,
    at: SocketAddr,
    running: Option<Running>,
}

impl TinyMux {
    /// Installs one and starts it; `None`, with a word, where it is not there.
    pub fn start() -> Option<TinyMux> {
        let program = installed("tinymux-install")?;
        let dir = TempDir::new().expect("a temporary directory");
        assert_eq!(run(Command::new(program).current_dir(dir.path()), b"").code, 0);
        let at = SocketAddr::new(own_address().parse().expect("an address"), 0);
        let mut mux = TinyMux { dir, at, running: None };
        mux.moves();
        mux.starts();
        Some(mux)
    }

    fn game(&self) -> PathBuf {
        self.dir.path().join("tinymux/game")
    }

    /// Where it listens.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// Will listen at another port of its address when it starts again.
    pub fn moves(&mut self) {
        let free = TcpListener::bind(SocketAddr::new(self.at.ip(), 0)).expect("a port");
        self.at = free.local_addr().expect("an address");
        let path = self.game().join("netmux.conf");
        let config = std::fs::read_to_string(&path).expect("its config");
        let others = config.lines().filter(|line| !line.starts_with("port ") && !line.starts_with("ip_address "));
        let lines: Vec<&str> = others.collect();
        // It writes down what it has before it does anything else.
        let place = format!("port {}\nip_address {}\nfork_dump no\n", self.at.port(), self.at.ip());
        std::fs::write(&path, lines.join("\n") + "\n" + &place).expect("its config");
    }

    /// Starts it, with all that it has written down, and waits until it listens.
    pub fn starts(&mut self) {
        let game = self.game();
        // What it has written goes before what it was installed with; as its own script does.
        let written = game.join("data/netmux.db.new");
        if written.exists() {
            std::fs::rename(written, game.join("data/netmux.db")).expect("its database");
        }
        let _ = std::fs::remove_file(game.join("restart.db"));
        let mut command = Command::new("bin/netmux");
        command.args(["-c", "netmux.conf", "-p", "netmux.pid", "-e", "-"]);
        let running = Running::start(command.env("LD_LIBRARY_PATH", "bin").current_dir(&game));
        running.stderr.wait(READY);
        self.running = Some(running);
    }

    /// A connection of its owner, who may do everything.
    pub fn wizard(&self) -> StrictClient {
        self.player("wizard", "potrzebie")
    }

    /// A connection of somebody who has logged in, at a plain telnet.
    pub fn player(&self, name: &str, password: &str) -> StrictClient {
        let mut client = StrictClient::to(self.at, Profile::telnet());
        client.until("create <name> <password>");
        client.types(&format!("connect {name} {password}"));
        client.until("MAIL: ");
        client
    }

    /// Makes characters with the passwords `secret-of-NAME`, and writes them down.
    pub fn has(&self, names: &[&str]) {
        let mut wizard = self.wizard();
        for name in names {
            wizard.types(&format!("@pcreate {name}=secret-of-{name}"));
            wizard.until("created");
        }
        wizard.types("@dump");
        wizard.types("think written");
        wizard.until("written\n");
    }

    /// Restarts warmly: connections stay. It takes a while: that is possible only 15 seconds after the last start.
    pub fn restarts(&self) {
        let log = &self.running().stderr;
        let mark = log.mark();
        let mut wizard = self.wizard();
        wizard.types("@wait 16=@restart");
        wizard.until("please wait.\n");
        log.wait_after(mark, READY);
    }

    /// Says goodbye to all and ends; waits for the end.
    pub fn shuts_down(&mut self) {
        let mut wizard = self.wizard();
        wizard.types("@shutdown");
        wizard.until("Going down");
        // It says goodbye to all before it ends.
        let mut running = self.running.take().expect("it runs");
        assert!(running.wait().is_some(), "it has not ended");
    }

    /// Is killed, with the helpers that it has started.
    pub fn is_killed(&mut self) {
        self.running().signal_all(Signal::SIGKILL);
        self.running = None;
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }
}
