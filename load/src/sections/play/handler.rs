//! `kill -9` of the handler, once a second, while many play.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use super::players::Players;
use super::{Front, findings, grouped};
use crate::Context;
use crate::guard::{Result, check_stopped};
use crate::report::Target;
use crate::sections::compare::Found;
use crate::world::World;

/// How often it is killed.
const TIMES: u32 = 10;
/// Lines that each player types in a second.
const EACH: u32 = 5;
const SECOND: Duration = Duration::from_secs(1);

/// All rows about it.
pub fn run(context: &mut Context) -> Result<()> {
    let (many, dir, programs) = (context.many(), context.options.dir.clone(), context.programs.clone());
    let work = format!("`kill -9` of the handler × {TIMES} while {} play", grouped(many as u32));
    let turn = |program: &mut std::path::PathBuf| turn(program, &dir, many, &work);
    let facts = context.plan()?.alone(&work, programs, turn)?;
    facts.report(&mut context.report);
    Ok(())
}

fn turn(program: &Path, dir: &Path, many: usize, work: &str) -> Result<Found> {
    let world = World::start()?;
    let front = Front::start(program, dir, &world)?;
    let players = Players::start(front.door, many, EACH * many as u32)?;
    let mut last = None;
    for _ in 0..TIMES {
        check_stopped()?;
        let begin = Instant::now();
        let handler = front.backend.handler()?;
        if last == Some(handler) {
            return Err("the handler was not started again".into());
        }
        kill(handler, Signal::SIGKILL)?;
        last = Some(handler);
        std::thread::sleep(SECOND.saturating_sub(begin.elapsed()));
    }
    let record = players.finish()?;
    let findings = findings(work, &record, [Target::Below(0.01), Target::None]);
    Ok(Found { findings, ..Found::default() })
}
