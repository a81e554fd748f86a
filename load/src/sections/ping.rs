//! The way through a worker and back: `HW` beside Redis' PING.

use super::{in_turns, side, streams};
use crate::Context;
use crate::engine::Fleet;
use crate::guard::Result;
use crate::net::Client;
use crate::peers::Redis;
use crate::protocol::{Json, Resp, push_resp};
use crate::report::{Row, Target, Unit};

/// All rows about the cheapest command.
pub fn run(context: &mut Context) -> Result<()> {
    let (rounds, seconds) = (context.options.rounds, context.options.seconds);
    let redis = Redis::start(&context.options.dir, false)?;
    for connections in [8, 32] {
        let work = format!("`HW`, {connections} connections");
        let mut ours = match &context.backend {
            Some(backend) => Some(Fleet::new(streams(connections, |n| backend.client(n))?)?),
            None => None,
        };
        let mut theirs = match &redis {
            Some(redis) => Some(Fleet::new(streams(connections, |n| Client::open(redis.port, n))?)?),
            None => None,
        };
        let mut hello = Json::new(|_, _, out: &mut Vec<u8>| out.extend_from_slice(b"\"cmd\":\"HW\"}"));
        let mut ping = Resp::new(|_, _, out: &mut Vec<u8>| push_resp(out, &[b"PING"]));
        let mut results = in_turns(
            rounds,
            &work,
            Unit::PerSecond,
            vec![
                side("ours", ours.as_mut().map(|fleet| || Ok(fleet.run(&mut hello, 1, seconds)?.rate))),
                side("Redis", theirs.as_mut().map(|fleet| || Ok(fleet.run(&mut ping, 1, seconds)?.rate))),
            ],
        )?;
        context.report.row(Row {
            work,
            unit: Unit::PerSecond,
            theirs: results.remove(1),
            ours: results.remove(0),
            peer: "Redis PING",
            target: Target::AtLeast(0.5),
        });
    }
    Ok(())
}
