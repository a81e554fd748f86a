//! A list that others mirror: rows by key, each with the serial of its last change, and what is gone. Whoever has come to a
//! serial gets what has changed since, at the cost of that. Pure; lives in the event loop.
//!
//! A row is in one scope, which says who sees it. When it comes into another one it is gone from the first and new in the
//! second, so that whoever saw it loses it, and nobody else hears of it. What somebody sees is the union of his scopes, each of
//! which is a list of its own: a mirror of it converges because each of them does.

use hashbrown::HashMap;
use ssmglobal_ipc::{Position, Time};
use ssmglobal_store::PlayerId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// So long what is gone is remembered.
const REMEMBERED: i64 = 24 * 60 * 60 * 1000;

/// So many of what is gone.
const MOST_GONE: usize = 20_000;

/// Entries that one page looks at.
const LOOKED_AT: usize = 8192;

/// Bytes of rows on one page, about.
const BYTES: usize = 256 << 10;

/// Room in an epoch's number for what depends on who looks. All of it stays below 2^53, which JavaScript can count to.
const VIEWS: u64 = 1024;

/// Who sees a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everybody who may see the list.
    All,
    /// Its owner, and operators.
    Of(PlayerId),
}

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// Somebody who sees what everybody sees.
    Everybody,
    /// Somebody who has rows of his own.
    Owner(PlayerId),
    /// An operator.
    Operator,
}

impl View {
    fn sees(self, scope: Scope) -> bool {
        match (self, scope) {
            (View::Operator, _) | (_, Scope::All) => true,
            (View::Owner(me), Scope::Of(owner)) => me == owner,
            (View::Everybody, Scope::Of(_)) => false,
        }
    }
}

/// What a page has to know of a row.
pub trait Weigh {
    /// Bytes of it on the wire, about.
    fn weight(&self) -> usize;
}

/// What the journal is to know of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note<R> {
    /// A row is like this.
    Row(Arc<str>, Scope, u64, R),
    /// It is gone from a scope.
    Gone(Arc<str>, Scope, u64, Time),
    /// What is gone with serials up to this one is not remembered.
    Forgotten(u64),
}

#[derive(Debug)]
struct Row<R> {
    scope: Scope,
    serial: u64,
    row: R,
}

#[derive(Debug)]
struct Gone {
    key: Arc<str>,
    scope: Scope,
    at: Time,
}

/// A list with what has changed in it lately.
#[derive(Debug)]
pub struct Mirror<R> {
    epoch: u64,
    /// The serial of the last change.
    last: u64,
    /// Up to here what is gone is not remembered.
    forgotten: u64,
    rows: HashMap<Arc<str>, Row<R>>,
    by_serial: BTreeMap<u64, Arc<str>>,
    gone: BTreeMap<u64, Gone>,
    /// The same by key, one for each scope.
    gone_of: HashMap<Arc<str>, Vec<(Scope, u64)>>,
    /// Rows, and what is remembered of such, that only their owner sees.
    owned: HashMap<PlayerId, u32>,
    most_gone: usize,
}

/// What has changed since a serial, as somebody sees it.
#[derive(Debug)]
pub struct Page<'a, R> {
    /// By their last change, the oldest first.
    pub rows: Vec<(&'a str, Scope, &'a R)>,
    /// Keys that are there no longer.
    pub gone: Vec<&'a str>,
    /// Up to which serial.
    pub upto: u64,
    /// There is more.
    pub more: bool,
}

impl<R: Clone + PartialEq + Weigh> Mirror<R> {
    /// An empty one. `began`: milliseconds since 1970, by which it is told from those before.
    pub fn new(began: u64) -> Mirror<R> {
        Mirror {
            epoch: began.saturating_mul(VIEWS),
            last: 0,
            forgotten: 0,
            rows: HashMap::new(),
            by_serial: BTreeMap::new(),
            gone: BTreeMap::new(),
            gone_of: HashMap::new(),
            owned: HashMap::new(),
            most_gone: MOST_GONE,
        }
    }

    /// As the last words on it say that the journal holds.
    pub fn restored(epoch: u64, notes: impl IntoIterator<Item = Note<R>>) -> Mirror<R> {
        let mut mirror = Mirror { epoch, ..Mirror::new(0) };
        let mut gone = Vec::new();
        for note in notes {
            match note {
                Note::Row(key, scope, serial, row) => {
                    mirror.last = mirror.last.max(serial);
                    mirror.insert(key, scope, serial, row);
                }
                Note::Gone(key, scope, serial, at) => gone.push((key, scope, serial, at)),
                Note::Forgotten(upto) => mirror.forgotten = mirror.forgotten.max(upto),
            }
        }
        for (key, scope, serial, at) in gone {
            mirror.last = mirror.last.max(serial);
            let is_back = mirror.rows.get(&key).is_some_and(|row| row.scope == Scope::All || row.scope == scope);
            if serial > mirror.forgotten && !is_back {
                mirror.remember(key, scope, serial, at);
            }
        }
        mirror.last = mirror.last.max(mirror.forgotten);
        mirror
    }

    /// The epoch, whoever looks.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The serial of the last change.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// How a player sees it who has no right to see all.
    pub fn view_of(&self, player: PlayerId) -> View {
        if self.owned.contains_key(&player) { View::Owner(player) } else { View::Everybody }
    }

    /// Where it is now, for somebody. Whoever sees something else has another epoch.
    pub fn position(&self, view: View) -> Position {
        let which = match view {
            View::Everybody => 0,
            View::Operator => 1,
            View::Owner(player) => 2 + u64::from(player.0) % (VIEWS - 2),
        };
        Position { epoch: self.epoch + which, number: self.last }
    }

    /// Whether all is known that has changed since a serial.
    pub fn knows(&self, serial: u64) -> bool {
        (self.forgotten..=self.last).contains(&serial)
    }

    /// A row, and who sees it.
    pub fn get(&self, key: &str) -> Option<(Scope, &R)> {
        self.rows.get(key).map(|row| (row.scope, &row.row))
    }

    /// All rows.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &R)> {
        self.rows.iter().map(|(key, row)| (key, &row.row))
    }

    /// A row is like this from now on. What was so before is no change.
    pub fn put(&mut self, key: &str, scope: Scope, row: R, now: Time, notes: &mut Vec<Note<R>>) {
        match self.rows.get(key) {
            Some(before) if before.scope == scope && before.row == row => return,
            Some(before) if before.scope != scope => self.remove(key, now, notes),
            _ => {}
        }
        let key = self.rows.get_key_value(key).map_or_else(|| key.into(), |(key, _)| key.clone());
        // It is seen again by whoever would be told that it is gone.
        for (of, serial) in self.gone_of.remove(&key).unwrap_or_default() {
            match scope == Scope::All || scope == of {
                true => drop(self.forget(serial)),
                false => self.gone_of.entry(key.clone()).or_default().push((of, serial)),
            }
        }
        self.last += 1;
        notes.push(Note::Row(key.clone(), scope, self.last, row.clone()));
        self.insert(key, scope, self.last, row);
        self.forget_old(now, notes);
    }

    /// A row is to be looked at again, since what only some see of it is another thing.
    pub fn touch(&mut self, key: &str, notes: &mut Vec<Note<R>>) {
        let Some((key, row)) = self.rows.get_key_value(key) else { return };
        let (key, scope, row) = (key.clone(), row.scope, row.row.clone());
        self.last += 1;
        notes.push(Note::Row(key.clone(), scope, self.last, row.clone()));
        self.insert(key, scope, self.last, row);
    }

    /// A row is gone.
    pub fn remove(&mut self, key: &str, now: Time, notes: &mut Vec<Note<R>>) {
        let Some((key, row)) = self.rows.remove_entry(key) else { return };
        self.by_serial.remove(&row.serial);
        self.disown(row.scope);
        self.last += 1;
        notes.push(Note::Gone(key.clone(), row.scope, self.last, now));
        self.remember(key, row.scope, self.last, now);
        self.forget_old(now, notes);
    }

    fn insert(&mut self, key: Arc<str>, scope: Scope, serial: u64, row: R) {
        if let Some(before) = self.rows.insert(key.clone(), Row { scope, serial, row }) {
            self.by_serial.remove(&before.serial);
            self.disown(before.scope);
        }
        self.by_serial.insert(serial, key);
        self.own(scope);
    }

    fn remember(&mut self, key: Arc<str>, scope: Scope, serial: u64, at: Time) {
        self.gone_of.entry(key.clone()).or_default().push((scope, serial));
        self.gone.insert(serial, Gone { key, scope, at });
        self.own(scope);
    }

    /// Something gone is not told any more. The caller sees to the index by key.
    fn forget(&mut self, serial: u64) -> Option<Gone> {
        let gone = self.gone.remove(&serial)?;
        self.disown(gone.scope);
        Some(gone)
    }

    fn forget_old(&mut self, now: Time, notes: &mut Vec<Note<R>>) {
        let before = self.forgotten;
        // Some at once: each time is an entry of the journal.
        let most = if self.gone.len() > self.most_gone { self.most_gone / 8 * 7 } else { self.most_gone };
        while let Some((serial, gone)) = self.gone.first_key_value()
            && (self.gone.len() > most || gone.at.0.saturating_add(REMEMBERED) <= now.0)
        {
            let serial = *serial;
            self.forgotten = serial;
            let Some(gone) = self.forget(serial) else { return };
            if let Some(others) = self.gone_of.get_mut(&gone.key) {
                others.retain(|(_, other)| *other != serial);
                if others.is_empty() {
                    self.gone_of.remove(&gone.key);
                }
            }
        }
        if self.forgotten > before {
            notes.push(Note::Forgotten(self.forgotten));
        }
    }

    fn own(&mut self, scope: Scope) {
        if let Scope::Of(owner) = scope {
            *self.owned.entry(owner).or_default() += 1;
        }
    }

    fn disown(&mut self, scope: Scope) {
        let Scope::Of(owner) = scope else { return };
        if let Some(count) = self.owned.get_mut(&owner) {
            *count -= 1;
            if *count == 0 {
                self.owned.remove(&owner);
            }
        }
    }

    /// Whether this is still the last word on a key in a scope.
    pub fn keeps(&self, key: &str, serial: u64) -> bool {
        self.by_serial.get(&serial).is_some_and(|other| **other == *key)
            || self.gone.get(&serial).is_some_and(|gone| *gone.key == *key)
    }

    /// Up to where what is gone is not remembered.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// What has changed since `after`, and what has gone since `gone_after`, at most so many of both.
    pub fn page(&self, view: View, after: u64, gone_after: u64, most: usize) -> Page<'_, R> {
        let mut rows = self.by_serial.range(after.saturating_add(1)..).peekable();
        let mut gone = self.gone.range(gone_after.max(after).saturating_add(1)..).peekable();
        let mut page = Page { rows: Vec::new(), gone: Vec::new(), upto: after, more: false };
        let (mut looked_at, mut bytes) = (0, 0);
        loop {
            let next = match (rows.peek(), gone.peek()) {
                (None, None) => break,
                (Some((row, _)), Some((gone, _))) => (**row).min(**gone),
                (Some((serial, _)), None) | (None, Some((serial, _))) => **serial,
            };
            if page.rows.len() + page.gone.len() >= most || looked_at >= LOOKED_AT || bytes >= BYTES {
                page.more = true;
                return page;
            }
            looked_at += 1;
            page.upto = next;
            if let Some((_, key)) = rows.next_if(|(serial, _)| **serial == next) {
                let Some(row) = self.rows.get(key).filter(|row| view.sees(row.scope)) else { continue };
                bytes += key.len() + row.row.weight();
                page.rows.push((key, row.scope, &row.row));
            } else if let Some((_, gone)) = gone.next() {
                let is_seen = self.rows.get(&gone.key).is_some_and(|row| view.sees(row.scope));
                if view.sees(gone.scope) && !is_seen {
                    bytes += gone.key.len();
                    page.gone.push(&gone.key);
                }
            }
        }
        page.upto = self.last.max(after);
        page
    }
}

#[cfg(test)]
mod tests;
