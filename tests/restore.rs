//! A backup is put in place: nothing of another day comes back with it, nothing of what was there is lost.

use crate::harness::{Backend, Output, PATIENCE, Process, has, is_root, program, run};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

const KEEPER: u32 = 4242;

/// `ssmglobal restore FILE` for this data.
fn restore(data: &Path, file: &Path) -> Output {
    run(program().arg("--data").arg(data).arg("restore").arg(file), b"")
}

/// Everything that is in the data directory itself.
fn files(data: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.is_file()).map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    files.sort();
    files
}

/// A backend that was killed, with `before` in its backup and `after` in its log.
struct TwoDays {
    backend: Backend,
    /// The backup.
    file: PathBuf,
}

fn two_days() -> TwoDays {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    alice.ok("SETTING SET", json!({"key": "k", "value": "before"}));
    let file = backend.file("backup.db");
    backend.ctl(&["backup", &file.display().to_string()]);
    alice.ok("SETTING SET", json!({"key": "k", "value": "after"}));
    let handler = ssmglobal_sys::Process::open(backend.handler().as_raw()).unwrap();
    backend.signal_all(Signal::SIGKILL);
    backend.wait();
    let deadline = PollTimeout::from(u16::try_from(PATIENCE.as_millis()).unwrap());
    assert_eq!(poll(&mut [PollFd::new(handler.as_fd(), PollFlags::POLLIN)], deadline), Ok(1), "it does not end");
    assert!(fs::metadata(backend.data().join("ssmglobal.db-wal")).unwrap().len() > 0);
    TwoDays { backend, file }
}

fn value(backend: &Backend) -> Value {
    backend.player_again("alice").ok("SETTING GET", json!({"key": "k"}))["value"].clone()
}

#[test]
fn a_backup_beside_the_log_of_another_day_is_told_and_nothing_is_touched() {
    let TwoDays { mut backend, file } = two_days();
    let data = backend.data();
    fs::copy(&file, data.join("ssmglobal.db")).unwrap();
    fs::set_permissions(data.join("ssmglobal.db"), Permissions::from_mode(0o600)).unwrap();
    let before = files(&data);
    let output = backend.starts_in_vain().ends_with(1);
    for word in ["ssmglobal.db-wal does not belong to", "Nothing was touched", "`ssmglobal restore FILE`"] {
        assert!(output.err.contains(word), "{word}: {output:?}");
    }
    assert!(output.err.lines().all(|line| !line.contains("ready")), "{output:?}");
    assert!(files(&data) == before, "something was touched");
    // The way that it names.
    restore(&data, &file).succeeds();
    backend.start_again();
    assert_eq!(value(&backend), "before");
}

#[test]
fn the_day_of_the_backup_is_back_and_so_can_be_the_other_one() {
    let TwoDays { mut backend, file } = two_days();
    let data = backend.data();
    let output = run(program().args(["restore", "--json", "--data"]).args([&data, &file]), b"").succeeds();
    let told: Value = serde_json::from_str(&output.out).unwrap();
    has(&told, json!({"players": 1, "settings": 1}));
    backend.start_again();
    assert_eq!(value(&backend), "before");
    assert_eq!(backend.ctl(&["verify"])["ok"], true);
    backend.stop();
    // What was there has its log with it.
    let aside = told["aside"][0].as_str().unwrap();
    restore(&data, Path::new(aside)).succeeds().prints("set aside");
    backend.start_again();
    assert_eq!(value(&backend), "after");
}

#[test]
fn while_a_backend_runs_nothing_is_restored() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let file = backend.file("backup.db");
    backend.ctl(&["backup", &file.display().to_string()]);
    alice.ok("SETTING SET", json!({"key": "k", "value": "after"}));
    restore(&backend.data(), &file).ends_with(1).complains("stop it first");
    assert_eq!(value(&backend), "after");
    assert!(files(&backend.data()).iter().all(|(path, _)| !path.display().to_string().contains("before-")));
}

#[test]
fn a_backup_with_a_changed_byte_is_neither_verified_nor_restored() {
    let TwoDays { mut backend, file } = two_days();
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.windows(6).position(|part| part == b"before").unwrap();
    bytes[at] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let data = backend.data();
    backend.operator(&["verify", &file.display().to_string()]).ends_with(1).prints("checksum does not fit");
    let before = files(&data);
    restore(&data, &file).ends_with(1).complains("checksum does not fit").complains("nothing was changed");
    assert!(files(&data) == before);
    // Nor can it be run with, put there by hand.
    let other = backend.file("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("ssmglobal.db"), &bytes).unwrap();
    backend.another(0, &other).ends_with(1).complains("checksum does not fit");
    backend.start_again();
    assert_eq!(value(&backend), "after");
}

#[test]
fn on_another_machine_there_is_no_directory_yet() {
    let TwoDays { backend, file } = two_days();
    let data = backend.file("new");
    let output = restore(&data, &file);
    assert!(output.code == 0 && !output.out.contains("set aside"), "{output:?}");
    assert_eq!(fs::metadata(&data).unwrap().mode() & 0o777, 0o700);
    restore(&data, &backend.file("missing.db")).ends_with(1).complains("missing.db");
}

#[test]
fn what_root_restores_belongs_to_whom_the_data_belongs() {
    if !is_root() {
        return;
    }
    let mut backend = Backend::plan().data_of(KEEPER).start();
    let mut alice = backend.player("alice");
    let folder = backend.file("backups");
    fs::create_dir(&folder).unwrap();
    std::os::unix::fs::chown(&folder, Some(KEEPER), Some(KEEPER)).unwrap();
    let file = folder.join("backup.db");
    alice.ok("SETTING SET", json!({"key": "k", "value": "before"}));
    backend.ctl(&["backup", &file.display().to_string()]);
    // Only root can read it.
    std::os::unix::fs::chown(&file, Some(0), Some(0)).unwrap();
    backend.stop();
    restore(&backend.data(), &file).succeeds();
    for (path, _) in files(&backend.data()) {
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.uid(), found.gid(), found.mode() & 0o077), (KEEPER, KEEPER, 0), "{}", path.display());
    }
    backend.start_again();
    assert_eq!(value(&backend), "before");
    assert!(Process(backend.handler()).status("Uid").starts_with(&KEEPER.to_string()));
}

/// The command that a message ends with, done.
fn mended(output: &Output) {
    let command = output.err.lines().find_map(|line| line.rsplit_once("; ")).expect("a command").1;
    assert!(Command::new("sh").args(["-c", command]).status().unwrap().success(), "{command}");
}

#[test]
fn data_that_others_can_write_to_is_refused_with_the_command_that_mends_it() {
    let mut backend = Backend::start();
    drop(backend.player("alice"));
    backend.stop();
    for name in ["", "run", "ssmglobal.db", "ssmglobal.db.lock", "run/handler"] {
        for mode in [0o020, 0o002] {
            let path = backend.data().join(name);
            let now = fs::metadata(&path).unwrap().mode();
            fs::set_permissions(&path, Permissions::from_mode(now | mode)).unwrap();
            let output = backend.starts_in_vain();
            assert_eq!(output.code, 1, "{name}: {output:?}");
            assert!(output.err.contains("can be written to by others") && output.err.contains("chmod"), "{output:?}");
            mended(&output);
        }
    }
    // A link leads to where somebody else may write.
    fs::rename(backend.data().join("run"), backend.file("elsewhere")).unwrap();
    symlink(backend.file("elsewhere"), backend.data().join("run")).unwrap();
    let output = backend.starts_in_vain().ends_with(1).complains("is a link");
    mended(&output);
    backend.start_again();
    backend.player_again("alice");
}

#[test]
fn data_of_which_a_part_is_another_users_is_refused_with_the_command_that_mends_it() {
    if !is_root() {
        return;
    }
    let mut backend = Backend::plan().data_of(KEEPER).start();
    drop(backend.player("alice"));
    backend.stop();
    for name in ["run", "ssmglobal.db", "ssmglobal.db.lock"] {
        std::os::unix::fs::chown(backend.data().join(name), Some(4343), Some(4343)).unwrap();
        let output = backend.starts_in_vain().ends_with(1).complains("belongs to user 4343");
        mended(&output);
    }
    backend.start_again();
    backend.player_again("alice");
}
