//! What the operator has lists of games told by MSSP: lines as `GENRE=Fantasy`. Used by all processes; does no I/O.

/// The most bytes of all of it.
pub const BYTES: usize = 4096;

/// The names and values, as they stand there. A name may stand there several times, and has several values then.
pub fn variables(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(variable)
}

/// The first line that says nothing of the kind; empty ones are passed over.
pub(crate) fn first_wrong(text: &str) -> Option<&str> {
    text.lines().find(|line| !line.trim().is_empty() && variable(line).is_none())
}

fn variable(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let sound = !name.is_empty() && !value.is_empty() && !line.chars().any(|c| c.is_control() && c != '\t');
    sound.then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_names_and_values() {
        let text = "GENRE = Fantasy\r\n\nPORT=23\nPORT=4201\nWEBSITE=https://example.org/?a=b\n";
        let known = [("GENRE", "Fantasy"), ("PORT", "23"), ("PORT", "4201"), ("WEBSITE", "https://example.org/?a=b")];
        assert_eq!(variables(text).collect::<Vec<_>>(), known);
        assert_eq!(first_wrong(text), None);
    }

    #[test]
    fn a_line_without_a_name_or_a_value_is_found() {
        for wrong in ["GENRE", "=Fantasy", "GENRE=", "GENRE=\u{1}x", "GENRE=a\u{1b}[1m"] {
            assert_eq!(first_wrong(&format!("NAME=x\n{wrong}\nFAMILY=y")), Some(wrong));
        }
    }
}
