//! The way into a world: WORLD ENTER by a player and PASS REDEEM by the host, beside as many plain questions on the same connections;
//! and the same with ten times as many licences. And what the handler takes for each licence and each guest.

use std::ops::Range;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use super::compare::{Beside, Finding, Found, Measured, ours};
use super::grouped;
use super::lists::{ahead, licences, license, operator, world};
use crate::Context;
use crate::backend::Backend;
use crate::guard::Result;
use crate::net::Client;
use crate::processes::private_of;
use crate::protocol::player;
use crate::report::{Target, Unit};

/// Players, and as many hosts: eight connections.
const PAIRS: usize = 4;
/// Worlds of one host. A player has one pass for each at a time, so this is how many go ahead of their answers.
const WORLDS: usize = 64;

/// All rows about the way in.
pub fn run(context: &mut Context) -> Result<()> {
    let (dir, programs) = (context.options.dir.clone(), context.programs.clone());
    let worlds = PAIRS * WORLDS;
    let start = |licensed: usize| {
        programs.clone().each(|program| {
            let backend = Backend::start(program.clone(), &dir)?;
            Scene::new(backend, licensed)
        })
    };
    let (mut small, mut large) = (start(worlds)?, start(10 * worlds)?);
    let mut plain = start(worlds)?;
    let (plan, seconds) = (context.plan()?, context.seconds);
    let work = |licensed: usize| {
        format!("let in and known, {} licences, 8 connections, {WORLDS} ahead", grouped(licensed as u32))
    };
    let pairs = |scene: &mut &mut Scene| scene.run(seconds, enter);
    let found = plan.measure(
        Unit::PerSecond,
        vec![
            ours("small", work(worlds), small.as_mut(), pairs),
            ours("large", work(10 * worlds), large.as_mut(), pairs),
            ours("plain", "two times HW on the same".to_owned(), plain.as_mut(), |scene| scene.run(seconds, ask)),
        ],
    )?;
    found.report(
        &mut context.report,
        &[
            Beside { ours: 0, peer: "two times HW", theirs: 2, target: Target::None },
            Beside { ours: 1, peer: "with a tenth", theirs: 0, target: Target::AtLeast(0.77) },
        ],
    );
    let kept = |program: &mut PathBuf| memory(Backend::start(program.clone(), &dir)?);
    plan.alone("memory for licences and guests", programs.clone(), kept)?.report(&mut context.report);
    Ok(())
}

/// Licences and guests at first, and then ten times as many.
const KEPT: [usize; 2] = [1_000, 10_000];

/// What the handler takes for a licence, and for a player who is on a game server: of the first ones, and of those that come then.
fn memory(mut backend: Backend) -> Result<Found> {
    let players = u32::try_from(KEPT[1])?;
    backend.seed(players, &[])?;
    let handler = backend.handler()?.as_raw();
    let mut findings = Vec::new();
    let mut grows = |what: &str, more: &mut dyn FnMut(Range<usize>) -> Result<()>| -> Result<()> {
        let mut from = 0;
        for upto in KEPT {
            let before = private_of(handler)?;
            more(from..upto)?;
            let value = (private_of(handler)? - before) / (upto - from) as f64;
            let work =
                format!("memory of the handler for {what}, from {} to {}", grouped(from as u32), grouped(upto as u32));
            findings.push(Finding { work, of: String::new(), unit: Unit::Bytes, value, target: Target::None });
            from = upto;
        }
        Ok(())
    };
    let mut operator = operator(&backend, "keeper")?;
    grows("a licence", &mut |of| license(&mut operator, of).map(drop))?;
    let mut host = backend.server(0)?;
    grows("a player on a game server", &mut |of| {
        let (first, count) = (of.start, of.len());
        ahead(&mut host, count, |n| {
            let name = player((first + n) as u32);
            format!(r#"{{"cmd":"ENTER","args":{{"player":"{}"}}}}"#, String::from_utf8_lossy(&name))
        })
        .map(drop)
    })?;
    Ok(Found { findings, ..Found::default() })
}

/// A player, and the host of the worlds that he goes to.
struct Pair {
    player: Client,
    host: Client,
    first: usize,
}

/// A backend with worlds that are hosted, and those who go there.
struct Scene {
    pairs: Vec<Pair>,
    // Ended last.
    _backend: Backend,
}

impl Scene {
    fn new(mut backend: Backend, licensed: usize) -> Result<Self> {
        let passwords = licences(&backend, licensed)?;
        let mut pairs = Vec::new();
        for n in 0..PAIRS {
            let (mut player, mut host, first) = (backend.client(n)?, backend.server(n)?, n * WORLDS);
            player.ask(&format!(
                r#"{{"id":1,"cmd":"REGISTER","args":{{"name":"guest{n}","password":"long-enough"}}}}"#
            ))?;
            ahead(&mut host, WORLDS, |at| {
                let (world, password) = (world(first + at), &passwords[first + at]);
                format!(r#"{{"cmd":"HOST START","args":{{"world":"{world}","password":"{password}","port":7777}}}}"#)
            })?;
            pairs.push(Pair { player, host, first });
        }
        Ok(Self { pairs, _backend: backend })
    }

    /// How often a second all pairs together do it.
    fn run(&mut self, seconds: f64, once: fn(&mut Pair) -> Result<()>) -> Result<Measured> {
        let (start, time) = (Instant::now(), Duration::from_secs_f64(seconds));
        let counts = thread::scope(|scope| {
            let one = |pair: &mut Pair| -> Result<usize> {
                let mut count = 0;
                while start.elapsed() < time {
                    once(pair)?;
                    count += WORLDS;
                }
                Ok(count)
            };
            let running: Vec<_> = self.pairs.iter_mut().map(|pair| scope.spawn(move || one(pair))).collect();
            let counts = running.into_iter().map(|thread| thread.join().map_err(|_| "a thread died")?);
            counts.collect::<Result<Vec<usize>>>()
        })?;
        let count: usize = counts.iter().sum();
        Ok(Measured::rate(count as f64 / start.elapsed().as_secs_f64(), 2 * count as u64))
    }
}

/// The player is let into all worlds of the host, which learns who he is.
fn enter(pair: &mut Pair) -> Result<()> {
    let Pair { player, host, first } = pair;
    let request = |at| format!(r#"{{"cmd":"WORLD ENTER","args":{{"world":"{}"}}}}"#, world(*first + at));
    let passes: Vec<String> = ahead(player, WORLDS, request)?.iter().map(|reply| pass(reply)).collect();
    ahead(host, WORLDS, |at| format!(r#"{{"cmd":"PASS REDEEM","args":{{"pass":"{}"}}}}"#, passes[at]))?;
    Ok(())
}

/// As many questions that are answered at once.
fn ask(pair: &mut Pair) -> Result<()> {
    for client in [&mut pair.player, &mut pair.host] {
        ahead(client, WORLDS, |_| r#"{"cmd":"HW"}"#.to_owned())?;
    }
    Ok(())
}

/// The pass in an answer.
fn pass(reply: &str) -> String {
    let pass = reply.split_once("\"pass\": \"").map_or("", |(_, rest)| rest);
    pass.split('"').next().unwrap_or_default().to_owned()
}
