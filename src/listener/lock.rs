//! The lock that all workers get, prepared once. Runs in the listener.

use super::users::{self, Users};
use ssmglobal_config::Settings;
use ssmglobal_worker::sandbox::Sandbox;

/// Prepares it and tries it out. Appends what to say once in the log, with its level.
pub fn prepare(settings: &Settings, users: &Users, notes: &mut Vec<(u8, String)>) -> Sandbox {
    notes.extend(users.warning(settings).map(|warning| (2, warning)));
    let root = settings.processes.sandbox.then(|| users::empty_directory(settings)).flatten();
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
