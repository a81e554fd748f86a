//! What the client says: lines become commands, and those that need no handler are answered at once. Runs in a worker; pure.

use super::{Around, Session};
use crate::commands::{self, Action, Command, Local, ModeChoice, Parsed, permitted};
use crate::peer::strangers::Protocol;
use crate::peer::{Input, Stack};
use crate::presenter::Waiting;
use crate::render::Asked;
use ssmglobal_config::Level;
use ssmglobal_ipc::{Code, Failure, Kind, Mode, Request, State};

/// What somebody is told who has come to a door for people with something else than commands.
const NOT_FOR_PEOPLE: &str = "This port is for people: telnet, without HTTP, TLS, SSH, SOCKS or PROXY.";

/// The same at a door for programs.
const NOT_FOR_PROGRAMS: &str =
    "This port takes one JSON object on a line, over plain TCP without HTTP, TLS, SSH, SOCKS or PROXY.";

/// What the handler is to be asked.
pub enum Ask {
    /// What a client has asked for by a command.
    Command {
        /// The table's entry.
        command: &'static Command,
        /// The request that it has become.
        request: Request,
        /// What the client calls it; JSON.
        id: Option<Box<str>>,
        /// By which the client may ask again.
        key: Option<Box<str>>,
    },
    /// To take note that the client speaks so from now on.
    Mode(Mode),
}

/// What a program has written beside its command; a person never does.
#[derive(Clone, Copy, Default)]
struct Label<'a> {
    /// What it calls the request; JSON.
    id: Option<&'a str>,
    /// By which it may ask again.
    key: Option<&'a str>,
}

impl Session {
    /// A person is greeted.
    pub fn greet(&mut self, to: &mut Stack, around: Around<'_>) {
        self.presenter.welcome(to, &around.door.welcome);
    }

    /// The client has said something; a line stands in `line`. Gives what the handler is to be asked.
    pub fn on_input(&mut self, input: Input, line: &str, to: &mut Stack, around: Around<'_>) -> Option<Ask> {
        if !matches!(self.state, State::New | State::Unproved) {
            self.alive = around.last_input.into();
        }
        match input {
            Input::Line => return self.on_line(line, to, around),
            Input::TooLong => {
                let most = self.line_limit(around.door);
                let msg = format!("That line was too long: at most {most} bytes.");
                self.on_unread_line(to, &Failure::new(Code::TooLong, msg));
            }
            Input::NotUtf8 => self.on_unread_line(to, &Failure::new(Code::Invalid, "That line was not UTF-8.")),
            Input::Alive => {}
            Input::Stranger(protocol) => self.send_away(to, protocol),
        }
        None
    }

    fn on_line(&mut self, line: &str, to: &mut Stack, around: Around<'_>) -> Option<Ask> {
        if self.asking.is_some() {
            return self.on_secret(line, to, around);
        }
        self.presenter.line_has_come();
        if around.settings.log.level >= Level::Debug {
            self.note(Level::Debug, format!(" -> {}", commands::masked(line)));
        }
        if line.trim().is_empty() {
            if self.presenter.is_for_people() {
                self.presenter.prompt(to);
            }
            return None;
        }
        match self.mode() {
            Mode::Ask => self.on_first_line(line, to, around),
            Mode::Human => match commands::parse_words(line, self.state) {
                Ok(parsed) => self.go_on(parsed, Label::default(), to, around),
                Err(failure) => self.refused(to, None, &failure),
            },
            Mode::Client | Mode::Server => {
                let read = commands::parse_json(line);
                match read.parsed {
                    Ok(parsed) => self.go_on(parsed, Label { id: read.id, key: read.key.as_deref() }, to, around),
                    Err(failure) => self.refused(to, read.id, &failure),
                }
            }
        }
    }

    /// A client that is to choose a mode has said something.
    fn on_first_line(&mut self, line: &str, to: &mut Stack, around: Around<'_>) -> Option<Ask> {
        let read = commands::parse_first(line);
        match read.parsed.and_then(Parsed::action) {
            Ok(Action::Local(local)) => return self.do_local(local, read.id, to, around),
            Ok(Action::Request(_)) => self.presenter.refuse(to, read.id, &commands::no_mode()),
            Err(failure) => {
                self.presenter.refuse(to, read.id, &failure);
                self.ending = true;
            }
        }
        None
    }

    fn refused(&mut self, to: &mut Stack, id: Option<&str>, failure: &Failure) -> Option<Ask> {
        self.presenter.refuse(to, id, failure);
        None
    }

    /// A command is known: may it be, is anything missing that a person is asked for, and do it.
    fn go_on(&mut self, parsed: Parsed<'_>, label: Label<'_>, to: &mut Stack, around: Around<'_>) -> Option<Ask> {
        if let Err(failure) = permitted(parsed.command, self.state, &self.who) {
            return self.refused(to, label.id, &failure);
        }
        if let Some(question) = parsed.prompt().filter(|_| self.presenter.is_for_people()) {
            self.asking = Some(parsed.into_owned());
            self.presenter.ask_secret(to, question, None);
            return None;
        }
        self.perform(parsed, label, to, around)
    }

    fn perform(&mut self, parsed: Parsed<'_>, label: Label<'_>, to: &mut Stack, around: Around<'_>) -> Option<Ask> {
        let command = parsed.command;
        match parsed.action() {
            Ok(Action::Local(local)) => self.do_local(local, label.id, to, around),
            Ok(Action::Request(request)) => {
                let Label { id, key } = label;
                Some(Ask::Command { command, request, id: id.map(Into::into), key: key.map(Into::into) })
            }
            Err(failure) => self.refused(to, label.id, &failure),
        }
    }

    /// A person has typed a password.
    fn on_secret(&mut self, line: &str, to: &mut Stack, around: Around<'_>) -> Option<Ask> {
        let mut parsed = self.asking.take()?;
        let answered = parsed.answer(line.to_owned());
        let next = parsed.prompt().filter(|_| answered.is_ok());
        self.presenter.secret_answered(to, next.is_none());
        if let Some(question) = next {
            self.asking = Some(parsed);
            self.presenter.ask_secret(to, question, None);
            return None;
        }
        match answered {
            Ok(()) => self.perform(parsed, Label::default(), to, around),
            Err(failure) => self.refused(to, None, &failure),
        }
    }

    /// A line has come that is too long, or no text.
    fn on_unread_line(&mut self, to: &mut Stack, failure: &Failure) {
        if let Some(question) = self.asking.as_ref().and_then(Parsed::prompt) {
            // The question stands: what comes next is a secret still.
            let msg = format!("{} Type it again, or nothing to give up.", failure.msg);
            self.presenter.secret_answered(to, false);
            return self.presenter.ask_secret(to, question, Some(&Failure::new(failure.code, msg)));
        }
        if self.mode() == Mode::Ask {
            self.presenter.refuse(to, None, &commands::no_mode());
            self.ending = true;
            return;
        }
        self.presenter.refuse(to, None, failure);
    }

    /// Sends a client away that speaks something else, before anything that it says is taken for a command.
    fn send_away(&mut self, to: &mut Stack, protocol: Protocol) {
        self.stranger = Some(protocol);
        self.ending = true;
        let msg = if self.presenter.is_for_people() { NOT_FOR_PEOPLE } else { NOT_FOR_PROGRAMS };
        self.presenter.refuse_at_once(to, &Failure::new(Code::Invalid, msg));
    }

    fn do_local(&mut self, local: Local, id: Option<&str>, to: &mut Stack, around: Around<'_>) -> Option<Ask> {
        match local {
            Local::Quit => {
                self.quitting = true;
                return None;
            }
            Local::Mode(ModeChoice::Set(mode)) => return self.set_mode(mode, id, to, around),
            Local::Stay => self.stays = true,
            Local::Preferences(only) => {
                self.presenter.preferences(to, id, only);
                return None;
            }
            _ => {}
        }
        self.presenter.local(to, local, id, self.state);
        None
    }

    fn set_mode(&mut self, mode: Mode, id: Option<&str>, to: &mut Stack, around: Around<'_>) -> Option<Ask> {
        let was_server = self.mode() == Mode::Server;
        let is_server = mode == Mode::Server;
        self.presenter.set_mode(mode);
        self.effects.renamed = true;
        if self.state == State::New || was_server != is_server {
            self.become_nobody(to);
        }
        if mode == Mode::Human {
            self.greet(to, around);
        } else {
            self.presenter.local(to, Local::Mode(ModeChoice::Set(mode)), id, self.state);
        }
        if around.linked {
            return Some(Ask::Mode(mode));
        }
        self.confirmed_mode = mode;
        None
    }

    /// The handler is being asked under this number for what a command has asked for.
    pub fn waits_for(&mut self, number: u64, command: &'static Command, request: &Request, id: Option<Box<str>>) {
        let asked = Asked { kind: request.kind(), done: command.done(request) };
        // What comes behind SET is shown as that says.
        if asked.kind.describe().is_barrier() || asked.kind == Kind::PreferenceSet {
            self.barrier = Some(number);
        }
        self.presenter.waits_for(Waiting { number, asked, id, people: self.presenter.is_for_people() });
    }

    /// The handler is being asked under this number to take note of the mode.
    pub fn waits_for_mode(&mut self, number: u64) {
        self.barrier = Some(number);
    }

    /// The handler cannot be asked.
    pub fn cannot_ask(&mut self, to: &mut Stack, ask: &Ask, msg: &str) {
        if let Ask::Command { id, .. } = ask {
            self.presenter.refuse(to, id.as_deref(), &Failure::new(Code::Unavailable, msg));
        }
    }
}
