//! `ssmglobal ctl backup`: the handler makes a copy without a name, and this process, which is whoever asks, writes it where
//! he may.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::fd::AsFd;
use std::path::Path;

use ssmglobal_ipc::Code;
use ssmglobal_ipc::ctl::{Answer, Ask};
use ssmglobal_store::{BackupFile, StoreError};

use super::link::{Link, Patience};
use super::trouble::Trouble;
use super::{Progress, answer, database};
use crate::print;

/// The name that means standard output.
const OUTPUT: &str = "-";

/// Copies the database of the backend at the other end into this file. `again` connects once more: an older backend, which
/// ends the conversation, is asked in its own words.
pub fn run(
    link: Link,
    file: &Path,
    json: bool,
    again: &dyn Fn() -> Result<Link, Trouble>,
) -> Result<(Ask, Answer), Trouble> {
    match file == Path::new(OUTPUT) {
        true => to_output(link, json),
        false => to_file(link, file, json, again),
    }
}

fn to_file(
    mut link: Link,
    file: &Path,
    json: bool,
    again: &dyn Fn() -> Result<Link, Trouble>,
) -> Result<(Ask, Answer), Trouble> {
    let shown = database::absolute(file)?;
    // First: nobody should wait for a copy that cannot be put anywhere.
    let target = BackupFile::make(file).map_err(|error| not_written(file, error))?;
    match copied(&mut link, json) {
        Err(Trouble::Closed) => {
            drop(target);
            let ask = database::backup(file)?;
            again()?.ask(&ask, Patience::Endless, &mut |_, _| {}).map(|answer| (ask, answer))
        }
        copy => {
            let bytes = write(copy?, target.file()).map_err(|error| not_copied(&file.display().to_string(), &error))?;
            target.put_into_place().map_err(|error| not_written(file, error))?;
            Ok((Ask::BackupCopy, Answer::BackedUp { file: shown, bytes }))
        }
    }
}

fn to_output(mut link: Link, json: bool) -> Result<(Ask, Answer), Trouble> {
    let output = io::stdout();
    if output.is_terminal() {
        let how = "ssmglobal ctl backup - > FILE, or | another program";
        return Err(Trouble::invalid(format!("a backup is nothing to read: send it somewhere, as {how}")));
    }
    let copy = match copied(&mut link, json) {
        Err(Trouble::Closed) => {
            let how = "it is older than this program: upgrade it (`ssmglobal ctl upgrade`), or name a file";
            return Err(Trouble::Here(Code::Unavailable, format!("the backend cannot do that; {how}")));
        }
        copy => copy?,
    };
    let to = output.as_fd().try_clone_to_owned().map(File::from);
    let written = to.and_then(|to| {
        let bytes = write(copy, &to)?;
        // A pipe is nothing that could be brought to disk.
        if to.metadata()?.is_file() { to.sync_all().map(|()| bytes) } else { Ok(bytes) }
    });
    let bytes = written.map_err(|error| not_copied("standard output", &error))?;
    Ok((Ask::BackupCopy, Answer::Copied { bytes }))
}

/// What the handler has made, with its length.
fn copied(link: &mut Link, json: bool) -> Result<(File, u64), Trouble> {
    let mut progress = Progress::new(!json && io::stderr().is_terminal());
    let answer = link.ask(&Ask::BackupCopy, Patience::Endless, &mut |done, total| progress.show(done, total));
    progress.clear();
    match answer? {
        Answer::Copied { bytes } => Ok((link.file()?, bytes)),
        _ => Err(Trouble::Link("the backend has handed over no copy; look at its log".to_owned())),
    }
}

/// Writes all of it, and gives how much that was. What the handler hands over is a file of the length that it has said, or
/// nothing that should be waited for.
fn write((copy, bytes): (File, u64), mut to: &File) -> io::Result<u64> {
    let found = copy.metadata()?;
    let written = if found.is_file() { io::copy(&mut copy.take(bytes), &mut to)? } else { 0 };
    if written == bytes { Ok(bytes) } else { Err(io::Error::other("the copy that the backend has made is not whole")) }
}

/// Where it was to be put says no.
fn not_written(file: &Path, error: StoreError) -> Trouble {
    match error {
        StoreError::Exists => {
            Trouble::Here(Code::Exists, format!("{} exists already; it was left as it is", file.display()))
        }
        StoreError::Unavailable(why) => Trouble::Here(Code::Unavailable, format!("no backup was written: {why}")),
        error => Trouble::Here(Code::Unavailable, format!("no backup was written: {error}")),
    }
}

fn not_copied(to: &str, error: &io::Error) -> Trouble {
    let why = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "there is no room left".to_owned(),
        io::ErrorKind::BrokenPipe => "whoever was to read it has ended".to_owned(),
        _ => error.to_string(),
    };
    Trouble::Here(Code::Unavailable, format!("no whole backup was written to {to}: {why}"))
}

/// Says on standard error what was done, where standard output has the backup.
pub fn told_aside(answer: &Answer, json: bool) -> bool {
    let Answer::Copied { .. } = answer else { return false };
    print::note(if json { answer::json(&Ask::BackupCopy, answer) } else { answer::text(answer) }.trim_end());
    true
}
