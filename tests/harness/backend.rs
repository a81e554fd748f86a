//! A backend of a test's own: temporary data, an address that no other test has, cheap hashing.

mod deaths;
mod operator;
mod plan;

use super::{Log, Output, Running, Wire, program, run};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
pub use plan::own_address;
use plan::{CHEAP, Plan};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// How the line begins in which the log tells of something that this client has done, or that has become of it.
pub fn event(name: &str, client: SocketAddr) -> String {
    format!("event={name} address={} port={} ", client.ip(), client.port())
}

/// What the log says of each client that has moved to another worker.
pub const MOVED: &str = "goes on with the client of worker";

const ANNOUNCED: &str = "listening on  ";

/// A backend that runs; it ends when dropped, and prints its log if the test has failed.
pub struct Backend {
    plan: Plan,
    dir: TempDir,
    running: Running,
    /// Listeners that were killed: what they have started goes on.
    before: Vec<Running>,
    at: SocketAddr,
    /// The file system of its own, if it has one.
    disk: Option<Running>,
}

impl Backend {
    /// One with the defaults.
    pub fn start() -> Backend {
        Backend::plan().start()
    }

    /// One to be described further.
    pub fn plan() -> Plan {
        Plan::new()
    }

    fn announced(&self) -> SocketAddr {
        let text = self.log().find_after(0, "the announcement", |text| {
            let line = text.split(ANNOUNCED).nth(1)?;
            line.split_once('\n').map(|(line, _)| line.to_owned())
        });
        let first = text.split(',').next().unwrap_or_default();
        first.trim().parse().unwrap_or_else(|_| panic!("no address: {text}"))
    }

    /// Where its main door is.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// The addresses of all doors, the main one first.
    pub fn doors(&self) -> Vec<SocketAddr> {
        let text = self.log().text();
        let line = text.split(ANNOUNCED).nth(1).and_then(|rest| rest.lines().next()).unwrap_or_default();
        line.split(',').map(|address| address.trim().parse().expect("an address")).collect()
    }

    /// What it has written.
    pub fn log(&self) -> &Log {
        &self.running.stderr
    }

    /// The process id of its listener.
    pub fn pid(&self) -> Pid {
        self.running.pid()
    }

    /// Its data directory, as everybody can reach it.
    pub fn data(&self) -> PathBuf {
        let data = self.dir.path().join("data");
        match &self.disk {
            Some(keeper) => PathBuf::from(format!("/proc/{}/root{}", keeper.pid(), data.display())),
            None => data,
        }
    }

    /// A file beside the data.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes another config file; the hashing stays cheap.
    pub fn write_config(&self, lines: &str) {
        std::fs::write(self.file("config.toml"), format!("{CHEAP}{lines}")).expect("the config file");
    }

    /// Sends a signal to the listener.
    pub fn signal(&self, signal: Signal) {
        self.running.signal(signal);
    }

    /// Sends a signal to all its processes.
    pub fn signal_all(&self, signal: Signal) {
        self.running.signal_all(signal);
    }

    /// Waits for its end; gives the exit code.
    pub fn wait(&mut self) -> Option<i32> {
        let status = self.running.wait().unwrap_or_else(|| panic!("it does not end:\n{}", self.log().text()));
        status.code()
    }

    /// Ends it as a supervisor does.
    pub fn stop(&mut self) {
        self.signal(Signal::SIGTERM);
        assert_eq!(self.wait(), Some(0), "{}", self.log().text());
    }

    /// Ends it and starts it again: same data, same address.
    pub fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// Starts it again after its end.
    pub fn start_again(&mut self) {
        self.running = Running::start(&mut self.plan.command(self.dir.path(), self.at.port(), self.disk.as_ref()));
        assert_eq!(self.announced(), self.at);
    }

    /// Starts it again, and waits for its end.
    pub fn starts_in_vain(&self) -> Output {
        run(&mut self.plan.command(self.dir.path(), self.at.port(), self.disk.as_ref()), b"")
    }

    /// A further one at this port and with this data; it is expected to end by itself.
    pub fn another(&self, port: u16, data: &Path) -> Output {
        let mut command = program();
        command.arg("--config").arg(self.file("config.toml")).arg("--data").arg(data);
        run(command.args(["-a", self.plan.address(), "-p", &port.to_string()]), b"")
    }

    /// A client leaves; gives when its worker is gone and nothing counts it any more.
    pub fn see_off(&self, client: Wire) {
        let address = client.stream.local_addr().expect("an address");
        drop(client);
        self.log().wait(&event("disconnect", address));
    }

    /// Writes another config file, and waits until it was read again.
    pub fn reload(&self, lines: &str) {
        let mark = self.log().mark();
        self.write_config(lines);
        self.signal(Signal::SIGHUP);
        self.log().wait_after(mark, "settings were read again");
    }
}

impl Drop for Backend {
    /// Its processes are killed with [`Running`]: a test is over then; how a backend ends in order is a test by itself.
    fn drop(&mut self) {
        if std::thread::panicking() {
            for before in &self.before {
                eprintln!("--- a listener before it and its handler wrote:\n{}---", before.stderr.text());
            }
            eprintln!("--- the backend at {} wrote:\n{}---", self.at, self.log().text());
        }
    }
}
