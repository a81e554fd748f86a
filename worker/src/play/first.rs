//! The first line of a connection that leads straight into a world: a crawler may ask by it what lists of games show
//! (`MSSP-REQUEST`), and is answered by us. Runs in a worker; pure.

use crate::commands::MSSP_REQUEST;
use serde::{Deserialize, Serialize};

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirstLine {
    /// It was another one, or is none of ours.
    #[default]
    Over,
    /// It may still become that: so many bytes of it have come, and are kept back as they came.
    Begun(Vec<u8>),
    /// It was that, and has ended with CR: LF or NUL behind it belongs to it.
    AfterReturn,
}

impl FirstLine {
    /// Nothing has come yet.
    pub fn begin() -> FirstLine {
        FirstLine::Begun(Vec::new())
    }

    /// Something has come; what is not for us is appended to `typed`. Whether a crawler has asked.
    pub fn take(&mut self, come: &[u8], typed: &mut Vec<u8>) -> bool {
        let mut asked = false;
        let mut rest = come;
        while let Some((&byte, behind)) = rest.split_first() {
            match self {
                FirstLine::Over => break,
                FirstLine::AfterReturn => {
                    *self = FirstLine::Over;
                    if matches!(byte, b'\n' | 0) {
                        rest = behind;
                    }
                }
                FirstLine::Begun(line) => match MSSP_REQUEST.as_bytes().get(line.len()) {
                    Some(wanted) if wanted.eq_ignore_ascii_case(&byte) => {
                        line.push(byte);
                        rest = behind;
                    }
                    None if matches!(byte, b'\r' | b'\n') => {
                        *self = if byte == b'\r' { FirstLine::AfterReturn } else { FirstLine::Over };
                        asked = true;
                        rest = behind;
                    }
                    _ => self.give_up(typed),
                },
            }
        }
        typed.extend_from_slice(rest);
        asked
    }

    /// What was kept back is not: nothing is to wait here.
    pub fn give_up(&mut self, typed: &mut Vec<u8>) {
        if let FirstLine::Begun(line) = std::mem::take(self) {
            typed.extend(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of this, however it comes.
    fn of(come: &[u8]) -> (bool, Vec<u8>) {
        let (mut first, mut typed) = (FirstLine::begin(), Vec::new());
        let whole = (first.take(come, &mut typed), typed);
        for at in 0..=come.len() {
            let (mut first, mut typed) = (FirstLine::begin(), Vec::new());
            let (one, other) = come.split_at(at);
            let asked = first.take(one, &mut typed);
            let moved = serde_json::to_string(&first).unwrap();
            let mut first: FirstLine = serde_json::from_str(&moved).unwrap();
            let asked = first.take(other, &mut typed) || asked;
            assert_eq!((asked, &typed), (whole.0, &whole.1), "{at}");
        }
        let (mut first, mut typed) = (FirstLine::begin(), Vec::new());
        let mut asked = false;
        for byte in come {
            asked |= first.take(&[*byte], &mut typed);
        }
        assert_eq!((asked, typed), whole);
        whole
    }

    #[test]
    fn a_crawler_asks_by_the_first_line_however_it_comes_and_ends() {
        for end in ["\n", "\r\n", "\r\0", "\r"] {
            for word in ["MSSP-REQUEST", "mssp-request"] {
                assert_eq!(of(format!("{word}{end}").as_bytes()), (true, Vec::new()), "{word}{end:?}");
                let more = format!("{word}{end}look{end}");
                assert_eq!(of(more.as_bytes()), (true, format!("look{end}").into_bytes()), "{more:?}");
            }
        }
        assert_eq!(of(b"MSSP-REQUEST\n\nlook\n"), (true, b"\nlook\n".to_vec()));
    }

    #[test]
    fn any_other_line_is_for_the_world() {
        for line in ["", "\r\n", "look\r\n", "MSSP-REQUESTS\r\n", "MSSP\r\n", "mssp-reques\r\nt\r\n", "\u{ff}\r\n"] {
            let then = format!("{line}MSSP-REQUEST\r\n");
            let expected = if line.is_empty() { (true, Vec::new()) } else { (false, then.clone().into_bytes()) };
            assert_eq!(of(then.as_bytes()), expected, "{line:?}");
        }
    }

    #[test]
    fn what_was_kept_back_goes_on_when_nothing_is_to_wait() {
        let (mut first, mut typed) = (FirstLine::begin(), Vec::new());
        assert!(!first.take(b"mssp", &mut typed));
        assert_eq!(typed, b"");
        first.give_up(&mut typed);
        assert!(!first.take(b"-request\r\n", &mut typed));
        assert_eq!(typed, b"mssp-request\r\n");
    }
}
