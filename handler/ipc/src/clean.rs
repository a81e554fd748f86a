//! Text from one person made harmless before another person's terminal, or the log, sees it. Used in every process.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character could do something to a terminal, or to how a line reads, instead of being shown: C0, DEL and C1;
/// line and paragraph separators; marks, embeddings, overrides and isolates of the writing direction.
pub fn harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with control characters and the like written out: `\n`, `\x1b`, `\u{202e}`.
pub fn clean(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(harmful) else { return Cow::Borrowed(text) };
    let (good, rest) = text.split_at(first);
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(good);
    for c in rest.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if !harmful(c) => out.push(c),
            c if c.is_ascii() => _ = write!(out, "\\x{:02x}", u32::from(c)),
            c => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn what_steers_a_terminal_is_made_visible() {
        assert_eq!(clean("a\x1b[31mb\r\n\u{9b}2J\u{202e}"), "a\\x1b[31mb\\r\\n\\u{9b}2J\\u{202e}");
        assert_eq!(clean("Zoë — 日本"), "Zoë — 日本");
    }
}
