//! A world that is killed while many play it, and started again after some seconds.

use std::path::Path;
use std::time::{Duration, Instant};

use super::players::{Players, Record};
use super::{Front, grouped};
use crate::Context;
use crate::guard::Result;
use crate::report::{Target, Unit};
use crate::sections::compare::{Finding, Found};
use crate::world::World;

/// How long it is gone.
const DOWN: Duration = Duration::from_secs(3);
/// How long all play before, and after.
const AROUND: Duration = Duration::from_secs(3);
/// Lines that each player types in a second.
const EACH: u32 = 2;

/// All rows about it.
pub fn run(context: &mut Context) -> Result<()> {
    let (many, dir, programs) = (context.many(), context.options.dir.clone(), context.programs.clone());
    let work = format!("kill -9 of a world that {} play, down for 3 s", grouped(many as u32));
    let turn = |program: &mut std::path::PathBuf| turn(program, &dir, many, &work);
    let facts = context.plan()?.alone(&work, programs, turn)?;
    facts.report(&mut context.report);
    Ok(())
}

fn turn(program: &Path, dir: &Path, many: usize, work: &str) -> Result<Found> {
    let mut world = World::start()?;
    let front = Front::start(program, dir, &world)?;
    let players = Players::start(front.door, many, EACH * many as u32)?;
    std::thread::sleep(AROUND);
    world.kill();
    let killed = Instant::now();
    std::thread::sleep(DOWN);
    world.start_again()?;
    let listens = Instant::now();
    std::thread::sleep(AROUND);
    let (killed, listens) = (players.at(killed), players.at(listens));
    Ok(found(work, &players.finish()?, killed, listens))
}

fn found(work: &str, record: &Record, killed: u64, listens: u64) -> Found {
    let first = record.first_answer_of_each(listens);
    let back: Vec<u64> = first.iter().flatten().map(|at| at - listens).collect();
    let finding = |what: &str, of: String, unit: Unit, value: f64, most: f64| {
        let work = format!("{work}: {what}");
        Finding { work, of, unit, value, target: Target::Below(most) }
    };
    let of = |count: usize| format!(", of {}", grouped(u32::try_from(count).unwrap_or(u32::MAX)));
    let typed = record.lines.iter().filter(|line| (killed..listens).contains(&line.from));
    let (typed, lost) = typed.fold((0, 0), |(typed, lost), line| (typed + 1, lost + usize::from(line.to.is_none())));
    let count = |what: &str, of: String, count: usize| finding(what, of, Unit::Count, count as f64, 0.0);
    let mut findings = vec![
        count("players dropped", of(record.players), record.dropped),
        count("players not back", of(record.players), record.players - back.len()),
        count("lines typed meanwhile and lost", of(typed), lost),
        count("lines answered twice", of(record.lines.len()), record.doubled),
        count("lines answered out of order", of(record.lines.len()), record.out_of_order),
    ];
    for (what, micros, most) in [("first", back.iter().min(), 0.05), ("last", back.iter().max(), 2.0)] {
        if let Some(micros) = micros {
            let what = format!("from listening until the {what} player has an answer");
            findings.push(finding(&what, String::new(), Unit::Seconds, *micros as f64 / 1e6, most));
        }
    }
    let before = record.missing(0) - record.missing(killed);
    let after = record.missing(listens);
    let remark = format!(
        "{work}: {before} lines had reached the world, or its socket, when it was killed, and died with it; of those typed \
         after its return {after} were not answered. The generator was late by {:.1} ms at the most.",
        record.lag.as_secs_f64() * 1e3
    );
    Found { findings, remark: Some(remark), ..Found::default() }
}
