//! What holds for every input, in both roles.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing helper fails its test")]

mod bounds;
mod moving;
mod session;
mod splits;
mod talk;
