//! Runs with cargo-fuzz; see docs/testing.md.

#![no_main]

#[path = "../src/targets.rs"]
#[allow(dead_code)]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::proxy(bytes));
