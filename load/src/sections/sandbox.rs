//! What it costs that workers are locked in: CPU of a connection, time to the greeting and connections per second, with and
//! without; beside the bare loop.

use std::fs;
use std::time::Duration;

use nix::unistd::{Pid, SysconfVar, sysconf};

use super::connect::{AT_A_TIME, PER_SECOND, paced, rate, settle};
use super::{grouped, in_turns, side};
use crate::Context;
use crate::floors::Floor;
use crate::guard::Result;
use crate::net::Client;
use crate::report::{Row, Target, Unit};

/// Connections whose CPU is counted together: the kernel counts in hundredths of a second.
const CONNECTIONS: u32 = 2_000;

/// All rows about the lock.
pub fn run(context: &mut Context) -> Result<()> {
    let (rounds, seconds) = (context.options.rounds, context.options.seconds);
    let Some(backend) = &context.backend else {
        return Ok(());
    };
    let unlocked = backend.unlocked(&context.options.dir)?;
    let locked = (backend.port, backend.listener()?);
    let unlocked_at = (unlocked.port, unlocked.listener()?);
    let (_floor, floor) = Floor::Fork.start()?;
    let sides = |turn: fn(u16, Pid, f64) -> Result<f64>| {
        vec![
            side("locked in", Some(move || turn(locked.0, locked.1, seconds))),
            side("not", Some(move || turn(unlocked_at.0, unlocked_at.1, seconds))),
        ]
    };

    let work = format!("CPU of a connection, {} of them", grouped(CONNECTIONS));
    let mut results = in_turns(rounds, &work, Unit::Seconds, sides(|port, listener, _| cpu(port, listener)))?;
    let (without, with) = (results.remove(1), results.remove(0));
    context.report.row(Row {
        work: "CPU that the lock adds to a connection".into(),
        unit: Unit::Seconds,
        ours: with.iter().zip(&without).map(|(with, without)| with - without).collect(),
        peer: "",
        theirs: Vec::new(),
        target: Target::Below(0.3e-3),
    });
    context.report.row(Row {
        work,
        unit: Unit::Seconds,
        ours: with,
        peer: "without the lock",
        theirs: without,
        target: Target::None,
    });

    let work = format!("connect → greeting, {}/s, median", grouped(PER_SECOND));
    let mut results = in_turns(rounds, &work, Unit::Seconds, sides(|port, _, seconds| paced(port, seconds)))?;
    context.report.row(Row {
        work,
        unit: Unit::Seconds,
        theirs: results.remove(1),
        ours: results.remove(0),
        peer: "without the lock",
        target: Target::AtMost(1.1),
    });

    let work = format!("connect, greeting, close, {AT_A_TIME} at a time");
    let mut turns = sides(|port, _, seconds| rate(port, seconds));
    turns.push(side("floor", Some(|| rate(floor, seconds))));
    let mut results = in_turns(rounds, &work, Unit::PerSecond, turns)?;
    let (floor, without, with) = (results.remove(2), results.remove(1), results.remove(0));
    for (peer, theirs, target) in
        [("accept-fork loop", floor, Target::AtLeast(0.6)), ("without the lock", without, Target::None)]
    {
        let (work, ours) = (work.clone(), with.clone());
        context.report.row(Row { work, unit: Unit::PerSecond, ours, peer, theirs, target });
    }
    Ok(())
}

/// Seconds of CPU that listener and worker take for one connection that is greeted and closed.
fn cpu(port: u16, listener: Pid) -> Result<f64> {
    settle(listener, 8)?;
    let before = cpu_of(listener)?;
    for index in 0..CONNECTIONS as usize {
        Client::open(port, index)?.line()?;
    }
    // Its end counts as well.
    settle(listener, 1)?;
    std::thread::sleep(Duration::from_millis(20));
    Ok((cpu_of(listener)? - before) / f64::from(CONNECTIONS))
}

/// Seconds of CPU of a process and of its children that have ended.
fn cpu_of(pid: Pid) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = text.rsplit_once(") ").ok_or("no state of the listener")?;
    let ticks = fields.split(' ').skip(11).take(4).map(str::parse::<f64>).sum::<std::result::Result<f64, _>>()?;
    let second = sysconf(SysconfVar::CLK_TCK)?.ok_or("no length of a tick")?;
    Ok(ticks / second as f64)
}
