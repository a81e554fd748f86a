//! Settings of ssmglobal: what can be set, what is allowed, and where it comes from.
//!
//! Read by a short-lived child of the listener (at the start and on SIGHUP) and by the operator's commands; the handler
//! gets the listener's [`Settings`] as bytes, and workers inherit them by the fork.
//!
//! Later beats earlier: defaults, file, environment (`SSMGLOBAL_…`), command line. One table,
//! [`KEYS`] with [`DOOR_KEYS`] and [`WORLD_KEYS`], names every key with its range, default, meaning and environment
//! name; checking, suggestions and the test of `config/ssmglobal.toml` all read that table.

mod address;
mod door;
mod draft;
mod file;
mod key;
mod kind;
mod listen;
mod load;
pub mod mssp;
mod network;
mod pattern;
pub mod play;
mod problem;
mod rule;
mod rules;
mod settings;
mod value;
mod version;
mod words;

pub use address::{network, shown, wide_network};
pub use door::Door;
pub use file::check;
pub use key::Key;
pub use kind::{Kind, Unfit};
pub use listen::{DEFAULT_PORT, Listen, ListenError, OptionalListen, PEOPLE_PORT};
pub use load::{
    CONFIG_VARIABLE, DATA_VARIABLE, DATABASE, DEFAULT_FILE, Loaded, Overrides, SYSTEM_FILE, environment, load, load_if,
};
pub use network::{Network, NetworkError};
pub use pattern::pattern;
pub use problem::{Place, Problem, Warning};
pub use rule::Rule;
pub use rules::advice;
pub use settings::{
    DOOR_KEYS, DoorSettings, KEYS, Limits, Log, Mail, Players, Processes, Records, Relay, Settings, Stored, TABLES,
    Texts, WORLD_KEYS, WorldSettings, Worlds,
};
pub use value::Value;
pub use version::{NoVersion, Version};
pub use words::{DoorMode, Identity, Level};

/// The commented example file, `config/ssmglobal.toml`, as it was when this was built.
pub const EXAMPLE: &str = include_str!("../ssmglobal.toml");
