//! Whether the data directory is what only its user can change. Used by the handler at its start, by the listener before it
//! looks into it, and where a copy is put into place.

use crate::{CTL_SOCKET, DATABASE, PROCESS};
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::unistd::{AccessFlags, faccessat, geteuid};
use ssmglobal_sys::Account;
use std::fs::{Metadata, metadata, symlink_metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Refuses a data directory, and what of the backend's is in it, that others than `user` and root can write to: they would
/// choose what is kept, who is who, and who may command. What is not there yet is fine.
///
/// # Errors
/// What is wrong, with the command that mends it.
pub fn guard(data: &Path, user: u32) -> Result<(), String> {
    // The directory itself may be a link; what is in it may lead nowhere else.
    check(data, metadata(data), data, user)?;
    let run = Path::new(CTL_SOCKET).parent().unwrap_or(Path::new(""));
    let database = ["", "-wal", "-shm", "-journal", ".lock", ".restored"].map(|suffix| format!("{DATABASE}{suffix}"));
    for name in database.iter().map(Path::new).chain([run, Path::new(PROCESS)]) {
        let path = data.join(name);
        // SQLite follows it, and so does an operator who has put the database on another disk.
        let found = if name == Path::new(DATABASE) { metadata(&path) } else { symlink_metadata(&path) };
        check(&path, found, data, user)?;
    }
    Ok(())
}

/// Whether this user may read and change what is root's, which this process can only tell of itself.
fn usable(at: &Path, user: u32) -> bool {
    let (flags, mode) = (AtFlags::AT_EACCESS, AccessFlags::R_OK | AccessFlags::W_OK);
    geteuid().as_raw() == user && faccessat(AT_FDCWD, at, mode, flags).is_ok()
}

/// A user, by name and number where there is a name.
fn called(user: u32) -> String {
    match Account::numbered(user) {
        Ok(Some(found)) => format!("user {} ({user})", found.name),
        _ => format!("user {user}"),
    }
}

fn check(path: &Path, found: std::io::Result<Metadata>, data: &Path, user: u32) -> Result<(), String> {
    let found = match found {
        Ok(found) => found,
        // Whoever makes it tells why that cannot be.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    let (at, path, data, owner) = (path, path.display(), data.display(), found.uid());
    if found.is_symlink() {
        return Err(format!("{path} is a link, which leads elsewhere; rm {path}"));
    }
    if owner != user && owner != 0 {
        return Err(format!(
            "{path} belongs to {}, who can change what is kept, and cannot be used by {}, as whom the handler runs; \
             chown -R {user} {data}",
            called(owner),
            called(user)
        ));
    }
    // What root has put there, and has not given away. That word is root's where the listener is.
    if owner != user && !at.ends_with(PROCESS) && !usable(at, user) {
        return Err(format!(
            "{path} belongs to root, and {}, as whom the handler runs, cannot use it; chown -R {user} {data}",
            called(user)
        ));
    }
    if ssmglobal_sys::others_write(&found) {
        return Err(format!(
            "{path} can be written to by others than its user (mode {:o}), who can change what is kept; chmod -R go-w {data}",
            found.mode() & 0o7777
        ));
    }
    Ok(())
}
