//! What a session says, as its client wants it: words and prompts for a person, a JSON object on a line for a program; each
//! answer in its turn. The session gives screens, answers and events, and never sees a byte. Runs in a worker; pure.

mod queue;
mod says;

use crate::commands::{Local, PreferenceRow, preferences_shown, put_preferences};
use crate::peer::Stack;
use crate::render::{Prompt, Screen, human, json, unmarked};
use queue::Queue;
pub use queue::Waiting;
use says::Says;
use serde::{Deserialize, Serialize};
use ssmglobal_ipc::{Event, Failure, Mode, Notice, Preference, Reply, State};
use std::iter::{empty, once};

/// How it is said to one client.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Presenter {
    mode: Mode,
    /// The last thing that was said is a prompt.
    prompted: bool,
    /// A person is being asked for this. Quiet is only who asks for nothing.
    #[serde(skip)]
    question: Option<&'static str>,
    /// Quiet is only who owes no answer.
    #[serde(skip)]
    queue: Queue,
}

impl Default for Presenter {
    fn default() -> Presenter {
        Presenter::new(Mode::Ask)
    }
}

impl Presenter {
    /// Of a client that speaks so.
    pub fn new(mode: Mode) -> Presenter {
        Presenter { mode, prompted: false, question: None, queue: Queue::default() }
    }

    /// Goes on where another program has left it.
    pub fn of_parts(mode: Mode, prompted: bool) -> Presenter {
        Presenter { prompted, ..Presenter::new(mode) }
    }

    /// How the client speaks.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The client speaks so from now on.
    pub fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
    }

    /// Whether the client is a person.
    pub fn is_for_people(&self) -> bool {
        self.mode == Mode::Human
    }

    /// How many answers the client has not got yet.
    pub fn owes(&self) -> usize {
        self.queue.len()
    }

    /// Whether nothing was begun that only this process can go on with.
    pub fn is_quiet(&self) -> bool {
        let Presenter { mode: _, prompted: _, question, queue } = self;
        question.is_none() && queue.is_empty()
    }

    /// A line has come: what was said before is not the last thing any more.
    pub fn line_has_come(&mut self) {
        self.prompted = false;
    }

    /// The handler is asked; its answer has its turn behind those that are open.
    pub fn waits_for(&mut self, waiting: Waiting) {
        self.queue.ask(waiting);
    }

    /// The handler's answer, in its turn.
    pub fn answer(&mut self, to: &mut Stack, number: u64, reply: &Reply) {
        let clock = to.preferred().clock();
        self.queue.answer(number, to, |says, waiting| {
            if waiting.people {
                says.screen(&asking(human::reply(waiting.asked, reply, clock), Prompt::Command));
            } else {
                says.text(|out| json::reply(out, waiting.id.as_deref(), waiting.asked, reply));
            }
        });
        self.prompted = self.is_for_people();
    }

    /// An error, in its turn.
    pub fn refuse(&mut self, to: &mut Stack, id: Option<&str>, failure: &Failure) {
        self.say_in_turn(to, || once(human::failure(failure)), |out| json::failure(out, id, failure));
    }

    /// An error that is the last word, and waits for nothing.
    pub fn refuse_at_once(&mut self, to: &mut Stack, failure: &Failure) {
        let mut says = Says::Now(to);
        if self.is_for_people() {
            says.screen(&human::failure(failure));
        } else {
            says.text(|out| json::failure(out, None, failure));
        }
    }

    /// What the worker does by itself, in its turn.
    pub fn local(&mut self, to: &mut Stack, local: Local, id: Option<&str>, state: State) {
        self.say_in_turn(to, || local.screens(state), |out| local.put(out, id, state));
    }

    /// What is set of how somebody is shown things: one of it, or all; in its turn.
    pub fn preferences(&mut self, to: &mut Stack, id: Option<&str>, only: Option<Preference>) {
        let (preferred, look, told) = (to.preferred(), to.look(), to.told());
        let wanted = Preference::ALL.into_iter().filter(|preference| only.is_none_or(|only| only == *preference));
        let row = |preference: Preference| {
            let (value, from) = preferred.state(preference, look, told);
            PreferenceRow { name: preference.name(), value, from }
        };
        let rows: Vec<PreferenceRow> = wanted.map(row).collect();
        self.say_in_turn(to, || once(preferences_shown(&rows)), |out| put_preferences(out, id, &rows));
    }

    /// Greets a person, in its turn.
    pub fn welcome(&mut self, to: &mut Stack, welcome: &str) {
        self.show_in_turn(to, once(human::text(welcome)));
    }

    /// A person's prompt, in its turn.
    pub fn prompt(&mut self, to: &mut Stack) {
        self.show_in_turn(to, empty());
    }

    /// Says it to a person as screens, or to a program as a line.
    fn say_in_turn<I: Iterator<Item = Screen>>(
        &mut self,
        to: &mut Stack,
        screens: impl FnOnce() -> I,
        line: impl FnOnce(&mut Vec<u8>),
    ) {
        if self.is_for_people() {
            return self.show_in_turn(to, screens());
        }
        self.queue.answer_now(to, |says| says.text(line));
        self.prompted = false;
    }

    /// Shows a person something, and then the prompt.
    fn show_in_turn(&mut self, to: &mut Stack, screens: impl Iterator<Item = Screen>) {
        self.queue.answer_now(to, |says| {
            screens.for_each(|screen| says.screen(&screen));
            says.screen(&asking(Screen::new(), Prompt::Command));
        });
        self.prompted = true;
    }

    /// Asks a person for what nobody else is to see, in its turn; says first what was wrong with what came instead.
    pub fn ask_secret(&mut self, to: &mut Stack, question: &'static str, wrong: Option<&Failure>) {
        self.question = Some(question);
        let screen = wrong.map(human::failure).unwrap_or_default();
        self.queue.answer_now(to, |says| says.screen(&asking(screen, Prompt::Secret(question.to_owned()))));
        self.prompted = false;
    }

    /// A person has answered, which no terminal has shown. The last answer is the one behind which typing is shown again.
    pub fn secret_answered(&mut self, to: &mut Stack, last: bool) {
        self.question = None;
        self.queue.answer_now(to, |says| {
            says.text(|out| out.extend_from_slice(LINE_END));
            if last {
                says.hide_input(false);
            }
        });
    }

    /// Says that something has happened, at once; a person's prompt comes again behind it.
    pub fn event(&mut self, to: &mut Stack, event: &Event) {
        match self.mode {
            Mode::Human => self.tell_person(to, human::event(event)),
            // It waits for a greeting's answer; only the end is worth a word.
            Mode::Ask if !matches!(event, Event::Close(_)) => {}
            Mode::Ask | Mode::Client | Mode::Server => to.write(|out| json::event(out, event)),
        }
    }

    /// The operator's last word.
    pub fn goodbye(&mut self, to: &mut Stack, text: &str) {
        match self.mode {
            Mode::Human => self.tell_person(to, human::goodbye(text)),
            Mode::Ask | Mode::Client | Mode::Server => self.event(to, &Event::Close(Notice { msg: unmarked(text) })),
        }
    }

    fn tell_person(&mut self, to: &mut Stack, screen: Screen) {
        let mut says = Says::Now(to);
        // What is open is answered first, and a question for a secret comes in its turn.
        let free = self.queue.is_empty();
        let question = self.question.filter(|_| free);
        if self.prompted || question.is_some() {
            says.text(|out| out.extend_from_slice(LINE_END));
        }
        let screen = match question {
            Some(question) => asking(screen, Prompt::Secret(question.to_owned())),
            None if free => asking(screen, Prompt::Command),
            None => screen,
        };
        says.screen(&screen);
        self.prompted |= free && question.is_none();
    }

    /// Asks a program for a sign of life.
    pub fn ping(&mut self, to: &mut Stack) {
        to.write(|out| out.extend_from_slice(b"{\"event\": \"ping\"}\r\n"));
    }
}

/// What ends a person's line.
const LINE_END: &[u8] = b"\r\n";

/// A screen that asks for something at its end.
fn asking(mut screen: Screen, prompt: Prompt) -> Screen {
    screen.ask(prompt);
    screen
}
