//! The upgrade of everything, to a copy of the program, while many play.

use std::path::Path;
use std::time::Duration;

use super::players::Players;
use super::{Front, findings, grouped};
use crate::Context;
use crate::guard::{Result, check_stopped};
use crate::report::Target;
use crate::sections::compare::Found;
use crate::sections::restart::upgrade::Copies;
use crate::world::World;

/// How often.
const TIMES: usize = 20;
/// Lines that each player types in a second.
const EACH: u32 = 5;
/// The time for calm between two of them.
const BETWEEN: Duration = Duration::from_millis(250);

/// All rows about it.
pub fn run(context: &mut Context) -> Result<()> {
    let (many, dir) = (context.many(), context.options.dir.clone());
    let copies = context.programs.clone().each(|program| Copies::of(program, &dir))?;
    let work = format!("upgrade of everything × {TIMES} while {} play", grouped(many as u32));
    let turn = |copies: &mut Copies| turn(copies, &dir, many, &work);
    let facts = context.plan()?.alone(&work, copies, turn)?;
    facts.report(&mut context.report);
    Ok(())
}

fn turn(copies: &Copies, dir: &Path, many: usize, work: &str) -> Result<Found> {
    let world = World::start()?;
    let front = Front::start(copies.as_ref(), dir, &world)?;
    let players = Players::start(front.door, many, EACH * many as u32)?;
    // Another file than the one that runs, in turns.
    for binary in copies.paths().iter().cycle().take(TIMES) {
        check_stopped()?;
        std::thread::sleep(BETWEEN);
        front.backend.operate(&["upgrade", "--binary", &binary.to_string_lossy()])?;
    }
    std::thread::sleep(BETWEEN);
    let record = players.finish()?;
    let findings = findings(work, &record, [Target::None, Target::Below(0.1)]);
    Ok(Found { findings, ..Found::default() })
}
