//! Letting workers be followed, after an upgrade: an old worker that is idle hands over its client's socket and its session
//! in sealed memory, and is followed by a worker that is forked for it. Neither is looked at here. Which of the two serves
//! the client is settled between them (`worker/src/moved.rs`): here it is the old one until it has ended. Runs in the
//! listener.

use super::Listener;
use super::accept::{NewWorker, TURN};
use super::children::Successor;
use super::moves::{HandedOver, Word};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use ssmglobal_config::shown;
use ssmglobal_ipc::control::ToHandler;
use ssmglobal_ipc::{Mode, WorkerEnd};
use std::io;

impl Listener {
    /// Tells all workers of another program that they may move. One that does not know how takes no notice.
    #[inline(never)]
    pub(super) fn notify_workers(&mut self) {
        self.moves.notify_all(self.children.older());
        self.notify_next();
    }

    /// Tells the next ones.
    #[inline(never)]
    pub(super) fn notify_next(&mut self) {
        for pid in self.moves.next_portion() {
            // Some have ended meanwhile.
            if self.children.has(pid) {
                self.children.signal(pid, Signal::SIGUSR2);
            }
        }
    }

    /// Takes what workers say; gives whether there may be more.
    #[inline(never)]
    pub(super) fn take_moves(&mut self) -> bool {
        for _ in 0..TURN {
            let (of, word) = match self.moves.receive() {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) => {
                    self.handler.log(1, format!("a worker cannot be followed: {error}"));
                    continue;
                }
            };
            if let Word::Names(name, answer) = word {
                self.take_name(of, &name, answer);
                continue;
            }
            // One that has just ended, or was taken already.
            if !self.children.has(of) || self.moves.ignores(of) {
                continue;
            }
            let several = self.moves.is_followed(of);
            match word {
                Word::HandsOver(handed) if !several => self.fork_successor(of, handed),
                _ => {
                    self.moves.ignore(of);
                    self.handler.log(2, format!("worker {of} has handed over what is no session; it is not followed"));
                }
            }
        }
        true
    }

    fn fork_successor(&mut self, of: Pid, handed: HandedOver) {
        let Some((session, place)) = self.children.of(of) else { return };
        // Without its door there is nobody to follow it.
        let Some(door) = self.doors.with_number(place.door) else { return };
        let title = ssmglobal_worker::title(place.address.ip().to_canonical(), Mode::Ask, "");
        let HandedOver { client, moved } = handed;
        let client = mio::net::TcpStream::from_std(std::net::TcpStream::from(client));
        let (address, moved) = (place.address, Some(moved));
        let new = NewWorker { client, address, session, mode: Mode::Ask, moved, unnamed: None };
        match self.fork_worker(door, title, new) {
            Ok(pid) => self.moves.follows(of, Successor { pid, version: 0, forked_before_upgrade: false }),
            Err((error, _)) => self.handler.log(1, format!("worker {of} cannot be followed: {error}")),
        }
    }

    /// A worker has ended: gives whether it was one of two that have one client, of which the other goes on.
    #[inline(never)]
    pub(super) fn one_of_two_ended(&mut self, pid: Pid, status: i32) -> bool {
        if let Some(of) = self.moves.ended(pid) {
            self.successor_ended(of, WorkerEnd(status));
            return true;
        }
        let Some(successor) = self.moves.succeed(pid) else { return false };
        let Some(client) = self.children.succeed(pid, successor) else { return false };
        if !WorkerEnd(status).is_in_order() {
            self.punish(client.address, WorkerEnd(status));
            self.handler.log(2, format!("{}: worker {pid} has ended: {}", shown(client.address), WorkerEnd(status)));
        }
        self.handler.tell(&ToHandler::Moved { from: pid.as_raw(), client });
        self.flush();
        true
    }

    /// Before the one that it was to follow: that one serves its client on, or has just ended too.
    fn successor_ended(&mut self, of: Pid, end: WorkerEnd) {
        let Some((_, place)) = self.children.of(of) else { return };
        self.punish(place.address, end);
        if !end.is_in_order() {
            self.moves.ignore(of);
            self.handler.log(2, format!("{}: worker {of} is not followed by another: {end}", shown(place.address)));
        }
    }
}
