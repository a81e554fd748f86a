//! A full disk: writes are refused, reads go on, and it recovers without a restart.

use crate::harness::{Backend, Program, Running};
use serde_json::json;
use std::process::Command;

/// Whether this user may make a small file system that nobody else sees.
fn may_mount() -> bool {
    let mut probe = Command::new("unshare");
    probe.args(["-m", "sh", "-c", "mount -t tmpfs -o size=1m none /mnt"]);
    nix::unistd::geteuid().is_root() && Running::start(&mut probe).wait().is_some_and(|status| status.success())
}

#[test]
fn a_full_disk_and_room_again() {
    if !may_mount() {
        println!("skipped: no small file system can be made here");
        return;
    }
    let backend = Backend::plan().on_small_disk("6m").start();
    backend.board("sprint");
    let mut alice = Program::registered(&backend, "alice");
    alice.ok("SETTING SET", json!({"key": "k", "value": "before"}));
    alice.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 50}));

    // Somebody else fills the disk.
    let ballast = backend.data().join("ballast");
    let mut full = std::fs::File::create(&ballast).unwrap();
    let block = vec![0; 64 << 10];
    while std::io::Write::write_all(&mut full, &block).is_ok() {}
    // What is left of the journal's room may take some writes first; each OK is a promise all the same.
    let mut kept = 50;
    let mut refused = 0;
    for score in (0..kept).rev() {
        let args = json!({"board": "sprint", "score": score, "note": "x".repeat(1000)});
        let reply = alice.ask("RECORD SUBMIT", args);
        let value = alice.ask("SETTING SET", json!({"key": format!("k{}", score % 9), "value": "x".repeat(7000)}));
        if reply["state"] == "OK" {
            kept = score;
        }
        for reply in [reply, value].iter().filter(|reply| reply["state"] != "OK") {
            assert_eq!(reply["code"], "unavailable", "{reply}");
            refused += 1;
        }
    }
    assert!(refused > 5, "writes went on with a full disk");
    backend.log().wait("ERROR");
    // Nothing of what was refused was applied, and reads go on.
    assert_eq!(alice.ok("RECORD SHOW", json!({"board": "sprint"}))["score"], kept);
    assert_eq!(alice.ok("SETTING GET", json!({"key": "k"}))["value"], "before");
    let mut again = Program::at(&backend);
    let reply = again.ask("LOGIN", json!({"name": "alice", "password": "secret-of-alice"}));
    assert!(reply["state"] == "OK" || reply["code"] == "unavailable", "{reply}");

    drop(full);
    std::fs::remove_file(&ballast).unwrap();
    alice.ok("SETTING SET", json!({"key": "k", "value": "after"}));
    alice.ok("RECORD SUBMIT", json!({"board": "sprint", "score": -1}));
    assert_eq!(backend.ctl(&["status"])["writable"], true);
    assert_eq!(backend.ctl(&["verify"])["ok"], true);
}
