//! `kill -9` of the handler, one after the other.

use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Event, Events, seconds, served, times};
use crate::Context;
use crate::backend::Backend;
use crate::guard::Result;
use crate::net::Client;
use crate::report::Target;
use crate::sections::compare::Finding;
use crate::stats::median;

/// All rows about it.
pub fn run(context: &mut Context) -> Result<()> {
    let events = Events::new("`kill -9` of the handler", times(context, 200, 10));
    let programs = context.programs.clone();
    events.run(context, programs, |_| Kill::default())
}

#[derive(Default)]
struct Kill {
    probe: Option<Client>,
    /// The one that is killed next.
    handler: Option<Pid>,
    /// How long nobody answered, in seconds.
    absent: Vec<f64>,
}

impl Event for Kill {
    fn happen(&mut self, backend: &Backend) -> Result<Instant> {
        let probe = match &mut self.probe {
            Some(probe) => probe,
            none => none.insert(backend.client(0)?),
        };
        let old = match self.handler {
            Some(pid) => pid,
            None => backend.handler()?,
        };
        let begin = Instant::now();
        kill(old, Signal::SIGKILL)?;
        served(probe)?;
        self.absent.push(begin.elapsed().as_secs_f64());
        let new = backend.handler()?;
        if new == old {
            return Err("the handler was not started again".into());
        }
        self.handler = Some(new);
        Ok(begin)
    }

    fn found(&self) -> Vec<Finding> {
        let work = "`kill -9` of the handler → the next one answers";
        median(&self.absent).map(|middle| seconds(work.into(), middle, Target::None)).into_iter().collect()
    }
}
