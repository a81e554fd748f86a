//! Durable writes: RECORD SUBMIT on a large board beside PostgreSQL's upsert per commit and Redis' ZADD with
//! appendfsync always.

use super::compare::{Beside, ours, peer};
use super::{LARGE, grouped, servers, streams};
use crate::Context;
use crate::engine::Fleet;
use crate::guard::Result;
use crate::net::Client;
use crate::peers::{Redis, Work};
use crate::protocol::{Json, Protocol, Resp, player, push_number, push_resp};
use crate::report::{Target, Unit};
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
    let redis = context.redis(true)?;
    if let Some(redis) = &redis {
        redis.seed(LARGE, players)?;
    }
    context.seeded()?;
    context.postgres()?;
    for (connections, in_flight, beside_postgres, beside_redis) in RUNS {
        measure(context, redis.as_ref(), (connections, in_flight), beside_postgres, beside_redis)?;
    }
    Ok(())
}

fn measure(
    context: &mut Context,
    redis: Option<&Redis>,
    (connections, in_flight): (usize, usize),
    beside_postgres: Option<f64>,
    beside_redis: f64,
) -> Result<()> {
    let (plan, seconds, players) = (context.plan()?, context.seconds, context.players());
    let ahead = if in_flight > 1 { format!(", {in_flight} sent ahead on each") } else { String::new() };
    let work = format!("RECORD SUBMIT on {}, committed, {connections} connections{ahead}", grouped(players));
    let mut fleets =
        context.seeded()?.each(|backend| Ok((Fleet::new(servers(backend, connections)?)?, submit(players))))?;
    let mut theirs = match redis {
        Some(redis) => Some(Fleet::new(streams(connections, |n| Client::open(redis.port, n))?)?),
        None => None,
    };
    let mut zadd = zadd(players);
    let postgres = match beside_postgres {
        Some(_) => context.postgres()?,
        None => None,
    };
    let upsert = postgres.map(|server| move || server.pgbench(Work::Upsert, connections, seconds));
    let results = plan.measure(
        Unit::PerSecond,
        vec![
            ours("ours", work, fleets.as_mut(), |(fleet, submit)| fleet.run(submit, in_flight, seconds)),
            peer("PostgreSQL", upsert),
            peer("Redis", theirs.as_mut().map(|fleet| || fleet.run(&mut zadd, in_flight, seconds))),
        ],
    )?;
    let row = |peer, theirs, least| Beside { ours: 0, peer, theirs, target: Target::AtLeast(least) };
    let mut rows: Vec<Beside> = beside_postgres.map(|least| row("PostgreSQL upsert", 1, least)).into_iter().collect();
    rows.push(row("Redis ZADD, appendfsync always", 2, beside_redis));
    results.report(&mut context.report, &rows);
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
