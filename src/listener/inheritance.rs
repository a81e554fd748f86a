//! What workers inherit. The listener itself lies in memory that they do not get, since it changes with every client; this is all
//! that they do get of it, and it changes with the settings alone. Runs in the listener and, from the fork on, in the worker.

use super::accept::NewWorker;
use ssmglobal_config::{Door, Settings};
use ssmglobal_ipc::WorkerEnd;
use ssmglobal_sys::{Child, Prepared, Signals, close_others, exit_now};
use ssmglobal_worker::moved::{MOST_DESCRIPTORS, Moved};
use ssmglobal_worker::sandbox::Sandbox;
use ssmglobal_worker::{Given, run};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Instant;

/// What a worker finds when it begins, and the listener does not change while it makes workers.
pub struct Inheritance {
    /// What holds now.
    pub settings: Settings,
    /// The lock.
    pub sandbox: Sandbox,
    /// Blocked, and told by a descriptor that speaks to each process of its own ones.
    pub signals: Signals,
}

/// All that a worker begins with.
pub struct Birth<'a> {
    /// What `ps` shows of it.
    pub title: Prepared,
    /// What it has of its own.
    pub new: NewWorker,
    /// The door that its client came in by.
    pub door: &'a Door,
    /// Where links are handed over to the handler.
    pub rendezvous: BorrowedFd<'a>,
    /// Where clients are handed over to workers of another program.
    pub moves: BorrowedFd<'a>,
    /// Hung up when neither a listener nor a handler is left.
    pub lifeline: BorrowedFd<'a>,
    /// When the listener has made it: a worker that looks at the clock before its client speaks has two pages more.
    pub begun: Instant,
    /// The rest.
    pub inherited: &'a Inheritance,
    /// How it comes behind its lock.
    pub locks: Locks,
}

/// How a worker comes behind its lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locks {
    /// It locks itself in: the listener has forked it.
    Itself,
    /// It is locked in, and gives up what only the zygote may do that has forked it.
    Behind,
}

/// Sorts a few numbers, most of which are in order: whatever sorts many lies elsewhere in the program, on pages that a worker does
/// not need.
#[inline(always)]
pub fn sort(numbers: &mut [i32]) {
    for end in 1..numbers.len() {
        for at in (1..=end).rev() {
            if numbers.get(at - 1) <= numbers.get(at) {
                break;
            }
            numbers.swap(at - 1, at);
        }
    }
}

impl Child for Birth<'_> {
    /// It keeps its client, the way to the rendezvous, and the signals as they are: blocked. SIGINT and SIGHUP are the listener's
    /// business; a worker never takes them out.
    ///
    /// What is done up to the client's first word lies in one piece of the program (`inline`): each page of it that a worker comes to
    /// costs some two microseconds, at its beginning and its end.
    #[inline(always)]
    fn begin(self) -> ! {
        let Birth { title, new, door, rendezvous, moves, lifeline, begun, inherited, locks } = self;
        let Inheritance { settings, sandbox, signals } = inherited;
        let NewWorker { client, address, session, mode, moved, unnamed } = new;
        title.show();
        let [null, root, ruleset] = match locks {
            Locks::Itself => sandbox.descriptors(),
            // Closed by the zygote: the numbers are others' now.
            Locks::Behind => [-1; 3],
        };
        // In place: most workers have nothing else to go on with, and no heap of their own yet.
        let mut keep = [-1; 8 + MOST_DESCRIPTORS];
        let own = [client.as_raw_fd(), rendezvous.as_raw_fd(), moves.as_raw_fd(), lifeline.as_raw_fd()];
        let own = own.into_iter().chain([signals.as_raw_fd(), null, root, ruleset]);
        let all = own.chain(moved.iter().flat_map(Moved::descriptors));
        keep.iter_mut().zip(all).for_each(|(place, fd)| *place = fd);
        sort(&mut keep);
        close_others(&keep);
        let locked = match locks {
            Locks::Itself => sandbox.enter(),
            Locks::Behind => sandbox.enter_behind(),
        };
        let end = match locked {
            Ok(()) => run(Given {
                client,
                address,
                begun,
                session,
                rendezvous,
                moves,
                lifeline,
                signals,
                mode,
                unnamed,
                moved,
                door,
                settings,
            }),
            Err(_) => WorkerEnd::NOT_LOCKED,
        };
        exit_now(end.0)
    }
}
