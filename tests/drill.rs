//! "Backup and restore" of docs/operating.md, done word by word.

use crate::harness::{Backend, Output, is_root, program, run};
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Whose the data is.
const KEEPER: u32 = 4242;

/// What is to be typed below this heading: its first block.
fn typed(heading: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operating.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let text = page.split_once(&format!("\n### {heading}\n")).expect("the heading").1;
    let block = text.split_once("```sh\n").and_then(|(_, rest)| rest.split_once("```")).expect("a block").0;
    block.to_owned()
}

/// Somebody who types it on the machine of this backend, where the program is installed.
fn follow(backend: &Backend, script: &str) -> Output {
    let bin = backend.file("bin");
    if !bin.exists() {
        std::fs::create_dir(&bin).expect("a directory");
        symlink(program().get_program(), bin.join("ssmglobal")).expect("the program");
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell.args(["-ec", script]).env("PATH", format!("{}:{path}", bin.display()));
    shell.env("SSMGLOBAL_DATA", backend.data()).env_remove("JOURNAL_STREAM").env_remove("NOTIFY_SOCKET");
    run(shell.current_dir(backend.file("")), b"")
}

#[test]
fn the_drill_shows_the_players_and_leaves_nothing() {
    let backend = Backend::start();
    drop(backend.player("alice"));
    let temp = backend.file("temp");
    std::fs::create_dir(&temp).unwrap();
    let handler = backend.handler();
    let script = format!("export TMPDIR={}\n{}", temp.display(), typed("A drill"));
    let output = follow(&backend, &script).succeeds();
    for said in ["is written", "Nothing is wrong with it", "1 players", "alice", "writable:         yes"] {
        assert!(output.out.contains(said), "{said}: {output:?}");
    }
    assert_eq!(std::fs::read_dir(&temp).unwrap().count(), 0, "something is left");
    assert_eq!(backend.handler(), handler);
}

/// The page's words, on the paths of a test, with a supervisor that is told by the same words.
fn in_earnest(backend: &Backend, user: u32) -> String {
    let (data, backups) = (backend.file("restored"), backend.file("ssmglobal-1.db"));
    let words = typed("In earnest")
        .replace("/var/lib/ssmglobal", &data.display().to_string())
        .replace("/var/backups/ssmglobal-1.db", &backups.display().to_string());
    let start = format!("setpriv --reuid {user} --regid {user} --clear-groups ssmglobal --data {}", data.display());
    format!(
        "systemctl() {{ case $1 in
            start) {start} -a 127.0.0.1 -p 0 2>log & pid=$!
                ssmglobal ctl --data {} --wait 20 status >serves;;
            stop) test -z \"$pid\" || {{ kill $pid; wait $pid; }};;
         esac; }}
         {words}systemctl stop ssmglobal\n",
        data.display()
    )
}

#[test]
fn in_earnest_root_restores_and_the_backend_serves_again() {
    if !is_root() {
        return;
    }
    let backend = Backend::start();
    drop(backend.player("alice"));
    backend.ctl(&["backup", &backend.file("ssmglobal-1.db").display().to_string()]);
    let data = backend.file("restored");
    std::fs::create_dir(&data).unwrap();
    chown(&data, Some(KEEPER), Some(KEEPER)).unwrap();
    let output = follow(&backend, &in_earnest(&backend, KEEPER)).succeeds();
    assert!(output.out.contains("players:          1"), "{output:?}");
    assert_eq!(data.join("ssmglobal.db").metadata().unwrap().uid(), KEEPER);
}

#[test]
fn a_forgotten_chown_is_told_with_user_file_and_command() {
    if !is_root() {
        return;
    }
    let backend = Backend::start();
    drop(backend.player("alice"));
    let file = backend.file("backup.db");
    backend.ctl(&["backup", &file.display().to_string()]);
    let data = backend.file("new-machine");
    run(program().arg("--data").arg(&data).arg("restore").arg(&file), b"").succeeds();
    let start = || {
        let mut command = program();
        command.arg("--data").arg(&data).args(["-a", backend.at().ip().to_string().as_str(), "-p", "0"]);
        command
    };
    let told = |output: &Output, path: &Path| {
        for word in [&*path.display().to_string(), "belongs to root", "user 4242"] {
            assert!(output.err.contains(word), "{word}: {output:?}");
        }
        let command = output.err.lines().find_map(|line| line.rsplit_once("; ")).expect("a command").1;
        assert_eq!(command, format!("chown -R 4242 {}", data.display()));
        assert!(Command::new("sh").args(["-c", command]).status().unwrap().success());
    };
    told(&run(start().uid(KEEPER).gid(KEEPER), b"").ends_with(1), &data);
    // The database alone, put there by hand.
    let database = data.join("ssmglobal.db");
    chown(&database, Some(0), Some(0)).unwrap();
    told(&run(start().uid(KEEPER).gid(KEEPER), b"").ends_with(1), &database);
    // And where root starts the backend, whose handler becomes the owner of the data.
    chown(&database, Some(0), Some(0)).unwrap();
    told(&run(&mut start(), b"").ends_with(1), &database);
    let running = crate::harness::Running::start(start().uid(KEEPER).gid(KEEPER));
    running.stderr.wait("is ready");
}
