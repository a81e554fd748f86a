//! The requests that are recorded in the bytes of the first release.

use ssmglobal_ipc::frame::HEADER;
use ssmglobal_ipc::{Kind, Request};

/// One request of each kind, as they were recorded.
pub fn samples() -> Vec<Request> {
    let recorded = include_str!("../../handler/ipc/tests/recorded/2.txt");
    // Not what they have gained since.
    let lines = recorded.lines().filter(|line| line.starts_with("Request::") && !line.contains("-grown "));
    let sample = |line: &str| {
        let hex = line.split_once(' ').expect("a name and a frame").1;
        let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"));
        let bytes: Vec<u8> = bytes.collect();
        let kind = Kind::from_number(u16::from_le_bytes([bytes[6], bytes[7]])).expect("a kind");
        Request::decode(kind, &bytes[HEADER..]).expect("a request")
    };
    let samples: Vec<Request> = lines.map(sample).collect();
    assert!(Kind::ALL.iter().all(|kind| samples.iter().any(|sample| sample.kind() == *kind)));
    samples
}
