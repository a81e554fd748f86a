//! Players' programs, as far as telnet sees them: what they agree to, and what they tell.

use crate::words::{Said, option, said};

/// One that negotiates as RFC 1143 wants it.
#[derive(Clone, Default)]
pub struct Program {
    /// It answers telnet at all.
    pub speaks: bool,
    /// What it performs when it is asked to.
    performs: Vec<u8>,
    /// What it lets the server perform.
    takes: Vec<u8>,
    /// The list of its terminal types.
    types: Vec<&'static str>,
    next_type: usize,
    size: [u8; 4],
    /// The body of its answer to NEW-ENVIRON.
    environ: &'static [u8],
    /// What it says when GMCP begins.
    greeting: Vec<&'static str>,
    /// What is in use: by itself, by the server.
    pub does: Vec<u8>,
    pub has: Vec<u8>,
    /// All that was to be shown, and all messages: option and body.
    pub shown: Vec<u8>,
    pub messages: Vec<(u8, Vec<u8>)>,
    pub prompts: usize,
    pub heard: Vec<u8>,
}

fn numbers(names: &[&str]) -> Vec<u8> {
    names.iter().map(|name| option(name)).collect()
}

impl Program {
    /// A terminal without telnet.
    pub fn nc() -> Self {
        Self::default()
    }

    pub fn tintin() -> Self {
        Self {
            speaks: true,
            performs: numbers(&["TTYPE", "NAWS", "NEW-ENVIRON", "CHARSET"]),
            takes: numbers(&["ECHO", "SGA", "EOR", "CHARSET", "MCCP2", "MCCP3"]),
            types: vec!["TINTIN++", "XTERM-256COLOR", "MTTS 271"],
            size: [0, 100, 0, 40],
            environ: b"\x00CLIENT_NAME\x01TINTIN++\x00CLIENT_VERSION\x012.02.31\x00MTTS\x01271",
            ..Self::default()
        }
    }

    /// As the client was that played while worlds were recorded.
    pub fn recorded() -> Self {
        Self {
            performs: numbers(&["TTYPE", "NAWS", "NEW-ENVIRON", "CHARSET", "SGA"]),
            environ: b"\x00CLIENT_NAME\x01TINTIN++\x00CLIENT_VERSION\x012.02.20\x00MTTS\x01271\x00TERMINAL_TYPE\x01XTERM-256COLOR",
            ..Self::tintin()
        }
    }

    pub fn mudlet() -> Self {
        Self {
            speaks: true,
            performs: numbers(&["TTYPE", "NAWS", "NEW-ENVIRON", "CHARSET"]),
            takes: numbers(&["ECHO", "SGA", "EOR", "CHARSET", "GMCP", "MSDP", "MXP", "MSP", "ATCP"]),
            types: vec!["MUDLET", "ANSI-TRUECOLOR", "MTTS 2349"],
            size: [0, 90, 0, 50],
            environ: b"\x00CLIENT_NAME\x01MUDLET",
            greeting: vec![r#"Core.Hello {"client":"Mudlet"}"#, r#"Core.Supports.Set ["Char 1", "Room 1"]"#],
            ..Self::default()
        }
    }

    /// TinyFugue, and KBtin.
    pub fn tf5() -> Self {
        Self {
            speaks: true,
            performs: numbers(&["TTYPE", "NAWS"]),
            takes: numbers(&["ECHO", "SGA", "EOR", "MCCP2"]),
            types: vec!["TINYFUGUE", "TINYFUGUE"],
            size: [0, 80, 0, 24],
            ..Self::default()
        }
    }

    /// GNU inetutils.
    pub fn telnet() -> Self {
        Self {
            speaks: true,
            performs: numbers(&["BINARY", "SGA", "TTYPE", "NAWS", "NEW-ENVIRON", "LINEMODE", "TSPEED"]),
            takes: numbers(&["BINARY", "ECHO", "SGA", "STATUS"]),
            types: vec!["XTERM", "XTERM"],
            size: [0, 80, 0, 24],
            ..Self::default()
        }
    }

    /// A world: it performs these options, and wants the player to perform those.
    pub fn world(performs: &[u8], takes: &[u8]) -> Self {
        Self {
            speaks: true,
            performs: performs.to_vec(),
            takes: takes.to_vec(),
            types: vec!["WORLD"],
            ..Self::default()
        }
    }

    /// Offers all that it performs, and asks for all that it takes.
    pub fn offer(&mut self) -> Vec<u8> {
        (self.does, self.has) = (self.performs.clone(), self.takes.clone());
        let offers = self.performs.iter().map(|option| [255, 251, *option]);
        offers.chain(self.takes.iter().map(|option| [255, 253, *option])).flatten().collect()
    }

    /// Takes what has come, and answers it.
    pub fn hear(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.heard.extend_from_slice(bytes);
        if !self.speaks {
            self.shown.extend_from_slice(bytes);
            return Vec::new();
        }
        let mut answer = Vec::new();
        for one in said(bytes) {
            match one {
                Said::Text(text) => self.shown.extend_from_slice(&text),
                Said::Verb(verb, option) => self.negotiate(verb, option, &mut answer),
                Said::Subnegotiation(option, body) => self.message(option, body, &mut answer),
                Said::Command(239 | 249) => self.prompts += 1,
                Said::Command(_) => {}
            }
        }
        answer
    }

    /// It switches something off that the server performs, or that it performs itself.
    pub fn switch_off(&mut self, name: &str) -> Vec<u8> {
        let option = option(name);
        let verb = if self.does.contains(&option) { 252 } else { 254 };
        self.does.retain(|other| *other != option);
        self.has.retain(|other| *other != option);
        self.performs.retain(|other| *other != option);
        self.takes.retain(|other| *other != option);
        vec![255, verb, option]
    }

    /// Its window has another size.
    pub fn resize(&mut self, width: u8, height: u8) -> Vec<u8> {
        self.size = [0, width, 0, height];
        self.tell_size()
    }

    fn tell_size(&self) -> Vec<u8> {
        [&[255, 250, 31], &self.size[..], &[255, 240]].concat()
    }

    fn negotiate(&mut self, verb: u8, option: u8, answer: &mut Vec<u8>) {
        let server = verb < 253;
        let wanted = verb == 251 || verb == 253;
        let (able, on) = if server { (&self.takes, &mut self.has) } else { (&self.performs, &mut self.does) };
        let (yes, no) = if server { (253, 254) } else { (251, 252) };
        match (wanted, on.contains(&option)) {
            (true, false) if able.contains(&option) => {
                on.push(option);
                answer.extend_from_slice(&[255, yes, option]);
            }
            (true, false) => answer.extend_from_slice(&[255, no, option]),
            (false, true) => {
                on.retain(|other| *other != option);
                answer.extend_from_slice(&[255, no, option]);
            }
            (true, true) | (false, false) => return,
        }
        match (verb, option) {
            (253, 31) => answer.extend(self.tell_size()),
            (253, 24) => self.next_type = 0,
            (251, 201) if self.has.contains(&201) => {
                for message in &self.greeting {
                    answer.extend([&[255, 250, 201], message.as_bytes(), &[255, 240]].concat());
                }
            }
            _ => {}
        }
    }

    fn message(&mut self, option: u8, body: Vec<u8>, answer: &mut Vec<u8>) {
        let told = match (option, body.as_slice()) {
            (24, [1]) => {
                let name = self.types[self.next_type.min(self.types.len() - 1)];
                self.next_type += 1;
                [&[0], name.as_bytes()].concat()
            }
            (39, [1, ..]) => [&[0], self.environ].concat(),
            (42, [1, list @ ..]) => {
                let utf8 = list.windows(5).any(|name| name == b"UTF-8");
                if utf8 { b"\x02UTF-8".to_vec() } else { b"\x03".to_vec() }
            }
            _ => return self.messages.push((option, body)),
        };
        answer.extend([&[255, 250, option], &told[..], &[255, 240]].concat());
    }
}
