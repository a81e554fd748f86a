//! What root executes, reads and speaks to is what nobody else has put there.

use crate::harness::{
    Backend, Output, Process, is_root, is_root_beside, program, program_of_version, run, write_program,
};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use ssmglobal_sys::Ids;
use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const KEEPER: u32 = 4242;

fn give(path: &Path) {
    chown(path, Some(KEEPER), Some(KEEPER)).unwrap();
}

/// A directory of the keeper's.
fn keepers(at: PathBuf) -> PathBuf {
    fs::create_dir(&at).unwrap();
    give(&at);
    at
}

fn upgrade(backend: &Backend, binary: &Path) -> Output {
    backend.operator(&["upgrade", "--binary", binary.to_str().unwrap()])
}

#[test]
fn the_owner_of_the_data_does_not_become_root_by_an_upgrade() {
    if !is_root() {
        return;
    }
    let backend = Backend::plan().data_of(KEEPER).start();
    let _alice = backend.player("alice");
    let home = keepers(backend.file("home"));
    let (evil, ran) = (home.join("evil"), home.join("ran"));
    let listener = Process(backend.pid()).status("Uid");
    let refused = |output: &Output, why: &str| {
        assert!(output.code == 1 && output.err.contains(why), "{why}: {output:?}");
        assert!(output.err.contains("nothing has changed"), "{output:?}");
        assert!(!ran.exists(), "{why}: it was run");
    };
    write_program(&evil, format!("#!/bin/sh\nid -u >{}\n", ran.display()).as_bytes());
    give(&evil);
    // Root names it, perhaps talked into it.
    refused(&upgrade(&backend, &evil), "belongs to user 4242");
    // A file of root's where the keeper can put another one.
    chown(&evil, Some(0), Some(0)).unwrap();
    refused(&upgrade(&backend, &evil), "belongs to user 4242");
    // A link of the keeper's to a program of root's.
    let good = backend.file("good");
    program_of_version("9.8.7", &good);
    symlink(&good, home.join("link")).unwrap();
    refused(&upgrade(&backend, &home.join("link")), "belongs to user 4242");
    // A file that its group can change.
    let loose = backend.file("loose");
    fs::copy(&evil, &loose).unwrap();
    fs::set_permissions(&loose, std::os::unix::fs::PermissionsExt::from_mode(0o775)).unwrap();
    refused(&upgrade(&backend, &loose), "can be changed by others than root");
    assert_eq!(Process(backend.pid()).status("Uid"), listener);
    // What only root can change is as good as ever.
    upgrade(&backend, &good).succeeds();
}

#[test]
fn who_is_not_root_names_no_program_to_root() {
    if !is_root_beside(KEEPER) {
        return;
    }
    let backend = Backend::plan().data_of(KEEPER).start();
    let good = backend.file("good");
    program_of_version("9.8.7", &good);
    let name = ["upgrade", "--binary", good.to_str().unwrap()];
    run(backend.ctl_command(&name).uid(KEEPER).gid(KEEPER), b"")
        .ends_with(1)
        .complains("only root may name another program");
    // To start the one that root has put there is no harm.
    run(backend.ctl_command(&["upgrade"]).uid(KEEPER).gid(KEEPER), b"").succeeds();
}

#[test]
fn root_believes_no_config_that_somebody_else_can_change() {
    if !is_root() {
        return;
    }
    let mut backend = Backend::start();
    backend.write_config("limits.clients = 7\n");
    give(&backend.file("config.toml"));
    let mark = backend.log().mark();
    backend.signal(Signal::SIGHUP);
    backend.log().wait_after(mark, "root does not believe it");
    backend.log().wait_after(mark, "settings not changed");
    assert_eq!(backend.ctl(&["status"])["clients_max"], 4096);
    backend.stop();
    backend.starts_in_vain().ends_with(1).complains("belongs to user 4242");
    // Who checks it before is told as well.
    run(program().arg("check").arg(backend.file("config.toml")), b"").succeeds().prints("does not believe it");
    chown(backend.file("config.toml"), Some(0), Some(0)).unwrap();
    backend.start_again();
    assert_eq!(backend.ctl(&["status"])["clients_max"], 7);
}

#[test]
fn what_lies_where_root_happens_to_be_is_not_believed() {
    if !is_root() {
        return;
    }
    let dir = TempDir::new().unwrap();
    let here = keepers(dir.path().join("here"));
    let ask = |words: &[&str]| run(program().current_dir(&here).args(words), b"");
    keepers(here.join("data"));
    ask(&["ctl", "status"]).ends_with(1).complains("belongs to user 4242");
    // Named, it is meant.
    ask(&["ctl", "--data", "data", "status"]).ends_with(3);
    keepers(here.join("config"));
    fs::write(here.join("config/ssmglobal.toml"), "data = \"/nowhere\"\n").unwrap();
    for words in [&["ctl", "status"][..], &["restore", "x"], &["-p", "0"]] {
        ask(words).ends_with(1).complains("root does not believe it");
    }
    // Nor waited for.
    fs::remove_file(here.join("config/ssmglobal.toml")).unwrap();
    nix::unistd::mkfifo(&here.join("config/ssmglobal.toml"), Mode::S_IRWXU).unwrap();
    ask(&["ctl", "status"]).ends_with(1);
}

#[test]
fn roots_commands_speak_to_no_stranger() {
    if !is_root() {
        return;
    }
    let dir = TempDir::new().unwrap();
    fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let data = dir.path().join("data");
    let run_dir = data.join("run");
    fs::create_dir_all(&run_dir).unwrap();
    let socket = run_dir.join("ctl.sock");
    let ask = || {
        run(program().arg("--data").arg(&data).args(["ctl", "player", "set-password", "alice"]), b"battery-staple\n")
    };
    let refused = |_what: &str| {
        ask().ends_with(1).complains("is served by user 4242");
    };
    // He has made the socket.
    let listener = UnixListener::bind(&socket).unwrap();
    chown(&socket, Some(KEEPER), Some(KEEPER)).unwrap();
    refused("his socket");
    drop(listener);
    fs::remove_file(&socket).unwrap();
    // He answers at it, whoever has made it.
    give(&run_dir);
    let at = socket.clone();
    let strange = std::thread::spawn(move || {
        ssmglobal_sys::become_user(Ids { user: KEEPER, group: KEEPER }).unwrap();
        UnixListener::bind(at).unwrap()
    });
    let strange = strange.join().unwrap();
    chown(&socket, Some(0), Some(0)).unwrap();
    refused("his process");
    strange.set_nonblocking(true).unwrap();
    let (mut stream, _) = strange.accept().unwrap();
    let mut said = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut said).unwrap();
    assert_eq!(said, b"", "he was told something");
    // A link to somewhere else is no socket.
    fs::remove_file(&socket).unwrap();
    symlink("/dev/null", &socket).unwrap();
    ask().ends_with(1).complains("is no socket");
}

#[test]
fn a_listener_that_is_root_waits_for_nothing_that_others_have_put_there() {
    if !is_root() {
        return;
    }
    let mut backend = Backend::plan().data_of(KEEPER).start();
    backend.stop();
    let word = backend.data().join("run/handler");
    fs::remove_file(&word).unwrap();
    nix::unistd::mkfifo(&word, Mode::S_IRWXU).unwrap();
    give(&word);
    backend.start_again();
    backend.log().wait("run/handler cannot be written");
    backend.player("alice");
}
