//! What the fuzzer runs (`fuzz/`), run as ordinary tests: everything in its corpus, and some thousand changes of it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::path::Path;

#[path = "../fuzz/src/targets.rs"]
mod targets;

/// What is in the corpus of a target.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let files = std::fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let seeds: Vec<Vec<u8>> = files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(!seeds.is_empty());
    seeds
}

/// Runs a target with all of `seeds`, then with pieces of them that have a few bytes changed.
fn run(seeds: Vec<Vec<u8>>, target: fn(&[u8])) {
    seeds.iter().for_each(|seed| target(seed));
    let edits = vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    let pieces = vec((prop::sample::select(seeds), any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..4);
    let made = (pieces, edits).prop_map(|(pieces, edits)| {
        let mut bytes = Vec::new();
        for (seed, from, to) in pieces {
            let (from, to) = (from.index(seed.len() + 1), to.index(seed.len() + 1));
            bytes.extend_from_slice(&seed[from.min(to)..from.max(to)]);
        }
        for (place, byte) in edits {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        bytes
    });
    let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) });
    let result = runner.run(&made, |bytes| {
        target(&bytes);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// Each recorded message by itself: then most changes hit something that is looked at.
fn recorded(front: &str) -> Vec<Vec<u8>> {
    let lines = include_str!("../handler/ipc/tests/recorded/2.txt").lines().filter(|line| line.starts_with(front));
    let seeds = lines.map(|line| {
        let hex = line.split_once(' ').expect("a name and a frame").1;
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
    });
    seeds.collect()
}

#[test]
fn frames() {
    run([corpus("frames"), recorded("")].concat(), targets::frames);
}

#[test]
fn moved() {
    run(corpus("moved"), targets::moved);
}

#[test]
fn handover() {
    run(corpus("handover"), targets::handover);
}

#[test]
fn operator() {
    let messages = [recorded("Ask::"), recorded("Answer::")].concat();
    assert!(messages.len() > 20);
    run([corpus("operator"), messages].concat(), targets::operator);
}

#[test]
fn lines() {
    run(corpus("lines"), targets::lines);
}

#[test]
fn bridge() {
    run(corpus("bridge"), targets::bridge);
}

#[test]
fn inflate() {
    run(corpus("inflate"), targets::inflate);
}

#[test]
fn json() {
    run(corpus("json"), targets::json);
}

#[test]
fn config() {
    let mut seeds = corpus("config");
    seeds.push(ssmglobal_config::EXAMPLE.as_bytes().to_vec());
    run(seeds, targets::config);
}

#[test]
fn http() {
    run(corpus("http"), targets::http);
}

#[test]
fn proxy() {
    run(corpus("proxy"), targets::proxy);
}
