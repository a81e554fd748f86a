//! What a person is asked for when he has left something out of a command: words one by one, passwords without echo, a text line
//! by line. Runs in a worker; pure.

use crate::commands::{Arg, ArgKind, Command, Parsed, command_of};
use crate::render::{Lines, Outcome, Prompt, Screen};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use ssmglobal_config::Settings;
use ssmglobal_ipc::{Code, Failure};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// A command of which something is missing, and what is asked for.
#[derive(Debug)]
pub struct Asking {
    parsed: Parsed<'static>,
    /// The place of the argument that is asked for.
    index: usize,
    part: Part,
}

/// How the argument is asked for.
enum Part {
    /// In one line.
    Word { name: &'static str, about: &'static str },
    /// In one line that nobody sees.
    Secret { prompt: &'static str, twice: bool },
    /// A second time, since a slip would lock its owner out.
    Again { first: Zeroizing<String> },
    /// In as many lines as it takes.
    Text(Lines),
}

/// Shows what is asked for, not what was typed.
impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Part::Word { .. } => "Word",
            Part::Secret { .. } => "Secret",
            Part::Again { .. } => "Again",
            Part::Text(_) => "Text",
        })
    }
}

/// What a line has led to.
pub enum Taken {
    /// Something is asked for, again or next; this is shown first.
    Asks(Asking, Screen),
    /// Nothing is missing any more; the text, if there was one.
    Complete(Parsed<'static>, Option<String>),
    /// The person has given this command up; this is shown.
    GivenUp(&'static Command, Screen),
    /// Nothing was done, and why.
    Refused(Failure),
}

/// What a person is told who types nothing where something was asked for.
const NOTHING: &str = "Nothing was typed, nothing was done.";

const ANOTHER: &str = "Type it again, or nothing to give up.";

impl Asking {
    /// Asks for what is missing of a command, if anything is. A text may have `most` bytes, and begins with `draft`.
    pub fn begin<'p>(parsed: Parsed<'p>, most: usize, draft: Option<&str>) -> Result<(Asking, Screen), Parsed<'p>> {
        let Some((index, arg)) = parsed.missing() else { return Err(parsed) };
        let parsed = parsed.into_owned();
        let part = match arg.kind {
            ArgKind::Secret { prompt, twice } => Part::Secret { prompt, twice },
            _ if arg.is_text() => Part::Text(draft.map_or_else(|| Lines::new(most), |text| Lines::of(text, most))),
            _ => Part::Word { name: arg.name, about: arg.doc },
        };
        let asking = Asking { parsed, index, part };
        let mut screen = match &asking.part {
            Part::Text(lines) => lines.start(),
            _ => Screen::new(),
        };
        if let Part::Word { about, .. } = &asking.part {
            let about = about.replace('`', "");
            screen.hint(format!("{about}; an empty line gives up."));
        }
        screen.ask(asking.prompt());
        Ok((asking, screen))
    }

    /// The command of which something is missing.
    pub fn command(&self) -> &'static Command {
        self.parsed.command
    }

    /// What is asked for: also where something else was shown since.
    pub fn prompt(&self) -> Prompt {
        match &self.part {
            Part::Word { name, .. } => Prompt::Word((*name).to_owned()),
            Part::Secret { prompt, .. } => Prompt::Secret((*prompt).to_owned()),
            Part::Again { .. } => Prompt::Secret("Again: ".to_owned()),
            Part::Text(lines) => lines.prompt(),
        }
    }

    /// Whether another process could go on with it: what nobody is to see stays in this one.
    pub fn is_quiet(&self) -> bool {
        let args = self.parsed.command.args;
        let has_secret = self.parsed.typed().any(|(index, _)| args.get(index).is_some_and(Arg::is_secret));
        !has_secret && !self.prompt().hides()
    }

    /// The question stands, since this was wrong with what was typed.
    pub fn again(self, failure: &Failure) -> Taken {
        let msg = match self.part {
            Part::Text(_) => failure.msg.clone(),
            _ => format!("{} {ANOTHER}", failure.msg),
        };
        let mut screen = Screen::new();
        screen.error(msg);
        screen.ask(self.prompt());
        Taken::Asks(self, screen)
    }

    /// A person has typed a line.
    pub fn take(mut self, line: &str, most: usize, draft: Option<&str>, settings: &Settings) -> Taken {
        if let Part::Text(lines) = &mut self.part {
            return match lines.take(line) {
                (Outcome::GoOn | Outcome::TooLong, screen) => Taken::Asks(self, screen),
                (Outcome::GivenUp, screen) => Taken::GivenUp(self.parsed.command, screen),
                (Outcome::Done(text), _) => self.goes_on(text.clone(), Some(text), most, None),
            };
        }
        let line = if matches!(self.part, Part::Word { .. }) { line.trim() } else { line };
        if line.is_empty() {
            return Taken::Refused(Failure::new(Code::Invalid, NOTHING));
        }
        match self.part {
            Part::Secret { twice: true, .. } => {
                if let Err(msg) = settings.players.check_password(line) {
                    return self.again(&Failure::new(Code::Invalid, msg));
                }
                let part = Part::Again { first: Zeroizing::new(line.to_owned()) };
                let asking = Asking { part, ..self };
                let mut screen = Screen::new();
                screen.ask(asking.prompt());
                Taken::Asks(asking, screen)
            }
            Part::Again { ref first } if **first != *line => {
                Taken::Refused(Failure::new(Code::Invalid, "The two differ, nothing was done."))
            }
            _ => self.goes_on(line.to_owned(), None, most, draft),
        }
    }

    /// This was typed; what is missing next is asked for.
    fn goes_on(mut self, typed: String, text: Option<String>, most: usize, draft: Option<&str>) -> Taken {
        if let Err(failure) = self.parsed.answer(self.index, typed) {
            return self.again(&failure);
        }
        match Asking::begin(self.parsed, most, draft) {
            Ok((asking, screen)) => Taken::Asks(asking, screen),
            Err(parsed) => Taken::Complete(parsed, text),
        }
    }
}

/// What moves of it: the command and its arguments by their names, and the text so far.
#[derive(Serialize, Deserialize)]
struct Left<L> {
    command: String,
    given: BTreeMap<String, String>,
    lines: Option<L>,
}

impl Serialize for Asking {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let command = self.parsed.command;
        let given = self.parsed.typed().filter_map(|(index, value)| Some((command.args.get(index)?, value)));
        let given = given.map(|(arg, value)| (arg.name.to_owned(), value.to_owned())).collect();
        let lines = match &self.part {
            Part::Text(lines) => Some(lines),
            Part::Word { .. } | Part::Secret { .. } | Part::Again { .. } => None,
        };
        Left { command: command.name.to_owned(), given, lines }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Asking {
    /// Fails for a command that there is not in this program: the worker that has it goes on then.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Asking, D::Error> {
        let Left { command, given, lines } = Left::<Lines>::deserialize(deserializer)?;
        let other = || de::Error::custom("a command of another program");
        let command = command_of(&command).ok_or_else(other)?;
        let place = |name: &str| command.args.iter().position(|arg| arg.name == name).ok_or_else(other);
        let values = given.into_iter().map(|(name, value)| Ok((place(&name)?, value)));
        let values = values.collect::<Result<Vec<_>, D::Error>>()?;
        let parsed = Parsed::given(command, values).map_err(|_| other())?;
        let (mut asking, _) = Asking::begin(parsed, 0, None).map_err(|_| other())?;
        match lines {
            Some(lines) if matches!(asking.part, Part::Text(_)) => asking.part = Part::Text(lines),
            None if !matches!(asking.part, Part::Text(_)) => {}
            _ => return Err(other()),
        }
        Ok(asking)
    }
}
