//! What an entry of the table is made of. Runs in a worker.

use super::reference::json_example;
use super::{Action, Local, Parsed, PlayWish};
use ssmglobal_ipc::{Code, Failure, Kind, Request, Right, States};

/// What an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    /// One word; quotes hold several together.
    Word,
    /// Text of several words, and perhaps of several lines. The one of a command that has no keyword is the rest of the line,
    /// quotes and all; a person who leaves it out types it line by line. Others are quoted where something follows.
    Text,
    /// Names with blanks between, up to the end of the line; in JSON also a list of them.
    Names,
    /// A password or key: never logged; a person who leaves it out is asked for it without echo.
    Secret {
        /// What a person is asked.
        prompt: &'static str,
        /// Whether it is asked for a second time, because a slip would lock its owner out.
        twice: bool,
    },
    /// A whole number.
    Int {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// A signed 64-bit whole number.
    Score,
    /// True or false; in words also one of these two.
    Flag {
        /// For true.
        yes: &'static str,
        /// For false.
        no: &'static str,
    },
}

impl ArgKind {
    /// In a few words, for HELP and the reference page.
    pub fn describe(self) -> &'static str {
        match self {
            ArgKind::Word => "word",
            ArgKind::Text => "text",
            ArgKind::Names => "names",
            ArgKind::Secret { .. } => "secret",
            ArgKind::Int { .. } => "number",
            ArgKind::Score => "whole number",
            ArgKind::Flag { .. } => "true or false",
        }
    }
}

/// One argument of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arg {
    /// Its name in JSON and in the usage line.
    pub name: &'static str,
    /// What it takes.
    pub kind: ArgKind,
    /// Whether it may be left out.
    pub optional: bool,
    /// In words: `KEYWORD value` gives it out of its order.
    pub keyword: Option<&'static str>,
    /// The argument in whose place it may be given.
    pub instead_of: Option<&'static str>,
    /// One line about it.
    pub doc: &'static str,
}

impl Arg {
    const fn new(name: &'static str, kind: ArgKind, doc: &'static str) -> Arg {
        Arg { name, kind, optional: false, keyword: None, instead_of: None, doc }
    }

    /// One word.
    pub const fn word(name: &'static str, doc: &'static str) -> Arg {
        Arg::new(name, ArgKind::Word, doc)
    }

    /// The rest of the line.
    pub const fn text(name: &'static str, doc: &'static str) -> Arg {
        Arg::new(name, ArgKind::Text, doc)
    }

    /// The rest of the line, as names.
    pub const fn names(name: &'static str, doc: &'static str) -> Arg {
        Arg::new(name, ArgKind::Names, doc)
    }

    /// A password or key.
    pub const fn secret(name: &'static str, prompt: &'static str, twice: bool, doc: &'static str) -> Arg {
        Arg::new(name, ArgKind::Secret { prompt, twice }, doc)
    }

    /// A whole number from `min` up to `max`.
    pub const fn int(name: &'static str, min: u64, max: u64, doc: &'static str) -> Arg {
        Arg::new(name, ArgKind::Int { min, max }, doc)
    }

    /// True or false, which is said in words by one of two; may be left out.
    pub const fn flag(name: &'static str, yes: &'static str, no: &'static str, doc: &'static str) -> Arg {
        Arg::new(name, ArgKind::Flag { yes, no }, doc).optional()
    }

    /// How many rows a page has; may be left out.
    pub const fn limit() -> Arg {
        Arg::int("limit", 1, u32::MAX as u64, "how many rows at the most").optional()
    }

    /// What all lists have.
    pub const PAGE: &'static [Arg] =
        &[Arg::limit(), Arg::word("after", "`next` of the page before").optional().keyword("AFTER")];

    /// May be left out.
    pub const fn optional(self) -> Arg {
        Arg { optional: true, ..self }
    }

    /// In words: can be given as `KEYWORD value`.
    pub const fn keyword(self, keyword: &'static str) -> Arg {
        Arg { keyword: Some(keyword), ..self }
    }

    /// Can be given in the place of that argument, which is not needed then.
    pub const fn instead_of(self, other: &'static str) -> Arg {
        Arg { instead_of: Some(other), ..self }
    }

    /// Whether it is the text of its command, which in words is the rest of the line.
    pub const fn is_text(&self) -> bool {
        matches!(self.kind, ArgKind::Text) && self.keyword.is_none()
    }

    /// Whether this word gives it out of its order: its keyword, or one of a flag's two.
    pub(super) fn is_named_by(&self, word: &str) -> bool {
        match self.kind {
            ArgKind::Flag { yes, no } => [yes, no].iter().any(|name| name.eq_ignore_ascii_case(word)),
            _ => self.keyword.is_some_and(|keyword| keyword.eq_ignore_ascii_case(word)),
        }
    }

    /// Whether it never may be seen.
    pub const fn is_secret(&self) -> bool {
        matches!(self.kind, ArgKind::Secret { .. })
    }
}

/// What a command leads to, and the function that makes it of the arguments.
#[derive(Debug)]
pub enum Asks {
    /// A request of this kind, whose description says which sessions may ask it.
    Request(Kind, fn(&mut Parsed<'_>) -> Result<Request, Failure>),
    /// Something that the worker does by itself, for sessions in these states.
    Local(States, fn(&mut Parsed<'_>) -> Result<Local, Failure>),
    /// Something about a world that is played through us, which the worker sees to.
    Play(States, fn(&mut Parsed<'_>) -> Result<PlayWish, Failure>),
    /// One of the first two, as its arguments say.
    Either(Kind, fn(&mut Parsed<'_>) -> Result<Action, Failure>),
}

impl Asks {
    /// What the handler is asked, if it is.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Asks::Request(kind, _) | Asks::Either(kind, _) => Some(*kind),
            Asks::Local(..) | Asks::Play(..) => None,
        }
    }
}

/// One command.
#[derive(Debug)]
pub struct Command {
    /// One or two words in capitals.
    pub name: &'static str,
    /// A shorter name in words.
    pub alias: Option<&'static str>,
    /// One line.
    pub summary: &'static str,
    /// In the order of lists and words; required ones first.
    pub args: &'static [Arg],
    /// What it leads to.
    pub asks: Asks,
    /// The sentence for a success that says nothing else.
    pub done: &'static str,
    /// Another one for some of its requests.
    pub done_for: fn(&Request) -> Option<&'static str>,
    /// A line that works, in words.
    pub example: &'static str,
    /// What stands in `data`; empty when there is none.
    pub returns: &'static str,
    /// Errors it may give, besides those that every command may give.
    pub codes: &'static [Code],
}

impl Command {
    /// What most commands that ask the handler have in common.
    pub(super) const fn request(kind: Kind, make: fn(&mut Parsed<'_>) -> Result<Request, Failure>) -> Command {
        Command::new(Asks::Request(kind, make))
    }

    /// What most commands have in common that the worker does by itself.
    pub(super) const fn local(states: States, make: fn(&mut Parsed<'_>) -> Result<Local, Failure>) -> Command {
        Command::new(Asks::Local(states, make))
    }

    /// What the commands have in common that are about a world that is played through us.
    pub(super) const fn playing(states: States, make: fn(&mut Parsed<'_>) -> Result<PlayWish, Failure>) -> Command {
        Command::new(Asks::Play(states, make))
    }

    /// What most commands have in common that ask the handler only where their arguments say so.
    pub(super) const fn either(kind: Kind, make: fn(&mut Parsed<'_>) -> Result<Action, Failure>) -> Command {
        Command::new(Asks::Either(kind, make))
    }

    const fn new(asks: Asks) -> Command {
        Command {
            name: "",
            alias: None,
            summary: "",
            args: &[],
            asks,
            done: "Done.",
            done_for: |_| None,
            example: "",
            returns: "",
            codes: &[],
        }
    }

    /// Whether it leads to a request of this kind.
    pub fn asks_for(&self, kind: Kind) -> bool {
        self.asks.kind() == Some(kind)
    }

    /// The sentence for a success of this request, where its answer says nothing else.
    pub fn done(&self, request: &Request) -> &'static str {
        (self.done_for)(request).unwrap_or(self.done)
    }

    /// What its user needs besides.
    pub fn right(&self) -> Right {
        self.asks.kind().map_or(Right::None, |kind| kind.describe().right)
    }

    /// The states of sessions that may use it.
    pub fn states(&self) -> States {
        match self.asks {
            Asks::Request(kind, _) | Asks::Either(kind, _) => kind.describe().states,
            Asks::Local(states, _) | Asks::Play(states, _) => states,
        }
    }

    /// `MAIL SEND <to> [SUBJECT subject] <body>`: as it is typed, with the text at the end.
    pub fn usage(&self) -> String {
        let behind_text = self.args.iter().skip_while(|arg| !arg.is_text()).skip(1);
        let texts = self.args.iter().filter(|arg| arg.is_text());
        let words = self.args.iter().take_while(|arg| !arg.is_text()).chain(behind_text).chain(texts);
        words.fold(self.name.to_owned(), |usage, arg| {
            let (open, close) = if arg.optional { ('[', ']') } else { ('<', '>') };
            match (arg.kind, arg.keyword) {
                (ArgKind::Flag { yes, no }, _) => format!("{usage} {open}{yes}|{no}{close}"),
                (_, Some(keyword)) => format!("{usage} {open}{keyword} {}{close}", arg.name),
                (_, None) => format!("{usage} {open}{}{close}", arg.name),
            }
        })
    }

    /// The arguments do not fit; `reason` is a sentence about which and why. A program is shown JSON.
    pub(super) fn usage_failure(&self, reason: &str, json: bool) -> Failure {
        let how = match json {
            true => format!("For example: {}", json_example(self)),
            false => format!("Usage: {} (for example: {})", self.usage(), self.example),
        };
        Failure::new(Code::Usage, format!("{reason} {how}"))
    }
}

/// Commands that belong together.
#[derive(Debug)]
pub struct Group {
    /// The heading.
    pub title: &'static str,
    /// The first word of its two-word commands.
    pub word: Option<&'static str>,
    /// Its part of the table.
    pub commands: &'static [Command],
}
