//! The listener: accepts connections, forks a worker for each, starts the handler and starts it again when it dies.
//!
//! One thread, and as little as possible in it: it parses nothing that comes from the network, holds no secret and no
//! database, and the number of its descriptors does not grow with its clients.

mod children;
mod doors;
mod handler;
mod stop;

use crate::print;
use children::{Children, Place};
use doors::{Doors, greeting};
use handler::Handler;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use ssmglobal_config::{DoorMode, Loaded, Overrides, Settings, environment, load};
use ssmglobal_ipc::control::{Child, ToHandler};
use ssmglobal_ipc::{Mode, Time};
use ssmglobal_sys::{Forked, Signals, Title};
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

const SIGNALS: Token = Token(0);
const CONTROL: Token = Token(1);
/// Doors have numbers from here on.
const FIRST_DOOR: usize = 2;

/// Connections taken from one door before the others get their turn.
const TURN: usize = 64;

/// What the settings were made from, to make them again on SIGHUP.
pub struct Source {
    /// The file named on the command line.
    pub file: Option<PathBuf>,
    /// Options of the command line.
    pub overrides: Overrides,
}

/// Runs the backend; this process is its listener until it ends.
pub fn run(loaded: Loaded, source: Source) -> ExitCode {
    match Listener::start(loaded, source).and_then(|mut listener| listener.serve()) {
        Ok(code) => code,
        Err(error) => {
            print::note(&format!("ssmglobal: not started: {error}"));
            ExitCode::FAILURE
        }
    }
}

struct Listener {
    settings: Settings,
    source: Source,
    doors: Doors,
    children: Children,
    handler: Handler,
    signals: Signals,
    poll: Poll,
    /// Doors that have more connections waiting than one turn takes.
    unfinished: Vec<usize>,
    announced: bool,
    /// What to say once in the log.
    notes: Vec<(u8, String)>,
    file: Option<PathBuf>,
}

impl Listener {
    fn start(loaded: Loaded, source: Source) -> io::Result<Listener> {
        let Loaded { settings, file, warnings, notes } = loaded;
        let limit = raise_descriptors();
        let mut lines: Vec<(u8, String)> = notes.into_iter().map(|note| (3, note)).collect();
        let warnings = warnings.into_iter().chain(ssmglobal_config::advice(&settings, limit));
        lines.extend(warnings.map(|warning| (2, warning.to_string())));
        make_directories(&settings)?;
        let signals = [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];
        ssmglobal_sys::default_signals(&[Signal::SIGPIPE])?;
        let signals = Signals::catch(&signals)?;
        let poll = Poll::new()?;
        let doors = Doors::open(&settings)?;
        let both = Interest::READABLE;
        poll.registry().register(&mut SourceFd(&signals.as_raw_fd()), SIGNALS, both)?;
        let handler = Handler::new()?;
        Ok(Listener {
            settings,
            source,
            doors,
            children: Children::default(),
            handler,
            signals,
            poll,
            unfinished: Vec::new(),
            announced: false,
            notes: lines,
            file,
        })
    }

    fn serve(&mut self) -> io::Result<ExitCode> {
        Title::set("ssmglobal: listener");
        self.start_handler();
        let mut events = Events::with_capacity(256);
        loop {
            let now = Instant::now();
            let timeout = match self.unfinished.is_empty() {
                true => self.handler.start_at().map(|at| at.saturating_duration_since(now)),
                false => Some(std::time::Duration::ZERO),
            };
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            if self.handler.start_at().is_some_and(|at| at <= Instant::now()) {
                self.start_handler();
            }
            for event in &events {
                match event.token() {
                    SIGNALS => {
                        if let Some(code) = self.on_signals()? {
                            return Ok(code);
                        }
                    }
                    CONTROL => {
                        if let Some(code) = self.on_control() {
                            return Ok(code);
                        }
                    }
                    Token(token) => self.unfinished.push(token - FIRST_DOOR),
                }
            }
            for door in std::mem::take(&mut self.unfinished) {
                if self.accept(door) {
                    self.unfinished.push(door);
                }
            }
            self.handler.flush(&self.children, self.settings.limits.clients);
        }
    }

    fn start_handler(&mut self) {
        match self.handler.start(&self.settings, &self.children, self.poll.registry(), CONTROL) {
            Ok(()) => {}
            Err(error) => {
                print::note(&format!("ssmglobal: the handler cannot be started, it will be tried again: {error}"));
                self.handler.died(Instant::now());
            }
        }
    }

    /// Takes connections from a door; gives whether there may be more.
    fn accept(&mut self, door: usize) -> bool {
        for _ in 0..TURN {
            match self.doors.accept(door) {
                Ok(Some((client, address))) => self.admit(door, client, address),
                Ok(None) => return false,
                Err(error) => {
                    // Out of descriptors or memory: who waits goes on waiting, until a worker ends.
                    self.handler.log(1, format!("no further connection can be taken: {error}"));
                    return false;
                }
            }
        }
        true
    }

    fn admit(&mut self, door: usize, mut client: TcpStream, address: SocketAddr) {
        let Some(opened) = self.doors.get(door) else { return };
        let place = Place { door: opened.number, address };
        if let Some(refusal) = self.children.refusal(&place, &opened.door, self.settings.limits.clients) {
            // A client that is refused may miss the reason; nothing waits for it.
            let _ = client.write_all(refusal.line(opened.door.mode).as_bytes());
            self.handler.log(3, format!("{}: {}", shown(address), refusal.why()));
            return;
        }
        if let Some(greeting) = greeting(opened.door.mode) {
            // 57 bytes into an empty socket always fit; a client that is gone already is noticed by its worker.
            let _ = client.write_all(greeting);
        }
        match ssmglobal_sys::fork() {
            Ok(Forked::Child) => self.become_worker(door, client, address),
            Ok(Forked::Parent(pid)) => {
                let at = Time::now();
                self.children.add(pid, place, at);
                let child = Child { pid: pid.as_raw(), address, at };
                let (count, max) = (self.children.count(), self.settings.limits.clients);
                self.handler.tell(&ToHandler::Forked { child, count, max });
            }
            Err(error) => {
                let _ = client.write_all(children::Refusal::Full.line(opened.door.mode).as_bytes());
                self.handler.log(1, format!("{}: no worker can be made: {error}", shown(address)));
            }
        }
    }

    /// What the child does after the fork: it keeps its client and the way to the front desk, and nothing else.
    fn become_worker(&self, door: usize, client: TcpStream, address: SocketAddr) -> ! {
        let client = OwnedFd::from(client);
        let desk = self.handler.desk();
        let mut keep = [client.as_raw_fd(), desk.as_raw_fd()];
        keep.sort_unstable();
        ssmglobal_sys::close_others(&keep);
        let ended = ssmglobal_sys::default_signals(&[Signal::SIGINT, Signal::SIGHUP, Signal::SIGPIPE]);
        let code = match (ended, self.doors.get(door)) {
            (Ok(()), Some(opened)) => {
                let mode = match opened.door.mode {
                    DoorMode::Ask => Mode::Ask,
                    DoorMode::Human => Mode::Human,
                    DoorMode::Client => Mode::Client,
                    DoorMode::Server => Mode::Server,
                };
                ssmglobal_worker::run(client, address, desk, mode, &opened.door, &self.settings)
            }
            _ => 1,
        };
        ssmglobal_sys::exit_now(code)
    }

    fn on_signals(&mut self) -> io::Result<Option<ExitCode>> {
        while let Some(signal) = self.signals.next_signal()? {
            match signal {
                Signal::SIGCHLD => {
                    if let Some(code) = self.reap() {
                        return Ok(Some(code));
                    }
                }
                Signal::SIGHUP => self.reload(),
                _ => return stop::stop(self).map(Some),
            }
        }
        Ok(None)
    }

    /// Takes note of every child that has ended.
    fn reap(&mut self) -> Option<ExitCode> {
        loop {
            let (pid, status) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, code),
                Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, -(signal as i32)),
                Ok(WaitStatus::StillAlive) | Err(nix::errno::Errno::ECHILD) => return None,
                _ => continue,
            };
            if self.handler.is(pid) {
                if let Some(code) = self.handler_ended(status) {
                    return Some(code);
                }
            } else {
                self.child_ended(pid, status);
            }
        }
    }

    fn child_ended(&mut self, pid: Pid, status: i32) {
        if self.children.remove(pid) {
            let (count, max) = (self.children.count(), self.settings.limits.clients);
            self.handler.tell(&ToHandler::Exited { pid: pid.as_raw(), status, count, max });
        }
    }

    fn handler_ended(&mut self, status: i32) -> Option<ExitCode> {
        // Its last words may still lie in the socket.
        let code = self.on_control();
        self.handler.died(Instant::now());
        if code.is_some() {
            return code;
        }
        let wait = self.handler.start_at().map_or(0, |at| at.saturating_duration_since(Instant::now()).as_secs());
        print::note(&format!(
            "ssmglobal: the handler has ended ({}); it is started again{}",
            ended(status),
            in_seconds(wait)
        ));
        self.handler.log(2, format!("the handler before this one has ended ({})", ended(status)));
        if self.handler.start_at().is_some_and(|at| at <= Instant::now()) {
            self.start_handler();
        }
        None
    }

    fn on_control(&mut self) -> Option<ExitCode> {
        for message in self.handler.read() {
            match message {
                handler::Said::Ready => self.ready(),
                handler::Said::End(pid) => {
                    if self.children.has(pid) {
                        let _ = nix::sys::signal::kill(pid, Signal::SIGTERM);
                    }
                }
                handler::Said::Fatal(msg) => {
                    print::note(&format!("ssmglobal: {msg}"));
                    print::note("ssmglobal: stopped, because starting again would not help");
                    return Some(stop::stop(self).map_or(ExitCode::FAILURE, |_| ExitCode::FAILURE));
                }
            }
        }
        None
    }

    /// The handler serves: from now on connections are taken.
    fn ready(&mut self) {
        for (level, text) in self.notes.drain(..) {
            self.handler.log(level, text);
        }
        if std::mem::replace(&mut self.announced, true) {
            return;
        }
        if let Err(error) = self.doors.register(self.poll.registry(), FIRST_DOOR) {
            print::note(&format!("ssmglobal: the doors cannot be watched: {error}"));
        }
        Title::set(&format!("ssmglobal: listener {}", self.doors.describe()));
        self.announce();
        // Not asked for by a supervisor: nothing to tell.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    }

    fn announce(&self) {
        let data = std::path::absolute(&self.settings.data).unwrap_or_else(|_| self.settings.data.clone());
        let port = self.doors.main_port();
        let settings = match &self.file {
            Some(file) => file.display().to_string(),
            None => "the defaults (config/ssmglobal.toml is the commented example)".to_owned(),
        };
        print::note(&format!(
            "ssmglobal {} is ready.\n  listening on  {}\n  data in       {}\n  settings      {settings}\n  \
             try it        telnet localhost {port}   then type: MODE HUMAN\n  \
             look after it ssmglobal ctl status   (Ctrl-C here ends it)",
            env!("CARGO_PKG_VERSION"),
            self.doors.describe(),
            data.display(),
        ));
    }

    /// Reads the settings again. What cannot be changed while it runs is said; what is wrong changes nothing.
    fn reload(&mut self) {
        let loaded = match load(self.source.file.as_deref(), environment(), &self.source.overrides) {
            Ok(loaded) => loaded,
            Err(problems) => {
                for problem in problems {
                    self.handler.log(1, format!("settings not changed: {problem}"));
                }
                return;
            }
        };
        let mut settings = loaded.settings;
        if settings.data != self.settings.data {
            self.handler.log(2, "data: another directory takes a restart".to_owned());
            settings.data.clone_from(&self.settings.data);
        }
        let changed = self.settings.changed(&settings);
        if let Err(error) = self.doors.change(&settings, self.poll.registry(), FIRST_DOOR) {
            self.handler.log(1, format!("doors not changed: {error}"));
        }
        self.settings = settings;
        self.handler.reload(&self.settings);
        let what = if changed.is_empty() { "nothing has changed".to_owned() } else { changed.join(", ") };
        self.handler.log(3, format!("settings were read again: {what}"));
        Title::set(&format!("ssmglobal: listener {}", self.doors.describe()));
    }
}

fn shown(address: SocketAddr) -> String {
    SocketAddr::new(address.ip().to_canonical(), address.port()).to_string()
}

fn ended(status: i32) -> String {
    match Signal::try_from(-status) {
        Ok(signal) if status < 0 => format!("killed by {signal}"),
        _ => format!("exit code {status}"),
    }
}

fn in_seconds(seconds: u64) -> String {
    if seconds == 0 { " at once".into() } else { format!(" in {seconds} seconds") }
}

/// As many descriptors as the machine allows: the handler, which inherits it, needs one for each linked worker. Gives
/// how many that are.
fn raise_descriptors() -> u64 {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return u64::MAX };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

fn make_directories(settings: &Settings) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let run = settings.data.join("run");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&run).map_err(|error| {
        let msg = format!("the directory {} cannot be made: {error}. Choose another with --data.", run.display());
        io::Error::new(error.kind(), msg)
    })
}
