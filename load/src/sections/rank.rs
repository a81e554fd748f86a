//! Reads: RECORD SHOW with the rank beside PostgreSQL's read of one row without it; and on a board of a tenth.

use super::{LARGE, SMALL, grouped, in_turns, servers, side};
use crate::Context;
use crate::engine::Fleet;
use crate::guard::Result;
use crate::peers::Work;
use crate::protocol::{Json, Protocol, player};
use crate::report::{Row, Target, Unit};
use crate::stats::Random;

/// All rows about ranks.
pub fn run(context: &mut Context) -> Result<()> {
    context.seeded()?;
    context.postgres()?;
    for (connections, target) in [(8, 0.7), (32, 0.9)] {
        measure(context, connections, target)?;
    }
    Ok(())
}

fn measure(context: &mut Context, connections: usize, target: f64) -> Result<()> {
    let (rounds, seconds, players) = (context.options.rounds, context.options.seconds, context.players());
    let work = format!("RECORD SHOW (score and rank) on {}, {connections} connections", grouped(players));
    let (mut large, mut small) = match context.seeded()? {
        Some(backend) => {
            (Some(Fleet::new(servers(backend, connections)?)?), Some(Fleet::new(servers(backend, connections)?)?))
        }
        None => (None, None),
    };
    let (mut show_large, mut show_small) = (show(LARGE, players), show(SMALL, players / 10));
    let read = context.postgres()?.map(|server| move || server.pgbench(Work::Read, connections, seconds));
    let mut results = in_turns(
        rounds,
        &work,
        Unit::PerSecond,
        vec![
            side("ours", large.as_mut().map(|fleet| || Ok(fleet.run(&mut show_large, 1, seconds)?.rate))),
            side("PostgreSQL", read),
            side("on a tenth", small.as_mut().map(|fleet| || Ok(fleet.run(&mut show_small, 1, seconds)?.rate))),
        ],
    )?;
    let (tenth, postgres, ours) = (results.remove(2), results.remove(1), results.remove(0));
    context.report.row(Row {
        work: work.clone(),
        unit: Unit::PerSecond,
        ours: ours.clone(),
        peer: "PostgreSQL point read",
        theirs: postgres,
        target: Target::AtLeast(target),
    });
    context.report.row(Row {
        work,
        unit: Unit::PerSecond,
        ours,
        peer: "on a tenth of the scores",
        theirs: tenth,
        target: Target::AtLeast(0.9),
    });
    Ok(())
}

/// `RECORD SHOW` of random players of a board.
pub fn show(board: &'static str, players: u32) -> impl Protocol {
    let mut random = Random::new(2);
    Json::new(move |_, _, out: &mut Vec<u8>| push_show(out, board, &mut random, players))
}

/// Appends one request without its number and the line's end.
pub fn push_show(out: &mut Vec<u8>, board: &str, random: &mut Random, players: u32) {
    out.extend_from_slice(b"\"cmd\":\"RECORD SHOW\",\"args\":{\"board\":\"");
    out.extend_from_slice(board.as_bytes());
    out.extend_from_slice(b"\",\"player\":\"");
    out.extend_from_slice(&player(random.below(players)));
    out.extend_from_slice(b"\"}}");
}
