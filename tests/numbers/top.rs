//! `ctl top` on a terminal of its own.

use crate::harness::{Backend, PATIENCE, Running, run};
use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::signal::Signal;
use nix::sys::termios::{LocalFlags, tcgetattr};
use serde_json::json;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;
use unicode_width::UnicodeWidthStr;

/// A terminal on which it runs.
struct Top {
    process: Running,
    keys: File,
    slave: OwnedFd,
    comes: Receiver<Vec<u8>>,
    seen: String,
}

impl Top {
    fn start(backend: &Backend, columns: u16, lines: u16) -> Top {
        let size = Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master, slave } = openpty(Some(&size), None).unwrap();
        let mut command = backend.ctl_command(&["top"]);
        let end = || Stdio::from(slave.try_clone().unwrap());
        command.stdin(end()).stdout(end()).stderr(end());
        let process = Running::on_terminal(&mut command);
        let (mut screen, (sends, comes)) = (File::from(master.try_clone().unwrap()), channel());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                if sends.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Top { process, keys: File::from(master), slave, comes, seen: String::new() }
    }

    /// Waits until a whole screen holds all of these; gives its lines.
    fn shows(&mut self, parts: &[&str]) -> Vec<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            // A screen begins in the upper left and ends where what is below is wiped.
            let screens = self.seen.split("\x1b[H").skip(1).filter_map(|screen| screen.split_once("\x1b[J"));
            let found =
                screens.map(|(screen, _)| screen).filter(|screen| parts.iter().all(|part| screen.contains(part)));
            if let Some(screen) = found.last() {
                let lines = screen.split("\r\n").map(|line| line.trim_matches('\r').replace("\x1b[K", "")).collect();
                self.seen.clear();
                return lines;
            }
            let left = until.saturating_duration_since(Instant::now());
            let bytes = self.comes.recv_timeout(left).unwrap_or_else(|_| panic!("{parts:?} is not in {:?}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    fn types(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).unwrap();
    }

    /// It has ended, and the terminal is as it was.
    fn has_left(&mut self) -> std::process::ExitStatus {
        let status = self.process.wait().expect("its end");
        let flags = tcgetattr(&self.slave).unwrap().local_flags;
        assert!(flags.contains(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG), "{flags:?}");
        let until = Instant::now() + PATIENCE;
        while !self.seen.ends_with("\x1b[?25h\x1b[?1049l") {
            let left = until.saturating_duration_since(Instant::now());
            let bytes = self.comes.recv_timeout(left).expect("the screen that there was before");
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        status
    }
}

#[test]
fn it_shows_the_numbers_each_second_and_a_key_ends_it() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    for key in [&b"q"[..], b"\x03"] {
        let mut top = Top::start(&backend, 80, 24);
        let lines = top.shows(&["clients    1 of 4,096", "REGISTER", "writable yes"]);
        assert_eq!(lines.len(), 24);
        assert!(lines.iter().all(|line| line.width() <= 80), "{lines:#?}");
        alice.ok("WHO", json!({}));
        top.shows(&["WHO  "]);
        top.types(b"xyz");
        top.shows(&["clients"]);
        top.types(key);
        assert_eq!(top.has_left().code(), Some(0));
    }
}

#[test]
fn at_40_columns_nothing_is_cut_and_a_smaller_screen_is_no_trouble() {
    let backend = Backend::start();
    let mut top = Top::start(&backend, 40, 30);
    let lines = top.shows(&["handler ", "writable yes", "refused proofs 0"]);
    assert!(lines.iter().all(|line| line.width() <= 40), "{lines:#?}");
    top.types(b"q");
    assert_eq!(top.has_left().code(), Some(0));
    let mut tiny = Top::start(&backend, 7, 2);
    assert_eq!(tiny.shows(&["ssmglob"]), ["ssmglob", "q ends "]);
    tiny.types(b"q");
    assert_eq!(tiny.has_left().code(), Some(0));
}

#[test]
fn it_says_that_the_backend_is_gone_and_goes_on_when_it_is_back() {
    let mut backend = Backend::start();
    let mut top = Top::start(&backend, 80, 24);
    let before = format!("handler {}", backend.handler());
    top.shows(&[&before]);
    backend.stop();
    top.shows(&["The backend does not run.", &before]);
    backend.start_again();
    let after = format!("handler {}", backend.handler());
    let lines = top.shows(&[&after]);
    assert!(lines[0].starts_with("ssmglobal"), "{lines:#?}");
    top.types(b"q");
    assert_eq!(top.has_left().code(), Some(0));
}

#[test]
fn keys_work_while_the_backend_does_not_answer() {
    let backend = Backend::start();
    let mut top = Top::start(&backend, 80, 24);
    top.shows(&["clients"]);
    backend.while_the_handler_stands_still(|| {
        top.shows(&["The backend has not answered for "]);
        top.types(b"q");
        assert_eq!(top.has_left().code(), Some(0));
    });
}

#[test]
fn a_signal_ends_it_and_leaves_the_terminal_in_order() {
    let backend = Backend::start();
    let mut top = Top::start(&backend, 80, 24);
    top.shows(&["clients"]);
    top.process.signal(Signal::SIGTERM);
    assert_eq!(top.has_left().signal(), Some(Signal::SIGTERM as i32));
}

#[test]
fn without_a_terminal_it_says_so() {
    let backend = Backend::start();
    backend.operator(&["top"]).ends_with(2).complains("needs a terminal");
    let told = run(backend.ctl_command(&["top"]).arg("--json"), b"").ends_with(2).out;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&told).unwrap()["code"], "usage");
}
