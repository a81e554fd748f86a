//! What this listener leaves to the next one, and what one before it has left to this. Runs in the listener.

use super::children::Children;
use super::doors::{Doors, HeldDoor};
use super::lifeline::Lifeline;
use super::moves::Moves;
use super::pending::PendingAccept;
use ssmglobal_config::Listen;
use ssmglobal_ipc::handover::{Item, MOST, State, Worker, items};
use ssmglobal_sys::MOST_DESCRIPTORS;
use ssmglobal_sys::sealed::read_sealed;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Descriptors that a state names beside listening sockets: the rendezvous' two, the two of the pending accept, the two by
/// which clients move, the lifeline's two, and the journal; and one with the state, one more for the log.
const OTHERS: usize = 11;

/// What another listener has left.
pub struct Taken {
    /// Its listening sockets.
    pub doors: Vec<HeldDoor>,
    /// The number that the next new door gets.
    pub next_door: usize,
    /// Where links are handed over to the handler: the end that workers send to, and the one that handlers receive from.
    pub rendezvous: (OwnedFd, OwnedFd),
    /// What each handler leaves to the next.
    pub journal: OwnedFd,
    /// The connection that was accepted and has no worker yet, if there is one.
    pub pending_accept: (OwnedFd, OwnedFd),
    /// Where workers hand over their clients; nothing from a program whose workers do not.
    pub moves: Option<(OwnedFd, OwnedFd)>,
    /// Where workers see that nobody is left; nothing from a program whose workers do not.
    pub lifeline: Option<(OwnedFd, OwnedFd)>,
    /// Workers that are to follow others: whom, their own process id, the number of their version.
    pub successors: Vec<(i32, i32, u32)>,
    /// Which sequence of sessions this is, and the number that the next client gets.
    pub run: (u64, u64),
    /// All workers.
    pub workers: Vec<Worker>,
    /// The versions that they were forked from.
    pub versions: Vec<String>,
    /// The handler, where it does not come by itself.
    pub handler: Option<HeldHandler>,
    /// What is to be finished.
    pub upgrade: Option<HeldUpgrade>,
}

/// The handler of a listener that goes on as another program.
pub struct HeldHandler<Stream = OwnedFd> {
    /// Its process id.
    pub pid: i32,
    /// Of one that another listener has started: when.
    pub started: Option<u64>,
    /// The stream to it.
    pub stream: Stream,
    /// What was to be written to it.
    pub out: Vec<u8>,
    /// What was read from it and is not whole yet.
    pub unread: Vec<u8>,
}

/// What another program has left this one to finish.
pub struct HeldUpgrade {
    /// Its version.
    pub from: String,
    /// The file that this program was started from.
    pub program: PathBuf,
    /// Whoever waits for an answer.
    pub asker: Option<OwnedFd>,
}

/// The most doors that one message has room for.
pub const MOST_DOORS: usize = MOST_DESCRIPTORS - OTHERS;

/// The beginning of a state, which does not change while clients come and go, and the descriptors that it names; those
/// that outlive a handler are given first. Doors beyond `most` are left out: the next listener opens them anew.
pub fn lasting<'a>(
    [sends, receives, journal]: [BorrowedFd<'a>; 3],
    (children, doors, pending_accept, moves, lifeline): (
        &Children,
        &'a Doors,
        &'a PendingAccept,
        &'a Moves,
        &'a Lifeline,
    ),
    most: usize,
) -> (State, Vec<BorrowedFd<'a>>) {
    let (mut state, mut fds) = (State::new(ssmglobal_ipc::version()), Vec::new());
    let mut put = |fd: BorrowedFd<'a>| {
        fds.push(fd);
        u32::try_from(fds.len() - 1).unwrap_or(u32::MAX)
    };
    state.put(&Item::Rendezvous { sends: put(sends), receives: put(receives) });
    state.put(&Item::Journal { memory: put(journal) });
    let [puts, takes] = pending_accept.ends().map(&mut put);
    state.put(&Item::PendingAccept { puts, takes });
    let [sends, receives] = moves.ends().map(&mut put);
    state.put(&Item::Moves { sends, receives });
    let [holds, ends] = lifeline.both().map(&mut put);
    state.put(&Item::Lifeline { holds, ends });
    for (number, listen, socket) in doors.held().take(most) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        state.put(&Item::Door { number, listen: listen.to_string(), socket: put(socket) });
    }
    state.put(&Item::NextDoor { number: u32::try_from(doors.next()).unwrap_or(u32::MAX) });
    let (run, next) = children.numbers();
    state.put(&Item::Run { run, next });
    (state, fds)
}

/// Descriptors by their place, each given away once.
struct Descriptors(Vec<Option<OwnedFd>>);

impl Descriptors {
    fn take(&mut self, place: u32) -> io::Result<OwnedFd> {
        self.0
            .get_mut(place as usize)
            .and_then(Option::take)
            .ok_or_else(|| wrong("it names a descriptor that is not there"))
    }
}

fn wrong(why: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("what the listener before this one has left cannot be used: {why}"),
    )
}

impl Taken {
    /// Reads a state in sealed memory.
    ///
    /// # Errors
    /// It was written by another program, or is not whole.
    pub fn read(memory: impl AsFd, fds: Vec<OwnedFd>) -> io::Result<Taken> {
        let items = items(&read_sealed(memory, MOST)?).map_err(|error| wrong(&error.to_string()))?;
        let mut fds = Descriptors(fds.into_iter().map(Some).collect());
        let (mut doors, mut next_door, mut workers) = (Vec::new(), 0, Vec::new());
        let (mut rendezvous, mut journal, mut pending_accept, mut numbers) = (None, None, None, None);
        let (mut handler, mut upgrade, mut versions) = (None, None, Vec::new());
        let (mut moves, mut lifeline, mut successors) = (None, None, Vec::new());
        for item in items {
            match item {
                Item::Door { number, listen, socket } => {
                    let listen = listen.parse::<Listen>().map_err(|error| wrong(&error.to_string()))?;
                    doors.push(HeldDoor { number: number as usize, listen, socket: fds.take(socket)? });
                }
                Item::NextDoor { number } => next_door = number as usize,
                Item::Rendezvous { sends, receives } => rendezvous = Some((fds.take(sends)?, fds.take(receives)?)),
                Item::Journal { memory } => journal = Some(fds.take(memory)?),
                Item::PendingAccept { puts, takes } => pending_accept = Some((fds.take(puts)?, fds.take(takes)?)),
                Item::Moves { sends, receives } => moves = Some((fds.take(sends)?, fds.take(receives)?)),
                Item::Lifeline { holds, ends } => lifeline = Some((fds.take(holds)?, fds.take(ends)?)),
                Item::Successor { of, pid, version } => successors.push((of, pid, version)),
                // Said again, it has grown.
                Item::Run { run, next } => numbers = Some((run, numbers.map_or(next, |(_, before)| next.max(before)))),
                Item::Worker(worker) => workers.push(worker),
                Item::Handler { pid, started, stream, out, unread } => {
                    handler = Some(HeldHandler { pid, started, stream: fds.take(stream)?, out, unread });
                }
                Item::Upgrade { from, program, asker } => {
                    let program = PathBuf::from(OsString::from_vec(program));
                    let asker = asker.map(|place| fds.take(place)).transpose()?;
                    upgrade = Some(HeldUpgrade { from, program, asker });
                }
                Item::Version { version } => versions.push(version),
                Item::Format { .. } => {}
            }
        }
        let missing = || wrong("something is missing");
        let (rendezvous, journal) = (rendezvous.ok_or_else(missing)?, journal.ok_or_else(missing)?);
        let pending_accept = pending_accept.ok_or_else(missing)?;
        Ok(Taken {
            doors,
            next_door,
            rendezvous,
            journal,
            pending_accept,
            moves,
            lifeline,
            successors,
            run: numbers.ok_or_else(missing)?,
            workers,
            versions,
            handler,
            upgrade,
        })
    }
}
