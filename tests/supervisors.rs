//! Under real supervisors: a listener that is killed is started again and goes on with everybody, an upgrade in place is no
//! end to them, and they can stop all of it. Each test is left out, with a word, where its supervisor is not there.

use crate::harness::{
    GREETING, Log, Program, Running, Wire, ctl_data, is_installed, own_address, program, run, write_program,
};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A supervisor with a backend of its own.
struct Supervised {
    supervisor: Running,
    log: Log,
    dir: TempDir,
    at: SocketAddr,
    /// All listeners so far: each may have left a process group behind.
    listeners: Vec<Pid>,
}

/// A place for its files.
struct Place {
    dir: TempDir,
    at: SocketAddr,
}

fn place() -> Place {
    let dir = TempDir::new().expect("a temporary directory");
    let at = TcpListener::bind((own_address(), 0)).and_then(|socket| socket.local_addr()).expect("a free port");
    let config = "players.hash_memory_kib = 64\nplayers.hash_passes = 1\n";
    std::fs::write(dir.path().join("config.toml"), config).expect("the config file");
    Place { dir, at }
}

/// A piece of `config/` as it is, but for paths, for the user, whom not every machine has, and for where to listen.
fn piece(name: &str, as_user: &str, place: &Place) -> String {
    let path = |name: &str| place.dir.path().join(name).display().to_string();
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)).expect("a piece");
    let program = program().get_program().to_str().expect("a path").to_owned();
    let data = format!("--data {} -a {} -p {}", path("data"), place.at.ip(), place.at.port());
    let replaced = [
        (as_user, String::new()),
        ("/usr/local/bin/ssmglobal", program),
        ("/etc/ssmglobal.toml", path("config.toml")),
        ("--data /var/lib/ssmglobal", data),
    ];
    replaced.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in config/{name}");
        text.replace(from, to)
    })
}

impl Supervised {
    fn start(mut command: Command, place: Place, log: fn(&Running) -> Log) -> Supervised {
        command.env_remove("JOURNAL_STREAM").env_remove("NOTIFY_SOCKET");
        let supervisor = Running::start(&mut command);
        let log = log(&supervisor);
        log.wait("is ready");
        let Place { dir, at } = place;
        let mut supervised = Supervised { supervisor, log, dir, at, listeners: Vec::new() };
        supervised.listener();
        supervised
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn ctl(&self, words: &[&str]) -> Value {
        let output = run(program().arg("--data").arg(self.data()).args(["ctl", "--json"]).args(words), b"");
        assert_eq!(output.code, 0, "ctl {words:?}: {output:?}\n{}", self.log.text());
        ctl_data(&output)
    }

    fn pid(&self, of: &str) -> Pid {
        let pid = self.ctl(&["status"])[of].as_i64().and_then(|pid| i32::try_from(pid).ok());
        Pid::from_raw(pid.expect("a process id"))
    }

    fn listener(&mut self) -> Pid {
        let pid = self.pid("listener");
        self.listeners.push(pid);
        pid
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        let _ = kill(self.supervisor.pid(), Signal::SIGKILL);
        // A supervisor that gives each program a process group of its own has called it after the listener.
        for listener in &self.listeners {
            let _ = killpg(*listener, Signal::SIGKILL);
        }
        if std::thread::panicking() {
            eprintln!("--- it wrote:\n{}---", self.log.text());
        }
    }
}

fn all_is_well(mut supervised: Supervised) {
    let mut alice = Program::over(Wire::to(supervised.at), "CLIENT");
    alice.ok("REGISTER", json!({"name": "alice", "password": "secret-of-alice"}));
    let mut silent = Wire::to(supervised.at);
    silent.expect(GREETING);
    let handler = supervised.pid("handler");
    for _ in 0..3 {
        kill(supervised.listener(), Signal::SIGKILL).expect("the listener lives");
        alice.ok("SETTING SET", json!({"key": "k", "value": "v"}));
        // Waits until the supervisor has started the next one.
        let mut early = Wire::to(supervised.at);
        early.expect(GREETING);
        alice.ok("PING", json!({}));
        assert_eq!(supervised.pid("handler"), handler);
    }
    let listener = supervised.listener();
    supervised.ctl(&["upgrade"]);
    assert_eq!(supervised.pid("listener"), listener, "the supervisor has started another one");
    alice.ok("WHOAMI", json!({}));
    silent.send("MODE CLIENT\r\n{\"cmd\": \"WHO\"}\r\n");
    silent.until("alice");
    supervised.supervisor.signal(Signal::SIGTERM);
    for wire in [&mut alice.wire, &mut silent] {
        assert!(wire.rest().contains("The backend is going down."), "a client was not told that it is the end");
    }
    supervised.log.wait("everything is saved");
    assert!(supervised.supervisor.wait().is_some(), "the supervisor does not end");
}

#[test]
fn runit() {
    if !is_installed("runsv") {
        return;
    }
    let place = place();
    let service = place.dir.path().join("service");
    std::fs::create_dir(&service).unwrap();
    write_program(&service.join("run"), piece("runit/run", "chpst -u ssmglobal ", &place).as_bytes());
    let mut command = Command::new("runsv");
    command.arg(&service);
    // Its log service, which has a directory of its own, is left out.
    all_is_well(Supervised::start(command, place, |running| running.stdout.clone()));
}

#[test]
fn s6() {
    if !is_installed("s6-supervise") {
        return;
    }
    let place = place();
    let service = place.dir.path().join("service");
    std::fs::create_dir(&service).unwrap();
    write_program(&service.join("run"), piece("s6/run", "s6-setuidgid ssmglobal ", &place).as_bytes());
    let mut command = Command::new("s6-supervise");
    command.arg(&service);
    all_is_well(Supervised::start(command, place, |running| running.stdout.clone()));
}

fn supervisord_config(place: &Place) -> PathBuf {
    let dir = place.dir.path();
    let (path, pid) = (dir.join("supervisord.conf"), dir.join("supervisord.pid"));
    let program = piece("supervisord/ssmglobal.conf", "user=ssmglobal\n", place);
    // What lets the test read the log.
    let program = program.replace("/var/log/ssmglobal.log", "/dev/fd/1\nstdout_logfile_maxbytes=0");
    let text = format!(
        "[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={}\n\n{program}",
        pid.display()
    );
    std::fs::write(&path, text).expect("its config");
    path
}

#[test]
fn supervisord() {
    if !is_installed("supervisord") {
        return;
    }
    let place = place();
    let mut command = Command::new("supervisord");
    command.arg("-n").arg("-c").arg(supervisord_config(&place));
    all_is_well(Supervised::start(command, place, |running| running.stdout.clone()));
}
