//! A text that a person has written line by line, until it is known that it was taken: what was hard to write is not lost to a
//! slip in a name. Runs in a worker; pure.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a person is told whose text was not taken.
const KEPT: &str = "What you wrote is kept: the same command begins with it the next time.";

/// The text, if there is one.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    text: Option<String>,
    /// Who wrote it: nobody else on this connection gets it.
    by: String,
    /// For which command: what was for one person is not to stand in front of a word to all.
    command: String,
    /// The request that it is in. Only who waits for no answer moves.
    #[serde(skip)]
    on_its_way: Option<u64>,
    /// It was written, and no request has it yet.
    #[serde(skip)]
    fresh: bool,
}

/// Shows how long it is, not what it says.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").field("bytes", &self.text.as_ref().map(String::len)).finish_non_exhaustive()
    }
}

impl Draft {
    /// This person may begin to write; gives what his text begins with. Nobody may be somebody soon who was logged out.
    pub fn begin(&mut self, who: &str, command: &str) -> Option<&str> {
        if !who.is_empty() && self.by != who {
            *self = Draft { by: who.to_owned(), ..Draft::default() };
        }
        self.text(who, command)
    }

    /// What this person's next text for this command begins with.
    pub fn text(&self, who: &str, command: &str) -> Option<&str> {
        let is_his = self.by == who && self.command == command && self.on_its_way.is_none();
        self.text.as_deref().filter(|_| is_his)
    }

    /// The text was written.
    pub fn written(&mut self, text: String, command: &str) {
        let (by, command) = (std::mem::take(&mut self.by), command.to_owned());
        *self = Draft { text: Some(text), by, command, on_its_way: None, fresh: true };
    }

    /// The handler is being asked under this number.
    pub fn asked(&mut self, number: u64) {
        if std::mem::take(&mut self.fresh) {
            self.on_its_way = Some(number);
        }
    }

    /// What was asked under this number is done.
    pub fn taken(&mut self, number: u64) -> Option<&'static str> {
        if self.on_its_way == Some(number) {
            *self = Draft { by: std::mem::take(&mut self.by), ..Draft::default() };
        }
        None
    }

    /// What was asked under this number was refused; gives what its writer is told.
    pub fn not_taken(&mut self, number: u64) -> Option<&'static str> {
        self.on_its_way.take_if(|asked| *asked == number).map(|_| KEPT)
    }

    /// It was refused before anybody was asked; gives what its writer is told.
    pub fn refused(&mut self) -> Option<&'static str> {
        std::mem::take(&mut self.fresh).then_some(KEPT)
    }

    /// A text for this command is not wanted any more.
    pub fn give_up(&mut self, command: &str) {
        if self.command == command {
            *self = Draft { by: std::mem::take(&mut self.by), ..Draft::default() };
        }
    }
}
