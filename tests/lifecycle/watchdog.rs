//! What a supervisor is told that asks: that the backend is ready, that it lives, that it ends.

use crate::harness::{Backend, PATIENCE};
use nix::sys::signal::Signal;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What a supervisor hears, and when.
struct Heard {
    at: Instant,
    text: String,
}

/// A supervisor that listens.
struct Supervisor {
    /// Where the socket is.
    _dir: TempDir,
    path: PathBuf,
    heard: Receiver<Heard>,
}

fn supervisor() -> Supervisor {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let (says, heard) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 256];
        while let Ok(count) = socket.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
            if says.send(Heard { at: Instant::now(), text }).is_err() {
                return;
            }
        }
    });
    Supervisor { _dir: dir, path, heard }
}

#[test]
fn readiness_is_told_to_a_supervisor_that_asks() {
    let Supervisor { path, heard, .. } = &supervisor();
    let mut backend = Backend::plan().environment("NOTIFY_SOCKET", &path.display().to_string()).start();
    let next = || heard.recv_timeout(PATIENCE).unwrap().text;
    assert!(next().contains("READY=1"));
    backend.stop();
    assert!(next().contains("STOPPING=1"));
}

#[test]
fn a_watchdog_is_told_that_the_listener_lives_and_nothing_when_it_hangs() {
    let Supervisor { path, heard, .. } = &supervisor();
    let backend = Backend::plan()
        .environment("NOTIFY_SOCKET", &path.display().to_string())
        .environment("WATCHDOG_USEC", "400000")
        .start();
    let next = |text: &str| while !heard.recv_timeout(PATIENCE).unwrap().text.contains(text) {};
    next("READY=1");
    (0..3).for_each(|_| next("WATCHDOG=1"));
    // While the listener cannot answer for anything, nothing is told.
    backend.signal(Signal::SIGSTOP);
    while heard.recv_timeout(Duration::from_millis(600)).is_ok() {}
    backend.signal(Signal::SIGCONT);
    next("WATCHDOG=1");
}

#[test]
fn a_watchdog_never_waits_for_more_than_half_of_its_time() {
    let Supervisor { path, heard, .. } = &supervisor();
    let time = Duration::from_secs(4);
    let mut backend = Backend::plan()
        .environment("NOTIFY_SOCKET", &path.display().to_string())
        .environment("WATCHDOG_USEC", &time.as_micros().to_string())
        .start();
    let start = Instant::now();
    // Programs that follow each other, and handlers that are gone when it is time.
    for _ in 0..4 {
        let mark = backend.log().mark();
        backend.ctl(&["upgrade"]);
        backend.log().wait_after(mark, "ready: ");
        backend.kill_handler();
    }
    while start.elapsed() < 2 * time {
        backend.kill_handler();
    }
    backend.stop();
    let told: Vec<Instant> =
        heard.try_iter().filter(|heard| heard.text.contains("WATCHDOG=1")).map(|heard| heard.at).collect();
    assert!(told.first().is_some_and(|first| *first < start), "the first word comes with the start");
    let longest = told.windows(2).map(|two| two[1] - two[0]).max().unwrap();
    assert!(longest <= time / 2, "{longest:?} of {time:?}");
    assert!(told.last().unwrap().duration_since(start) > time, "until the end");
}
