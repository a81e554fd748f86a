//! A world that is played through us: beside a direct connection and haproxy, while the world dies and returns, and while we do.

pub mod gone;
pub mod handler;
mod line;
mod memory;
mod players;
pub mod upgrade;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use super::compare::Finding;
use super::grouped;
use crate::Context;
use crate::backend::{Backend, Supervisor};
use crate::guard::{Result, free_port};
use crate::net;
use crate::protocol::find;
use crate::report::{Target, Unit};
use crate::stats::median;
use crate::telnet::Skipper;
use crate::world::{LET_IN, WELCOME, World};
use players::Record;

/// How many play while something dies.
const PLAYERS: usize = 500;
/// How many, to see that it works.
const FEW: usize = 50;

/// All rows about one who plays.
pub fn run(context: &mut Context) -> Result<()> {
    line::run(context)?;
    memory::run(context)
}

impl Context {
    /// How many play while something dies.
    fn many(&self) -> usize {
        if self.options.quick { FEW } else { PLAYERS }
    }
}

/// A backend with a door that leads straight into a world.
struct Front {
    backend: Backend,
    /// The door's port on the loopback.
    door: u16,
}

impl Front {
    /// Starts one in `at`, in front of a world.
    fn start(program: &Path, at: &Path, world: &World) -> Result<Self> {
        let door = free_port()?;
        let config = format!(
            "[world.load]\nplay = [\"127.0.0.1:{}\"]\nkind = \"tinymux\"\n\n\
             [[door]]\naddress = \"127.0.0.1:{door}\"\nworld = \"load\"\n",
            world.port
        );
        let backend = Backend::start_under(Supervisor::None, program.to_owned(), at, &config)?;
        Ok(Self { backend, door })
    }
}

/// One who plays, and what has come and was not taken.
struct Player {
    stream: TcpStream,
    skipper: Skipper,
    text: Vec<u8>,
    scratch: Vec<u8>,
}

impl Player {
    /// The `n`-th player connects to this port, be it the world's or that of somebody in front of it, and logs in.
    fn enter(port: u16, n: usize) -> Result<Self> {
        let stream = net::open(port, n)?;
        let mut player = Self { stream, skipper: Skipper::default(), text: Vec::new(), scratch: vec![0; 4096] };
        player.until(WELCOME)?;
        player.say(&login(n))?;
        player.until(LET_IN)?;
        Ok(player)
    }

    fn say(&mut self, line: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(line)?)
    }

    /// Reads until this has come; what comes behind it stays.
    fn until(&mut self, wanted: &[u8]) -> Result<()> {
        loop {
            if let Some(at) = find(&self.text, wanted) {
                self.text.drain(..at + wanted.len());
                return Ok(());
            }
            let n = self.stream.read(&mut self.scratch)?;
            if n == 0 {
                return Err("a player was dropped".into());
            }
            self.skipper.take(&self.scratch[..n], &mut self.text);
        }
    }
}

/// The line that the `n`-th player logs in with.
fn login(n: usize) -> Vec<u8> {
    format!("connect player{n} secret{n}\r\n").into_bytes()
}

/// What shall be none, and how long players waited, at the most: the median of all players, and the worst.
fn findings(work: &str, record: &Record, most: [Target; 2]) -> Vec<Finding> {
    let of = |count: usize| format!(", of {}", grouped(u32::try_from(count).unwrap_or(u32::MAX)));
    let none = |what: &str, of: String, count: usize| Finding {
        work: format!("{work}: {what}"),
        of,
        unit: Unit::Count,
        value: count as f64,
        target: Target::Below(0.0),
    };
    let faults = record.missing(0) + record.doubled + record.out_of_order;
    let mut findings = vec![
        none("players dropped", of(record.players), record.dropped),
        none("lines lost, doubled, out of order", of(record.lines.len()), faults),
    ];
    let longest = record.longest_of_each();
    let (middle, worst) = (median(&longest), longest.iter().copied().reduce(f64::max));
    for (which, value, target) in [("median of the players", middle, most[0]), ("worst", worst, most[1])] {
        if let Some(value) = value {
            let work = format!("{work}: longest pause of a player, {which}");
            findings.push(Finding { work, of: String::new(), unit: Unit::Seconds, value, target });
        }
    }
    findings
}
