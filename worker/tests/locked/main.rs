//! What a worker that was taken over can do, tried: each attempt is made by a child of its own that is behind the very lock
//! of a worker. The harmless ones have to pass, the malicious ones to end the child, the panicking one to tell where.
//!
//! Run as the user that runs the tests; if that is root, with workers that become another user, and once more by a user
//! who is not root. Without threads, so that a child can do whatever it likes: a program, not a list of functions.

// To panic is how a test fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod harmless;
mod malicious;
mod panicking;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, geteuid, getpid};
use ssmglobal_config::Settings;
use ssmglobal_sys::{Child, ChildStack, Ids, SharedPage, exit_now, fork_once, fork_sibling};
use ssmglobal_worker::sandbox::Sandbox;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};

/// The user of whoever owns nothing; it need not be listed.
const NOBODY: Ids = Ids { user: 65534, group: 65534 };

/// What an attempt finds.
struct World {
    sandbox: Sandbox,
    /// A file that everybody may read and write.
    database: PathBuf,
    /// Another worker, locked in as well.
    victim: Pid,
    /// A connected socket, as its client is, and the other end.
    client: (OwnedFd, OwnedFd),
    /// The rendezvous: the worker's end and the handler's.
    rendezvous: (OwnedFd, OwnedFd),
}

/// How an attempt has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// The child comes to its end by itself, and says that it is content.
    Well,
    /// The child is killed by this signal.
    By(Signal),
}

/// Gives whether it is content.
type Attempt = fn(&World) -> bool;

fn main() {
    // The memory in which a child may lie: it must not be the user's that runs the tests.
    let dir = std::env::temp_dir().join(format!("ssmglobal-locked-{}", std::process::id()));
    std::fs::create_dir(&dir).unwrap();
    let file = dir.join("database");
    std::fs::write(&file, "secret").unwrap();
    open_to_all(&dir, 0o755);
    open_to_all(&file, 0o666);
    let root = geteuid().is_root();
    let failed = if root {
        let inside = dir.join("empty");
        std::fs::create_dir(&inside).unwrap();
        let empty = OwnedFd::from(File::open(&inside).unwrap());
        let failed = suite("root, workers are nobody", Some(NOBODY), Some(empty), &file);
        failed + as_nobody(&file)
    } else {
        suite("an ordinary user", None, None, &file)
    };
    std::fs::remove_dir_all(&dir).unwrap();
    assert_eq!(failed, 0, "{failed} attempts did not end as they must");
}

fn open_to_all(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// All of it once more, by a process that is not root's.
fn as_nobody(file: &Path) -> i32 {
    let (child, _) = fork_once(file, |file| {
        ssmglobal_sys::become_user(NOBODY).unwrap();
        exit_now(suite("nobody", None, None, file))
    })
    .unwrap();
    match waitpid(child, None).unwrap() {
        WaitStatus::Exited(_, failed) => failed,
        other => panic!("{other:?}"),
    }
}

/// Makes all attempts; gives how many did not end as they must.
fn suite(who: &str, user: Option<Ids>, root: Option<OwnedFd>, database: &Path) -> i32 {
    let mut sandbox = Sandbox::prepare(&Settings::default(), user, root);
    let missing = sandbox.try_out().unwrap();
    println!("as {who}; this machine lacks: {missing:?}");
    if missing.iter().any(|part| part.contains("filter")) {
        println!("SKIPPED: no filter of system calls here");
        return 0;
    }
    let victim = victim(&sandbox);
    let client = ssmglobal_sys::link_pair().unwrap();
    let rendezvous = ssmglobal_sys::seqpacket_pair().unwrap();
    ssmglobal_sys::pass_credentials(&rendezvous.1).unwrap();
    ssmglobal_worker::panics::catch_in_children(rendezvous.0.as_fd());
    let world = World { sandbox, database: database.to_owned(), victim, client, rendezvous };
    let all = |signal, others: &[(&'static str, Ends, Attempt)]| {
        let gives_up = harmless::GIVES_UP.iter().map(|(name, attempt)| (*name, Ends::By(signal), *attempt));
        let all = harmless::ALL.iter().chain(malicious::ALL).chain(others).copied();
        all.chain(gives_up).collect::<Vec<_>>()
    };
    let itself = all(Signal::SIGABRT, malicious::LOCKED_BY_ITSELF).into_iter();
    let itself = itself.map(|(name, ends, attempt)| (name, ends, in_a_locked_child(&world, attempt)));
    let behind = all(Signal::SIGSEGV, malicious::OF_A_ZYGOTE).into_iter();
    let behind = behind.map(|(name, ends, attempt)| (name, ends, in_a_child_of_a_zygote(&world, attempt)));
    let (mut tried, mut failed) = (1, i32::from(!panicking::tells_where(&world)));
    for (name, ends, ended) in itself.chain(behind) {
        let as_it_must = match (ends, ended) {
            (Ends::Well, WaitStatus::Exited(_, code)) => code == 0,
            (Ends::By(wanted), WaitStatus::Signaled(_, signal, _)) => wanted == signal,
            _ => false,
        };
        if !as_it_must {
            println!("FAILED {name}: {ended:?}");
        }
        (tried, failed) = (tried + 1, failed + i32::from(!as_it_must));
    }
    println!("{tried} attempts, {failed} failed");
    // It has seen nothing of all that.
    assert!(waitpid(victim, Some(nix::sys::wait::WaitPidFlag::WNOHANG)).unwrap() == WaitStatus::StillAlive);
    kill(victim, Signal::SIGKILL).unwrap();
    waitpid(victim, None).unwrap();
    failed
}

/// Another worker, which waits for something that never comes.
fn victim(sandbox: &Sandbox) -> Pid {
    let (child, _) = fork_once(sandbox, |sandbox| {
        let locked = sandbox.enter().is_ok();
        let _ = nix::poll::poll(&mut [], nix::poll::PollTimeout::NONE);
        exit_now(i32::from(locked))
    })
    .unwrap();
    child
}

fn in_a_locked_child(world: &World, attempt: Attempt) -> WaitStatus {
    let (child, _) = fork_once((world, attempt), |(world, attempt)| {
        if world.sandbox.enter().is_err() {
            exit_now(99);
        }
        exit_now(if attempt(world) { 0 } else { 1 })
    })
    .unwrap();
    waitpid(child, None).unwrap()
}

/// A worker that a zygote has forked.
struct Behind<'a>(&'a World, Attempt);

impl Child for Behind<'_> {
    fn begin(self) -> ! {
        let Behind(world, attempt) = self;
        if world.sandbox.enter_behind().is_err() {
            exit_now(99);
        }
        exit_now(if attempt(world) { 0 } else { 1 })
    }
}

fn in_a_child_of_a_zygote(world: &World, attempt: Attempt) -> WaitStatus {
    let number = SharedPage::new(AtomicI32::new(0)).unwrap();
    let (zygote, _) = fork_once((world, attempt, &number, getpid()), |(world, attempt, number, parent)| {
        let mut stack = ChildStack::new().unwrap();
        if world.sandbox.enter_as_zygote(parent).is_err() {
            exit_now(98);
        }
        let (forked, _) = fork_sibling(&mut stack, number, Behind(world, attempt));
        exit_now(forked.map_or(97, |_| 0))
    })
    .unwrap();
    let ended = waitpid(zygote, None).unwrap();
    match number.load(Ordering::SeqCst) {
        0 => ended,
        worker => waitpid(Pid::from_raw(worker), None).unwrap(),
    }
}
