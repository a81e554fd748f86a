//! Doors behind a proxy: a worker is made for whoever the proxy is, counts apart until it has told who its client is, and has
//! a session from then on. What the proxy says is read by the worker, which is locked in; here only its one word is taken.
//! Runs in the listener.

use super::Listener;
use super::children::{Arrival, Naming, Place, WORKER, client, is_orphan};
use super::zygote::Unborn;
use mio::net::TcpStream;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use ssmglobal_config::shown;
use ssmglobal_ipc::WorkerEnd;
use ssmglobal_ipc::control::{AdoptedWorker, Client, NotLetIn, ToHandler};
use ssmglobal_ipc::naming::{Name, Named};
use ssmglobal_ipc::{Time, version};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Instant;

impl Listener {
    /// Makes a worker for a proxy, which is to say for whom it comes. Anybody else is sent away before that.
    pub(super) fn admit_proxy(&mut self, door: usize, proxy: TcpStream, address: SocketAddr) {
        let Some(opened) = self.doors.get(door) else { return };
        let place = Place { door: opened.number, address };
        if !opened.door.trusts(address.ip()) {
            return self.tell_refused(&place, NotLetIn::NoProxy);
        }
        self.pending_accept.put(&proxy);
        let arrival = Arrival { naming: Naming::Unnamed, session: 0, place, at: Time::now() };
        self.bear(Unborn { client: proxy, door, arrival, since: Instant::now() });
    }

    /// Whether those who wait at this door have to wait on; they are taken as soon as others have told who their clients are.
    pub(super) fn holds_up(&mut self, door: usize) -> bool {
        if !self.doors.get(door).is_some_and(|opened| opened.door.is_behind_proxy()) {
            return false;
        }
        if self.children.are_many_unnamed() {
            self.reap_ended(self.children.unnamed());
        }
        let holds = self.children.are_many_unnamed();
        if holds && !self.held_up.contains(&door) {
            self.held_up.push(door);
        }
        holds
    }

    /// There is room for those who have to wait.
    fn take_held_up(&mut self) {
        if !self.children.are_many_unnamed() {
            self.held_up.retain(|door| !self.unfinished.contains(door));
            self.unfinished.append(&mut self.held_up);
        }
    }

    /// A worker says who its client is. It does so once; any other has been taken over by somebody, and is ended.
    pub(super) fn take_name(&mut self, pid: Pid, name: &Name, answer: OwnedFd) {
        self.knows(pid);
        let (number, adopted) = match self.children.naming(pid) {
            Some((Naming::Unnamed, place)) => (place.door, None),
            Some((_, place)) => {
                self.children.signal(pid, Signal::SIGKILL);
                let why = format!("{}: worker {pid} says again who its client is; it is ended", shown(place.address));
                return self.handler.log(1, why);
            }
            None => match self.unreported(pid) {
                Some(started) if self.is_behind_proxy(name.door as usize) => (name.door as usize, Some(started)),
                _ => return,
            },
        };
        // Without its door nobody lets it in: it sees that its answer does not come.
        let Some(door) = self.doors.with_number(number) else { return };
        let Some(mode) = self.doors.get(door).map(|opened| opened.door.mode) else { return };
        let place = Place { door: number, address: name.address };
        let answered = match self.refusal(door, &place) {
            Some(refusal) => {
                self.children.refuse(pid);
                self.tell_refused(&place, refusal.told());
                Named::Refused { line: refusal.line(mode) }
            }
            None => {
                let session = self.children.next_session();
                self.let_in(pid, session, &place, adopted.map(|started| (started, name)));
                Named::In { session }
            }
        };
        // Not before the handler knows: should this process be killed in between, the worker sees it, and ends.
        self.flush();
        // It may have ended.
        let _ = ssmglobal_sys::write_now(&answer, &answered.bytes());
        self.take_held_up();
    }

    /// The client of this worker is one of ours from now on. `adopted`: when the worker was started, which another listener has made.
    fn let_in(&mut self, pid: Pid, session: u64, place: &Place, adopted: Option<(u64, &Name)>) {
        let named = match adopted {
            Some((started, name)) => {
                let version = self.children.place_of(&name.version);
                let client = client(pid, session, place, name.at);
                self.children.found(client.clone(), started, version);
                Some(client)
            }
            None => self.children.name(pid, session, place.address),
        };
        let Some(client) = named else { return };
        self.tell_joined(client);
        if let Some((started, name)) = adopted {
            self.handler.tell(&ToHandler::Watch { workers: vec![AdoptedWorker { pid: pid.as_raw(), started }] });
            if name.version != version() {
                self.children.signal(pid, Signal::SIGUSR2);
            }
        }
        let (versions, others) = (self.children.versions().to_vec(), self.children.others());
        if others.iter().any(|(other, _)| *other == pid.as_raw()) {
            self.handler.tell(&ToHandler::Versions { versions, others });
        }
    }

    fn is_behind_proxy(&self, number: usize) -> bool {
        let door = self.doors.with_number(number).and_then(|door| self.doors.get(door));
        door.is_some_and(|opened| opened.door.is_behind_proxy())
    }

    /// When a worker was started that a listener before this one has made, and that did not know its client when that one died.
    fn unreported(&self, pid: Pid) -> Option<u64> {
        let (started, pid) = (ssmglobal_sys::started_at(pid.as_raw()).ok()?, pid.as_raw());
        let worker = ssmglobal_sys::title_of(pid).is_some_and(|title| title.starts_with(WORKER));
        (worker && is_orphan(pid)).then_some(started)
    }

    /// A worker has ended that had no client yet. That is no business of anybody's, unless something is wrong.
    pub(super) fn unnamed_ended(&mut self, pid: Pid, place: &Place, end: WorkerEnd) {
        if end == WorkerEnd::NO_HEADER {
            self.tell_refused(place, NotLetIn::NoHeader);
        } else if !end.is_in_order() {
            self.handler.log(2, format!("{}: worker {pid} has ended: {end}", shown(place.address)));
        }
        self.take_held_up();
    }

    /// The handler is told of a client that is there.
    pub(super) fn tell_joined(&mut self, client: Client) {
        let (count, max) = (self.children.served(), self.inherited.settings.limits.clients);
        self.handler.tell(&ToHandler::Joined { client, count, max });
    }

    /// The log is to tell of somebody who was not let in.
    pub(super) fn tell_refused(&mut self, place: &Place, why: NotLetIn) {
        let door = u32::try_from(place.door).unwrap_or(u32::MAX);
        self.handler.tell(&ToHandler::Refused { address: place.address, door, why });
    }
}
