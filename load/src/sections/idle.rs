//! Memory: what an idle connection takes of the machine, and what its worker has for itself.

use std::fs;
use std::time::Duration;

use nix::unistd::Pid;

use super::{children, grouped, hold, in_turns, kilobytes, meminfo, side};
use crate::Context;
use crate::backend::Backend;
use crate::floors::Floor;
use crate::guard::{Result, until};
use crate::net::Client;
use crate::report::{Row, Target, Unit};

const IDLE: usize = 5_000;
const WORKERS: usize = 50;

/// All rows about memory.
pub fn run(context: &mut Context) -> Result<()> {
    let ours = match &context.backend {
        Some(backend) => Some((backend.port, backend.listener()?)),
        None => None,
    };
    let work = format!("memory of an idle connection, {} of them", grouped(IDLE as u32));
    let (process, floor) = Floor::Fork.start()?;
    let mut results = in_turns(
        context.options.rounds,
        &work,
        Unit::Bytes,
        vec![
            side("ours", ours.map(|(port, listener)| move || machine(port, listener))),
            side("floor", Some(|| machine(floor, process.pid()))),
        ],
    )?;
    context.report.row(Row {
        work,
        unit: Unit::Bytes,
        theirs: results.remove(1),
        ours: results.remove(0),
        peer: "accept-fork loop",
        target: Target::Below(130.0 * 1024.0),
    });
    let (before, after) = match &context.backend {
        Some(backend) => private(backend)?,
        None => Default::default(),
    };
    for (when, values, most) in [("before the first command", before, 24.0), ("after WORLDS", after, 64.0)] {
        context.report.row(Row {
            work: format!("private memory of a worker, {when}"),
            unit: Unit::Bytes,
            ours: values,
            peer: "",
            theirs: Vec::new(),
            target: Target::Below(most * 1024.0),
        });
    }
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
fn steady_memory() -> Result<f64> {
    std::thread::sleep(Duration::from_secs(1));
    meminfo("MemAvailable")
}

/// Private bytes of workers that have been told nothing yet, and after their first command.
fn private(backend: &Backend) -> Result<(Vec<f64>, Vec<f64>)> {
    let listener = backend.listener()?;
    let known = children(listener)?;
    let new =
        || -> Result<Vec<i32>> { Ok(children(listener)?.into_iter().filter(|pid| !known.contains(pid)).collect()) };
    let mut clients = Vec::new();
    for index in 0..WORKERS {
        let mut client = Client::open(backend.port, index)?;
        client.line()?;
        clients.push(client);
    }
    std::thread::sleep(Duration::from_secs(1));
    let before = new()?.into_iter().map(private_of).collect::<Result<_>>()?;
    for client in &mut clients {
        client.ask("MODE CLIENT")?;
        client.ask(r#"{"id":1,"cmd":"WORLDS"}"#)?;
    }
    let after = new()?.into_iter().map(private_of).collect::<Result<_>>()?;
    Ok((before, after))
}

/// Bytes that a process has for itself.
pub fn private_of(pid: i32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let parts = ["Private_Clean", "Private_Dirty"].map(|name| kilobytes(&text, name));
    parts.into_iter().sum::<Option<f64>>().ok_or_else(|| "smaps_rollup without private pages".into())
}
