//! What the tests stand on: a backend of their own, and those who connect to it.

mod actors;
mod ahead;
mod backend;
mod binary;
mod clients;
mod dice;
mod hostile;
mod json;
mod link;
mod listener;
mod log;
mod machine;
mod people;
mod proc;
mod program;
mod recorder;
mod root;
mod run;
mod samples;
mod session;
mod terminal;
mod wire;
pub mod worlds;
mod zoo;

pub use backend::{Backend, MOVED, ctl_data, event, own_address};
pub use binary::{program, program_at, program_of_version, write_program};
pub use clients::Client;
pub use dice::Dice;
pub use hostile::{Hostile, rendezvous_process};
pub use json::{has, is_slowed_down};
pub use link::{Answer, Link, request_frame, wait_readable};
pub use listener::Listener;
pub use log::Log;
pub use machine::Machine;
pub use people::Person;
pub use proc::{Mapping, Process, ZYGOTE, processes_of, zygote_of};
pub use program::{GameServer, Program, places};
pub use recorder::{Recorder, Side};
pub use root::{is_root, is_root_beside};
pub use run::{Output, Running, run};
pub use samples::samples;
pub use session::Session;
pub use terminal::{Terminal, installed, is_installed};
pub use wire::{Wire, cut_off};
pub use zoo::Zoo;

use std::time::Duration;

/// How long anything may take that ought to come at once. Reached only where something is broken, so it may be long
/// enough for a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What every client is greeted with at a door that asks for the mode.
pub const GREETING: &str = "{\"state\": \"OK\", \"msg\": \"CONNECTED serversquaredGlobal\"}\r\n";

/// What a person reads first, and the prompt.
pub const WELCOME: &str = "Welcome to serversquared Modification Global Backend.\r\n> ";
