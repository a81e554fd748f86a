//! `kill -9` of the listener under runit, one after the other, while others connect.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use super::{Event, Events, steady, times};
use crate::Context;
use crate::backend::{Backend, Supervisor};
use crate::guard::{Result, find_program, until};
use crate::net::Client;

/// `runsv` starts at once what has run for a second, else it waits.
const BETWEEN: Duration = Duration::from_millis(1_200);

/// All rows about it.
pub fn run(context: &mut Context) -> Result<()> {
    if find_program("runsv").is_none() {
        context.report.remark("`kill-listener` is left out: there is no `runsv` (Debian's package runit).");
        return Ok(());
    }
    let events = Events {
        between: BETWEEN,
        supervisor: Supervisor::Runit,
        visitors: true,
        ..Events::new("`kill -9` of the listener", times(context, 50, 5))
    };
    let programs = context.programs.clone();
    events.run(context, programs, |_| Kill)
}

struct Kill;

impl Event for Kill {
    fn happen(&mut self, backend: &Backend) -> Result<Instant> {
        let old = backend.listener()?;
        let begin = Instant::now();
        kill(old, Signal::SIGKILL)?;
        // Who connects waits until the next listener takes him; where the door is gone, until there is one.
        until("the next listener", steady::PATIENCE, || {
            let greeted = Client::open(backend.port, 0).and_then(|mut client| client.line());
            Ok(greeted.is_ok_and(|line| line.contains("CONNECTED")))
        })?;
        until("its process id", steady::PATIENCE, || Ok(backend.listener().is_ok_and(|new| new != old)))?;
        Ok(begin)
    }
}
