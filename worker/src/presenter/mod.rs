//! What a session says, as its client wants it: words and prompts for a person, a JSON object on a line for a program; each
//! answer in its turn. The session gives screens, answers and events, and never sees a byte. Runs in a worker; pure.

mod queue;
mod says;

use crate::commands::{Local, PreferenceRow, preferences_shown, put_preferences};
use crate::peer::Stack;
use crate::render::{Clock, Pages, Prompt, Screen, draw, human, json, unmarked};
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
    /// What is left of an answer that is longer than the terminal is high.
    pages: Option<Pages>,
    /// The next page is waited for: the return key shows it.
    turning: bool,
    /// What has come while a person was writing or reading, drawn for his terminal.
    held: Held,
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
        let (pages, held) = (None, Held::default());
        Presenter { mode, prompted: false, pages, turning: false, held, queue: Queue::default() }
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
        let Presenter { mode: _, prompted: _, pages: _, turning: _, held: _, queue } = self;
        queue.is_empty()
    }

    /// A line has come: what was said before is not the last thing any more.
    pub fn line_has_come(&mut self) {
        self.prompted = false;
    }

    /// The handler is asked; its answer has its turn behind those that are open.
    pub fn waits_for(&mut self, waiting: Waiting) {
        self.queue.ask(waiting);
    }

    /// The handler's answer, in its turn. A person is told `hint` below it.
    pub fn answer(&mut self, to: &mut Stack, number: u64, reply: &Reply, hint: Option<&str>) {
        // What was asked behind it is not to wait until somebody has read it.
        let alone = self.queue.len() == 1;
        let clock = if self.is_for_people() { to.preferred().clock() } else { Clock::default() };
        let mut pages = None;
        self.queue.answer(number, to, |says, waiting| {
            if waiting.people {
                let screen = hinted(human::reply(waiting.asked, reply, clock), hint);
                pages = says.screens(once(screen), alone);
            } else {
                says.text(|out| json::reply(out, waiting.id.as_deref(), waiting.asked, reply));
            }
        });
        self.prompted = self.is_for_people();
        self.turn_to(pages);
    }

    /// An error, in its turn. A person is told `hint` below it.
    pub fn refuse(&mut self, to: &mut Stack, id: Option<&str>, failure: &Failure, hint: Option<&str>) {
        self.say_in_turn(to, || once(hinted(human::failure(failure), hint)), |out| json::failure(out, id, failure));
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

    /// The last word to a person who quits, in its turn, with no prompt behind it. Programs get none, as it always was.
    pub fn goodbye(&mut self, to: &mut Stack) {
        if self.is_for_people() {
            self.queue.answer_now(to, |says| says.screen(&human::text(GOODBYE)));
            self.prompted = false;
        }
    }

    /// Tells a person something that is no answer, in its turn.
    pub fn hint(&mut self, to: &mut Stack, hint: &str) {
        let mut screen = Screen::new();
        screen.hint(hint);
        self.show_in_turn(to, once(screen));
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
    pub fn show_in_turn(&mut self, to: &mut Stack, screens: impl Iterator<Item = Screen>) {
        let mut pages = None;
        self.queue.answer_now(to, |says| pages = says.screens(screens, true));
        self.prompted = true;
        self.turn_to(pages);
    }

    /// There is more than a page.
    fn turn_to(&mut self, pages: Option<Pages>) {
        if pages.is_some() {
            (self.pages, self.turning, self.prompted) = (pages, true, false);
        }
    }

    /// Whether a person may turn the page with the next line.
    pub fn is_turning(&self) -> bool {
        self.turning
    }

    /// Shows a person the next page, or says that there is none.
    pub fn next_page(&mut self, to: &mut Stack) {
        self.turning = false;
        let Some(mut pages) = self.pages.take() else {
            return self.show_in_turn(to, Local::More.screens(State::Anonymous));
        };
        let mut left = false;
        self.queue.answer_now(to, |says| left = says.page(&mut pages));
        self.prompted = !left;
        self.turn_to(left.then_some(pages));
        if !left {
            self.say_held(to, None);
        }
    }

    /// A person has read enough. What is left can still be had, unless he gives it `up`.
    pub fn stop_turning(&mut self, to: &mut Stack, up: bool) {
        self.turning = false;
        if up {
            self.pages = None;
        }
        self.release(to);
    }

    /// It is somebody else from now on, or nobody: he does not get the rest of what another has read.
    pub fn forget(&mut self) {
        (self.pages, self.turning) = (None, false);
    }

    /// Asks a person for what stands at the end of this screen, in its turn.
    pub fn ask(&mut self, to: &mut Stack, screen: &Screen) {
        self.queue.answer_now(to, |says| says.screen(screen));
        self.prompted = false;
    }

    /// What has come while a person was asked is said now; his next prompt comes later.
    pub fn release(&mut self, to: &mut Stack) {
        if !self.held.is_empty() {
            let held = self.held.take();
            self.queue.answer_now(to, |says| says.text(|out| out.extend_from_slice(&held)));
        }
    }

    /// A person has answered, which no terminal has shown. The last answer is the one behind which typing is shown again.
    pub fn secret_answered(&mut self, to: &mut Stack, last: bool) {
        self.queue.answer_now(to, |says| {
            says.text(|out| out.extend_from_slice(LINE_END));
            if last {
                says.hide_input(false);
            }
        });
    }

    /// The world that a person plays has ended its line: what has come meanwhile is said now.
    pub fn line_has_ended(&mut self, to: &mut Stack, question: Option<Prompt>) {
        if !self.turning && !matches!(question, Some(Prompt::Line(_))) && !to.is_mid_line() {
            self.say_held(to, question);
        }
    }

    /// Somebody else goes on on a line of its own: behind a person's prompt, it ends.
    pub fn end_line(&mut self, to: &mut Stack) {
        if std::mem::take(&mut self.prompted) {
            Says::Now(to).text(|out| out.extend_from_slice(LINE_END));
        }
    }

    /// Somebody else has ended his line: no prompt of ours stands there.
    pub fn begins_line(&mut self) {
        self.prompted = false;
    }

    /// Says that something has happened, at once; what a person is asked for, if not for a command, comes again behind it. Who
    /// writes or reads hears of it afterwards, if it can wait.
    pub fn event(&mut self, to: &mut Stack, event: &Event, question: Option<Prompt>) {
        match self.mode {
            Mode::Human => self.tell_person(to, &human::event(event), can_wait(event), question),
            // It waits for a greeting's answer; only the end is worth a word.
            Mode::Ask if !matches!(event, Event::Close(_)) => {}
            Mode::Ask | Mode::Client | Mode::Server => to.write(|out| json::event(out, event)),
        }
    }

    /// The operator's last word.
    pub fn last_word(&mut self, to: &mut Stack, text: &str, question: Option<Prompt>) {
        match self.mode {
            Mode::Human => self.tell_person(to, &human::goodbye(text), false, question),
            Mode::Ask | Mode::Client | Mode::Server => {
                self.event(to, &Event::Close(Notice { msg: unmarked(text) }), question);
            }
        }
    }

    fn tell_person(&mut self, to: &mut Stack, screen: &Screen, can_wait: bool, question: Option<Prompt>) {
        let busy = self.turning || matches!(question, Some(Prompt::Line(_))) || to.is_mid_line();
        let mut drawn = Vec::new();
        draw(&mut drawn, screen, to.look());
        self.held.push(&drawn);
        if !busy || !can_wait || self.held.is_full() {
            let question = question.or_else(|| self.pages.as_ref().filter(|_| self.turning)?.prompt());
            self.say_held(to, question);
        }
    }

    /// Says to a person that something has happened, behind his line and before the answer to it, which ends with the prompt.
    pub fn event_before_answer(&mut self, to: &mut Stack, event: &Event) {
        Says::Now(to).screen(&human::event(event));
    }

    /// Says to a person what has come.
    fn say_held(&mut self, to: &mut Stack, question: Option<Prompt>) {
        if self.held.is_empty() {
            return;
        }
        let held = self.held.take();
        let to_look = to.look();
        let mut says = Says::Now(to);
        // What is open is answered first, and a question comes in its turn.
        let free = self.queue.is_empty();
        let question = question.filter(|_| free);
        if (self.prompted && !to_look.in_world) || question.is_some() {
            says.text(|out| out.extend_from_slice(LINE_END));
        }
        says.text(|out| out.extend_from_slice(&held));
        self.prompted |= free && question.is_none();
        if free {
            says.prompt(question.unwrap_or(Prompt::Command));
        }
    }

    /// Asks a program for a sign of life.
    pub fn ping(&mut self, to: &mut Stack) {
        to.write(|out| out.extend_from_slice(b"{\"event\": \"ping\"}\r\n"));
    }
}

/// What has come for a person who has no eye for it now.
#[derive(Default, Serialize, Deserialize)]
struct Held(Vec<u8>);

/// Shows how much there is, not what it says.
impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Held({} bytes)", self.0.len())
    }
}

impl Held {
    /// Bytes that may wait; what is more is said at once.
    const MOST: usize = 32 << 10;

    fn push(&mut self, drawn: &[u8]) {
        self.0.extend_from_slice(drawn);
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn is_full(&self) -> bool {
        self.0.len() > Held::MOST
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

/// Whether it is as good after somebody has written his letter: a word of the backend's own is not.
fn can_wait(event: &Event) -> bool {
    !matches!(
        event,
        Event::Notice(_) | Event::Close(_) | Event::LoggedOut(_) | Event::TakenOver(_) | Event::Broadcast(_)
    )
}
/// To a person who quits.
const GOODBYE: &str = "Goodbye.";

/// What ends a person's line.
const LINE_END: &[u8] = b"\r\n";

fn hinted(mut screen: Screen, hint: Option<&str>) -> Screen {
    hint.into_iter().for_each(|hint| screen.hint(hint));
    screen
}
