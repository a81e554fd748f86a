//! Conversations as `tests/recorded.rs` of the program has written them down: a line for each read, with who had said it.

use crate::words::{Said, said, unescaped};

/// One read: whether the client has said it, and what.
pub struct Read {
    pub by_client: bool,
    pub bytes: Vec<u8>,
}

/// A recording by its name.
pub fn recording(name: &str) -> Vec<Read> {
    let path = format!("{}/tests/recorded/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let reads: Vec<Read> = lines
        .map(|line| match line.split_once(' ') {
            Some(("client", bytes)) => Read { by_client: true, bytes: unescaped(bytes) },
            Some(("server", bytes)) => Read { by_client: false, bytes: unescaped(bytes) },
            _ => panic!("{path}: {line}"),
        })
        .collect();
    assert!(!reads.is_empty());
    reads
}

/// All that one of them has said.
pub fn all_of(reads: &[Read], client: bool) -> Vec<u8> {
    reads.iter().filter(|read| read.by_client == client).flat_map(|read| read.bytes.clone()).collect()
}

/// What of it is negotiation: text, and marks behind prompts, are others' to say.
pub fn negotiated(bytes: &[u8]) -> Vec<Said> {
    let mut all = said(bytes);
    all.retain(|one| matches!(one, Said::Verb(..) | Said::Subnegotiation(..)));
    all
}
