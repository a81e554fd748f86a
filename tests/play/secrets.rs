//! What a player types to log in to his game is in the memory of his own worker and nowhere else.

use super::{Played, kind_of, wide};
use crate::harness::worlds::{Cut, Kind, StrictClient, World};
use crate::harness::{Backend, MOVED, Process, Running, is_root, processes_of, run};
use nix::unistd::Pid;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::process::Command;

/// 24 letters that nobody has ever seen.
fn password() -> String {
    let random = || std::fs::read_to_string("/proc/sys/kernel/random/uuid").expect("chance");
    (random() + &random())
        .bytes()
        .filter(u8::is_ascii_hexdigit)
        .take(24)
        .map(|digit| {
            let value = char::from(digit).to_digit(16).expect("a digit");
            char::from(b'a' + u8::try_from(value).expect("below 16"))
        })
        .collect()
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    // Megabytes, many times: a program that is made for it is done in no time.
    run(Command::new("grep").args(["-aFq", secret]), bytes).code == 0
}

/// Whether this is in the memory of a process.
fn in_memory(process: Process, secret: &str) -> bool {
    let path = |name: &str| format!("/proc/{}/{name}", process.0);
    let maps = std::fs::read_to_string(path("maps")).expect("its memory");
    let memory = File::open(path("mem")).expect("its memory");
    let mut found = false;
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|may| may.starts_with("rw"))) {
        let (from, to) = line.split(' ').next().and_then(|range| range.split_once('-')).expect("a range");
        let [from, to] = [from, to].map(|at| u64::from_str_radix(at, 16).expect("an address"));
        let mut bytes = vec![0; usize::try_from(to - from).expect("it fits")];
        // What belongs to the kernel cannot be read.
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            found |= holds(&bytes, secret);
        }
    }
    found
}

/// All that is below a directory.
fn in_files(dir: &Path, secret: &str) {
    for entry in std::fs::read_dir(dir).expect("a directory").flatten() {
        let path = entry.path();
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            in_files(&path, secret);
        } else if kind.is_file() {
            assert!(!holds(&std::fs::read(&path).expect("a file"), secret), "in {}", path.display());
        }
    }
}

/// A world whose backend logs all that it can.
pub(super) fn talkative(kind: Kind, door: &str) -> Played {
    let (world, plan) = (World::start(kind), Backend::plan());
    let config = format!(
        "log.level = \"trace\"\n[world.zoo]\nplay = [\"{}\"]\nkind = \"{}\"\n[[door]]\naddress = \"{}:4201\"\nworld = \"zoo\"\n{door}\n",
        world.address(),
        kind_of(kind),
        plan.address()
    );
    let backend = plan.config(&config).start();
    let door = backend.doors()[1];
    Played { world, door, prompt: door, backend }
}

fn logs_in(played: &Played, kind: Kind, name: &str, password: &str) -> StrictClient {
    let mut client = played.client(wide());
    if kind == Kind::Diku {
        for (asked, answer) in [("known? ", name), ("Password: ", password), ("RETURN: ", ""), ("choice: ", "1")] {
            client.until(asked);
            client.types(answer);
        }
        client.until("The Temple\n");
    } else {
        client.until("<password>");
        client.types(&format!("connect {name} {password}"));
        client.until("Limbo\n");
    }
    client
}

/// It is with the worker of the first player, and nowhere else.
fn is_his_alone(played: &Played, secret: &str, when: &str) {
    let own = played.backend.workers()[0].pid;
    let all = processes_of(played.backend.pid());
    assert!(all.len() >= 4, "listener, handler and two workers: {all:?}");
    for process in all.into_iter().filter(|process| process.0 != own) {
        assert!(!in_memory(process, secret), "{}, {when}", process.title());
    }
    assert!(in_memory(Process(own), secret), "{when}: where it has to be it is found");
    assert!(!holds(played.backend.log().text().as_bytes(), secret), "in the log, {when}");
    in_files(&played.backend.data(), secret);
}

/// Waits until there is no such process any more.
fn is_gone(pid: Pid) {
    let mut tail = Command::new("tail");
    tail.args(["--pid", &pid.to_string(), "-s", "0.1", "-f", "/dev/null"]);
    assert!(Running::start(&mut tail).wait().is_some_and(|status| status.success()), "{pid} has not ended");
}

/// Nothing of the worker's memory reaches a disk.
fn is_locked(worker: Process) {
    let locked: u64 = worker.status("VmLck").trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(locked > 0 && locked <= 64, "{locked} KiB");
    assert_eq!(worker.limit("Max core file size"), "0");
    // Its files are root's although it is not: nobody but root may look into it.
    let owner = std::fs::metadata(format!("/proc/{}/mem", worker.0)).expect("its memory").uid();
    assert_eq!(owner, 0);
    assert_ne!(worker.status("Uid").split('\t').next().expect("a user"), "0");
}

#[test]
fn a_password_is_in_no_log_and_no_file_and_in_the_memory_of_no_other_process() {
    if !is_root() {
        return;
    }
    for kind in [Kind::Mush, Kind::Diku] {
        let secret = password();
        let mut played = talkative(kind, "");
        played.world.sets_password("bob", &secret);
        let mut client = logs_in(&played, kind, "bob", &secret);
        let _other = logs_in(&played, kind, "al", "secret-of-al");
        is_his_alone(&played, &secret, "while he plays");
        is_locked(Process(played.backend.workers()[0].pid));
        played.world.crashes(Cut::Reset);
        client.until("zoo is down.");
        is_his_alone(&played, &secret, "while it is down");
        played.world.starts();
        client.until("you are in it as before.");
        is_his_alone(&played, &secret, "when it is back");
        played.backend.kill_handler();
        client.types("//hw");
        client.until("Hello, world!");
        is_his_alone(&played, &secret, "with another handler");
        let before = played.backend.workers();
        played.backend.upgrade_to("9.9.9");
        let both = |text: &str| (text.matches(MOVED).count() == before.len()).then_some(());
        played.backend.log().find_after(0, "both moves", both);
        is_his_alone(&played, &secret, "with another program");
        is_locked(Process(played.backend.workers()[0].pid));
        for worker in before {
            is_gone(worker.pid);
        }
        played.world.crashes(Cut::Reset);
        client.until("zoo is down.");
        played.world.starts();
        client.until("you are in it as before.");
        is_his_alone(&played, &secret, "at the end");
    }
}
