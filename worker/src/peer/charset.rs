//! Which characters a terminal has: as it was said, agreed on, or found out by what it sends. Runs in a worker; pure.
//!
//! Only a person's terminal is listened to in this way: a program's line that is no UTF-8 is an error.
//!
//! What is found out:
//!
//! - A line that is no UTF-8 is Latin-1, and so is all that comes and goes from then on. Most such lines have a letter of
//!   Latin-1 at their end or before an ASCII one (`café`), where UTF-8 would be cut off: that is no reason to refuse it.
//! - A line is refused, and nothing follows from it, if any of it is built as a character of UTF-8: then it is UTF-8 that
//!   something has happened to. An overlong form and half a surrogate are built so too, and no letters of Latin-1.
//! - A line that is UTF-8, and not all ASCII, shows that what was found before was wrong: two letters of Latin-1 that happen
//!   to be one of UTF-8 are hardly ever typed.

use crate::render::Charset;
use serde::{Deserialize, Serialize};
use ssmglobal_telnet::Agreed;

/// What is known of it.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Charsets {
    /// The person has said so, which counts before all else.
    said: Option<Charset>,
    /// Found out: Latin-1, or UTF-8 after all.
    found: Option<Charset>,
    /// Found out just now. Quiet is only who has told that.
    #[serde(skip)]
    news: Option<Charset>,
}

impl Charsets {
    /// The person says which it is; none for what the terminal shows by itself.
    pub fn say(&mut self, said: Option<Charset>) {
        self.said = said;
    }

    /// Which it is, where telnet has agreed so on UTF-8.
    pub fn charset(&self, utf8: Agreed) -> Charset {
        match (self.said, utf8, self.found) {
            (Some(said), ..) => said,
            (None, Agreed::Yes, _) => Charset::Utf8,
            (None, _, Some(found)) => found,
            (None, Agreed::No, None) => Charset::Ascii,
            // Who has not spoken of it mostly takes UTF-8.
            (None, Agreed::Unknown, None) => Charset::Utf8,
        }
    }

    /// What was found out since the last time.
    pub fn take_news(&mut self) -> Option<Charset> {
        self.news.take()
    }

    /// Whether there is nothing that was found out and not told.
    pub fn is_quiet(&self) -> bool {
        self.news.is_none()
    }

    /// A line that is UTF-8 is put into `line`, as what it means.
    pub fn read(&mut self, text: &str, utf8: Agreed, line: &mut String) {
        line.clear();
        if self.said == Some(Charset::Latin1) {
            return put_latin1(text.as_bytes(), line);
        }
        if !text.is_ascii() && self.found == Some(Charset::Latin1) {
            self.find(Charset::Utf8, utf8);
        }
        line.push_str(text);
    }

    /// A line that is no UTF-8 is put into `line`, as what it means; gives whether it means anything.
    pub fn read_bytes(&mut self, bytes: &[u8], utf8: Agreed, line: &mut String) -> bool {
        line.clear();
        match self.said {
            Some(Charset::Latin1) => {}
            Some(Charset::Utf8) => return false,
            None if utf8 == Agreed::Yes => return false,
            None | Some(Charset::Ascii) if has_utf8(bytes) => return false,
            None | Some(Charset::Ascii) => self.find(Charset::Latin1, utf8),
        }
        put_latin1(bytes, line);
        true
    }

    fn find(&mut self, found: Charset, utf8: Agreed) {
        let before = self.charset(utf8);
        self.found = Some(found);
        // Where it was said otherwise, nothing changes.
        self.news = Some(found).filter(|_| self.charset(utf8) != before);
    }
}

/// Appends text of Latin-1, of which each byte is a character.
fn put_latin1(bytes: &[u8], line: &mut String) {
    line.extend(bytes.iter().map(|byte| char::from(*byte)));
}

/// Whether a part of it is built as a character of UTF-8 beyond ASCII: one byte that begins it and says how many go on.
fn has_utf8(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().any(|(at, byte)| {
        let more = match byte {
            0xc0..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf7 => 3,
            _ => return false,
        };
        let rest = bytes.get(at + 1..).and_then(|rest| rest.get(..more));
        rest.is_some_and(|rest| rest.iter().all(|byte| byte & 0xc0 == 0x80))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a line means, and what was found out by it.
    fn read(charsets: &mut Charsets, bytes: &[u8], utf8: Agreed) -> (Option<String>, Option<Charset>) {
        let mut line = "before".to_owned();
        let understood = match std::str::from_utf8(bytes) {
            Ok(text) => {
                charsets.read(text, utf8, &mut line);
                true
            }
            Err(_) => charsets.read_bytes(bytes, utf8, &mut line),
        };
        (understood.then_some(line), charsets.take_news())
    }

    #[test]
    fn bytes_that_are_no_utf8_are_latin1_from_then_on_and_that_is_news_once() {
        for utf8 in [Agreed::Unknown, Agreed::No] {
            let mut charsets = Charsets::default();
            let found = Some(Charset::Latin1);
            assert_eq!(read(&mut charsets, b"plain", utf8), (Some("plain".into()), None));
            assert_eq!(read(&mut charsets, b"caf\xe9", utf8), (Some("café".into()), found));
            assert_eq!(read(&mut charsets, b"zo\xeb \xfcber", utf8), (Some("zoë über".into()), None));
            assert_eq!(charsets.charset(utf8), Charset::Latin1);
        }
    }

    #[test]
    fn who_has_agreed_on_utf8_sends_nothing_else() {
        let mut charsets = Charsets::default();
        assert_eq!(read(&mut charsets, b"caf\xe9", Agreed::Yes), (None, None));
        assert_eq!(charsets, Charsets::default());
        // He may agree later than he has sent it.
        read(&mut charsets, b"caf\xe9", Agreed::Unknown);
        assert_eq!(charsets.charset(Agreed::Yes), Charset::Utf8);
    }

    #[test]
    fn utf8_that_something_has_happened_to_is_refused_and_nothing_follows_from_it() {
        for bytes in [
            &b"zo\xc3\xab \xc3"[..],
            b"\xabzo\xc3\xab",
            b"\xe6\x97\xa5\xe6\x97",
            b"\xc0\x80",
            b"\xc1\xbf",
            b"\xe0\x80\xaf",
            b"\xf0\x80\x80\xaf",
            b"\xed\xa0\x80",
            b"\xed\xa0\xbd\xed\xb8\x80",
            b"\xf4\x90\x80\x80",
        ] {
            let mut charsets = Charsets::default();
            assert_eq!(read(&mut charsets, bytes, Agreed::Unknown), (None, None), "{bytes:x?}");
            assert_eq!(charsets.charset(Agreed::Unknown), Charset::Utf8);
        }
        for (bytes, meant) in
            [(&b"zo\xc3"[..], "zoÃ"), (b"\xe9t\xe9", "été"), (b"na\xefve", "naïve"), (b"\xff\xfe", "ÿþ")]
        {
            assert_eq!(read(&mut Charsets::default(), bytes, Agreed::Unknown).0.as_deref(), Some(meant));
        }
    }

    #[test]
    fn letters_of_utf8_show_that_it_is_no_latin1_after_all() {
        let mut charsets = Charsets::default();
        read(&mut charsets, b"caf\xe9", Agreed::Unknown);
        let utf8 = read(&mut charsets, "zoë".as_bytes(), Agreed::Unknown);
        assert_eq!(utf8, (Some("zoë".into()), Some(Charset::Utf8)));
        assert_eq!(charsets.charset(Agreed::Unknown), Charset::Utf8);
    }

    #[test]
    fn what_was_said_counts_and_nothing_is_found_out_against_it() {
        let mut charsets = Charsets::default();
        charsets.say(Some(Charset::Utf8));
        assert_eq!(read(&mut charsets, b"caf\xe9", Agreed::No), (None, None));
        charsets.say(Some(Charset::Latin1));
        assert_eq!(read(&mut charsets, b"caf\xe9 \xc3\xab", Agreed::Yes), (Some("café Ã«".into()), None));
        assert_eq!(read(&mut charsets, "ë".as_bytes(), Agreed::Yes), (Some("Ã«".into()), None));
        charsets.say(Some(Charset::Ascii));
        assert_eq!(read(&mut charsets, b"caf\xe9", Agreed::Unknown), (Some("café".into()), None));
        assert_eq!(charsets.charset(Agreed::Unknown), Charset::Ascii);
        charsets.say(None);
        assert_eq!(charsets.charset(Agreed::Unknown), Charset::Latin1, "which was found out meanwhile");
    }
}
