//! CHARSET (RFC 2066): agreeing on UTF-8, and on nothing else. Runs in the worker.

use crate::codes::{option, write_subnegotiation};
use crate::terminal::Terminal;
use serde::{Deserialize, Serialize};

const REQUEST: u8 = 1;
const ACCEPTED: u8 = 2;
const REJECTED: u8 = 3;

/// How many of the peer's requests are answered per connection; one is usual.
const ANSWERS: u8 = 8;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Ours {
    #[default]
    NotSent,
    Pending,
    Settled,
}

/// Our request and how many of theirs were answered.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Charset {
    ours: Ours,
    answered: u8,
}

impl Charset {
    /// The peer will listen: requests UTF-8, once.
    pub(crate) fn request(&mut self, out: &mut Vec<u8>) {
        if self.ours == Ours::NotSent {
            self.ours = Ours::Pending;
            write_subnegotiation(out, option::CHARSET, REQUEST, b";UTF-8");
        }
    }

    /// Takes over the body of a CHARSET subnegotiation. True if the terminal changed.
    pub(crate) fn receive(&mut self, body: &[u8], terminal: &mut Terminal, out: &mut Vec<u8>) -> bool {
        match body.split_first() {
            Some((&REQUEST, offered)) => self.answer(offered, terminal, out),
            Some((&ACCEPTED, name)) if self.ours == Ours::Pending => {
                self.ours = Ours::Settled;
                terminal.set_charset_utf8(is_utf8(name))
            }
            Some((&REJECTED, _)) if self.ours == Ours::Pending => {
                self.ours = Ours::Settled;
                terminal.set_charset_utf8(false)
            }
            _ => false,
        }
    }

    fn answer(&mut self, offered: &[u8], terminal: &mut Terminal, out: &mut Vec<u8>) -> bool {
        if self.answered == ANSWERS {
            return false;
        }
        self.answered += 1;
        match find_utf8(offered) {
            Some(name) if self.ours != Ours::Pending => {
                write_subnegotiation(out, option::CHARSET, ACCEPTED, name);
                terminal.set_charset_utf8(true)
            }
            found => {
                write_subnegotiation(out, option::CHARSET, REJECTED, &[]);
                // Both asked at once: the server rejects and the client answers, says the RFC.
                found.is_none() && self.ours != Ours::Pending && terminal.lacks_utf8()
            }
        }
    }
}

/// The peer's spelling of UTF-8 in a list that begins with its separator.
fn find_utf8(offered: &[u8]) -> Option<&[u8]> {
    let list = match offered.strip_prefix(b"[TTABLE]") {
        // A version number of one byte; we never use translation tables.
        Some(rest) => rest.get(1..)?,
        None => offered,
    };
    let (separator, names) = list.split_first()?;
    names.split(|byte| byte == separator).find(|name| is_utf8(name))
}

fn is_utf8(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"UTF-8") || name.eq_ignore_ascii_case(b"UTF8")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Agreed;

    fn receive(charset: &mut Charset, body: &[u8]) -> (Agreed, Vec<u8>) {
        let (mut terminal, mut out) = (Terminal::default(), Vec::new());
        charset.receive(body, &mut terminal, &mut out);
        (terminal.utf8(), out)
    }

    #[test]
    fn utf8_is_accepted_with_any_separator() {
        for list in ["\x01;UTF-8", "\x01 ISO-8859-1 UTF-8 ASCII", "\x01,utf-8", "\x01[TTABLE]\x01;X;UTF-8"] {
            let (utf8, out) = receive(&mut Charset::default(), list.as_bytes());
            assert_eq!(utf8, Agreed::Yes, "{list}");
            assert!(out.to_ascii_uppercase().starts_with(b"\xff\xfa\x2a\x02UTF-8\xff\xf0"), "{list}");
        }
    }

    #[test]
    fn other_lists_are_rejected() {
        for list in ["\x01", "\x01;", "\x01;ISO-8859-1", "\x01[TTABLE]", "\x01;UTF-16;UTF-88"] {
            let (utf8, out) = receive(&mut Charset::default(), list.as_bytes());
            assert_eq!(utf8, Agreed::No, "{list}");
            assert_eq!(out, b"\xff\xfa\x2a\x03\xff\xf0", "{list}");
        }
    }

    #[test]
    fn our_request_accepted_or_rejected() {
        for (answer, expected) in [(&b"\x02UTF-8"[..], Agreed::Yes), (b"\x03", Agreed::No), (b"\x02KOI8-R", Agreed::No)]
        {
            let mut charset = Charset::default();
            let mut out = Vec::new();
            charset.request(&mut out);
            charset.request(&mut out);
            assert_eq!(out, b"\xff\xfa\x2a\x01;UTF-8\xff\xf0");
            assert_eq!(receive(&mut charset, answer), (expected, vec![]));
        }
    }

    #[test]
    fn an_answer_without_a_question_is_ignored() {
        assert_eq!(receive(&mut Charset::default(), b"\x02UTF-8"), (Agreed::Unknown, vec![]));
    }

    #[test]
    fn both_ask_at_once() {
        let mut charset = Charset::default();
        charset.request(&mut Vec::new());
        let rejected = b"\xff\xfa\x2a\x03\xff\xf0".to_vec();
        assert_eq!(receive(&mut charset, b"\x01;UTF-8"), (Agreed::Unknown, rejected.clone()));
        assert_eq!(receive(&mut charset, b"\x01;KOI8-R"), (Agreed::Unknown, rejected));
        assert_eq!(receive(&mut charset, b"\x02UTF-8"), (Agreed::Yes, vec![]));
    }

    #[test]
    fn another_list_does_not_undo_what_was_agreed_on_and_a_better_one_undoes_a_refusal() {
        let (mut charset, mut terminal, mut out) = (Charset::default(), Terminal::default(), Vec::new());
        let mut utf8_after = |body: &[u8]| {
            charset.receive(body, &mut terminal, &mut out);
            terminal.utf8()
        };
        assert_eq!(utf8_after(b"\x01;KOI8-R"), Agreed::No);
        assert_eq!(utf8_after(b"\x01;UTF-8"), Agreed::Yes);
        assert_eq!(utf8_after(b"\x01;KOI8-R"), Agreed::Yes);
    }

    #[test]
    fn requests_for_ever_are_not_answered_for_ever() {
        let mut charset = Charset::default();
        let answers = (0..1000).filter(|_| !receive(&mut charset, b"\x01;X").1.is_empty()).count();
        assert_eq!(answers, usize::from(ANSWERS));
    }
}
