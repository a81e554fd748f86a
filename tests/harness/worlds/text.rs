//! What a person sees, checked to the last byte: whole letters, lines that end in CR LF, no stray control characters. Pure.

use super::profile::{Letters, Profile};

/// The text of a connection so far.
#[derive(Default)]
pub struct Text {
    /// All of it; lines end in `\n`.
    pub shown: String,
    /// Where prompts were marked to end.
    pub prompts: Vec<usize>,
    /// The beginning of a letter whose rest has not come.
    letter: Vec<u8>,
    after_return: bool,
    /// Inside of a sequence that begins with ESC.
    escape: Escape,
}

#[derive(Default, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    Begun,
    Csi,
}

impl Text {
    /// More has come; `markup` tells whether its sequences may be in it.
    pub fn take(&mut self, bytes: &[u8], profile: &Profile, markup: bool) -> Result<(), String> {
        for &byte in bytes {
            match profile.letters {
                Letters::Latin1 => self.letter(char::from(byte), profile, markup)?,
                Letters::Ascii if byte > 126 => return Err(format!("byte {byte} for one who reads ASCII")),
                Letters::Ascii => self.letter(char::from(byte), profile, markup)?,
                Letters::Utf8 => {
                    self.letter.push(byte);
                    match std::str::from_utf8(&self.letter) {
                        Ok(text) => {
                            let letter = text.chars().next().expect("one letter");
                            self.letter.clear();
                            self.letter(letter, profile, markup)?;
                        }
                        Err(error) if error.error_len().is_none() => {}
                        Err(_) => return Err(format!("{:?} is not UTF-8", self.letter)),
                    }
                }
            }
        }
        Ok(())
    }

    /// A prompt ends here.
    pub fn mark(&mut self) {
        self.prompts.push(self.shown.len());
    }

    /// Nothing more comes: nothing may be half there.
    pub fn end(&self) -> Result<(), String> {
        if self.letter.is_empty() && !self.after_return && self.escape == Escape::None {
            return Ok(());
        }
        Err("the text ends in the middle of a letter, a line end or a sequence".to_owned())
    }

    fn letter(&mut self, letter: char, profile: &Profile, markup: bool) -> Result<(), String> {
        if std::mem::take(&mut self.after_return) {
            match letter {
                '\n' => self.shown.push('\n'),
                '\0' => self.shown.push('\r'),
                other => return Err(format!("{other:?} behind a carriage return")),
            }
            return Ok(());
        }
        match self.escape {
            Escape::Begun if letter == '[' => self.escape = Escape::Csi,
            Escape::Begun => return Err(format!("ESC {letter:?} is no sequence for a terminal")),
            Escape::Csi if matches!(letter, ' '..='?') => {}
            Escape::Csi if letter == 'z' && !markup => return Err("markup that was not agreed on".to_owned()),
            Escape::Csi if letter.is_ascii_alphabetic() => self.escape = Escape::None,
            Escape::Csi => return Err(format!("{letter:?} in a sequence for a terminal")),
            Escape::None => match letter {
                '\r' => {
                    self.after_return = true;
                    return Ok(());
                }
                '\u{1b}' if profile.bare => return Err("a sequence for one who reads text alone".to_owned()),
                '\u{1b}' => self.escape = Escape::Begun,
                '\u{7}' if profile.bare => return Err("a bell for one who reads text alone".to_owned()),
                '\t' | '\u{7}' => {}
                other if other.is_control() => return Err(format!("a stray {other:?}")),
                _ => {}
            },
        }
        self.shown.push(letter);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], profile: &Profile) -> Result<String, String> {
        let mut text = Text::default();
        for byte in bytes {
            text.take(&[*byte], profile, false)?;
        }
        text.end()?;
        Ok(text.shown)
    }

    #[test]
    fn text_is_read_as_the_client_reads_it() {
        assert_eq!(read("zoë\r\n\tß\r\0".as_bytes(), &Profile::none()).unwrap(), "zoë\n\tß\r");
        assert_eq!(read(b"zo\xeb", &Profile::none().reading(Letters::Latin1)).unwrap(), "zoë");
        assert_eq!(read(b"\x1b[1;31mred\x1b[0m\x07", &Profile::tf5()).unwrap(), "\u{1b}[1;31mred\u{1b}[0m\u{7}");
    }

    #[test]
    fn what_no_client_should_get_is_a_fault() {
        for wrong in [&b"zo\xeb."[..], b"zo\xc3", b"a\n", b"a\rb", b"a\0", b"\x1b]0;title", b"\x1b[1z", b"\x7f", b"\r"]
        {
            assert!(read(wrong, &Profile::tintin()).is_err(), "{wrong:?}");
        }
        for (wrong, profile) in [
            (&b"\x1b[1m"[..], Profile::screen_reader()),
            (b"\x07", Profile::none()),
            (b"zo\xeb", Profile::telnet().reading(Letters::Ascii)),
            (b"\x85", Profile::telnet().reading(Letters::Latin1)),
        ] {
            assert!(read(wrong, &profile).is_err(), "{wrong:?}");
        }
        let mut text = Text::default();
        text.take(b"\x1b[1z<b>", &Profile::tintin(), true).unwrap();
    }
}
