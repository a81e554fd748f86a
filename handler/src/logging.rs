//! The one log: lines of every process, on the handler's standard error, written by a thread of its own so that a
//! slow reader of the log slows nobody else down.

use crossbeam_channel::{Sender, TrySendError, bounded};
use env_logger::{Builder, Target, WriteStyle};
use log::{Level, LevelFilter};
use ssmglobal_ipc::Time;
use ssmglobal_ipc::numbers::LogLines;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

/// Lines that may wait to be written; what comes beyond is counted and left out.
const LINES: usize = 20_000;

/// Lines by level, and those that were left out. The log is the process's, and so are they.
static WRITTEN: [AtomicU64; 5] = [const { AtomicU64::new(0) }; 5];
static LOST: AtomicU64 = AtomicU64::new(0);

/// What was logged since this process has begun.
pub fn lines() -> LogLines {
    LogLines {
        written: WRITTEN.each_ref().map(|count| count.load(Ordering::Relaxed)),
        lost: LOST.load(Ordering::Relaxed),
    }
}

/// Ends the log: waits until everything is written.
pub struct LogThread {
    lines: Sender<Option<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

struct Queue {
    lines: Sender<Option<Vec<u8>>>,
    lost: Arc<AtomicU64>,
}

impl Write for Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Err(TrySendError::Full(_)) = self.lines.try_send(Some(line.to_vec())) {
            self.lost.fetch_add(1, Ordering::Relaxed);
            LOST.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether standard error goes to the journal, which wants a priority in front of each line and adds the time itself.
fn under_journald() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(stat) = nix::sys::stat::fstat(io::stderr()) else { return false };
    stream == format!("{}:{}", stat.st_dev, stat.st_ino)
}

/// syslog's numbers.
fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

/// Starts the log. `level` may be changed later by [`log::set_max_level`].
///
/// # Errors
/// No further thread can be made.
pub fn start(level: LevelFilter) -> io::Result<LogThread> {
    let (lines, queue) = bounded::<Option<Vec<u8>>>(LINES);
    let lost = Arc::new(AtomicU64::new(0));
    let counter = lost.clone();
    let thread = std::thread::Builder::new().name("log".into()).spawn(move || {
        let mut text = Vec::new();
        while let Ok(Some(line)) = queue.recv() {
            text.extend_from_slice(&line);
            let mut end = false;
            while text.len() < 1 << 16
                && let Ok(line) = queue.try_recv()
            {
                match line {
                    Some(line) => text.extend_from_slice(&line),
                    None => {
                        end = true;
                        break;
                    }
                }
            }
            let lost = counter.swap(0, Ordering::Relaxed);
            if lost > 0 {
                let _ = writeln!(text, "{lost} lines of the log were left out: whoever reads it is too slow");
            }
            // Nobody is left to tell that the log cannot be written.
            let _ = io::stderr().write_all(&text);
            text.clear();
            if end {
                return;
            }
        }
    })?;
    let journald = under_journald();
    Builder::new()
        .filter_level(LevelFilter::Trace)
        .filter_module("mio", LevelFilter::Warn)
        .write_style(WriteStyle::Never)
        .target(Target::Pipe(Box::new(Queue { lines: lines.clone(), lost })))
        .format(move |out, record| {
            // Levels count from 1.
            if let Some(count) = WRITTEN.get((record.level() as usize).wrapping_sub(1)) {
                count.fetch_add(1, Ordering::Relaxed);
            }
            let process = match record.target() {
                process @ ("listener" | "worker") => process,
                _ => "handler",
            };
            match journald {
                true => writeln!(out, "<{}>{process}: {}", priority(record.level()), record.args()),
                false => writeln!(out, "{} {:5} {process}: {}", Time::now(), record.level(), record.args()),
            }
        })
        .init();
    log::set_max_level(level);
    Ok(LogThread { lines, thread: Some(thread) })
}

impl Drop for LogThread {
    fn drop(&mut self) {
        // A full queue is being written; there is room in a moment.
        let _ = self.lines.send(None);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A level as it travels between processes.
pub fn level(number: u8) -> Level {
    match number {
        1 => Level::Error,
        2 => Level::Warn,
        3 => Level::Info,
        4 => Level::Debug,
        _ => Level::Trace,
    }
}

/// The setting as a filter.
pub fn filter(level: ssmglobal_config::Level) -> LevelFilter {
    level.as_str().parse().unwrap_or(LevelFilter::Info)
}
