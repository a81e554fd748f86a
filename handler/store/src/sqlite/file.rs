//! The files of a database: looking before touching, making a new one, and connections to it. Runs in the handler.

use super::{error, schema};
use crate::{Result, StoreError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// For the rare moments in which a foreign program (an operator's `sqlite3`) holds a lock; we never wait for ourselves.
const BUSY: Duration = Duration::from_secs(5);

/// Of the writer, in KiB.
const WRITER_CACHE: i64 = 65_536;
/// Of a reader, in KiB: what others commit empties it.
const READER_CACHE: i64 = 4_096;

/// More than there are different statements.
const STATEMENTS: usize = 128;

/// `path` with `suffix` behind its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// The lock and a connection to a database with the newest schema.
pub(super) fn open(path: &Path, patience: Duration) -> Result<(File, Connection)> {
    let lock_path = beside(path, ".lock");
    let fresh_lock = !lock_path.exists();
    // Before anything else: closing a file that SQLite has open in this process would drop SQLite's own locks.
    let lock = lock(&lock_path, path, patience)?;
    let outcome = look(path).and_then(|there| if there { Ok(()) } else { create(path) });
    if let Err(error) = outcome {
        // Beside a file that is none of ours nothing stays.
        if fresh_lock && matches!(error, StoreError::NotADatabase(_) | StoreError::TooNew(..) | StoreError::TooOld(..))
        {
            let _ = fs::remove_file(&lock_path);
        }
        return Err(error);
    }
    let mut keeper = connect_to_write(path, READER_CACHE)?;
    schema::migrate(&mut keeper)?;
    Ok((lock, keeper))
}

fn lock(lock_path: &Path, path: &Path, patience: Duration) -> Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(lock_path)
        .map_err(|e| error::io("cannot open", lock_path, &e))?;
    let file = File::from(ssmglobal_sys::let_go_first(file.into()));
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) if !patience.is_zero() => wait_for(file, path, patience),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(path.to_owned())),
        Err(TryLockError::Error(e)) => Err(error::io("cannot lock", lock_path, &e)),
    }
}

/// Waits until the process that has the lock is gone. The kernel knows no such waiting with a deadline; so a thread
/// waits, which ends with this process when the time is up.
fn wait_for(file: File, path: &Path, patience: Duration) -> Result<File> {
    let (tell, locked) = std::sync::mpsc::channel();
    let waits = std::thread::Builder::new().name("lock".to_owned()).spawn(move || {
        // Nobody hears of it when the time was up.
        let _ = tell.send(file.lock().map(|()| file));
    });
    waits.map_err(|e| error::io("cannot wait for", path, &e))?;
    match locked.recv_timeout(patience) {
        Ok(Ok(file)) => Ok(file),
        Ok(Err(e)) => Err(error::io("cannot lock", path, &e)),
        Err(_) => Err(StoreError::Locked(path.to_owned())),
    }
}

/// Whether there is a database of ours that this program knows; touches nothing.
fn look(path: &Path) -> Result<bool> {
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(error::io("cannot look at", path, &e)),
    };
    if !meta.is_file() {
        return Err(StoreError::NotADatabase(path.to_owned()));
    }
    let mut header = Vec::with_capacity(100);
    File::open(path)
        .and_then(|file| file.take(100).read_to_end(&mut header))
        .map_err(|e| error::io("cannot read", path, &e))?;
    let number = |at: usize| header.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes);
    // The file format puts user_version at 60 and application_id at 68; ours is there from the first moment on.
    if !header.starts_with(b"SQLite format 3\0") || number(68) != Some(schema::APPLICATION_ID) {
        return Err(StoreError::NotADatabase(path.to_owned()));
    }
    schema::known(number(60).unwrap_or(0)).map(|()| true)
}

/// Makes a database under another name first, so that under its own it is whole or not there.
fn create(path: &Path) -> Result<()> {
    let wal = beside(path, "-wal");
    if fs::metadata(&wal).is_ok_and(|meta| meta.len() > 0) {
        // SQLite would read it into the new database.
        let why = format!("{} is there without its database: put that back, or move it away", wal.display());
        return Err(StoreError::Other(why));
    }
    let new = beside(path, ".new");
    for suffix in ["", "-wal", "-shm", "-journal"] {
        match fs::remove_file(beside(&new, suffix)) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(error::io("cannot remove", &new, &e)),
            _ => {}
        }
    }
    OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&new)
        .map_err(|e| error::io("cannot create", &new, &e))?;
    let mut conn = Connection::open_with_flags(&new, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.pragma_update(None, "page_size", 4096)?;
    conn.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    schema::migrate(&mut conn)?;
    conn.close().map_err(|(_, e)| e)?;
    rename_into_place(&new, path)
}

/// Gives a finished file its name; it is on disk, and the name too, when this returns.
pub(super) fn rename_into_place(from: &Path, to: &Path) -> Result<()> {
    let put = || {
        File::open(from)?.sync_all()?;
        fs::rename(from, to)?;
        let folder = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    };
    put().map_err(|e| error::io("cannot put into place", to, &e))
}

/// What every connection to a database of ours has in common.
fn prepare(conn: &Connection, cache: i64) -> Result<()> {
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "cache_size", -cache)?;
    Ok(())
}

fn connect_to_write(path: &Path, cache: i64) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    prepare(&conn, cache)?;
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Unavailable(format!("{} cannot have a write-ahead log here", path.display())));
    }
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(conn)
}

/// The writer's connection; `wal_pages` is told the length of the write-ahead log after every commit.
pub(super) fn connect_writer(path: &Path, wal_pages: Arc<AtomicU32>) -> Result<Connection> {
    let mut conn = connect_to_write(path, WRITER_CACHE)?;
    // Behind wal_autocheckpoint, which takes the same hook.
    conn.wal_hook(Some(move |_: &mut _, pages| {
        wal_pages.store(u32::try_from(pages).unwrap_or(0), Ordering::Release);
        Ok(())
    }))?;
    Ok(conn)
}

/// A connection that cannot change anything.
pub(super) fn connect_reader(path: &Path) -> Result<Connection> {
    // No memory map: with one, a failing disk is a signal that ends the process instead of an error.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    prepare(&conn, READER_CACHE)?;
    Ok(conn)
}

/// A read-only connection to a file of unknown origin. Without a write-ahead log beside it the file is taken as
/// unchanging, so that nothing is created beside it.
pub(super) fn connect_to_verify(path: &Path) -> Result<Connection> {
    let path = path.canonicalize().map_err(|e| error::io("cannot open", path, &e))?;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'_' | b'-' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    if !beside(&path, "-wal").exists() {
        uri.push_str("?immutable=1");
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(uri, flags)?;
    conn.busy_timeout(BUSY)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    Ok(conn)
}
