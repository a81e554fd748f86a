//! CHARSET (RFC 2066): agreeing on UTF-8, or on what a client's owner takes besides. Runs in the worker.

use serde::{Deserialize, Serialize};

use crate::codes::{option, write_subnegotiation};
use crate::negotiation::{Party, Side, sides};
use crate::terminal::{Agreed, Terminal, is_utf8};

const REQUEST: u8 = 1;
const ACCEPTED: u8 = 2;
const REJECTED: u8 = 3;

/// How many of the peer's requests are answered per connection; one is usual.
const ANSWERS: u8 = 8;

/// What became of our request. Only ever appended to: [`crate::TelnetBefore`] knows them by their places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Request {
    /// There was none.
    #[default]
    NotSent,
    /// It is not answered yet.
    Pending,
    /// It was answered, or is not needed any more. What was agreed on is in [`Terminal::utf8`].
    Settled,
}

/// The option on both sides, our request, and how many of theirs were answered.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Charset {
    pub(crate) ours: Side,
    pub(crate) theirs: Side,
    pub(crate) request: Request,
    pub(crate) answered: u8,
}

/// How an end of the connection stands to CHARSET.
#[derive(Clone, Copy)]
pub(crate) struct Stand<'a> {
    /// Both may ask at once: then the client answers, and the server rejects, says the RFC.
    pub(crate) gives_way: bool,
    /// Whether it takes UTF-8 at all.
    pub(crate) takes_utf8: bool,
    /// The character sets that it takes, the best one first. Where there is none, UTF-8 alone counts.
    pub(crate) takes: &'a [Box<str>],
}

impl<'a> Stand<'a> {
    fn names(self) -> impl Iterator<Item = &'a str> {
        let utf8 = self.takes.is_empty() && self.takes_utf8;
        self.takes.iter().map(AsRef::as_ref).chain(utf8.then_some("UTF-8"))
    }

    /// What it takes best of a list that begins with its separator, as that spells it.
    fn choose(self, offered: &[u8]) -> Option<&[u8]> {
        let list = match offered.strip_prefix(b"[TTABLE]") {
            // A version number of one byte; we never use translation tables.
            Some(rest) => rest.get(1..)?,
            None => offered,
        };
        let (separator, list) = list.split_first()?;
        self.names().find_map(|name| list.split(|byte| byte == separator).find(|other| is_same(name.as_bytes(), other)))
    }

    fn takes(self, name: &[u8]) -> bool {
        self.names().any(|own| is_same(own.as_bytes(), name))
    }
}

impl Charset {
    sides! {
        Party::Us, option::CHARSET => ours;
        Party::Them, option::CHARSET => theirs;
    }

    /// Once the peer will listen: requests what is taken, once.
    pub(crate) fn request(&mut self, stand: Stand<'_>, out: &mut Vec<u8>) {
        if self.ours.is_on() && self.request == Request::NotSent {
            let list: String = stand.names().flat_map(|name| [";", name]).collect();
            if !list.is_empty() {
                self.request = Request::Pending;
                write_subnegotiation(out, option::CHARSET, &[&[REQUEST], list.as_bytes()]);
            }
        }
    }

    /// The peer has forgotten what was agreed on, or another one has taken its place.
    pub(crate) fn begin_anew(&mut self) {
        (self.request, self.answered) = (Request::NotSent, 0);
    }

    /// Takes over the body of a CHARSET subnegotiation. True if the terminal changed.
    pub(crate) fn receive(
        &mut self,
        body: &[u8],
        stand: Stand<'_>,
        terminal: &mut Terminal,
        out: &mut Vec<u8>,
    ) -> bool {
        if !(self.ours.is_wanted() || self.theirs.is_wanted()) {
            return false;
        }
        match body.split_first() {
            Some((&REQUEST, offered)) => self.answer(offered, stand, terminal, out),
            Some((&ACCEPTED, name)) if self.request == Request::Pending => {
                self.request = Request::Settled;
                if stand.takes(name) { terminal.settle_charset(name) } else { terminal.settle_utf8(Agreed::No) }
            }
            Some((&REJECTED, _)) if self.request == Request::Pending => {
                self.request = Request::Settled;
                terminal.settle_utf8(Agreed::No)
            }
            _ => false,
        }
    }

    fn answer(&mut self, offered: &[u8], stand: Stand<'_>, terminal: &mut Terminal, out: &mut Vec<u8>) -> bool {
        if self.answered == ANSWERS {
            return false;
        }
        self.answered += 1;
        let both_ask = self.request == Request::Pending;
        match stand.choose(offered) {
            Some(name) if stand.gives_way || !both_ask => {
                if stand.gives_way {
                    // The server rejects the one that is on its way, and that means nothing.
                    self.request = Request::Settled;
                }
                write_subnegotiation(out, option::CHARSET, &[&[ACCEPTED], name]);
                terminal.settle_charset(name)
            }
            found => {
                write_subnegotiation(out, option::CHARSET, &[&[REJECTED]]);
                found.is_none() && !both_ask && terminal.lacks_utf8()
            }
        }
    }
}

/// Whether both names are of one character set.
fn is_same(name: &[u8], other: &[u8]) -> bool {
    name.eq_ignore_ascii_case(other) || (is_utf8(name) && is_utf8(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: Stand<'_> = Stand { gives_way: false, takes_utf8: true, takes: &[] };
    const CLIENT: Stand<'_> = Stand { gives_way: true, takes_utf8: true, takes: &[] };

    /// One for which the option was agreed on, both ways.
    fn agreed() -> Charset {
        let mut charset = Charset::default();
        charset.ours.receive(true);
        charset.theirs.receive(true);
        charset
    }

    /// One that has asked.
    fn asking(stand: Stand<'_>) -> Charset {
        let (mut charset, mut out) = (agreed(), Vec::new());
        charset.request(stand, &mut out);
        charset.request(stand, &mut out);
        assert_eq!(out, b"\xff\xfa\x2a\x01;UTF-8\xff\xf0", "once");
        charset
    }

    /// What is agreed on after the peer has said this, and what it is answered.
    fn hear(charset: &mut Charset, stand: Stand<'_>, said: &[&[u8]]) -> (Agreed, Vec<u8>) {
        let (mut terminal, mut out) = (Terminal::default(), Vec::new());
        for body in said {
            charset.receive(body, stand, &mut terminal, &mut out);
        }
        (terminal.utf8(), out)
    }

    const NO: &[u8] = b"\xff\xfa\x2a\x03\xff\xf0";
    const UTF8: &[u8] = b"\xff\xfa\x2a\x02UTF-8\xff\xf0";

    #[test]
    fn utf8_is_accepted_with_any_separator() {
        for list in ["\x01;UTF-8", "\x01 ISO-8859-1 UTF-8 ASCII", "\x01,utf-8", "\x01[TTABLE]\x01;X;UTF-8"] {
            let (utf8, out) = hear(&mut agreed(), SERVER, &[list.as_bytes()]);
            assert_eq!(utf8, Agreed::Yes, "{list}");
            assert!(out.to_ascii_uppercase().starts_with(UTF8), "{list}");
        }
    }

    #[test]
    fn other_lists_are_rejected() {
        for list in ["\x01", "\x01;", "\x01;ISO-8859-1", "\x01[TTABLE]", "\x01;UTF-16;UTF-88"] {
            assert_eq!(hear(&mut agreed(), SERVER, &[list.as_bytes()]), (Agreed::No, NO.to_vec()), "{list}");
        }
    }

    #[test]
    fn our_request_accepted_or_rejected() {
        for (answer, expected) in [(&b"\x02UTF-8"[..], Agreed::Yes), (b"\x03", Agreed::No), (b"\x02KOI8-R", Agreed::No)]
        {
            assert_eq!(hear(&mut asking(SERVER), SERVER, &[answer]), (expected, vec![]));
        }
    }

    #[test]
    fn nothing_is_heard_before_the_option_is_wanted_and_nothing_requested_before_it_is_on() {
        let mut charset = Charset::default();
        assert_eq!(hear(&mut charset, SERVER, &[b"\x01;UTF-8"]), (Agreed::Unknown, vec![]));
        charset.ours.ask(true);
        let mut out = Vec::new();
        charset.request(SERVER, &mut out);
        assert_eq!(out, b"");
        assert_eq!(hear(&mut charset, SERVER, &[b"\x01;UTF-8"]), (Agreed::Yes, UTF8.to_vec()));
    }

    #[test]
    fn an_answer_without_a_question_is_ignored() {
        assert_eq!(hear(&mut agreed(), SERVER, &[b"\x02UTF-8"]), (Agreed::Unknown, vec![]));
    }

    #[test]
    fn a_server_that_asks_rejects_what_is_asked_at_once() {
        let mut charset = asking(SERVER);
        assert_eq!(hear(&mut charset, SERVER, &[b"\x01;UTF-8"]), (Agreed::Unknown, NO.to_vec()));
        assert_eq!(hear(&mut charset, SERVER, &[b"\x01;KOI8-R"]), (Agreed::Unknown, NO.to_vec()));
        assert_eq!(hear(&mut charset, SERVER, &[b"\x02UTF-8"]), (Agreed::Yes, vec![]));
    }

    #[test]
    fn a_client_that_asks_answers_what_is_asked_at_once() {
        let said: [&[u8]; 2] = [b"\x01;UTF-8", b"\x03"];
        assert_eq!(hear(&mut asking(CLIENT), CLIENT, &said), (Agreed::Yes, UTF8.to_vec()));
        let said: [&[u8]; 2] = [b"\x01;KOI8-R", b"\x03"];
        assert_eq!(hear(&mut asking(CLIENT), CLIENT, &said), (Agreed::No, NO.to_vec()));
    }

    #[test]
    fn a_client_that_has_agreed_on_utf8_does_not_ask_for_it() {
        let (mut charset, mut out) = (agreed(), Vec::new());
        hear(&mut charset, CLIENT, &[b"\x01;UTF-8"]);
        charset.request(CLIENT, &mut out);
        assert_eq!(out, b"");
    }

    #[test]
    fn who_takes_no_utf8_neither_asks_for_it_nor_accepts_it() {
        let (stand, mut charset, mut out) = (Stand { takes_utf8: false, ..CLIENT }, agreed(), Vec::new());
        charset.request(stand, &mut out);
        assert_eq!(out, b"");
        assert_eq!(hear(&mut charset, stand, &[b"\x01;UTF-8"]), (Agreed::No, NO.to_vec()));
    }

    #[test]
    fn another_list_does_not_undo_what_was_agreed_on_and_a_better_one_undoes_a_refusal() {
        let (mut charset, mut terminal, mut out) = (agreed(), Terminal::default(), Vec::new());
        let mut utf8_after = |body: &[u8]| {
            charset.receive(body, SERVER, &mut terminal, &mut out);
            terminal.utf8()
        };
        assert_eq!(utf8_after(b"\x01;KOI8-R"), Agreed::No);
        assert_eq!(utf8_after(b"\x01;UTF-8"), Agreed::Yes);
        assert_eq!(utf8_after(b"\x01;KOI8-R"), Agreed::Yes);
    }

    #[test]
    fn requests_for_ever_are_not_answered_for_ever() {
        let mut charset = agreed();
        let answers = (0..1000).filter(|_| !hear(&mut charset, SERVER, &[b"\x01;X"]).1.is_empty()).count();
        assert_eq!(answers, usize::from(ANSWERS));
    }
}
