//! Reads: RECORD SHOW with the rank beside PostgreSQL's read of one row without it; and on a board of a tenth.

use super::compare::{Beside, ours, peer};
use super::{LARGE, SMALL, grouped, servers};
use crate::Context;
use crate::engine::Fleet;
use crate::guard::Result;
use crate::peers::Work;
use crate::protocol::{Json, Protocol, player};
use crate::report::{Target, Unit};
use crate::stats::Random;

/// All rows about ranks.
pub fn run(context: &mut Context) -> Result<()> {
    context.seeded()?;
    context.postgres()?;
    for (connections, target) in [(8, 0.7), (32, 1.0)] {
        measure(context, connections, target)?;
    }
    Ok(())
}

fn measure(context: &mut Context, connections: usize, target: f64) -> Result<()> {
    let (plan, seconds, players) = (context.plan()?, context.seconds, context.players());
    let work = |scores| format!("RECORD SHOW (score and rank) on {}, {connections} connections", grouped(scores));
    let mut fleets = |board, players| {
        context.seeded()?.each(|backend| Ok((Fleet::new(servers(backend, connections)?)?, show(board, players))))
    };
    let (mut large, mut small) = (fleets(LARGE, players)?, fleets(SMALL, players / 10)?);
    let read = context.postgres()?.map(|server| move || server.pgbench(Work::Read, connections, seconds));
    let results = plan.measure(
        Unit::PerSecond,
        vec![
            ours("ours", work(players), large.as_mut(), |(fleet, show)| fleet.run(show, 1, seconds)),
            peer("PostgreSQL", read),
            ours("on a tenth", work(players / 10), small.as_mut(), |(fleet, show)| fleet.run(show, 1, seconds)),
        ],
    )?;
    results.report(
        &mut context.report,
        &[
            Beside { ours: 0, peer: "PostgreSQL point read", theirs: 1, target: Target::AtLeast(target) },
            Beside { ours: 0, peer: "on a tenth of the scores", theirs: 2, target: Target::AtLeast(0.9) },
        ],
    );
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
