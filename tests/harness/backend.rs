//! A backend of a test's own: temporary data, an address that no other test has, cheap hashing.

use super::{Log, Output, Process, Running, Wire, processes_of, run};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs::Permissions;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::Receiver;
use tempfile::TempDir;

/// So that tests are quick; nothing here protects anybody.
const CHEAP: &str = "players.hash_memory_kib = 64\nplayers.hash_passes = 1\n";

/// All who register in a test come from one address. The environment, so that a test can say otherwise in its own.
const ANY_NUMBER: [(&str, &str); 4] = [
    ("SSMGLOBAL_PLAYERS_IDENTITY", "many"),
    ("SSMGLOBAL_PLAYERS_REGISTRATIONS_PER_ADDRESS", "0"),
    ("SSMGLOBAL_PLAYERS_REGISTRATIONS_PER_NETWORK", "0"),
    ("SSMGLOBAL_PLAYERS_REGISTRATIONS_ALTOGETHER", "0"),
];

/// What the log says of each client that has moved to another worker.
pub const MOVED: &str = "goes on with the client of worker";

const ANNOUNCED: &str = "listening on  ";

/// The program under test.
pub fn program() -> Command {
    program_at(Path::new(env!("CARGO_BIN_EXE_ssmglobal")))
}

fn program_at(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.env_remove("JOURNAL_STREAM").env_remove("NOTIFY_SOCKET");
    command
}

/// A copy of the program at this place, which says that it is of this version.
pub fn program_of_version(version: &str, path: &Path) {
    const STAMP: &str = concat!("ssmglobal version ", env!("CARGO_PKG_VERSION"));
    let stamp = format!("ssmglobal version {version}");
    assert_eq!(stamp.len(), STAMP.len(), "a stamp of another length would move what is behind it");
    let mut bytes = std::fs::read(env!("CARGO_BIN_EXE_ssmglobal")).expect("the program");
    let at = bytes.windows(STAMP.len()).position(|part| part == STAMP.as_bytes()).expect("its stamp");
    bytes[at..at + stamp.len()].copy_from_slice(stamp.as_bytes());
    write_program(path, &bytes);
}

/// A program at this place, in the place of one that may be running.
pub fn write_program(path: &Path, bytes: &[u8]) {
    let new = path.with_extension("new");
    // Another process writes it: one that a test forks in this moment would have it open as well, and what somebody has open for
    // writing cannot be run.
    let mut writer = Command::new("sh");
    writer.args(["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh"]).arg(&new).stdin(Stdio::piped());
    let mut writer = writer.spawn().expect("a shell");
    writer.stdin.take().expect("its input").write_all(bytes).expect("a program");
    assert!(writer.wait().expect("its end").success());
    std::fs::rename(new, path).expect("a program");
}

/// A small file system that only processes started with [`on_disk`] see; it ends with what is given.
fn disk(size: &str, data: &Path) -> Running {
    std::fs::create_dir(data).expect("the data directory");
    let mut command = Command::new("unshare");
    let script = "mount -t tmpfs -o size=\"$1\",mode=700 none \"$2\" && echo mounted && exec sleep infinity";
    let keeper = Running::start(command.args(["-m", "sh", "-c", script, "sh", size]).arg(data));
    keeper.stdout.wait("mounted");
    keeper
}

/// The program where it sees that file system.
fn on_disk(keeper: &Running) -> Command {
    let mut command = Command::new("nsenter");
    command.args(["-m", "-t", &keeper.pid().to_string(), "--"]).arg(program().get_program());
    command.env_remove("JOURNAL_STREAM").env_remove("NOTIFY_SOCKET");
    command
}

/// An address of this machine that no other backend of this program has: then a port that is free once is free
/// again after a restart.
pub fn own_address() -> String {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    format!("127.{}.{high}.{low}", std::process::id() % 200 + 20)
}

/// A backend that is about to start.
pub struct Plan {
    config: String,
    options: Vec<String>,
    environment: Vec<(String, String)>,
    address: String,
    /// The size of a file system of its own, for the data.
    disk: Option<String>,
    /// Who starts it, if not whoever runs the tests.
    user: Option<u32>,
    /// Whose the data directory is from the start.
    owner: Option<u32>,
    /// Another file of the program.
    binary: Option<PathBuf>,
}

impl Plan {
    /// Lines for its config file: dotted keys, doors last.
    pub fn config(mut self, lines: &str) -> Plan {
        self.config.push_str(lines);
        self
    }

    /// Options for its command line.
    pub fn options(mut self, options: &[&str]) -> Plan {
        self.options.extend(options.iter().map(|&option| option.to_owned()));
        self
    }

    /// A variable of its environment.
    pub fn environment(mut self, name: &str, value: &str) -> Plan {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where it will listen.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Listens elsewhere.
    pub fn at(mut self, address: &str) -> Plan {
        self.address = address.to_owned();
        self
    }

    /// Puts its data on a file system of this size, which only its processes see.
    pub fn on_small_disk(mut self, size: &str) -> Plan {
        self.disk = Some(size.to_owned());
        self
    }

    /// Lets this user start it. Only root can.
    pub fn started_by(mut self, user: u32) -> Plan {
        self.user = Some(user);
        self.data_of(user)
    }

    /// Makes its data directory before it starts, for this user. Only root can.
    pub fn data_of(mut self, owner: u32) -> Plan {
        self.owner = Some(owner);
        self
    }

    /// Starts this file.
    pub fn binary(mut self, path: &Path) -> Plan {
        self.binary = Some(path.to_owned());
        self
    }

    /// Starts it and waits until it serves.
    pub fn start(self) -> Backend {
        let dir = TempDir::new().expect("a temporary directory");
        // Its processes may be other users than whoever runs the tests.
        std::fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("a directory of our own");
        if let Some(owner) = self.owner {
            let data = dir.path().join("data");
            std::fs::create_dir(&data).expect("the data directory");
            chown(&data, Some(owner), Some(owner)).expect("another owner");
        }
        std::fs::write(dir.path().join("config.toml"), &self.config).expect("the config file");
        let disk = self.disk.as_ref().map(|size| disk(size, &dir.path().join("data")));
        let plan = Plan { config: String::new(), ..self };
        let running = Running::start(&mut plan.command(dir.path(), 0, disk.as_ref()));
        let at = SocketAddr::from(([0; 4], 0));
        let mut backend = Backend { plan, dir, running, before: Vec::new(), at, disk };
        backend.at = backend.announced();
        backend
    }

    fn command(&self, dir: &Path, port: u16, disk: Option<&Running>) -> Command {
        let mut command = match (disk, &self.binary) {
            (Some(keeper), _) => on_disk(keeper),
            (None, Some(binary)) => program_at(binary),
            (None, None) => program(),
        };
        command.arg("--config").arg(dir.join("config.toml")).arg("--data").arg(dir.join("data"));
        command.args(["-a", &self.address, "-p", &port.to_string()]).args(&self.options);
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command.envs(ANY_NUMBER).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

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
        let (options, environment) = (Vec::new(), Vec::new());
        Plan {
            config: CHEAP.to_owned(),
            options,
            environment,
            address: own_address(),
            disk: None,
            user: None,
            owner: None,
            binary: None,
        }
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

    /// Kills the listener alone, as a crash would, and waits until the handler has noticed.
    pub fn kill_listener(&mut self) {
        let mark = self.log().mark();
        self.signal(Signal::SIGKILL);
        self.log().wait_after(mark, "the listener has died");
        self.wait();
    }

    /// As [`Backend::kill_listener`], but not in the microseconds between the system call that accepts a connection and the
    /// one that puts it where the next listener finds it: what is killed there is lost, as it is in the kernel's queue of a
    /// machine that fails.
    pub fn kill_waiting_listener(&mut self) {
        loop {
            self.signal(Signal::SIGSTOP);
            waitpid(self.pid(), Some(WaitPidFlag::WUNTRACED)).expect("it stops");
            if Process(self.pid()).waits_for_events() {
                return self.kill_listener();
            }
            self.signal(Signal::SIGCONT);
        }
    }

    /// Starts the next listener, as a supervisor does, and waits until it serves; what the one before it has started goes
    /// on.
    pub fn next_listener(&mut self) {
        let next = Running::start(&mut self.plan.command(self.dir.path(), self.at.port(), self.disk.as_ref()));
        self.before.push(std::mem::replace(&mut self.running, next));
        assert_eq!(self.announced(), self.at);
    }

    /// A further one at this port and with this data; it is expected to end by itself.
    pub fn another(&self, port: u16, data: &Path) -> Output {
        let mut command = program();
        command.arg("--config").arg(self.file("config.toml")).arg("--data").arg(data);
        run(command.args(["-a", &self.plan.address, "-p", &port.to_string()]), b"")
    }

    /// The operator's command, to be completed.
    pub fn ctl_command(&self, words: &[&str]) -> Command {
        let mut command = program();
        command.arg("--data").arg(self.data()).arg("ctl").args(words);
        command
    }

    /// `ssmglobal ctl WORDS --json`, which must succeed.
    pub fn ctl(&self, words: &[&str]) -> Value {
        let output = run(self.ctl_command(words).arg("--json"), b"");
        assert_eq!(output.code, 0, "ctl {words:?}: {output:?}");
        serde_json::from_str(&output.out).unwrap_or_else(|error| panic!("ctl {words:?}: {error}: {output:?}"))
    }

    /// `ssmglobal ctl WORDS --json`, which must fail; gives the code.
    pub fn ctl_fails(&self, words: &[&str]) -> String {
        let output = run(self.ctl_command(words).arg("--json"), b"");
        assert_eq!(output.code, 1, "ctl {words:?}: {output:?}");
        let told: Value = serde_json::from_str(&output.out).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        assert_eq!(told["state"], "ERROR");
        assert!(told["msg"].as_str().is_some_and(|msg| !msg.is_empty()), "{told}");
        told["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The process id of the handler that serves now.
    pub fn handler(&self) -> Pid {
        let pid = self.ctl(&["status"])["handler"].as_i64().and_then(|pid| i32::try_from(pid).ok());
        Pid::from_raw(pid.expect("a process id"))
    }

    /// Kills the handler as a crash would, and waits until the next one serves.
    pub fn kill_handler(&self) {
        let mark = self.log().mark();
        kill(self.handler(), Signal::SIGKILL).expect("the handler lives");
        self.log().wait_after(mark, "ready: ");
    }

    /// The handler's process, also while it does not serve.
    pub fn handler_process(&self) -> Pid {
        let all = processes_of(self.pid());
        let found = all.into_iter().find(|process| process.title() == "ssmglobal: handler");
        found.expect("a handler").0
    }

    /// Kills the handler at once, wherever it is in its work, and waits until the next one is about to serve.
    pub fn kill_handler_at_work(&self) {
        let mark = self.log().mark();
        kill(self.handler_process(), Signal::SIGKILL).expect("the handler lives");
        self.log().wait_after(mark, "ready: ");
    }

    /// Does this while the handler does nothing.
    pub fn while_the_handler_stands_still<T>(&self, what: impl FnOnce() -> T) -> T {
        let pid = self.handler_process();
        kill(pid, Signal::SIGSTOP).expect("the handler lives");
        let done = what();
        kill(pid, Signal::SIGCONT).expect("the handler lives");
        done
    }

    /// Does `ask` while the handler does nothing, then kills it: what was asked meets the next one.
    pub fn over_the_death_of_the_handler(&self, ask: impl FnOnce()) {
        let pid = self.handler_process();
        kill(pid, Signal::SIGSTOP).expect("the handler lives");
        ask();
        let mark = self.log().mark();
        kill(pid, Signal::SIGKILL).expect("the handler lives");
        self.log().wait_after(mark, "ready: ");
    }

    /// The worker of a session.
    pub fn worker_of(&self, who: &str) -> Pid {
        let rows = self.ctl(&["sessions", "list"]);
        let row = rows.as_array().and_then(|rows| rows.iter().find(|row| row["who"] == who)).expect("a session");
        Pid::from_raw(row["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).expect("a process id"))
    }

    /// The worker of the one client that there is.
    pub fn only_worker(&self) -> Process {
        // Not by its title, which it may not have shown yet.
        let workers = self.workers();
        let [(pid, _)] = &workers[..] else { panic!("not one worker: {workers:?}") };
        Process(Pid::from_raw(i32::try_from(*pid).expect("a process id")))
    }

    /// Process id and version of each worker, the oldest connection first.
    pub fn workers(&self) -> Vec<(i64, String)> {
        let list = self.ctl(&["sessions", "list"]);
        let row = |row: &Value| Some((row["pid"].as_i64()?, row["version"].as_str()?.to_owned()));
        list.as_array().expect("a list").iter().map(|one| row(one).expect("a worker")).collect()
    }

    /// Kills the handler so often, each time after `between` further answers of which `answered` tells; then waits for the
    /// rest.
    pub fn kill_handler_while_they_work(&self, answered: &Receiver<()>, times: usize, between: usize) {
        for _ in 0..times {
            if answered.iter().take(between).count() < between {
                return;
            }
            self.kill_handler_at_work();
        }
        answered.iter().for_each(drop);
    }

    /// A client leaves; gives when its worker is gone and nothing counts it any more.
    pub fn see_off(&self, client: Wire) {
        let address = client.stream.local_addr().expect("an address");
        drop(client);
        self.log().wait(&format!("{address}: Disconnected"));
    }

    /// What the operator types at a terminal: `ssmglobal ctl WORDS`.
    pub fn operator(&self, words: &[&str]) -> Output {
        run(&mut self.ctl_command(words), b"")
    }

    /// The operator grants a licence for a world of this player's; gives the hosting password.
    pub fn world(&self, name: &str, owner: &str) -> String {
        self.ctl(&["world", "add", name, owner])["password"].as_str().expect("a password").to_owned()
    }

    /// Another version of the program takes over.
    pub fn upgrade_to(&self, version: &str) -> Value {
        let path = self.file(version);
        program_of_version(version, &path);
        self.ctl(&["upgrade", "--binary", path.to_str().expect("a path")])
    }

    /// Writes another config file, and waits until it was read again.
    pub fn reload(&self, lines: &str) {
        let mark = self.log().mark();
        self.write_config(lines);
        self.signal(Signal::SIGHUP);
        self.log().wait_after(mark, "settings were read again");
    }

    /// A board that adds up what players submit; higher is better.
    pub fn sum_board(&self, name: &str) {
        let words = ["--unit", "points", "--better", "higher", "--operator", "sum", "--submit", "players"];
        self.ctl(&[&["board", "define", name][..], &words].concat());
    }

    /// A board that players may submit to; lower is better.
    pub fn board(&self, name: &str) {
        self.ctl(&["board", "define", name, "--unit", "ms", "--better", "lower", "--submit", "players"]);
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
