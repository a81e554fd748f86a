//! Another program takes over in this very process: same process id, same children, same listening sockets. First it
//! checks, in a child of its own and while everything goes on, whether it could. Runs in the listener.
//!
//! The handler is not touched before the other program has begun: it then tells the old handler to end, and starts its
//! own. A program that dies after its check leaves a living handler, which the next listener adopts.

use super::Listener;
use super::children::Successor;
use super::handover::{HeldHandler, HeldUpgrade, lasting};
use super::reap::ended;
use super::upgrade::{Asker, CHECK, FIT, RESUME, Upgrade};
use crate::location::for_root;
use crate::print;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use ssmglobal_ipc::handover::{Item, State};
use ssmglobal_ipc::{Code, version};
use ssmglobal_sys::sealed::sealed;
use std::ffi::{CString, OsStr, OsString};
use std::io::{self, PipeReader, Read as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take to say whether it could.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of what a program says that are read.
const SAID: u64 = 4096;

impl Listener {
    /// Lets a program check whether it could take over.
    #[inline(never)]
    pub fn upgrade(&mut self, program: Option<PathBuf>, asker: Asker) {
        if self.upgrade.is_some() {
            return asker.refuse(Code::Busy, "An upgrade is under way already; wait for its end.");
        }
        if program.is_some() && !asker.may_name() {
            let why = "root has started the backend, so only root may name another program to it";
            return self.upgrade_refused(&self.program.clone(), &asker, Code::Denied, why);
        }
        let program = program.unwrap_or_else(|| self.program.clone());
        if let Err(why) = for_root(&program) {
            let why = format!("root starts only what nobody else can change: {why}");
            return self.upgrade_refused(&program, &asker, Code::Denied, &why);
        }
        match self.spawn_check(&program) {
            Ok((pid, said)) => {
                self.handler.log(3, format!("{} checks whether it could take over", program.display()));
                let until = Instant::now() + PATIENCE;
                self.upgrade = Some(Upgrade::Checking { program, asker, pid, said, until });
            }
            Err(error) => self.upgrade_failed(&program, &asker, &format!("it cannot be started: {error}")),
        }
    }

    fn spawn_check(&self, program: &Path) -> io::Result<(Pid, PipeReader)> {
        let (state, fds) = self.state(program, None);
        drop(fds);
        let memory = sealed("state", &state.into_bytes())?;
        let (said, says) = io::pipe()?;
        ssmglobal_sys::clear_cloexec(&memory)?;
        let child = Command::new(program)
            .arg(CHECK)
            .arg(memory.as_raw_fd().to_string())
            .args(self.args.iter().skip(1))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(says.try_clone()?)
            .stderr(says)
            .spawn()?;
        Ok((Pid::from_raw(child.id().cast_signed()), said))
    }

    /// Everything that is known, and the descriptors that are named in it.
    fn state<'a>(&'a self, program: &Path, asker: Option<&'a UnixStream>) -> (State, Vec<BorrowedFd<'a>>) {
        let (mut state, mut fds) = lasting(
            self.handler.lasting(),
            (&self.children, &self.doors, &self.pending_accept, &self.moves, &self.lifeline),
            usize::MAX,
        );
        let mut put = |fd: BorrowedFd<'a>| {
            fds.push(fd);
            u32::try_from(fds.len() - 1).unwrap_or(u32::MAX)
        };
        for version in self.children.versions() {
            state.put(&Item::Version { version: version.clone() });
        }
        self.children.workers().for_each(|worker| state.put(&Item::Worker(worker)));
        for (of, Successor { pid, version, .. }) in self.moves.successors() {
            state.put(&Item::Successor { of: of.as_raw(), pid: pid.as_raw(), version });
        }
        if let Some(HeldHandler { pid, started, stream, out, unread }) = self.handler.held() {
            state.put(&Item::Handler { pid, started, stream: put(stream), out, unread });
        }
        let asker = asker.map(|stream| put(stream.as_fd()));
        let program = program.as_os_str().as_bytes().to_vec();
        state.put(&Item::Upgrade { from: version().to_owned(), program, asker });
        (state, fds)
    }

    /// The process that checks.
    pub fn checker(&self) -> Option<Pid> {
        match self.upgrade {
            Some(Upgrade::Checking { pid, .. }) => Some(pid),
            _ => None,
        }
    }

    /// Until when the other program may take.
    pub fn upgrade_until(&self) -> Option<Instant> {
        match self.upgrade {
            Some(Upgrade::Checking { until, .. }) => Some(until),
            _ => None,
        }
    }

    /// The other program takes too long to check, or is not wanted any more.
    #[inline(never)]
    pub fn give_up_check(&mut self) {
        if let Some(Upgrade::Checking { program, asker, pid, .. }) = self.upgrade.take() {
            // A child that was not waited for: its id is nobody else's. Its end is nobody's business then.
            let _ = killpg(pid, Signal::SIGKILL);
            let why = format!("it has not said within {} seconds whether it can take over", PATIENCE.as_secs());
            self.upgrade_failed(&program, &asker, &why);
        }
    }

    /// The process that checks has ended.
    #[inline(never)]
    pub fn check_ended(&mut self, status: i32) {
        let Some(Upgrade::Checking { program, asker, said, .. }) = self.upgrade.take() else { return };
        let said = said_by(said);
        let fit = said.lines().last().is_some_and(|line| line.starts_with(FIT));
        if status != 0 || !fit {
            let said = match said.trim() {
                "" => "it says nothing".to_owned(),
                words => words.to_owned(),
            };
            return self.upgrade_failed(&program, &asker, &format!("{said} ({})", ended(Some(status))));
        }
        if let Err(why) = for_root(&program) {
            return self.upgrade_failed(&program, &asker, &format!("it was changed meanwhile: {why}"));
        }
        self.handler.log(3, format!("{} takes over", program.display()));
        self.watchdog.tell_now();
        self.renew_zygote();
        self.flush();
        let error = self.become_program(&program, &asker);
        self.upgrade_failed(&program, &asker, &format!("it cannot be started: {error}"));
    }

    /// Replaces the program of this process. Comes back only when that did not work, and then nothing has changed.
    fn become_program(&self, program: &Path, asker: &Asker) -> io::Error {
        let (state, fds) = self.state(program, asker.stream());
        let memory = match sealed("state", &state.into_bytes()) {
            Ok(memory) => memory,
            Err(error) => return error,
        };
        let numbers: Vec<String> = fds.iter().map(|fd| fd.as_raw_fd().to_string()).collect();
        let first = self.args.first().map_or(OsStr::new("ssmglobal"), |name| name.as_os_str());
        let (number, numbers) = (OsString::from(memory.as_raw_fd().to_string()), OsString::from(numbers.join(",")));
        let args = [first, OsStr::new(RESUME), &number, &numbers].into_iter();
        let args = args.chain(self.args.iter().skip(1).map(OsString::as_os_str));
        let text = |text: &OsStr| CString::new(text.as_bytes()).unwrap_or_default();
        let args: Vec<CString> = args.map(text).collect();
        let environment = std::env::vars_os().map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            text(&name)
        });
        let environment: Vec<CString> = environment.collect();
        let handed = || fds.iter().copied().chain([memory.as_fd()]);
        let result = handed().try_for_each(ssmglobal_sys::clear_cloexec).and_then(|()| {
            nix::unistd::execve(&text(program.as_os_str()), &args, &environment).map_err(io::Error::from)
        });
        for fd in handed() {
            // It was there a moment ago.
            let _ = ssmglobal_sys::set_cloexec(fd);
        }
        result.err().unwrap_or_else(|| io::ErrorKind::Other.into())
    }

    fn upgrade_failed(&mut self, program: &Path, asker: &Asker, why: &str) {
        self.upgrade_refused(program, asker, Code::Invalid, why);
    }

    fn upgrade_refused(&mut self, program: &Path, asker: &Asker, code: Code, why: &str) {
        let why = print::clean_lines(why);
        self.handler.log(1, format!("not upgraded to {}: {}", program.display(), why.replace('\n', "; ")));
        asker.refuse(code, &format!("Not upgraded, and nothing has changed. {}: {why}", program.display()));
    }

    /// The handler of this program serves: whoever wanted it is told.
    #[inline(never)]
    pub fn upgraded(&mut self) {
        match self.upgrade.take() {
            Some(Upgrade::Finishing { from, asker }) => {
                self.handler.log(3, format!("upgraded from version {from} to {}", version()));
                asker.done(&from);
            }
            other => self.upgrade = other,
        }
    }

    /// What the program before this one has left to finish.
    pub fn finish_upgrade(&mut self, held: HeldUpgrade) {
        self.program = held.program;
        self.upgrade = Some(Upgrade::Finishing { from: held.from, asker: Asker::new(held.asker) });
    }
}

/// What a process has said that has ended; one that still has children of its own says no more.
fn said_by(mut said: PipeReader) -> String {
    let mut bytes = Vec::new();
    if nix::fcntl::fcntl(&said, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK)).is_ok() {
        // Up to where there is nothing more, which is no error here.
        let _ = (&mut said).take(SAID).read_to_end(&mut bytes);
    }
    print::clean_lines(&String::from_utf8_lossy(&bytes))
}
