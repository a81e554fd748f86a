//! What the tests stand on: a backend of their own, and those who connect to it.

mod backend;
mod hostile;
mod log;
mod people;
mod proc;
mod program;
mod run;
mod samples;
mod session;
mod wire;

pub use backend::{Backend, MOVED, own_address, program, program_of_version, write_program};
pub use hostile::{Answer, Hostile, Link, Listener, rendezvous_process, request_frame, wait_readable};
pub use log::Log;
pub use people::Person;
pub use proc::{Process, processes_of};
pub use program::{GameServer, Program, places, visitor};
pub use run::{Output, Running, run};
pub use samples::samples;
pub use session::Session;
pub use wire::Wire;

use std::time::Duration;

/// How long anything may take that ought to come at once. Reached only where something is broken, so it may be long
/// enough for a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What every client is greeted with at a door that asks for the mode.
pub const GREETING: &str = "{\"state\": \"OK\", \"msg\": \"CONNECTED serversquaredGlobal\"}\r\n";

/// What a person reads first, and the prompt.
pub const WELCOME: &str = "Welcome to serversquared Modification Global Backend.\r\n> ";
