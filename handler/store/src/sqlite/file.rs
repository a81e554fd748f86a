//! The files of a database: looking before touching, making a new one, and connections to it. Runs in the handler.

use super::belongs::{self, Header};
use super::seal::Seal;
use super::{backup, error, restore, schema, seal};
use crate::{Result, StoreError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
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

/// Bytes that nobody can know before.
pub(super) fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| StoreError::Other(format!("no random number is to be had: {e}")))?;
    Ok(bytes)
}

/// The lock and a connection to a database with the newest schema.
pub(super) fn open(path: &Path, patience: Duration) -> Result<(File, Connection)> {
    let lock_path = beside(path, ".lock");
    let lock_is_new = !lock_path.exists();
    // Before anything else: closing a file that SQLite has open in this process would drop SQLite's own locks.
    let lock = lock(&lock_path, path, patience)?;
    Unknown::remove_left(path, backup::COPY);
    let outcome = ready(path, patience);
    if let Err(error) = outcome {
        // Beside a file that is none of ours nothing stays.
        let foreign = matches!(
            error,
            StoreError::NotADatabase(_) | StoreError::TooNew(..) | StoreError::TooOld(..) | StoreError::Beside { .. }
        );
        if lock_is_new && foreign {
            let _ = fs::remove_file(&lock_path);
        }
        return Err(error);
    }
    let mut keeper = connect_to_write(path, READER_CACHE)?;
    schema::migrate(&mut keeper)?;
    Ok((lock, keeper))
}

/// Lets there be a database that can be opened: what is there, if all of it belongs together, or a new one.
fn ready(path: &Path, patience: Duration) -> Result<()> {
    restore::finish(path)?;
    // SQLite follows it too, and looks beside the file that it leads to.
    let real = path.canonicalize();
    let path = real.as_deref().unwrap_or(path);
    let Some(header) = look(path)? else {
        belongs::nothing_without(path)?;
        return create(path);
    };
    // Whoever is waited for has looked through all of it.
    belongs::check(path, &header, patience.is_zero())?;
    if header.logged { Ok(()) } else { take_in(path) }
}

/// A finished copy was put here: it has to be what it was when it was made, and is no copy any more.
fn take_in(path: &Path) -> Result<()> {
    if belongs::length(&beside(path, "-journal"))? > 0 {
        // Whoever did this before has died in the middle: the database takes it back when it is read.
        let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    }
    let sealed = {
        let conn = connect_to_verify(path)?;
        Seal::of(&conn)?
    };
    if let Some(seal) = sealed {
        let file = File::open(path).map_err(|e| error::io("cannot open", path, &e))?;
        if !seal.holds(&file).map_err(|e| error::io("cannot read", path, &e))? {
            let why = "it is a copy that is not as it was when it was made: its checksum does not fit";
            return Err(StoreError::Corrupt(format!("{}: {why}", path.display())));
        }
    }
    let mut conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    seal::unseal(&mut conn)?;
    conn.close().map_err(|(_, e)| e)?;
    Ok(())
}

pub(super) fn lock(lock_path: &Path, path: &Path, patience: Duration) -> Result<File> {
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

/// The header of the database, if there is one that this program knows; touches nothing.
pub(super) fn look(path: &Path) -> Result<Option<Header>> {
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(error::io("cannot look at", path, &e)),
    };
    let header = if meta.is_file() { Header::read(path)? } else { None };
    // Ours has its mark from the first moment on.
    let header = header.ok_or_else(|| StoreError::NotADatabase(path.to_owned()))?;
    schema::known(header.schema).map(|()| Some(header))
}

/// Makes a database under another name first, so that under its own it is whole or not there.
fn create(path: &Path) -> Result<()> {
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
    with_log(&conn, &new)?;
    conn.close().map_err(|(_, e)| e)?;
    rename_into_place(&new, path)
}

/// Lets a database have a write-ahead log from now on. Under its own name it has one from the first moment: so a file that
/// says it has none is a copy.
pub(super) fn with_log(conn: &Connection, path: &Path) -> Result<()> {
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Unavailable(format!("{} cannot have a write-ahead log here", path.display())));
    }
    Ok(())
}

/// Gives a finished file its name; it is on disk, and the name too, when this returns.
pub(super) fn rename_into_place(from: &Path, to: &Path) -> Result<()> {
    let put = || {
        File::open(from)?.sync_all()?;
        fs::rename(from, to)?;
        sync_folder(to)
    };
    put().map_err(|e| error::io("cannot put into place", to, &e))
}

/// Brings to disk which names there are beside this file.
pub(super) fn sync_folder(of: &Path) -> std::io::Result<()> {
    let folder = of.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// A file under a name that nobody can know before it is there, for this user alone; gone when it is dropped before it was
/// put into place.
pub(super) struct Unknown {
    file: File,
    path: PathBuf,
    placed: bool,
}

impl Unknown {
    /// Makes one beside `of`. What has its name already, a link too, is no file of ours.
    pub(super) fn make(of: &Path, suffix: &str) -> Result<Unknown> {
        // What the way leads over is somebody's choice; the file itself must be what was made here.
        let folder = of.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder.canonicalize().map_err(|e| error::io("cannot look at", folder, &e))?;
        let name = of.file_name().ok_or_else(|| StoreError::Other(format!("{} names no file", of.display())))?;
        let mark: String = random()?.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let path = beside(&beside(&folder.join(name), &format!(".{mark}")), suffix);
        // Exclusive: a link is not followed either.
        let file = OpenOptions::new().create_new(true).read(true).write(true).mode(0o600).open(&path);
        let file = file.map_err(|e| error::io("cannot create", &path, &e))?;
        Ok(Unknown { file, path, placed: false })
    }

    /// Removes those beside `of` that a killed process has left.
    pub(super) fn remove_left(of: &Path, suffix: &str) {
        let folder = of.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let Some(name) = of.file_name().and_then(|name| name.to_str()) else { return };
        let ends = ["", "-journal", "-wal", "-shm"].map(|end| format!("{suffix}{end}"));
        let left = |file: &str| {
            let mark =
                ends.iter().find_map(|end| file.strip_prefix(name)?.strip_prefix('.')?.strip_suffix(end.as_str()));
            mark.is_some_and(|mark| mark.len() == 16 && mark.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        for file in fs::read_dir(folder).into_iter().flatten().flatten() {
            if file.file_name().to_str().is_some_and(left) {
                // It only takes room, and the next start tries again.
                let _ = fs::remove_file(file.path());
            }
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, which nothing has yet; it is on disk, and the name too, when this returns.
    pub(super) fn put_into_place(mut self, to: &Path) -> Result<()> {
        let failed = |e| error::io("cannot put into place", to, &e);
        let (mine, there) = (self.file.metadata().map_err(failed)?, fs::symlink_metadata(&self.path).map_err(failed)?);
        if (mine.dev(), mine.ino()) != (there.dev(), there.ino()) {
            return Err(StoreError::Unavailable(format!("{} was put aside by somebody else", self.path.display())));
        }
        self.file.sync_all().map_err(failed)?;
        match fs::hard_link(&self.path, to) {
            Ok(()) => fs::remove_file(&self.path).map_err(failed)?,
            Err(e) if e.kind() == ErrorKind::AlreadyExists => return Err(StoreError::Exists),
            // Not every file system has links.
            Err(_) if fs::symlink_metadata(to).is_ok() => return Err(StoreError::Exists),
            Err(_) => fs::rename(&self.path, to).map_err(failed)?,
        }
        self.placed = true;
        sync_folder(to).map_err(failed)
    }
}

impl Drop for Unknown {
    fn drop(&mut self) {
        for suffix in ["-journal", "-wal", "-shm", ""] {
            if !self.placed {
                let _ = fs::remove_file(beside(&self.path, suffix));
            }
        }
    }
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
    with_log(&conn, path)?;
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
