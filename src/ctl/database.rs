//! `ssmglobal ctl backup` and `verify`: the database file as a whole.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ssmglobal_ipc::Code;
use ssmglobal_ipc::ctl::{Ask, Verified};
use ssmglobal_store::StoreError;

use super::table::{bytes, facts, number};
use super::trouble::Trouble;
use crate::print::clean;

/// The question for a backup into this file.
pub fn backup(file: &Path) -> Result<Ask, Trouble> {
    Ok(Ask::Backup { file: absolute(file)? })
}

/// The question for a look at this file, or at the live database.
pub fn verify(file: Option<&Path>) -> Result<Ask, Trouble> {
    Ok(Ask::Verify { file: file.map(absolute).transpose()? })
}

/// Whether this is the database of the backend with this data directory: the backend itself can look at that best. Any other
/// file is for whoever asks, who may read what the backend may not.
pub fn is_living(data: &Path, file: &Path) -> bool {
    let found = |path: &Path| std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    found(file).is_some_and(|it| found(&data.join(ssmglobal_handler::DATABASE)) == Some(it))
}

/// Looks at a file without the backend, which does not run.
pub fn verify_here(file: &Path) -> Result<Verified, Trouble> {
    let shown = absolute(file)?;
    let found = ssmglobal_store::verify(Path::new(&shown)).map_err(|error| match error {
        // Its own words speak of writing, which nobody has tried here.
        StoreError::Unavailable(why) => Trouble::Here(Code::Unavailable, format!("cannot check the file: {why}")),
        error => Trouble::invalid(format!("cannot check {shown}: {error}")),
    })?;
    Ok(ssmglobal_handler::verified(Path::new(&shown), found))
}

/// The handler has a working directory of its own, so it needs the whole path.
pub fn absolute(file: &Path) -> Result<String, Trouble> {
    let path: PathBuf = std::path::absolute(file)
        .map_err(|error| Trouble::invalid(format!("cannot tell where {} is: {error}", file.display())))?;
    path.into_os_string()
        .into_string()
        .map_err(|path| Trouble::invalid(format!("{} is not UTF-8: name a file that is", Path::new(&path).display())))
}

/// What a backup has made.
pub fn backed_up_text(file: &str, length: u64) -> String {
    let file = clean(file);
    format!("{file} is written ({}). Look at it with `ssmglobal ctl verify {file}`.\n", bytes(length))
}

/// As [`backed_up_text`], of one that went to standard output.
pub fn copied_text(length: u64) -> String {
    format!("The backup is written ({}).\n", bytes(length))
}

/// What a check has found.
pub fn verified_text(verified: &Verified) -> String {
    let mut text = facts(&[
        ("file", verified.file.clone()),
        ("schema", verified.schema.to_string()),
        ("players", number(verified.players)),
        ("mails", number(verified.mails)),
        ("records", number(verified.records)),
        ("settings", number(verified.settings)),
    ]);
    for problem in &verified.problems {
        text.push_str(&format!("wrong: {}\n", clean(problem)));
    }
    text.push_str(match (verified.ok, verified.schema) {
        (true, _) => "Nothing is wrong with it.\n",
        (false, 0) => "It is no database that this program can use. Is it the right file?\n",
        (false, _) => "Do not trust it. Keep a copy, stop the backend, and `ssmglobal restore` the last good backup.\n",
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backend_gets_whole_paths() {
        let Ask::Backup { file } = backup(Path::new("b.db")).unwrap() else { panic!() };
        assert!(Path::new(&file).is_absolute() && file.ends_with("/b.db"), "{file}");
        assert_eq!(verify(None).unwrap(), Ask::Verify { file: None });
    }

    #[test]
    fn a_missing_file_is_told_without_the_backend() {
        let missing = std::env::temp_dir().join(format!("ssmglobal-missing-{}.db", std::process::id()));
        let text = verify_here(&missing).unwrap_err().to_string();
        assert!(text.contains("ssmglobal-missing") && !text.contains("write"), "{text}");
    }
}
