//! Reads a password: from the terminal without echo, or as one line where standard input is no terminal.

use std::io::{self, IsTerminal, Read, Stdin};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, raise, sigprocmask};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use ssmglobal_ipc::Secret;
use ssmglobal_sys::Signals;
use zeroize::Zeroizing;

use super::trouble::Trouble;
use crate::print;

/// Bytes of a line with a password: what a terminal gives as one line.
const LONGEST: usize = 4096;

/// Signals that would leave the terminal without echo.
const ENDING: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// A password for this player; `what` is how it is asked for. With `plain` nothing is asked.
///
/// # Errors
/// [`Trouble::Here`] when there is none, or two that differ.
pub fn read(what: &str, name: &str, plain: bool) -> Result<Secret, Trouble> {
    let stdin = io::stdin();
    if plain || !stdin.is_terminal() {
        return line(&mut stdin.lock());
    }
    let quiet = NoEcho::start(&stdin)?;
    let first = quiet.ask(&format!("{what} for {}: ", print::clean(name)))?;
    let second = quiet.ask("The same again: ")?;
    if first != second {
        return Err(Trouble::invalid("the two passwords differ; nothing was changed, try again"));
    }
    Ok(first)
}

/// The password of somebody elsewhere, as it is there: asked for once.
///
/// # Errors
/// [`Trouble::Here`] when there is none.
pub fn known(name: &str) -> Result<Secret, Trouble> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return line(&mut stdin.lock());
    }
    NoEcho::start(&stdin)?.ask(&format!("Password of {}: ", print::clean(name)))
}

/// One line, without its end; what follows is left alone.
fn line(input: &mut impl Read) -> Result<Secret, Trouble> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut byte = [0];
    loop {
        match input.read(&mut byte) {
            Ok(0) => break,
            Ok(_) if byte == *b"\n" => break,
            Ok(_) if bytes.len() == LONGEST => return Err(Trouble::invalid("the password is too long for a line")),
            Ok(_) => bytes.extend_from_slice(&byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    secret(&bytes)
}

fn secret(line: &[u8]) -> Result<Secret, Trouble> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok("") => Err(Trouble::invalid("no password was given; nothing was changed")),
        Ok(text) => Ok(Secret::new(text)),
        Err(_) => Err(Trouble::invalid("the password is not UTF-8")),
    }
}

fn unreadable(error: impl std::fmt::Display) -> Trouble {
    Trouble::invalid(format!("cannot read the password: {error}"))
}

/// A terminal without echo. It gets its echo back when this is dropped, and before a signal ends the process.
struct NoEcho<'a> {
    stdin: &'a Stdin,
    before: Termios,
    mask: SigSet,
    signals: Signals,
}

impl<'a> NoEcho<'a> {
    fn start(stdin: &'a Stdin) -> Result<NoEcho<'a>, Trouble> {
        let before = tcgetattr(stdin).map_err(unreadable)?;
        let mask = SigSet::thread_get_mask().map_err(unreadable)?;
        // Ctrl-Z is only blocked: stopped in the middle, the shell would get a terminal without echo.
        let caught = [&ENDING[..], &[Signal::SIGTSTP]].concat();
        let signals = Signals::catch(&caught).map_err(unreadable)?;
        let quiet = NoEcho { stdin, before, mask, signals };
        let mut modes = quiet.before.clone();
        modes.local_flags.remove(LocalFlags::ECHO);
        modes.local_flags.insert(LocalFlags::ICANON | LocalFlags::ECHONL);
        // What was typed before the prompt was not meant as a password.
        tcsetattr(stdin, SetArg::TCSAFLUSH, &modes).map_err(unreadable)?;
        Ok(quiet)
    }

    fn ask(&self, prompt: &str) -> Result<Secret, Trouble> {
        print::prompt(prompt);
        loop {
            let mut ready = [
                PollFd::new(self.stdin.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut ready, PollTimeout::NONE) {
                Ok(_) | Err(nix::Error::EINTR) => {}
                Err(error) => return Err(unreadable(error)),
            }
            while let Some(signal) = self.signals.next_signal().map_err(unreadable)? {
                if ENDING.contains(&signal) {
                    self.end_by(signal);
                }
            }
            if ready.first().and_then(PollFd::any).unwrap_or(false) {
                return self.line();
            }
        }
    }

    /// In this mode a terminal gives one whole line per read.
    fn line(&self) -> Result<Secret, Trouble> {
        let mut buffer = Zeroizing::new([0; LONGEST]);
        let count = nix::unistd::read(self.stdin, &mut *buffer).map_err(unreadable)?;
        if count == 0 {
            // Ctrl-D echoes no line end.
            print::note("");
        }
        secret(buffer.get(..count).unwrap_or_default())
    }

    fn restore(&self) {
        // If the terminal is gone there is nothing to give back.
        let _ = tcsetattr(self.stdin, SetArg::TCSAFLUSH, &self.before);
    }

    /// Ends as the signal would have, the terminal in order.
    fn end_by(&self, signal: Signal) {
        self.restore();
        print::note("");
        // It was blocked until here, and now does what it does to a program that knows nothing of it.
        let _ = ssmglobal_sys::default_signals(&[]);
        let _ = raise(signal);
    }
}

impl Drop for NoEcho<'_> {
    fn drop(&mut self) {
        self.restore();
        let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.mask), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_the_password() {
        for (input, expected) in [("pa ss\nrest", "pa ss"), ("pass\r\n", "pass"), ("pass", "pass")] {
            assert_eq!(line(&mut input.as_bytes()).unwrap(), Secret::new(expected));
        }
    }

    #[test]
    fn nothing_and_nonsense_are_refused_without_repeating_them() {
        for input in [&b""[..], b"\n", b"\r\n", b"\xffsecret\n", &[b'x'; LONGEST + 1]] {
            let trouble = line(&mut &input[..]).unwrap_err();
            assert!(!trouble.to_string().contains("secret") && !trouble.to_string().contains("xx"));
        }
    }
}
