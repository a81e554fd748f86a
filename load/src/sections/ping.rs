//! The way through a worker and back: `HW` beside Redis' PING.

use super::compare::{Beside, ours, peer};
use super::streams;
use crate::Context;
use crate::engine::Fleet;
use crate::guard::Result;
use crate::net::Client;
use crate::protocol::{Json, Protocol, Resp, push_resp};
use crate::report::{Target, Unit};

/// All rows about the cheapest command.
pub fn run(context: &mut Context) -> Result<()> {
    let seconds = context.seconds;
    let redis = context.redis(false)?;
    for (connections, target) in [(8, 0.5), (32, 0.55)] {
        let work = format!("`HW`, {connections} connections");
        let plan = context.plan()?;
        let mut fleets = context.ours.each(|backend| Fleet::new(streams(connections, |n| backend.client(n))?))?;
        let mut theirs = match &redis {
            Some(redis) => Some(Fleet::new(streams(connections, |n| Client::open(redis.port, n))?)?),
            None => None,
        };
        let mut ping = Resp::new(|_, _, out: &mut Vec<u8>| push_resp(out, &[b"PING"]));
        let results = plan.measure(
            Unit::PerSecond,
            vec![
                ours("ours", work, fleets.as_mut(), |fleet| fleet.run(&mut hello(), 1, seconds)),
                peer("Redis", theirs.as_mut().map(|fleet| || fleet.run(&mut ping, 1, seconds))),
            ],
        )?;
        let target = Target::AtLeast(target);
        results.report(&mut context.report, &[Beside { ours: 0, peer: "Redis PING", theirs: 1, target }]);
    }
    Ok(())
}

fn hello() -> impl Protocol {
    Json::new(|_, _, out: &mut Vec<u8>| out.extend_from_slice(b"\"cmd\":\"HW\"}"))
}
