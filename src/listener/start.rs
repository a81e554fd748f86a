//! How a listener begins: with nothing, or with what one before it has left.

use super::children::{Children, Successor};
use super::doors::Doors;
use super::handler::Handler;
use super::handover::{MOST_DOORS, Taken};
use super::inheritance::Inheritance;
use super::lifeline::Lifeline;
use super::moves::Moves;
use super::penalties::Penalties;
use super::pending::PendingAccept;
use super::source::Found;
use super::upgrade::program_called;
use super::users::make_directories;
use super::watchdog::Watchdog;
use super::zygote::Nursery;
use super::{CONTROL, FIRST_DOOR, HANDLER_END, Listener, MOVES, SIGNALS, adopt, lock};
use crate::print;
use mio::unix::SourceFd;
use mio::{Interest, Poll};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use ssmglobal_sys::{ChildStack, Signals, Unforked, UnforkedVec};
use ssmglobal_worker::panics;
use ssmglobal_worker::sandbox::Sandbox;
use std::ffi::OsString;
use std::io;
use std::os::fd::AsRawFd;

/// What the listener waits for; SIGUSR1 is for the workers, who inherit this and to whom
/// SIGUSR2 says something else.
const CAUGHT: [Signal; 5] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2];

impl Listener {
    /// Gets everything ready; the handler is started later, unless one lives already.
    ///
    /// # Errors
    /// What stands in the way, for the person at the terminal.
    #[inline(never)]
    pub fn start(mut found: Found, args: Vec<OsString>) -> io::Result<Listener> {
        raise_descriptors();
        make_directories(&found.settings, &found.users)?;
        ssmglobal_sys::default_signals(&[Signal::SIGPIPE])?;
        match adopt::find(&found.settings.data, found.users.handler())? {
            None => {
                // The descriptors that workers keep come first, so that the others lie together.
                let signals = Signals::catch_with_children(&CAUGHT)?;
                let sandbox = lock::prepare(&found.settings, &found.users, &mut found.notes);
                let handler = Handler::new(found.users.handler())?;
                let (doors, note) = Doors::open(&found.settings)?;
                found.notes.extend(note);
                let between = (PendingAccept::new()?, Moves::new()?, Lifeline::new()?);
                Listener::with(found, args, (signals, sandbox), handler, (doors, between, Children::default()))
            }
            Some(living) => Listener::adopting(found, args, living),
        }
    }

    /// Goes on where a listener that has died was, with its handler.
    #[inline(never)]
    fn adopting(found: Found, args: Vec<OsString>, living: adopt::LivingHandler) -> io::Result<Listener> {
        let adopt::LivingHandler { taken, handler, same_build } = living;
        let mut listener = Listener::taking_over(found, args, taken)?;
        listener.handler.adopt(handler, listener.poll.registry(), [CONTROL, HANDLER_END])?;
        if same_build {
            listener.greet();
            listener.admit_left();
            listener.ready();
        } else {
            listener
                .notes
                .push((3, "the handler of another build has ended, and one of this build follows".to_owned()));
            listener.open_doors();
            listener.admit_left();
            listener.drain_handler();
        }
        Ok(listener)
    }

    /// With what another listener has left, but for the handler.
    ///
    /// # Errors
    /// The kernel's.
    pub fn taking_over(mut found: Found, args: Vec<OsString>, taken: Taken) -> io::Result<Listener> {
        let signals = Signals::catch_with_children(&CAUGHT)?;
        let sandbox = lock::prepare(&found.settings, &found.users, &mut found.notes);
        let handler = Handler::at(taken.rendezvous, taken.journal, found.users.handler());
        let doors = Doors::taken(taken.doors, taken.next_door, &found.settings)?;
        let pending_accept = PendingAccept::at(taken.pending_accept);
        let mut moves = taken.moves.map_or_else(Moves::new, |ends| Ok(Moves::at(ends)))?;
        let mut children = Children::default();
        children.resume(taken.run, taken.workers, &taken.versions);
        for (of, pid, version) in taken.successors {
            let version = children.place_of(taken.versions.get(version as usize).map_or("-", String::as_str));
            moves.follows(
                Pid::from_raw(of),
                Successor { pid: Pid::from_raw(pid), version, forked_before_upgrade: true },
            );
        }
        let lifeline = taken.lifeline.map_or_else(Lifeline::new, |both| Ok(Lifeline::at(both)))?;
        let between = (pending_accept, moves, lifeline);
        let mut listener = Listener::with(found, args, (signals, sandbox), handler, (doors, between, children))?;
        let doors = listener.doors.change(&listener.inherited.settings, listener.poll.registry(), FIRST_DOOR);
        listener.notes.extend(doors.unwrap_or_else(|error| Some((1, format!("doors not changed: {error}")))));
        Ok(listener)
    }

    fn with(
        found: Found,
        args: Vec<OsString>,
        (signals, sandbox): (Signals, Sandbox),
        handler: Handler,
        (doors, (pending_accept, moves, lifeline), children): (Doors, (PendingAccept, Moves, Lifeline), Children),
    ) -> io::Result<Listener> {
        let Found { settings, users: _, file, notes } = found;
        let poll = Poll::new()?;
        poll.registry().register(&mut SourceFd(&signals.as_raw_fd()), SIGNALS, Interest::READABLE)?;
        let [_, receives] = moves.ends();
        poll.registry().register(&mut SourceFd(&receives.as_raw_fd()), MOVES, Interest::READABLE)?;
        Ok(Listener {
            inherited: Box::new(Inheritance { settings, sandbox, signals }),
            child_stack: ChildStack::new()?,
            nursery: Nursery::Empty,
            settled: false,
            program: program_called(args.first()),
            args,
            upgrade: None,
            watchdog: Watchdog::new(),
            doors,
            children,
            pending_accept,
            moves,
            lifeline,
            penalties: Penalties::default(),
            handler,
            poll,
            unfinished: UnforkedVec::with_capacity_in(MOST_DOORS, Unforked),
            held_up: UnforkedVec::with_capacity_in(MOST_DOORS, Unforked),
            opened: false,
            announced: false,
            notes,
            file,
            welcome: None,
        })
    }

    /// From now on connections are taken.
    #[inline(never)]
    pub fn open_doors(&mut self) {
        if std::mem::replace(&mut self.opened, true) {
            return;
        }
        if let Err(error) = self.doors.register(self.poll.registry(), FIRST_DOOR) {
            print::note(&format!("ssmglobal: the doors cannot be watched: {error}"));
        }
        panics::catch_in_children(self.handler.rendezvous());
        ssmglobal_worker::warm_up();
        ssmglobal_sys::leave_rseq();
    }

    /// The handler serves: people and the supervisor are told.
    #[inline(never)]
    pub fn ready(&mut self) {
        for (level, text) in self.notes.drain(..) {
            self.handler.log(level, text);
        }
        self.open_doors();
        self.upgraded();
        if std::mem::replace(&mut self.announced, true) {
            return;
        }
        self.notify_workers();
        self.show_title();
        self.announce();
        // Not asked for by a supervisor: nothing to tell.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    }

    #[inline(never)]
    fn announce(&self) {
        let data =
            std::path::absolute(&self.inherited.settings.data).unwrap_or_else(|_| self.inherited.settings.data.clone());
        let settings = match &self.file {
            Some(file) => file.display().to_string(),
            None => "the defaults (`ssmglobal config example` prints them)".to_owned(),
        };
        print::note(&format!(
            "ssmglobal {} is ready.\n  come in       {}\n  listening on  {}\n  data in       {}\n  \
             settings      {settings}\n  look after it ssmglobal ctl status   (Ctrl-C here ends it)",
            ssmglobal_ipc::version(),
            self.doors.for_people(),
            self.doors.describe(),
            data.display(),
        ));
    }
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
