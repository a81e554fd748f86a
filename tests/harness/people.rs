//! A person: types lines, reads text, knows that it is his turn by the prompt.

use super::{Backend, GREETING, WELCOME, Wire};
use std::ops::Deref;

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

    /// As [`Person::ask`], to look into what is answered.
    pub fn says(&mut self, line: &str) -> Said {
        Said { line: line.to_owned(), answer: self.ask(line) }
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
}

/// A line that a person has typed, and what he reads then.
#[derive(Debug)]
pub struct Said {
    line: String,
    answer: String,
}

impl Said {
    /// This is in it.
    #[track_caller]
    pub fn sees(self, text: &str) -> Said {
        assert!(self.answer.contains(text), "{text:?} is not in the answer to {:?}: {}", self.line, self.answer);
        self
    }

    /// This is not in it.
    #[track_caller]
    pub fn sees_no(self, text: &str) -> Said {
        assert!(!self.answer.contains(text), "{text:?} is in the answer to {:?}: {}", self.line, self.answer);
        self
    }
}

impl Deref for Said {
    type Target = str;

    fn deref(&self) -> &str {
        &self.answer
    }
}
