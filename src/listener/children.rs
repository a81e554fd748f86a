//! The listener's workers: who they are for, how many there are, and whether one more may be.

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use ssmglobal_config::{Door, DoorMode, network};
use ssmglobal_ipc::control::{AdoptedWorker, Client, METRICS_DOOR, NotLetIn};
use ssmglobal_ipc::handover::Worker;
use ssmglobal_ipc::{Time, version};
use ssmglobal_sys::{Process, Unforked, title_of};
use std::borrow::Cow;
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

/// Why one more is too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// From this address.
    Address,
    /// The door, or the server, has as many clients as it may have.
    Full,
    /// From this address, for so many seconds: what came before went wrong.
    Penalty(u64),
}

impl Refusal {
    /// In words.
    fn why(self) -> Cow<'static, str> {
        match self {
            Refusal::Address => "Too many connections.".into(),
            Refusal::Full => "Server full.".into(),
            Refusal::Penalty(1) => "Too many failures from your address. Please try again in a second.".into(),
            Refusal::Penalty(seconds) => {
                format!("Too many failures from your address. Please try again in {seconds} seconds.").into()
            }
        }
    }

    /// As the handler is told.
    pub fn told(self) -> NotLetIn {
        match self {
            Refusal::Address => NotLetIn::Address,
            Refusal::Full => NotLetIn::Full,
            Refusal::Penalty(seconds) => NotLetIn::Blocked(seconds),
        }
    }

    /// What the client is told.
    pub fn line(self, mode: DoorMode) -> String {
        match mode {
            DoorMode::Human => format!("ERROR: {}\r\n", self.why()),
            DoorMode::Metrics => format!(
                "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n{}\n",
                self.why().len() + 1,
                self.why()
            ),
            DoorMode::Ask | DoorMode::Client | DoorMode::Server => {
                format!("{{\"state\": \"ERROR\", \"msg\": \"{}\"}}\r\n", self.why())
            }
        }
    }
}

/// A table that workers do not inherit.
pub type Table<K, V> = hashbrown::HashMap<K, V, RandomState, Unforked>;

/// An empty one.
pub fn table<K, V>() -> Table<K, V> {
    Table::with_hasher_in(RandomState::new(), Unforked)
}

/// What is known of one client.
#[derive(Clone, Copy, Debug)]
struct Known {
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
            run,
            sessions: 0,
            forked_before_upgrade: 0,
            versions: vec![version().to_owned()],
        }
    }
}

impl Children {
    /// How many clients there are. Whoever reads numbers at the metrics' door is none.
    pub fn count(&self) -> u32 {
        let readers = self.doors.get(&METRICS).copied().unwrap_or(0);
        u32::try_from(self.by_pid.len()).unwrap_or(u32::MAX).saturating_sub(readers)
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

    /// One that another listener has forked, and of which it could not tell.
    pub fn found(&mut self, client: Client, started: u64) {
        if !self.has(Pid::from_raw(client.pid)) {
            self.take(client, Some(started), 0);
        }
    }

    fn take(&mut self, client: Client, started: Option<u64>, version: u32) {
        let place = Place { door: client.door as usize, address: client.address };
        let forked_before_upgrade = started.is_none();
        let known = Known { session: client.session, place, at: client.at, started, version, forked_before_upgrade };
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
        let others = self.by_pid.iter().filter(|(_, known)| known.version != 0);
        others.map(|(pid, known)| (pid.as_raw(), known.version)).collect()
    }

    /// All that were forked from another program: of another version, or before this one took this process over, which may
    /// be another build of the same version.
    pub fn older(&self) -> Vec<Pid> {
        let older = self.by_pid.iter().filter(|(_, known)| known.version != 0 || known.forked_before_upgrade);
        older.map(|(pid, _)| *pid).collect()
    }

    /// A worker was forked for a client that has just come.
    pub fn add(&mut self, pid: Pid, session: u64, place: Place, at: Time) {
        self.count_in(pid, Known { session, place, at, started: None, version: 0, forked_before_upgrade: false });
    }

    fn count_in(&mut self, pid: Pid, known: Known) {
        let place = known.place;
        self.forked_before_upgrade += u32::from(known.forked_before_upgrade);
        self.by_pid.insert(pid, known);
        *self.doors.entry(place.door).or_default() += 1;
        *self.addresses.entry((place.door, network(place.address.ip()))).or_default() += 1;
    }

    /// One has ended; gives where it was, if it was one of them.
    pub fn remove(&mut self, pid: Pid) -> Option<Place> {
        let Known { place, forked_before_upgrade, .. } = self.by_pid.remove(&pid)?;
        self.forked_before_upgrade -= u32::from(forked_before_upgrade);
        less(&mut self.doors, &place.door);
        less(&mut self.addresses, &(place.door, network(place.address.ip())));
        Some(place)
    }

    /// The session of one of them, and where its client came in.
    pub fn of(&self, pid: Pid) -> Option<(u64, Place)> {
        self.by_pid.get(&pid).map(|known| (known.session, known.place))
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

    /// All, for another program that goes on with them.
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
        self.by_pid.iter().filter_map(adopted).collect()
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
        self.by_pid.iter().map(client).collect()
    }
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
mod tests {
    use super::*;
    use ssmglobal_config::Settings;

    fn place(door: usize, address: &str) -> Place {
        Place { door, address: format!("{address}:1000").parse().unwrap() }
    }

    #[test]
    fn counts_by_address_door_and_altogether() {
        let settings = Settings::default();
        let mut door = settings.doors().remove(0);
        door.clients = 3;
        door.clients_per_address = 2;
        let mut children = Children::default();
        let one = place(0, "192.0.2.1");
        for pid in 1..=2 {
            assert_eq!(children.refusal(&one, &door, 10), None);
            children.add(Pid::from_raw(pid), 1, one, Time(0));
        }
        assert_eq!(children.refusal(&one, &door, 10), Some(Refusal::Address));
        assert_eq!(children.refusal(&place(0, "192.0.2.2"), &door, 10), None);
        assert_eq!(children.refusal(&place(0, "192.0.2.2"), &door, 2), Some(Refusal::Full));
        children.add(Pid::from_raw(3), 3, place(0, "192.0.2.2"), Time(0));
        assert_eq!(children.refusal(&place(0, "192.0.2.3"), &door, 10), Some(Refusal::Full));
        assert_eq!(children.refusal(&place(1, "192.0.2.3"), &door, 10), None);
        assert_eq!(children.remove(Pid::from_raw(1)), Some(one));
        assert_eq!(children.remove(Pid::from_raw(1)), None);
        assert_eq!(children.refusal(&one, &door, 10), None);
    }

    #[test]
    fn a_process_that_is_no_worker_gets_no_signal_whoever_has_named_it() {
        use std::os::unix::process::ExitStatusExt;
        let mut victim = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = victim.id().cast_signed();
        let (mut children, one) = (Children::default(), place(0, "192.0.2.1"));
        children.found(client(Pid::from_raw(pid), 1, &one, Time(0)), ssmglobal_sys::started_at(pid).unwrap());
        children.signal(Pid::from_raw(pid), Signal::SIGKILL);
        nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
        assert_eq!(victim.wait().unwrap().signal(), Some(Signal::SIGTERM as i32));
    }

    #[test]
    fn a_client_that_moves_is_one_client_all_the_time() {
        let settings = Settings::default();
        let mut door = settings.doors().remove(0);
        door.clients_per_address = 1;
        let (mut children, one) = (Children::default(), place(0, "192.0.2.1"));
        children.add(Pid::from_raw(1), 7, one, Time(5));
        let successor = Successor { pid: Pid::from_raw(2), version: 0, forked_before_upgrade: false };
        let moved = children.succeed(Pid::from_raw(1), successor).map(|client| (client.pid, client.session, client.at));
        assert_eq!(moved, Some((2, 7, Time(5))));
        assert!(children.succeed(Pid::from_raw(1), successor).is_none());
        assert_eq!((children.count(), children.refusal(&one, &door, 10)), (1, Some(Refusal::Address)));
        assert_eq!(children.remove(Pid::from_raw(2)), Some(one));
        assert_eq!(children.refusal(&one, &door, 10), None);
    }

    #[test]
    fn ipv6_counts_by_network() {
        let settings = Settings::default();
        let mut door = settings.doors().remove(0);
        door.clients_per_address = 1;
        let mut children = Children::default();
        children.add(Pid::from_raw(1), 1, place(0, "[2001:db8::1]"), Time(0));
        assert_eq!(children.refusal(&place(0, "[2001:db8::2]"), &door, 10), Some(Refusal::Address));
        assert_eq!(children.refusal(&place(0, "[2001:db8:0:1::1]"), &door, 10), None);
    }

    #[test]
    fn who_reads_numbers_takes_no_clients_place_and_has_bounds_of_his_own() {
        let settings = ssmglobal_config::check("metrics.address = \"127.0.0.1:9464\"", "f").unwrap().0;
        let [main, metrics] = <[Door; 2]>::try_from(settings.doors()).unwrap();
        let (reader, client) = (place(METRICS, "192.0.2.1"), place(0, "192.0.2.1"));
        let mut children = Children::default();
        children.add(Pid::from_raw(1), 1, reader, Time(0));
        assert_eq!((children.count(), children.is_empty()), (0, false));
        assert_eq!(children.refusal(&client, &main, 1), None);
        children.add(Pid::from_raw(2), 2, client, Time(0));
        assert_eq!(children.refusal(&client, &main, 1), Some(Refusal::Full));
        assert_eq!(children.refusal(&reader, &metrics, 1), None);
        for pid in 3..10 {
            children.add(Pid::from_raw(pid), 3, reader, Time(0));
        }
        assert_eq!(children.refusal(&reader, &metrics, 100), Some(Refusal::Address));
        let refusal = Refusal::Address.line(DoorMode::Metrics);
        let (head, body) = refusal.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{refusal}");
    }

    #[test]
    fn a_refusal_speaks_as_the_door_does() {
        assert_eq!(Refusal::Full.line(DoorMode::Ask), "{\"state\": \"ERROR\", \"msg\": \"Server full.\"}\r\n");
        assert_eq!(Refusal::Address.line(DoorMode::Human), "ERROR: Too many connections.\r\n");
    }
}
