//! A real world: Evennia, where it is installed, with a game of its own for one test. Its Portal has the players' connections, its
//! Server the game; each is a process of its own that outlives who has started it.

use super::profile::Profile;
use super::strict::StrictClient;
use crate::harness::{Running, installed, own_address};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// An Evennia; it ends when dropped.
pub struct Evennia {
    dir: TempDir,
    program: PathBuf,
    at: SocketAddr,
}

impl Evennia {
    /// Makes a game and starts it; `None`, with a word, where there is no Evennia on the path.
    pub fn start() -> Option<Evennia> {
        let program = installed("evennia")?;
        let dir = TempDir::new().expect("a temporary directory");
        let ip = own_address();
        let ports = [(); 2].map(|()| TcpListener::bind((ip.as_str(), 0)).expect("a port"));
        let [at, between] = ports.map(|port| port.local_addr().expect("an address"));
        let evennia = Evennia { dir, program, at };
        evennia.does(evennia.dir.path().to_owned(), &["--init", "game"]);
        // It listens nowhere but here, and lets as many characters be made as are wanted.
        let settings = format!(
            "TELNET_PORTS = [{}]\nTELNET_INTERFACES = [\"{ip}\"]\nAMP_PORT = {}\nAMP_HOST = \"{ip}\"\n\
             AMP_INTERFACE = \"{ip}\"\nWEBSERVER_ENABLED = False\nWEBCLIENT_ENABLED = False\n\
             WEBSOCKET_CLIENT_ENABLED = False\nCREATION_THROTTLE_LIMIT = None\n\
             PASSWORD_HASHERS = [\"django.contrib.auth.hashers.MD5PasswordHasher\"]\n",
            at.port(),
            between.port()
        );
        std::fs::write(evennia.game().join("server/conf/secret_settings.py"), settings).expect("its settings");
        evennia.does(evennia.game(), &["migrate"]);
        evennia.starts();
        // When it runs for the first time it restarts once more, some seconds later.
        StrictClient::to(at, Profile::telnet()).until("... Server restarted.");
        Some(evennia)
    }

    fn game(&self) -> PathBuf {
        self.dir.path().join("game")
    }

    /// Lets its launcher do something in a directory; that takes longer than all else does.
    fn does(&self, dir: PathBuf, words: &[&str]) -> Running {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = self.program.parent().map(PathBuf::from);
        let path = std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path))).expect("a path");
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(dir).env("PATH", path);
        for (name, value) in [("USERNAME", "Wizard"), ("PASSWORD", "secret-of-Wizard"), ("EMAIL", "wizard@example.org")]
        {
            command.env(format!("EVENNIA_SUPERUSER_{name}"), value);
        }
        let mut running = Running::start(&mut command);
        let status = (0..6).find_map(|_| running.wait());
        let said = [running.stdout.text(), running.stderr.text()];
        assert!(status.is_some_and(|status| status.success()), "{words:?}: {said:?}");
        running
    }

    /// Where it listens.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// Its version.
    pub fn version(&self) -> String {
        let running = self.does(self.dir.path().to_owned(), &["--version"]);
        running.stdout.find_after(0, "its version", |said| {
            said.lines().find(|line| line.to_ascii_lowercase().contains("evennia")).map(|line| line.trim().to_owned())
        })
    }

    /// Starts what of it does not run, and waits until the game is there.
    pub fn starts(&self) {
        self.does(self.game(), &["start"]).stdout.wait("Evennia running");
    }

    /// Somebody who has come over a plain telnet.
    fn client(&self) -> StrictClient {
        let mut client = StrictClient::to(self.at, Profile::telnet());
        client.until("re-show this screen.");
        client
    }

    /// Makes characters with the passwords `secret-of-NAME`.
    pub fn has(&self, names: &[&str]) {
        let mut client = self.client();
        for name in names {
            client.types(&format!("create {name} secret-of-{name}"));
            client.until("[Y]/N?");
            client.types("y");
            client.until("was created");
        }
        client.types("quit");
        client.rest();
    }

    /// Loads its code anew, as its owner wants it: connections stay.
    pub fn reloads(&self) {
        let mut wizard = self.client();
        wizard.types("connect Wizard secret-of-Wizard");
        wizard.until("Limbo");
        wizard.types("@reload");
        wizard.until("... Server restarted.");
        wizard.types("quit");
        wizard.rest();
    }

    /// The Server is killed; the Portal stays, and every connection.
    pub fn server_is_killed(&self) {
        self.kills("server.pid");
    }

    /// Both are killed.
    pub fn is_killed(&self) {
        self.kills("portal.pid");
        self.kills("server.pid");
    }

    fn kills(&self, file: &str) {
        let _ = self.pid(file).map(|pid| kill(pid, Signal::SIGKILL).expect("it lives"));
    }

    fn pid(&self, file: &str) -> Option<Pid> {
        let text = std::fs::read_to_string(self.game().join("server").join(file)).ok()?;
        text.trim().parse().ok().map(Pid::from_raw)
    }
}

impl Drop for Evennia {
    fn drop(&mut self) {
        for pid in ["portal.pid", "server.pid"].into_iter().filter_map(|file| self.pid(file)) {
            // One that was killed has left its number behind; another process may have it by now.
            let ours = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if ours.contains("evennia") {
                let _ = kill(pid, Signal::SIGKILL);
            }
        }
    }
}
