//! Where the listener's settings come from: a short-lived child reads command line, environment and file, and hands
//! the result over. So the process that forks for every client has never parsed anything, and its heap, of which every
//! worker begins with a copy, stays as small as it was made.

use super::users::Users;
use crate::cli::Cli;
use crate::location::for_root;
use crate::print;
use nix::sys::wait::{WaitStatus, waitpid};
use serde::{Deserialize, Serialize};
use ssmglobal_config::{Loaded, Settings, environment, load_if};
use ssmglobal_sys::{exit_now, fork_once};
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the child has found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
    /// What to run with.
    pub settings: Settings,
    /// Which users the processes become.
    pub users: Users,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// What to say once in the log, with its level (1 error … 5 trace).
    pub notes: Vec<(u8, String)>,
}

/// What the command line asks for.
pub enum Asked {
    /// To run the backend.
    Run(Box<Found>),
    /// Something else, which this process is to do.
    Other,
    /// Nothing, since the settings are wrong; what is wrong with them was said.
    Wrong(Vec<String>),
    /// Nothing that can be done; it was said why.
    Ended(ExitCode),
}

/// Reads everything in a child.
///
/// # Errors
/// The kernel's, when there is no process or no memory for it.
pub fn read(args: &[OsString]) -> io::Result<Asked> {
    let (mut ours, theirs) = io::pipe()?;
    // A copy of the list of arguments: what it was called with may be what a child does not get.
    let (child, (args, theirs)) = fork_once((args.to_vec(), theirs), |(args, mut theirs)| {
        let code = in_child(&args, &mut theirs);
        exit_now(code)
    })?;
    drop((args, theirs));
    let mut bytes = Vec::new();
    ours.read_to_end(&mut bytes)?;
    let status = loop {
        match waitpid(child, None) {
            Err(nix::errno::Errno::EINTR) => {}
            other => break other?,
        }
    };
    Ok(match (bytes.split_first(), status) {
        (Some((b'R', found)), _) => match postcard::from_bytes(found) {
            Ok(found) => Asked::Run(Box::new(found)),
            Err(error) => return Err(io::Error::other(error)),
        },
        (Some((b'W', wrong)), _) => Asked::Wrong(postcard::from_bytes(wrong).unwrap_or_default()),
        (Some(_), _) => Asked::Other,
        (None, WaitStatus::Exited(_, code)) => Asked::Ended(ExitCode::from(u8::try_from(code).unwrap_or(1))),
        (None, _) => Asked::Ended(ExitCode::FAILURE),
    })
}

fn in_child(args: &[OsString], out: &mut impl Write) -> i32 {
    let cli = Cli::read(args);
    if cli.command.is_some() {
        return i32::from(out.write_all(b"O").is_err());
    }
    let written = match find(&cli) {
        Ok(found) => put(out, b"R", &found),
        Err(wrong) => {
            wrong.iter().for_each(|problem| print::note(&format!("ssmglobal: {problem}")));
            put(out, b"W", &wrong)
        }
    };
    i32::from(written.is_err())
}

fn put(out: &mut impl Write, front: &[u8], found: &impl Serialize) -> io::Result<()> {
    let bytes = postcard::to_stdvec(found).map_err(io::Error::other)?;
    out.write_all(front)?;
    out.write_all(&bytes)
}

/// Problems that are told, at the most.
const WRONG: usize = 50;

/// Reads everything, in a process that is not going to be the listener.
///
/// # Errors
/// What is wrong, a line each, for the operator.
pub fn find(cli: &Cli) -> Result<Found, Vec<String>> {
    // Whoever writes it says as whom root runs what, and where: also when it is read again.
    let believed = |path: &Path, _| for_root(path);
    let loaded = match load_if(cli.place.config.as_deref(), environment(), &cli.overrides(), &believed) {
        Ok(loaded) => loaded,
        Err(problems) => {
            let problems = problems.iter().take(WRONG).map(|problem| print::clean(&problem.to_string()).into_owned());
            return Err(problems.collect());
        }
    };
    let Loaded { settings, file, warnings, notes } = loaded;
    let limit =
        nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(_, hard)| hard);
    let warnings = warnings.into_iter().chain(ssmglobal_config::advice(&settings, limit));
    let notes = notes.into_iter().map(|note| (3, note));
    let notes = notes.chain(warnings.map(|warning| (2, warning.to_string()))).collect();
    let users = match Users::find(&settings) {
        Ok(users) => users,
        Err(problem) => return Err(vec![print::clean(&problem).into_owned()]),
    };
    Ok(Found { settings, users, file, notes })
}
