//! Memory: what one who plays takes of the machine, without and with compression.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use super::{Front, Player, login};
use crate::Context;
use crate::guard::{Result, check_stopped, until};
use crate::net;
use crate::processes::children;
use crate::protocol::find;
use crate::report::{Target, Unit};
use crate::sections::compare::{Beside, ours, peer};
use crate::sections::grouped;
use crate::sections::idle::steady_memory;
use crate::world::World;

/// How many play.
const MANY: usize = 1_000;
/// How long a server may take to agree to compression.
const AGREED_WITHIN: Duration = Duration::from_secs(5);
/// `IAC DO MCCP2`: what the server sends may be compressed.
const COMPRESS: &[u8] = &[255, 253, 86];
/// `IAC SB MCCP2 IAC SE`: it is from here on.
const COMPRESSED: &[u8] = &[255, 250, 86, 255, 240];

/// All rows about it.
pub fn run(context: &mut Context) -> Result<()> {
    let world = World::start()?;
    let dir = context.options.dir.clone();
    let mut programs = context.programs.clone();
    let mut fronts = programs.each(|program| Front::start(program, &dir, &world))?;
    let many = if context.options.quick { MANY / 10 } else { MANY };
    for (how, compressed, most) in [("", false, 200.0), (", with compression", true, 500.0)] {
        let work = format!("memory of one who plays{how}, {} of them", grouped(many as u32));
        let doors = fronts.each(|front| Ok((front.door, front.backend.listener()?)))?;
        let turns = vec![
            ours("ours", work, doors, |(door, listener)| machine(&world, *door, Some(*listener), many, compressed)),
            peer("direct", Some(|| machine(&world, world.port, None, many, false))),
        ];
        let results = context.plan()?.measure(Unit::Bytes, turns)?;
        // The whole of it has to be within bounds: what the world and our own end take as well.
        let target = Target::Below(most * 1024.0);
        results.report(&mut context.report, &[Beside { ours: 0, peer: "a direct connection", theirs: 1, target }]);
    }
    Ok(())
}

/// Bytes of the machine's memory that one takes who plays, the world's end of it and our own included.
fn machine(world: &World, port: u16, parent: Option<Pid>, many: usize, compressed: bool) -> Result<f64> {
    let workers = || -> Result<usize> { parent.map_or(Ok(0), |pid| Ok(children(pid)?.len())) };
    let (before, workers_before) = (steady_memory()?, workers()?);
    let mut held = Vec::with_capacity(many);
    for n in 0..many {
        check_stopped()?;
        held.push(if compressed { enter_compressed(port, n)? } else { Player::enter(port, n)?.stream });
    }
    let patience = Duration::from_secs(30);
    until("everybody in the world", patience, || Ok(world.players()? == many))?;
    let after = steady_memory()?;
    drop(held);
    until("nobody in the world", patience, || Ok(world.players()? == 0 && workers()? <= workers_before))?;
    Ok((before - after) / many as f64)
}

/// The `n`-th player logs in over a connection that is compressed; what comes back is not read.
fn enter_compressed(port: u16, n: usize) -> Result<TcpStream> {
    let mut stream = net::open(port, n)?;
    stream.write_all(COMPRESS)?;
    let (mut came, mut scratch) = (Vec::new(), [0; 4096]);
    let until = Instant::now() + AGREED_WITHIN;
    while find(&came, COMPRESSED).is_none() {
        // Signs of life come for ever.
        let left = until.saturating_duration_since(Instant::now());
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        let count = stream.read(&mut scratch).map_err(|e| format!("no compression is agreed on: {e}"))?;
        if count == 0 {
            return Err("a player was dropped".into());
        }
        came.extend_from_slice(&scratch[..count]);
    }
    stream.write_all(&login(n))?;
    Ok(stream)
}
