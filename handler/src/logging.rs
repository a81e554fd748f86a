//! The one log: lines of every process, on the handler's standard error, written by a thread of its own so that a
//! slow reader of the log slows nobody else down.

use crate::recent::Recent;
use env_logger::{Builder, Target, WriteStyle};
use log::{Level, LevelFilter};
use ssmglobal_ipc::Time;
use ssmglobal_ipc::numbers::LogLines;
use std::io::{self, Write};
use std::mem::{replace, take};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Bytes that may wait to be written; lines beyond are counted and left out.
const WAITING: usize = 4 << 20;

/// Bytes of room that are kept for what is to come.
const KEPT: usize = 1 << 16;

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
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
    /// What was logged of late.
    pub recent: Arc<Recent>,
}

/// What waits to be written. Not a channel: whoever waits at one looks again and again before he sleeps, in vain where the next line
/// comes with the next client.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    /// Lines for which there was no room.
    lost: u64,
    /// Nothing comes any more.
    ended: bool,
    /// The thread sleeps.
    sleeps: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing can be half done in there.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.text.len() + line.len() > WAITING {
            waiting.lost += 1;
            LOST.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.text.extend_from_slice(line);
        self.rouse(waiting);
    }

    fn end(&self) {
        let mut waiting = self.lock();
        waiting.ended = true;
        self.rouse(waiting);
    }

    fn rouse(&self, mut waiting: MutexGuard<'_, Waiting>) {
        if replace(&mut waiting.sleeps, false) {
            drop(waiting);
            self.wake.notify_one();
        }
    }

    /// All that waits, and how many lines were left out, as soon as there is anything; nothing at the end.
    fn take(&self, room: Vec<u8>) -> Option<(Vec<u8>, u64)> {
        let mut waiting = self.lock();
        while waiting.text.is_empty() {
            if waiting.ended {
                return None;
            }
            waiting.sleeps = true;
            waiting = self.wake.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        Some((replace(&mut waiting.text, room), take(&mut waiting.lost)))
    }

    /// Writes all that comes.
    fn write(&self, to: &mut impl Write) {
        let mut room = Vec::new();
        while let Some((mut text, lost)) = self.take(room) {
            if lost > 0 {
                let _ = writeln!(text, "{lost} lines of the log were left out: whoever reads it is too slow");
            }
            // Nobody is left to tell that the log cannot be written.
            let _ = to.write_all(&text);
            text.clear();
            text.shrink_to(KEPT);
            room = text;
        }
    }
}

/// Where the lines of this process go in.
struct Lines(Arc<Queue>);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.add(line);
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
    let queue = Arc::new(Queue::default());
    let written = queue.clone();
    let thread = std::thread::Builder::new().name("log".into()).spawn(move || written.write(&mut io::stderr()))?;
    let (journald, recent) = (under_journald(), Arc::new(Recent::default()));
    let kept = recent.clone();
    Builder::new()
        .filter_level(LevelFilter::Trace)
        .filter_module("mio", LevelFilter::Warn)
        .write_style(WriteStyle::Never)
        .target(Target::Pipe(Box::new(Lines(queue.clone()))))
        .format(move |out, record| {
            // Levels count from 1.
            if let Some(count) = WRITTEN.get((record.level() as usize).wrapping_sub(1)) {
                count.fetch_add(1, Ordering::Relaxed);
            }
            let process = match record.target() {
                process @ ("listener" | "worker") => process,
                _ => "handler",
            };
            kept.add(record.level(), process, record.args().to_string());
            match journald {
                true => writeln!(out, "<{}>{process}: {}", priority(record.level()), record.args()),
                false => writeln!(out, "{} {:5} {process}: {}", Time::now(), record.level(), record.args()),
            }
        })
        .init();
    log::set_max_level(level);
    Ok(LogThread { queue, thread: Some(thread), recent })
}

impl Drop for LogThread {
    fn drop(&mut self) {
        self.queue.end();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes nothing in before it is let.
    struct Slow {
        gate: Arc<Mutex<()>>,
        text: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            drop(self.gate.lock().unwrap());
            self.text.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn all_lines_are_written_in_order_before_the_end() {
        let (queue, text) = (Arc::new(Queue::default()), Arc::new(Mutex::new(Vec::new())));
        let mut to = Slow { gate: Arc::default(), text: text.clone() };
        let writes = queue.clone();
        let thread = std::thread::spawn(move || writes.write(&mut to));
        let lines: Vec<String> = (0..10_000).map(|number| format!("line {number}\n")).collect();
        lines.iter().for_each(|line| queue.add(line.as_bytes()));
        queue.end();
        thread.join().unwrap();
        assert_eq!(String::from_utf8(text.lock().unwrap().clone()).unwrap(), lines.concat());
    }

    #[test]
    fn what_nobody_reads_is_counted_and_left_out_and_told_of() {
        let (queue, text) = (Arc::new(Queue::default()), Arc::new(Mutex::new(Vec::new())));
        let gate = Arc::new(Mutex::new(()));
        let shut = gate.lock().unwrap();
        let mut to = Slow { gate: gate.clone(), text: text.clone() };
        let writes = queue.clone();
        let thread = std::thread::spawn(move || writes.write(&mut to));
        let line = [b'x'; 1023].iter().chain(b"\n").copied().collect::<Vec<u8>>();
        // Twice as many as there is room for, beside those that are being written.
        let most = WAITING / line.len();
        (0..3 * most).for_each(|_| queue.add(&line));
        let lost = queue.lock().lost;
        assert!((most..=2 * most).contains(&(lost as usize)), "{lost}");
        assert!(queue.lock().text.len() <= WAITING);
        drop(shut);
        queue.end();
        thread.join().unwrap();
        let told = format!("{lost} lines of the log were left out");
        assert!(String::from_utf8_lossy(&text.lock().unwrap()).contains(&told));
    }
}
