//! Starts that cannot be: the address is taken, the data is somebody else's, the command line makes no sense.

use crate::harness::{Backend, program, run};
use serde_json::json;

#[test]
fn a_port_that_is_taken() {
    let backend = Backend::start();
    let output = backend.another(backend.at().port(), &backend.file("other"));
    assert_ne!(output.code, 0);
    assert!(output.err.contains(&backend.at().to_string()) && output.err.contains("-p"), "{}", output.err);
    assert!(!output.err.contains("panicked"), "{}", output.err);
}

#[test]
fn two_of_them_on_the_same_data() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let output = backend.another(0, &backend.data());
    assert_ne!(output.code, 0, "{output:?}");
    // The first one serves on, the operator's socket included.
    alice.ok("SETTING SET", json!({"key": "k", "value": "v"}));
    assert_eq!(backend.ctl(&["status"])["listener"], backend.pid().as_raw());
}

#[test]
fn a_database_that_is_none_is_left_alone() {
    let mut backend = Backend::start();
    backend.stop();
    let file = backend.data().join("ssmglobal.db");
    let journals = ["ssmglobal.db-wal", "ssmglobal.db-shm", "ssmglobal.db-journal"];
    let no_journals = |backend: &Backend| journals.iter().all(|name| !backend.data().join(name).exists());
    assert!(no_journals(&backend), "after an orderly end there are none");
    let foreign = "This is a shopping list and no database at all.\n".repeat(100);
    std::fs::write(&file, &foreign).unwrap();
    // The listener hears of it by the handler's last words or by its end, whichever is first.
    for _ in 0..10 {
        let output = backend.another(0, &backend.data()).ends_with(1);
        assert!(!output.err.contains("it is killed"), "{}", output.err);
    }
    let output = backend.another(0, &backend.data()).ends_with(1);
    assert!(output.err.contains("ssmglobal.db") && !output.err.contains("panicked"), "{}", output.err);
    assert!(!output.err.contains("is ready"), "{}", output.err);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), foreign);
    assert!(no_journals(&backend), "it was written beside the file");
}

#[test]
fn a_data_directory_that_cannot_be_made() {
    let backend = Backend::start();
    std::fs::write(backend.file("plain"), "").unwrap();
    backend.another(0, &backend.file("plain").join("data")).ends_with(1).complains("--data");
}

#[test]
fn nonsense_on_the_command_line_or_in_the_file() {
    let dir = tempfile::TempDir::new().unwrap();
    for words in [&["-p", "70000"][..], &["--portt", "1"], &["-a", "nowhere"], &["-m", "many"]] {
        let output = run(program().args(words).arg("--data").arg(dir.path()), b"");
        assert_eq!(output.code, 2, "{words:?}: {output:?}");
    }
    let file = dir.path().join("config.toml");
    std::fs::write(&file, "[limits]\nclints = 5\n").unwrap();
    run(program().arg("--config").arg(&file).arg("--data").arg(dir.path().join("data")), b"")
        .ends_with(1)
        .complains("config.toml:2:1")
        .complains("clients");
    assert!(!dir.path().join("data").exists(), "it made a data directory all the same");
}
