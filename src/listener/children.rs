//! The listener's workers: who they are for, how many there are, and whether one more may be.

use super::refusal::Refusal;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use ssmglobal_config::{Door, network};
use ssmglobal_ipc::control::{AdoptedWorker, Client, METRICS_DOOR};
use ssmglobal_ipc::handover::Worker;
use ssmglobal_ipc::{Time, version};
use ssmglobal_sys::{Process, Unforked, title_of};
use std::collections::hash_map::RandomState;
use std::net::{IpAddr, SocketAddr};

/// What the title of every worker begins with.
pub const WORKER: &str = "ssmglobal: worker ";

/// The number of the door where numbers are read.
pub const METRICS: usize = METRICS_DOOR as usize;

/// Where a client came in and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The door's number.
    pub door: usize,
    /// The client.
    pub address: SocketAddr,
}

/// Somebody who has come.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Whether it is known who he is.
    pub naming: Naming,
    /// The session's number; 0 where that is not known.
    pub session: u64,
    /// Where he came in and from where.
    pub place: Place,
    /// When.
    pub at: Time,
}

/// A table that workers do not inherit.
pub type Table<K, V> = hashbrown::HashMap<K, V, RandomState, Unforked>;

/// An empty one.
pub fn table<K, V>() -> Table<K, V> {
    Table::with_hasher_in(RandomState::new(), Unforked)
}

/// The most workers at once that do not know yet who their client is: behind them, whoever connects waits.
const UNNAMED: u32 = 256;

/// Whether a worker's client is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// From the beginning, or since the worker has told.
    Named,
    /// A proxy has connected, and has not said yet for whom. It is no client, and has no session.
    Unnamed,
    /// The worker has told, and its client was not let in.
    Refused,
}

/// What is known of one client.
#[derive(Clone, Copy, Debug)]
struct Known {
    naming: Naming,
    session: u64,
    place: Place,
    at: Time,
    /// Of one that another listener has forked: when its process was started, see [`Process`].
    started: Option<u64>,
    /// The place of the version that it was forked from.
    version: u32,
    /// It was forked by the program that this process was before: the kernel tells of its end by a signal of which several
    /// may come as one.
    forked_before_upgrade: bool,
}

/// A worker that is to follow another one.
#[derive(Clone, Copy, Debug)]
pub struct Successor {
    /// Its process id.
    pub pid: Pid,
    /// The place of the version that it was forked from.
    pub version: u32,
    /// It was forked by the program that this process was before.
    pub forked_before_upgrade: bool,
}

/// All workers.
#[derive(Debug)]
pub struct Children {
    by_pid: Table<Pid, Known>,
    doors: Table<usize, u32>,
    addresses: Table<(usize, IpAddr), u32>,
    /// How many have no client that is let in.
    unnamed: u32,
    /// How many clients there are, …
    clients: u32,
    /// … and for how many of them a worker is still to be forked.
    expected: u32,
    /// Which run of the backend this is, see [`ToHandler::Run`](ssmglobal_ipc::control::ToHandler::Run).
    run: u64,
    /// The last session's number.
    sessions: u64,
    /// How many the program has forked that this process was before.
    forked_before_upgrade: u32,
    /// The versions that workers were forked from; the first is this program's.
    versions: Vec<String>,
}

impl Default for Children {
    /// None, at the beginning of a run.
    fn default() -> Children {
        let run = u64::try_from(Time::now().0).unwrap_or(0);
        Children {
            by_pid: table(),
            doors: table(),
            addresses: table(),
            unnamed: 0,
            clients: 0,
            expected: 0,
            run,
            sessions: 0,
            forked_before_upgrade: 0,
            versions: vec![version().to_owned()],
        }
    }
}

impl Children {
    /// How many clients there are. Whoever reads numbers at the metrics' door is none, nor is a proxy that has not said for whom it
    /// comes.
    pub fn count(&self) -> u32 {
        self.clients
    }

    /// How many of them have a worker.
    pub fn served(&self) -> u32 {
        self.clients - self.expected
    }

    /// Whether there is no worker at all.
    pub fn is_empty(&self) -> bool {
        self.by_pid.is_empty()
    }

    /// Whether this is one of them.
    pub fn has(&self, pid: Pid) -> bool {
        self.by_pid.contains_key(&pid)
    }

    /// Whether one of them is for this client.
    pub fn serves(&self, address: SocketAddr) -> bool {
        self.by_pid.values().any(|known| known.place.address == address)
    }

    /// Their process ids.
    pub fn pids(&self) -> impl Iterator<Item = Pid> {
        self.by_pid.keys().copied()
    }

    /// Why there may not be one more here, if so.
    pub fn refusal(&self, place: &Place, door: &Door, clients: u32) -> Option<Refusal> {
        let here = self.addresses.get(&(place.door, network(place.address.ip()))).copied().unwrap_or(0);
        let at_door = self.doors.get(&place.door).copied().unwrap_or(0);
        // A full server is just what somebody wants to see.
        let is_full = place.door != METRICS && self.count() >= clients;
        if is_full || at_door >= door.clients {
            return Some(Refusal::Full);
        }
        (here >= door.clients_per_address).then_some(Refusal::Address)
    }

    /// Which run of the backend this is.
    pub fn run(&self) -> u64 {
        self.run
    }

    /// The number of the next session.
    pub fn next_session(&mut self) -> u64 {
        self.sessions += 1;
        self.sessions
    }

    /// Goes on where another listener has stopped, or another program in this process.
    pub fn resume(&mut self, (run, next): (u64, u64), workers: Vec<Worker>, versions: &[String]) {
        self.run = run;
        self.sessions = next.saturating_sub(1);
        for Worker { client, started, version } in workers {
            let version = self.place_of(versions.get(version as usize).map_or("-", String::as_str));
            self.take(client, started, version);
        }
    }

    /// One that another listener has forked, and of which it could not tell; from the version with this place.
    pub fn found(&mut self, client: Client, started: u64, version: u32) {
        if !self.has(Pid::from_raw(client.pid)) {
            self.take(client, Some(started), version);
        }
    }

    fn take(&mut self, client: Client, started: Option<u64>, version: u32) {
        let place = Place { door: client.door as usize, address: client.address };
        let forked_before_upgrade = started.is_none();
        // Sessions have numbers from 1 on.
        let naming = if client.session == 0 { Naming::Unnamed } else { Naming::Named };
        let (session, at) = (client.session, client.at);
        let known = Known { naming, session, place, at, started, version, forked_before_upgrade };
        self.count_in(Pid::from_raw(client.pid), known);
    }

    /// The place of a version.
    pub fn place_of(&mut self, version: &str) -> u32 {
        let place = self.versions.iter().position(|known| known == version).unwrap_or_else(|| {
            self.versions.push(version.to_owned());
            self.versions.len() - 1
        });
        u32::try_from(place).unwrap_or(0)
    }

    /// The versions that workers were forked from, this program's first.
    pub fn versions(&self) -> &[String] {
        &self.versions
    }

    /// All that were forked from another version, with its place.
    pub fn others(&self) -> Vec<(i32, u32)> {
        let others = self.clients().filter(|(_, known)| known.version != 0);
        others.map(|(pid, known)| (pid.as_raw(), known.version)).collect()
    }

    /// All that were forked from another program: of another version, or before this one took this process over, which may
    /// be another build of the same version.
    pub fn older(&self) -> Vec<Pid> {
        let older = self.by_pid.iter().filter(|(_, known)| known.version != 0 || known.forked_before_upgrade);
        older.map(|(pid, _)| *pid).collect()
    }

    /// A worker was forked for somebody who has just come.
    pub fn add(&mut self, pid: Pid, arrival: Arrival) {
        let Arrival { naming, session, place, at } = arrival;
        self.count_in(
            pid,
            Known { naming, session, place, at, started: None, version: 0, forked_before_upgrade: false },
        );
    }

    /// Somebody has come, and counts, whose worker is still to be forked.
    pub fn expect(&mut self, arrival: &Arrival) {
        self.expected += u32::from(is_client(arrival.naming, &arrival.place));
        self.more(arrival.naming, &arrival.place);
    }

    /// His worker is there and counts by itself, or there is none.
    pub fn expects_no_more(&mut self, arrival: &Arrival) {
        self.expected -= u32::from(is_client(arrival.naming, &arrival.place));
        self.fewer(arrival.naming, &arrival.place);
    }

    /// Whether so many do not know who their client is that further ones have to wait.
    pub fn are_many_unnamed(&self) -> bool {
        self.unnamed >= UNNAMED
    }

    /// Those whose client is not there, or not yet.
    pub fn unnamed(&self) -> Vec<Pid> {
        let unnamed = self.by_pid.iter().filter(|(_, known)| known.naming != Naming::Named);
        unnamed.map(|(pid, _)| *pid).collect()
    }

    /// Whether the client of one of them is known, and where it, or the proxy, is.
    pub fn naming(&self, pid: Pid) -> Option<(Naming, Place)> {
        self.by_pid.get(&pid).map(|known| (known.naming, known.place))
    }

    /// The client of one that did not know it is at this address, and is let in.
    pub fn name(&mut self, pid: Pid, session: u64, address: SocketAddr) -> Option<Client> {
        let known = self.count_out(pid)?;
        let place = Place { address, ..known.place };
        self.count_in(pid, Known { naming: Naming::Named, session, place, ..known });
        Some(client(pid, session, &place, known.at))
    }

    /// The client of one that did not know it is not let in.
    pub fn refuse(&mut self, pid: Pid) {
        if let Some(known) = self.by_pid.get_mut(&pid).filter(|known| known.naming == Naming::Unnamed) {
            known.naming = Naming::Refused;
        }
    }

    /// Those whose client is known.
    fn clients(&self) -> impl Iterator<Item = (&Pid, &Known)> {
        self.by_pid.iter().filter(|(_, known)| known.naming == Naming::Named)
    }

    fn count_in(&mut self, pid: Pid, known: Known) {
        self.forked_before_upgrade += u32::from(known.forked_before_upgrade);
        self.by_pid.insert(pid, known);
        self.more(known.naming, &known.place);
    }

    fn more(&mut self, naming: Naming, place: &Place) {
        self.clients += u32::from(is_client(naming, place));
        if naming != Naming::Named {
            self.unnamed += 1;
            return;
        }
        *self.doors.entry(place.door).or_default() += 1;
        *self.addresses.entry((place.door, network(place.address.ip()))).or_default() += 1;
    }

    /// One has ended; gives where it was, if it was one of them, and whether its client was known.
    pub fn remove(&mut self, pid: Pid) -> Option<(Naming, Place)> {
        self.count_out(pid).map(|known| (known.naming, known.place))
    }

    fn count_out(&mut self, pid: Pid) -> Option<Known> {
        let known = self.by_pid.remove(&pid)?;
        self.forked_before_upgrade -= u32::from(known.forked_before_upgrade);
        self.fewer(known.naming, &known.place);
        Some(known)
    }

    fn fewer(&mut self, naming: Naming, place: &Place) {
        self.clients -= u32::from(is_client(naming, place));
        if naming == Naming::Named {
            less(&mut self.doors, &place.door);
            less(&mut self.addresses, &(place.door, network(place.address.ip())));
        } else {
            self.unnamed -= 1;
        }
    }

    /// The session of one of them, and where its client came in; nothing of one that has none.
    pub fn of(&self, pid: Pid) -> Option<(u64, Place)> {
        let known = self.by_pid.get(&pid).filter(|known| known.naming == Naming::Named)?;
        Some((known.session, known.place))
    }

    /// Another worker goes on with the client of this one, which has ended: all the time it was one client.
    pub fn succeed(&mut self, before: Pid, successor: Successor) -> Option<Client> {
        let Successor { pid, version, forked_before_upgrade } = successor;
        let known = self.by_pid.remove(&before)?;
        self.forked_before_upgrade -= u32::from(known.forked_before_upgrade);
        self.forked_before_upgrade += u32::from(forked_before_upgrade);
        self.by_pid.insert(pid, Known { started: None, version, forked_before_upgrade, ..known });
        Some(client(pid, known.session, &known.place, known.at))
    }

    /// Whether there are any that were forked before the upgrade: several of their ends may be told as one.
    pub fn has_forked_before_upgrade(&self) -> bool {
        self.forked_before_upgrade > 0
    }

    /// All, for another program that goes on with them. Those whose client is not known have no session: its number is 0.
    pub fn workers(&self) -> impl Iterator<Item = Worker> {
        self.by_pid.iter().map(|(pid, known)| {
            let client = client(*pid, known.session, &known.place, known.at);
            Worker { client, version: known.version, started: known.started }
        })
    }

    /// Which sequence of sessions this is, and the number that the next client gets.
    pub fn numbers(&self) -> (u64, u64) {
        (self.run, self.sessions + 1)
    }

    /// Whether another listener has forked it, so that the kernel does not tell this one of its end.
    pub fn is_adopted(&self, pid: Pid) -> bool {
        self.by_pid.get(&pid).is_some_and(|known| known.started.is_some())
    }

    /// All that another listener has forked.
    pub fn adopted(&self) -> Vec<AdoptedWorker> {
        let adopted = |(pid, known): (&Pid, &Known)| Some(AdoptedWorker { pid: pid.as_raw(), started: known.started? });
        self.clients().filter_map(adopted).collect()
    }

    /// Sends one of them a signal; nobody else ever gets it. One that has ended is about to be noticed.
    pub fn signal(&self, pid: Pid, signal: Signal) {
        let sent = match self.by_pid.get(&pid).map(|known| known.started) {
            Some(Some(started)) => Process::open_started(pid.as_raw(), started).and_then(|process| {
                // The handler has named it, and may be another user than this process.
                let worker = title_of(pid.as_raw()).is_some_and(|title| title.starts_with(WORKER));
                if worker { process.signal(signal) } else { Ok(()) }
            }),
            // Its id is nobody else's as long as it was not waited for.
            Some(None) => nix::sys::signal::kill(pid, signal).map_err(Into::into),
            None => Ok(()),
        };
        // Nothing to be done about one that is gone.
        let _ = sent;
    }

    /// Whether it has ended without anybody having been told: looked at when that matters.
    pub fn has_ended(&self, pid: Pid) -> bool {
        let started = self.by_pid.get(&pid).and_then(|known| known.started);
        started.is_some_and(|started| match Process::open_started(pid.as_raw(), started) {
            Ok(process) => process.has_ended(),
            Err(error) => error.raw_os_error() == Some(nix::errno::Errno::ESRCH as i32),
        })
    }

    /// All, for a handler that has just started.
    pub fn snapshot(&self) -> Vec<Client> {
        let client = |(pid, known): (&Pid, &Known)| client(*pid, known.session, &known.place, known.at);
        self.clients().map(client).collect()
    }
}

fn is_client(naming: Naming, place: &Place) -> bool {
    naming == Naming::Named && place.door != METRICS
}

/// Whether no listener lives that has forked this process.
pub fn is_orphan(pid: i32) -> bool {
    !ssmglobal_sys::title_of_parent(pid).unwrap_or_default().starts_with("ssmglobal: listener")
}

/// A client as the handler is told of it.
pub fn client(pid: Pid, session: u64, place: &Place, at: Time) -> Client {
    let door = u32::try_from(place.door).unwrap_or(u32::MAX);
    Client { pid: pid.as_raw(), session, door, address: place.address, at }
}

fn less<K: std::hash::Hash + Eq>(counts: &mut Table<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
