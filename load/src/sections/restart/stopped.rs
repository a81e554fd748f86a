//! A handler that stands still for five seconds: nothing is lost, and nothing grows without bound.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::super::idle::private_of;
use super::{CLIENTS, Events, times};
use crate::Context;
use crate::backend::Backend;
use crate::guard::Result;
use crate::report::{Row, Target, Unit};

const STOPPED: Duration = Duration::from_secs(5);
/// Bytes that may wait in a worker for the handler.
const MOST: f64 = 64.0 * 1024.0;

/// All rows about it.
pub fn run(context: &mut Context) -> Result<()> {
    let mut grown = Vec::new();
    let events = Events { most: None, ..Events::new("SIGSTOP of the handler for 5 s", times(context, 3).min(3)) };
    events.run(context, |backend| {
        let handler = backend.handler()?;
        let before = memory(backend, handler)?;
        let begin = Instant::now();
        kill(handler, Signal::SIGSTOP)?;
        std::thread::sleep(STOPPED.saturating_sub(begin.elapsed()));
        let during = memory(backend, handler);
        kill(handler, Signal::SIGCONT)?;
        grown.push((during? - before) / CLIENTS as f64);
        Ok(begin)
    })?;
    context.report.row(Row {
        work: "SIGSTOP of the handler for 5 s: memory of all processes, growth for each client".into(),
        unit: Unit::Bytes,
        ours: grown,
        peer: "",
        theirs: Vec::new(),
        target: Target::Below(MOST),
    });
    Ok(())
}

/// Private bytes of handler, listener and workers.
fn memory(backend: &Backend, handler: Pid) -> Result<f64> {
    let listener = backend.listener()?;
    let workers = super::super::children(listener)?.into_iter().filter(|pid| *pid != handler.as_raw());
    workers.chain([handler.as_raw(), listener.as_raw()]).map(private_of).sum()
}
