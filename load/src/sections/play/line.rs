//! One line to a world and back, and a world that prints without end: through us, beside haproxy, beside nobody in between.

use std::io::Read;
use std::time::{Duration, Instant};

use super::{Front, Player};
use crate::Context;
use crate::guard::{Result, check_stopped};
use crate::peers::Haproxy;
use crate::report::{Row, Target, Unit};
use crate::sections::compare::{Beside, Results, ours, peer};
use crate::stats::Histogram;
use crate::world::World;

/// Who is in between, as rows name him.
const HAPROXY: &str = "haproxy, TCP mode";

/// All rows about it.
pub fn run(context: &mut Context) -> Result<()> {
    let world = World::start()?;
    let dir = context.options.dir.clone();
    let mut programs = context.programs.clone();
    let mut fronts = programs.each(|program| Front::start(program, &dir, &world))?;
    let haproxy = if context.of_pairs() { None } else { Haproxy::start(&dir, world.port)? };
    if haproxy.is_none() && !context.of_pairs() {
        context.report.remark("There is no haproxy here (Debian's package haproxy).");
    }
    lines(context, &world, &mut fronts, haproxy.as_ref())?;
    flood(context, &world, &mut fronts, haproxy.as_ref())
}

type Fronts = crate::pairs::Sides<Front>;

fn lines(context: &mut Context, world: &World, fronts: &mut Fronts, haproxy: Option<&Haproxy>) -> Result<()> {
    let seconds = context.seconds;
    let mut played = fronts.each(|front| Player::enter(front.door, 0))?;
    let mut direct = Player::enter(world.port, 1)?;
    let mut theirs = haproxy.map(|haproxy| Player::enter(haproxy.port, 2)).transpose()?;
    let turns = vec![
        ours("ours", "one line to a world and back, median", played.as_mut(), |player| player.lines(seconds)),
        peer("direct", Some(|| direct.lines(seconds))),
        peer("haproxy", theirs.as_mut().map(|player| || player.lines(seconds))),
    ];
    let results = context.plan()?.measure(Unit::Seconds, turns)?;
    let added = |side: usize| added(&results, side);
    let (we, they) = (added(0), added(2));
    let rows = [("", Vec::new(), Target::Below(40e-6)), (HAPROXY, they, Target::AtMost(1.2))];
    let beside = [
        Beside { ours: 0, peer: "a direct connection", theirs: 1, target: Target::None },
        Beside { ours: 0, peer: HAPROXY, theirs: 2, target: Target::None },
    ];
    results.report(&mut context.report, &beside);
    if !context.of_pairs() {
        for (peer, theirs, target) in rows {
            let work = "added to one line to a world and back, median".to_owned();
            context.report.row(&Row { work, unit: Unit::Seconds, ours: we.clone(), peer, theirs, target });
        }
    }
    Ok(())
}

/// What this side adds to a direct connection, round by round.
fn added(results: &Results, side: usize) -> Vec<f64> {
    let values = |side| results.values(side).unwrap_or_default();
    values(side).iter().zip(values(1)).map(|(value, direct)| value - direct).collect()
}

fn flood(context: &mut Context, world: &World, fronts: &mut Fronts, haproxy: Option<&Haproxy>) -> Result<()> {
    let seconds = context.seconds;
    let flooded = |port: u16, n: usize| -> Result<Player> {
        let mut player = Player::enter(port, n)?;
        player.say(b"flood\r\n")?;
        player.scratch = vec![0; 256 * 1024];
        Ok(player)
    };
    let mut played = fronts.each(|front| flooded(front.door, 3))?;
    let mut direct = flooded(world.port, 4)?;
    let mut theirs = haproxy.map(|haproxy| flooded(haproxy.port, 5)).transpose()?;
    let turns = vec![
        ours("ours", "a world that prints without end", played.as_mut(), |player| player.swallow(seconds)),
        peer("direct", Some(|| direct.swallow(seconds))),
        peer("haproxy", theirs.as_mut().map(|player| || player.swallow(seconds))),
    ];
    let results = context.plan()?.measure(Unit::BytesPerSecond, turns)?;
    let beside = [
        Beside { ours: 0, peer: "a direct connection", theirs: 1, target: Target::None },
        Beside { ours: 0, peer: HAPROXY, theirs: 2, target: Target::AtLeast(0.6) },
    ];
    results.report(&mut context.report, &beside);
    Ok(())
}

impl Player {
    /// Says one line after the other, each when the one before is answered; the median time of one.
    fn lines(&mut self, seconds: f64) -> Result<f64> {
        let mut times = Histogram::default();
        let (begin, length) = (Instant::now(), Duration::from_secs_f64(seconds));
        for number in 0_u64.. {
            let since = Instant::now();
            if since - begin > length {
                break;
            }
            check_stopped()?;
            self.say(format!("say {number}\r\n").as_bytes())?;
            self.until(format!("said {number}\r\n").as_bytes())?;
            // At first caches are cold, and the one before has just had his turn.
            if since - begin > length / 10 {
                times.add(since.elapsed());
            }
        }
        Ok(times.quantile(0.5))
    }

    /// Bytes per second of what is printed without end.
    fn swallow(&mut self, seconds: f64) -> Result<f64> {
        let (begin, length) = (Instant::now(), Duration::from_secs_f64(seconds));
        let (mut from, mut bytes) = (begin, 0);
        while begin.elapsed() < length {
            check_stopped()?;
            let n = self.stream.read(&mut self.scratch)?;
            if n == 0 {
                return Err("a player was dropped".into());
            }
            // What was on its way before is not counted.
            if begin.elapsed() < length / 10 {
                from = Instant::now();
            } else {
                bytes += n;
            }
        }
        Ok(bytes as f64 / from.elapsed().as_secs_f64())
    }
}
