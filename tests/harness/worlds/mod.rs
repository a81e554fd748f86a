//! Worlds to connect players to: small ones inside of the test program, each as one kind of game server is towards its clients,
//! and TinyMUX; and a client that looks at every byte. They share no code with the backend.

mod bytes;
pub mod codes;
mod kind;
mod options;
mod player;
mod profile;
mod record;
mod strict;
mod text;
mod tinymux;
mod world;

pub use kind::Kind;
pub use options::End;
pub use profile::{Letters, Profile};
pub use record::{Connection, Preamble, Told};
pub use strict::StrictClient;
pub use tinymux::TinyMux;
pub use world::{Cut, World};
