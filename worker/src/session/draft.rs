//! A text that a person has written line by line, until it is known that it was taken: what was hard to write is not lost to a
//! slip in a name. Runs in a worker; pure.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a person is told whose text was not taken.
const KEPT: &str = "What you wrote is kept: the next text begins with it.";

/// The text, if there is one.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    text: Option<String>,
    /// Who wrote it: nobody else on this connection gets it.
    by: String,
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
    pub fn begin(&mut self, who: &str) -> Option<&str> {
        if !who.is_empty() && self.by != who {
            *self = Draft { by: who.to_owned(), ..Draft::default() };
        }
        self.text(who)
    }

    /// What this person's next text begins with.
    pub fn text(&self, who: &str) -> Option<&str> {
        self.text.as_deref().filter(|_| self.by == who && self.on_its_way.is_none())
    }

    /// The text was written.
    pub fn written(&mut self, text: String) {
        *self = Draft { text: Some(text), by: std::mem::take(&mut self.by), on_its_way: None, fresh: true };
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
            self.drop_it();
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

    /// It is not wanted any more.
    pub fn drop_it(&mut self) {
        *self = Draft::default();
    }
}
