//! A handler that stands still for five seconds: nothing is lost, and nothing grows without bound, although some
//! clients then send as much as they can.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{CLIENTS, Event, Events, times};
use crate::Context;
use crate::backend::Backend;
use crate::engine::Fleet;
use crate::guard::Result;
use crate::processes::{children, private_of};
use crate::protocol::{Json, Protocol};
use crate::report::{Target, Unit};
use crate::sections::compare::Finding;
use crate::sections::{grouped, streams};

const STOPPED: Duration = Duration::from_secs(5);
/// Clients that send ahead, and how many requests each.
const FLOODING: usize = 8;
const AHEAD: usize = 20_000;
/// Bytes that may wait in a worker for the handler.
const MOST: f64 = 64.0 * 1024.0;

/// All rows about it.
pub fn run(context: &mut Context) -> Result<()> {
    let events = Events { most: None, ..Events::new("SIGSTOP of the handler for 5 s", times(context, 3, 1)) };
    let programs = context.programs.clone();
    events.run(context, programs, |_| Stop::default())
}

#[derive(Default)]
struct Stop {
    flooding: Option<Fleet>,
    /// Bytes that all processes grew, for each client.
    grown: Vec<f64>,
}

impl Event for Stop {
    fn happen(&mut self, backend: &Backend) -> Result<Instant> {
        let flooding = match &mut self.flooding {
            Some(fleet) => fleet,
            none => none.insert(Fleet::new(streams(FLOODING, |n| backend.client(n))?)?),
        };
        let handler = backend.handler()?;
        let before = memory(backend, handler)?;
        let begin = Instant::now();
        kill(handler, Signal::SIGSTOP)?;
        let (during, flooded) = std::thread::scope(|scope| {
            let flood = scope.spawn(|| flooding.run(&mut boards(), AHEAD, 1.0));
            std::thread::sleep(STOPPED.saturating_sub(begin.elapsed()));
            let during = memory(backend, handler);
            let woken = kill(handler, Signal::SIGCONT);
            (during.and_then(|during| Ok(woken.map(|()| during)?)), flood.join())
        });
        flooded.map_err(|_| "the flooding thread died")??;
        self.grown.push((during? - before) / (CLIENTS + FLOODING) as f64);
        Ok(begin)
    }

    fn found(&self) -> Vec<Finding> {
        let work = format!(
            "SIGSTOP of the handler for 5 s: most that all processes grow, for each of {} clients ({FLOODING} send ahead)",
            grouped((CLIENTS + FLOODING) as u32),
        );
        // The most of them: later ones find memory that the first has left.
        let most = self.grown.iter().copied().reduce(f64::max);
        let finding =
            |value| Finding { work, of: String::new(), unit: Unit::Bytes, value, target: Target::Below(MOST) };
        most.map(finding).into_iter().collect()
    }
}

fn boards() -> impl Protocol + Send {
    Json::new(|_, _, out: &mut Vec<u8>| out.extend_from_slice(b"\"cmd\":\"RECORD BOARDS\"}"))
}

/// Private bytes of handler, listener and workers.
fn memory(backend: &Backend, handler: Pid) -> Result<f64> {
    let listener = backend.listener()?;
    let workers = children(listener)?.into_iter().filter(|pid| *pid != handler.as_raw());
    workers.chain([handler.as_raw(), listener.as_raw()]).map(private_of).sum()
}
