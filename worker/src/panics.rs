//! What a worker does when it panics: it tells the handler where, and ends. Not what: the message may hold what a client
//! has typed. Nothing is unwound, since further up the stack everything is the listener's.

use nix::sys::socket::{MsgFlags, send};
use nix::unistd::getpid;
use ssmglobal_ipc::{WorkerEnd, rendezvous};
use std::io::Write;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::panic::{Location, PanicHookInfo, set_hook, take_hook};

/// From now on a panic of a process that is forked from this one ends it so; one of this process is as before. The message goes
/// over the rendezvous, which is there whether a worker has a link or not. Said once, before the first fork: no worker has to
/// write it down. For a process with one thread.
pub fn catch_in_children(rendezvous: BorrowedFd<'_>) {
    let (parent, rendezvous, before) = (getpid(), rendezvous.as_raw_fd(), take_hook());
    set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
        if getpid() == parent {
            return before(panic);
        }
        let mut message = [0; rendezvous::LONGEST];
        let length = written(&mut message, panic.location());
        // Full, or no more handler: the exit code still tells that it was a panic.
        let _ = send(
            rendezvous,
            message.get(..length).unwrap_or_default(),
            MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT,
        );
        ssmglobal_sys::exit_now(WorkerEnd::PANICKED.0);
    }));
}

/// Writes the message without allocating, which may be what has failed; gives its length.
fn written(message: &mut [u8], location: Option<&Location<'_>>) -> usize {
    let length = message.len();
    let mut room = message;
    // Cut where it is full.
    let _ = room.write_all(&[rendezvous::PANICKED]);
    let _ = match location {
        Some(at) => write!(room, "{at}"),
        None => room.write_all(b"an unknown place"),
    };
    length - room.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_cut_to_the_room_there_is() {
        let mut message = [0; 12];
        let at = Location::caller();
        let length = written(&mut message, Some(at));
        let all = format!("P{at}");
        assert_eq!(message[..length], all.as_bytes()[..12]);
    }
}
