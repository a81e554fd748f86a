//! Starting programs, and waiting for their end with a deadline.

use super::{Log, PATIENCE};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// A program that runs, in a process group of its own; ended, with all that it started, when dropped.
pub struct Running {
    pid: Pid,
    ends: Receiver<ExitStatus>,
    ended: Option<ExitStatus>,
    /// What it writes to standard error.
    pub stderr: Log,
    /// What it writes to standard output.
    pub stdout: Log,
}

impl Running {
    /// Starts it, with nothing to read.
    pub fn start(command: &mut Command) -> Running {
        Running::with_input(command, b"")
    }

    /// Starts it with this to read.
    pub fn with_input(command: &mut Command, input: &[u8]) -> Running {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running::spawn(piped, input)
    }

    /// Starts it with the standard input, output and error that it has been given.
    pub fn on_terminal(command: &mut Command) -> Running {
        Running::spawn(command, b"")
    }

    fn spawn(command: &mut Command, input: &[u8]) -> Running {
        let mut child = command.process_group(0).spawn().expect("the program starts");
        let stderr = child.stderr.take().map(Log::collect).unwrap_or_default();
        let stdout = child.stdout.take().map(Log::collect).unwrap_or_default();
        let pid = Pid::from_raw(child.id().cast_signed());
        if let Some(mut stdin) = child.stdin.take() {
            // Whoever does not read what it is given has its reasons.
            let _ = stdin.write_all(input);
        }
        let (tell, ends) = channel();
        std::thread::spawn(move || {
            if let Ok(status) = child.wait() {
                let _ = tell.send(status);
            }
        });
        Running { pid, ends, ended: None, stderr, stdout }
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Sends a signal to it alone.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid, signal).expect("it lives");
    }

    /// Sends a signal to it and all that it started, as a terminal does on Ctrl-C.
    pub fn signal_all(&self, signal: Signal) {
        killpg(self.pid, signal).expect("it lives");
    }

    /// Waits for its end; `None` when it does not come.
    pub fn wait(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.ends.recv_timeout(PATIENCE).ok();
        }
        self.ended
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Also when it has ended: what it started may have stayed behind.
        let _ = killpg(self.pid, Signal::SIGKILL);
        self.wait();
    }
}

/// What a program has left when it ended.
#[derive(Debug)]
pub struct Output {
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Output {
    /// It has ended with this exit code.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Output {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// It has done what it was to do.
    #[track_caller]
    pub fn succeeds(self) -> Output {
        self.ends_with(0)
    }

    /// This is in what it has printed.
    #[track_caller]
    pub fn prints(self, text: &str) -> Output {
        assert!(self.out.contains(text), "{text:?} is not in {self:?}");
        self
    }

    /// This is in what it has said on standard error.
    #[track_caller]
    pub fn complains(self, text: &str) -> Output {
        assert!(self.err.contains(text), "{text:?} is not in {self:?}");
        self
    }
}

/// Runs a program to its end with this to read.
pub fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut running = Running::with_input(command, input);
    let status = running.wait().unwrap_or_else(|| panic!("{command:?} does not end: {}", running.stderr.text()));
    let code = status.code().unwrap_or(-1);
    Output { code, out: running.stdout.to_the_end(), err: running.stderr.to_the_end() }
}
