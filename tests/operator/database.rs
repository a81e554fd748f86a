//! Backups, and whether a database is whole.

use crate::harness::{Backend, Program, has, is_root, program, run};
use serde_json::{Value, json};
use ssmglobal_ipc::Code;
use ssmglobal_ipc::ctl::{Answer, Ask};
use ssmglobal_ipc::frame::{FrameReader, put_control};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;

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
fn one_backup_is_made_at_a_time() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    for number in 0..900 {
        alice.ok("SETTING SET", json!({"key": format!("k{number}"), "value": "x".repeat(8000)}));
    }
    let mut ask = Vec::new();
    put_control(&mut ask, &Ask::BackupCopy);
    let connect = || UnixStream::connect(backend.data().join("run/ctl.sock")).unwrap();
    // Both in one turn of the handler.
    let mut streams = [connect(), connect()];
    backend.while_the_handler_stands_still(|| streams.iter_mut().for_each(|stream| stream.write_all(&ask).unwrap()));
    let ends = streams.each_mut().map(last_answer);
    let is_copy = |answer: &&Answer| matches!(answer, Answer::Copied { .. });
    let is_busy = |answer: &&Answer| matches!(answer, Answer::Failed(failure) if failure.code == Code::Busy);
    assert_eq!((ends.iter().filter(is_copy).count(), ends.iter().filter(is_busy).count()), (1, 1), "{ends:?}");
    // And then the next one.
    let file = backend.file("backup.db").display().to_string();
    backend.ctl(&["backup", &file]);
    has(&backend.ctl(&["verify", &file]), json!({"ok": true, "settings": 900}));
}

/// What is said at last.
fn last_answer(stream: &mut UnixStream) -> Answer {
    let mut reader = FrameReader::new();
    loop {
        match reader.next_frame().unwrap().map(|frame| frame.control().unwrap()) {
            Some(Answer::Progress { .. }) => {}
            Some(answer) => return answer,
            None => assert!(reader.fill(|buffer| stream.read(buffer)).unwrap().0 > 0, "it was closed"),
        }
    }
}

/// All names in the data directory.
fn names(backend: &Backend) -> Vec<String> {
    let files = std::fs::read_dir(backend.data()).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<String> = files.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_backup_goes_where_whoever_asks_may_write_and_the_backend_may_not() {
    if !is_root() {
        return;
    }
    let backend = Backend::plan().data_of(4242).start();
    drop(backend.player("alice"));
    let before = names(&backend);
    let roots = backend.file("roots");
    std::fs::create_dir(&roots).unwrap();
    std::fs::set_permissions(&roots, std::fs::Permissions::from_mode(0o700)).unwrap();
    let file = roots.join("backup.db");
    let path = file.display().to_string();
    let made = backend.ctl(&["backup", &path]);
    let found = file.metadata().unwrap();
    assert_eq!((made["file"].as_str(), made["bytes"].as_u64()), (Some(&*path), Some(found.len())));
    assert_eq!((found.uid(), found.permissions().mode() & 0o777), (0, 0o600));
    assert_eq!(names(&backend), before, "something was left beside the database");
    assert_eq!(std::fs::read_dir(&roots).unwrap().count(), 1, "something was left beside the backup");
    // Nor could the backend read it.
    has(&backend.ctl(&["verify", &path]), json!({"ok": true, "players": 1}));
    assert_eq!(backend.ctl_fails(&["backup", &path]), "exists");
    // Where the backend writes, its user has to be allowed to.
    let other = roots.join("direct.db").display().to_string();
    assert_eq!(backend.ctl_fails(&["backup", "--direct", &other]), "unavailable");
    let direct = backend.data().join("direct.db");
    backend.ctl(&["backup", "--direct", &direct.display().to_string()]);
    assert_eq!(direct.metadata().unwrap().uid(), 4242);
}

#[test]
fn a_backup_to_standard_output_is_nothing_but_the_backup() {
    let backend = Backend::start();
    drop(backend.player("alice"));
    let shell = |script: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).arg(program().get_program()).arg(backend.data());
        run(shell.current_dir(backend.file("")), b"")
    };
    shell("\"$1\" --data \"$2\" ctl backup - >redirected.db").succeeds().complains("The backup is written");
    shell("\"$1\" --data \"$2\" ctl --json backup - | cat >piped.db").succeeds().complains("\"file\": \"-\"");
    for name in ["redirected.db", "piped.db"] {
        let path = backend.file(name).display().to_string();
        has(&backend.ctl(&["verify", &path]), json!({"ok": true, "players": 1}));
    }
    // Nobody has it who does not read it.
    shell("\"$1\" --data \"$2\" ctl backup - >/dev/full").ends_with(1).complains("no room left");
}

#[test]
fn an_older_backend_and_an_older_ctl_are_understood() {
    // What an older ctl says is still done, by the backend itself.
    let backend = Backend::start();
    drop(backend.player("alice"));
    let file = backend.file("old-ctl.db");
    backend.ctl(&["backup", "--direct", &file.display().to_string()]);
    has(&backend.ctl(&["verify", &file.display().to_string()]), json!({"ok": true, "players": 1}));
    // An older backend ends the conversation at a question that it does not know.
    let data = backend.file("old");
    std::fs::create_dir_all(data.join("run")).unwrap();
    let socket = UnixListener::bind(data.join("run/ctl.sock")).unwrap();
    let old = std::thread::spawn(move || {
        let questions = [(); 3].map(|()| {
            let (mut stream, _) = socket.accept().unwrap();
            let mut reader = FrameReader::new();
            let ask: Ask = loop {
                if let Some(frame) = reader.next_frame().unwrap() {
                    break frame.control().unwrap();
                }
                reader.fill(|buffer| stream.read(buffer)).unwrap();
            };
            if let Ask::Backup { file } = &ask {
                let mut answer = Vec::new();
                put_control(&mut answer, &Answer::BackedUp { file: file.clone(), bytes: 7 });
                stream.write_all(&answer).unwrap();
            }
            ask
        });
        questions.map(|ask| ask == Ask::BackupCopy)
    });
    let ask = |words: &[&str]| run(program().arg("--data").arg(&data).arg("ctl").args(words), b"");
    ask(&["backup", &backend.file("new-ctl.db").display().to_string()]).succeeds().prints("is written (7 bytes)");
    ask(&["backup", "-"]).ends_with(1).complains("older than this program");
    assert_eq!(old.join().unwrap(), [true, false, true]);
    assert!(!backend.file("new-ctl.db").exists());
}

#[test]
fn a_copy_that_a_killed_handler_has_left_goes_at_the_next_start() {
    let mut backend = Backend::start();
    backend.stop();
    let before = names(&backend);
    for name in ["ssmglobal.db.0123456789abcdef.copy", "ssmglobal.db.0123456789abcdef.copy-journal"] {
        std::fs::write(backend.data().join(name), b"left").unwrap();
    }
    // What is somebody's is none of these.
    let mine = ["ssmglobal.db.copy", "ssmglobal.db.mine.copy", "other.0123456789abcdef.copy"];
    mine.iter().for_each(|name| std::fs::write(backend.data().join(name), b"mine").unwrap());
    backend.start_again();
    backend.stop();
    let mut expected: Vec<String> = before.into_iter().chain(mine.map(str::to_owned)).collect();
    expected.sort();
    assert_eq!(names(&backend), expected);
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
