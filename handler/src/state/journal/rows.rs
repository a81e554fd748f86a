//! Rows of lists that clients mirror, as the journal keeps them. Part of the event loop.

use super::Entry;
use crate::state::mirror::{Note, Scope};
use crate::state::mirror_rows::{KeptMirror, UserRow, WorldRow};
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::{List, Rating, Time, WorldStatus};
use ssmglobal_store::{PlayerId, Principal, WorldId};

/// What a row says. Only ever appended to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeptRow {
    /// A world.
    World(KeptWorldRow),
    /// Somebody who is on, and where.
    User(Principal, Option<Principal>),
}

/// A world, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptWorldRow {
    licence: Option<WorldId>,
    status: WorldStatus,
    users: u32,
    max: u32,
    rating: Rating,
    description: String,
    stopped: Option<Time>,
}

impl KeptRow {
    /// Of which list it is.
    pub fn list(&self) -> List {
        match self {
            KeptRow::World(_) => List::Worlds,
            KeptRow::User(..) => List::Users,
        }
    }
}

impl From<WorldRow> for KeptRow {
    fn from(row: WorldRow) -> KeptRow {
        let WorldRow { licence, status, users, max, rating, description, stopped } = row;
        KeptRow::World(KeptWorldRow { licence, status, users, max, rating, description, stopped })
    }
}

impl From<KeptWorldRow> for WorldRow {
    fn from(kept: KeptWorldRow) -> WorldRow {
        let KeptWorldRow { licence, status, users, max, rating, description, stopped } = kept;
        WorldRow { licence, status, users, max, rating, description, stopped }
    }
}

impl From<UserRow> for KeptRow {
    fn from(UserRow { who, place }: UserRow) -> KeptRow {
        KeptRow::User(who, place)
    }
}

fn only(scope: Scope) -> Option<PlayerId> {
    match scope {
        Scope::All => None,
        Scope::Of(owner) => Some(owner),
    }
}

fn scope(only: Option<PlayerId>) -> Scope {
    only.map_or(Scope::All, Scope::Of)
}

impl Entry {
    /// What the next handler is to know of a change.
    pub fn of_note<R: Into<KeptRow>>(list: List, epoch: u64, note: Note<R>) -> Entry {
        match note {
            Note::Row(key, scope, serial, row) => {
                Entry::Row { epoch, serial, key: key.to_string(), only: only(scope), row: row.into() }
            }
            Note::Gone(key, scope, serial, at) => {
                Entry::RowGone { list, epoch, serial, key: key.to_string(), only: only(scope), at }
            }
            Note::Forgotten(upto) => Entry::RowsForgotten { list, epoch, upto },
        }
    }
}

/// Both lists, as their entries come.
#[derive(Debug, Default)]
pub(super) struct Found {
    worlds: Vec<(u64, Note<WorldRow>)>,
    users: Vec<(u64, Note<UserRow>)>,
    /// The present epochs.
    epochs: [Option<u64>; 2],
}

impl Found {
    /// Takes over an entry that is the last word on something.
    pub(super) fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Row { epoch, serial, key, only, row } => {
                let (key, scope) = (key.into(), scope(only));
                match row {
                    KeptRow::World(row) => self.worlds.push((epoch, Note::Row(key, scope, serial, row.into()))),
                    KeptRow::User(who, place) => {
                        self.users.push((epoch, Note::Row(key, scope, serial, UserRow { who, place })));
                    }
                }
            }
            Entry::RowGone { list: List::Worlds, epoch, serial, key, only, at } => {
                self.worlds.push((epoch, Note::Gone(key.into(), scope(only), serial, at)));
            }
            Entry::RowGone { list: List::Users, epoch, serial, key, only, at } => {
                self.users.push((epoch, Note::Gone(key.into(), scope(only), serial, at)));
            }
            Entry::RowsForgotten { list: List::Worlds, epoch, upto } => {
                self.epochs[0] = Some(epoch);
                self.worlds.push((epoch, Note::Forgotten(upto)));
            }
            Entry::RowsForgotten { list: List::Users, epoch, upto } => {
                self.epochs[1] = Some(epoch);
                self.users.push((epoch, Note::Forgotten(upto)));
            }
            _ => {}
        }
    }

    /// The lists, as far as there were any.
    pub(super) fn lists(self) -> (Option<KeptMirror<WorldRow>>, Option<KeptMirror<UserRow>>) {
        let [worlds, users] = self.epochs;
        (worlds.map(|epoch| of_epoch(epoch, self.worlds)), users.map(|epoch| of_epoch(epoch, self.users)))
    }
}

fn of_epoch<R>(epoch: u64, notes: Vec<(u64, Note<R>)>) -> KeptMirror<R> {
    let notes = notes.into_iter().filter(|(of, _)| *of == epoch).map(|(_, note)| note).collect();
    KeptMirror { epoch, notes }
}
