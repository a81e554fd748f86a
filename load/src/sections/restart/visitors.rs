//! A second program while processes are killed and replaced: it connects at a steady rate, waits for the greeting and
//! goes, and counts who was turned away. Runs in the load generator, on a thread of its own.

use std::collections::HashMap;
use std::io::{self, Read};
use std::net::TcpStream as StdStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use nix::sys::socket::SockFlag;

use crate::floors::GREETING;
use crate::guard::Result;
use crate::net::{connect_to, unconnected};

/// Connections per second.
pub const PER_SECOND: u32 = 100;
/// How long a visitor waits for the greeting.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the visitors fared.
#[derive(Default, Debug)]
pub struct Visits {
    /// All of them.
    pub made: u64,
    /// Refused, reset, closed before the greeting, or told something else.
    pub turned_away: u64,
    /// Still without a greeting after ten seconds.
    pub unanswered: u64,
    /// The longest wait for a greeting.
    pub longest: Duration,
}

/// The visitors while they come.
pub struct Visitors {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Visits>>,
}

impl Visitors {
    /// Begins to connect to a port of the loopback.
    pub fn start(port: u16) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = stop.clone();
        let thread = std::thread::Builder::new().name("visitors".to_owned()).spawn(move || come(port, &seen))?;
        Ok(Self { stop, thread })
    }

    /// No more of them; waits for those who wait.
    pub fn finish(self) -> Result<Visits> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| "the visitors' thread died")?
    }
}

struct Visitor {
    stream: TcpStream,
    since: Instant,
    got: Vec<u8>,
}

fn come(port: u16, stop: &AtomicBool) -> Result<Visits> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(256);
    let mut waiting: HashMap<usize, Visitor> = HashMap::new();
    let mut visits = Visits::default();
    let start = Instant::now();
    let mut next = 0;
    loop {
        let now = Instant::now();
        let due = start + Duration::from_secs(1) * next / PER_SECOND;
        let stopped = stop.load(Ordering::Relaxed);
        if !stopped && due <= now {
            visits.made += 1;
            match visit(port, next as usize, &poll) {
                Ok(visitor) => drop(waiting.insert(next as usize, visitor)),
                Err(_) => visits.turned_away += 1,
            }
            next += 1;
            continue;
        }
        let before = waiting.len();
        waiting.retain(|_, visitor| now - visitor.since < PATIENCE);
        visits.unanswered += (before - waiting.len()) as u64;
        if stopped && waiting.is_empty() {
            return Ok(visits);
        }
        let wait = if stopped { Duration::from_millis(20) } else { due - now };
        match poll.poll(&mut events, Some(wait)) {
            Err(e) if e.kind() != io::ErrorKind::Interrupted => return Err(e.into()),
            _ => {}
        }
        for event in &events {
            let token = event.token().0;
            let Some(visitor) = waiting.get_mut(&token) else {
                continue;
            };
            if let Some(greeted) = visitor.receive() {
                visits.longest = visits.longest.max(visitor.since.elapsed());
                visits.turned_away += u64::from(!greeted);
                waiting.remove(&token);
            }
        }
    }
}

fn visit(port: u16, n: usize, poll: &Poll) -> io::Result<Visitor> {
    let fd = unconnected(n, SockFlag::SOCK_NONBLOCK)?;
    let since = Instant::now();
    connect_to(&fd, port)?;
    let mut stream = TcpStream::from_std(StdStream::from(fd));
    poll.registry().register(&mut stream, Token(n), Interest::READABLE)?;
    Ok(Visitor { stream, since, got: Vec::new() })
}

impl Visitor {
    /// Whether it was greeted; `None`: not known yet.
    fn receive(&mut self) -> Option<bool> {
        let mut buffer = [0; 2 * GREETING.len()];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Some(false),
                Ok(n) => self.got.extend_from_slice(&buffer[..n]),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return None,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Some(false),
            }
            if self.got.len() >= GREETING.len() {
                return Some(self.got == GREETING);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn who_is_greeted_and_who_is_not() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let visitors = Visitors::start(listener.local_addr().unwrap().port()).unwrap();
        for greeted in [true, false, true] {
            let (mut stream, _) = listener.accept().unwrap();
            if greeted {
                stream.write_all(GREETING).unwrap();
            }
        }
        drop(listener);
        let visits = visitors.finish().unwrap();
        assert!(visits.made >= 3 && visits.unanswered == 0, "{visits:?}");
        assert_eq!(visits.made - visits.turned_away, 2, "{visits:?}");
    }
}
