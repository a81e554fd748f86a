//! The store as its users see it, on real files.

mod backup;
mod belongs;
mod checkpoints;
mod damage;
mod files;
mod fold;
mod mail;
mod migrations;
mod people;
mod principals;
mod properties;
mod records;
mod restore;
mod results;
mod sequences;
mod settings;
mod trouble;
mod worlds;

use super::SqliteStore;
use super::writer::SqliteWriter;
use crate::*;
use ssmglobal_ipc::{Secret, Time};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

impl SqliteStore {
    /// With no patience for another one.
    pub(super) fn open(path: &Path) -> Result<SqliteStore> {
        SqliteStore::open_within(path, Duration::ZERO)
    }

    /// A writer that can be looked into.
    pub(super) fn sqlite_writer(&self) -> Result<SqliteWriter> {
        self.sqlite_writer_with(super::checkpoint::warn)
    }
}

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

    /// The same files, opened anew.
    pub(super) fn again(self) -> Place {
        let Place { folder, store } = self;
        let path = store.path().to_owned();
        drop(store);
        Place { folder, store: SqliteStore::open(&path).unwrap() }
    }
}

/// The names in a folder, sorted.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// One transaction.
pub(super) fn commit<T>(writer: &mut dyn Writer, work: impl FnOnce(&mut dyn Tx) -> T) -> T {
    writer.begin().unwrap();
    let done = work(writer.tx());
    writer.commit().unwrap();
    done
}

/// One transaction of one row.
pub(super) fn put(writer: &mut dyn Writer, row: &Row) {
    commit(writer, |tx| tx.put(row).unwrap());
}

/// Lets the numbers that the rows of a test have be given; then looks for damage.
pub(super) fn verified(path: &Path) -> Verification {
    let conn = rusqlite::Connection::open(path).unwrap();
    for (kind, table) in [(1, "player"), (2, "server"), (3, "board")] {
        let sql =
            format!("INSERT OR REPLACE INTO sequence SELECT {kind}, 0, 0, max(id) FROM {table} HAVING count(*) > 0");
        conn.execute(&sql, []).unwrap();
    }
    drop(conn);
    SqliteStore::verify(path).unwrap()
}

pub(super) fn new_player(id: u32, name: &str) -> NewPlayer {
    NewPlayer {
        id: PlayerId(id),
        name: name.into(),
        folded: name.to_lowercase(),
        skeleton: name.to_lowercase().replace('0', "o"),
        hash: Secret::new("$argon2id$"),
        email: None,
        registered: Time(1_000),
    }
}

pub(super) fn player(id: u32, name: &str) -> Row {
    Row::Player(new_player(id, name))
}

pub(super) fn server(id: u32, name: &str) -> Row {
    Row::Server(NewServer { id: ServerId(id), name: name.into(), key: [0; 32], added: Time(0) })
}

pub(super) fn new_board(id: u32, name: &str) -> Board {
    Board {
        id: BoardId(id),
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

/// A score on a board.
pub(super) fn scored(board: u32, standing: Standing) -> Row {
    Row::Standing { board: BoardId(board), standing }
}

/// A setting of a player.
pub(super) fn set(player: u32, key: &str, setting: &KeptSetting) -> Row {
    Row::Setting { owner: PlayerId(player).into(), key: key.into(), setting: setting.clone() }
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
