//! A text of several lines, as a person types it: line by line, with a few commands to mend it. Pure; runs in a worker.

use super::{Prompt, Screen, Style, plural};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A text that is being typed. It can be put away after any line: a session that moves to another worker takes it along.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    lines: Vec<String>,
    /// What the whole text may have, bytes.
    most: usize,
}

/// Shows how much there is, not what it says: it may be for one person only.
impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("bytes", &self.bytes()).field("most", &self.most).finish_non_exhaustive()
    }
}

/// What a line has led to.
#[derive(Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Another line is waited for.
    GoOn,
    /// This line was not taken, since the text has no room for it. Another is waited for.
    TooLong,
    /// The text is complete: its lines, with a line feed between two of them.
    Done(String),
    /// There will be no text.
    GivenUp,
}

/// Shows how long the text is, not what it says.
impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::GoOn => f.write_str("GoOn"),
            Outcome::TooLong => f.write_str("TooLong"),
            Outcome::Done(text) => write!(f, "Done({} bytes)", text.len()),
            Outcome::GivenUp => f.write_str("GivenUp"),
        }
    }
}

/// What a line means. Lines are numbered from 1.
enum Meaning<'l> {
    Text(&'l str),
    End,
    Show,
    Replace(usize, &'l str),
    Delete(usize),
    GiveUp,
    /// A command that there is not.
    Unknown,
}

/// How a text is ended and mended.
const HELP: &str = "A line with only . ends the text. ~p shows it, ~e 2 and text replaces line 2, ~d 2 deletes it, ~q gives up. \
                    ~~ begins a line that is to begin with ~.";

impl Meaning<'_> {
    fn of(line: &str) -> Meaning<'_> {
        if line.trim_end() == "." {
            return Meaning::End;
        }
        let Some(command) = line.strip_prefix('~') else { return Meaning::Text(line) };
        let mut rest = command.chars();
        let letter = rest.next();
        let rest = rest.as_str();
        let (number, text) = rest.trim_start().split_once(' ').unwrap_or((rest.trim(), ""));
        match (letter, number.parse(), text.trim().is_empty()) {
            (Some('~'), ..) => Meaning::Text(command),
            (Some('e'), Ok(number), false) => Meaning::Replace(number, text),
            (Some('d'), Ok(number), true) => Meaning::Delete(number),
            (Some('p'), ..) if rest.trim().is_empty() => Meaning::Show,
            (Some('q'), ..) if rest.trim().is_empty() => Meaning::GiveUp,
            _ => Meaning::Unknown,
        }
    }
}

impl Lines {
    /// An empty text, which may grow to so many bytes.
    pub fn new(most: usize) -> Lines {
        Lines { lines: Vec::new(), most }
    }

    /// A text that was begun before.
    pub fn of(text: &str, most: usize) -> Lines {
        Lines { lines: text.split('\n').map(str::to_owned).collect(), most }
    }

    /// What a person sees at the beginning.
    pub fn start(&self) -> Screen {
        self.asking(|screen| {
            screen.hint(HELP);
            if !self.lines.is_empty() {
                screen.line("What you wrote before was not sent, and stands here:");
                self.show(screen);
            }
        })
    }

    /// What is asked for now: also where something else was shown between two lines.
    pub fn prompt(&self) -> Prompt {
        Prompt::Line(self.lines.len() + 1)
    }

    /// A line was typed, `line` without its end: what it has led to, and what the person sees of it. Once the text is complete or
    /// given up, another begins.
    pub fn take(&mut self, line: &str) -> (Outcome, Screen) {
        match Meaning::of(line) {
            Meaning::Text(text) => self.put(self.lines.len(), text, None),
            Meaning::Replace(number, text) => match self.index(number) {
                Some(index) => self.put(index, text, Some(format!("Line {number} is replaced."))),
                None => self.nothing_at(number),
            },
            Meaning::Delete(number) => match self.index(number) {
                Some(index) => {
                    self.lines.remove(index);
                    self.go_on(|screen| screen.hint(format!("Line {number} is deleted.")))
                }
                None => self.nothing_at(number),
            },
            Meaning::Show => self.go_on(|screen| self.show(screen)),
            Meaning::Unknown => self.go_on(|screen| screen.hint(HELP)),
            Meaning::End if self.lines.is_empty() => self.give_up("Nothing was written, nothing was done."),
            Meaning::End => (Outcome::Done(std::mem::take(&mut self.lines).join("\n")), Screen::new()),
            Meaning::GiveUp => self.give_up("Given up."),
        }
    }

    fn give_up(&mut self, said: &str) -> (Outcome, Screen) {
        self.lines.clear();
        let mut screen = Screen::new();
        screen.line(said);
        (Outcome::GivenUp, screen)
    }

    /// Where the line with this number stands, if there is one.
    fn index(&self, number: usize) -> Option<usize> {
        number.checked_sub(1).filter(|index| *index < self.lines.len())
    }

    /// Bytes of the text.
    fn bytes(&self) -> usize {
        self.lines.iter().map(|line| line.len() + 1).sum::<usize>().saturating_sub(1)
    }

    /// Puts a line in the place of another, or behind the last; `done` is said then.
    fn put(&mut self, index: usize, text: &str, done: Option<String>) -> (Outcome, Screen) {
        let old = self.lines.get(index).map_or(0, String::len);
        // The line feed before it, which a line in the place of another has already.
        let feed = usize::from(index > 0 && index == self.lines.len());
        let bytes = self.bytes() - old + feed + text.len();
        if let Some(over @ 1..) = bytes.checked_sub(self.most) {
            let wrong = format!("The text would be too long by {}: this line was not taken.", plural(over, "byte"));
            return (Outcome::TooLong, self.asking(|screen| screen.error(wrong)));
        }
        match self.lines.get_mut(index) {
            Some(line) => text.clone_into(line),
            None => self.lines.push(text.to_owned()),
        }
        self.go_on(|screen| done.into_iter().for_each(|done| screen.hint(done)))
    }

    fn show(&self, screen: &mut Screen) {
        if self.lines.is_empty() {
            screen.hint("There is no line yet.");
        }
        for (number, line) in (1..).zip(&self.lines) {
            screen.parts(&[(Style::Dim, &format!("{number}: ")), (Style::Plain, line)]);
        }
    }

    fn nothing_at(&self, number: usize) -> (Outcome, Screen) {
        let lines = plural(self.lines.len(), "line");
        self.go_on(|screen| screen.error(format!("There is no line {number}: the text has {lines}.")))
    }

    fn go_on(&self, show: impl FnOnce(&mut Screen)) -> (Outcome, Screen) {
        (Outcome::GoOn, self.asking(show))
    }

    /// What is to be shown, and the prompt below it.
    fn asking(&self, show: impl FnOnce(&mut Screen)) -> Screen {
        let mut screen = Screen::new();
        show(&mut screen);
        screen.ask(self.prompt());
        screen
    }
}
