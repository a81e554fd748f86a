//! One client's session: who the client is, what it has said and what that leads to. Lines, answers and events come in; what
//! is said goes to the [`Presenter`], and what the handler is to be asked is given back. Runs in a worker; pure.

mod answers;
mod asking;
mod draft;
mod failures;
mod lines;
mod silence;
mod terminal;
#[cfg(test)]
mod tests;
mod unanswered;

pub use lines::Ask;
pub use unanswered::Unanswered;

use crate::moment::Moment;
use crate::peer::Stack;
use crate::peer::strangers::Protocol;
use crate::presenter::Presenter;
use crate::render::{Preferred, Prompt, human::text};
use asking::Asking;
use draft::Draft;
use serde::{Deserialize, Serialize};
use ssmglobal_config::{Door, Level, Settings};
use ssmglobal_ipc::{Code, Event, Failure, Mode, Notice, Reply, State, Ticket, WorkerEnd};
use std::time::Instant;

/// What a client is told when no handler can be had any more.
pub const GONE: &str = "The backend is gone. What it has answered is saved; connect again to go on.";

/// What a session has to know of the worker that it is in.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The door that the client came in by.
    pub door: &'a Door,
    /// As they were when it came.
    pub settings: &'a Settings,
    /// There is a link to the handler.
    pub linked: bool,
    /// Since when there is no handler.
    pub lost: Option<Instant>,
    /// The client listens to something.
    pub listens: bool,
    /// It plays a world, or waits for one.
    pub plays: bool,
    /// When the client's last line came.
    pub last_line: Instant,
    /// When its last sign of life came.
    pub last_input: Instant,
}

/// The session. What moves with it is open to who reads the states of older programs.
#[derive(Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// Its number, by which the handler knows it.
    pub(crate) number: u64,
    pub(crate) presenter: Presenter,
    /// How the client speaks as far as the handler has confirmed it.
    pub(crate) confirmed_mode: Mode,
    pub(crate) state: State,
    /// The client's name; empty for nobody.
    pub(crate) who: String,
    /// Proves to the next handler who this session is.
    pub(crate) ticket: Option<Ticket>,
    /// The number of the last push that the client has got.
    pub(crate) last_push: u64,
    pub(crate) asked: Unanswered,
    /// Logins that have failed on this connection.
    pub(crate) failures: u32,
    /// When the client last had time given: by a sign of life, or a question for one. Who has to choose a mode, or to prove
    /// who he is, has it from the beginning of that on.
    pub(crate) alive: Moment,
    /// It has said STAY.
    pub(crate) stays: bool,
    /// When it was last told that its silence is about to end the connection.
    pub(crate) warned: Option<Moment>,
    /// A request after whose answer this session may be somebody else: what comes behind it waits. Quiet is only who has none.
    #[serde(skip)]
    barrier: Option<u64>,
    /// A command of which a person is being asked for the rest. It moves unless there is a secret in it.
    asking: Option<Asking>,
    /// A text that a person has written and nobody has taken yet.
    draft: Draft,
    /// When the client was told that it takes long; quiet is who waits for nothing.
    #[serde(skip)]
    delayed: Option<Instant>,
    /// It speaks something else altogether, and is sent away. It ends.
    #[serde(skip)]
    stranger: Option<Protocol>,
    /// It goes when everything asked before was answered.
    #[serde(skip)]
    quitting: bool,
    /// It goes when what waits is written.
    #[serde(skip)]
    ending: bool,
    /// Why it goes: what was first.
    #[serde(skip)]
    end: Option<WorkerEnd>,
    /// What the worker still has to do about it. Quiet is only who has nothing left.
    #[serde(skip)]
    effects: Effects,
}

impl Default for Session {
    fn default() -> Session {
        Session::new(0, Mode::Ask, Instant::now())
    }
}

/// What has become of a session that others have to know.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// It has another name, or speaks in another way.
    pub renamed: bool,
    /// It is not any more who it was.
    pub lost_identity: bool,
    /// Lines for the handler's log.
    pub notes: Vec<(Level, String)>,
}

impl Session {
    /// A session of a client that speaks so, and came at this time.
    pub fn new(number: u64, mode: Mode, begun: Instant) -> Session {
        Session {
            number,
            presenter: Presenter::new(mode),
            confirmed_mode: mode,
            state: state_of(mode),
            who: String::new(),
            ticket: None,
            last_push: 0,
            asked: Unanswered::default(),
            failures: 0,
            alive: begun.into(),
            stays: false,
            warned: None,
            barrier: None,
            asking: None,
            draft: Draft::default(),
            delayed: None,
            stranger: None,
            quitting: false,
            ending: false,
            end: None,
            effects: Effects::default(),
        }
    }

    /// Its number, by which the handler knows it.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How the client speaks.
    pub fn mode(&self) -> Mode {
        self.presenter.mode()
    }

    /// How it speaks as far as the handler has confirmed it.
    pub fn confirmed_mode(&self) -> Mode {
        self.confirmed_mode
    }

    /// The client's name; empty for nobody.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// What proves it to the next handler.
    pub fn ticket(&self) -> Option<&Ticket> {
        self.ticket.as_ref()
    }

    /// The number of the last push that the client has got.
    pub fn last_push(&self) -> u64 {
        self.last_push
    }

    /// What the handler was asked and has not answered.
    pub fn asked(&mut self) -> &mut Unanswered {
        &mut self.asked
    }

    /// The longest line that the client may say, bytes.
    pub fn line_limit(&self, door: &Door) -> usize {
        if self.state == State::Server { door.server_line } else { door.line }
    }

    /// What the worker has to do about it.
    pub fn take_effects(&mut self) -> Effects {
        std::mem::take(&mut self.effects)
    }

    /// Whether it waits for nothing but the client, so that the next line may be taken.
    pub fn may_take(&self, settings: &Settings) -> bool {
        !self.ending && !self.quitting && self.barrier.is_none() && self.presenter.owes() < settings.limits.ahead
    }

    /// Whether it is over as soon as everything is written.
    pub fn is_over(&self) -> bool {
        self.ending || (self.quitting && !self.owes())
    }

    /// Whether the client is still owed an answer.
    pub fn owes(&self) -> bool {
        self.presenter.owes() > 0 || self.asked.has_crawler()
    }

    /// Whether nothing was begun that only this process can go on with.
    pub fn is_quiet(&self) -> bool {
        // A field more does not compile until it is decided whether it is quiet, moves, or is made anew.
        let Session {
            number: _,
            presenter,
            confirmed_mode: _,
            state: _,
            who: _,
            ticket: _,
            last_push: _,
            asked,
            failures: _,
            alive: _,
            stays: _,
            warned: _,
            barrier,
            asking,
            draft: _,
            delayed: _,
            stranger: _,
            quitting,
            ending,
            end: _,
            effects,
        } = self;
        let asks = presenter.is_quiet() && asked.is_quiet() && barrier.is_none();
        let asking = asking.as_ref().is_none_or(Asking::is_quiet);
        asks && asking && !quitting && !ending && *effects == Effects::default()
    }

    /// Whether it ends as soon as what waits is written.
    pub fn is_ending(&self) -> bool {
        self.ending
    }

    /// It ends as soon as what waits is written, without a word.
    pub fn end(&mut self, why: WorkerEnd) {
        self.ending = true;
        self.ends_by(why);
    }

    /// Why it ends; what was said of that before holds.
    pub fn ends_by(&mut self, why: WorkerEnd) {
        self.end.get_or_insert(why);
    }

    /// The worker is told to end.
    pub fn goodbye(&mut self, to: &mut Stack, settings: &Settings) {
        // Both the supervisor and the listener may say so.
        if !std::mem::replace(&mut self.ending, true) {
            self.ends_by(WorkerEnd::STOPPED);
            let question = self.question();
            self.presenter.last_word(to, &settings.texts.goodbye, question);
        }
    }

    /// Ends with a last word; gives whether it had not ended before.
    fn close(&mut self, to: &mut Stack, msg: String, why: WorkerEnd) -> bool {
        if std::mem::replace(&mut self.ending, true) {
            return false;
        }
        self.ends_by(why);
        self.tell(to, &Event::Close(Notice { msg }));
        true
    }

    /// Tells the client something.
    pub fn notice(&mut self, to: &mut Stack, msg: String) {
        self.tell(to, &Event::Notice(Notice { msg }));
    }

    /// Tells the client that something has happened.
    pub fn tell(&mut self, to: &mut Stack, event: &Event) {
        let question = self.question();
        self.presenter.event(to, event, question);
    }

    /// What a person is being asked for.
    fn question(&self) -> Option<Prompt> {
        self.asking.as_ref().map(Asking::prompt)
    }

    /// Whether the next line is for us though a world is played: a person is asked for something, or reads on.
    pub fn wants_line(&self) -> bool {
        self.asking.is_some() || self.presenter.is_turning()
    }

    /// An error, in its turn.
    pub fn refuse(&mut self, to: &mut Stack, failure: &Failure) {
        self.presenter.refuse(to, None, failure, None);
    }

    /// The client has left its world, and is told this.
    pub fn is_back(&mut self, to: &mut Stack, msg: String) {
        self.presenter.show_in_turn(to, std::iter::once(text(&msg)));
    }

    /// A world goes on here: behind our prompt it begins a line of its own.
    pub fn gives_way(&mut self, to: &mut Stack) {
        self.presenter.end_line(to);
    }

    /// The world has gone, and what it said has ended with a line.
    pub fn goes_on(&mut self) {
        self.presenter.begins_line();
    }

    /// The world that a person plays has ended its line: what has waited for that is said.
    pub fn line_of_world_has_ended(&mut self, to: &mut Stack) {
        let question = self.question();
        self.presenter.line_has_ended(to, question);
    }

    /// Nobody is left who could serve it, and whoever comes next knows nothing of it.
    pub fn deserted(&mut self, to: &mut Stack) {
        if self.ending {
            return;
        }
        self.forsaken(to);
        self.close(to, GONE.to_owned(), WorkerEnd::DESERTED);
    }

    /// Nobody is left who could answer it, but it has a world without anybody's help.
    pub fn forsaken(&mut self, to: &mut Stack) {
        let given_up = self.asked.lost();
        self.give_up(to, &given_up, GONE);
    }

    /// These requests are answered by nobody any more.
    pub fn give_up(&mut self, to: &mut Stack, numbers: &[u64], msg: &str) {
        for number in numbers {
            self.has_answer(*number);
            let hint = self.draft.not_taken(*number);
            self.presenter.answer(to, *number, &Reply::fail(Code::Unavailable, msg), hint);
        }
    }

    fn note(&mut self, level: Level, text: String) {
        self.effects.notes.push((level, text));
    }

    fn become_somebody(&mut self, state: State, name: &str) {
        self.presenter.forget();
        self.state = state;
        self.alive = Moment::now();
        name.clone_into(&mut self.who);
        self.effects.renamed = true;
    }

    fn become_nobody(&mut self, to: &mut Stack) {
        self.presenter.forget();
        to.prefer(Preferred::logged_out);
        self.state = state_of(self.mode());
        self.alive = Moment::now();
        self.who.clear();
        self.effects.renamed = true;
        self.effects.lost_identity = true;
    }
}

fn state_of(mode: Mode) -> State {
    match mode {
        Mode::Ask => State::New,
        Mode::Human | Mode::Client => State::Anonymous,
        Mode::Server => State::Unproved,
    }
}
