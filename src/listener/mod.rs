//! The listener: accepts connections, forks a worker for each, starts the handler and starts it again when it dies.
//!
//! One thread, and as little as possible in it: it parses nothing that comes from the network, holds no secret and no
//! database, and the number of its descriptors does not grow with its clients.
//!
//! What it has is defined in files that do not know of it. What it does is here and in those that add to [`Listener`]:
//! start, accept, follow, reap, takeover, resume, stop.

mod accept;
mod adopt;
mod births;
mod children;
mod doors;
mod follow;
mod handler;
mod handover;
mod inheritance;
mod lifeline;
mod lock;
mod moves;
mod naming;
mod penalties;
mod pending;
mod reap;
mod refusal;
mod reload;
pub mod resume;
pub mod source;
mod start;
mod stop;
mod takeover;
pub mod upgrade;
pub mod users;
mod watchdog;
mod zygote;

use crate::print;
use children::Children;
use doors::Doors;
use handler::{Briefing, Handler};
use inheritance::Inheritance;
use lifeline::Lifeline;
use mio::{Poll, Token};
use moves::Moves;
use nix::sys::signal::Signal;
use penalties::Penalties;
use pending::PendingAccept;
use source::Found;
use ssmglobal_config::Settings;
use ssmglobal_ipc::WorkerEnd;
use ssmglobal_ipc::control::ToHandler;
use ssmglobal_sys::{Caught, ChildStack, Happened, Title, Turn, Unforked, UnforkedBox, UnforkedVec, keep_stack};
use std::borrow::Cow;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use upgrade::{Asker, Upgrade};
use watchdog::Watchdog;
use zygote::Nursery;

const SIGNALS: Token = Token(0);
const CONTROL: Token = Token(1);
/// A handler that is not a child of this process has ended.
const HANDLER_END: Token = Token(2);
/// A worker hands over its client.
const MOVES: Token = Token(3);
/// The zygote has something to say.
const ZYGOTE: Token = Token(4);
/// Doors have numbers from here on.
const FIRST_DOOR: usize = 5;

/// Runs the backend; this process is its listener until it ends. `args` is the command line, for SIGHUP.
pub fn run(found: Found, args: Vec<OsString>) -> ExitCode {
    match keep_stack(|| Listener::start(found, args)?.serve_unforked()) {
        Ok(code) => code,
        Err(error) => {
            print::note(&format!("ssmglobal: not started: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// What the handler is told of; a macro, because the handler itself is borrowed beside it.
macro_rules! briefing {
    ($listener:ident) => {
        Briefing {
            children: &$listener.children,
            doors: &$listener.doors,
            pending_accept: &$listener.pending_accept,
            moves: &$listener.moves,
            lifeline: &$listener.lifeline,
            settings: &$listener.inherited.settings,
        }
    };
}

/// In memory that workers do not get, but for what they inherit.
struct Listener {
    inherited: Box<Inheritance>,
    child_stack: ChildStack,
    nursery: Nursery,
    /// Nothing was taken from the heap since its free blocks were used up.
    settled: bool,
    args: Vec<OsString>,
    /// The file that the next program is started from, if no other is named.
    program: PathBuf,
    upgrade: Option<Upgrade>,
    watchdog: Watchdog,
    doors: Doors,
    children: Children,
    penalties: Penalties,
    pending_accept: PendingAccept,
    moves: Moves,
    lifeline: Lifeline,
    handler: Handler,
    poll: Poll,
    /// Doors that have more connections waiting than one turn takes.
    unfinished: UnforkedVec<usize>,
    /// Doors behind a proxy where connections wait until others have said who their clients are.
    held_up: UnforkedVec<usize>,
    /// Connections are taken.
    opened: bool,
    announced: bool,
    /// What to say once in the log.
    notes: Vec<(u8, String)>,
    file: Option<PathBuf>,
    /// What people read first in place of what the settings say.
    welcome: Option<String>,
}

impl Listener {
    /// `ps` shows where it listens, as soon as it does: one that has taken over has doors from the beginning.
    fn show_title(&self) {
        let doors = self.doors.describe();
        Title::set(format_args!("ssmglobal: listener{}{doors}", if doors.is_empty() { "" } else { " " }));
    }

    /// Serves from memory that no worker gets.
    fn serve_unforked(self) -> io::Result<ExitCode> {
        UnforkedBox::new_in(self, Unforked).serve()
    }

    fn serve(&mut self) -> io::Result<ExitCode> {
        Title::wipe();
        self.show_title();
        if self.handler.pid().is_none() {
            self.start_handler();
        }
        let mut turn = Turn::new();
        loop {
            let timeout = match self.unfinished.is_empty() && !self.moves.waiting {
                true => self.deadline().map(|at| at.saturating_duration_since(Instant::now())),
                false => Some(Duration::ZERO),
            };
            turn.wait(&self.poll, timeout)?;
            if self.deadline().is_some_and(|at| at <= Instant::now()) {
                self.on_deadline();
            }
            for Happened { token, readable } in turn.happened() {
                match Token(token) {
                    SIGNALS => {
                        if let Some(code) = self.on_signals()? {
                            return Ok(code);
                        }
                    }
                    // Room for more is used at the end of the turn.
                    CONTROL if !readable => {}
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
                    MOVES => self.moves.waiting = true,
                    ZYGOTE => self.on_zygote(),
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
            if self.moves.waiting {
                self.moves.waiting = self.take_moves();
            }
            self.flush();
        }
    }

    /// When something is to be done that nobody will tell of.
    fn deadline(&self) -> Option<Instant> {
        let handler = self.handler.start_at().into_iter().chain(self.handler.ends_by());
        let moves = handler.chain(self.moves.notify_at()).chain(self.upgrade_until());
        moves.chain(self.watchdog.at()).chain(self.nursery.overdue_at()).min()
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
        if self.moves.notify_at().is_some_and(|at| at <= now) {
            self.notify_next();
        }
        if self.upgrade_until().is_some_and(|at| at <= now) {
            self.give_up_check();
        }
        // Its word may be about to come.
        self.take_born();
        if self.nursery.overdue_at().is_some_and(|at| at <= now) {
            self.end_zygote(None);
        }
        self.watchdog.tell(now);
    }

    /// Writes what waits for the handler.
    fn flush(&mut self) {
        let briefing = briefing!(self);
        self.handler.flush(&briefing, self.poll.registry(), CONTROL);
    }

    /// Tells a handler that was adopted what every handler is told first.
    fn greet(&mut self) {
        let briefing = briefing!(self);
        self.handler.greet(&briefing, self.poll.registry(), CONTROL);
    }

    /// Lets the handler end, for the next one to start.
    fn drain_handler(&mut self) {
        let briefing = briefing!(self);
        self.handler.drain(&briefing, self.poll.registry(), CONTROL);
    }

    #[inline(never)]
    fn start_handler(&mut self) {
        let briefing = briefing!(self);
        match self.handler.start(&briefing, self.poll.registry(), CONTROL) {
            Ok(()) => {}
            Err(error) => {
                print::note(&format!("ssmglobal: the handler cannot be started, it will be tried again: {error}"));
                self.handler.died(Instant::now());
            }
        }
    }

    #[inline(never)]
    fn on_signals(&mut self) -> io::Result<Option<ExitCode>> {
        while let Some(caught) = self.inherited.signals.next_caught()? {
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
                Caught::Signal(Signal::SIGHUP) => drop(self.reload()),
                Caught::Signal(Signal::SIGUSR1) => {}
                Caught::Signal(Signal::SIGUSR2) => self.upgrade(None, Asker::new(None)),
                Caught::Signal(_) => return self.stop().map(Some),
            }
            // As at the doors: a call that fails writes down why.
            if !ssmglobal_sys::is_readable(&self.inherited.signals) {
                break;
            }
        }
        Ok(None)
    }

    #[inline(never)]
    fn on_control(&mut self) -> Option<ExitCode> {
        let said = self.handler.read();
        let code = self.on_said(said);
        if code.is_none() && self.handler.is_dying() {
            self.handler.give_up();
            self.start_handler();
        }
        code
    }

    fn on_said(&mut self, said: Vec<handler::Said>) -> Option<ExitCode> {
        for message in said {
            match message {
                handler::Said::Ready => self.ready(),
                // Every handler says it, and seldom is it another one.
                handler::Said::Welcome(text) if self.welcome == text => {}
                handler::Said::Welcome(text) => {
                    self.renew_zygote();
                    self.welcome = text;
                    self.doors.welcome(&at_doors(&self.inherited.settings, self.welcome.as_deref()));
                }
                handler::Said::Wake(pid) => {
                    if self.children.has(pid) {
                        self.children.signal(pid, Signal::SIGUSR1);
                    }
                }
                handler::Said::Gone(pid) => {
                    if self.children.is_adopted(pid) {
                        self.child_ended(pid, WorkerEnd::UNSEEN.0);
                    }
                }
                handler::Said::Found(client, started) => {
                    self.children.found(client.clone(), started, 0);
                    // The list that the handler was given first may have crossed its word.
                    self.tell_joined(client);
                }
                handler::Said::WhoIsBlocked(asker) => {
                    let blocked = self.penalties.waiting(Instant::now());
                    self.handler.tell(&ToHandler::AllBlocked { asker, blocked });
                }
                handler::Said::LetIn(asker, address) => {
                    let count = self.penalties.forgive(address, Instant::now());
                    self.handler.tell(&ToHandler::LetIn { asker, count });
                }
                handler::Said::Upgrade(program, asker) => self.upgrade(program, Asker::new(asker)),
                handler::Said::Reload(operator) => {
                    let (wrong, reloaded) = self.reload();
                    self.handler.tell(&ToHandler::Reloaded { operator, wrong, reloaded });
                }
                handler::Said::Stop => return Some(self.stop().unwrap_or(ExitCode::FAILURE)),
                handler::Said::Fatal(msg) => {
                    print::note(&format!("ssmglobal: {msg}"));
                    print::note("ssmglobal: stopped, because starting again would not help");
                    return Some(self.stop().map_or(ExitCode::FAILURE, |_| ExitCode::FAILURE));
                }
            }
        }
        None
    }
}

/// The settings as they hold at the doors.
#[inline(never)]
fn at_doors<'a>(settings: &'a Settings, welcome: Option<&str>) -> Cow<'a, Settings> {
    let Some(welcome) = welcome else { return Cow::Borrowed(settings) };
    let mut settings = settings.clone();
    welcome.clone_into(&mut settings.texts.welcome);
    Cow::Owned(settings)
}
