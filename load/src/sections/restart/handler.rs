//! `kill -9` of the handler, one after the other.

use std::time::Instant;

use nix::sys::signal::{Signal, kill};

use super::{Events, seconds_row, served, times};
use crate::Context;
use crate::backend::Backend;
use crate::guard::Result;
use crate::net::Client;
use crate::report::Target;
use crate::stats::median;

/// All rows about it.
pub fn run(context: &mut Context) -> Result<()> {
    let mut probe: Option<Client> = None;
    let mut handler = None;
    let mut absent = Vec::new();
    let events = Events::new("`kill -9` of the handler", times(context, 200));
    events.run(context, |backend: &Backend| {
        let probe = match &mut probe {
            Some(probe) => probe,
            none => none.insert(backend.client(0)?),
        };
        let old = match handler {
            Some(pid) => pid,
            None => backend.handler()?,
        };
        let begin = Instant::now();
        kill(old, Signal::SIGKILL)?;
        served(probe)?;
        absent.push(begin.elapsed().as_secs_f64());
        let new = backend.handler()?;
        if new == old {
            return Err("the handler was not started again".into());
        }
        handler = Some(new);
        Ok(begin)
    })?;
    if let Some(middle) = median(&absent) {
        seconds_row(
            &mut context.report,
            "`kill -9` of the handler → the next one answers".into(),
            middle,
            Target::None,
        );
    }
    Ok(())
}
