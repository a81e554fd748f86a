//! What can be measured, one file per section, and what they share. Runs in the load generator.

mod compare;
mod connect;
mod entry;
mod hashing;
mod idle;
mod lists;
mod ping;
mod play;
mod rank;
mod relay;
mod restart;
mod sandbox;
mod submit;

use std::io::Read;
use std::net::TcpStream;

use clap::ValueEnum;

use crate::Context;
use crate::backend::Backend;
use crate::floors::GREETING;
use crate::guard::{Result, check_stopped};
use crate::net;
use crate::report::Unit;
use crate::seed::Board;

/// The board with as many scores as there are players.
const LARGE: &str = "b1m";
/// The board with a tenth of them.
const SMALL: &str = "b100k";

/// The boards that are seeded.
pub fn boards(players: u32) -> [Board; 2] {
    [Board { name: LARGE, scores: players }, Board { name: SMALL, scores: players / 10 }]
}

/// A section by its name on the command line.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Section {
    /// Connect, greeting, close; beside bare loops
    Connect,
    /// Connecting with and without the lock of workers
    Sandbox,
    /// Memory of idle connections
    Idle,
    /// HW beside Redis PING
    Ping,
    /// RECORD SUBMIT beside PostgreSQL's upsert and Redis ZADD, on disk
    Submit,
    /// RECORD SHOW beside PostgreSQL's point read
    Rank,
    /// RELAY SEND beside Redis PUBLISH
    Relay,
    /// LIST WORLDS, and a change to its watchers beside RELAY SEND
    Lists,
    /// WORLD ENTER and PASS REDEEM
    Entry,
    /// Other commands while registrations wait for their hash
    Hashing,
    /// kill -9 of the handler under a steady load
    KillHandler,
    /// The upgrade of everything under a steady load
    Upgrade,
    /// kill -9 of the listener under runit and a steady load
    KillListener,
    /// A handler that is stopped for five seconds
    StopHandler,
    /// One who plays a world through us, beside haproxy: lines, throughput, memory
    Play,
    /// kill -9 of a world that 500 play, and its return
    PlayWorld,
    /// kill -9 of the handler while 500 play
    PlayHandler,
    /// The upgrade of everything while 500 play
    PlayUpgrade,
    /// Draws pauses over time, beside Evennia's (not run unless it is named)
    Picture,
}

impl Section {
    /// All that measure, in the order that disturbs the least: memory before data, sizes that grow.
    pub const ALL: [Self; 18] = [
        Self::Idle,
        Self::Connect,
        Self::Sandbox,
        Self::Ping,
        Self::Relay,
        Self::Lists,
        Self::Entry,
        Self::Hashing,
        Self::Rank,
        Self::Submit,
        Self::KillHandler,
        Self::Upgrade,
        Self::KillListener,
        Self::StopHandler,
        Self::Play,
        Self::PlayWorld,
        Self::PlayHandler,
        Self::PlayUpgrade,
    ];

    /// The name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().expect("none is hidden").get_name().to_owned()
    }

    /// Measures and adds its rows.
    pub fn run(self, context: &mut Context) -> Result<()> {
        match self {
            Self::Connect => connect::run(context),
            Self::Sandbox => sandbox::run(context),
            Self::Idle => idle::run(context),
            Self::Ping => ping::run(context),
            Self::Submit => submit::run(context),
            Self::Rank => rank::run(context),
            Self::Relay => relay::run(context),
            Self::Lists => lists::run(context),
            Self::Entry => entry::run(context),
            Self::Hashing => hashing::run(context),
            Self::KillHandler => restart::handler::run(context),
            Self::Upgrade => restart::upgrade::run(context),
            Self::KillListener => restart::listener::run(context),
            Self::StopHandler => restart::stopped::run(context),
            Self::Play => play::run(context),
            Self::PlayWorld => play::gone::run(context),
            Self::PlayHandler => play::handler::run(context),
            Self::PlayUpgrade => play::upgrade::run(context),
            Self::Picture => restart::picture::run(context),
        }
    }
}

/// Opens connections that have been greeted and say nothing.
fn hold(port: u16, n: usize) -> Result<Vec<TcpStream>> {
    let mut streams = Vec::with_capacity(n);
    for index in 0..n {
        check_stopped()?;
        let mut stream = net::open(port, index)?;
        greeting(&mut stream)?;
        streams.push(stream);
    }
    Ok(streams)
}

/// Reads the greeting and nothing else.
fn greeting(stream: &mut TcpStream) -> Result<()> {
    let mut buffer = [0; GREETING.len()];
    stream.read_exact(&mut buffer)?;
    if buffer != GREETING {
        return Err(format!("the greeting was {}", String::from_utf8_lossy(&buffer).trim()).into());
    }
    Ok(())
}

/// The bare streams of `n` clients that `open` makes.
fn streams(n: usize, mut open: impl FnMut(usize) -> Result<net::Client>) -> Result<Vec<TcpStream>> {
    (0..n).map(|index| open(index)?.into_stream()).collect()
}

/// The bare streams of `n` game servers.
fn servers(backend: &mut Backend, n: usize) -> Result<Vec<TcpStream>> {
    streams(n, |index| backend.server(index))
}

/// A number with its thousands marked.
fn grouped(n: u32) -> String {
    Unit::PerSecond.show(f64::from(n)).replace("/s", "")
}
