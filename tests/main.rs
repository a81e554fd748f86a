//! The whole backend as its users meet it: real processes, real sockets, a file or a folder for each capability.
//!
//! Every test has a backend of its own, with its own data and its own address, so they run in any order and in
//! parallel. Nothing here sleeps: a wait is a read with a deadline.

// To panic is how a test fails, also outside of the functions that are marked as tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

mod ahead;
mod anywhere;
mod away;
mod broadcast;
mod compat;
mod compression;
mod connecting;
mod corpus;
mod crash;
mod debian;
mod disk;
mod documents;
mod doors;
mod drill;
mod entry;
mod evening;
mod examples;
mod first_minute;
mod found;
mod handover;
mod hostile;
mod hosting;
mod identity;
mod incidents;
mod inheritance;
mod interrupted;
mod json;
mod keyed;
mod length;
mod licences;
mod lifecycle;
mod limits;
mod mail;
mod meant;
mod mirror;
mod moving;
mod mssp;
mod names;
mod numbers;
mod once;
mod one_at_a_time;
mod operator;
mod pages;
mod permissions;
mod play;
mod players;
mod preferences;
mod processes;
mod proofs;
mod properties;
mod proxy;
mod recorded;
mod records;
mod relay;
mod repeat;
mod restore;
mod resume;
mod rights;
mod root;
mod sandbox;
mod settings;
mod setup;
mod status;
mod strangers;
mod supervisors;
mod takeover;
mod terminal;
mod terms;
mod universe;
mod upgrade;
mod vanished;
mod visitors;
mod visits;
mod walk;
mod watchers;
mod worlds;
mod writing;
mod zygote;
