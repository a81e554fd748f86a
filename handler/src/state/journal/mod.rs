//! The journal: what is not on disk and shall outlive the handler all the same. It lies in memory that the listener holds, so
//! that a killed handler leaves it to the next one. Part of the event loop.
//!
//! A log of entries in a ring: one page of counters, then the data. Positions only grow; a place in the data is a position
//! modulo its length. An entry is its length in 8 bytes, then postcard, filled up to a multiple of 8. It is written first
//! and becomes part of the log when the counter behind it is stored, so that a death at any instruction leaves a whole log.
//! The oldest entries go, or, when they are still needed, are written again at the end (`event_loop/compaction.rs`).

mod entries;
mod recover;
mod rows;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub use entries::OldPass;
pub use entries::{ClientKey, Entry, KeptHosting, KeptVisitor, Settled, packed, unpacked};
pub use recover::{KeptChannel, Present, Recovered};
#[cfg(test)]
pub use rows::KeptRow;

use entries::Subject;
use hashbrown::HashMap;
use ssmglobal_ipc::growing;
use ssmglobal_sys::memory::Memory;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of data. Only what is in use takes room.
const CAPACITY: usize = 512 << 20;

const PAGE: usize = 4096;

/// Of this make; another one is not understood, and begun anew.
const FORMAT: u64 = 0x5353_4d47_4a00_0003;

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
/// The tail, as the last handler has set it that knows all entries that this one knows: one that does not has let go of them
/// unseen.
const KNOWN_TAIL: usize = 32;

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
    /// Where the last word on each subject stands.
    last_words: HashMap<Subject, u64>,
    /// Up to here memory was given back.
    given_back: u64,
    bytes: Vec<u8>,
    full: bool,
    /// There was a handler before this one.
    inherited: bool,
    /// No handler that does not know all entries has let go of any.
    is_whole: bool,
}

/// The oldest entry.
pub struct Oldest {
    /// It; nothing for one that a later entry has made useless, or that only a newer program knows.
    pub entry: Option<Entry>,
    subject: Option<Subject>,
    position: u64,
    behind: u64,
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
            last_words: HashMap::new(),
            given_back: 0,
            bytes: Vec::new(),
            full: false,
            inherited: true,
            is_whole: true,
        };
        if journal.get(FORMAT_AT) != FORMAT {
            if journal.get(FORMAT_AT) != 0 {
                log::warn!("what the handler before this one has left is not understood; the relay begins anew");
            }
            journal.begin_anew();
            journal.inherited = false;
        }
        journal.is_whole = journal.get(KNOWN_TAIL) == journal.get(TAIL);
        journal.next = journal.head();
        journal.given_back = journal.get(TAIL) / PIECE as u64 * PIECE as u64;
        let subjects = journal.entries().filter_map(|(position, entry)| Some((entry.subject()?, position)));
        journal.last_words = subjects.collect();
        Ok(journal)
    }

    /// Whether there was a handler before this one.
    pub fn is_inherited(&self) -> bool {
        self.inherited
    }

    /// Whether no handler that does not know all entries has let go of any.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// What a handler that does not know all entries may have let go of is not needed from here on.
    pub fn is_whole_again(&mut self) {
        self.set(KNOWN_TAIL, self.get(TAIL));
    }

    fn begin_anew(&mut self) {
        // Positions go on: they are the numbers of pushes, and workers remember the last one.
        let head = self.get(HEAD).next_multiple_of(8);
        for counter in [HEAD, TAIL, FLUSHED, KNOWN_TAIL] {
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
        growing::put(&mut bytes, entry);
        let position = self.append_bytes(&bytes);
        self.grown += bytes.len();
        self.bytes = bytes;
        if let (Some(subject), Some(position)) = (entry.subject(), position) {
            self.last_words.insert(subject, position);
        }
        position.unwrap_or(self.next)
    }

    /// Gives the position; nothing when there is no room.
    fn append_bytes(&mut self, bytes: &[u8]) -> Option<u64> {
        let need = padded(bytes.len());
        let mut position = self.next;
        let rest = self.capacity - position % self.capacity;
        let skip = if rest < need { rest } else { 0 };
        // A ring that is exactly full could not be told from one that was overrun.
        if bytes.len() > LONGEST || position + skip + need - self.get(TAIL) >= self.capacity {
            if !std::mem::replace(&mut self.full, true) {
                log::error!("the journal is full: what is only in memory would not outlive this handler");
            }
            return None;
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
        Some(position)
    }

    /// The entry at a position, nothing for one that only a newer program knows, and the position behind it; nothing at the
    /// end.
    fn at(&self, mut position: u64) -> Option<(u64, Option<Entry>, u64)> {
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
        Some((position, growing::get(&bytes).ok(), position + padded(length)))
    }

    /// Whether the last word on something stands at a position.
    fn is_last(&self, subject: &Subject, position: u64) -> bool {
        self.last_words.get(subject) == Some(&position)
    }

    /// All entries with their positions, the oldest first.
    fn entries(&self) -> impl Iterator<Item = (u64, Entry)> {
        let mut next = self.get(TAIL);
        let all = std::iter::from_fn(move || {
            let (position, entry, behind) = self.at(next)?;
            next = behind;
            Some((position, entry))
        });
        all.filter_map(|(position, entry)| Some((position, entry?)))
    }

    /// How many bytes were written since the last call.
    pub fn take_grown(&mut self) -> u64 {
        std::mem::take(&mut self.grown) as u64
    }

    /// The oldest entry; nothing when the journal is so short that nothing need go.
    pub fn oldest(&self) -> Option<Oldest> {
        let tail = self.get(TAIL);
        if self.head().saturating_sub(tail) <= PIECE as u64 {
            return None;
        }
        let (position, entry, behind) = self.at(tail)?;
        let subject = entry.as_ref().and_then(Entry::subject);
        let is_last = subject.as_ref().is_none_or(|subject| self.is_last(subject, position));
        Some(Oldest { entry: entry.filter(|_| is_last), subject: subject.filter(|_| is_last), position, behind })
    }

    /// Forgets the oldest entry; gives how many bytes it took.
    pub fn forget_oldest(&mut self, oldest: &Oldest) -> u64 {
        // Unless it was written again.
        if let Some(subject) = &oldest.subject
            && self.is_last(subject, oldest.position)
        {
            self.last_words.remove(subject);
        }
        let bytes = oldest.behind - self.get(TAIL);
        self.forget(oldest.behind);
        bytes
    }

    /// Forgets everything in front of a position.
    fn forget(&mut self, upto: u64) {
        self.set(KNOWN_TAIL, upto);
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
