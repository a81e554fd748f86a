//! The journal: what is not on disk and shall outlive the handler all the same. It lies in memory that the listener holds, so
//! that a killed handler leaves it to the next one. Part of the event loop.
//!
//! A log of entries in a ring: one page of counters, then the data. Positions only grow; a place in the data is a position
//! modulo its length. An entry is its length in 8 bytes, then postcard, filled up to a multiple of 8. It is written first
//! and becomes part of the log when the counter behind it is stored, so that a death at any instruction leaves a whole log.
//! The oldest entries go, or, when they are still needed, are written again at the end (`keep.rs`).

mod keep;
mod recover;

pub use keep::{done_with, owner_of};
pub use recover::{Found, KeptChannel};

use serde::{Deserialize, Serialize};
use ssmglobal_ipc::{Time, World};
use ssmglobal_sys::memory::Memory;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of data. Only what is in use takes room.
const CAPACITY: usize = 512 << 20;

const PAGE: usize = 4096;

/// Of this make; another one is not understood, and begun anew.
const FORMAT: u64 = 0x5353_4d47_4a00_0001;

/// The rest up to the end of the data is unused.
const SKIP: u64 = u64::MAX;

/// The longest entry, bytes.
const LONGEST: usize = 4 << 20;

/// Memory is given back in such pieces.
const PIECE: usize = 1 << 20;

/// Offsets of the counters.
const FORMAT_AT: usize = 0;
const HEAD: usize = 8;
const TAIL: usize = 16;
const FLUSHED: usize = 24;

/// What is kept. Only ever appended to: the next handler may be of a newer build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// A session has a link, and will be back with the next handler.
    Linked {
        /// Its number.
        session: u64,
    },
    /// A relay channel as it was then.
    Channel {
        /// Told apart from every other, also of the same name.
        id: u64,
        /// As first joined.
        name: String,
        /// The newest message's number.
        number: u64,
    },
    /// A channel is gone.
    NoChannel {
        /// Which.
        id: u64,
    },
    /// A message on a channel, and what its sender is answered.
    Message {
        /// The channel.
        id: u64,
        /// Its number there.
        number: u64,
        /// The game server that sent it.
        from: String,
        /// As game servers see it, without a line end.
        line: String,
        /// How many it goes to.
        receivers: u32,
        /// The sender's session.
        session: u64,
        /// The request's number.
        request: u64,
    },
    /// A request that changes nothing on disk was done.
    Done {
        /// Whose.
        session: u64,
        /// The request's number.
        request: u64,
        /// The reply's kind.
        kind: u16,
        /// Its payload.
        payload: Vec<u8>,
    },
    /// A push that may not have left yet. Its number is its position in the log.
    Push {
        /// To whom.
        session: u64,
        /// The event, as in its frame.
        event: Vec<u8>,
    },
    /// What a game server says of itself.
    World {
        /// Its session.
        session: u64,
        /// What.
        world: World,
    },
    /// A game server says nothing of itself any more.
    NoWorld {
        /// Its name.
        name: String,
    },
    /// What a request came to under a client's key, until the database has it.
    Keyed {
        /// Whether a player has asked, or a game server.
        player: bool,
        /// Which.
        id: u32,
        /// The key.
        key: String,
        /// Of what was asked.
        digest: [u8; 32],
        /// The reply's kind.
        kind: u16,
        /// Its payload.
        payload: Vec<u8>,
    },
    /// Whoever was to hear of the changes up to a row of kept answers has been pushed an event.
    Told {
        /// The row.
        row: i64,
    },
    /// Tickets of a session that say of an earlier time who it is hold no longer.
    Revoked {
        /// Its number.
        session: u64,
        /// Up to when.
        upto: Time,
    },
}

/// The journal.
pub struct Journal {
    memory: Memory,
    /// Bytes of data.
    capacity: u64,
    /// Bytes that were written since the oldest entries were last looked at.
    grown: usize,
    /// Behind the last entry; more than the counter says while entries are held back.
    next: u64,
    held: bool,
    /// The row of the last [`Entry::Told`].
    told: i64,
    /// Up to here memory was given back.
    given_back: u64,
    bytes: Vec<u8>,
    full: bool,
    /// There was a handler before this one.
    inherited: bool,
}

fn padded(length: usize) -> u64 {
    (8 + length.next_multiple_of(8)) as u64
}

impl Journal {
    /// Takes over what a handler before this one has left.
    ///
    /// # Errors
    /// The kernel's.
    pub fn open(fd: &OwnedFd) -> io::Result<Journal> {
        Journal::with_capacity(fd, CAPACITY)
    }

    fn with_capacity(fd: &OwnedFd, capacity: usize) -> io::Result<Journal> {
        let memory = Memory::map(fd, PAGE + capacity)?;
        let capacity = capacity as u64;
        let mut journal = Journal {
            memory,
            capacity,
            grown: 0,
            next: 0,
            held: false,
            told: 0,
            given_back: 0,
            bytes: Vec::new(),
            full: false,
            inherited: true,
        };
        if journal.get(FORMAT_AT) != FORMAT {
            if journal.get(FORMAT_AT) != 0 {
                log::warn!("what the handler before this one has left is not understood; the relay begins anew");
            }
            journal.begin_anew();
            journal.inherited = false;
        }
        journal.next = journal.head();
        journal.given_back = journal.get(TAIL) / PIECE as u64 * PIECE as u64;
        Ok(journal)
    }

    /// Whether there was a handler before this one.
    pub fn is_inherited(&self) -> bool {
        self.inherited
    }

    fn begin_anew(&mut self) {
        // Positions go on: they are the numbers of pushes, and workers remember the last one.
        let head = self.get(HEAD).next_multiple_of(8);
        for counter in [HEAD, TAIL, FLUSHED] {
            self.set(counter, head);
        }
        self.set(FORMAT_AT, FORMAT);
    }

    fn place(&self, position: u64) -> usize {
        PAGE + (position % self.capacity) as usize
    }

    fn counter(&self, offset: usize) -> Option<&AtomicU64> {
        self.memory.word(offset)
    }

    fn get(&self, offset: usize) -> u64 {
        self.counter(offset).map_or(0, |counter| counter.load(Ordering::Acquire))
    }

    fn set(&mut self, offset: usize, value: u64) {
        if let Some(counter) = self.counter(offset) {
            counter.store(value, Ordering::Release);
        }
    }

    /// The position of the next entry.
    pub fn head(&self) -> u64 {
        self.get(HEAD)
    }

    /// Whether the last entries were left out for want of room.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Everything that was pushed has left this process.
    pub fn flushed(&mut self) {
        let head = self.head();
        if self.get(FLUSHED) != head {
            self.set(FLUSHED, head);
        }
    }

    /// Whoever was to hear of the changes up to this row of kept answers has been pushed an event.
    pub fn told(&mut self, row: i64) {
        self.told = row;
        self.append(&Entry::Told { row });
    }

    /// What is written from now on becomes part of the log together, with [`Journal::publish`].
    pub fn hold(&mut self) {
        self.held = true;
    }

    /// What was written is part of the log.
    pub fn publish(&mut self) {
        self.held = false;
        if self.next != self.head() {
            self.set(HEAD, self.next);
        }
    }

    /// Writes an entry; gives its position. One for which there is no room is left out, and the log says so.
    pub fn append(&mut self, entry: &Entry) -> u64 {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let bytes = postcard::to_extend(entry, bytes).unwrap_or_default();
        let position = self.append_bytes(&bytes);
        self.grown += bytes.len();
        self.bytes = bytes;
        position
    }

    fn append_bytes(&mut self, bytes: &[u8]) -> u64 {
        let need = padded(bytes.len());
        let mut position = self.next;
        let rest = self.capacity - position % self.capacity;
        let skip = if rest < need { rest } else { 0 };
        // A ring that is exactly full could not be told from one that was overrun.
        if bytes.len() > LONGEST || position + skip + need - self.get(TAIL) >= self.capacity {
            if !std::mem::replace(&mut self.full, true) {
                log::error!("the journal is full: what is only in memory would not outlive this handler");
            }
            return position;
        }
        if skip > 0 {
            let place = self.place(position);
            self.set(place, SKIP);
            position += skip;
        }
        let place = self.place(position);
        self.set(place, bytes.len() as u64);
        self.memory.write(place + 8, bytes);
        self.next = position + need;
        if !self.held {
            self.set(HEAD, self.next);
        }
        position
    }

    /// The entry at a position and the position behind it; nothing at the end, or where it cannot be read.
    fn at(&self, mut position: u64) -> Option<(u64, Entry, u64)> {
        let head = self.head();
        if position < head && self.get(self.place(position)) == SKIP {
            position += self.capacity - position % self.capacity;
        }
        if position >= head {
            return None;
        }
        let length = usize::try_from(self.get(self.place(position))).ok().filter(|length| *length <= LONGEST)?;
        let mut bytes = vec![0; length];
        self.memory.read(self.place(position) + 8, &mut bytes);
        Some((position, postcard::from_bytes(&bytes).ok()?, position + padded(length)))
    }

    /// All entries with their positions, the oldest first.
    fn entries(&self) -> impl Iterator<Item = (u64, Entry)> {
        let mut next = self.get(TAIL);
        std::iter::from_fn(move || {
            let (position, entry, behind) = self.at(next)?;
            next = behind;
            Some((position, entry))
        })
    }

    /// Forgets everything in front of a position.
    fn forget(&mut self, upto: u64) {
        self.set(TAIL, upto);
        let piece = PIECE as u64;
        let free = upto / piece * piece;
        while self.given_back < free {
            let place = self.place(self.given_back);
            self.memory.give_back(place, PIECE);
            self.given_back += piece;
        }
        self.full = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssmglobal_sys::memory;

    fn done(request: u64, length: usize) -> Entry {
        Entry::Done { session: 1, request, kind: 2, payload: vec![7; length] }
    }

    fn all(journal: &Journal) -> Vec<Entry> {
        journal.entries().map(|(_, entry)| entry).collect()
    }

    #[test]
    fn the_next_handler_finds_what_the_last_one_has_written() {
        let fd = memory::make("test").unwrap();
        let mut journal = Journal::open(&fd).unwrap();
        assert_eq!(all(&journal), []);
        let entries: Vec<Entry> = (0..50).map(|n| done(n, n as usize)).collect();
        let positions: Vec<u64> = entries.iter().map(|entry| journal.append(entry)).collect();
        assert!(positions.is_sorted_by(|a, b| a < b));
        journal.flushed();
        drop(journal);
        let mut journal = Journal::open(&fd).unwrap();
        assert_eq!(all(&journal), entries);
        assert_eq!(journal.get(FLUSHED), journal.head());
        journal.forget(positions[48]);
        assert_eq!(all(&journal), entries[48..]);
    }

    #[test]
    fn it_goes_round_and_is_never_overrun() {
        let fd = memory::make("test").unwrap();
        let mut journal = Journal::with_capacity(&fd, 8 * PIECE).unwrap();
        let big = PIECE - 100;
        let mut written = 0;
        // Twice around, with at most three entries in it.
        while journal.head() < 2 * journal.capacity {
            journal.append(&done(written, big));
            written += 1;
            let kept = all(&journal);
            if kept.len() > 3 {
                let (_, _, behind) = journal.at(journal.get(TAIL)).unwrap();
                journal.forget(behind);
            }
            assert_eq!(kept.last(), Some(&done(written - 1, big)));
        }
        // Without anybody who makes room it stops, and what is there stays.
        let first = all(&journal)[0].clone();
        while !journal.is_full() {
            journal.append(&done(written, big));
        }
        assert_eq!(all(&journal)[0], first);
    }

    #[test]
    fn what_is_held_back_comes_together_or_not_at_all() {
        let fd = memory::make("test").unwrap();
        let mut journal = Journal::open(&fd).unwrap();
        journal.append(&done(1, 1));
        journal.hold();
        journal.append(&done(2, 1));
        journal.told(7);
        assert_eq!(all(&Journal::open(&fd).unwrap()), [done(1, 1)]);
        journal.publish();
        assert_eq!(all(&Journal::open(&fd).unwrap()), [done(1, 1), done(2, 1), Entry::Told { row: 7 }]);
        journal.append(&done(3, 1));
        assert_eq!(all(&Journal::open(&fd).unwrap()).len(), 4);
    }

    #[test]
    fn another_format_is_begun_anew() {
        let fd = memory::make("test").unwrap();
        let mut journal = Journal::open(&fd).unwrap();
        journal.append(&done(1, 1));
        journal.set(FORMAT_AT, 99);
        drop(journal);
        assert_eq!(all(&Journal::open(&fd).unwrap()), []);
    }
}
