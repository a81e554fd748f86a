//! NEW-ENVIRON (RFC 1572) with the variables of MNES, the Mud New-Environ Standard: what a client is, told in one answer.
//! Runs in the worker.

use crate::client::Presented;
use crate::codes::{option, write_subnegotiation};
use crate::terminal::{Terminal, clean};

const IS: u8 = 0;
const SEND: u8 = 1;
const INFO: u8 = 2;

const VAR: u8 = 0;
const VALUE: u8 = 1;
const ESC: u8 = 2;
const USERVAR: u8 = 3;

/// What a server asks for.
const ASKED: [&str; 5] = ["CLIENT_NAME", "CLIENT_VERSION", "CHARSET", "MTTS", "TERMINAL_TYPE"];

/// What a client tells who asks for all there is.
const TOLD: [&str; 6] = ["CLIENT_NAME", "CLIENT_VERSION", "CHARSET", "MTTS", "TERMINAL_TYPE", "IPADDRESS"];

/// Variables of one message that are looked at. What a peer may ask for is no more than it may tell.
const MOST: usize = 16;

/// Bytes of a name or a value that are looked at.
const LONGEST: usize = 128;

/// One variable of a message.
struct Variable {
    /// [`VAR`] or [`USERVAR`].
    kind: u8,
    name: Vec<u8>,
    /// None where it was not defined, or only asked for.
    value: Option<Vec<u8>>,
}

/// A server asks what the client is.
pub(crate) fn ask(out: &mut Vec<u8>) {
    let mut body = vec![SEND];
    for name in ASKED {
        body.push(VAR);
        body.extend_from_slice(name.as_bytes());
    }
    write_subnegotiation(out, option::NEW_ENVIRON, &[&body]);
}

/// A server takes over what the client has told. What the terminal type tells counts before it. True if anything changed.
pub(crate) fn receive(body: &[u8], terminal: &mut Terminal) -> bool {
    let Some((&(IS | INFO), variables)) = body.split_first() else { return false };
    let before = terminal.clone();
    for variable in read(variables) {
        let Some(value) = variable.value.map(|value| clean(&value)).filter(|value| !value.is_empty()) else { continue };
        match variable.name.as_slice() {
            b"CLIENT_NAME" if terminal.client.is_none() => terminal.client = Some(value),
            b"CLIENT_VERSION" => terminal.version = Some(value),
            b"CHARSET" => terminal.charset_told = Some(value),
            b"MTTS" => terminal.mtts = value.parse().ok().or(terminal.mtts),
            b"TERMINAL_TYPE" if terminal.name.is_none() => terminal.name = Some(value),
            _ => {}
        }
    }
    *terminal != before
}

/// A client answers which variables it has of those that are asked for: of all, if none is named.
pub(crate) fn tell(names: &[u8], presented: &Presented, out: &mut Vec<u8>) {
    let named: Vec<Variable> = read(names).into_iter().filter(|variable| !variable.name.is_empty()).collect();
    let mut body = vec![IS];
    if named.is_empty() {
        for name in TOLD {
            if let Some(value) = presented.variable(name.as_bytes()) {
                write(&mut body, VAR, name.as_bytes(), Some(value.as_bytes()));
            }
        }
    }
    for Variable { kind, name, value: _ } in named {
        let value = presented.variable(&name);
        // One that is not known is told without a value: there is none.
        write(&mut body, kind, &name, value.as_deref().map(str::as_bytes));
    }
    write_subnegotiation(out, option::NEW_ENVIRON, &[&body]);
}

/// A client tells the variables that have changed.
pub(crate) fn tell_news(before: &Presented, now: &Presented, out: &mut Vec<u8>) {
    let mut body = vec![INFO];
    for name in TOLD {
        let value = now.variable(name.as_bytes());
        if value != before.variable(name.as_bytes()) {
            write(&mut body, VAR, name.as_bytes(), value.as_deref().map(str::as_bytes));
        }
    }
    if body.len() > 1 {
        write_subnegotiation(out, option::NEW_ENVIRON, &[&body]);
    }
}

/// The variables of a message.
fn read(body: &[u8]) -> Vec<Variable> {
    let mut found: Vec<Variable> = Vec::new();
    let mut rest = body;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let byte = match byte {
            VAR | USERVAR if found.len() == MOST => return found,
            VAR | USERVAR => {
                found.push(Variable { kind: byte, name: Vec::new(), value: None });
                continue;
            }
            VALUE => {
                if let Some(variable) = found.last_mut() {
                    variable.value = Some(Vec::new());
                }
                continue;
            }
            ESC => {
                let Some((&escaped, tail)) = tail.split_first() else { return found };
                rest = tail;
                escaped
            }
            byte => byte,
        };
        let Some(variable) = found.last_mut() else { continue };
        let text = variable.value.as_mut().unwrap_or(&mut variable.name);
        if text.len() < LONGEST {
            text.push(byte);
        }
    }
    found
}

fn write(body: &mut Vec<u8>, kind: u8, name: &[u8], value: Option<&[u8]>) {
    body.push(kind);
    write_escaped(body, name);
    if let Some(value) = value {
        body.push(VALUE);
        write_escaped(body, value);
    }
}

fn write_escaped(body: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        if matches!(*byte, VAR | VALUE | ESC | USERVAR) {
            body.push(ESC);
        }
        body.push(*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server learns of these bodies.
    fn learned(bodies: &[&[u8]]) -> Terminal {
        let mut terminal = Terminal::default();
        for body in bodies {
            receive(body, &mut terminal);
        }
        terminal
    }

    fn told(names: &[u8]) -> Vec<u8> {
        let presented = Presented {
            client: Some("C".into()),
            mtts: Some(9),
            address: Some("192.0.2.7".into()),
            ..Presented::default()
        };
        let mut out = Vec::new();
        tell(names, &presented, &mut out);
        let body = out.strip_prefix(b"\xff\xfa\x27\x00").and_then(|rest| rest.strip_suffix(b"\xff\xf0"));
        body.unwrap_or_default().to_vec()
    }

    #[test]
    fn a_server_asks_for_what_it_uses() {
        let mut out = Vec::new();
        ask(&mut out);
        assert_eq!(
            out,
            b"\xff\xfa\x27\x01\x00CLIENT_NAME\x00CLIENT_VERSION\x00CHARSET\x00MTTS\x00TERMINAL_TYPE\xff\xf0"
        );
    }

    #[test]
    fn a_client_of_mnes_is_known_by_one_answer() {
        let terminal = learned(&[
            b"\x00\x00CLIENT_NAME\x01TINTIN++\x00CLIENT_VERSION\x012.02.31\x00CHARSET\x01UTF-8\x00MTTS\x01271\
            \x00TERMINAL_TYPE\x01xterm\x00IPADDRESS\x0110.0.0.1\x03USER\x01me",
        ]);
        assert_eq!((terminal.client(), terminal.version()), (Some("TINTIN++"), Some("2.02.31")));
        assert_eq!((terminal.charset(), terminal.mtts(), terminal.name()), (Some("UTF-8"), Some(271), Some("xterm")));
        assert_eq!(terminal.utf8(), crate::Agreed::Yes);
    }

    #[test]
    fn news_are_taken_over_and_nonsense_is_not() {
        let terminal =
            learned(&[b"\x00\x00MTTS\x015\x00CHARSET\x01UTF-8", b"\x02\x00CHARSET\x01KOI8-R", b"\x00\x00MTTS\x01x"]);
        assert_eq!(
            (terminal.charset(), terminal.mtts(), terminal.utf8()),
            (Some("KOI8-R"), Some(5), crate::Agreed::No)
        );
        for body in [&b""[..], b"\x00", b"\x01\x00MTTS\x015", b"\x00\x01x\x02", b"\x00\x00MTTS", b"\x00MTTS\x015"] {
            assert_eq!(learned(&[body]), Terminal::default(), "{body:?}");
        }
    }

    #[test]
    fn what_is_escaped_is_no_mark() {
        let found = read(b"\x00A\x02\x00B\x01\x02\x01\x02\x02\x02\x03c");
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].name.as_slice(), found[0].value.as_deref()),
            (&b"A\x00B"[..], Some(&b"\x01\x02\x03c"[..]))
        );
        let mut body = Vec::new();
        write(&mut body, VAR, b"A\x00B", Some(b"\x01\x02\x03c"));
        assert_eq!(body, b"\x00A\x02\x00B\x01\x02\x01\x02\x02\x02\x03c");
    }

    #[test]
    fn a_client_tells_what_is_asked_for_or_all_that_there_is() {
        let all = b"\x00CLIENT_NAME\x01C\x00MTTS\x019\x00IPADDRESS\x01192.0.2.7";
        for names in [&b""[..], b"\x00", b"\x03", b"\x00\x03"] {
            assert_eq!(told(names), all, "{names:?}");
        }
        assert_eq!(told(b"\x00MTTS\x03USER"), b"\x00MTTS\x019\x03USER", "what is not known has no value");
    }

    #[test]
    fn a_question_without_an_end_has_a_short_answer() {
        assert_eq!(told(&b"\x00X".repeat(1000)).len(), 2 * MOST);
        assert_eq!(told(&[b"\x00".to_vec(), vec![b'x'; 9000]].concat()).len(), 1 + LONGEST);
    }

    #[test]
    fn only_what_has_changed_is_news() {
        let before = Presented { client: Some("C".into()), charset: Some("UTF-8".into()), ..Presented::default() };
        let now = Presented { client: Some("C".into()), charset: None, mtts: Some(1), ..Presented::default() };
        let mut out = Vec::new();
        tell_news(&before, &before, &mut out);
        assert_eq!(out, b"");
        tell_news(&before, &now, &mut out);
        assert_eq!(out, b"\xff\xfa\x27\x02\x00CHARSET\x00MTTS\x011\xff\xf0");
    }
}
