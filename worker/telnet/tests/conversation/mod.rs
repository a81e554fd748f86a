//! How tests talk to one end of a connection.

use ssmglobal_telnet::Telnet;

/// Lets the other side say something and returns what we answer.
pub fn say(telnet: &mut Telnet, bytes: &[u8]) -> Vec<u8> {
    let (mut input, mut out) = (bytes, Vec::new());
    while telnet.next(&mut input, &mut out).is_some() {}
    out
}

/// Lets the other side say something and returns the events by name.
pub fn events(telnet: &mut Telnet, bytes: &[u8]) -> Vec<String> {
    let (mut input, mut names) = (bytes, Vec::new());
    while let Some(event) = telnet.next(&mut input, &mut Vec::new()) {
        names.push(format!("{event:?}"));
    }
    names
}
