//! Plain aligned text for people: tables and lists of facts. Everything that goes into a cell is cleaned
//! here, whoever wrote it.

use unicode_width::UnicodeWidthStr;

use crate::print::clean;

/// Between two columns.
const GAP: &str = "  ";

/// How a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// To the left, as words are.
    Left,
    /// To the right, as numbers are.
    Right,
}

/// A table of `N` columns; line ends included, no space at the end of a line.
pub fn table<const N: usize>(columns: [(&str, Align); N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let head = columns.map(|(name, _)| name.to_owned());
    let rows: Vec<[String; N]> =
        std::iter::once(head).chain(rows.into_iter().map(|row| row.map(|cell| clean(&cell).into_owned()))).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(columns).zip(widths);
        let cells: Vec<String> = cells.map(|((cell, (_, align)), width)| padded(cell, width, align)).collect();
        text.push_str(cells.join(GAP).trim_end());
        text.push('\n');
    }
    text
}

/// Facts, one a line, their values below each other.
pub fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.width() + 1).max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in facts {
        let line = padded(&format!("{name}:"), width, Align::Left) + GAP + &clean(value);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// `format!`'s own padding counts characters, and some take two columns or none.
fn padded(cell: &str, width: usize, align: Align) -> String {
    let room = " ".repeat(width.saturating_sub(cell.width()));
    match align {
        Align::Left => format!("{cell}{room}"),
        Align::Right => format!("{room}{cell}"),
    }
}

/// A number with its thousands apart: `1,234,567`.
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length in bytes, as people read it.
pub fn bytes(value: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| value >= *unit) {
        // Tenths in whole numbers: a float would round a large file.
        Some((unit, name)) => {
            let tenths = u128::from(value) * 10 / u128::from(*unit);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
        None => format!("{value} bytes"),
    }
}

/// A span of time in its largest whole unit: `42 s`, `7 min`, `3 h`, `12 d`.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_with_wide_names() {
        let rows = [("alice", "7"), ("日本", "12"), ("e\u{301}ve", "-")].map(|(a, b)| [a, b].map(str::to_owned));
        let text = table([("NAME", Align::Left), ("N", Align::Right)], rows);
        assert_eq!(text, "NAME    N\nalice   7\n日本   12\ne\u{301}ve     -\n");
    }

    #[test]
    fn lines_have_no_space_at_the_end() {
        let text = table([("A", Align::Left), ("LONG", Align::Left)], [["x".to_owned(), String::new()]]);
        assert_eq!(text, "A  LONG\nx\n");
        assert_eq!(facts(&[("a", String::new()), ("bcd", "1".to_owned())]), "a:\nbcd:  1\n");
    }

    #[test]
    fn cells_cannot_steer_the_terminal() {
        let text = table([("A", Align::Left)], [["\x1b[2J\nb".to_owned()]]);
        assert_eq!(text, "A\n\\x1b[2J\\nb\n");
        assert!(facts(&[("reason", "\x07".to_owned())]).contains("\\x07"));
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0, 999, 1000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(u64::MAX), "17179869183.9 GiB");
        assert_eq!([59, 60, 7200, 90_000].map(span), ["59 s", "1 min", "2 h", "1 d"]);
    }
}
