//! `ssmglobal ctl log`: what was logged of late, and what is logged from now on, also over the death of a handler.

use std::os::fd::AsFd;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use serde::Serialize;
use ssmglobal_ipc::ctl::{Answer, Ask, LogAsked, LogEntry, Logged};
use ssmglobal_ipc::{Code, Time};
use ssmglobal_sys::Process;

use super::link::{Link, Patience};
use super::said::Said;
use super::trouble::Trouble;
use crate::print;

/// Lines of a handler that is new: all that it has.
const ALL: u32 = u32::MAX;

/// Which lines of the log.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct LogArgs {
    /// Go on with what is logged from now on, until Ctrl-C or the end of the backend
    #[arg(short, long)]
    follow: bool,
    /// So many of those that were logged before [default: 100; with --follow 10]
    #[arg(short = 'n', long, value_name = "N")]
    lines: Option<u32>,
    /// Only what is as severe as this
    #[arg(long, default_value = "trace")]
    level: LevelWord,
    /// Only of this session, as `sessions list` shows its number
    #[arg(long, value_name = "N", conflicts_with = "player")]
    session: Option<u64>,
    /// Only of this player's connections, and what names him
    #[arg(long, value_name = "NAME")]
    player: Option<String>,
}

/// How severe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum LevelWord {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LevelWord {
    fn of(number: u8) -> LevelWord {
        let all = [LevelWord::Error, LevelWord::Warn, LevelWord::Info, LevelWord::Debug, LevelWord::Trace];
        all.into_iter().nth(usize::from(number.saturating_sub(1))).unwrap_or(LevelWord::Trace)
    }

    fn as_str(self) -> &'static str {
        match self {
            LevelWord::Error => "error",
            LevelWord::Warn => "warn",
            LevelWord::Info => "info",
            LevelWord::Debug => "debug",
            LevelWord::Trace => "trace",
        }
    }
}

impl LogArgs {
    /// Whether it goes on.
    pub fn follows(&self) -> bool {
        self.follow
    }

    /// The question.
    pub fn ask(&self) -> Ask {
        let lines = self.lines.unwrap_or(if self.follow { 10 } else { 100 });
        Ask::Log(LogAsked {
            lines,
            level: self.level as u8 + 1,
            session: self.session,
            player: self.player.clone(),
            follow: self.follow,
        })
    }
}

/// A line for programs.
#[derive(Serialize)]
struct Line<'a> {
    at: Time,
    level: &'static str,
    process: &'a str,
    text: &'a str,
}

/// Lines for programs.
#[derive(Serialize)]
struct Lines<'a> {
    lines: Vec<Line<'a>>,
    missed: u64,
    level: &'static str,
}

/// Lines for programs, in one object.
pub fn json(logged: &Logged) -> String {
    let lines = logged.lines.iter().map(|LogEntry { at, level, process, text }| {
        let level = LevelWord::of(*level).as_str();
        Line { at: *at, level, process, text }
    });
    let lines = Lines { lines: lines.collect(), missed: logged.missed, level: LevelWord::of(logged.level).as_str() };
    let count = lines.lines.len();
    Said::ok(format!("{count} {}.", if count == 1 { "line" } else { "lines" })).with(lines).json()
}

/// Lines for people, as the log has them.
pub fn text(logged: &Logged) -> String {
    let mut text = match logged.missed {
        0 => String::new(),
        missed => format!("({missed} lines were left out)\n"),
    };
    for LogEntry { at, level, process, text: said } in &logged.lines {
        let level = LevelWord::of(*level).as_str().to_uppercase();
        text.push_str(&format!("{at} {level:5} {}: {}\n", print::clean(process), print::clean(said)));
    }
    text
}

/// Shows what is logged from now on, until the backend ends or nobody reads.
///
/// # Errors
/// It cannot be asked, or the output is broken.
pub fn follow(link: Link, data: &Path, args: &LogArgs, json_wanted: bool) -> Result<ExitCode, Trouble> {
    let (mut link, mut ask) = (link, args.ask());
    let mut answer = link.ask(&ask, Patience::Short, &mut |_, _| {})?;
    let mut listener = None;
    loop {
        if let Answer::Logged(logged) = &answer {
            // Before anything ends: the process is the one that is meant as long as its handler talks to us.
            if listener.as_ref().is_none_or(|(pid, _)| *pid != logged.listener) {
                listener = Process::open(logged.listener).ok().map(|process| (logged.listener, process));
            }
            let shown = if json_wanted { json(logged) + "\n" } else { text(logged) };
            let lost = |error| Trouble::Here(Code::Unavailable, format!("the output is broken: {error}"));
            if (!logged.lines.is_empty() || logged.missed > 0) && !print::out_while_read(&shown).map_err(lost)? {
                return Ok(ExitCode::SUCCESS);
            }
        }
        answer = match link.more()? {
            Some(answer) => answer,
            None => {
                if let Ask::Log(asked) = &mut ask {
                    asked.lines = ALL;
                }
                let Some(next) = go_on(data, listener.as_ref().map(|(_, process)| process), &ask)? else {
                    print::note("The backend has ended.");
                    return Ok(ExitCode::SUCCESS);
                };
                link = next.0;
                next.1
            }
        };
    }
}

/// Asks the next handler; nothing when there will be none.
fn go_on(data: &Path, listener: Option<&Process>, ask: &Ask) -> Result<Option<(Link, Answer)>, Trouble> {
    while let Some(mut link) = next_handler(data, listener)? {
        // One that is dying still has its socket.
        if let Some(answer) = link.ask_one_that_may_die(ask)? {
            return Ok(Some((link, answer)));
        }
    }
    Ok(None)
}

/// The handler has ended: waits until the next one listens; nothing when the listener has ended too.
fn next_handler(data: &Path, listener: Option<&Process>) -> Result<Option<Link>, Trouble> {
    let broken = |error: nix::Error| Trouble::Link(format!("cannot wait for the next handler: {error}"));
    let made = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).map_err(broken)?;
    let folder = data.join(ssmglobal_handler::CTL_SOCKET);
    // The handler makes the socket first, and gives it its mode when it listens.
    let flags = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_ATTRIB;
    made.add_watch(folder.parent().unwrap_or(data), flags).map_err(broken)?;
    loop {
        // Looked at before: one that ends after this wakes the wait.
        let ended = listener.is_none_or(Process::has_ended);
        match Link::open(data) {
            Ok(link) => return Ok(Some(link)),
            Err(Trouble::NotRunning(_)) if ended => return Ok(None),
            Err(Trouble::NotRunning(_)) => {}
            Err(trouble) => return Err(trouble),
        }
        let mut waits = vec![PollFd::new(made.as_fd(), PollFlags::POLLIN)];
        waits.extend(listener.map(|process| PollFd::new(process.as_fd(), PollFlags::POLLIN)));
        match poll(&mut waits, PollTimeout::NONE) {
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(error) => return Err(broken(error)),
        }
        // What it was is not looked at: the socket is tried again.
        let _ = made.read_events();
    }
}
