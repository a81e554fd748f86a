//! Printing for the operator's commands: a closed pipe (`| head`) ends it quietly, and text that others have
//! written cannot steer the terminal.

use serde::Serialize;
pub use ssmglobal_ipc::clean;
use ssmglobal_ipc::harmful;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Writes to standard output.
///
/// # Errors
/// Those of the write, except that nobody reads any more: that is no error.
pub fn out(text: &str) -> io::Result<()> {
    out_bytes(text.as_bytes())
}

/// As [`out`], for what is not text alone.
///
/// # Errors
/// As [`out`].
pub fn out_bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// As [`out`]; gives whether anybody still reads.
///
/// # Errors
/// Those of the write.
pub fn out_while_read(text: &str) -> io::Result<bool> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        result => result.map(|()| true),
    }
}

/// Writes a line to standard error. Where that is not possible there is nobody to tell.
pub fn note(text: &str) {
    // In one piece, or a line of the log may land in the middle.
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// Writes to standard error as it is, without a line end: prompts and progress.
pub fn prompt(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// As [`clean`], keeping line ends and tabs: for messages of several lines.
pub fn clean_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| clean(&line.replace('\t', "    ")).into_owned()).collect();
    lines.join("\n")
}

/// A value as one line of JSON without its end, harmless to a terminal.
pub fn json<T: Serialize + ?Sized>(value: &T) -> String {
    let mut bytes = Vec::new();
    ssmglobal_ipc::json::put(&mut bytes, value);
    clean_json(&String::from_utf8_lossy(&bytes))
}

/// JSON with what could steer a terminal escaped; it means the same. serde escapes only what JSON demands.
pub fn clean_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    let mut units = [0; 2];
    for c in json.chars() {
        if harmful(c) {
            for unit in c.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_lines() {
        assert_eq!(clean_lines("a\n\tb\x07"), "a\n    b\\x07");
    }

    #[test]
    fn clean_json_means_the_same() {
        let text = "\x1b\u{9b}\u{202e}\u{7f}é";
        let json = serde_json::to_string(text).unwrap();
        let cleaned = clean_json(&json);
        assert!(!cleaned.contains(['\u{9b}', '\u{202e}', '\u{7f}']));
        assert_eq!(serde_json::from_str::<String>(&cleaned).unwrap(), text);
    }
}
