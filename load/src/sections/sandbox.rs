//! What it costs that workers are locked in: CPU of a connection, time to the greeting and connections per second, with
//! and without; beside the bare loop.

use std::time::Duration;

use nix::unistd::Pid;

use super::compare::{Beside, ours, peer};
use super::connect::{paced, rate, settle, work_paced, work_rate};
use super::grouped;
use crate::Context;
use crate::floors::{Floor, Linked};
use crate::guard::Result;
use crate::net::Client;
use crate::pairs::{First, Sides};
use crate::processes::{cpu_with_ended, zygote};
use crate::report::{Row, Target, Unit};

/// Connections whose CPU is counted together: the kernel counts in hundredths of a second.
const CONNECTIONS: u32 = 2_000;

/// All rows about the lock. Of two builds only the CPU of a connection: what else there is, `connect` measures.
pub fn run(context: &mut Context) -> Result<()> {
    let (plan, seconds) = (context.plan()?, context.seconds);
    let Some(backend) = &context.ours.new else {
        return Ok(());
    };
    let unlocked = if context.of_pairs() { None } else { Some(backend.unlocked(&context.options.dir)?) };
    let mut unlocked = Sides { new: unlocked, old: None, first: First::New };
    let without = unlocked.each(|backend| Ok((backend.port, backend.listener()?)))?.new;
    let locked = context.ours.each(|backend| Ok((backend.port, backend.listener()?)))?;
    let sides = |work: String, turn: fn(u16, Pid, f64) -> Result<f64>| {
        vec![
            ours("locked in", work, locked.as_ref(), move |(port, listener)| turn(*port, *listener, seconds)),
            peer("not", without.map(|(port, listener)| move || turn(port, listener, seconds))),
        ]
    };

    let work = format!("CPU of a connection, {} of them", grouped(CONNECTIONS));
    let results = plan.measure(Unit::Seconds, sides(work, |port, listener, _| cpu(port, listener)))?;
    if let (Some(with), Some(without)) = (results.values(0), results.values(1)) {
        context.report.row(&Row {
            work: "CPU that the lock adds to a connection".into(),
            unit: Unit::Seconds,
            ours: with.iter().zip(without).map(|(with, without)| with - without).collect(),
            peer: "",
            theirs: Vec::new(),
            target: Target::Below(0.3e-3),
        });
    }
    let beside = |peer, theirs, target| Beside { ours: 0, peer, theirs, target };
    let without_lock = |target| beside("without the lock", 1, target);
    results.report(&mut context.report, &[without_lock(Target::None)]);
    if context.of_pairs() {
        return Ok(());
    }

    let results = plan.measure(Unit::Seconds, sides(work_paced(), |port, _, seconds| paced(port, seconds)))?;
    results.report(&mut context.report, &[without_lock(Target::AtMost(1.1))]);

    let (_floor, floor) = Floor::Fork.start(Linked::Dynamically)?;
    let mut turns = sides(work_rate(), |port, _, seconds| rate(port, seconds));
    turns.push(peer("floor", Some(|| rate(floor, seconds))));
    let rows = [beside("accept-fork loop", 2, Target::AtLeast(0.6)), without_lock(Target::None)];
    plan.measure(Unit::PerSecond, turns)?.report(&mut context.report, &rows);
    Ok(())
}

/// Seconds of CPU that listener, zygote and worker take for one connection that is greeted and closed.
fn cpu(port: u16, listener: Pid) -> Result<f64> {
    // A zygote comes with the first client.
    Client::open(port, 0)?.line()?;
    settle(listener, 8)?;
    let zygote = zygote(listener)?;
    let spent = || -> Result<f64> { Ok(cpu_with_ended(listener)? + zygote.map_or(Ok(0.0), cpu_with_ended)?) };
    let before = spent()?;
    for index in 0..CONNECTIONS as usize {
        Client::open(port, index)?.line()?;
    }
    // Its end counts as well.
    settle(listener, 1 + usize::from(zygote.is_some()))?;
    std::thread::sleep(Duration::from_millis(20));
    Ok((spent()? - before) / f64::from(CONNECTIONS))
}
