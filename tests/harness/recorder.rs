//! A recorder between two who talk: passes on what it reads, and keeps it, read by read. What it has kept becomes a file that the
//! tests of telnet read.

use super::{PATIENCE, run};
use std::fmt::Write;
use std::io::{Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

/// Who has said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that has connected.
    Client,
    /// The one that it has connected to.
    Server,
}

#[derive(Default)]
struct Kept {
    reads: Vec<(Side, Vec<u8>)>,
    ended: bool,
}

/// The first connection through it is recorded; others only pass.
pub struct Recorder {
    at: SocketAddr,
    kept: Arc<(Mutex<Kept>, Condvar)>,
}

impl Recorder {
    /// Stands in front of this address.
    pub fn before(to: SocketAddr) -> Recorder {
        let listener = TcpListener::bind(SocketAddr::new(to.ip(), 0)).expect("a port");
        let recorder = Recorder { at: listener.local_addr().expect("an address"), kept: Arc::default() };
        let kept = recorder.kept.clone();
        std::thread::spawn(move || {
            for (number, client) in listener.incoming().enumerate() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect_timeout(&to, PATIENCE)) else { continue };
                let kept = if number == 0 { kept.clone() } else { Arc::default() };
                pass(&client, &server, Side::Client, kept.clone());
                pass(&server, &client, Side::Server, kept);
            }
        });
        recorder
    }

    /// Where it is connected to.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// Waits until this is so of all that one of them has said.
    #[track_caller]
    pub fn wait(&self, side: Side, what: &str, is_so: impl Fn(&[u8]) -> bool) {
        self.until(what, |kept| {
            let said = kept.reads.iter().filter(|(who, _)| *who == side).flat_map(|(_, bytes)| bytes);
            is_so(&said.copied().collect::<Vec<u8>>())
        });
    }

    /// Waits for the end of the connection, and writes down what was said. Words that are not ours are blotted out.
    #[track_caller]
    pub fn writes(&self, path: &Path, head: &str, ours: &[Side]) {
        self.until("the end", |kept| kept.ended);
        let today = run(Command::new("date").arg("+%F"), b"").succeeds().out;
        let mut file = format!("# {head}\n# {today}");
        let mut blots = [Blot::default(), Blot::default()];
        for (side, bytes) in &self.kept.0.lock().unwrap_or_else(PoisonError::into_inner).reads {
            let mut bytes = bytes.clone();
            if !ours.contains(side) {
                blots[usize::from(*side == Side::Server)].blot(&mut bytes);
            }
            let who = if *side == Side::Client { "client" } else { "server" };
            writeln!(file, "{who} {}", bytes.escape_ascii()).expect("text");
        }
        std::fs::write(path, file).expect("a file");
    }

    #[track_caller]
    fn until(&self, what: &str, is_so: impl Fn(&Kept) -> bool) {
        let end = Instant::now() + PATIENCE;
        let mut kept = self.kept.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !is_so(&kept) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what} never came: {:?}", kept.reads);
            kept = self.kept.1.wait_timeout(kept, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Passes on what one of them says, until it ends.
fn pass(from: &TcpStream, to: &TcpStream, side: Side, kept: Arc<(Mutex<Kept>, Condvar)>) {
    let mut from = from.try_clone().expect("a descriptor");
    let mut to = to.try_clone().expect("a descriptor");
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        loop {
            let count = from.read(&mut buffer).unwrap_or(0);
            let mut kept_now = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
            if count == 0 {
                kept_now.ended = true;
                kept.1.notify_all();
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            // Before the other one has heard it: so no answer stands before what it answers.
            kept_now.reads.push((side, buffer[..count].to_vec()));
            kept.1.notify_all();
            drop(kept_now);
            if to.write_all(&buffer[..count]).is_err() {
                return;
            }
        }
    });
}

/// Makes an x of each letter and digit that is text; telnet and what steers a terminal stay.
#[derive(Default)]
struct Blot(Within);

#[derive(Clone, Copy, Default)]
enum Within {
    #[default]
    Text,
    Iac,
    Verb,
    Message,
    MessageIac,
    Escape,
    Sequence,
}

impl Blot {
    fn blot(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = match (self.0, *byte) {
                (Within::Text | Within::Sequence, 255) => Within::Iac,
                (Within::Text, 27) => Within::Escape,
                (Within::Text, letter) => {
                    if letter.is_ascii_alphanumeric() {
                        *byte = b'x';
                    }
                    Within::Text
                }
                (Within::Iac, 250) => Within::Message,
                (Within::Iac, 251..=254) => Within::Verb,
                (Within::Message, 255) => Within::MessageIac,
                (Within::MessageIac, 240) => Within::Text,
                (Within::Message | Within::MessageIac, _) => Within::Message,
                (Within::Escape, b'[') => Within::Sequence,
                (Within::Sequence, b'0'..=b'?') => Within::Sequence,
                (Within::Iac | Within::Verb | Within::Escape | Within::Sequence, _) => Within::Text,
            };
        }
    }
}
