//! The client engine: one thread, one epoll, many connections, a fixed number of requests in flight on each, and every
//! reply checked against the request that it answers. Runs in the load generator.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::TcpStream as StdStream;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::guard::{Result, check_stopped};
use crate::protocol::{Protocol, Taken};
use crate::stats::Histogram;

/// How long outstanding replies may take when a measurement is over.
const DRAIN: Duration = Duration::from_secs(20);
const SCRATCH: usize = 256 * 1024;

/// One connection of a fleet.
pub struct Link {
    stream: TcpStream,
    /// Received and not understood yet: the beginning of a line.
    input: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    next_id: u64,
    /// When each unanswered request was sent, oldest first.
    sent: VecDeque<Instant>,
}

impl Link {
    fn new(stream: StdStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream: TcpStream::from_std(stream),
            input: Vec::new(),
            output: Vec::new(),
            written: 0,
            next_id: 1,
            sent: VecDeque::new(),
        })
    }

    /// Appends bytes to what will be sent.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Writes as much as the socket takes; the rest follows when it is writable again.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.written < self.output.len() {
            match self.stream.write(&self.output[self.written..]) {
                Ok(n) => self.written += n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        self.output.clear();
        self.written = 0;
        Ok(())
    }

    /// Forgets what was not written: the other side is gone.
    pub fn give_up(&mut self) {
        self.output.clear();
        self.written = 0;
    }

    /// Reads until the socket is empty. `take` gets all bytes that are not understood yet and returns how many it took.
    pub fn receive(&mut self, scratch: &mut [u8], mut take: impl FnMut(&[u8]) -> Result<usize>) -> Result<()> {
        loop {
            let n = match self.stream.read(scratch) {
                Ok(0) => return Err("the other side closed the connection".into()),
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e.into()),
            };
            if self.input.is_empty() {
                let taken = take(&scratch[..n])?;
                self.input.extend_from_slice(&scratch[taken..n]);
            } else {
                self.input.extend_from_slice(&scratch[..n]);
                let taken = take(&self.input)?;
                self.input.drain(..taken);
            }
            // A short read has emptied the socket; the next bytes raise the next event.
            if n < scratch.len() {
                return Ok(());
            }
        }
    }
}

/// Many connections on one epoll.
pub struct Fleet {
    poll: Poll,
    events: Events,
    links: Vec<Link>,
    scratch: Vec<u8>,
}

/// What a run has measured.
#[derive(Default)]
pub struct Outcome {
    /// Replies per second.
    pub rate: f64,
    /// From writing a request to reading its reply.
    pub latency: Histogram,
    /// All replies, also before and after the part that counts.
    pub answered: u64,
}

/// The part of a run that counts.
struct Window {
    from: Instant,
    to: Instant,
}

impl Window {
    /// Begins after a tenth of the time, half a second at the most, so that everything is warm.
    fn new(seconds: f64) -> Self {
        let warm = (seconds / 10.0).min(0.5);
        let from = Instant::now() + Duration::from_secs_f64(warm);
        Self { from, to: from + Duration::from_secs_f64(seconds) }
    }

    fn holds(&self, now: Instant) -> bool {
        (self.from..self.to).contains(&now)
    }

    fn seconds(&self) -> f64 {
        (self.to - self.from).as_secs_f64()
    }
}

impl Fleet {
    /// Takes over connected streams on which nothing is outstanding.
    pub fn new(streams: impl IntoIterator<Item = StdStream>) -> Result<Self> {
        let poll = Poll::new()?;
        let mut links = Vec::new();
        for stream in streams {
            let mut link = Link::new(stream)?;
            let both = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut link.stream, Token(links.len()), both)?;
            links.push(link);
        }
        Ok(Self { poll, events: Events::with_capacity(1024), links, scratch: vec![0; SCRATCH] })
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    /// One of the connections.
    pub fn link(&mut self, index: usize) -> &mut Link {
        &mut self.links[index]
    }

    /// Waits for events, `limit` at the most, then calls `act` for every connection that can be read.
    pub fn turn(
        &mut self,
        limit: Duration,
        mut act: impl FnMut(usize, &mut Link, &mut [u8]) -> Result<()>,
    ) -> Result<()> {
        check_stopped()?;
        match self.poll.poll(&mut self.events, Some(limit)) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in &self.events {
            let index = event.token().0;
            let link = &mut self.links[index];
            if event.is_readable() {
                act(index, link, &mut self.scratch)?;
            }
            link.flush()?;
        }
        Ok(())
    }

    /// Keeps `in_flight` requests on every connection for `seconds`: each reply is followed by the next request.
    pub fn run(&mut self, protocol: &mut impl Protocol, in_flight: usize, seconds: f64) -> Result<Outcome> {
        let window = Window::new(seconds);
        let mut outcome = Outcome::default();
        let start = Instant::now();
        for (index, link) in self.links.iter_mut().enumerate() {
            for _ in 0..in_flight {
                ask(protocol, index, link, start);
            }
            link.flush()?;
        }
        while Instant::now() < window.to {
            self.turn(Duration::from_millis(20), |index, link, scratch| {
                let now = Instant::now();
                let answered = replies(protocol, link, scratch, now, &window, &mut outcome)?;
                if now < window.to {
                    (0..answered).for_each(|_| ask(protocol, index, link, now));
                }
                Ok(())
            })?;
        }
        self.drain(protocol, &window, &mut outcome)?;
        outcome.rate = outcome.latency.count() as f64 / window.seconds();
        Ok(outcome)
    }

    /// Sends `per_second` requests on the connections in turn, whether or not earlier ones were answered.
    pub fn paced(&mut self, protocol: &mut impl Protocol, per_second: u32, seconds: f64) -> Result<Outcome> {
        let window = Window::new(seconds);
        let mut outcome = Outcome::default();
        let start = Instant::now();
        for n in 0.. {
            let due = start + Duration::from_secs(1) * n / per_second;
            if due >= window.to {
                break;
            }
            loop {
                let wait = due.saturating_duration_since(Instant::now());
                if wait.is_zero() {
                    break;
                }
                self.turn(wait, |_, link, scratch| {
                    replies(protocol, link, scratch, Instant::now(), &window, &mut outcome).map(drop)
                })?;
            }
            let index = n as usize % self.links.len();
            let link = &mut self.links[index];
            ask(protocol, index, link, Instant::now());
            link.flush()?;
        }
        self.drain(protocol, &window, &mut outcome)?;
        outcome.rate = outcome.latency.count() as f64 / window.seconds();
        Ok(outcome)
    }

    /// Waits for what is outstanding, so that the next run begins with silence.
    fn drain(&mut self, protocol: &mut impl Protocol, window: &Window, outcome: &mut Outcome) -> Result<()> {
        let end = Instant::now() + DRAIN;
        while self.links.iter().any(|link| !link.sent.is_empty()) {
            if Instant::now() > end {
                return Err("some requests were never answered".into());
            }
            self.turn(Duration::from_millis(20), |_, link, scratch| {
                replies(protocol, link, scratch, Instant::now(), window, outcome).map(drop)
            })?;
        }
        Ok(())
    }
}

fn ask(protocol: &mut impl Protocol, index: usize, link: &mut Link, now: Instant) {
    protocol.request(index, link.next_id, &mut link.output);
    link.next_id += 1;
    link.sent.push_back(now);
}

/// Takes all replies that have arrived; returns how many.
fn replies(
    protocol: &mut impl Protocol,
    link: &mut Link,
    scratch: &mut [u8],
    now: Instant,
    window: &Window,
    outcome: &mut Outcome,
) -> Result<usize> {
    let mut oldest = link.next_id - link.sent.len() as u64;
    let mut sent = std::mem::take(&mut link.sent);
    let mut answered = 0;
    link.receive(scratch, |data| {
        let mut at = 0;
        while at < data.len() {
            match protocol.reply(&data[at..], oldest)? {
                Taken::More => break,
                Taken::Push(n) => at += n,
                Taken::Reply(n) => {
                    let Some(when) = sent.pop_front() else {
                        return Err("a reply to nothing".into());
                    };
                    if window.holds(now) {
                        outcome.latency.add(now - when);
                    }
                    at += n;
                    oldest += 1;
                    answered += 1;
                }
            }
        }
        Ok(at)
    })?;
    link.sent = sent;
    outcome.answered += answered as u64;
    Ok(answered)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;

    use super::*;
    use crate::protocol::Json;

    /// A server that answers every line as `answer` does, in pieces.
    fn server(answer: fn(&str) -> String) -> StdStream {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let client = StdStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        std::thread::spawn(move || {
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            for line in lines.map_while(std::result::Result::ok) {
                for piece in answer(&line).as_bytes().chunks(17) {
                    if stream.write_all(piece).is_err() {
                        return;
                    }
                }
            }
        });
        client
    }

    fn hello() -> impl Protocol {
        Json::new(|_, _, out: &mut Vec<u8>| out.extend_from_slice(b"\"cmd\":\"HW\"}"))
    }

    fn right(line: &str) -> String {
        let id = line.trim_start_matches("{\"id\":").split(',').next().unwrap();
        format!("{{\"event\": \"notice\"}}\r\n{{\"state\": \"OK\", \"msg\": \"Hello, world!\", \"id\": {id}}}\r\n")
    }

    #[test]
    fn replies_in_pieces_are_counted_and_runs_follow_each_other() {
        let mut fleet = Fleet::new([server(right), server(right)]).unwrap();
        let outcome = fleet.run(&mut hello(), 4, 0.2).unwrap();
        assert!(outcome.rate > 10.0 && outcome.latency.quantile(0.5) > 0.0);
        let outcome = fleet.paced(&mut hello(), 200, 0.2).unwrap();
        assert!((20..=41).contains(&outcome.latency.count()), "{}", outcome.latency.count());
        assert!(outcome.answered >= outcome.latency.count());
    }

    #[test]
    fn an_error_and_a_wrong_number_end_the_run() {
        let error = |_: &str| "{\"state\": \"ERROR\", \"msg\": \"No.\", \"id\": 1}\r\n".to_owned();
        let wrong = |_: &str| "{\"state\": \"OK\", \"msg\": \"Yes.\", \"id\": 9}\r\n".to_owned();
        for (answer, expected) in [(error as fn(&str) -> String, "No."), (wrong, "the reply to request 1")] {
            let mut fleet = Fleet::new([server(answer)]).unwrap();
            let complaint = fleet.run(&mut hello(), 1, 0.2).map(|_| ()).unwrap_err().to_string();
            assert!(complaint.contains(expected), "{complaint}");
        }
    }
}
