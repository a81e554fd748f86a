//! Fan-out: one sender, many subscribers, every subscriber has to get every message; beside Redis' PUBLISH.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::compare::{Beside, Measured, ours, peer};
use super::{grouped, servers, streams};
use crate::Context;
use crate::backend::Backend;
use crate::engine::Fleet;
use crate::guard::Result;
use crate::net::Client;
use crate::peers::Redis;
use crate::protocol::{Json, Protocol, Resp, Taken, find_byte, push_resp};
use crate::report::{Target, Unit};

const CHANNEL: &str = "bench";
/// How a message to the channel begins.
const BEGINNING: &[u8] = b"{\"event\": \"relay\", \"channel\": \"bench\", ";

/// Behind it stands this, of builds that have them after the channel's epoch.
const NUMBER: &[u8] = b"\"number\": ";

/// See [`NUMBER`].
const EPOCH: &[u8] = b"\"epoch\": ";
/// 64 bytes.
const BODY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// The most messages in flight.
const WINDOW: usize = 64;

/// All rows about fan-out.
pub fn run(context: &mut Context) -> Result<()> {
    let redis = context.redis(false)?;
    for (subscribers, one, many) in [(100, 0.5, 0.75), (1_000, 0.35, 0.8)] {
        measure(context, redis.as_ref(), subscribers, [(1, one), (WINDOW, many)])?;
    }
    Ok(())
}

fn measure(context: &mut Context, redis: Option<&Redis>, subscribers: usize, runs: [(usize, f64); 2]) -> Result<()> {
    let (plan, seconds) = (context.plan()?, context.seconds);
    let mut relays = context.ours.each(|backend| Relay::ours(backend, subscribers))?;
    let mut theirs = match redis {
        Some(redis) => Some(Relay::redis(redis, subscribers)?),
        None => None,
    };
    for (in_flight, target) in runs {
        let people = grouped(subscribers as u32);
        let work = format!("deliveries to {people} subscribers, {in_flight} in flight");
        let mut publish = Resp::new(|_, _, out: &mut Vec<u8>| {
            push_resp(out, &[b"PUBLISH", CHANNEL.as_bytes(), BODY.as_bytes()]);
        });
        let results = plan.measure(
            Unit::PerSecond,
            vec![
                ours("ours", work, relays.as_mut(), |relay| relay.run(&mut send(), in_flight, seconds)),
                peer("Redis", theirs.as_mut().map(|relay| || relay.run(&mut publish, in_flight, seconds))),
            ],
        )?;
        let target = Target::AtLeast(target);
        results.report(&mut context.report, &[Beside { ours: 0, peer: "Redis PUBLISH", theirs: 1, target }]);
    }
    Ok(())
}

/// A message to the channel.
pub fn send() -> impl Protocol {
    Json::new(|_, _, out: &mut Vec<u8>| {
        let request = format!(r#""cmd":"RELAY SEND","args":{{"channel":"{CHANNEL}","body":"{BODY}"}}}}"#);
        out.extend_from_slice(request.as_bytes());
    })
}

/// One message as a subscriber gets it.
#[derive(Clone, Copy)]
enum Form {
    /// A line with a number that grows by one.
    Line,
    /// Always the same bytes, this many.
    Fixed(usize),
}

/// A sender (the first connection) and its subscribers (all others).
pub struct Relay {
    fleet: Fleet,
    form: Form,
    /// How many messages each connection has got.
    got: Vec<u64>,
    /// The number of the last message on each connection, where messages have one; 0 before the first.
    last: Vec<u64>,
    /// The next request's number on the sender's connection, and the next reply's.
    asked: u64,
    answered: u64,
    /// How many subscribers have each of the messages under way, by number modulo the window.
    reached: [usize; WINDOW],
    /// Messages that all have got.
    complete: u64,
}

impl Relay {
    fn new(connections: Vec<TcpStream>, form: Form) -> Result<Self> {
        Ok(Self {
            got: vec![0; connections.len()],
            last: vec![0; connections.len()],
            fleet: Fleet::new(connections)?,
            form,
            asked: 0,
            answered: 0,
            reached: [0; WINDOW],
            complete: 0,
        })
    }

    /// On a backend of ours.
    pub fn ours(backend: &mut Backend, subscribers: usize) -> Result<Self> {
        let mut connections = servers(backend, 1)?;
        connections.extend(streams(subscribers, |n| {
            let mut client = backend.server(n + 1)?;
            client.ask(&format!(r#"{{"id":1,"cmd":"RELAY JOIN","args":{{"channel":"{CHANNEL}"}}}}"#))?;
            Ok(client)
        })?);
        Self::new(connections, Form::Line)
    }

    fn redis(redis: &Redis, subscribers: usize) -> Result<Self> {
        let mut connections = streams(1, |n| Client::open(redis.port, n))?;
        connections.extend(streams(subscribers, |n| {
            let mut client = Client::open(redis.port, n + 1)?;
            let mut request = Vec::new();
            push_resp(&mut request, &[b"SUBSCRIBE", CHANNEL.as_bytes()]);
            client.send(&request)?;
            // What comes back looks like the request with the number of subscriptions behind it.
            client.exactly(request.len() + ":1\r\n".len())?;
            Ok(client)
        })?);
        let mut message = Vec::new();
        push_resp(&mut message, &[b"message", CHANNEL.as_bytes(), BODY.as_bytes()]);
        Self::new(connections, Form::Fixed(message.len()))
    }

    /// Deliveries per second with `in_flight` messages under way: the next is sent when all have got the oldest. A
    /// request is one message, however many get it.
    pub fn run(&mut self, protocol: &mut impl Protocol, in_flight: usize, seconds: f64) -> Result<Measured> {
        let (subscribers, answered_before) = (self.fleet.len() - 1, self.answered);
        let warm = Duration::from_secs_f64((seconds / 10.0).min(0.5));
        let mut from = Instant::now() + warm;
        let mut counted_from = None;
        let end = from + Duration::from_secs_f64(seconds);
        loop {
            let now = Instant::now();
            if now >= end {
                break;
            }
            if counted_from.is_none() && now >= from {
                (counted_from, from) = (Some(self.complete), now);
            }
            while self.asked - self.complete < in_flight as u64 {
                self.asked += 1;
                protocol.request(0, self.asked, self.fleet.link(0).output());
            }
            self.fleet.link(0).flush()?;
            self.turn(protocol)?;
        }
        let complete = self.complete - counted_from.unwrap_or(self.complete);
        let rate = complete as f64 * subscribers as f64 / from.elapsed().as_secs_f64();
        let limit = Instant::now() + Duration::from_secs(20);
        while self.complete < self.asked || self.answered < self.asked {
            if Instant::now() > limit {
                return Err("some messages never reached everyone".into());
            }
            self.turn(protocol)?;
        }
        Ok(Measured::rate(rate, self.answered - answered_before))
    }

    /// Seconds until all have one message.
    pub fn once(&mut self, protocol: &mut impl Protocol) -> Result<f64> {
        let start = Instant::now();
        self.asked += 1;
        protocol.request(0, self.asked, self.fleet.link(0).output());
        self.fleet.link(0).flush()?;
        while self.complete < self.asked || self.answered < self.asked {
            if start.elapsed() > Duration::from_secs(20) {
                return Err("a message never reached everyone".into());
            }
            self.turn(protocol)?;
        }
        Ok(start.elapsed().as_secs_f64())
    }

    fn turn(&mut self, protocol: &mut impl Protocol) -> Result<()> {
        let Self { fleet, form, got, last, answered, reached, complete, .. } = self;
        let subscribers = fleet.len() - 1;
        fleet.turn(Duration::from_millis(20), |index, link, scratch| {
            link.receive(scratch, |data| {
                if index == 0 {
                    return replies(protocol, data, answered);
                }
                let (taken, messages) = match form {
                    Form::Line => lines(data, &mut last[index])?,
                    Form::Fixed(length) => fixed(data, *length)?,
                };
                for _ in 0..messages {
                    reached[got[index] as usize % WINDOW] += 1;
                    got[index] += 1;
                }
                Ok(taken)
            })
        })?;
        while reached[*complete as usize % WINDOW] == subscribers {
            reached[*complete as usize % WINDOW] = 0;
            *complete += 1;
        }
        Ok(())
    }
}

/// Takes the sender's replies.
fn replies(protocol: &mut impl Protocol, data: &[u8], answered: &mut u64) -> Result<usize> {
    let mut at = 0;
    while at < data.len() {
        match protocol.reply(&data[at..], *answered + 1)? {
            Taken::More => break,
            Taken::Push(n) => at += n,
            Taken::Reply(n) => {
                at += n;
                *answered += 1;
            }
        }
    }
    Ok(at)
}

/// Counts relay events in whole lines: bytes taken, and messages. Their numbers have to follow `last`.
fn lines(data: &[u8], last: &mut u64) -> Result<(usize, usize)> {
    let (mut at, mut messages) = (0, 0);
    // No message is shorter than its body, so its end need not be looked for there.
    while let Some(end) = data.get(at + BODY.len()..).and_then(|rest| find_byte(rest, b'\n')) {
        let line = &data[at..at + BODY.len() + end];
        let number = line.strip_prefix(BEGINNING).and_then(|rest| {
            let rest = match rest.strip_prefix(EPOCH) {
                Some(epoch) => epoch.get(find_byte(epoch, b' ')? + 1..)?,
                None => rest,
            };
            let digits = rest.strip_prefix(NUMBER)?.iter().take_while(|byte| byte.is_ascii_digit());
            Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
        });
        match number {
            Some(number) if *last == 0 || number == *last + 1 => *last = number,
            // Something else, a gap, or `"missed"`.
            _ => return Err(format!("after number {last} came {}", String::from_utf8_lossy(line).trim()).into()),
        }
        messages += 1;
        at += BODY.len() + end + 1;
    }
    Ok((at, messages))
}

/// Counts messages that are always the same bytes.
fn fixed(data: &[u8], length: usize) -> Result<(usize, usize)> {
    let messages = data.len() / length;
    for message in data.chunks_exact(length) {
        if !message.starts_with(b"*3\r\n$7\r\nmessage\r\n") {
            return Err(format!("a subscriber got {}", String::from_utf8_lossy(message).trim()).into());
        }
    }
    Ok((messages * length, messages))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_messages_are_counted() {
        let line =
            format!("{{\"event\": \"relay\", \"channel\": \"{CHANNEL}\", \"number\": 9, \"body\": \"{BODY}\"}}\r\n");
        let two = line.clone() + &line.replace(": 9", ": 10");
        assert_eq!(lines(two.as_bytes(), &mut 8).unwrap(), (two.len(), 2));
        assert_eq!(lines(&two.as_bytes()[..two.len() - 1], &mut 0).unwrap(), (line.len(), 1));
        assert_eq!(lines(b"", &mut 0).unwrap(), (0, 0));
        let of_an_epoch = line.replace("\"number\"", "\"epoch\": 1795667809918, \"number\"");
        assert_eq!(lines(of_an_epoch.as_bytes(), &mut 8).unwrap(), (of_an_epoch.len(), 1));
        for wrong in [line.repeat(2), line.replace("relay", "gone"), line.replace("number", "missed")] {
            assert!(lines(wrong.as_bytes(), &mut 0).is_err());
        }
        assert!(lines(line.as_bytes(), &mut 7).is_err());

        let mut message = Vec::new();
        push_resp(&mut message, &[b"message", CHANNEL.as_bytes(), BODY.as_bytes()]);
        let two = message.repeat(2);
        assert_eq!(fixed(&two[..two.len() - 1], message.len()).unwrap(), (message.len(), 1));
        assert_eq!(fixed(&two, message.len()).unwrap(), (two.len(), 2));
    }
}
