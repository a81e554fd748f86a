//! As whom handler and workers run where root has started the program. Looked up by the child that reads the settings; used in
//! the listener, and where a copy is put into place.

use nix::libc::{O_DIRECTORY, O_NOFOLLOW};
use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};
use ssmglobal_config::Settings;
use ssmglobal_sys::{Account, Ids, group_named};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

/// The user of old for whatever owns nothing, where no list of users names one.
const NOBODY: u32 = 65534;

/// User and group of handler and workers; nothing for those that stay what the listener is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    handler: Option<(u32, u32)>,
    worker: Option<(u32, u32)>,
}

fn ids((user, group): (u32, u32)) -> Ids {
    Ids { user, group }
}

impl Users {
    /// Whom the handler becomes; nothing: it stays who the listener is.
    pub fn handler(&self) -> Option<Ids> {
        self.handler.map(ids)
    }

    /// Whom workers become; nothing: they stay who the listener is.
    pub fn worker(&self) -> Option<Ids> {
        self.worker.map(ids)
    }

    /// Looks up whom the settings name.
    ///
    /// # Errors
    /// What is wrong with them, for the operator.
    pub fn find(settings: &Settings) -> Result<Users, String> {
        if !geteuid().is_root() {
            return Ok(Users::default());
        }
        let (handler, worker) = (&settings.processes.handler_user, &settings.processes.worker_user);
        let worker_ids = look_up("worker_user", worker)?;
        if worker_ids.0 == 0 {
            return Err("processes.worker_user is root; give a user that owns nothing, as \"nobody\"".to_owned());
        }
        let handler_ids = match handler.as_str() {
            "" => owner(&settings.data),
            name => Some(look_up("handler_user", name)?).filter(|ids| ids.0 != 0),
        };
        if handler_ids.is_some_and(|ids| ids.0 == worker_ids.0) {
            return Err(format!(
                "handler and workers would both run as {worker:?}; let processes.handler_user and worker_user differ"
            ));
        }
        Ok(Users { handler: handler_ids, worker: Some(worker_ids) })
    }

    /// What to say once in the log.
    pub fn warning(&self, settings: &Settings) -> Option<String> {
        let handler = &settings.processes.handler_user;
        match (geteuid().is_root(), self.handler) {
            (true, None) => Some(
                "the handler runs as root; give it a user of its own with processes.handler_user, or let one own the \
                 data directory"
                    .to_owned(),
            ),
            (false, _) if !handler.is_empty() => {
                Some(format!("processes.handler_user = {handler:?} means nothing, since this was not started by root"))
            }
            _ => None,
        }
    }
}

fn look_up(key: &str, name: &str) -> Result<(u32, u32), String> {
    let number = name.parse::<u32>();
    let found = match number {
        Ok(number) => Account::numbered(number),
        Err(_) => Account::named(name),
    };
    match (found, number) {
        (Ok(Some(user)), _) => Ok((user.user, user.group)),
        // Nobody needs to be listed.
        (_, Ok(number)) => Ok((number, number)),
        (Ok(None), _) if name == "nobody" => Ok((NOBODY, group_named("nogroup").ok().flatten().unwrap_or(NOBODY))),
        (Ok(None), _) => Err(format!("processes.{key}: this machine has no user {name:?}")),
        (Err(error), _) => Err(format!("processes.{key}: the user {name:?} cannot be looked up: {error}")),
    }
}

/// Who owns the directory, unless that is root or there is none yet.
fn owner(data: &Path) -> Option<(u32, u32)> {
    let found = std::fs::metadata(data).ok()?;
    (found.uid() != 0).then(|| (found.uid(), found.gid()))
}

/// Makes the data directory and what belongs into it; what is new belongs to the handler. What is there already must be what
/// only the handler's user can change.
///
/// # Errors
/// The kernel's, with the directory and what may be done; or what is wrong with what is there.
pub fn make_directories(settings: &Settings, users: &Users) -> io::Result<()> {
    let user = users.handler.map_or(geteuid().as_raw(), |(user, _)| user);
    ssmglobal_handler::guard(&settings.data, user).map_err(io::Error::other)?;
    let run = settings.data.join("run");
    let missing: Vec<PathBuf> = run.ancestors().take_while(|path| !path.exists()).map(Path::to_owned).collect();
    let made = missing.iter().rev().filter(|path| !path.as_os_str().is_empty()).try_for_each(|path| make(path, users));
    made.map_err(|error| {
        let msg = format!("the directory {} cannot be made: {error}. Choose another with --data.", run.display());
        io::Error::new(error.kind(), msg)
    })
}

/// Makes one directory. It is given away by its descriptor: in a directory of another user, its name may be something else
/// already.
fn make(path: &Path, users: &Users) -> io::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(path)?;
    let Some((user, group)) = users.handler else { return Ok(()) };
    let made = std::fs::File::options().read(true).custom_flags(O_NOFOLLOW | O_DIRECTORY).open(path)?;
    if made.metadata()?.uid() != geteuid().as_raw() {
        return Err(io::Error::other("somebody else has put another one there"));
    }
    fchown(&made, Some(user), Some(group))
}
