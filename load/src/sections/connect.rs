//! Connects: the time to the greeting, and how many connections come and go per second, with and without thousands of
//! idle ones; beside loops that do nothing else.

use std::io::{self, Read};
use std::net::TcpStream as StdStream;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use nix::sys::socket::SockFlag;
use nix::unistd::Pid;

use super::{children, greeting, grouped, hold, in_turns, side};
use crate::Context;
use crate::floors::{Floor, GREETING};
use crate::guard::{Result, check_stopped, until};
use crate::net::{connect_to, unconnected};
use crate::report::{Row, Target, Unit};
use crate::stats::Histogram;

pub const PER_SECOND: u32 = 1_000;
pub const AT_A_TIME: usize = 8;
const IDLE: usize = 5_000;

/// All rows about connecting.
pub fn run(context: &mut Context) -> Result<()> {
    let (rounds, seconds) = (context.options.rounds, context.options.seconds);
    let ours = match &context.backend {
        Some(backend) => Some((backend.port, backend.listener()?)),
        None => None,
    };
    let work = format!("connect → greeting, {}/s, median", grouped(PER_SECOND));
    let (_floor, floor) = Floor::Greet.start()?;
    let mut results = in_turns(
        rounds,
        &work,
        Unit::Seconds,
        vec![
            side("ours", ours.map(|(port, _)| move || paced(port, seconds))),
            side("floor", Some(|| paced(floor, seconds))),
        ],
    )?;
    context.report.row(Row {
        work,
        unit: Unit::Seconds,
        theirs: results.remove(1),
        ours: results.remove(0),
        peer: "accept and greet",
        target: Target::AtMost(1.4),
    });

    let work = format!("connect, greeting, close, {AT_A_TIME} at a time");
    let (process, floor) = Floor::Fork.start()?;
    let floor_pid = process.pid();
    let crowded = |(port, listener)| move || with_idle(port, listener, seconds);
    let mut results = in_turns(
        rounds,
        &work,
        Unit::PerSecond,
        vec![
            side("ours", ours.map(|(port, _)| move || rate(port, seconds))),
            side("floor", Some(|| rate(floor, seconds))),
            side("ours among idle", ours.map(crowded)),
            side("floor among idle", Some(|| with_idle(floor, floor_pid, seconds))),
        ],
    )?;
    let (crowded_floor, crowded) = (results.remove(3), results.remove(2));
    let (floor, ours) = (results.remove(1), results.remove(0));
    context.report.row(Row {
        work: work.clone(),
        unit: Unit::PerSecond,
        ours: ours.clone(),
        peer: "accept-fork loop",
        theirs: floor,
        // Ours are locked in; what that costs is a section of its own.
        target: Target::AtLeast(0.6),
    });
    context.report.row(Row {
        work: format!("{work}, among {} idle ones", grouped(IDLE as u32)),
        unit: Unit::PerSecond,
        ours: crowded.clone(),
        peer: "among none",
        theirs: ours,
        target: Target::AtLeast(0.9),
    });
    // The loop does nothing but fork: what it loses is the machine's.
    context.report.row(Row {
        work: format!("{work}, among {} idle ones", grouped(IDLE as u32)),
        unit: Unit::PerSecond,
        ours: crowded,
        peer: "accept-fork loop among as many",
        theirs: crowded_floor,
        target: Target::None,
    });
    Ok(())
}

/// The median time from `connect` to the whole greeting, one connection at a time at a steady rate.
pub fn paced(port: u16, seconds: f64) -> Result<f64> {
    let mut latency = Histogram::default();
    let start = Instant::now();
    for n in 0..(f64::from(PER_SECOND) * seconds) as u32 {
        check_stopped()?;
        let due = start + Duration::from_secs(1) * n / PER_SECOND;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let fd = unconnected(n as usize, SockFlag::empty())?;
        let begin = Instant::now();
        connect_to(&fd, port)?;
        let mut stream = StdStream::from(fd);
        greeting(&mut stream)?;
        latency.add(begin.elapsed());
    }
    Ok(latency.quantile(0.5))
}

/// Connections per second that were opened, greeted and closed, with a few under way at any time.
pub fn rate(port: u16, seconds: f64) -> Result<f64> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(64);
    let mut opened = 0;
    let mut next = |poll: &Poll, slot: usize| -> Result<(TcpStream, usize)> {
        opened += 1;
        let fd = unconnected(opened, SockFlag::SOCK_NONBLOCK)?;
        connect_to(&fd, port)?;
        let mut stream = TcpStream::from_std(StdStream::from(fd));
        poll.registry().register(&mut stream, Token(slot), Interest::READABLE)?;
        Ok((stream, 0))
    };
    let mut slots = Vec::new();
    for slot in 0..AT_A_TIME {
        slots.push(next(&poll, slot)?);
    }
    let start = Instant::now();
    let end = start + Duration::from_secs_f64(seconds);
    let mut done = 0_u64;
    let mut last = start;
    while Instant::now() < end {
        check_stopped()?;
        poll.poll(&mut events, Some(Duration::from_millis(100)))?;
        for event in &events {
            let slot = event.token().0;
            let (stream, got) = &mut slots[slot];
            let mut buffer = [0; 2 * GREETING.len()];
            match stream.read(&mut buffer) {
                Ok(0) => return Err("closed before the greeting".into()),
                Ok(n) => *got += n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => continue,
                Err(e) => return Err(e.into()),
            }
            if *got == GREETING.len() {
                slots[slot] = next(&poll, slot)?;
                done += 1;
            } else if *got > GREETING.len() {
                return Err("more than a greeting came".into());
            }
        }
        last = Instant::now();
    }
    Ok(done as f64 / (last - start).as_secs_f64())
}

/// The same rate while idle connections are held; ends when their workers are gone, so that the next turn has none.
fn with_idle(port: u16, listener: Pid, seconds: f64) -> Result<f64> {
    settle(listener, 8)?;
    let held = hold(port, IDLE)?;
    let rate = rate(port, seconds)?;
    drop(held);
    settle(listener, 8)?;
    Ok(rate)
}

/// Waits until a process has no more than a few children.
pub fn settle(pid: Pid, few: usize) -> Result<()> {
    until("the end of idle workers", Duration::from_secs(30), || Ok(children(pid)?.len() <= few))
}
