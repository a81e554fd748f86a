//! Puts a copy in the place of the database. Runs in the operator's command, and at the start of a handler whose operator's
//! command has died in the middle.
//!
//! The copy is made ready under a name that nobody knows. Then it gets the one name that says "this is to be the database":
//! from that moment on it is decided, and whoever comes next (the same command again, or the handler at its start) goes on
//! from there. Before it, nothing has changed. What was in its place is never deleted, and gets names with the time.

use super::file::{self, Unknown, beside};
use super::{SqliteStore, belongs, error, seal};
use crate::{Restored, Result, StoreError};
use rusqlite::{Connection, OpenFlags};
use ssmglobal_ipc::Time;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Behind the database's name: what is to be the database.
const DECIDED: &str = ".restored";

/// A database is these files.
const PARTS: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// The most names that are tried for what is set aside.
const NAMES: u32 = 1000;

/// A file to restore from, and its write-ahead log if it has one. Open, so that it can be read as another user than the one
/// who puts it into place.
#[derive(Debug)]
pub struct Source {
    name: PathBuf,
    file: File,
    log: Option<File>,
}

impl Source {
    /// Opens the copy to restore from.
    ///
    /// # Errors
    /// There is no such file, or it cannot be read.
    pub fn open(name: &Path) -> Result<Source> {
        let open = |path: &Path| {
            // Without waiting for what is no file.
            let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
            if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no file")) }
        };
        let file = open(name).map_err(|e| error::io("cannot open", name, &e))?;
        // As SQLite looks for it: beside the file that a link leads to.
        let real = name.canonicalize().map_err(|e| error::io("cannot open", name, &e))?;
        let journal = beside(&real, "-journal");
        if belongs::length(&journal)? > 0 {
            let why = "a change of it was not finished, so it is not whole without it".to_owned();
            return Err(StoreError::Beside { file: journal, of: name.to_owned(), why });
        }
        let wal = beside(&real, "-wal");
        let log = if belongs::length(&wal)? > 0 {
            Some(open(&wal).map_err(|e| error::io("cannot open", &wal, &e))?)
        } else {
            None
        };
        Ok(Source { name: name.to_owned(), file, log })
    }

    /// The same words about the file that the operator has named.
    fn named(&self, error: StoreError, copy: &Path) -> StoreError {
        match error {
            StoreError::NotADatabase(_) => StoreError::NotADatabase(self.name.clone()),
            StoreError::Beside { file, why, .. } => {
                let suffix = file.as_os_str().to_string_lossy();
                let suffix = suffix.strip_prefix(&*copy.as_os_str().to_string_lossy()).unwrap_or_default();
                StoreError::Beside { file: beside(&self.name, suffix), of: self.name.clone(), why }
            }
            other => other,
        }
    }
}

/// Puts a copy in the place of the database in `path`, which nobody may have in use. What is found wrong with it is no error:
/// then nothing has changed.
///
/// # Errors
/// [`StoreError::Locked`] while a backend runs on it; [`StoreError::NotADatabase`], [`StoreError::TooNew`],
/// [`StoreError::TooOld`] and [`StoreError::Beside`] for a source that cannot be used.
pub(super) fn restore(source: &Source, path: &Path) -> Result<Restored> {
    let _lock = file::lock(&beside(path, ".lock"), path, Duration::ZERO)?;
    finish(path)?;
    let path = &real(path);
    let same = |at: &Path| {
        let there = fs::metadata(at).ok().zip(source.file.metadata().ok());
        there.is_some_and(|(one, other)| (one.dev(), one.ino()) == (other.dev(), other.ino()))
    };
    if same(path) {
        return Err(StoreError::Other(format!("{} is the database itself", source.name.display())));
    }
    let mode = fs::metadata(path).map_or(0o600, |there| there.mode() & 0o750 | 0o600);
    let copy = Unknown::make(path, ".new")?;
    fill(source, &copy)?;
    let mut restored =
        Restored { found: look_through(&copy).map_err(|e| source.named(e, copy.path()))?, aside: vec![] };
    if !restored.found.problems.is_empty() {
        return Ok(restored);
    }
    ready(&copy)?;
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    copy.file().set_permissions(permissions).map_err(|e| error::io("cannot change", path, &e))?;
    copy.put_into_place(&beside(path, DECIDED))?;
    restored.aside = finish(path)?;
    Ok(restored)
}

/// The file itself, where a link leads to it: SQLite looks beside that one.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn fill(source: &Source, copy: &Unknown) -> Result<()> {
    let failed = |e| error::io("cannot copy", &source.name, &e);
    io::copy(&mut &source.file, &mut copy.file()).map_err(failed)?;
    if let Some(log) = &source.log {
        let beside = beside(copy.path(), "-wal");
        let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(beside);
        io::copy(&mut &*log, &mut file.map_err(failed)?).map_err(failed)?;
    }
    Ok(())
}

/// Format, schema, what lies beside it, checksum, and all that rows say of each other. Of the copy, since nobody else can
/// change that one.
fn look_through(copy: &Unknown) -> Result<crate::Verification> {
    let header = file::look(copy.path())?.ok_or_else(|| StoreError::NotADatabase(copy.path().to_owned()))?;
    belongs::check(copy.path(), &header, true)?;
    SqliteStore::verify(copy.path())
}

/// Lets it be a database that is one file, without what belongs to a copy.
fn ready(copy: &Unknown) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut conn = Connection::open_with_flags(copy.path(), flags)?;
    seal::unseal(&mut conn)?;
    file::with_log(&conn, copy.path())?;
    conn.close().map_err(|(_, e)| e)?;
    for suffix in PARTS.iter().skip(1) {
        let left = beside(copy.path(), suffix);
        if belongs::length(&left)? > 0 {
            return Err(StoreError::Unavailable(format!("{} could not be taken in", left.display())));
        }
    }
    Ok(())
}

/// Goes on where a restore was decided: sets aside what is in its place, and puts it there. Gives what is set aside. For whoever
/// has the lock.
pub(super) fn finish(path: &Path) -> Result<Vec<PathBuf>> {
    let path = &real(path);
    let decided = beside(path, DECIDED);
    match fs::symlink_metadata(&decided) {
        Ok(there) if there.is_file() => {}
        Ok(_) => return Err(StoreError::Other(format!("{} is no file; move it away", decided.display()))),
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(error::io("cannot look at", &decided, &e)),
    }
    let aside = set_aside(path).map_err(|e| error::io("cannot set aside", path, &e))?;
    file::rename_into_place(&decided, path)?;
    Ok(aside)
}

/// Gives all that is there names with the time. The database itself keeps its own name as well, until another file has that
/// one: so there is never none.
fn set_aside(path: &Path) -> io::Result<Vec<PathBuf>> {
    let there: Vec<&str> =
        PARTS.into_iter().filter(|suffix| fs::symlink_metadata(beside(path, suffix)).is_ok()).collect();
    let time = Time::now().to_string().replace(':', "-");
    let free = |name: &PathBuf| PARTS.iter().all(|suffix| fs::symlink_metadata(beside(name, suffix)).is_err());
    let name = (1..=NAMES)
        .map(|n| if n == 1 { format!(".before-{time}") } else { format!(".before-{time}.{n}") })
        .map(|suffix| beside(path, &suffix))
        .find(free)
        .ok_or_else(|| io::Error::other("no name is free"))?;
    let mut aside = Vec::new();
    for suffix in there {
        let (from, to) = (beside(path, suffix), beside(&name, suffix));
        match suffix {
            "" => fs::hard_link(&from, &to).or_else(|_| fs::rename(&from, &to))?,
            _ => fs::rename(&from, &to)?,
        }
        aside.push(to);
    }
    file::sync_folder(path)?;
    Ok(aside)
}
