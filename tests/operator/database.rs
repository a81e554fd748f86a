//! Backups, and whether a database is whole.

use crate::harness::{Backend, Program, has};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_backup_while_others_write() {
    let backend = Backend::start();
    backend.board("sprint");
    let mut writers: Vec<Program> = (0..3).map(|n| backend.player(&format!("writer-{n}"))).collect();
    let file = backend.file("backup.db");
    std::thread::scope(|scope| {
        for writer in &mut writers {
            scope.spawn(move || {
                for number in 0..300 {
                    writer.ok("SETTING SET", json!({"key": format!("k{number}"), "value": "x".repeat(1000)}));
                }
            });
        }
        let made = backend.ctl(&["backup", &file.display().to_string()]);
        assert!(made["bytes"].as_u64() > Some(4096), "{made}");
    });
    let verified = backend.ctl(&["verify", &file.display().to_string()]);
    has(&verified, json!({"ok": true, "players": 3}));
    let live = backend.ctl(&["verify"]);
    has(&live, json!({"ok": true, "settings": 900}));
    // What is there is not overwritten.
    assert_eq!(backend.ctl_fails(&["backup", &file.display().to_string()]), "exists");
    let nowhere = backend.file("no/such/directory/backup.db");
    assert_eq!(backend.ctl_fails(&["backup", &nowhere.display().to_string()]), "unavailable");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "a backup that others can read");
}

#[test]
fn a_backup_can_be_run_with() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    alice.ok("SETTING SET", json!({"key": "k", "value": "before"}));
    let file = backend.file("backup.db");
    backend.ctl(&["backup", &file.display().to_string()]);
    alice.ok("SETTING SET", json!({"key": "k", "value": "after"}));
    backend.stop();
    for name in ["ssmglobal.db-wal", "ssmglobal.db-shm"] {
        assert!(!backend.data().join(name).exists(), "after an orderly end there is no {name}");
    }
    std::fs::remove_file(backend.data().join("ssmglobal.db")).unwrap();
    std::fs::copy(&file, backend.data().join("ssmglobal.db")).unwrap();
    backend.start_again();
    assert_eq!(backend.player_again("alice").ok("SETTING GET", json!({"key": "k"}))["value"], "before");
}

#[test]
fn damage_is_found() {
    let backend = Backend::start();
    drop(backend.player("alice"));
    let good = backend.file("good.db");
    backend.ctl(&["backup", &good.display().to_string()]);
    let bytes = std::fs::read(&good).unwrap();
    let verify = |name: &str, bytes: &[u8]| -> (i32, Value) {
        let file = backend.file(name);
        std::fs::write(&file, bytes).unwrap();
        let output = backend.operator(&["--json", "verify", &file.display().to_string()]);
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "it has changed the file");
        let told: Value = serde_json::from_str(&output.out).unwrap();
        assert_eq!(told["state"], if output.code == 0 { "OK" } else { "ERROR" }, "{told}");
        (output.code, told["data"].clone())
    };
    let (code, verified) = verify("same.db", &bytes);
    assert_eq!((code, &verified["ok"]), (0, &true.into()), "{verified}");
    let mut torn = bytes.clone();
    torn.iter_mut().skip(4096).step_by(7).for_each(|byte| *byte ^= 0x55);
    let other = b"CREATE TABLE shopping (item TEXT);".repeat(200);
    for (name, bytes) in [("torn.db", &torn[..]), ("short.db", &bytes[..5000]), ("other.db", &other), ("empty.db", b"")]
    {
        let (code, verified) = verify(name, bytes);
        assert_eq!((code, &verified["ok"]), (1, &false.into()), "{name}: {verified}");
        assert!(verified["problems"].as_array().is_some_and(|list| !list.is_empty()), "{name}: {verified}");
    }
    assert_eq!(backend.ctl(&["verify"])["ok"], true);
    let missing = backend.file("missing.db").display().to_string();
    backend.operator(&["verify", &missing]).ends_with(1);
    assert!(!backend.file("missing.db").exists());
}

#[test]
fn the_data_is_for_its_user_alone() {
    let backend = Backend::start();
    let mode = |name: &str| backend.data().join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("run"), mode("run/ctl.sock")), (0o700, 0o700, 0o600));
    assert_eq!(mode("ssmglobal.db") & 0o077, 0);
}
