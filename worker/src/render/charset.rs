//! Text for a terminal that does not have all characters: what it lacks is written with what it has. Runs in a worker.

use deunicode::deunicode_with_tofu;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What stands for a character that cannot be written in another way.
const UNKNOWN: &str = "?";

/// The characters that a terminal has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Charset {
    /// All of them.
    #[default]
    Utf8,
    /// Those of ISO 8859-1, a byte each.
    Latin1,
    /// Those of ASCII.
    Ascii,
}

impl Charset {
    /// Its name, as people write it.
    pub fn name(self) -> &'static str {
        match self {
            Charset::Utf8 => "UTF-8",
            Charset::Latin1 => "Latin-1",
            Charset::Ascii => "ASCII",
        }
    }

    /// What people mean by a word.
    pub fn named(word: &str) -> Option<Charset> {
        let letters: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
        match letters.to_ascii_uppercase().as_str() {
            "UTF8" => Some(Charset::Utf8),
            "LATIN1" | "ISO88591" => Some(Charset::Latin1),
            "ASCII" | "USASCII" => Some(Charset::Ascii),
            _ => None,
        }
    }

    /// What marks that a text goes on where it was cut: one column wide.
    pub(super) fn ellipsis(self) -> char {
        if self == Charset::Utf8 { '…' } else { '~' }
    }

    fn has(self, c: char) -> bool {
        match self {
            Charset::Utf8 => true,
            Charset::Latin1 => c.is_ascii() || ('\u{a0}'..='\u{ff}').contains(&c),
            Charset::Ascii => c.is_ascii(),
        }
    }

    /// The text with what it has: `ü` becomes `u` where there is no `ü`, and `?` stands for what has no such form. Text that was
    /// cleaned stays so. To be measured behind this: one character may become several.
    pub(crate) fn written(self, text: Cow<'_, str>) -> Cow<'_, str> {
        if text.is_ascii() || text.chars().all(|c| self.has(c)) {
            return text;
        }
        let mut written = String::with_capacity(text.len());
        let mut rest: &str = &text;
        while let Some(lacking) = rest.find(|c| !self.has(c)) {
            let (good, behind) = rest.split_at(lacking);
            let (bad, behind) = behind.split_at(behind.find(|c| self.has(c)).unwrap_or(behind.len()));
            written.push_str(good);
            // Whole runs, for in some scripts a letter depends on its neighbours.
            written
                .extend(deunicode_with_tofu(bad, UNKNOWN).chars().map(|c| if c.is_ascii_control() { '?' } else { c }));
            rest = behind;
        }
        written.push_str(rest);
        Cow::Owned(written)
    }

    /// Appends text that was [written](Charset::written) as the bytes that mean it.
    pub(super) fn put(self, out: &mut Vec<u8>, text: &str) {
        match self {
            Charset::Latin1 => out.extend(text.chars().map(|c| u8::try_from(c).unwrap_or(b'?'))),
            Charset::Utf8 | Charset::Ascii => out.extend_from_slice(text.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::clean;

    fn bytes(charset: Charset, text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        charset.put(&mut out, &charset.written(text.into()));
        out
    }

    #[test]
    fn letters_that_are_not_there_are_written_with_those_that_are() {
        for (text, ascii) in [
            ("Ünïcödé", "Unicode"),
            ("zoë, Łódź, Straße", "zoe, Lodz, Strasse"),
            ("Привет", "Privet"),
            ("“so” – 5 €…", "\"so\" - 5 EUR..."),
            ("e\u{308}", "e"),
            ("\u{fffd}\u{10ffff}", "??"),
            ("plain", "plain"),
        ] {
            assert_eq!(bytes(Charset::Ascii, text), ascii.as_bytes(), "{text}");
        }
    }

    #[test]
    fn latin1_keeps_what_it_has() {
        assert_eq!(bytes(Charset::Latin1, "Zoë, Łódź ÿ½"), b"Zo\xeb, L\xf3dz \xff\xbd");
        assert_eq!(bytes(Charset::Latin1, "“é” Привет"), b"\"\xe9\" Privet");
        assert_eq!(bytes(Charset::Utf8, "Zoë 日本"), "Zoë 日本".as_bytes());
    }

    #[test]
    fn whatever_there_is_becomes_harmless_and_printable() {
        for c in ('\u{80}'..=char::MAX).filter(|c| clean(&c.to_string()) == c.to_string()) {
            for charset in [Charset::Ascii, Charset::Latin1] {
                let written = charset.written(c.to_string().into()).into_owned();
                assert!(written.chars().all(|c| charset.has(c)), "{c:?}: {written:?}");
                assert_eq!(clean(&written), written, "{c:?}");
                assert_eq!(charset.written(written.as_str().into()), written, "once is enough");
            }
        }
    }
}
