//! Text without the telnet that is between: what is said about options is passed over, and nothing is answered. Runs in the load
//! generator and in its world.

const IAC: u8 = 255;
const SB: u8 = 250;
const SE: u8 = 240;

/// Passes over telnet, however bytes are split.
#[derive(Clone, Copy, Default)]
pub struct Skipper(State);

#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    Text,
    /// Behind IAC.
    Command,
    /// Behind WILL, WONT, DO or DONT.
    Option,
    /// In a subnegotiation.
    Sub,
    /// Behind IAC in a subnegotiation.
    SubCommand,
}

impl Skipper {
    /// Appends what is text to `text`.
    pub fn take(&mut self, bytes: &[u8], text: &mut Vec<u8>) {
        for byte in bytes {
            self.0 = match (self.0, *byte) {
                (State::Text, IAC) => State::Command,
                (State::Text, other) | (State::Command, other @ IAC) => {
                    text.push(other);
                    State::Text
                }
                (State::Command, 251..=254) => State::Option,
                (State::Command, SB) => State::Sub,
                (State::Command | State::Option, _) => State::Text,
                (State::Sub, IAC) => State::SubCommand,
                (State::SubCommand, SE) => State::Text,
                (State::Sub | State::SubCommand, _) => State::Sub,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_is_left() {
        let bytes = b"a\xff\xfd\x1fb\xff\xfa\x18\x01\xff\xff\xff\xf0c\xff\xf9\xff\xffd";
        for at in 0..=bytes.len() {
            let (mut skipper, mut text) = (Skipper::default(), Vec::new());
            skipper.take(&bytes[..at], &mut text);
            skipper.take(&bytes[at..], &mut text);
            assert_eq!(text, b"abc\xffd", "split at {at}");
        }
    }
}
