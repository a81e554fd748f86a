//! The store as its users see it, on real files.

mod backup;
mod files;
mod fold;
mod mail;
mod migrations;
mod people;
mod records;
mod settings;
mod trouble;

use super::SqliteStore;
use crate::*;
use ssmglobal_ipc::{Better, Operator, Secret, Submitters, Time};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A database in a folder of its own.
pub(super) struct Place {
    pub(super) folder: TempDir,
    pub(super) store: SqliteStore,
}

impl Place {
    pub(super) fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("test.db")).unwrap();
        Place { folder, store }
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn writer(&self) -> Box<dyn Writer> {
        self.store.writer().unwrap()
    }

    pub(super) fn reader(&self) -> Box<dyn Reader> {
        self.store.reader().unwrap()
    }
}

/// One transaction.
pub(super) fn commit<T>(writer: &mut dyn Writer, work: impl FnOnce(&mut dyn Tx) -> T) -> T {
    writer.begin().unwrap();
    let done = work(writer.tx());
    writer.commit().unwrap();
    done
}

pub(super) fn new_player(name: &str) -> NewPlayer {
    NewPlayer {
        name: name.into(),
        folded: name.to_lowercase(),
        skeleton: name.to_lowercase().replace('0', "o"),
        hash: Secret::new("$argon2id$"),
        email: None,
        registered: Time(1_000),
    }
}

pub(super) fn new_board(name: &str) -> Board {
    Board {
        id: BoardId(0),
        name: name.into(),
        unit: "ms".into(),
        better: Better::Lower,
        operator: Operator::Best,
        submit: Submitters::Players,
    }
}

pub(super) fn standing(player: u32, order: u64, score: i64) -> Standing {
    Standing {
        player: PlayerId(player),
        score,
        order,
        at: Time(score),
        server: (score % 2 == 0).then_some(ServerId(1)),
        note: (score % 3 == 0).then(|| format!("note {score}").into()),
    }
}

/// All that stands on a board, by player.
pub(super) fn standings(reader: &(impl ReadRecords + ?Sized), board: BoardId) -> Vec<Standing> {
    let mut found = Vec::new();
    reader.standings(board, &mut |standing| found.push(standing)).unwrap();
    found.sort_by_key(|standing| standing.player);
    found
}

/// The database as it would be found after a crash at this moment: opened from copies of its files.
pub(super) fn after_a_crash(path: &Path, into: &Path) -> SqliteStore {
    let copy = into.join("crashed.db");
    for suffix in ["", "-wal"] {
        let _ = std::fs::remove_file(super::file::beside(&copy, suffix));
        let from = super::file::beside(path, suffix);
        if from.exists() {
            std::fs::copy(from, super::file::beside(&copy, suffix)).unwrap();
        }
    }
    SqliteStore::open(&copy).unwrap()
}
