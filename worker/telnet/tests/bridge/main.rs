//! The bridge: what a player's program and a world agree on through us.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing helper fails its test")]

mod leaving;
mod program;
mod properties;
mod recorded;
#[path = "../conversation/recording.rs"]
mod recording;
mod talk;
#[path = "../conversation/words.rs"]
mod words;
mod worlds;
