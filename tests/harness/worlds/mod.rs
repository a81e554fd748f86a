//! Worlds to connect players to: small ones inside of the test program, each as one kind of game server is towards its clients,
//! and real ones where they are installed; and a client that looks at every byte. They share no code with the backend.

mod bytes;
mod circle;
pub mod codes;
mod engine;
mod evennia;
mod kind;
mod options;
mod player;
mod profile;
mod record;
mod strict;
mod text;
mod tinymux;
mod world;

pub use circle::Circle;
pub use evennia::Evennia;
pub use kind::Kind;
pub use options::End;
pub use profile::{Letters, Profile};
pub use record::{Connection, Preamble, Told};
pub use strict::StrictClient;
pub use tinymux::TinyMux;
pub use world::{Cut, World};
