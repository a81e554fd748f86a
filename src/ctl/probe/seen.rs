//! What a world says to who connects to it: a telnet client that agrees to what a player's program would agree to, and notes what
//! it is offered. Pure. Part of the operator's command.

use ssmglobal_config::play::Charset;
use ssmglobal_telnet::{Event, Mssp, Party, Presented, Role, Standing, Telnet, option};
use ssmglobal_worker::play::charset::Converter;
use ssmglobal_worker::play::login::Heard;
use ssmglobal_worker::play::names;

/// Bytes of a world's text that are looked at.
const MOST: usize = 64 << 10;

/// Options that are noted, at the most.
const OPTIONS: usize = 64;

/// By what a world marks the end of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// `IAC GA`.
    GoAhead,
    /// `IAC EOR`.
    EndOfRecord,
}

impl Mark {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Mark::GoAhead => "GA",
            Mark::EndOfRecord => "EOR",
        }
    }
}

/// A connection to a world, as far as it was heard.
pub struct Seen {
    telnet: Telnet,
    offered: Vec<(Party, u8)>,
    text: Vec<u8>,
    mark: Option<Mark>,
    mssp: Mssp,
    spoke: bool,
    hides: bool,
}

/// Options that a player's program has, by who performs them: the others are refused, for what a world would say by them is of no
/// use here.
const AGREED: [(Party, &[u8]); 2] = [
    (Party::Us, &[option::NAWS, option::TTYPE, option::NEW_ENVIRON, option::CHARSET, option::SGA, option::EOR]),
    (Party::Them, &[option::SGA, option::EOR, option::CHARSET, option::MSSP]),
];

/// Options that the telnet machine decides about by itself.
const DECIDED: [(Party, u8); 3] =
    [(Party::Us, option::BINARY), (Party::Them, option::BINARY), (Party::Them, option::ECHO)];

impl Seen {
    /// Nothing was heard yet of a world that has these characters, as its terms say. `address`: what it is told by MNES.
    pub fn new(charset: Charset, address: Option<String>) -> Seen {
        let charsets = names::offered(charset);
        let presented = Presented {
            width: Some(80),
            height: Some(24),
            client: Some("SSMGLOBAL".into()),
            name: Some("XTERM".into()),
            utf8: charset == Charset::Utf8,
            charsets,
            version: Some(ssmglobal_ipc::version().into()),
            address: address.map(Into::into),
            ..Presented::default()
        };
        let mut telnet = Telnet::new(Role::Client);
        // Nothing is open yet that could be answered.
        telnet.set_relaying(true, &mut Vec::new());
        telnet.present(presented, &mut Vec::new());
        let (offered, text, mssp) = (Vec::new(), Vec::new(), Mssp::default());
        Seen { telnet, offered, text, mark: None, mssp, spoke: false, hides: false }
    }

    /// The world has said this; split anywhere. What it is answered is appended to `to_world`.
    pub fn take(&mut self, mut said: &[u8], to_world: &mut Vec<u8>) {
        self.spoke |= !said.is_empty();
        while let Some(event) = self.telnet.next(&mut said, to_world) {
            match event {
                Event::Data(text) => {
                    let room = MOST.saturating_sub(self.text.len());
                    self.text.extend_from_slice(text.get(..room).unwrap_or(text));
                }
                Event::HideInput(hidden) => self.hides = hidden,
                Event::PromptEnd => {
                    let by_record = self.telnet.standing(Party::Them, option::EOR) == Standing::On;
                    self.mark = Some(if by_record { Mark::EndOfRecord } else { Mark::GoAhead });
                }
                Event::Wants { party, option } => {
                    self.note(party, option);
                    let yes = AGREED.iter().any(|(by, options)| *by == party && options.contains(&option));
                    self.telnet.answer(party, option, yes, to_world);
                }
                Event::Subnegotiation { option: option::MSSP } => {
                    self.mssp = Mssp::read(self.telnet.subnegotiation());
                }
                // It was not agreed on.
                Event::Compressed | Event::Subnegotiation { .. } => {}
                Event::Agreed { .. } | Event::Terminal | Event::Alive | Event::Command(_) => {}
                // What only a server hears.
                Event::Interrupt | Event::EraseCharacter | Event::EraseLine | Event::WantsMssp => {}
            }
        }
        for (party, option) in DECIDED {
            if self.telnet.standing(party, option) == Standing::On {
                self.note(party, option);
            }
        }
    }

    fn note(&mut self, party: Party, option: u8) {
        if !self.offered.contains(&(party, option)) && self.offered.len() < OPTIONS {
            self.offered.push((party, option));
        }
    }

    /// Makes of a line what goes over the wire, with its end.
    pub fn line(&self, line: &str, charset: Charset, out: &mut Vec<u8>) {
        let from = out.len();
        Converter::new(Charset::Utf8, self.charset_in_use(charset)).convert(line.as_bytes(), out);
        self.telnet.seal(out, from);
        out.extend_from_slice(b"\r\n");
    }

    /// Whether it has said anything, be it telnet alone.
    pub fn has_spoken(&self) -> bool {
        self.spoke
    }

    /// Whether there is as much as is looked at.
    pub fn is_full(&self) -> bool {
        self.text.len() >= MOST
    }

    /// The text without telnet, at most 64 KiB.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether it has sent any telnet command.
    pub fn speaks_telnet(&self) -> bool {
        self.telnet.speaks_telnet()
    }

    /// The options that one of the two would perform, by name: what the world offers to do, or wants to be done.
    pub fn options(&self, party: Party) -> Vec<String> {
        self.offered.iter().filter(|(by, _)| *by == party).map(|(_, option)| option_name(*option)).collect()
    }

    /// Whether the world has proposed an option.
    pub fn proposes(&self, party: Party, option: u8) -> bool {
        self.offered.contains(&(party, option))
    }

    /// By what it marks the end of a prompt, if it has done so.
    pub fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// The character set that was agreed on, by its name.
    pub fn charset(&self) -> Option<&str> {
        self.telnet.terminal().charset()
    }

    /// The one that is used: what was agreed on, or else what the terms say.
    pub fn charset_in_use(&self, set: Charset) -> Charset {
        self.charset().and_then(names::charset).unwrap_or(set)
    }

    /// What it tells about itself.
    pub fn mssp(&self) -> &Mssp {
        &self.mssp
    }

    /// Whether what is typed is to be hidden.
    pub fn hides(&self) -> bool {
        self.hides
    }

    /// Its lines without colours, read as the terms say where nothing was agreed on. The last one is what of a line has begun;
    /// it is empty behind a line's end.
    pub fn lines(&self, set: Charset) -> Vec<String> {
        let mut text = Vec::new();
        let mut converter = Converter::new(self.charset_in_use(set), Charset::Utf8);
        converter.convert(&self.text, &mut text);
        converter.finish(&mut text);
        let (mut lines, mut heard, mut rest) = (Vec::new(), Heard::default(), text.as_slice());
        while !rest.is_empty() {
            let (_, ended) = heard.take(&mut rest);
            if ended {
                lines.push(heard.line().into_owned());
                heard.clear();
            }
        }
        lines.push(heard.line().into_owned());
        lines
    }
}

/// An option's name, or its number.
fn option_name(number: u8) -> String {
    const NAMES: [(u8, &str); 20] = [
        (option::BINARY, "BINARY"),
        (option::ECHO, "ECHO"),
        (option::SGA, "SGA"),
        (option::TIMING_MARK, "TIMING-MARK"),
        (option::TTYPE, "TTYPE"),
        (option::EOR, "EOR"),
        (option::NAWS, "NAWS"),
        (option::LINEMODE, "LINEMODE"),
        (option::NEW_ENVIRON, "NEW-ENVIRON"),
        (option::CHARSET, "CHARSET"),
        (option::MSDP, "MSDP"),
        (option::MSSP, "MSSP"),
        (option::MCCP1, "MCCP1"),
        (option::MCCP2, "MCCP2"),
        (option::MCCP3, "MCCP3"),
        (option::MSP, "MSP"),
        (option::MXP, "MXP"),
        (option::ATCP, "ATCP"),
        (option::GMCP, "GMCP"),
        (option::START_TLS, "START-TLS"),
    ];
    NAMES.iter().find(|(known, _)| *known == number).map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Diku's first words: WILL EOR, DO NAWS, WILL MSSP, DO TTYPE, and a question with GA.
    const DIKU: &[u8] = b"\xff\xfb\x19\xff\xfd\x1f\xff\xfb\x46\xff\xfd\x18\xff\xfb\x56\r\nThe \x1b[1mZoo\x1b[0m.\r\nBy what name? \xff\xef";

    #[test]
    fn what_a_world_offers_is_noted_however_it_is_split() {
        let whole = |pieces: &[&[u8]]| {
            let (mut seen, mut out) = (Seen::new(Charset::Ascii, None), Vec::new());
            pieces.iter().for_each(|piece| seen.take(piece, &mut out));
            (seen.options(Party::Them), seen.options(Party::Us), seen.lines(Charset::Ascii), seen.mark(), out)
        };
        let seen = whole(&[DIKU]);
        assert_eq!(seen.0, ["EOR", "MSSP", "MCCP2"]);
        assert_eq!(seen.1, ["NAWS", "TTYPE"]);
        assert_eq!(seen.2, ["", "The Zoo.", "By what name? "]);
        assert_eq!(seen.3, Some(Mark::EndOfRecord));
        // DONT MCCP2; DO MSSP.
        assert!(seen.4.windows(3).any(|answer| answer == b"\xff\xfe\x56"), "{:?}", seen.4);
        assert!(seen.4.windows(3).any(|answer| answer == b"\xff\xfd\x46"), "{:?}", seen.4);
        for at in 0..=DIKU.len() {
            let (first, second) = DIKU.split_at(at);
            assert_eq!(whole(&[first, second]), seen, "{at}");
        }
    }

    #[test]
    fn a_world_without_end_is_looked_at_as_far_as_there_is_room() {
        let mut seen = Seen::new(Charset::Utf8, None);
        (0..100).for_each(|_| seen.take(&[b'x'; 4096], &mut Vec::new()));
        assert!(seen.is_full() && seen.text().len() == MOST);
        for option in 0..=255 {
            seen.take(&[255, 251, option], &mut Vec::new());
        }
        assert!(seen.options(Party::Them).len() <= OPTIONS);
    }

    #[test]
    fn a_line_is_written_in_the_worlds_characters_with_255_doubled() {
        let mut out = Vec::new();
        Seen::new(Charset::Latin1, None).line("connect Zo\u{eb} \u{ff}", Charset::Latin1, &mut out);
        assert_eq!(out, b"connect Zo\xeb \xff\xff\r\n");
    }
}
