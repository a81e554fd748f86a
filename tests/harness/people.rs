//! A person: types lines, reads text, knows that it is his turn by the prompt.

use super::{Backend, GREETING, WELCOME, Wire};

/// A connection in HUMAN mode.
pub struct Person {
    /// For what goes beyond lines.
    pub wire: Wire,
}

impl Person {
    /// Connects and chooses HUMAN.
    pub fn at(backend: &Backend) -> Person {
        let mut wire = Wire::to(backend.at());
        wire.expect(GREETING);
        wire.send("MODE HUMAN\r\n");
        wire.expect(WELCOME);
        Person { wire }
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) {
        self.wire.send(format!("{line}\r\n"));
    }

    /// Types a line; gives what is answered, without the prompt behind it.
    pub fn ask(&mut self, line: &str) -> String {
        self.type_line(line);
        self.answer()
    }

    /// What is said up to the next prompt that nothing follows.
    pub fn answer(&mut self) -> String {
        let prompted = |came: &[u8]| (came == b"> " || came.ends_with(b"\r\n> ")).then_some(came.len());
        let text = String::from_utf8_lossy(&self.wire.take("a prompt", prompted)).into_owned();
        text.strip_suffix("> ").unwrap_or(&text).to_owned()
    }

    /// Waits for this text; gives everything up to it.
    pub fn expect(&mut self, text: &str) -> String {
        self.wire.until(text)
    }

    /// Registers, the password on the line.
    pub fn register(mut self, name: &str) -> Person {
        let answer = self.ask(&format!("REGISTER {name} secret-of-{name}"));
        assert!(!answer.contains("ERROR") && answer.contains(name), "{answer}");
        self
    }
}
