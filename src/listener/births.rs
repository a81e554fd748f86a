//! From whoever has come to his worker: by the zygote, as long as there is one; else it is forked here, and locks itself in. Runs in
//! the listener.

use super::accept::{NewWorker, newcomer};
use super::children::{Arrival, Naming, client};
use super::inheritance::{Birth, Locks};
use super::reap::ended;
use super::refusal::Refusal;
use super::zygote::{Ended, Ends, Nursery, Outcome, Unborn, Zygote};
use super::{Listener, ZYGOTE};
use mio::Interest;
use mio::net::TcpStream;
use mio::unix::SourceFd;
use nix::unistd::Pid;
use ssmglobal_config::shown;
use ssmglobal_sys::{ExitSignal, Prepared};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd;
use std::time::Instant;

impl Listener {
    /// Waits until one more worker may be ordered: before somebody is let in, who would then lie nowhere meanwhile.
    pub(super) fn make_room(&mut self) {
        let Nursery::Lives(zygote) = &self.nursery else { return };
        if zygote.has_room() {
            return;
        }
        let waited = zygote.wait();
        self.take_born();
        if waited.is_err() {
            self.end_zygote(None);
        }
    }

    /// Has a worker made for somebody who has come, and lies in the pending accept; there is room for that.
    pub(super) fn bear(&mut self, unborn: Unborn) {
        if let Nursery::Empty = self.nursery {
            self.start_zygote();
        }
        let Nursery::Lives(zygote) = &mut self.nursery else { return self.fork_pending(unborn) };
        self.children.expect(&unborn.arrival);
        if zygote.order(unborn).is_err() {
            self.end_zygote(None);
        }
    }

    #[inline(never)]
    fn start_zygote(&mut self) {
        self.settle();
        let ([moves, _], [_, lifeline], [_, pending]) =
            (self.moves.ends(), self.lifeline.both(), self.pending_accept.ends());
        let ends = Ends { rendezvous: self.handler.rendezvous(), moves, lifeline, pending };
        let started = Zygote::start(&mut self.child_stack, self.doors.opened(), ends, &self.inherited);
        let watched = started.and_then(|zygote| {
            let socket = &mut SourceFd(&zygote.socket().as_raw_fd());
            self.poll.registry().register(socket, ZYGOTE, Interest::READABLE).map(|()| zygote)
        });
        self.nursery = match watched {
            Ok(zygote) => Nursery::Lives(zygote),
            Err(error) => {
                self.handler.log(2, format!("no process that makes workers can be made: {error}"));
                Nursery::GivenUp
            }
        };
    }

    /// The zygote has said something, or is gone.
    pub(super) fn on_zygote(&mut self) {
        let Nursery::Lives(zygote) = &self.nursery else { return };
        let said = zygote.listen();
        self.take_born();
        match said {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => self.end_zygote(None),
            _ => {}
        }
    }

    /// Takes note of all workers that are there.
    pub(super) fn take_born(&mut self) {
        while let Some((unborn, outcome)) = self.nursery.next_born() {
            self.end_of_order(unborn, outcome);
        }
    }

    /// Whether this is a worker. It may have been made a moment ago.
    pub(super) fn knows(&mut self, pid: Pid) -> bool {
        if !self.children.has(pid) {
            self.take_born();
        }
        self.children.has(pid)
    }

    fn end_of_order(&mut self, unborn: Unborn, outcome: Outcome) {
        self.children.expects_no_more(&unborn.arrival);
        match outcome {
            Outcome::Worker(pid) => self.is_born(pid, unborn.arrival),
            // Its client lies in the pending accept no more.
            Outcome::Nobody => self.fork_here(unborn),
            Outcome::Open => self.fork_pending(unborn),
        }
    }

    /// What workers inherit is about to change, or nobody is to be born any more: the zygote ends, and everybody who has come has a
    /// worker.
    pub(super) fn renew_zygote(&mut self) {
        if let Nursery::Lives(zygote) = std::mem::replace(&mut self.nursery, Nursery::Empty) {
            self.finish(zygote, None);
        }
        self.settled = false;
    }

    /// The zygote has ended, or has to. `status`: how, if it was waited for.
    pub(super) fn end_zygote(&mut self, status: Option<i32>) {
        let Nursery::Lives(zygote) = std::mem::replace(&mut self.nursery, Nursery::Empty) else { return };
        let Ended { status, was_of_use } = self.finish(zygote, status);
        if !was_of_use {
            self.nursery = Nursery::GivenUp;
        }
        self.handler.log(2, format!("the process that makes workers has ended ({})", ended(status)));
    }

    fn finish(&mut self, zygote: Zygote, status: Option<i32>) -> Ended {
        let (ended, orders) = zygote.end(status);
        // It may have been about to take out whoever it has served.
        let open = orders.iter().find(|(_, outcome)| *outcome == Outcome::Open);
        self.pending_accept.clear_before(open.map(|(unborn, _)| &unborn.client));
        orders.into_iter().for_each(|(unborn, outcome)| self.end_of_order(unborn, outcome));
        ended
    }

    /// The one who lies first in the pending accept gets a worker that locks itself in.
    fn fork_pending(&mut self, unborn: Unborn) {
        self.fork_here(unborn);
        self.pending_accept.clear();
    }

    /// Somebody gets a worker that locks itself in.
    fn fork_here(&mut self, unborn: Unborn) {
        let Unborn { client, door, arrival, .. } = unborn;
        if let Some(opened) = self.doors.get(door) {
            let mode = opened.door.mode;
            let (title, new) = newcomer(arrival.place.address, arrival.session, client, opened);
            match self.fork_worker(door, title, new) {
                Ok(pid) => self.is_born(pid, arrival),
                Err((error, mut client)) => {
                    if arrival.naming == Naming::Named {
                        // It may be gone; nothing waits for it.
                        let _ = client.write_all(Refusal::Full.line(mode).as_bytes());
                    }
                    self.handler.log(1, format!("{}: no worker can be made: {error}", shown(arrival.place.address)));
                }
            }
        }
    }

    /// A worker is there. The handler is told of all in a turn together: should this process be killed before, it finds them.
    fn is_born(&mut self, pid: Pid, arrival: Arrival) {
        self.children.add(pid, arrival);
        if arrival.naming == Naming::Named {
            self.tell_joined(client(pid, arrival.session, &arrival.place, arrival.at));
        }
    }

    /// Makes a worker that locks itself in; gives its process id, or the connection back.
    pub(super) fn fork_worker(
        &mut self,
        door: usize,
        title: Prepared,
        new: NewWorker,
    ) -> Result<Pid, (io::Error, TcpStream)> {
        self.settle();
        let Some(opened) = self.doors.get(door) else { return Err((io::ErrorKind::NotFound.into(), new.client)) };
        let ([moves, _], [_, lifeline]) = (self.moves.ends(), self.lifeline.both());
        let (rendezvous, inherited) = (self.handler.rendezvous(), &*self.inherited);
        let (begun, locks) = (Instant::now(), Locks::Itself);
        let birth = Birth { title, new, door: &opened.door, rendezvous, moves, lifeline, begun, inherited, locks };
        let (forked, birth) = ssmglobal_sys::fork(&mut self.child_stack, ExitSignal::Queued, birth);
        forked.map_err(|error| (error.into(), birth.new.client))
    }

    fn settle(&mut self) {
        if !std::mem::replace(&mut self.settled, true) {
            ssmglobal_sys::settle_heap();
        }
    }
}
