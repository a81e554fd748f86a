//! A full disk: writes are refused, reads go on, and it recovers without a restart.

use crate::harness::{Backend, Program, Running, Wire, program, run};
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// Whether this user may make a small file system that nobody else sees; else it says that the test is left out.
fn may_mount() -> bool {
    let mut probe = Command::new("unshare");
    probe.args(["-m", "sh", "-c", "mount -t tmpfs -o size=1m none /mnt"]);
    let may =
        nix::unistd::geteuid().is_root() && Running::start(&mut probe).wait().is_some_and(|status| status.success());
    if !may {
        println!("skipped: no small file system can be made here");
    }
    may
}

/// Somebody else fills the disk, to the last byte; gives his file.
fn fill(backend: &Backend) -> PathBuf {
    let ballast = backend.data().join("ballast");
    let mut full = std::fs::File::create(&ballast).unwrap();
    let block = vec![0; 64 << 10];
    while full.write_all(&block).is_ok() {}
    ballast
}

/// Asks for the same change until there is no room for it: what is left of the journal's room may take some more, and is
/// there for those that are small when none is for those that are large.
fn until_refused(program: &mut Program, cmd: &str, args: &Value) {
    let replies = (0..5000).map(|_| program.ask(cmd, args.clone()));
    let refused = replies.into_iter().find(|reply| reply["state"] != "OK").expect("no end of room on a full disk");
    assert_eq!(refused["code"], "unavailable", "{refused}");
}

#[test]
fn a_full_disk_and_room_again() {
    if !may_mount() {
        return;
    }
    let backend = Backend::plan().on_small_disk("6m").start();
    backend.board("sprint");
    let mut alice = backend.player("alice");
    alice.ok("SETTING SET", json!({"key": "k", "value": "before"}));
    alice.ok("RECORD SUBMIT", json!({"board": "sprint", "score": 50}));

    let ballast = fill(&backend);
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
    // A login is noted, and so it is a change as well.
    let login = json!({"name": "alice", "password": "secret-of-alice"});
    until_refused(&mut backend.program(), "LOGIN", &login);

    assert_eq!(backend.ctl(&["status"])["writable"], false);
    std::fs::remove_file(&ballast).unwrap();
    alice.ok("SETTING SET", json!({"key": "k", "value": "after"}));
    alice.ok("RECORD SUBMIT", json!({"board": "sprint", "score": -1}));
    assert_eq!(backend.ctl(&["status"])["writable"], true);
    assert_eq!(backend.ctl(&["verify"])["ok"], true);
}

#[test]
fn the_status_says_at_every_moment_whether_changes_are_saved() {
    if !may_mount() {
        return;
    }
    let mut backend = Backend::plan().config("metrics.address = \"127.0.0.1:0\"\n").on_small_disk("6m").start();
    let health = |backend: &Backend| {
        let mut wire = Wire::to(*backend.doors().last().expect("a door"));
        wire.send("GET /healthz HTTP/1.0\r\n\r\n");
        wire.rest()
    };
    let mut alice = backend.player("alice");
    let ballast = fill(&backend);
    // What the journal has room for still is saved, and so that is what is said.
    let full = |backend: &Backend, alice: &mut Program| {
        until_refused(alice, "SETTING SET", &json!({"key": "k", "value": "x".repeat(7000)}));
        assert_eq!(backend.ctl(&["status"])["writable"], false);
        let text = backend.operator(&["status"]).out;
        assert!(text.contains("cannot be written"), "{text}");
    };
    full(&backend, &mut alice);
    let ill = health(&backend);
    assert!(ill.starts_with("HTTP/1.1 503 ") && ill.ends_with("the database cannot be written\n"), "{ill}");
    // The next handler has not tried to save anything yet.
    backend.kill_handler();
    assert_eq!(backend.ctl(&["status"])["writable"], false);
    // Nobody has saved anything since there is room, either.
    std::fs::remove_file(&ballast).unwrap();
    assert_eq!(backend.ctl(&["status"])["writable"], true);
    assert_eq!(backend.ctl(&["status"])["commits"], 0, "to be asked is no change");
    backend.log().wait("the database takes changes again");
    alice.ok("SETTING SET", json!({"key": "k", "value": "after"}));
    // After a whole restart too.
    backend.restart();
    assert!(health(&backend).starts_with("HTTP/1.1 200 OK"));
    let mut alice = backend.player_again("alice");
    let ballast = fill(&backend);
    full(&backend, &mut alice);
    std::fs::remove_file(&ballast).unwrap();
    assert_eq!(backend.ctl(&["status"])["writable"], true);
    // And where there is no room at all, it says so and starts again when there is.
    backend.stop();
    let ballast = fill(&backend);
    backend.starts_in_vain().ends_with(1).complains("the disk is full");
    std::fs::remove_file(&ballast).unwrap();
    backend.start_again();
    assert_eq!(backend.ctl(&["status"])["writable"], true);
    backend.player_again("alice");
}

#[test]
fn a_start_on_a_full_disk_says_that_it_is_full() {
    if !may_mount() {
        return;
    }
    let starts = |room: u32| {
        let dir = tempfile::TempDir::new().unwrap();
        let script = "mount -t tmpfs -o size=2m,mode=700 none \"$1\" && cd \"$1\" || exit 9
            head -c \"$2\" /dev/zero >room; cat /dev/zero >ballast 2>/dev/null; rm room
            exec \"$3\" --data \"$1\" -a 127.0.0.1 -p 0";
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script, "sh"]).arg(dir.path());
        let output = run(command.arg(room.to_string()).arg(program().get_program()), b"");
        assert_eq!(output.code, 1, "{room} bytes: {output:?}");
        assert!(output.err.contains("the disk is full"), "{room} bytes: {output:?}");
        assert!(!output.err.contains("I/O error"), "{room} bytes: {output:?}");
    };
    std::thread::scope(|scope| {
        for room in [0, 16 << 10, 64 << 10, 120 << 10, 140 << 10] {
            scope.spawn(move || starts(room));
        }
    });
}

#[test]
fn the_status_says_that_nothing_is_saved_while_somebody_else_holds_the_database() {
    let backend = Backend::start();
    let database = backend.data().join("ssmglobal.db");
    // Another program, which does not care for the lock.
    std::fs::remove_file(backend.data().join("ssmglobal.db.lock")).unwrap();
    let store = ssmglobal_store::open(&database, Duration::ZERO).unwrap();
    let mut writer = store.writer().unwrap();
    writer.begin().unwrap();
    assert_eq!(backend.ctl(&["status"])["writable"], false);
    writer.rollback();
    assert_eq!(backend.ctl(&["status"])["writable"], true);
}
