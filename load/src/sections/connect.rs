//! Connects: the time to the greeting, and how many connections come and go per second, with and without thousands of
//! idle ones; beside loops that do nothing else.

use std::io::{self, Read};
use std::net::TcpStream as StdStream;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use nix::sys::socket::SockFlag;
use nix::unistd::Pid;

use super::compare::{Beside, ours, peer};
use super::{greeting, grouped, hold};
use crate::Context;
use crate::floors::{Floor, GREETING, Linked};
use crate::guard::{Result, check_stopped, until};
use crate::net::{connect_to, unconnected};
use crate::processes::children;
use crate::report::{Target, Unit};
use crate::stats::Histogram;

const PER_SECOND: u32 = 1_000;
const AT_A_TIME: usize = 8;
const IDLE: usize = 5_000;

/// All rows about connecting.
pub fn run(context: &mut Context) -> Result<()> {
    let (plan, seconds) = (context.plan()?, context.seconds);
    let doors = || context.ours.as_ref().map(|backend| backend.port);
    let floor = context.floor(Floor::Greet, Linked::Dynamically)?;
    let results = plan.measure(
        Unit::Seconds,
        vec![
            ours("ours", work_paced(), doors(), |port| paced(*port, seconds)),
            peer("floor", floor.as_ref().map(|(_, port)| || paced(*port, seconds))),
        ],
    )?;
    let target = Target::AtMost(1.3);
    let rows = [Beside { ours: 0, peer: "accept and greet", theirs: 1, target }];
    results.report(&mut context.report, &rows);

    let crowd = format!("{}, among {} idle ones", work_rate(), grouped(IDLE as u32));
    let mut backends = context.ours.each(|backend| Ok((backend.port, backend.listener()?)))?;
    let doors = backends.as_ref().map(|(port, _)| *port);
    let bare = context.floor(Floor::Fork, Linked::Statically)?;
    let bare = bare.as_ref().map(|(_, port)| *port);
    let floor = context.floor(Floor::Fork, Linked::Dynamically)?;
    let floor = floor.as_ref().map(|(process, port)| (*port, process.pid()));
    let results = plan.measure(
        Unit::PerSecond,
        vec![
            ours("ours", work_rate(), doors, |port| rate(*port, seconds)),
            peer("floor", floor.map(|(port, _)| move || rate(port, seconds))),
            ours("ours among idle", crowd, backends.as_mut(), |(port, pid)| with_idle(*port, *pid, seconds)),
            peer("floor among idle", floor.map(|(port, pid)| move || with_idle(port, pid, seconds))),
            peer("static floor", bare.map(|port| move || rate(port, seconds))),
        ],
    )?;
    results.report(
        &mut context.report,
        &[
            // Ours are locked in; what that costs is a section of its own.
            Beside { ours: 0, peer: "accept-fork loop", theirs: 1, target: Target::AtLeast(0.9) },
            Beside { ours: 0, peer: "accept-fork loop, static", theirs: 4, target: Target::None },
            Beside { ours: 2, peer: "among none", theirs: 0, target: Target::AtLeast(0.9) },
            // The loop does nothing but fork: what it loses is the machine's.
            Beside { ours: 2, peer: "accept-fork loop among as many", theirs: 3, target: Target::None },
        ],
    );
    Ok(())
}

/// What [`paced`] does, in a row's words.
pub fn work_paced() -> String {
    format!("connect → greeting, {}/s, median", grouped(PER_SECOND))
}

/// What [`rate`] does, in a row's words.
pub fn work_rate() -> String {
    format!("connect, greeting, close, {AT_A_TIME} at a time")
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
