//! What the client says: lines become commands, and those that need no handler are answered at once. Runs in a worker.

use super::{Session, prompt};
use crate::commands::{self, Action, Local, ModeChoice, Parsed, permitted};
use crate::input::Reader;
use crate::render::{human, json};
use crate::strangers::Protocol;
use ssmglobal_config::Level;
use ssmglobal_ipc::{Code, Failure, Mode, Request, SetMode, State};

/// What somebody is told who has come to a door for people with something else than commands.
const NOT_FOR_PEOPLE: &str =
    "This port is for people: connect with telnet, without HTTP, TLS, SSH, SOCKS or PROXY, and type HELP.";

/// The same at a door for programs.
const NOT_FOR_PROGRAMS: &str =
    "This port takes one JSON object on a line, over plain TCP without HTTP, TLS, SSH, SOCKS or PROXY.";

impl Session<'_> {
    pub(super) fn on_line(&mut self, line: &str) {
        if self.asking.is_some() {
            return self.on_secret(line);
        }
        self.prompted = false;
        if !line.trim().is_empty()
            && self.beginning.take().is_some()
            && let Some(protocol) = Protocol::of_line(line)
        {
            return self.send_away(protocol);
        }
        if self.settings.log.level >= Level::Debug {
            self.log(Level::Debug, &format!(" -> {}", commands::masked(line)));
        }
        if line.trim().is_empty() {
            if self.mode == Mode::Human {
                self.prompt_in_turn();
            }
            return;
        }
        match self.mode {
            Mode::Ask => {
                let read = commands::parse_first(line);
                let parsed = read.parsed.and_then(Parsed::action);
                match parsed {
                    Ok(Action::Local(local)) => self.do_local(local, read.id),
                    Ok(Action::Request(_)) => self.refuse(read.id, &commands::no_mode()),
                    Err(failure) => {
                        self.refuse(read.id, &failure);
                        self.ending = true;
                    }
                }
            }
            Mode::Human => match commands::parse_words(line, self.state) {
                Ok(parsed) => self.go_on(parsed, None, None),
                Err(failure) => self.refuse(None, &failure),
            },
            Mode::Client | Mode::Server => {
                let read = commands::parse_json(line);
                match read.parsed {
                    Ok(parsed) => self.go_on(parsed, read.id, read.key.as_deref()),
                    Err(failure) => self.refuse(read.id, &failure),
                }
            }
        }
    }

    /// A command is known: may it be, is anything missing that a person is asked for, and do it.
    pub(super) fn go_on(&mut self, parsed: Parsed<'_>, id: Option<&str>, key: Option<&str>) {
        if let Err(failure) = permitted(parsed.command, self.state, &self.who) {
            return self.refuse(id, &failure);
        }
        if self.mode == Mode::Human && parsed.prompt().is_some() {
            self.asking = Some(parsed.into_owned());
            return self.ask_secret(None);
        }
        self.perform(parsed, id, key);
    }

    pub(super) fn perform(&mut self, parsed: Parsed<'_>, id: Option<&str>, key: Option<&str>) {
        let command = parsed.command;
        match parsed.action() {
            Ok(Action::Local(local)) => self.do_local(local, id),
            Ok(Action::Request(request)) => self.ask(command, request, id, key),
            Err(failure) => self.refuse(id, &failure),
        }
    }

    /// What a person is being asked.
    pub(super) fn question(&self) -> Option<&'static str> {
        self.asking.as_ref().and_then(Parsed::prompt)
    }

    /// Asks for the secret that comes next, in its turn; says first what was wrong with what came instead.
    fn ask_secret(&mut self, wrong: Option<&Failure>) {
        let (question, look) = (self.question().unwrap_or_default(), self.reader.look());
        let reader = &mut self.reader;
        self.queue.answer_now(&mut self.client.out, |out| {
            if let Some(wrong) = wrong {
                human::failure(out, wrong, look);
            }
            reader.hide_input(true, out);
            put_question(out, question, reader);
        });
        self.prompted = false;
    }

    /// A person has typed a password.
    fn on_secret(&mut self, line: &str) {
        let Some(mut parsed) = self.asking.take() else { return };
        let answered = parsed.answer(line.to_owned());
        let goes_on = answered.is_ok() && parsed.prompt().is_some();
        let reader = &mut self.reader;
        self.queue.answer_now(&mut self.client.out, |out| {
            out.extend_from_slice(b"\r\n");
            if !goes_on {
                reader.hide_input(false, out);
            }
        });
        if goes_on {
            self.asking = Some(parsed);
            return self.ask_secret(None);
        }
        match answered {
            Ok(()) => self.perform(parsed, None, None),
            Err(failure) => self.refuse(None, &failure),
        }
    }

    /// A line has come that is too long, or no text.
    pub(super) fn on_unread_line(&mut self, failure: &Failure) {
        if let Some(protocol) = self.beginning.take().and_then(|beginning| beginning.of_unread_line()) {
            return self.send_away(protocol);
        }
        if self.asking.is_some() {
            // The question stands: what comes next is a secret still.
            let msg = format!("{} Type it again, or nothing to give up.", failure.msg);
            self.queue.answer_now(&mut self.client.out, |out| out.extend_from_slice(b"\r\n"));
            return self.ask_secret(Some(&Failure::new(failure.code, msg)));
        }
        if self.mode == Mode::Ask {
            self.refuse(None, &commands::no_mode());
            self.ending = true;
            return;
        }
        self.refuse(None, failure);
    }

    /// Looks at what was read, as long as nothing was said.
    pub(super) fn look_at_beginning(&mut self, bytes: &[u8]) {
        if let Some(protocol) = self.beginning.as_mut().and_then(|beginning| beginning.read(bytes)) {
            self.send_away(protocol);
        }
    }

    /// Sends a client away that speaks something else, before anything that it says is taken for a command.
    fn send_away(&mut self, protocol: Protocol) {
        self.stranger = Some(protocol);
        self.ending = true;
        let failure =
            Failure::new(Code::Invalid, if self.mode == Mode::Human { NOT_FOR_PEOPLE } else { NOT_FOR_PROGRAMS });
        if self.mode == Mode::Human {
            human::failure(&mut self.client.out, &failure, self.reader.look());
        } else {
            json::failure(&mut self.client.out, None, &failure);
        }
    }

    /// Answers with an error, in its turn.
    pub(super) fn refuse(&mut self, id: Option<&str>, failure: &Failure) {
        let (people, look, reader) = (self.mode == Mode::Human, self.reader.look(), &self.reader);
        self.queue.answer_now(&mut self.client.out, |out| {
            if people {
                human::failure(out, failure, look);
                prompt(out, reader);
            } else {
                json::failure(out, id, failure);
            }
        });
        self.prompted = people;
    }

    pub(super) fn prompt_in_turn(&mut self) {
        let reader = &self.reader;
        self.queue.answer_now(&mut self.client.out, |out| prompt(out, reader));
        self.prompted = true;
    }

    pub(super) fn do_local(&mut self, local: Local, id: Option<&str>) {
        match local {
            Local::Quit => {
                self.quitting = true;
                return;
            }
            Local::Mode(ModeChoice::Set(mode)) => return self.set_mode(mode, id),
            Local::Stay => self.stays = true,
            _ => {}
        }
        let (people, state, look) = (self.mode == Mode::Human, self.state, self.reader.look());
        let reader = &self.reader;
        self.queue.answer_now(&mut self.client.out, |out| {
            if people {
                local.show(out, state, look);
                prompt(out, reader);
            } else {
                local.put(out, id, state);
            }
        });
        self.prompted = people;
    }

    pub(super) fn welcome(&mut self) {
        let (welcome, look, reader) = (&self.door.welcome, self.reader.look(), &self.reader);
        self.queue.answer_now(&mut self.client.out, |out| {
            human::text(out, welcome, look);
            prompt(out, reader);
        });
        self.prompted = true;
    }

    pub(super) fn set_mode(&mut self, mode: Mode, id: Option<&str>) {
        let was_server = self.mode == Mode::Server;
        let is_server = mode == Mode::Server;
        self.mode = mode;
        if self.state == State::New || was_server != is_server {
            self.become_nobody();
        }
        self.reader.set_mode(mode);
        self.show_title();
        if self.link.is_some() {
            let number = self.send(Request::SetMode(SetMode { mode }), None);
            self.barrier = Some(number);
        } else {
            self.mode_there = mode;
        }
        if mode == Mode::Human {
            self.welcome();
        } else {
            let local = Local::Mode(ModeChoice::Set(mode));
            let state = self.state;
            self.queue.answer_now(&mut self.client.out, |out| local.put(out, id, state));
        }
    }
}

/// Asks for a secret; its end is marked for clients that want that.
pub(super) fn put_question(out: &mut Vec<u8>, question: &str, reader: &Reader) {
    out.extend_from_slice(question.as_bytes());
    reader.prompt_end(out);
}
