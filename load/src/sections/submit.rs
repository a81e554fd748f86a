//! Durable writes: RECORD SUBMIT on a large board beside PostgreSQL's upsert per commit and Redis' ZADD with
//! appendfsync always. `$SSMGLOBAL_BEFORE` names another build of the program, one that keeps no answers beside the changes
//! for instance, which then has its turns too.

use super::{LARGE, boards, grouped, in_turns, servers, side, streams};
use crate::Context;
use crate::backend::Backend;
use crate::engine::Fleet;
use crate::guard::Result;
use crate::net::Client;
use crate::peers::{Redis, Work};
use crate::protocol::{Json, Protocol, Resp, player, push_number, push_resp};
use crate::report::{Row, Target, Unit};
use crate::stats::Random;

/// Scores are below this.
const SCORES: u32 = 1_000_000_000;

/// Connections, requests in flight on each, and what to reach beside PostgreSQL and Redis.
const RUNS: [(usize, usize, Option<f64>, f64); 5] = [
    (8, 1, Some(1.0), 0.85),
    (32, 1, Some(1.25), 0.5),
    (100, 1, Some(1.5), 0.4),
    (8, 16, None, 0.8),
    (32, 16, None, 0.8),
];

/// All rows about durable writes.
pub fn run(context: &mut Context) -> Result<()> {
    let players = context.players();
    let redis = Redis::start(&context.options.dir, true)?;
    if let Some(redis) = &redis {
        redis.seed(LARGE, players)?;
    }
    context.seeded()?;
    context.postgres()?;
    let mut before = before(context)?;
    for (connections, in_flight, beside_postgres, beside_redis) in RUNS {
        let peers = (before.as_mut(), redis.as_ref());
        measure(context, peers, (connections, in_flight), beside_postgres, beside_redis)?;
    }
    Ok(())
}

/// The other build, with the same players and boards.
fn before(context: &Context) -> Result<Option<Backend>> {
    let Some(program) = std::env::var_os("SSMGLOBAL_BEFORE") else {
        return Ok(None);
    };
    let mut backend = Backend::start(program.into(), &context.options.dir)?;
    backend.seed(context.players(), &boards(context.players()))?;
    Ok(Some(backend))
}

fn measure(
    context: &mut Context,
    (before, redis): (Option<&mut Backend>, Option<&Redis>),
    (connections, in_flight): (usize, usize),
    beside_postgres: Option<f64>,
    beside_redis: f64,
) -> Result<()> {
    let (rounds, seconds, players) = (context.options.rounds, context.options.seconds, context.players());
    let ahead = if in_flight > 1 { format!(", {in_flight} sent ahead on each") } else { String::new() };
    let work = format!("RECORD SUBMIT on {}, committed, {connections} connections{ahead}", grouped(players));
    let mut ours = match context.seeded()? {
        Some(backend) => Some(Fleet::new(servers(backend, connections)?)?),
        None => None,
    };
    let mut theirs = match redis {
        Some(redis) => Some(Fleet::new(streams(connections, |n| Client::open(redis.port, n))?)?),
        None => None,
    };
    let mut other = match before {
        Some(backend) => Some(Fleet::new(servers(backend, connections)?)?),
        None => None,
    };
    let (mut again, mut submit, mut zadd) = (submit(players), submit(players), zadd(players));
    let postgres = match beside_postgres {
        Some(_) => context.postgres()?,
        None => None,
    };
    let upsert = postgres.map(|server| move || server.pgbench(Work::Upsert, connections, seconds));
    let mut results = in_turns(
        rounds,
        &work,
        Unit::PerSecond,
        vec![
            side("ours", ours.as_mut().map(|fleet| || Ok(fleet.run(&mut submit, in_flight, seconds)?.rate))),
            side("PostgreSQL", upsert),
            side("Redis", theirs.as_mut().map(|fleet| || Ok(fleet.run(&mut zadd, in_flight, seconds)?.rate))),
            side("the other build", other.as_mut().map(|fleet| || Ok(fleet.run(&mut again, in_flight, seconds)?.rate))),
        ],
    )?;
    let other = results.remove(3);
    let (redis, postgres, ours) = (results.remove(2), results.remove(1), results.remove(0));
    if !other.is_empty() {
        context.report.row(Row {
            work: work.clone(),
            unit: Unit::PerSecond,
            ours: ours.clone(),
            peer: "the other build",
            theirs: other,
            target: Target::AtLeast(0.85),
        });
    }
    if let Some(target) = beside_postgres {
        context.report.row(Row {
            work: work.clone(),
            unit: Unit::PerSecond,
            ours: ours.clone(),
            peer: "PostgreSQL upsert",
            theirs: postgres,
            target: Target::AtLeast(target),
        });
    }
    context.report.row(Row {
        work,
        unit: Unit::PerSecond,
        ours,
        peer: "Redis ZADD, appendfsync always",
        theirs: redis,
        target: Target::AtLeast(beside_redis),
    });
    Ok(())
}

fn submit(players: u32) -> impl Protocol {
    let mut random = Random::new(1);
    Json::new(move |_, _, out: &mut Vec<u8>| {
        out.extend_from_slice(b"\"cmd\":\"RECORD SUBMIT\",\"args\":{\"board\":\"");
        out.extend_from_slice(LARGE.as_bytes());
        out.extend_from_slice(b"\",\"player\":\"");
        out.extend_from_slice(&player(random.below(players)));
        out.extend_from_slice(b"\",\"score\":");
        push_number(out, u64::from(random.below(SCORES)));
        out.extend_from_slice(b"}}");
    })
}

fn zadd(players: u32) -> impl Protocol {
    let mut random = Random::new(1);
    let mut score = Vec::new();
    Resp::new(move |_, _, out: &mut Vec<u8>| {
        let member = player(random.below(players));
        score.clear();
        push_number(&mut score, u64::from(random.below(SCORES)));
        push_resp(out, &[b"ZADD", LARGE.as_bytes(), &score, &member]);
    })
}
