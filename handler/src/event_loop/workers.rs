//! What is known of workers: as the listener says, as the kernel says, and how they have behaved. Part of the event loop.

use super::versions::Versions;
use super::without_listener::Watched;
use ssmglobal_ipc::control::{Client, METRICS_DOOR};
use std::collections::{HashMap, HashSet};

/// All workers.
#[derive(Default)]
pub struct Workers {
    /// All of them with their clients, as the listener says, by process id.
    pub children: HashMap<i32, Client>,
    /// When this handler has first seen each, in ticks since the machine was started, by process id.
    pub first_seen: HashMap<i32, u64>,
    /// Those that are not the listener's children, by process id.
    pub watched: HashMap<i32, Watched>,
    /// Which program each was forked from.
    pub versions: Versions,
    /// When a listener has last died, in the same ticks; 0 when none has.
    pub listener_died_at: u64,
    /// Which run of the backend this is, as the listener says.
    pub run: u64,
    /// The bound on clients, as the listener says.
    pub clients_max: u32,
    /// Slots of sessions by their worker.
    pub by_pid: HashMap<i32, usize>,
    /// Slots of sessions by their number.
    pub by_session: HashMap<u64, usize>,
    /// What to tell workers that have no link yet when they have one: the session ends, because.
    pub kicks: HashMap<i32, String>,
    /// Why sessions are told to end, for the log, by their number.
    pub told: HashMap<u64, &'static str>,
    /// Sessions that have broken the rules; their workers may not come back.
    pub evicted: HashSet<u64>,
    /// Those that have said that they panicked and have not ended yet.
    pub panicked: HashSet<i32>,
    /// How many links each has made.
    pub links: HashMap<i32, u32>,
}

impl Workers {
    /// All clients. Whoever reads the numbers at the metrics' door is none.
    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.children.values().filter(|client| client.door != METRICS_DOOR)
    }

    /// The session that a worker has, as the listener says; 0 while that is not known.
    pub fn session_of(&self, pid: i32) -> u64 {
        self.children.get(&pid).map_or(0, |client| client.session)
    }

    /// The client of a worker, for the log.
    pub fn peer(&self, pid: i32) -> String {
        match self.children.get(&pid) {
            Some(client) => ssmglobal_config::shown(client.address),
            None => format!("pid {pid}"),
        }
    }

    /// A process has ended, or another one goes on for it: what was known of it as a process. Gives its client.
    pub fn forget(&mut self, pid: i32) -> Option<Client> {
        self.panicked.remove(&pid);
        self.watched.remove(&pid);
        self.first_seen.remove(&pid);
        self.versions.forget(pid);
        self.links.remove(&pid);
        self.children.remove(&pid)
    }

    /// All slots that have a link.
    pub fn slots(&self) -> Vec<usize> {
        self.by_pid.values().copied().collect()
    }
}
