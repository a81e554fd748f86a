//! Tests of the settings through the crate's public face.

#![allow(clippy::unwrap_used, reason = "a failing helper fails its test")]

mod example;
mod file;
mod layers;
mod table;
mod worlds;
