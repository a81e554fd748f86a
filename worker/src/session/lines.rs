//! What the client says: lines become commands, and those that need no handler are answered at once. Runs in a worker; pure.

use super::asking::{Asking, Taken};
use super::{Around, Session, terminal};
use crate::commands::{self, Action, Command, Local, ModeChoice, Parsed, PlayWish, permitted};
use crate::peer::strangers::Protocol;
use crate::peer::{Input, Stack};
use crate::presenter::Waiting;
use crate::render::Asked;
use ssmglobal_config::{DoorMode, Level};
use ssmglobal_ipc::{Code, Failure, Kind, Mode, Request, State, WorkerEnd};

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
    /// What has to do with a world that is played through us.
    Play(PlayWish),
    /// Nothing more of the world that is being played.
    Leave,
    /// What a crawler is to be told, which has asked by a line or by telnet.
    Mssp {
        /// By a line.
        plain: bool,
    },
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
            Input::Line => {
                let ask = self.on_line(line, to, around);
                self.tell_of_charset(to, ask.is_some());
                return ask;
            }
            Input::TooLong => {
                let most = self.line_limit(around.door);
                let msg = format!("That line was too long: at most {most} bytes.");
                self.on_unread_line(to, &Failure::new(Code::TooLong, msg), around);
            }
            Input::NotUtf8 => {
                self.on_unread_line(to, &Failure::new(Code::Invalid, "That line was not UTF-8."), around);
            }
            Input::Cut => self.on_unread_line(to, &Failure::new(Code::Invalid, terminal::CUT), around),
            Input::Keys => self.on_keys(to, around),
            Input::Alive => {}
            Input::Crawler { plain } => return Some(Ask::Mssp { plain }),
            Input::Stranger(protocol) => self.send_away(to, protocol),
        }
        None
    }

    fn on_line(&mut self, line: &str, to: &mut Stack, around: Around<'_>) -> Option<Ask> {
        if let Some(asking) = self.asking.take() {
            return self.on_answer(asking, line, to, around);
        }
        self.presenter.line_has_come();
        if self.presenter.is_turning() && self.turns_page(line, to) {
            return None;
        }
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
            Ok(Action::Request(_) | Action::Play(_)) => _ = self.refused(to, read.id, &commands::no_mode()),
            Err(failure) => {
                self.refused(to, read.id, &failure);
                self.end(WorkerEnd::NO_MODE);
            }
        }
        None
    }

    fn refused(&mut self, to: &mut Stack, id: Option<&str>, failure: &Failure) -> Option<Ask> {
        let hint = self.draft.refused();
        self.presenter.refuse(to, id, failure, hint);
        None
    }

    /// A person who has read a page turns it, or has read enough. Gives whether his line meant that: any other is a command.
    fn turns_page(&mut self, line: &str, to: &mut Stack) -> bool {
        match line.trim() {
            "" => self.presenter.next_page(to),
            "q" | "Q" => {
                self.presenter.stop_turning(to, true);
                self.presenter.prompt(to);
            }
            _ => {
                self.presenter.stop_turning(to, false);
                return false;
            }
        }
        true
    }

    /// A command is known: may it be, is anything missing that a person is asked for, and do it.
    fn go_on(&mut self, parsed: Parsed<'_>, label: Label<'_>, to: &mut Stack, around: Around<'_>) -> Option<Ask> {
        if let Err(failure) = permitted(parsed.command, self.state, &self.who) {
            return self.refused(to, label.id, &failure);
        }
        if !self.presenter.is_for_people() {
            return self.perform(parsed, label, to, around);
        }
        let draft = self.draft.begin(&self.who, parsed.command.name);
        match Asking::begin(parsed, around.door.line, draft) {
            Ok((asking, screen)) => {
                self.presenter.ask(to, &screen);
                self.asking = Some(asking);
                None
            }
            Err(parsed) => self.perform(parsed, label, to, around),
        }
    }

    fn perform(&mut self, parsed: Parsed<'_>, label: Label<'_>, to: &mut Stack, around: Around<'_>) -> Option<Ask> {
        let command = parsed.command;
        match parsed.action() {
            // Of a world it is the way out.
            Ok(Action::Local(Local::Quit)) if around.plays => Some(Ask::Leave),
            Ok(Action::Local(local)) => self.do_local(local, label.id, to, around),
            Ok(Action::Play(wish)) if self.presenter.is_for_people() => Some(Ask::Play(wish)),
            Ok(Action::Play(_)) => self.refused(to, label.id, &commands::not_for_programs()),
            Ok(Action::Request(request)) => {
                let Label { id, key } = label;
                Some(Ask::Command { command, request, id: id.map(Into::into), key: key.map(Into::into) })
            }
            Err(failure) => self.refused(to, label.id, &failure),
        }
    }

    /// A person has typed what he was asked for.
    fn on_answer(&mut self, asking: Asking, line: &str, to: &mut Stack, around: Around<'_>) -> Option<Ask> {
        let hidden = asking.prompt().hides();
        let draft = self.draft.text(&self.who, asking.command().name);
        let taken = asking.take(line, around.door.line, draft, around.settings);
        self.has_taken(taken, hidden, to, around)
    }

    fn has_taken(&mut self, taken: Taken, hidden: bool, to: &mut Stack, around: Around<'_>) -> Option<Ask> {
        if hidden {
            let goes_on = matches!(&taken, Taken::Asks(next, _) if next.prompt().hides());
            self.presenter.secret_answered(to, !goes_on);
        }
        if !matches!(taken, Taken::Asks(..)) {
            self.presenter.release(to);
        }
        match taken {
            Taken::Asks(next, screen) => {
                self.presenter.ask(to, &screen);
                self.asking = Some(next);
                None
            }
            Taken::Complete(parsed, text) => {
                if let Some(text) = text {
                    self.draft.written(text, parsed.command.name);
                }
                // He may have been logged out while he wrote.
                match permitted(parsed.command, self.state, &self.who) {
                    Ok(()) => self.perform(parsed, Label::default(), to, around),
                    Err(failure) => self.refused(to, None, &failure),
                }
            }
            Taken::Refused(failure) => self.refused(to, None, &failure),
            Taken::GivenUp(command, screen) => {
                self.draft.give_up(command.name);
                self.presenter.show_in_turn(to, std::iter::once(screen));
                None
            }
        }
    }

    /// A line has come that is too long, or no text.
    pub(super) fn on_unread_line(&mut self, to: &mut Stack, failure: &Failure, around: Around<'_>) {
        if let Some(asking) = self.asking.take() {
            // The question stands: what comes next belongs to it still.
            let hidden = asking.prompt().hides();
            self.has_taken(asking.again(failure), hidden, to, around);
            return;
        }
        if self.mode() == Mode::Ask {
            self.refused(to, None, &commands::no_mode());
            return self.end(WorkerEnd::NO_MODE);
        }
        self.refused(to, None, failure);
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
                // Who could be a program of the first version gets no word, as it was then.
                let is_bare = around.door.mode == DoorMode::Ask && !to.speaks_telnet() && self.who.is_empty();
                if !is_bare {
                    self.presenter.goodbye(to);
                }
                self.ends_by(WorkerEnd::QUIT);
                return None;
            }
            Local::Mode(ModeChoice::Set(mode)) => return self.set_mode(mode, id, to, around),
            Local::Stay => self.stays = true,
            Local::Preferences(only) => {
                self.presenter.preferences(to, id, only);
                return None;
            }
            Local::More if self.presenter.is_for_people() => {
                self.presenter.next_page(to);
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
        self.draft.asked(number);
        self.presenter.waits_for(Waiting { number, asked, id, people: self.presenter.is_for_people() });
    }

    /// The handler is being asked under this number to take note of the mode.
    pub fn waits_for_mode(&mut self, number: u64) {
        self.barrier = Some(number);
    }

    /// The handler cannot be asked.
    pub fn cannot_ask(&mut self, to: &mut Stack, ask: &Ask, msg: &str) {
        if let Ask::Command { id, .. } = ask {
            self.refused(to, id.as_deref(), &Failure::new(Code::Unavailable, msg));
        }
    }
}
