//! Which version of the program each worker was forked from, as the listener says. Part of the event loop.

use ssmglobal_ipc::handover::{Item, State};
use std::collections::HashMap;

/// The versions of all workers.
#[derive(Default)]
pub struct Versions {
    names: Vec<String>,
    /// Of workers whose version is not the first, by process id.
    others: HashMap<i32, u32>,
}

impl Versions {
    /// Takes over what the listener says.
    pub fn set(&mut self, names: Vec<String>, others: Vec<(i32, u32)>) {
        self.names = names;
        self.others = others.into_iter().collect();
    }

    /// A worker is gone.
    pub fn forget(&mut self, pid: i32) {
        self.others.remove(&pid);
    }

    /// The place of a worker's version.
    pub fn place(&self, pid: i32) -> u32 {
        self.others.get(&pid).copied().unwrap_or(0)
    }

    /// A worker's version.
    pub fn of(&self, pid: i32) -> &str {
        self.names.get(self.place(pid) as usize).map_or("-", String::as_str)
    }

    /// Writes the names for the next listener.
    pub fn put(&self, state: &mut State) {
        for version in &self.names {
            state.put(&Item::Version { version: version.clone() });
        }
    }
}
