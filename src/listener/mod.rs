//! The listener: accepts connections, forks a worker for each, starts the handler and starts it again when it dies.
//!
//! One thread, and as little as possible in it: it parses nothing that comes from the network, holds no secret and no
//! database, and the number of its descriptors does not grow with its clients.

mod adopt;
mod children;
mod cradle;
mod doors;
mod handler;
mod handover;
mod lock;
mod penalties;
pub mod resume;
pub mod source;
mod start;
mod stop;
pub mod upgrade;
mod users;
mod watchdog;

use crate::print;
use children::{Children, Place, Refusal};
use cradle::Cradle;
use doors::{Doors, greeting};
use handler::{Handler, Told};
use mio::{Events, Poll, Token};
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
use upgrade::{Asker, Upgrade};
use watchdog::Watchdog;

const SIGNALS: Token = Token(0);
const CONTROL: Token = Token(1);
/// A handler that is not a child of this process has ended.
const HANDLER_END: Token = Token(2);
/// Doors have numbers from here on.
const FIRST_DOOR: usize = 3;

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

/// What the handler is told of; a macro, because the handler itself is borrowed beside it.
macro_rules! told {
    ($listener:ident) => {
        Told {
            children: &$listener.children,
            doors: &$listener.doors,
            cradle: &$listener.cradle,
            settings: &$listener.settings,
        }
    };
}

struct Listener {
    settings: Settings,
    args: Vec<OsString>,
    /// The file that the next program is started from, if no other is named.
    program: PathBuf,
    upgrade: Option<Upgrade>,
    watchdog: Watchdog,
    doors: Doors,
    children: Children,
    penalties: Penalties,
    sandbox: Sandbox,
    cradle: Cradle,
    handler: Handler,
    signals: Signals,
    poll: Poll,
    /// Made here once: what a worker does not have to allocate is not copied for it.
    worker_events: Events,
    /// Doors that have more connections waiting than one turn takes.
    unfinished: Vec<usize>,
    /// Connections are taken.
    opened: bool,
    announced: bool,
    /// What to say once in the log.
    notes: Vec<(u8, String)>,
    file: Option<PathBuf>,
}

impl Listener {
    fn serve(&mut self) -> io::Result<ExitCode> {
        Title::wipe();
        Title::set(format_args!("ssmglobal: listener"));
        if self.handler.pid().is_none() {
            self.start_handler();
        }
        let mut events = Events::with_capacity(32);
        loop {
            let timeout = match self.unfinished.is_empty() {
                true => self.deadline().map(|at| at.saturating_duration_since(Instant::now())),
                false => Some(Duration::ZERO),
            };
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            if self.deadline().is_some_and(|at| at <= Instant::now()) {
                self.on_deadline();
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
                    HANDLER_END => {
                        if self.handler.has_ended()
                            && let Some(code) = self.handler_ended(None)
                        {
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
            self.flush();
        }
    }

    /// When something is to be done that nobody will tell of.
    fn deadline(&self) -> Option<Instant> {
        let handler = self.handler.start_at().into_iter().chain(self.handler.ends_by());
        handler.chain(self.upgrade_until()).chain(self.watchdog.at()).min()
    }

    #[inline(never)]
    fn on_deadline(&mut self) {
        let now = Instant::now();
        if self.handler.ends_by().is_some_and(|at| at <= now) {
            print::note("ssmglobal: the handler does not end; it is killed. What was acknowledged is saved.");
            self.handler.kill();
        }
        if self.handler.start_at().is_some_and(|at| at <= now) {
            self.start_handler();
        }
        if self.upgrade_until().is_some_and(|at| at <= now) {
            self.give_up_check();
        }
        self.watchdog.tell(self.handler.serves(), now);
    }

    /// Writes what waits for the handler.
    fn flush(&mut self) {
        let told = told!(self);
        self.handler.flush(&told, self.poll.registry(), CONTROL);
    }

    /// Tells a handler that was adopted what every handler is told first.
    fn greet(&mut self) {
        let told = told!(self);
        self.handler.greet(&told, self.poll.registry(), CONTROL);
    }

    /// Lets the handler end, for the next one to start.
    fn drain_handler(&mut self) {
        let told = told!(self);
        self.handler.drain(&told, self.poll.registry(), CONTROL);
    }

    #[inline(never)]
    fn start_handler(&mut self) {
        let told = told!(self);
        match self.handler.start(&told, self.poll.registry(), CONTROL) {
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
                Ok(Some((client, address))) => {
                    self.cradle.put(&client);
                    self.admit(door, client, address, false);
                    self.cradle.clear();
                }
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

    /// Makes a worker for a connection, which may have been greeted already.
    fn admit(&mut self, door: usize, mut client: mio::net::TcpStream, address: SocketAddr, greeted: bool) {
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
        if let Some(greeting) = greeting(opened.door.mode).filter(|_| !greeted) {
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
                drop(client);
                let at = Time::now();
                self.children.add(pid, session, place, at);
                let client = children::client(pid, session, &place, at);
                let (count, max) = (self.children.count(), self.settings.limits.clients);
                self.handler.tell(&ToHandler::Joined { client, count, max });
                // At once: should this process be killed, the handler is the only one to know.
                self.flush();
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
                Caught::Children(pid) => {
                    if let Some(code) = self.reap_several(pid) {
                        return Ok(Some(code));
                    }
                }
                Caught::Signal(Signal::SIGHUP) => self.reload(),
                Caught::Signal(Signal::SIGUSR1) => {}
                Caught::Signal(Signal::SIGUSR2) => self.upgrade(None, Asker::new(None)),
                Caught::Signal(_) => return stop::stop(self).map(Some),
            }
        }
        Ok(None)
    }

    /// Takes note of a child that has ended.
    fn reap(&mut self, pid: Pid) -> Option<ExitCode> {
        let status = ended_with(pid)?;
        self.ended(pid, status)
    }

    /// Takes note of a child that has ended, and of all others whose signal this one may have hidden.
    #[inline(never)]
    fn reap_several(&mut self, pid: Pid) -> Option<ExitCode> {
        if self.children.has_elders() {
            while let Some((pid, status)) = any_ended() {
                if let Some(code) = self.ended(pid, status) {
                    return Some(code);
                }
            }
            return None;
        }
        let others = [Some(pid), self.handler.pid(), self.checker()];
        others.into_iter().flatten().find_map(|pid| self.reap(pid))
    }

    /// A child has ended in this way.
    fn ended(&mut self, pid: Pid, status: i32) -> Option<ExitCode> {
        if self.handler.is(pid) {
            return self.handler_ended(Some(status));
        }
        match self.checker() == Some(pid) {
            true => self.check_ended(status),
            false => self.child_ended(pid, status),
        }
        None
    }

    /// Looks for workers whose end nobody was told of: the kernel queues only so many signals.
    fn reap_forgotten(&mut self) {
        for pid in self.children.pids().collect::<Vec<_>>() {
            if let Some(status) = ended_with(pid) {
                self.child_ended(pid, status);
            } else if self.children.has_ended(pid) {
                self.child_ended(pid, 0);
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

    /// The handler has ended; how is not known of one that another listener has started.
    fn handler_ended(&mut self, status: Option<i32>) -> Option<ExitCode> {
        // Its last words may still lie in the socket.
        let said = self.handler.read();
        let asked = self.handler.ends_by().is_some();
        self.handler.died(Instant::now());
        if let Some(code) = self.on_said(said) {
            return Some(code);
        }
        if asked {
            self.start_handler();
            return None;
        }
        if !self.opened && self.handler.failures() >= FIRST_TRIES {
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
                        self.children.signal(pid, Signal::SIGUSR1);
                    }
                }
                handler::Said::Gone(pid) => {
                    if self.children.is_foundling(pid) {
                        self.child_ended(pid, 0);
                    }
                }
                handler::Said::Found(client, started) => {
                    self.children.found(client.clone(), started);
                    let (count, max) = (self.children.count(), self.settings.limits.clients);
                    // The list that the handler was given first may have crossed its word.
                    self.handler.tell(&ToHandler::Joined { client, count, max });
                }
                handler::Said::Upgrade(program, asker) => self.upgrade(program, Asker::new(asker)),
                handler::Said::Fatal(msg) => {
                    print::note(&format!("ssmglobal: {msg}"));
                    print::note("ssmglobal: stopped, because starting again would not help");
                    return Some(stop::stop(self).map_or(ExitCode::FAILURE, |_| ExitCode::FAILURE));
                }
            }
        }
        None
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

fn ended(status: Option<i32>) -> String {
    let Some(status) = status else { return "nobody knows how".to_owned() };
    match Signal::try_from(-status) {
        Ok(signal) if status < 0 => format!("killed by {signal}"),
        _ => format!("exit code {status}"),
    }
}

fn in_seconds(seconds: u64) -> String {
    if seconds == 0 { " at once".into() } else { format!(" in {seconds} seconds") }
}

/// How a child that has ended did so: its exit code, or the negated signal; nothing when it has not.
fn ended_with(pid: Pid) -> Option<i32> {
    waited(pid).map(|(_, status)| status)
}

/// Some child that has ended, and how.
fn any_ended() -> Option<(Pid, i32)> {
    waited(Pid::from_raw(-1))
}

fn waited(pid: Pid) -> Option<(Pid, i32)> {
    match waitpid(pid, Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL)) {
        Ok(WaitStatus::Exited(pid, code)) => Some((pid, code)),
        Ok(WaitStatus::Signaled(pid, signal, _)) => Some((pid, -(signal as i32))),
        _ => None,
    }
}
