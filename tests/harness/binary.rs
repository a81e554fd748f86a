//! The program under test, as it was built or made to look like another version.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The program under test.
pub fn program() -> Command {
    program_at(Path::new(env!("CARGO_BIN_EXE_ssmglobal")))
}

/// The program at this place.
pub fn program_at(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.env_remove("JOURNAL_STREAM").env_remove("NOTIFY_SOCKET");
    command
}

/// A copy of the program at this place, which says that it is of this version.
pub fn program_of_version(version: &str, path: &Path) {
    const STAMP: &str = concat!("ssmglobal version ", env!("CARGO_PKG_VERSION"));
    let stamp = format!("ssmglobal version {version}");
    assert_eq!(stamp.len(), STAMP.len(), "a stamp of another length would move what is behind it");
    let mut bytes = std::fs::read(env!("CARGO_BIN_EXE_ssmglobal")).expect("the program");
    let at = bytes.windows(STAMP.len()).position(|part| part == STAMP.as_bytes()).expect("its stamp");
    bytes[at..at + stamp.len()].copy_from_slice(stamp.as_bytes());
    write_program(path, &bytes);
}

/// A program at this place, in the place of one that may be running.
pub fn write_program(path: &Path, bytes: &[u8]) {
    let new = path.with_extension("new");
    // Another process writes it: one that a test forks in this moment would have it open as well, and what somebody has open for
    // writing cannot be run.
    let mut writer = Command::new("sh");
    writer.args(["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh"]).arg(&new).stdin(Stdio::piped());
    let mut writer = writer.spawn().expect("a shell");
    writer.stdin.take().expect("its input").write_all(bytes).expect("a program");
    assert!(writer.wait().expect("its end").success());
    std::fs::rename(new, path).expect("a program");
}
