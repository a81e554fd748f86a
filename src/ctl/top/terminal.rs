//! The terminal that `ctl top` draws on: keys one by one, a screen of its own, and everything as it was when it is let go. Part of
//! the operator's command.

use std::io::{self, Stdin, Write};

use nix::sys::signal::{SigSet, SigmaskHow, Signal, raise, sigprocmask};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use ssmglobal_sys::Signals;

/// Signals that end it, the terminal in order.
pub const ENDING: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// What is taken where the terminal does not say how large it is.
const USUAL: (usize, usize) = (80, 24);

/// Another screen, and no cursor on it; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// A terminal; given back when this is dropped.
pub struct Terminal<'a> {
    stdin: &'a Stdin,
    before: Termios,
    mask: SigSet,
    signals: Signals,
}

impl<'a> Terminal<'a> {
    /// Takes it over.
    ///
    /// # Errors
    /// The kernel's; it is as it was then.
    pub fn take(stdin: &'a Stdin) -> io::Result<Terminal<'a>> {
        let before = tcgetattr(stdin)?;
        let mask = SigSet::thread_get_mask()?;
        // Another size is only to be noticed. Ctrl-Z is blocked: stopped in the middle, the shell would get this screen.
        let caught = [&ENDING[..], &[Signal::SIGWINCH, Signal::SIGTSTP]].concat();
        let signals = Signals::catch(&caught)?;
        let terminal = Terminal { stdin, before, mask, signals };
        let mut modes = terminal.before.clone();
        modes.local_flags.remove(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG | LocalFlags::IEXTEN);
        tcsetattr(stdin, SetArg::TCSANOW, &modes)?;
        write(ENTER)?;
        Ok(terminal)
    }

    /// What has come for this process.
    pub fn signals(&self) -> &Signals {
        &self.signals
    }

    /// Columns and lines.
    pub fn size(&self) -> (usize, usize) {
        let size = terminal_size::terminal_size_of(io::stdout());
        let size = size.map(|(width, height)| (usize::from(width.0), usize::from(height.0)));
        size.filter(|(width, height)| *width > 0 && *height > 0).unwrap_or(USUAL)
    }

    /// Shows these lines, which fit.
    ///
    /// # Errors
    /// The kernel's.
    pub fn draw(&self, lines: &[String]) -> io::Result<()> {
        // Line by line over what is there: a screen that is wiped first flickers.
        let lines: Vec<String> = lines.iter().map(|line| format!("{line}\x1b[K")).collect();
        write(&format!("\x1b[H{}\x1b[J", lines.join("\r\n")))
    }

    fn restore(&self) {
        // If the terminal is gone there is nothing to give back.
        let _ = write(LEAVE);
        let _ = tcsetattr(self.stdin, SetArg::TCSAFLUSH, &self.before);
    }

    /// Ends as the signal would have, the terminal in order.
    pub fn end_by(&self, signal: Signal) {
        self.restore();
        // It was blocked until here, and now does what it does to a program that knows nothing of it.
        let _ = ssmglobal_sys::default_signals(&[]);
        let _ = raise(signal);
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        self.restore();
        let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.mask), None);
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
