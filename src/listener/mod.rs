//! The listener: accepts connections, forks a worker for each, starts the handler and starts it again when it dies.
//!
//! One thread, and as little as possible in it: it parses nothing that comes from the network, holds no secret and no
//! database, and the number of its descriptors does not grow with its clients.

mod children;
mod doors;
mod handler;
mod lock;
mod penalties;
pub mod source;
mod stop;
mod users;

use crate::print;
use children::{Children, Place, Refusal};
use doors::{Doors, greeting};
use handler::Handler;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use penalties::Penalties;
use source::{Asked, Found};
use ssmglobal_config::{DoorMode, Settings, network, shown};
use ssmglobal_ipc::control::ToHandler;
use ssmglobal_ipc::{Mode, Time, WorkerEnd};
use ssmglobal_sys::{Caught, ExitSignal, Forked, Signals, Title};
use ssmglobal_worker::sandbox::Sandbox;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const SIGNALS: Token = Token(0);
const CONTROL: Token = Token(1);
/// Doors have numbers from here on.
const FIRST_DOOR: usize = 2;

/// Starts of the first handler: the one of a listener that was killed may need a moment to let go of the database.
const FIRST_TRIES: u32 = 4;

/// Connections taken from one door before the others get their turn.
const TURN: usize = 64;

/// Runs the backend; this process is its listener until it ends. `args` is the command line, for SIGHUP.
pub fn run(found: Found, args: Vec<OsString>) -> ExitCode {
    match Listener::start(found, args).map(Box::new).and_then(|mut listener| listener.serve()) {
        Ok(code) => code,
        Err(error) => {
            print::note(&format!("ssmglobal: not started: {error}"));
            ExitCode::FAILURE
        }
    }
}

struct Listener {
    settings: Settings,
    args: Vec<OsString>,
    doors: Doors,
    children: Children,
    penalties: Penalties,
    sandbox: Sandbox,
    handler: Handler,
    signals: Signals,
    poll: Poll,
    /// Made here once: what a worker does not have to allocate is not copied for it.
    worker_events: Events,
    /// Doors that have more connections waiting than one turn takes.
    unfinished: Vec<usize>,
    announced: bool,
    /// What to say once in the log.
    notes: Vec<(u8, String)>,
    file: Option<PathBuf>,
}

impl Listener {
    #[inline(never)]
    fn start(found: Found, args: Vec<OsString>) -> io::Result<Listener> {
        let Found { settings, users, file, mut notes } = found;
        raise_descriptors();
        users::make_directories(&settings, &users)?;
        // SIGUSR1 is for the workers, who inherit this.
        let signals = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGUSR1];
        ssmglobal_sys::default_signals(&[Signal::SIGPIPE])?;
        let signals = Signals::catch_with_children(&signals)?;
        // The descriptors that workers keep come first, so that the others lie together.
        let sandbox = lock::prepare(&settings, &users, &mut notes);
        let handler = Handler::new(users.handler())?;
        let poll = Poll::new()?;
        let doors = Doors::open(&settings)?;
        let both = Interest::READABLE;
        poll.registry().register(&mut SourceFd(&signals.as_raw_fd()), SIGNALS, both)?;
        Ok(Listener {
            settings,
            args,
            doors,
            children: Children::default(),
            penalties: Penalties::default(),
            sandbox,
            handler,
            signals,
            poll,
            worker_events: Events::with_capacity(16),
            unfinished: Vec::new(),
            announced: false,
            notes,
            file,
        })
    }

    fn serve(&mut self) -> io::Result<ExitCode> {
        Title::wipe();
        Title::set(format_args!("ssmglobal: listener"));
        self.start_handler();
        let mut events = Events::with_capacity(32);
        loop {
            let now = Instant::now();
            let timeout = match self.unfinished.is_empty() {
                true => self.handler.start_at().map(|at| at.saturating_duration_since(now)),
                false => Some(Duration::ZERO),
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
                    // Room for more is used at the end of the turn.
                    CONTROL if !event.is_readable() => {}
                    CONTROL => {
                        if let Some(code) = self.on_control() {
                            return Ok(code);
                        }
                    }
                    Token(token) => {
                        let door = token - FIRST_DOOR;
                        if !self.unfinished.contains(&door) {
                            self.unfinished.push(door);
                        }
                    }
                }
            }
            for index in (0..self.unfinished.len()).rev() {
                let Some(&door) = self.unfinished.get(index) else { break };
                if !self.accept(door) {
                    self.unfinished.swap_remove(index);
                }
            }
            self.handler.flush(&self.children, self.settings.limits.clients, self.poll.registry(), CONTROL);
        }
    }

    #[inline(never)]
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
    #[inline(never)]
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

    fn admit(&mut self, door: usize, mut client: mio::net::TcpStream, address: SocketAddr) {
        let Some(opened) = self.doors.get(door) else { return };
        let place = Place { door: opened.number, address };
        if self.children.count() >= self.settings.limits.clients {
            self.reap_forgotten();
        }
        let Some(opened) = self.doors.get(door) else { return };
        let penalty = self.penalties.wait(address.ip(), Instant::now());
        let penalty = penalty.map(|wait| Refusal::Penalty(wait.as_secs_f64().ceil() as u64));
        let refusal = || self.children.refusal(&place, &opened.door, self.settings.limits.clients);
        if let Some(refusal) = penalty.or_else(refusal) {
            // A client that is refused may miss the reason; nothing waits for it.
            let _ = client.write_all(refusal.line(opened.door.mode).as_bytes());
            self.handler.log(3, format!("{}: {}", shown(address), refusal.why()));
            return;
        }
        if let Some(greeting) = greeting(opened.door.mode) {
            // 57 bytes into an empty socket always fit; a client that is gone already is noticed by its worker.
            let _ = client.write_all(greeting);
        }
        // Whatever is done before the fork is done in memory that is there already.
        let mode = match opened.door.mode {
            DoorMode::Ask => Mode::Ask,
            DoorMode::Human => Mode::Human,
            DoorMode::Client => Mode::Client,
            DoorMode::Server => Mode::Server,
        };
        let title = ssmglobal_worker::title(address.ip().to_canonical(), mode, "");
        let session = self.children.next_session();
        match ssmglobal_sys::fork(ExitSignal::Queued) {
            Ok(Forked::Child) => {
                title.show();
                self.become_worker(door, mode, client, address, session)
            }
            Ok(Forked::Parent(pid)) => {
                let at = Time::now();
                self.children.add(pid, session, place, at);
                let client = children::client(pid, session, &place, at);
                let (count, max) = (self.children.count(), self.settings.limits.clients);
                self.handler.tell(&ToHandler::Joined { client, count, max });
            }
            Err(error) => {
                let _ = client.write_all(Refusal::Full.line(opened.door.mode).as_bytes());
                self.handler.log(1, format!("{}: no worker can be made: {error}", shown(address)));
            }
        }
    }

    /// What the child does after the fork: it keeps its client, the way to the front desk, and the signals as they are:
    /// blocked, and told by a descriptor that speaks to each process of its own ones. SIGINT and SIGHUP are the
    /// listener's business; a worker never takes them out.
    fn become_worker(
        &mut self,
        door: usize,
        mode: Mode,
        client: mio::net::TcpStream,
        address: SocketAddr,
        session: u64,
    ) -> ! {
        let desk = self.handler.desk();
        let [null, root, ruleset] = self.sandbox.descriptors();
        let mut keep = [client.as_raw_fd(), desk.as_raw_fd(), self.signals.as_raw_fd(), null, root, ruleset];
        keep.sort_unstable();
        ssmglobal_sys::close_others(&keep);
        let end = match (self.doors.get(door), self.sandbox.enter()) {
            (Some(opened), Ok(())) => {
                let given = ssmglobal_worker::Given {
                    client,
                    address,
                    session,
                    desk,
                    signals: &self.signals,
                    mode,
                    door: &opened.door,
                    settings: &self.settings,
                    events: &mut self.worker_events,
                };
                ssmglobal_worker::run(given)
            }
            (Some(_), Err(_)) => WorkerEnd::NOT_LOCKED,
            (None, _) => WorkerEnd::REFUSED,
        };
        ssmglobal_sys::exit_now(end.0)
    }

    #[inline(never)]
    fn on_signals(&mut self) -> io::Result<Option<ExitCode>> {
        while let Some(caught) = self.signals.next_caught()? {
            match caught {
                Caught::Child(pid) => {
                    if let Some(code) = self.reap(pid) {
                        return Ok(Some(code));
                    }
                }
                Caught::Signal(Signal::SIGHUP) => self.reload(),
                Caught::Signal(Signal::SIGUSR1) => {}
                Caught::Signal(_) => return stop::stop(self).map(Some),
            }
        }
        Ok(None)
    }

    /// Takes note of a child that has ended.
    fn reap(&mut self, pid: Pid) -> Option<ExitCode> {
        if self.children.has(pid) {
            let status = ended_with(pid)?;
            self.child_ended(pid, status);
            return None;
        }
        // The handler, or a reader of settings whose signal may have hidden the handler's.
        let status = ended_with(self.handler.pid()?)?;
        self.handler_ended(status)
    }

    /// Looks for workers whose end nobody was told of: the kernel queues only so many signals.
    fn reap_forgotten(&mut self) {
        for pid in self.children.pids().collect::<Vec<_>>() {
            if let Some(status) = ended_with(pid) {
                self.child_ended(pid, status);
            }
        }
    }

    fn child_ended(&mut self, pid: Pid, status: i32) {
        if let Some(place) = self.children.remove(pid) {
            self.punish(place.address, WorkerEnd(status));
            let (count, max) = (self.children.count(), self.settings.limits.clients);
            self.handler.tell(&ToHandler::Exited { pid: pid.as_raw(), status, count, max });
        }
    }

    /// What a worker's end costs its client's address.
    fn punish(&mut self, address: SocketAddr, end: WorkerEnd) {
        let limits = &self.settings.limits;
        let [first, longest] = [limits.penalty_seconds, limits.penalty_max_seconds].map(Duration::from_secs);
        let rule = penalties::Rule { first, longest };
        if let Some(wait) = self.penalties.ended(address.ip(), end, Instant::now(), rule) {
            let (address, seconds) = (network(address.ip()), wait.as_secs());
            self.handler.log(2, format!("{address}: nothing is taken from there for {seconds} s: {end}"));
        }
    }

    fn handler_ended(&mut self, status: i32) -> Option<ExitCode> {
        // Its last words may still lie in the socket.
        let said = self.handler.read();
        self.handler.died(Instant::now());
        if let Some(code) = self.on_said(said) {
            return Some(code);
        }
        if !self.announced && self.handler.failures() >= FIRST_TRIES {
            // A supervisor that wants it tried again knows better when.
            print::note(&format!("ssmglobal: not started: the handler has ended ({})", ended(status)));
            return Some(ExitCode::FAILURE);
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

    #[inline(never)]
    fn on_control(&mut self) -> Option<ExitCode> {
        let said = self.handler.read();
        self.on_said(said)
    }

    fn on_said(&mut self, said: Vec<handler::Said>) -> Option<ExitCode> {
        for message in said {
            match message {
                handler::Said::Ready => self.ready(),
                handler::Said::Wake(pid) => {
                    if self.children.has(pid) {
                        let _ = nix::sys::signal::kill(pid, Signal::SIGUSR1);
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
    #[inline(never)]
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
        Title::set(format_args!("ssmglobal: listener {}", self.doors.describe()));
        self.announce();
        // Not asked for by a supervisor: nothing to tell.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    }

    #[inline(never)]
    fn announce(&self) {
        let data = std::path::absolute(&self.settings.data).unwrap_or_else(|_| self.settings.data.clone());
        let (host, port) = self.doors.main_address();
        let settings = match &self.file {
            Some(file) => file.display().to_string(),
            None => "the defaults (config/ssmglobal.toml is the commented example)".to_owned(),
        };
        print::note(&format!(
            "ssmglobal {} is ready.\n  listening on  {}\n  data in       {}\n  settings      {settings}\n  \
             try it        telnet {host} {port}   then type: MODE HUMAN\n  \
             look after it ssmglobal ctl status   (Ctrl-C here ends it)",
            env!("CARGO_PKG_VERSION"),
            self.doors.describe(),
            data.display(),
        ));
    }

    /// Reads the settings again. What cannot be changed while it runs is said; what is wrong changes nothing.
    #[inline(never)]
    fn reload(&mut self) {
        let found = match source::read(&self.args) {
            Ok(Asked::Run(found)) => *found,
            Ok(_) => return self.handler.log(1, "settings not changed: something is wrong with them".to_owned()),
            Err(error) => return self.handler.log(1, format!("settings not changed: {error}")),
        };
        for (level, note) in found.notes {
            self.handler.log(level, note);
        }
        let mut settings = found.settings;
        if settings.data != self.settings.data {
            self.handler.log(2, "data: another directory takes a restart".to_owned());
            settings.data.clone_from(&self.settings.data);
        }
        if settings.processes != self.settings.processes {
            self.handler.log(2, "processes: other users, or another sandbox, take a restart".to_owned());
            settings.processes.clone_from(&self.settings.processes);
        }
        self.sandbox.reload(&settings);
        let changed = self.settings.changed(&settings);
        if let Err(error) = self.doors.change(&settings, self.poll.registry(), FIRST_DOOR) {
            self.handler.log(1, format!("doors not changed: {error}"));
        }
        self.settings = settings;
        self.handler.reload(&self.settings);
        let what = if changed.is_empty() { "nothing has changed".to_owned() } else { changed.join(", ") };
        self.handler.log(3, format!("settings were read again: {what}"));
        Title::set(format_args!("ssmglobal: listener {}", self.doors.describe()));
    }
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

/// As many descriptors as the machine allows: the handler, which inherits it, needs one for each linked worker.
fn raise_descriptors() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    for resource in [Resource::RLIMIT_NOFILE, Resource::RLIMIT_SIGPENDING] {
        if let Ok((_, hard)) = getrlimit(resource) {
            // Raising it up to the hard limit is always allowed.
            let _ = setrlimit(resource, hard, hard);
        }
    }
}

/// How a child that has ended did so: its exit code, or the negated signal; nothing when it has not.
fn ended_with(pid: Pid) -> Option<i32> {
    match waitpid(pid, Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL)) {
        Ok(WaitStatus::Exited(_, code)) => Some(code),
        Ok(WaitStatus::Signaled(_, signal, _)) => Some(-(signal as i32)),
        _ => None,
    }
}
