//! An upgrade: who has asked for it, how far it is, and the words between the two programs. Runs in the listener, and where
//! another program begins.

use nix::unistd::{Pid, geteuid};
use ssmglobal_ipc::ctl::Answer;
use ssmglobal_ipc::frame::put_control;
use ssmglobal_ipc::{Code, Failure, version};
use std::ffi::OsString;
use std::io::{PipeReader, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How a program is called that is to say whether it could take over.
pub const CHECK: &str = "resume-check";

/// How a program is called that takes over.
pub const RESUME: &str = "resume";

/// What a program says that could.
pub const FIT: &str = "fit to take over: version ";

/// Whoever asked for it, if he waits for an answer.
pub struct Asker(Option<UnixStream>);

impl Asker {
    /// Over the operator's connection.
    pub fn new(stream: Option<OwnedFd>) -> Asker {
        Asker(stream.map(UnixStream::from))
    }

    /// The connection of whoever waits for an answer.
    pub fn stream(&self) -> Option<&UnixStream> {
        self.0.as_ref()
    }

    /// Whether he may name another program to a listener that is root: only root may. The word of the handler, which hands his
    /// connection over, is not enough.
    pub fn may_name(&self) -> bool {
        let root = |stream| ssmglobal_sys::peer_of(stream).is_ok_and(|(_, user, _)| user == 0);
        !geteuid().is_root() || self.stream().is_some_and(root)
    }

    fn answer(&self, answer: &Answer) {
        let Some(stream) = &self.0 else { return };
        let mut bytes = Vec::new();
        put_control(&mut bytes, answer);
        // Short, and the first that is said on it: there is room. He may be gone.
        let _ = (&*stream).write_all(&bytes);
    }

    /// Not done, because.
    pub fn refuse(&self, code: Code, why: &str) {
        self.answer(&Answer::Failed(Failure::new(code, why.to_owned())));
    }

    /// The upgrade is done, and whoever has asked for it is told which version handed over.
    pub fn done(&self, from: &str) {
        self.answer(&Answer::Upgraded { from: from.to_owned(), to: version().to_owned() });
    }
}

/// An upgrade that is under way.
pub enum Upgrade {
    /// The other program checks whether it could.
    Checking {
        /// The file of that program.
        program: PathBuf,
        /// Who waits for it.
        asker: Asker,
        /// The process that checks.
        pid: Pid,
        /// What it says.
        said: PipeReader,
        /// Until when it may.
        until: Instant,
    },
    /// This is the other program; its handler does not serve yet.
    Finishing {
        /// The version before.
        from: String,
        /// Who waits for it.
        asker: Asker,
    },
}

/// The file that this process was started from, by the name that was used: a package may put another one there.
pub fn program_called(name: Option<&OsString>) -> PathBuf {
    let found = std::env::current_exe().unwrap_or_default();
    let Some(name) = name.map(Path::new) else { return found };
    let same = |path: &Path| {
        let (one, other) = (std::fs::metadata(path).ok()?, std::fs::metadata("/proc/self/exe").ok()?);
        ((one.dev(), one.ino()) == (other.dev(), other.ino())).then(|| std::path::absolute(path).ok()).flatten()
    };
    if name.as_os_str().as_bytes().contains(&b'/') {
        return same(name).unwrap_or(found);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).find_map(|folder| same(&folder.join(name))).unwrap_or(found)
}

/// The command line that was taken apart for [`RESUME`] and [`CHECK`]: the descriptors' numbers, and the command line as it
/// was once typed.
pub fn resumed_args(args: Vec<OsString>, numbers: usize) -> Option<(Vec<Vec<i32>>, Vec<OsString>)> {
    let mut args = args.into_iter();
    let name = args.next()?;
    let mut args = args.skip(1);
    let mut lists = Vec::new();
    for _ in 0..numbers {
        let list = String::from_utf8(args.next()?.into_vec()).ok()?;
        lists.push(list.split(',').map(str::parse).collect::<Result<Vec<i32>, _>>().ok()?);
    }
    Some((lists, std::iter::once(name).chain(args).collect()))
}
