//! Our side: builds or finds `ssmglobal`, starts it with temporary data and wide limits, and speaks to it. Runs in the
//! load generator.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::guard::{Guarded, Result, free_port, output_of};
use crate::net::Client;
use crate::seed::{Board, seed};

/// All clients come from this machine, and a game server may be silent while the peers have their turn.
const CONFIG: &str = "\
[limits]
clients = 16000
clients_per_address = 16000
server_ping_seconds = 86000
server_drop_seconds = 172000
";

/// What starts the backend, and starts it again should it die.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Supervisor {
    /// This tool, once.
    None,
    /// `runsv` of the package runit.
    Runit,
}

/// A backend with temporary data. It lives through all sections, or through the one that started it.
pub struct Backend {
    // Ended before its directory goes.
    process: Option<Guarded>,
    program: PathBuf,
    supervisor: Supervisor,
    dir: TempDir,
    /// Its port on the loopback.
    pub port: u16,
    /// How many game servers were made.
    servers: u32,
    seeded: Option<u32>,
    /// Whether its workers are locked in.
    locked: bool,
}

impl Backend {
    /// Starts `program` in `at`.
    pub fn start(program: PathBuf, at: &Path) -> Result<Self> {
        Self::start_under(Supervisor::None, program, at, "")
    }

    /// Starts `program` in `at` under a supervisor, with more in its config file.
    pub fn start_under(supervisor: Supervisor, program: PathBuf, at: &Path, config: &str) -> Result<Self> {
        let dir = TempDir::with_prefix_in("load-ssmglobal-", at)?;
        fs::write(dir.path().join("load.toml"), format!("{CONFIG}{config}"))?;
        let port = free_port()?;
        let mut backend =
            Self { process: None, program, supervisor, dir, port, servers: 0, seeded: None, locked: true };
        backend.launch()?;
        Ok(backend)
    }

    /// Starts another one, whose workers are not locked in.
    pub fn unlocked(&self, at: &Path) -> Result<Self> {
        let mut backend = Self::start(self.program.clone(), at)?;
        backend.process = None;
        backend.locked = false;
        backend.launch()?;
        Ok(backend)
    }

    fn launch(&mut self) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.arg("--data").arg(self.data());
        command.arg("--config").arg(self.dir.path().join("load.toml"));
        // No idle timeout: idle connections are part of what is measured.
        command.args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-t", "0"]);
        if self.supervisor == Supervisor::Runit {
            command = supervised(&command, &self.service())?;
        }
        command.current_dir(self.dir.path()).env("SSMGLOBAL_PROCESSES_SANDBOX", self.locked.to_string());
        // Not in the file: another build may not know them.
        for bound in ["REGISTRATIONS_PER_ADDRESS", "REGISTRATIONS_PER_NETWORK", "REGISTRATIONS_ALTOGETHER"] {
            command.env(format!("SSMGLOBAL_PLAYERS_{bound}"), "0");
        }
        let mut process = Guarded::start(&mut command, Signal::SIGTERM, &self.dir.path().join("log"))?;
        process.wait_for_port("ssmglobal", self.port)?;
        self.process = Some(process);
        // It listens before it serves: the greeting comes when the database is open.
        Client::open(self.port, 0)?.line()?;
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The directory of the service that the supervisor looks after.
    fn service(&self) -> PathBuf {
        self.dir.path().join("service")
    }

    /// The listener, parent of all workers.
    pub fn listener(&self) -> Result<Pid> {
        let process = self.process.as_ref().ok_or("the backend does not run")?;
        match self.supervisor {
            Supervisor::None => Ok(process.pid()),
            Supervisor::Runit => {
                let pid = fs::read_to_string(self.service().join("supervise/pid"))?;
                Ok(Pid::from_raw(pid.trim().parse()?))
            }
        }
    }

    /// The handler, as the operator is told.
    pub fn handler(&self) -> Result<Pid> {
        let status = self.ctl(&["status"])?;
        let pid = status.pointer("/handler").and_then(Value::as_i64).ok_or("`status` names no handler")?;
        Ok(Pid::from_raw(i32::try_from(pid)?))
    }

    /// Ends it in order; its database, where everything is now that was saved.
    pub fn end(&mut self) -> Result<PathBuf> {
        self.process = None;
        database(&self.data())
    }

    /// An error when it has ended.
    pub fn check(&mut self) -> Result<()> {
        let process = self.process.as_mut().ok_or("the backend does not run")?;
        process.check().map_err(|e| format!("ssmglobal {e}").into())
    }

    /// Puts `players` players and full boards into the database, once; ends the backend for that time.
    pub fn seed(&mut self, players: u32, boards: &[Board]) -> Result<()> {
        if self.seeded == Some(players) {
            return Ok(());
        }
        eprintln!("seeding {players} players …");
        for board in boards {
            // Every submit is a change, as an upsert is.
            let define = ["board", "define", board.name, "--unit", "points", "--better", "higher"];
            self.ctl(&[&define[..], &["--operator", "last", "--submit", "servers"]].concat())?;
        }
        self.process = None;
        seed(&database(&self.data())?, players, boards)?;
        self.seeded = Some(players);
        self.launch()
    }

    /// An operator's command; its JSON.
    pub fn ctl(&self, words: &[&str]) -> Result<Value> {
        let text = self.operate(&[words, &["--json"]].concat())?;
        let told: Value = serde_json::from_str(&text).map_err(|e| format!("ctl {}: {e}", words.join(" ")))?;
        // Another build may print the data alone.
        Ok(told.get("data").cloned().unwrap_or(told))
    }

    /// An operator's command; what it prints.
    pub fn operate(&self, words: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        output_of(command.arg("ctl").arg("--data").arg(self.data()).args(words))
    }

    /// A connection in CLIENT mode.
    pub fn client(&self, n: usize) -> Result<Client> {
        self.in_mode(n, "CLIENT")
    }

    /// A connection as a game server of its own, from the `n`-th loopback address.
    pub fn server(&mut self, n: usize) -> Result<Client> {
        self.servers += 1;
        let name = format!("load{}", self.servers);
        let made = self.ctl(&["server", "add", &name])?;
        let key = made["key"].as_str().ok_or("`server add` told no key")?;
        let mut client = self.in_mode(n, "SERVER")?;
        client.ask(&format!(r#"{{"id":0,"cmd":"AUTH","args":{{"name":"{name}","key":"{key}"}}}}"#))?;
        Ok(client)
    }

    fn in_mode(&self, n: usize, mode: &str) -> Result<Client> {
        let mut client = Client::open(self.port, n)?;
        let greeting = client.line()?;
        if !greeting.contains("CONNECTED") {
            return Err(format!("the greeting was {greeting}").into());
        }
        client.ask(&format!("MODE {mode}"))?;
        Ok(client)
    }
}

/// The program to measure: `$SSMGLOBAL_BIN`; under cargo, a fresh build; else the one beside this executable.
pub fn find_backend() -> Result<PathBuf> {
    if let Some(program) = std::env::var_os("SSMGLOBAL_BIN") {
        return Ok(PathBuf::from(program));
    }
    let own = std::env::current_exe()?;
    let profiles = own.parent().and_then(Path::parent).ok_or("no directory for builds")?;
    if let (Some(cargo), Some(here)) = (std::env::var_os("CARGO"), std::env::var_os("CARGO_MANIFEST_DIR")) {
        // Also when there is one already: it might be older than the source.
        let mut command = Command::new(cargo);
        command.args(["build", "--release", "--bin", "ssmglobal", "--manifest-path"]);
        let status = command.arg(Path::new(&here).join("../Cargo.toml")).status()?;
        if !status.success() {
            return Err("ssmglobal does not build".into());
        }
        return Ok(profiles.join("release/ssmglobal"));
    }
    let beside = own.with_file_name("ssmglobal");
    if beside.is_file() {
        return Ok(beside);
    }
    Err("no ssmglobal beside this program; set SSMGLOBAL_BIN or use `cargo run --release -p load`".into())
}

/// `runsv` for a command: its service directory with a run script.
fn supervised(command: &Command, service: &Path) -> Result<Command> {
    let quoted = |word: &OsStr| format!(" '{}'", word.to_string_lossy().replace('\'', r"'\''"));
    let words: String = std::iter::once(command.get_program()).chain(command.get_args()).map(quoted).collect();
    fs::create_dir_all(service)?;
    let run = service.join("run");
    fs::write(&run, format!("#!/bin/sh\nexec 2>&1\nexec{words}\n"))?;
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755))?;
    let mut runsv = Command::new("runsv");
    runsv.arg(service);
    Ok(runsv)
}

/// The only database file in the data directory.
fn database(data: &Path) -> Result<PathBuf> {
    let is_database = |path: &PathBuf| {
        let mut magic = [0; 16];
        let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic));
        read.is_ok() && magic == *b"SQLite format 3\0"
    };
    let files = fs::read_dir(data)?.flatten().map(|entry| entry.path());
    let found = files.filter(|path| path.is_file()).find(is_database);
    found.ok_or_else(|| format!("no database in {}", data.display()).into())
}
