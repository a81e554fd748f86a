//! The lock that all workers get, prepared once. Runs in the listener.

use super::users::Users;
use nix::libc::{O_DIRECTORY, O_NOFOLLOW, O_PATH};
use nix::unistd::geteuid;
use ssmglobal_config::Settings;
use ssmglobal_worker::sandbox::Sandbox;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};

/// Prepares it and tries it out. Appends what to say once in the log, with its level.
pub fn prepare(settings: &Settings, users: &Users, notes: &mut Vec<(u8, String)>) -> Sandbox {
    notes.extend(users.warning(settings).map(|warning| (2, warning)));
    let root = settings.processes.sandbox.then(|| empty_directory(settings)).flatten();
    let mut sandbox = Sandbox::prepare(settings, users.worker(), root);
    if !settings.processes.sandbox {
        notes.push((
            1,
            "THE WORKERS ARE NOT LOCKED IN: processes.sandbox is false. Whoever takes one over can do what its user can."
                .to_owned(),
        ));
    }
    match sandbox.try_out() {
        Ok(missing) if missing.is_empty() => {}
        Ok(missing) => {
            notes.push((
                2,
                format!("workers are locked in without what this machine does not allow: {}", missing.join("; ")),
            ));
        }
        Err(error) => notes.push((2, format!("the lock of the workers could not be tried out: {error}"))),
    }
    sandbox
}

/// A directory that is empty for ever, since it is removed again: the workers' root directory, where the listener may give
/// them one.
fn empty_directory(settings: &Settings) -> Option<OwnedFd> {
    if !geteuid().is_root() {
        return None;
    }
    let path = settings.data.join("run").join(format!("empty.{}", std::process::id()));
    std::fs::DirBuilder::new().mode(0o000).create(&path).ok()?;
    let flags = O_DIRECTORY | O_NOFOLLOW | O_PATH;
    let opened = std::fs::File::options().read(true).custom_flags(flags).open(&path);
    // Left behind, it is an empty directory that nobody uses.
    let _ = std::fs::remove_dir(&path);
    // In a directory of the handler's user, another one may lie under its name by now.
    let made =
        |found: &std::fs::File| found.metadata().is_ok_and(|found| found.uid() == 0 && found.mode() & 0o7777 == 0);
    opened.ok().filter(made).map(OwnedFd::from)
}
