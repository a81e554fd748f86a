//! The listener's workers: who they are for, how many there are, and whether one more may be.

use nix::unistd::Pid;
use ssmglobal_config::{Door, DoorMode, network};
use ssmglobal_ipc::Time;
use ssmglobal_ipc::control::Client;
use ssmglobal_sys::Unforked;
use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::net::{IpAddr, SocketAddr};

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
    /// Altogether.
    Full,
    /// From this address, for so many seconds: what came before went wrong.
    Penalty(u64),
}

impl Refusal {
    /// For the log.
    pub fn why(self) -> Cow<'static, str> {
        match self {
            Refusal::Address => "Too many connections.".into(),
            Refusal::Full => "Server full.".into(),
            Refusal::Penalty(1) => "Too many failures from your address. Please try again in a second.".into(),
            Refusal::Penalty(seconds) => {
                format!("Too many failures from your address. Please try again in {seconds} seconds.").into()
            }
        }
    }

    /// What the client is told.
    pub fn line(self, mode: DoorMode) -> String {
        match mode {
            DoorMode::Human => format!("ERROR: {}\r\n", self.why()),
            _ => format!("{{\"state\": \"ERROR\", \"msg\": \"{}\"}}\r\n", self.why()),
        }
    }
}

/// A table that workers do not inherit.
pub type Table<K, V> = hashbrown::HashMap<K, V, RandomState, Unforked>;

/// What is known of one client.
#[derive(Clone, Copy, Debug)]
struct Known {
    session: u64,
    place: Place,
    at: Time,
}

/// All workers.
#[derive(Debug)]
pub struct Children {
    by_pid: Table<Pid, Known>,
    doors: Table<usize, u32>,
    addresses: Table<(usize, IpAddr), u32>,
    /// See [`ToHandler::Clients`](ssmglobal_ipc::control::ToHandler::Clients).
    run: u64,
    /// The last session's number.
    sessions: u64,
}

impl Default for Children {
    /// None, at the beginning of a run.
    fn default() -> Children {
        fn table<K, V>() -> Table<K, V> {
            Table::with_hasher_in(RandomState::new(), Unforked)
        }
        let run = u64::try_from(Time::now().0).unwrap_or(0);
        Children { by_pid: table(), doors: table(), addresses: table(), run, sessions: 0 }
    }
}

impl Children {
    /// How many there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.by_pid.len()).unwrap_or(u32::MAX)
    }

    /// Whether this is one of them.
    pub fn has(&self, pid: Pid) -> bool {
        self.by_pid.contains_key(&pid)
    }

    /// Their process ids.
    pub fn pids(&self) -> impl Iterator<Item = Pid> {
        self.by_pid.keys().copied()
    }

    /// Why there may not be one more here, if so.
    pub fn refusal(&self, place: &Place, door: &Door, clients: u32) -> Option<Refusal> {
        let here = self.addresses.get(&(place.door, network(place.address.ip()))).copied().unwrap_or(0);
        let at_door = self.doors.get(&place.door).copied().unwrap_or(0);
        if self.count() >= clients || at_door >= door.clients {
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

    /// One more.
    pub fn add(&mut self, pid: Pid, session: u64, place: Place, at: Time) {
        self.by_pid.insert(pid, Known { session, place, at });
        *self.doors.entry(place.door).or_default() += 1;
        *self.addresses.entry((place.door, network(place.address.ip()))).or_default() += 1;
    }

    /// One has ended; gives where it was, if it was one of them.
    pub fn remove(&mut self, pid: Pid) -> Option<Place> {
        let Known { place, .. } = self.by_pid.remove(&pid)?;
        less(&mut self.doors, &place.door);
        less(&mut self.addresses, &(place.door, network(place.address.ip())));
        Some(place)
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
    fn a_refusal_speaks_as_the_door_does() {
        assert_eq!(Refusal::Full.line(DoorMode::Ask), "{\"state\": \"ERROR\", \"msg\": \"Server full.\"}\r\n");
        assert_eq!(Refusal::Address.line(DoorMode::Human), "ERROR: Too many connections.\r\n");
    }
}
