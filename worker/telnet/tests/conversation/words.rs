//! Telnet in words, so that a conversation can be read: `WILL EOR / SB TTYPE \x01 / "Welcome!"`.

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    Text(Vec<u8>),
    /// The verb as its byte, and the option.
    Verb(u8, u8),
    Subnegotiation(u8, Vec<u8>),
    Command(u8),
}

const VERBS: [(&str, u8); 4] = [("WILL", 251), ("WONT", 252), ("DO", 253), ("DONT", 254)];
const COMMANDS: [(&str, u8); 6] = [("GA", 249), ("AYT", 246), ("IP", 244), ("NOP", 241), ("EOR", 239), ("AO", 245)];
const OPTIONS: [(&str, u8); 24] = [
    ("BINARY", 0),
    ("ECHO", 1),
    ("SGA", 3),
    ("STATUS", 5),
    ("TIMING-MARK", 6),
    ("TTYPE", 24),
    ("EOR", 25),
    ("NAWS", 31),
    ("TSPEED", 32),
    ("LINEMODE", 34),
    ("AUTHENTICATION", 37),
    ("ENCRYPT", 38),
    ("NEW-ENVIRON", 39),
    ("CHARSET", 42),
    ("START-TLS", 46),
    ("MSDP", 69),
    ("MSSP", 70),
    ("MCCP1", 85),
    ("MCCP2", 86),
    ("MCCP3", 87),
    ("MSP", 90),
    ("MXP", 91),
    ("ATCP", 200),
    ("GMCP", 201),
];

fn number(table: &[(&str, u8)], name: &str) -> Option<u8> {
    table.iter().find(|(other, _)| *other == name).map(|(_, number)| *number)
}

fn name(table: &[(&str, u8)], number: u8) -> String {
    table.iter().find(|(_, other)| *other == number).map_or(number.to_string(), |(name, _)| (*name).to_owned())
}

pub fn option(name: &str) -> u8 {
    number(&OPTIONS, name).or_else(|| name.parse().ok()).unwrap_or_else(|| panic!("{name} is no option"))
}

/// The bytes of a conversation in words.
pub fn bytes(words: &str) -> Vec<u8> {
    words.split(" / ").filter(|part| !part.is_empty()).flat_map(|part| one(part.trim_start())).collect()
}

fn one(words: &str) -> Vec<u8> {
    if let Some(text) = words.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return doubled(&unescaped(text));
    }
    let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
    if let Some(verb) = number(&VERBS, first) {
        return vec![255, verb, option(rest)];
    }
    if first == "SB" {
        let (name, body) = rest.split_once(' ').unwrap_or((rest, ""));
        return [&[255, 250, option(name)], &doubled(&unescaped(body))[..], &[255, 240]].concat();
    }
    vec![255, number(&COMMANDS, first).unwrap_or_else(|| panic!("{words} is no telnet"))]
}

fn doubled(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| vec![*byte; if *byte == 255 { 2 } else { 1 }]).collect()
}

/// The inverse of `escape_ascii`.
pub fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        let (byte, length) = match (first, rest) {
            (b'\\', [b'x', high, low, ..]) => {
                let digits = [*high, *low];
                (u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap(), 3)
            }
            (b'\\', [b'r', ..]) => (b'\r', 1),
            (b'\\', [b'n', ..]) => (b'\n', 1),
            (b'\\', [b't', ..]) => (b'\t', 1),
            (b'\\', [other, ..]) => (*other, 1),
            _ => (first, 0),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    bytes
}

/// What these bytes say. They must be whole, and telnet without a fault.
pub fn said(bytes: &[u8]) -> Vec<Said> {
    let (mut found, mut text, mut rest) = (Vec::new(), Vec::new(), bytes);
    while let Some((&first, tail)) = rest.split_first() {
        if first != 255 || tail.first() == Some(&255) {
            text.push(first);
            rest = &tail[usize::from(first == 255)..];
            continue;
        }
        if !text.is_empty() {
            found.push(Said::Text(std::mem::take(&mut text)));
        }
        let (one, tail) = match tail {
            [250, option, body @ ..] => subnegotiation(*option, body),
            [verb @ 251..=254, option, tail @ ..] => (Said::Verb(*verb, *option), tail),
            [command, tail @ ..] => (Said::Command(*command), tail),
            [] => panic!("a command without an end in {bytes:?}"),
        };
        found.push(one);
        rest = tail;
    }
    if !text.is_empty() {
        found.push(Said::Text(text));
    }
    found
}

fn subnegotiation(option: u8, bytes: &[u8]) -> (Said, &[u8]) {
    let (mut body, mut rest) = (Vec::new(), bytes);
    loop {
        match rest {
            [255, 240, tail @ ..] => return (Said::Subnegotiation(option, body), tail),
            [255, 255, tail @ ..] => {
                body.push(255);
                rest = tail;
            }
            [byte, tail @ ..] if *byte != 255 => {
                body.push(*byte);
                rest = tail;
            }
            _ => panic!("a subnegotiation without an end, or with a lone IAC: {bytes:?}"),
        }
    }
}

/// The same in words.
pub fn words(bytes: &[u8]) -> String {
    let one = |said: Said| match said {
        Said::Text(text) => format!("\"{}\"", text.escape_ascii()),
        Said::Verb(verb, option) => format!("{} {}", name(&VERBS, verb), name(&OPTIONS, option)),
        Said::Subnegotiation(option, body) if body.is_empty() => format!("SB {}", name(&OPTIONS, option)),
        Said::Subnegotiation(option, body) => format!("SB {} {}", name(&OPTIONS, option), body.escape_ascii()),
        Said::Command(byte) => name(&COMMANDS, byte),
    };
    said(bytes).into_iter().map(one).collect::<Vec<_>>().join(" / ")
}
