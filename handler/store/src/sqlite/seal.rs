//! The checksum that a copy carries, over every byte of it. Runs in the handler, and where a copy is looked at or put in
//! place.
//!
//! It stands in the copy, in a table of its own, since a file beside it is easily lost, and a word behind the end of a
//! database goes with the first change. It covers the whole file but for its own 32 bytes, which count as zeros, so a changed
//! byte anywhere is found, in what no row says too. A database that is in use has none.

use super::file::random;
use super::{error, schema};
use crate::{Result, StoreError};
use blake2::Blake2b256;
use blake2::digest::Digest;
use rusqlite::{Connection, OptionalExtension};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Makes the table that holds the seal.
pub(super) const TABLE: &str = "CREATE TABLE seal (digest BLOB NOT NULL CHECK (length(digest) = 32))";

/// Bytes of the checksum.
const LENGTH: usize = 32;

/// Bytes that are read at a time.
const PIECE: usize = 1 << 20;

/// Where a seal stands, and what it says.
pub(super) struct Seal {
    says: [u8; LENGTH],
    /// Where its page begins, and how long a page is.
    page: (u64, usize),
}

impl Seal {
    /// Makes room for one, with a mark in it by which [`Seal::close`] finds it again.
    pub(super) fn open(conn: &Connection) -> Result<Seal> {
        let mark = random()?;
        conn.execute_batch(TABLE)?;
        conn.execute("INSERT INTO seal (digest) VALUES (?1)", [mark])?;
        Seal::of(conn)?.ok_or_else(|| StoreError::Other("the copy has lost its seal".into()))
    }

    /// That of a database; nothing when it has none.
    pub(super) fn of(conn: &Connection) -> Result<Option<Seal>> {
        let root = conn
            .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'seal'", [], |row| row.get::<_, u32>(0))
            .optional()?;
        let Some(root) = root else { return Ok(None) };
        let says = conn.query_row("SELECT digest FROM seal", [], |row| row.get(0)).optional()?;
        let Some(says) = says else { return Err(StoreError::Corrupt("its checksum is missing".into())) };
        let length: u32 = conn.pragma_query_value(None, "page_size", |row| row.get(0))?;
        Ok(Some(Seal { says, page: (u64::from(root.saturating_sub(1)) * u64::from(length), length as usize) }))
    }

    /// Writes the checksum into the finished file, which nobody has open otherwise.
    pub(super) fn close(&self, file: &File, path: &Path) -> Result<()> {
        let failed = |e| error::io("cannot write", path, &e);
        let at = self.find(file).map_err(failed)?;
        let at = at.ok_or_else(|| StoreError::Unavailable(format!("{} was changed meanwhile", path.display())))?;
        let digest = digest(file, at).map_err(failed)?;
        file.write_all_at(&digest, at).map_err(failed)
    }

    /// Whether the file is as it was when it was sealed.
    pub(super) fn holds(&self, file: &File) -> std::io::Result<bool> {
        match self.find(file)? {
            Some(at) => Ok(digest(file, at)? == self.says),
            None => Ok(false),
        }
    }

    /// Where it stands in the file: once in its page.
    fn find(&self, file: &File) -> std::io::Result<Option<u64>> {
        let (begin, length) = self.page;
        let mut page = vec![0; length];
        file.read_exact_at(&mut page, begin)?;
        Ok(page.windows(LENGTH).position(|window| window == self.says).map(|at| begin + at as u64))
    }
}

/// Of the whole file, with zeros for what stands at `at`.
fn digest(file: &File, at: u64) -> std::io::Result<[u8; LENGTH]> {
    let mut hash = Blake2b256::new();
    let mut piece = vec![0; PIECE];
    let mut position = 0;
    loop {
        let count = match file.read_at(&mut piece, position) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let Some(read) = piece.get_mut(..count).filter(|read| !read.is_empty()) else {
            return Ok(hash.finalize().into());
        };
        let inside = |place: u64| usize::try_from(place.saturating_sub(position)).unwrap_or(count).min(count);
        if let Some(seal) = read.get_mut(inside(at)..inside(at + LENGTH as u64)) {
            seal.fill(0);
        }
        hash.update(&*read);
        position += count as u64;
    }
}

/// Takes a copy into use: without a checksum, which no longer holds, and without what belongs to the run of the backend that
/// it was made in. With the key of that run's tickets anybody could be anybody in it. Nothing of it stays in free room.
pub(super) fn unseal(conn: &mut Connection) -> Result<()> {
    conn.pragma_update(None, "secure_delete", true)?;
    let transaction = conn.transaction()?;
    transaction.execute_batch("DROP TABLE IF EXISTS seal")?;
    forget_run(&transaction)?;
    transaction.commit()?;
    Ok(())
}

/// Takes what belongs to one run of the backend out of a copy: tables are made anew, since a page that has only lost its rows
/// may still have them in its free room.
pub(super) fn forget_run(conn: &Connection) -> Result<()> {
    for table in schema::OF_A_RUN {
        // The table first, then what belongs to it.
        let mut made = conn.prepare(
            "SELECT sql FROM sqlite_schema WHERE tbl_name = ?1 AND sql IS NOT NULL ORDER BY type <> 'table'",
        )?;
        let made = made.query_map([table], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
        if !made.is_empty() {
            conn.execute_batch(&format!("DROP TABLE {table}; {}", made.join(";")))?;
        }
    }
    Ok(())
}
