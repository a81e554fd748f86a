//! What takes the operator long: a backup, a look for damage. Each runs in a thread of its own.

use super::super::EventLoop;
use crate::work::ToLoop;
use ssmglobal_ipc::ctl::{Answer, Verified};
use ssmglobal_ipc::frame::put_control;
use ssmglobal_ipc::{Code, Failure};
use ssmglobal_store::{Store, StoreError, Upkeep, Verification};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

impl EventLoop {
    /// Runs something that takes long in a thread of its own; its answers are left for the event loop.
    pub(super) fn long_job(
        &self,
        operator: u64,
        job: impl FnOnce(&dyn Store, &mut dyn FnMut(Answer)) -> Result<Answer, Failure> + Send + 'static,
    ) -> Result<Option<Answer>, Failure> {
        let (shared, store) = (self.shared.clone(), self.operators.store.clone());
        let thread = std::thread::Builder::new().name("operator".into()).spawn(move || {
            let mut tell = |answer| shared.send_to_loop(&mut vec![ToLoop::Operator(operator, answer)], Vec::new());
            let answer = job(&*store, &mut tell).unwrap_or_else(Answer::Failed);
            tell(answer);
        });
        match thread {
            Ok(_) => Ok(None),
            Err(error) => Err(Failure::new(Code::Unavailable, format!("No thread for this: {error}."))),
        }
    }
}

impl EventLoop {
    /// Leaves the connection to the thread that makes the copy: it sends a descriptor on it, and sees when nobody waits for it
    /// any more.
    pub(super) fn backup_copy(&mut self, operator: u64) -> Result<(), Failure> {
        let Some(only) = self.operators.copying.begin() else {
            return Err(Failure::new(Code::Busy, "Another backup is being made; wait for its end."));
        };
        let Some((stream, _)) = self.operators.release(operator, self.poll.registry()) else { return Ok(()) };
        let store = self.operators.store.clone();
        let refused = stream.try_clone();
        let thread = std::thread::Builder::new().name("operator".into()).spawn(move || {
            let copied = copy(&*store, &stream);
            drop(only);
            match copied {
                Ok(copy) => hand_over(&stream, copy),
                Err(failure) => say(&stream, &Answer::Failed(failure)),
            }
            .unwrap_or_else(|error| log::warn!("the operator did not wait for his backup: {error}"));
        });
        if let (Err(error), Ok(stream)) = (thread, refused) {
            // He may be gone.
            let _ =
                say(&stream, &Answer::Failed(Failure::new(Code::Unavailable, format!("No thread for this: {error}."))));
        }
        Ok(())
    }
}

/// Whether a copy is being made: one at a time.
#[derive(Clone, Default)]
pub(super) struct Copying(Arc<AtomicBool>);

/// The one that is being made, until this is dropped.
struct Only(Copying);

impl Copying {
    fn begin(&self) -> Option<Only> {
        (!self.0.swap(true, Ordering::AcqRel)).then(|| Only(self.clone()))
    }
}

impl Drop for Only {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Release);
    }
}

/// How long whoever asked may take to read what he is told.
const PATIENCE: Duration = Duration::from_secs(30);

fn copy(store: &dyn Store, stream: &UnixStream) -> Result<File, Failure> {
    let mut last = Instant::now();
    let Some(upkeep) = store.upkeep() else { return Err(no_file()) };
    let copied = upkeep.copy(&mut |done, total| {
        let now = Instant::now();
        if done < total && now.saturating_duration_since(last).as_millis() < 100 {
            return true;
        }
        last = now;
        say(stream, &Answer::Progress { done, total }).is_ok()
    });
    copied.map_err(|error| Failure::new(Code::Unavailable, format!("No backup was written: {error}.")))
}

fn hand_over(stream: &UnixStream, copy: File) -> io::Result<()> {
    let bytes = copy.metadata()?.len();
    let mut frame = Vec::new();
    put_control(&mut frame, &Answer::Copied { bytes });
    // The kernel takes some bytes whole or not at all, and what is said before is long read.
    if ssmglobal_sys::send_with(stream, &frame, &[copy.as_fd()])? < frame.len() {
        return Err(io::ErrorKind::WriteZero.into());
    }
    log::info!("a backup of {bytes} bytes was handed over");
    Ok(())
}

fn say(mut stream: &UnixStream, answer: &Answer) -> io::Result<()> {
    let mut frame = Vec::new();
    put_control(&mut frame, answer);
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&frame)
}

pub(super) fn backup(store: &dyn Store, file: &str, tell: &mut dyn FnMut(Answer)) -> Result<Answer, Failure> {
    let mut last = Instant::now();
    let Some(upkeep) = store.upkeep() else { return Err(no_file()) };
    let written = upkeep.backup(Path::new(file), &mut |done, total| {
        let now = Instant::now();
        if done == total || now.saturating_duration_since(last).as_millis() >= 100 {
            last = now;
            tell(Answer::Progress { done, total });
        }
    });
    match written {
        Ok(bytes) => Ok(Answer::BackedUp { file: file.to_owned(), bytes }),
        Err(StoreError::Exists) => {
            Err(Failure::new(Code::Exists, format!("{file} exists already; it was left as it is.")))
        }
        Err(error) => Err(Failure::new(Code::Unavailable, format!("No backup was written: {error}."))),
    }
}

/// The database is no file of its own.
fn no_file() -> Failure {
    Failure::new(Code::Unavailable, "This database is not a file; its own tools look after it.")
}

pub(super) fn verify(store: &dyn Store, file: Option<&str>) -> Result<Answer, Failure> {
    let living = store.upkeep();
    let path = file.map(Path::new).or_else(|| living.map(Upkeep::path)).ok_or_else(no_file)?;
    let found = match living.filter(|living| same(living.path(), path)) {
        Some(living) => living.verify(),
        None => ssmglobal_store::verify(path),
    };
    let found = found.map_err(|error| Failure::new(Code::Unavailable, format!("The database says: {error}.")))?;
    Ok(Answer::Verified(verified(path, found)))
}

/// Whether both names are one file's.
fn same(one: &Path, other: &Path) -> bool {
    let found = std::fs::metadata(one).ok().zip(std::fs::metadata(other).ok());
    found.is_some_and(|(one, other)| (one.dev(), one.ino()) == (other.dev(), other.ino()))
}

/// What was found in a file, as the operator is told it.
pub fn verified(file: &Path, found: Verification) -> Verified {
    let Verification { problems, schema, players, mails, records, settings } = found;
    let (file, ok) = (file.display().to_string(), problems.is_empty());
    Verified { file, ok, problems, schema, players, mails, records, settings }
}
