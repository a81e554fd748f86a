//! Memory: what an idle connection takes of the machine, and what its worker has for itself.

use std::path::PathBuf;
use std::time::Duration;

use nix::unistd::Pid;

use super::compare::{Beside, Finding, Found, ours, peer};
use super::{grouped, hold};
use crate::Context;
use crate::backend::Backend;
use crate::floors::{Floor, Linked};
use crate::guard::{Result, until};
use crate::net::Client;
use crate::processes::{children, meminfo, private_of};
use crate::report::{Target, Unit};
use crate::stats::median;

const IDLE: usize = 5_000;
const WORKERS: usize = 50;

/// All rows about memory.
pub fn run(context: &mut Context) -> Result<()> {
    let plan = context.plan()?;
    let work = format!("memory of an idle connection, {} of them", grouped(IDLE as u32));
    let doors = context.ours.each(|backend| Ok((backend.port, backend.listener()?)))?;
    let floor = context.floor(Floor::Fork, Linked::Dynamically)?;
    let results = plan.measure(
        Unit::Bytes,
        vec![
            ours("ours", work, doors, |(port, listener)| machine(*port, *listener)),
            peer("floor", floor.as_ref().map(|(process, port)| || machine(*port, process.pid()))),
        ],
    )?;
    let target = Target::Below(80.0 * 1024.0);
    results.report(&mut context.report, &[Beside { ours: 0, peer: "accept-fork loop", theirs: 1, target }]);
    let (dir, programs) = (context.options.dir.clone(), context.programs.clone());
    // A new listener each time: which of its pages a worker writes to differs by one from start to start.
    let private = |program: &mut PathBuf| private(&Backend::start(program.clone(), &dir)?);
    let facts = plan.alone("private memory of a worker", programs, private)?;
    facts.report(&mut context.report);
    Ok(())
}

/// Bytes of the machine's memory that one idle connection takes, our own end of it included.
fn machine(port: u16, parent: Pid) -> Result<f64> {
    let before = steady_memory()?;
    let children_before = children(parent)?.len();
    let held = hold(port, IDLE)?;
    let after = steady_memory()?;
    drop(held);
    until("the end of idle workers", Duration::from_secs(30), || Ok(children(parent)?.len() <= children_before))?;
    Ok((before - after) / IDLE as f64)
}

/// Available memory, once a second has gone by: the kernel frees late and keeps its counts per core.
pub fn steady_memory() -> Result<f64> {
    std::thread::sleep(Duration::from_secs(1));
    meminfo("MemAvailable")
}

/// Private bytes of workers that have been told nothing yet, and after their first command: the medians.
fn private(backend: &Backend) -> Result<Found> {
    let listener = backend.listener()?;
    let known = children(listener)?;
    let new = || -> Result<f64> {
        let pids = children(listener)?.into_iter().filter(|pid| !known.contains(pid));
        let bytes = pids.map(private_of).collect::<Result<Vec<f64>>>()?;
        Ok(median(&bytes).ok_or("there are no new workers")?)
    };
    let mut clients = Vec::new();
    for index in 0..WORKERS {
        let mut client = Client::open(backend.port, index)?;
        client.line()?;
        clients.push(client);
    }
    std::thread::sleep(Duration::from_secs(1));
    let before = new()?;
    for client in &mut clients {
        client.ask("MODE CLIENT")?;
        client.ask(r#"{"id":1,"cmd":"WORLDS"}"#)?;
    }
    let after = new()?;
    let finding = |(when, value, most): (&str, f64, f64)| {
        let work = format!("private memory of a worker, {when}");
        Finding { work, of: String::new(), unit: Unit::Bytes, value, target: Target::Below(most * 1024.0) }
    };
    let findings = [("before the first command", before, 16.0), ("after WORLDS", after, 48.0)].map(finding).into();
    Ok(Found { findings, ..Found::default() })
}
